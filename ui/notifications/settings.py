"""How much a notification may say."""

from collections.abc import Callable
from enum import StrEnum


class Loudness(StrEnum):
    """What a person can choose."""

    FULL = "full"
    """With the sender's name and what was written."""
    PRIVATE = "private"
    """That something came, and no more: others may see the screen."""
    OFF = "off"


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
