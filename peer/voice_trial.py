"""Somebody tries how they sound in a call: what a screen asks for, on the node's side of the voice process.

await node.voice_trial.speak()     # events: VoiceTried, several a second, with the level
await node.voice_trial.hear()      # what was said is played; VoiceTried with `is_over` at its end
await node.voice_trial.stop()      # instead of either: nothing stays behind, and nothing is told any more
"""

from collections.abc import Callable

from peer.audio.audio_process import AudioProcess
from peer.audio.switches import Switches
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import VoiceTried
from peer.views import AudioChoice, VoiceTrialView
from peer.voice import process_messages as pipe


class VoiceTrial:
    """One at a time; on the network thread, in a voice process of its own."""

    def __init__(self, events: EventStream, chosen: Callable[[], tuple[AudioChoice, Switches]]) -> None:
        """`chosen` returns what a call is spoken and heard with; it raises Refusal if nobody is signed in."""
        self._events, self._chosen = events, chosen
        self._process: AudioProcess[pipe.Command, pipe.Answer, pipe.Note] = AudioProcess(
            "peer.voice", pipe.Answer, pipe.Note, self._take_note, self._process_ended
        )
        self._is_on = False
        self._notice = ""

    async def missing(self) -> str:
        """Return a sentence where echo and noise cannot be removed on this computer; else nothing."""
        answer = await self._process.ask(pipe.FindMissing())
        assert isinstance(answer, pipe.Missing)
        return answer.reason

    async def speak(self) -> None:
        """Begin to listen to the chosen microphone; raise Refusal `no_microphone` or `audio_failed`."""
        choice, switches = self._chosen()
        await self.stop()
        wanted = pipe.Try(choice.microphone, choice.speaker, switches.echo, switches.noise, switches.gain)
        self._notice = ""
        answer = await self._process.ask(wanted)
        assert isinstance(answer, pipe.Begun)
        if not answer.has_microphone:
            await self.stop()
            raise Refusal(RefusalCode.NO_MICROPHONE, "No microphone works here. Plug one in, and try again.")
        self._is_on = True
        self._tell()

    async def hear(self) -> None:
        """Play what was said; raise Refusal `bad_request` if nobody was listened to."""
        await self._process.ask(pipe.HearTrial(), restarts=False)

    async def stop(self) -> None:
        """End it, however far it is."""
        self._is_on = False
        if self._process.is_running:
            await self._process.ask(pipe.EndTrial(), restarts=False)

    async def close(self) -> None:
        """End the process."""
        self._is_on = False
        await self._process.close()

    def _take_note(self, note: pipe.Note) -> None:
        if isinstance(note, pipe.SoundChanged):
            self._notice = note.reason
        if not self._is_on:
            return
        if isinstance(note, pipe.Levels):
            self._tell(level=note.level)
        elif isinstance(note, pipe.SoundChanged):
            self._tell()
        elif isinstance(note, pipe.TrialOver):
            self._is_on = False
            self._tell(is_over=True)

    def _process_ended(self) -> None:
        if self._is_on:
            self._is_on = False
            self._notice = "The sound system broke down. Try again, or restart the computer."
            self._tell(is_over=True)

    def _tell(self, *, level: int = 0, is_over: bool = False) -> None:
        self._events.tell(VoiceTried(VoiceTrialView(level, self._notice, is_over)))
