"""Plays speech faster without raising its pitch: WSOLA (Verhelst and Roelands, 1993).

Of every 10 ms that are put out, the input is `speed` times 10 ms further on. Each piece begins where it looks most like
what would have followed the piece before, so that the waves go on without a jump, and both are blended.
"""

import array
import math
from collections.abc import Callable
from operator import mul

HOP = 480
"""Samples put out at a time: 10 ms."""
_SEARCH = 240
"""A piece may begin so many samples earlier or later: half the period of a voice of 100 Hz, at both sides."""
_COARSE = 8
"""First every eighth place is tried, on every eighth sample; then the places around the best, on every fourth."""
_FADE = [(index + 0.5) / HOP for index in range(HOP)]


class TimeStretch:
    """Reads a sound and returns it at another speed."""

    def __init__(self, read: Callable[[int, int], "array.array[int]"], at: int, end: int, speed: float) -> None:
        """`read(start, stop)` returns the samples there, silence beyond the ends; the sound is from `at` to `end`."""
        self._read = read
        self._end = end
        self._speed = speed
        self._at = float(at)
        self._follows = at
        """Where what would follow the last piece begins."""

    @property
    def at(self) -> int:
        """Where in the input the next piece comes from."""
        return int(self._at)

    def next(self) -> "array.array[int] | None":
        """Return the next `HOP` samples; None at the end."""
        at = int(self._at)
        if at >= self._end:
            return None
        self._at += HOP * self._speed
        if self._speed == 1:
            return self._read(at, at + HOP)
        expected = self._read(self._follows, self._follows + HOP)
        around = self._read(at - _SEARCH, at + _SEARCH + HOP)
        best = _most_alike(expected, around)
        self._follows = at - _SEARCH + best + HOP
        fresh = around[best : best + HOP]
        return array.array("h", [int(a + (b - a) * x) for a, b, x in zip(expected, fresh, _FADE, strict=True)])


def _most_alike(expected: "array.array[int]", around: "array.array[int]") -> int:
    """Return where in `around` a piece is most like the expected one."""
    rough = _best(expected, around, range(0, 2 * _SEARCH + 1, _COARSE), thin=_COARSE)
    near = range(max(0, rough - _COARSE + 1), min(2 * _SEARCH + 1, rough + _COARSE))
    return _best(expected, around, near, thin=_COARSE // 2)


def _best(expected: "array.array[int]", around: "array.array[int]", places: range, *, thin: int) -> int:
    wanted = expected[::thin]

    def likeness(place: int) -> float:
        piece = around[place : place + HOP : thin]
        in_common: int = sum(map(mul, wanted, piece))
        return in_common / math.sqrt(sum(map(mul, piece, piece)) + 1)

    return max(places, key=likeness)
