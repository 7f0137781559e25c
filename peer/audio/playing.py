"""Plays Ogg Opus files. In the audio process."""

import array
import queue
import threading
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

from peer.audio.devices import AudioHangsError, Stream
from peer.audio.ogg_opus import BadAudioError, OpusAudio, read_ogg_opus
from peer.audio.opus_codec import RATE, Decoder, OpusError, samples_of_packet
from peer.audio.process_messages import Failed
from peer.audio.time_stretch import TimeStretch
from peer.audio.tones import ToneSound
from peer.errors import Refusal, RefusalCode
from peer.limits import AUDIO_LOST_SECONDS, PLAYED_AHEAD_BUFFERS, POSITIONS_A_SECOND, VOICE_FILE_BYTES

_PRE_ROLL = 3_840
"""Samples decoded before those that are wanted, until the decoder is in step (RFC 7845, section 4.6)."""
_LOOK_SECONDS = 0.5


class Sound:
    """The samples of a file, decoded as they are asked for."""

    def __init__(self, audio: OpusAudio) -> None:
        self.samples = audio.samples
        self._audio = audio
        self._starts = [0, *accumulate(map(samples_of_packet, audio.packets))]
        """Where each packet begins, pre-skip included, and where the last one ends."""
        self._decoder = Decoder(audio.gain)
        self._window = array.array("h")
        self._window_at = 0
        """Where `_window`, the last samples decoded, begins; pre-skip included."""
        self._next = 0
        """The packet that follows the window."""

    def read(self, start: int, stop: int) -> "array.array[int]":
        """Return the samples from `start` to `stop`; silence where there is nothing."""
        first, last = max(0, start), min(stop, self.samples)
        if first >= last:
            return array.array("h", bytes(2 * (stop - start)))
        inside = self._decoded(first + self._audio.pre_skip, last + self._audio.pre_skip)
        return array.array("h", bytes(2 * (first - start))) + inside + array.array("h", bytes(2 * (stop - last)))

    def _decoded(self, start: int, stop: int) -> "array.array[int]":
        if not self._window_at <= start <= self._window_at + len(self._window):
            self._go_to(max(0, start - _PRE_ROLL))
        while self._window_at + len(self._window) < stop:
            self._window.extend(self._decode_next())
        offset = start - self._window_at
        found = self._window[offset : offset + stop - start]
        keep_from = max(0, offset - RATE // 10)
        del self._window[:keep_from]
        self._window_at += keep_from
        return found

    def _go_to(self, sample: int) -> None:
        self._next = bisect_right(self._starts, sample) - 1
        self._window, self._window_at = array.array("h"), self._starts[self._next]
        self._decoder.reset()

    def _decode_next(self) -> "array.array[int]":
        packet = self._audio.packets[self._next]
        self._next += 1
        try:
            return array.array("h", self._decoder.decode(packet))
        except OpusError:
            return array.array("h", bytes(2 * samples_of_packet(packet)))  # damaged: so long is silence


def open_sound(path: Path) -> Sound:
    """Return what a file sounds like; raise Refusal `bad_audio` if it cannot be played."""
    try:
        with path.open("rb") as file:
            return Sound(read_ogg_opus(file.read(VOICE_FILE_BYTES + 1)))
    except OSError as error:
        raise Refusal(RefusalCode.BAD_AUDIO, f"{path.name} cannot be read ({error.strerror}).") from error
    except BadAudioError as error:
        raise Refusal(RefusalCode.BAD_AUDIO, f"{path.name} cannot be played: {error}.") from error


class Player:
    """Plays one sound once, from some place, at some speed."""

    def __init__(
        self,
        sound: Sound | ToneSound,
        at: float,
        speed: float,
        on_position: Callable[[float], None],
        on_over: Callable[[Failed | None], None],
    ) -> None:
        """Its thread calls `on_position(seconds)`, and `on_over` once it ends by itself."""
        start = min(max(0, int(at * RATE)), sound.samples)
        self._stretch = TimeStretch(sound.read, start, sound.samples, speed)
        self._tell_every = int(RATE * speed) // POSITIONS_A_SECOND
        self._on_position, self._on_over = on_position, on_over
        self._ready: queue.SimpleQueue[tuple[bytes, int] | None] = queue.SimpleQueue()
        """Buffers for the speaker, each with the place it comes from; None is the end."""
        self._position = start
        """What was handed to the speaker last; changed by its callback, as are these:"""
        self._taken, self._played = threading.Event(), threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="player")
        self._stream: Stream | None = None

    def start(self, speaker: str) -> bool:
        """Begin; tell whether another speaker stands in. Raises Refusal if there is none."""
        self._stream = Stream("output", speaker, self._give_buffer)
        self._thread.start()
        return self._stream.stands_in

    def stop(self) -> None:
        """Play no more. Raises AudioHangsError."""
        self._stopped = True
        self._taken.set()
        self._thread.join()
        if self._stream is not None:
            self._stream.close()

    def _give_buffer(self, _heard: bytes | None, samples: int) -> bytes:
        """Hand over what comes next, silence if that is not ready. On PortAudio's thread."""
        try:
            piece = self._ready.get_nowait()
        except queue.Empty:
            return bytes(2 * samples)
        self._taken.set()
        if piece is None:
            self._played.set()
            return bytes(2 * samples)
        buffer, self._position = piece
        return buffer[: 2 * samples].ljust(2 * samples, b"\0")

    def _run(self) -> None:
        """Keep a little ahead of the speaker, and tell how far it is."""
        told, silent, failed = -RATE, 0.0, None
        is_read = False
        while not self._stopped and not self._played.is_set():
            if self._position - told >= self._tell_every:
                told = self._position
                self._on_position(told / RATE)
            if not is_read and self._ready.qsize() < PLAYED_AHEAD_BUFFERS:
                is_read = self._prepare()
            elif self._taken.wait(_LOOK_SECONDS):
                self._taken.clear()
                silent = 0.0
            else:
                silent += _LOOK_SECONDS
                if silent >= AUDIO_LOST_SECONDS or not self._is_running():
                    failed = Failed(RefusalCode.AUDIO_FAILED, "The speaker has gone.")
                    break
        if not self._stopped:
            self._on_over(failed)

    def _prepare(self) -> bool:
        """Make one more buffer ready; True if that was the end."""
        at = self._stretch.at
        piece = self._stretch.next()
        self._ready.put(None if piece is None else (piece.tobytes(), at))
        return piece is None

    def _is_running(self) -> bool:
        try:
            return self._stream is not None and self._stream.is_running()
        except AudioHangsError:
            return False
