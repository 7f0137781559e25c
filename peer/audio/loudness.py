"""How loud sound is, as one byte: what a meter and the bars of a voice message show."""

import array
import math
from collections.abc import Sequence
from itertools import pairwise
from operator import mul

FULL_SCALE = 32_768
_QUIETEST_DB = -50.0
"""Shown as 0: below is the noise of a quiet room."""


class Loudness:
    """Takes sound in, and says how loud the last of it and the whole of it was."""

    def __init__(self) -> None:
        self._powers = array.array("d")
        """Mean square of each piece taken in."""

    def take(self, samples: Sequence[int]) -> None:
        """Take in some samples of 16 bits; each piece should be as long as the others."""
        self._powers.append(sum(map(mul, samples, samples)) / max(1, len(samples)))

    def level(self, pieces: int) -> int:
        """Return the loudness of the last pieces: 0 for a quiet room, 255 for as loud as can be."""
        return _level(self._powers[-pieces:])

    def waveform(self, bars: int) -> bytes:
        """Return the loudness of everything in at most so many bars of equal length."""
        count = min(bars, len(self._powers))
        edges = [number * len(self._powers) // max(1, count) for number in range(count + 1)]
        return bytes(_level(self._powers[a:b]) for a, b in pairwise(edges))


def level_of(root_mean_square: float) -> int:
    """Return the loudness of sound of this amplitude, on the scale of a bar."""
    return _level([root_mean_square**2])


def _level(powers: Sequence[float]) -> int:
    power = sum(powers) / max(1, len(powers)) / FULL_SCALE**2
    if power <= 0:
        return 0
    return round(255 * min(1.0, max(0.0, 1 - 10 * math.log10(power) / _QUIETEST_DB)))
