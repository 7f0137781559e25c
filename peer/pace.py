"""How fast somebody may do something: so many times at once, and so many times a second after that."""


class Pace:
    """A token bucket; the clock is handed in."""

    def __init__(self, at_once: int, a_second: float) -> None:
        self._most = float(at_once)
        self._a_second = a_second
        self._left = float(at_once)
        self._at = 0.0

    def take(self, now: float) -> float:
        """Return 0 where it may be done now (`now` in s, monotonic), else after how many seconds it may."""
        self._left = min(self._most, self._left + max(0.0, now - self._at) * self._a_second)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._a_second
        self._left -= 1
        return 0.0
