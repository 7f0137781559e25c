"""The audio process: the only one that touches sound devices, for a node that talks to it by pipes.

It is a process of its own because PortAudio and what lies below may hang for ever or crash, and because sound stutters
when it shares its interpreter with a window. It ends when the node hangs up, when it is not needed for a while, and
after a device that hangs.
"""

import contextlib
import logging
import os
import queue
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, NoReturn

import msgspec

from peer.audio import process_messages as pipe
from peer.audio.devices import AudioHangsError, list_devices
from peer.audio.loudness import Loudness
from peer.audio.opus_codec import RATE
from peer.audio.playing import Player, Sound, Tone, open_sound
from peer.audio.recording import Recorder
from peer.errors import Refusal, RefusalCode
from peer.limits import AUDIO_IDLE_SECONDS, AUDIO_LINE_BYTES
from protocol.limits import WAVEFORM_BARS

_PIECE = RATE // 100
Step = Callable[[], None] | None


class AudioServer:
    """Does one thing after the other on the main thread: what the node asks, and what follows from a device's end."""

    def __init__(self, commands: BinaryIO, answers: BinaryIO) -> None:
        self._commands, self._answers = commands, answers
        self._lock = threading.Lock()
        """One line at a time."""
        self._steps: queue.SimpleQueue[Step] = queue.SimpleQueue()
        self._recorder: Recorder | None = None
        self._player: Player | None = None

    def run(self) -> None:
        """Serve until the node hangs up, or wants nothing any more; what is being recorded is dropped then.

        Raises AudioHangsError.
        """
        threading.Thread(target=self._read, name="commands", daemon=True).start()
        with contextlib.suppress(queue.Empty):
            while (step := self._next_step()) is not None:
                step()
        if self._recorder is not None:
            self._recorder.cancel()
        self._end_playing()

    def _next_step(self) -> Step:
        """Wait for what is to be done; raise queue.Empty when there was nothing for long."""
        is_idle = self._recorder is None and self._player is None
        return self._steps.get(timeout=AUDIO_IDLE_SECONDS if is_idle else None)

    def _read(self) -> None:
        decoder = msgspec.json.Decoder(pipe.Command)
        while line := self._commands.readline(AUDIO_LINE_BYTES):
            self._steps.put(partial(self._answer, decoder.decode(line)))
        self._steps.put(None)

    def _say(self, what: pipe.Answer | pipe.Note) -> None:
        with self._lock, contextlib.suppress(OSError):  # a node that has gone is told nothing more
            self._answers.write(msgspec.json.encode(what) + b"\n")
            self._answers.flush()

    def _answer(self, command: pipe.Command) -> None:
        try:
            self._do(command)
        except Refusal as refusal:
            self._say(pipe.Failed(refusal.code, refusal.message))
            if isinstance(refusal, AudioHangsError):
                raise
        except OSError as error:
            self._say(pipe.Failed(RefusalCode.DISK_FULL, f"The recording cannot be stored ({error.strerror})."))

    def _do(self, command: pipe.Command) -> None:
        match command:
            case pipe.ListDevices():
                self._say(pipe.Devices(list_devices()))
            case pipe.Record():
                self._record(command)
            case pipe.FinishRecording():
                self._end_recording(self._say)
            case pipe.CancelRecording():
                recorder = self._taken_recorder()
                recorder.cancel()
                self._say(pipe.Done())
                recorder.close_device()
            case pipe.Rescue():
                self._say(pipe.Recorded(_rescue(Path(command.part), Path(command.final)), None))
            case pipe.Play():
                self._play(command, open_sound(Path(command.path)), command.at, command.speed)
            case pipe.PlayTone():
                self._play(command, Tone())
            case pipe.StopPlaying():
                self._end_playing()
                self._say(pipe.Done())

    def _record(self, command: pipe.Record) -> None:
        recorder = Recorder(
            Path(command.part),
            Path(command.final),
            lambda seconds, level: self._say(pipe.RecordedSoFar(seconds, level)),
            lambda: self._steps.put(lambda: self._recording_is_over(recorder)),
        )
        stands_in = recorder.start(command.microphone)
        self._recorder = recorder
        self._say(pipe.RecordingNow(stands_in))

    def _recording_is_over(self, recorder: Recorder) -> None:
        if recorder is self._recorder:  # else somebody was quicker to end it
            self._end_recording(lambda recorded: self._say(pipe.RecordingOver(recorded)))

    def _end_recording(self, say: Callable[[pipe.Recorded], None]) -> None:
        recorder = self._taken_recorder()
        say(pipe.Recorded(*recorder.finish()))
        recorder.close_device()

    def _taken_recorder(self) -> Recorder:
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            raise Refusal(RefusalCode.NOT_RECORDING, "Nothing is being recorded.")
        return recorder

    def _play(
        self, command: pipe.Play | pipe.PlayTone, sound: Sound | Tone, at: float = 0.0, speed: float = 1.0
    ) -> None:
        self._end_playing()
        player = Player(
            sound,
            at,
            speed,
            lambda at: self._say(pipe.PlayedSoFar(command.number, at)),
            lambda failed: self._steps.put(
                lambda: self._playing_is_over(player, pipe.PlayingOver(command.number, failed))
            ),
        )
        stands_in = player.start(command.speaker)
        self._player = player
        self._say(pipe.PlayingNow(sound.samples / RATE, stands_in))

    def _playing_is_over(self, player: Player, over: pipe.PlayingOver) -> None:
        if player is self._player:
            self._say(over)
            self._end_playing()

    def _end_playing(self) -> None:
        player, self._player = self._player, None
        if player is not None:
            player.stop()


def _rescue(part: Path, final: Path) -> pipe.Measured | None:
    """Put what is left of a recording under its name: a file that lacks its end is played all the same."""
    try:
        sound = open_sound(part)
    except Refusal:
        part.unlink(missing_ok=True)
        return None
    part.replace(final)
    return pipe.Measured(sound.samples / RATE, waveform_of(sound), final.stat().st_size)


def waveform_of(sound: Sound) -> bytes:
    """Return the loudness of a sound in bars."""
    loudness = Loudness()
    for at in range(0, sound.samples, _PIECE):
        loudness.take(sound.read(at, at + _PIECE))
    return loudness.waveform(WAVEFORM_BARS)


def main() -> NoReturn:
    """Serve on standard input and output."""
    logging.basicConfig(format="%(name)s: %(message)s")
    answers = os.fdopen(os.dup(1), "wb")
    # ALSA and JACK write pages of complaints about normal states to the file descriptors; Python's own are kept.
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.setswitchinterval(0.001)  # a callback of 10 ms must not wait 5 for its turn
    with contextlib.suppress(AudioHangsError, KeyboardInterrupt):
        AudioServer(sys.stdin.buffer, answers).run()
    answers.flush()
    os._exit(0)  # threads that hang in the sound system are waited for by nobody


if __name__ == "__main__":
    main()
