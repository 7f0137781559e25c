"""What becomes of packets on their way from one host to another: pure, seeded, with the time handed in."""

import random
from dataclasses import dataclass

QUEUE_BYTES = 256 * 1024
"""What waits at a throttled path; more is dropped, as a router does."""


@dataclass(frozen=True)
class Weather:
    """One direction of a path. Times in seconds, chances from 0 to 1."""

    is_cut: bool = False
    """Nothing goes through, and nobody is told."""
    delay: float = 0.0
    jitter: float = 0.0
    """Up to so much is added to the delay; the order of packets stays."""
    loss: float = 0.0
    """How likely it is that a packet is lost, each for itself."""
    burst_begins: float = 0.0
    """Gilbert's model: how likely it is that after a packet a burst begins in which all are lost …"""
    burst_ends: float = 1.0
    """… and that it ends after a packet; 1 / this is how many packets a burst takes on average."""
    bytes_a_second: float = 0.0
    """0: as fast as it goes."""


FINE = Weather()
CUT = Weather(is_cut=True)


class Path:
    """One direction between two hosts."""

    def __init__(self, chance: random.Random) -> None:
        self.weather = FINE
        self.lost = 0
        """Packets that did not come through."""
        self._chance = chance
        self._is_in_burst = False
        self._free_at = 0.0
        self._last_due = 0.0

    def due(self, size: int, now: float) -> float | None:
        """Return when a packet arrives that was sent now; None if it never does."""
        weather = self.weather
        if weather.is_cut or self._is_lost(weather):
            self.lost += 1
            return None
        due = now
        if weather.bytes_a_second:
            begins = max(now, self._free_at)
            if (begins - now) * weather.bytes_a_second > QUEUE_BYTES:
                self.lost += 1
                return None
            due = self._free_at = begins + size / weather.bytes_a_second
        due += weather.delay + self._chance.uniform(0, weather.jitter)
        self._last_due = due = max(due, self._last_due)
        return due

    def _is_lost(self, weather: Weather) -> bool:
        was_in_burst = self._is_in_burst
        turns = weather.burst_ends if was_in_burst else weather.burst_begins
        if self._chance.random() < turns:
            self._is_in_burst = not was_in_burst
        return was_in_burst or self._chance.random() < weather.loss
