"""The voice of one call, for the part of the node that signals calls: a process of its own on the voice port.

    voice = CallVoice(session.voice_port, on_levels=…, on_figures=…, on_sound=…, on_crash=…)
    await voice.begin(choice, switches)
    await voice.add_leg(theirs, ours, outgoing, incoming, (Place("192.0.2.1", 7501),), dials=True)
    await voice.end()

`leg` is the SSRC under which the other device sends; all notes name it so. Whatever happens to the process, the node
and the voice port go on, and the next call starts another one.
"""

import asyncio
from collections.abc import Callable

from peer.audio.audio_process import AudioProcess
from peer.audio.switches import Switches
from peer.calls.voice_port import VoicePort
from peer.errors import Refusal, RefusalCode
from peer.views import AudioChoice
from peer.voice import process_messages as pipe
from peer.voice.handing_over import hand_over, inherited
from peer.voice.limits import VOICE_PROCESS_SILENT_SECONDS
from peer.voice.process_messages import Place


class CallVoice:
    """Made for one call; on the network thread. After `end`, and after a crash, it can be begun again."""

    def __init__(
        self,
        port: VoicePort,
        *,
        on_levels: Callable[[pipe.Levels], None],
        on_figures: Callable[[pipe.LegHeard], None],
        on_sound: Callable[[pipe.SoundChanged], None],
        on_crash: Callable[[Refusal], None],
    ) -> None:
        """`on_sound` is called at the beginning, and when a device comes or goes; `on_figures` once a second a leg.

        `on_crash` is called once, with `voice_failed`, when the process crashes or hangs while a call is on.
        """
        self._port = port
        self._on_levels, self._on_figures, self._on_sound = on_levels, on_figures, on_sound
        self._on_crash = on_crash
        self._process: AudioProcess[pipe.Command, pipe.Answer, pipe.Note] = AudioProcess(
            "peer.voice", pipe.Answer, pipe.Note, self._take_note, self._process_ended
        )
        self._is_wanted = False
        """Whether a call is on or begins: the first notes come with the answer to `Begin`."""
        self._is_on = False
        self._seconds_silent = 0
        self._watch: asyncio.TimerHandle | None = None
        self._asking: set[asyncio.Task[pipe.Answer]] = set()

    async def begin(self, choice: AudioChoice, switches: Switches) -> None:
        """Start to listen and to play, to nobody yet; raise Refusal `voice_failed`. No device at all is no failure."""
        sockets = await self._port.lend()
        both = [some for some in (sockets.udp, sockets.tcp) if some is not None]
        self._is_wanted = True
        try:
            self._process.hand_over(*inherited(*both))
            process = self._process.start()
            udp, tcp = hand_over(sockets.udp, process), hand_over(sockets.tcp, process) if sockets.tcp else None
            begin = pipe.Begin(
                udp, tcp, choice.microphone, choice.speaker, switches.echo, switches.noise, switches.gain
            )
            await self._process.ask(begin, restarts=False)
        except BaseException as error:
            self._is_over()
            self._process.kill()
            self._port.take_back()
            if isinstance(error, Refusal | OSError):
                raise _failed("The voice of this call cannot begin.") from error
            raise
        self._is_on = True
        self._watch_it()

    async def add_leg(
        self, leg: int, ssrc: int, outgoing: bytes, incoming: bytes, places: tuple[Place, ...], dials: bool
    ) -> None:
        """Talk with one more device, to which we send under `ssrc`.

        `dials`: whether we are the one who connects by TCP where UDP does not get through. Raise Refusal `bad_request`
        if there are seven already, or one of them sends under this SSRC.
        """
        await self._ask(pipe.AddLeg(leg, ssrc, outgoing, incoming, places, dials))

    async def move_leg(self, leg: int, places: tuple[Place, ...]) -> None:
        """Look for a device at these places from now on, where nothing comes from it any more."""
        await self._ask(pipe.MoveLeg(leg, places))

    async def remove_leg(self, leg: int) -> None:
        """Talk with a device no more; it is nothing to remove one that is not there."""
        if self._is_on:
            await self._ask(pipe.RemoveLeg(leg))

    async def set_muted(self, muted: bool) -> None:
        """Send silence, or what is said."""
        await self._ask(pipe.SetMuted(muted))

    async def set_volume(self, leg: int, volume: float) -> None:
        """Make somebody louder or quieter, 1 being as they come."""
        await self._ask(pipe.SetVolume(leg, volume))

    async def set_devices(self, choice: AudioChoice) -> None:
        """Use another microphone and speaker from now on; `on_sound` tells what became of it."""
        await self._ask(pipe.SetDevices(choice.microphone, choice.speaker))

    async def set_processing(self, switches: Switches) -> None:
        """Change what is done to the microphone's sound; `on_sound` tells where it cannot be done."""
        await self._ask(pipe.SetProcessing(switches.echo, switches.noise, switches.gain))

    async def end(self) -> None:
        """End the process and give the voice port back; it is nothing to end what is not on."""
        if not self._is_on:
            return
        self._is_over()
        try:
            await self._process.close()
        finally:
            self._port.take_back()

    async def _ask(self, command: pipe.Command) -> None:
        """Raise Refusal `voice_failed` if the process is not there any more; a caller who is cancelled ends nothing."""
        if not self._is_on:
            raise _failed("There is no voice any more.")
        asking = asyncio.create_task(self._process.ask(command, restarts=False))
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        try:
            await asyncio.shield(asking)
        except Refusal as refusal:
            if refusal.code is RefusalCode.AUDIO_FAILED:
                raise _failed(_BROKE_DOWN) from refusal
            raise

    def _asked(self, asking: "asyncio.Task[pipe.Answer]") -> None:
        self._asking.discard(asking)
        if not asking.cancelled():
            asking.exception()  # was raised to the caller, unless that one has gone

    def _take_note(self, note: pipe.Note) -> None:
        self._seconds_silent = 0
        if not self._is_wanted:
            return
        match note:
            case pipe.Levels():
                self._on_levels(note)
            case pipe.LegHeard():
                self._on_figures(note)
            case pipe.SoundChanged():
                self._on_sound(note)

    def _watch_it(self) -> None:
        """Count seconds here and not on the clock: a computer that slept has heard nothing of its own process."""
        self._seconds_silent += 1
        if self._seconds_silent > VOICE_PROCESS_SILENT_SECONDS:
            self._process.kill()
        else:
            self._watch = asyncio.get_running_loop().call_later(1.0, self._watch_it)

    def _process_ended(self) -> None:
        if not self._is_on:
            return
        self._is_over()
        self._port.take_back()
        self._on_crash(_failed(_BROKE_DOWN))

    def _is_over(self) -> None:
        self._is_wanted = self._is_on = False
        self._seconds_silent = 0
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None


_BROKE_DOWN = "The voice of this call broke down."


def _failed(what: str) -> Refusal:
    return Refusal(RefusalCode.VOICE_FAILED, f"{what} Call again; if it does not help, restart the computer.")
