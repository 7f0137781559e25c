"""Records what a sound device hears or plays, and when: to tell how late a sound comes."""

import threading
import time

import numpy as np

from peer.audio.opus_codec import RATE
from peer.voice.time_scaling import Samples
from tests.harness.sound_card import SoundCard

_PIECE = RATE // 100


class Recorder:
    """Records from when it is made until it is stopped, with the time of its first sample as far as one can see."""

    def __init__(self, card: SoundCard, device: str) -> None:
        self._process = card.record(device)
        self._data = bytearray()
        self._begin = float("inf")
        self._thread = threading.Thread(target=self._read, name="recorder", daemon=True)
        self._thread.start()

    def stop(self) -> tuple[Samples, float]:
        """Return what was recorded, and when that began (monotonic seconds)."""
        self._process.kill()
        self._process.wait()
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return np.frombuffer(bytes(self._data[: len(self._data) // 2 * 2]), np.int16), self._begin

    def _read(self) -> None:
        assert self._process.stdout is not None
        while chunk := self._process.stdout.read(2 * _PIECE):
            self._data += chunk
            # Sound that was held up on its way seems to have begun later than it did.
            self._begin = min(self._begin, time.monotonic() - len(self._data) / (2 * RATE))
