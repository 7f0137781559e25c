"""How much a notification may say, and whether it rings for a call."""

from collections.abc import Callable
from enum import StrEnum


class Loudness(StrEnum):
    """What a person can choose."""

    FULL = "full"
    """With the sender's name and what was written."""
    PRIVATE = "private"
    """That something came, and no more: others may see the screen."""
    OFF = "off"


_SILENT = "no"
"""The word that is kept for who wants no ringing."""


class RingChoice:
    """Whether it rings when somebody calls; kept for the next start."""

    def __init__(self, word: str = "", keep: Callable[[str], None] = lambda _: None) -> None:
        """`word` is what was kept, in whatever state; `keep` is told what the person chooses."""
        self.rings = word != _SILENT
        self._keep = keep

    def choose(self, *, rings: bool) -> None:
        """Ring from now on, or be silent."""
        self.rings = rings
        self._keep("" if rings else _SILENT)


class NotificationSettings:
    """The choice, kept for the next start."""

    def __init__(self, word: str = "", keep: Callable[[str], None] = lambda _: None) -> None:
        """`word` is what was kept, in whatever state; `keep` is told what the person chooses."""
        self.loudness = Loudness(word) if word in set(Loudness) else Loudness.FULL
        self._keep = keep

    def choose(self, loudness: Loudness) -> None:
        """Say so much from now on."""
        self.loudness = loudness
        self._keep(loudness)
