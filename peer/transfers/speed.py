"""How fast something moves: over the last few seconds, so that the figure neither jumps nor lags."""

from collections import deque

_WINDOW_SECONDS = 3.0
_SHORTEST_SECONDS = 0.2
"""Over less time than this a speed is chance."""


class SpeedMeter:
    """Bytes a second, from (when, how much so far)."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, now: float, done: int) -> None:
        """So much is done at this moment (s, monotonic)."""
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] >= _WINDOW_SECONDS:
            self._seen.popleft()

    @property
    def last(self) -> int:
        """How much was done when it was noted last."""
        return self._seen[-1][1] if self._seen else 0

    @property
    def bytes_per_second(self) -> float:
        """Return 0 while it is not known."""
        if len(self._seen) < 2:
            return 0.0
        (start, before), (end, now) = self._seen[0], self._seen[-1]
        return (now - before) / (end - start) if end - start >= _SHORTEST_SECONDS else 0.0
