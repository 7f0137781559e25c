"""Which microphone and speaker somebody chose, and what is done to their voice in calls; kept with the account."""

from peer.audio.switches import Switches
from peer.storage.database import Connection, Database
from peer.storage.settings import get_setting, put_setting
from peer.views import AudioChoice


class ChosenDevices:
    """The choice. What was chosen may not be here today: whoever opens a device then falls back, and says so."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.choice = AudioChoice()
        self.switches = Switches()

    @property
    def chosen(self) -> tuple[AudioChoice, Switches]:
        """What a call is spoken and heard with."""
        return self.choice, self.switches

    async def load(self) -> None:
        """Read what was kept."""

        def job(connection: Connection) -> tuple[AudioChoice, bytes]:
            kept = (get_setting(connection, name) or b"" for name in ("microphone", "speaker"))
            return AudioChoice(*(name.decode() for name in kept)), get_setting(connection, "voice_processing") or b""

        self.choice, switches = await self._database.read(job)
        if switches:
            self.switches = Switches(*map(bool, switches))

    async def choose(self, choice: AudioChoice) -> None:
        """Use these from now on."""

        def job(connection: Connection) -> None:
            put_setting(connection, "microphone", choice.microphone.encode())
            put_setting(connection, "speaker", choice.speaker.encode())

        await self._database.write(job, own=True)
        self.choice = choice

    async def process(self, switches: Switches) -> None:
        """Do this to our voice from now on."""
        kept = bytes((switches.echo, switches.noise, switches.gain))
        await self._database.write(lambda c: put_setting(c, "voice_processing", kept), own=True)
        self.switches = switches
