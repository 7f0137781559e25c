"""Voice messages: record one, listen to it, and play those of others. What a screen or a script asks for.

    await node.voice.start_recording()        # events: RecordingChanged, several a second, with seconds and level
    voice = await node.voice.finish_recording()   # a VoiceFile: path, duration, waveform, size; to be sent
    await node.voice.cancel_recording()       # instead: nothing stays behind
    await node.voice.discard(voice.path)      # it was sent, or is not wanted

    await node.voice.play(path, at=3.5, speed=1.5)   # also to seek, to go on, to change the speed
    await node.voice.stop_playing()           # a pause is to stop, and to play again at the last `at`
    await node.voice.play_tone()              # to try a speaker; also to let it ring
    await node.voice.stop_tone()

One recording and one playback exist at a time: a second `play` takes the place of the first, which is told as over.
A recording that ends by itself (10 minutes, the microphone unplugged, the disk full, the audio process dead) is told by
`RecordingChanged` with `is_over`, a sentence and what there is of it; `finish_recording` then returns that too.
All methods run on the network thread and raise `Refusal`: `no_microphone` and `no_speaker` are normal states.

The microphone and speaker are those that were chosen (`chosen_devices.py`). When one of them is not here, the system's
choice stands in, and `Warned` says so once.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from peer.audio import process_messages as pipe
from peer.audio.audio_process import AudioProcess
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import PlaybackChanged, RecordingChanged, Warned
from peer.limits import FASTEST_PLAYED
from peer.views import AudioChoice, AudioDevices, PlaybackView, RecordingView, Tone, VoiceFile


class VoiceMessages:
    """One node's recorder and player."""

    def __init__(
        self,
        events: EventStream,
        now: Callable[[], datetime],
        folder: Callable[[], Path],
        chosen: Callable[[], AudioChoice],
    ) -> None:
        """`folder` returns where recordings are until they are sent, `chosen` what is recorded and played with.

        Both raise Refusal if nobody is signed in.
        """
        self._events = events
        self._now = now
        self._folder = folder
        self._chosen = chosen
        self._missed: set[tuple[RefusalCode, str]] = set()
        """Which chosen devices were said not to be here."""
        self._process: AudioProcess[pipe.Command, pipe.Answer, pipe.Note] = AudioProcess(
            "peer.audio", pipe.Answer, pipe.Note, self._take_note, self._process_ended
        )
        self._tidied: Path | None = None
        """The folder from which was removed what a program that died had left."""
        self._changing = asyncio.Lock()
        """A recording is begun or ended by one caller at a time."""
        self._recording: Path | None = None
        """What is being recorded, under the name that it will have."""
        self._has_begun = False
        """Whether there can be anything of it to be rescued."""
        self._seconds = 0.0
        self._over: RecordingView | None = None
        """How the last recording ended, until somebody asked for it."""
        self._rescue: asyncio.Task[None] | None = None
        self._playback: PlaybackView | None = None
        self._playback_number = 0

    async def devices(self) -> AudioDevices:
        """Return the microphones and speakers there are now."""
        answer = await self._process.ask(pipe.ListDevices())
        assert isinstance(answer, pipe.Devices)
        return answer.devices

    async def start_recording(self) -> None:
        """Begin a voice message."""
        async with self._changing:
            if self._recording is not None:
                raise Refusal(RefusalCode.ALREADY_RECORDING, "A voice message is being recorded already.")
            final, microphone = self._new_name(), self._chosen().microphone
            self._recording, self._has_begun, self._over, self._seconds = final, False, None, 0.0
            try:
                answer = await self._process.ask(pipe.Record(str(_part_of(final)), str(final), microphone))
            except BaseException:
                self._recording = None
                raise
            assert isinstance(answer, pipe.RecordingNow)
            self._note_stand_in(RefusalCode.NO_MICROPHONE, microphone, stands_in=answer.stands_in)
            self._has_begun = True
            if not self._process.is_running:
                self._process_ended()

    async def finish_recording(self) -> VoiceFile:
        """End it and return it, to be listened to and sent; it may have ended by itself before."""
        async with self._changing:
            if self._recording is not None:
                try:
                    answer = await self._process.ask(pipe.FinishRecording())
                    assert isinstance(answer, pipe.Recorded)
                    self._recording_over(self._recording, answer)
                except Refusal:
                    if self._rescue is not None:
                        await self._rescue
                    if self._recording is not None:
                        raise
            over, self._over = self._over, None
        if over is None:
            raise Refusal(RefusalCode.NOT_RECORDING, "Nothing is being recorded.")
        if over.voice is None:
            raise Refusal(RefusalCode.AUDIO_FAILED, over.reason or "The microphone brought no sound.")
        return over.voice

    async def cancel_recording(self) -> None:
        """End it and keep nothing, also of one that ended by itself; nothing happens if there is none."""
        async with self._changing:
            final, self._recording = self._recording, None
            if final is not None:
                with suppress(Refusal):
                    await self._process.ask(pipe.CancelRecording())
                self._drop(final)
            if self._over is not None and self._over.voice is not None:
                _remove(Path(self._over.voice.path))
            self._over = None

    async def discard(self, path: str) -> None:
        """Remove a finished recording: it was sent, or is not wanted. Other files are left alone."""
        if Path(path).parent == self._folder():
            _remove(Path(path))

    async def play(self, path: str, at: float = 0.0, speed: float = 1.0) -> PlaybackView:
        """Play an Ogg Opus file from `at` seconds, at 1 to 2 times its speed, instead of what is played now."""
        if not (1 <= speed <= FASTEST_PLAYED and at >= 0):
            raise Refusal(RefusalCode.BAD_REQUEST, f"The speed is between 1 and {FASTEST_PLAYED}.")
        return await self._play(
            PlaybackView(path, at, 0.0, speed), lambda number, speaker: pipe.Play(number, path, at, speed, speaker)
        )

    async def play_tone(self, tone: Tone = Tone.TEST) -> PlaybackView:
        """Play a tone instead of what is played now: a playback of no file. Rings end by themselves after a minute."""
        return await self._play(
            PlaybackView("", 0.0, 0.0, 1.0), lambda number, speaker: pipe.PlayTone(number, speaker, tone)
        )

    async def stop_tone(self) -> None:
        """Play no tone any more; a voice message that took its place goes on."""
        if self._playback is not None and not self._playback.path:
            await self.stop_playing()

    async def stop_playing(self) -> None:
        """Play nothing any more."""
        if self._playback is not None:
            self._playback_over("")
            await self._process.ask(pipe.StopPlaying())

    async def close(self) -> None:
        """Let go of all devices; an unfinished recording is dropped."""
        final, self._recording = self._recording, None
        if self._playback is not None:
            self._playback_over("")
        if self._rescue is not None:
            self._rescue.cancel()
            with suppress(asyncio.CancelledError):
                await self._rescue
            self._rescue = None
        await self._process.close()
        if final is not None:
            self._drop(final)

    # --- inside ------------------------------------------------------------------------------

    async def _play(self, wanted: PlaybackView, command: Callable[[int, str], pipe.Command]) -> PlaybackView:
        if self._playback is not None and self._playback.path != wanted.path:
            self._playback_over("")
        self._playback_number += 1
        number, speaker = self._playback_number, self._chosen().speaker
        self._playback = wanted
        try:
            answer = await self._process.ask(command(number, speaker))
        except BaseException:
            if number == self._playback_number:
                self._playback = None
            raise
        assert isinstance(answer, pipe.PlayingNow)
        self._note_stand_in(RefusalCode.NO_SPEAKER, speaker, stands_in=answer.stands_in)
        began = PlaybackView(wanted.path, min(wanted.at, answer.seconds), answer.seconds, wanted.speed)
        self._playback_began(number, began)
        return began

    def _note_stand_in(self, code: RefusalCode, device: str, *, stands_in: bool) -> None:
        """Say once that a chosen device is not here, and again after it was."""
        if not stands_in:
            self._missed.discard((code, device))
        elif (code, device) not in self._missed:
            self._missed.add((code, device))
            what = "microphone" if code is RefusalCode.NO_MICROPHONE else "speaker"
            self._events.tell(Warned(code, f"“{device}” is not here: the system's {what} is used instead."))

    def _drop(self, final: Path) -> None:
        _remove(_part_of(final), final)
        self._events.tell(RecordingChanged(RecordingView(self._seconds, is_over=True)))

    def _playback_began(self, number: int, began: PlaybackView) -> None:
        if self._playback is not None and number == self._playback_number:
            self._playback = began
            self._events.tell(PlaybackChanged(began))

    # --- what the process says -----------------------------------------------------------------

    def _take_note(self, note: pipe.Note) -> None:
        match note:
            case pipe.RecordedSoFar():
                self._seconds = note.seconds
                if self._recording is not None:
                    self._events.tell(RecordingChanged(RecordingView(note.seconds, note.level)))
            case pipe.RecordingOver():
                self._recording_over(self._recording, note.recorded)
            case pipe.PlayedSoFar():
                if self._playback is not None and note.number == self._playback_number:
                    self._playback = msgspec.structs.replace(self._playback, at=note.at)
                    self._events.tell(PlaybackChanged(self._playback))
            case pipe.PlayingOver():
                if self._playback is not None and note.number == self._playback_number:
                    if note.failed is None:
                        self._playback = msgspec.structs.replace(self._playback, at=self._playback.duration)
                    self._playback_over(note.failed.message if note.failed else "")

    def _process_ended(self) -> None:
        reason = "The sound system broke down. Try again."
        if self._playback is not None:
            self._playback_over(reason)
        if self._recording is not None and self._has_begun and self._rescue is None:
            self._rescue = asyncio.create_task(self._rescue_recording(self._recording, reason))

    async def _rescue_recording(self, final: Path, reason: str) -> None:
        """Keep what a process that died had written."""
        left = pipe.Recorded(None, None)
        with suppress(Refusal):
            answer = await self._process.ask(pipe.Rescue(str(_part_of(final)), str(final)))
            assert isinstance(answer, pipe.Recorded)
            left = answer
        self._rescue = None
        self._recording_over(final, left, reason)

    def _recording_over(self, final: Path | None, recorded: pipe.Recorded, reason: str = "") -> None:
        if final is None or final is not self._recording:
            return  # it was cancelled, or never began
        self._recording = None
        voice, measured = None, recorded.measured
        if measured is not None:
            self._seconds = measured.seconds
            voice = VoiceFile(str(final), measured.seconds, measured.waveform, measured.size)
        reason = reason or (recorded.failed.message if recorded.failed else "")
        self._over = RecordingView(self._seconds, is_over=True, voice=voice, reason=reason)
        self._events.tell(RecordingChanged(self._over))

    def _playback_over(self, reason: str) -> None:
        over, self._playback = self._playback, None
        assert over is not None
        self._events.tell(PlaybackChanged(msgspec.structs.replace(over, is_over=True, reason=reason)))

    def _new_name(self) -> Path:
        folder = self._folder()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder != self._tidied:
                for left in folder.iterdir():
                    left.unlink()
                self._tidied = folder
        except OSError as error:
            raise Refusal(RefusalCode.DISK_FULL, f"The recording cannot be stored ({error.strerror}).") from error
        stem = f"Voice message {self._now().astimezone():%Y-%m-%d %H.%M.%S}"
        final, number = folder / f"{stem}.opus", 1
        while final.exists() or _part_of(final).exists():
            number += 1
            final = folder / f"{stem} ({number}).opus"
        return final


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _part_of(final: Path) -> Path:
    return final.with_name(final.name + ".part")
