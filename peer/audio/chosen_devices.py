"""Which microphone and speaker somebody chose; kept with the account, for voice messages and whatever else sounds."""

from peer.storage.database import Connection, Database
from peer.storage.settings import get_setting, put_setting
from peer.views import AudioChoice


class ChosenDevices:
    """The choice. What was chosen may not be here today: whoever opens a device then falls back, and says so."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.choice = AudioChoice()

    async def load(self) -> None:
        """Read what was kept."""

        def job(connection: Connection) -> AudioChoice:
            kept = (get_setting(connection, name) or b"" for name in ("microphone", "speaker"))
            return AudioChoice(*(name.decode() for name in kept))

        self.choice = await self._database.read(job)

    async def choose(self, choice: AudioChoice) -> None:
        """Use these from now on."""

        def job(connection: Connection) -> None:
            put_setting(connection, "microphone", choice.microphone.encode())
            put_setting(connection, "speaker", choice.speaker.encode())

        await self._database.write(job, own=True)
        self.choice = choice
