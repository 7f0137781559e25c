"""Records the microphone into an Ogg Opus file. In the audio process."""

import array
import contextlib
import os
import queue
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from peer.audio.devices import BUFFER, AudioHangsError, Stream
from peer.audio.loudness import Loudness
from peer.audio.ogg_opus import OggOpusWriter
from peer.audio.opus_codec import FRAME, RATE, Encoder
from peer.audio.process_messages import Failed, Measured
from peer.errors import RefusalCode
from peer.limits import (
    AUDIO_BUFFERS_WAITING,
    AUDIO_LOST_SECONDS,
    LEVELS_A_SECOND,
    VOICE_BITRATE,
    VOICE_RECORDED_SECONDS,
)
from protocol.limits import WAVEFORM_BARS

_LOOK_SECONDS = 0.5
_LEVEL_EVERY = RATE // LEVELS_A_SECOND


class Recorder:
    """One recording, from `start` to `finish` or `cancel`.

    Until then the file has another name; what is lost when the process dies is the last second.
    """

    def __init__(
        self, part: Path, final: Path, on_level: Callable[[float, int], None], on_over: Callable[[], None]
    ) -> None:
        """Its thread calls `on_level(seconds, level)`, and `on_over` once it ends by itself."""
        self._part, self._final = part, final
        self._on_level, self._on_over = on_level, on_over
        self._heard: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stream: Stream | None = None
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._loudness = Loudness()
        self._samples = 0
        self._ended: Failed | None = None
        self._encoder = Encoder(VOICE_BITRATE, variable=True)
        self._rest = bytearray()
        self._file: BinaryIO | None = None
        self._writer: OggOpusWriter | None = None

    def start(self, microphone: str) -> bool:
        """Begin; tell whether another microphone stands in. Raises Refusal, or OSError if the file cannot be made."""
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
        self._file = os.fdopen(descriptor, "wb")
        try:
            self._writer = OggOpusWriter(self._file, secrets.randbits(32), self._encoder.delay)
            self._stream = Stream("input", microphone, self._take_buffer)
        except BaseException:
            self._discard()
            raise
        self._thread.start()
        return self._stream.stands_in

    def finish(self) -> tuple[Measured | None, Failed | None]:
        """Stop, and put the file under its name; None if nothing was heard. And why it ended, unless by this call."""
        self._stop()
        if not self._samples:
            self._discard()
            return None, self._ended
        self._end_file()
        size = self._final.stat().st_size
        return Measured(self._samples / RATE, self._loudness.waveform(WAVEFORM_BARS), size), self._ended

    def cancel(self) -> None:
        """Stop, and leave nothing behind."""
        self._stop()
        self._discard()

    def close_device(self) -> None:
        """Give the microphone back. Raises AudioHangsError: after the file is safe."""
        if self._stream is not None:
            self._stream.close()

    def _take_buffer(self, heard: bytes | None, _samples: int) -> None:
        """Queue what was heard. On PortAudio's thread."""
        if heard and self._heard.qsize() < AUDIO_BUFFERS_WAITING:
            self._heard.put(heard)

    def _run(self) -> None:
        silent = 0.0
        try:
            while self._samples < VOICE_RECORDED_SECONDS * RATE:
                try:
                    buffer = self._heard.get(timeout=_LOOK_SECONDS)
                except queue.Empty:
                    silent += _LOOK_SECONDS
                    if silent >= AUDIO_LOST_SECONDS or not self._is_running():
                        self._ended = Failed(RefusalCode.AUDIO_FAILED, "The microphone has gone.")
                        break
                    continue
                silent = 0.0
                if buffer is None:
                    return
                self._take(buffer)
            else:
                minutes = VOICE_RECORDED_SECONDS // 60
                self._ended = Failed(RefusalCode.TOO_LARGE, f"A voice message has at most {minutes} minutes.")
        except OSError as error:
            self._ended = _not_stored(error)
        self._on_over()

    def _take(self, buffer: bytes) -> None:
        assert self._writer is not None
        samples = array.array("h", buffer)
        self._loudness.take(samples)
        self._samples += len(samples)
        self._rest += buffer
        while len(self._rest) >= 2 * FRAME:
            self._writer.write(self._encoder.encode(bytes(self._rest[: 2 * FRAME])))
            del self._rest[: 2 * FRAME]
        if self._samples % _LEVEL_EVERY < len(samples):
            self._on_level(self._samples / RATE, self._loudness.level(_LEVEL_EVERY // BUFFER))

    def _is_running(self) -> bool:
        try:
            return self._stream is not None and self._stream.is_running()
        except AudioHangsError:
            return False

    def _stop(self) -> None:
        """Let what was heard until now be written, and nothing more."""
        self._heard.put(None)
        self._thread.join()

    def _end_file(self) -> None:
        assert self._writer is not None
        assert self._file is not None
        try:
            # What is decoded comes late by the encoder's delay: as much silence pushes the last of it out.
            end = bytes(self._rest) + bytes(2 * self._encoder.delay)
            end += bytes(-len(end) % (2 * FRAME))
            for at in range(0, len(end), 2 * FRAME):
                self._writer.write(self._encoder.encode(end[at : at + 2 * FRAME]))
            self._writer.finish(self._samples)
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            self._ended = self._ended or _not_stored(error)
            with contextlib.suppress(OSError):
                self._file.close()
        # Also when the disk is full: an Ogg file may end anywhere, and this is all there is of what was said.
        self._part.replace(self._final)

    def _discard(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        self._part.unlink(missing_ok=True)


def _not_stored(error: OSError) -> Failed:
    return Failed(RefusalCode.DISK_FULL, f"The recording cannot be stored ({error.strerror}). Free some space.")
