"""The audio process: records and plays voice messages, for a node that talks to it by pipes."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from peer.audio import process_messages as pipe
from peer.audio.devices import list_devices
from peer.audio.loudness import Loudness
from peer.audio.opus_codec import RATE
from peer.audio.playing import Player, Sound, open_sound
from peer.audio.process_server import ProcessServer, serve
from peer.audio.recording import Recorder
from peer.audio.tones import ToneSound, tone_sound
from peer.errors import Refusal, RefusalCode
from protocol.limits import WAVEFORM_BARS

_PIECE = RATE // 100


class AudioServer(ProcessServer[pipe.Command]):
    """Has at most one recording and one sound that is played."""

    def __init__(self, commands: BinaryIO, answers: BinaryIO) -> None:
        super().__init__(commands, answers, msgspec.json.Decoder(pipe.Command))
        self._recorder: Recorder | None = None
        self._player: Player | None = None

    def is_busy(self) -> bool:
        """Tell whether anything is recorded or played."""
        return self._recorder is not None or self._player is not None

    def end(self) -> None:
        """Stop both; what is being recorded is dropped."""
        if self._recorder is not None:
            self._recorder.cancel()
        self._end_playing()

    def do(self, command: pipe.Command) -> None:
        """Do what was asked, and answer."""
        match command:
            case pipe.ListDevices():
                self.say(pipe.Devices(list_devices()))
            case pipe.Record():
                self._record(command)
            case pipe.FinishRecording():
                self._end_recording(self.say)
            case pipe.CancelRecording():
                recorder = self._taken_recorder()
                recorder.cancel()
                self.say(pipe.Done())
                recorder.close_device()
            case pipe.Rescue():
                self.say(pipe.Recorded(_rescue(Path(command.part), Path(command.final)), None))
            case pipe.Play():
                self._play(command, open_sound(Path(command.path)), command.at, command.speed)
            case pipe.PlayTone():
                self._play(command, tone_sound(command.tone))
            case pipe.StopPlaying():
                self._end_playing()
                self.say(pipe.Done())

    def _record(self, command: pipe.Record) -> None:
        recorder = Recorder(
            Path(command.part),
            Path(command.final),
            lambda seconds, level: self.say(pipe.RecordedSoFar(seconds, level)),
            lambda: self.post(lambda: self._recording_is_over(recorder)),
        )
        stands_in = recorder.start(command.microphone)
        self._recorder = recorder
        self.say(pipe.RecordingNow(stands_in))

    def _recording_is_over(self, recorder: Recorder) -> None:
        if recorder is self._recorder:  # else somebody was quicker to end it
            self._end_recording(lambda recorded: self.say(pipe.RecordingOver(recorded)))

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
        self, command: pipe.Play | pipe.PlayTone, sound: Sound | ToneSound, at: float = 0.0, speed: float = 1.0
    ) -> None:
        self._end_playing()
        player = Player(
            sound,
            at,
            speed,
            lambda at: self.say(pipe.PlayedSoFar(command.number, at)),
            lambda failed: self.post(lambda: self._playing_is_over(player, pipe.PlayingOver(command.number, failed))),
        )
        stands_in = player.start(command.speaker)
        self._player = player
        self.say(pipe.PlayingNow(sound.samples / RATE, stands_in))

    def _playing_is_over(self, player: Player, over: pipe.PlayingOver) -> None:
        if player is self._player:
            self.say(over)
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


if __name__ == "__main__":
    serve(AudioServer)
