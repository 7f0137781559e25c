"""What the emoji picker remembers from one time to the next: the last ones, and the skin tone."""

from ui.conversation.emoji.table import TONES
from ui.main_window.window_memory import WindowMemory

MOST_RECENT = 24
_RECENT, _TONE = "emoji_recent", "emoji_tone"
_AT_FIRST = "👍 😂 ❤️ 🎉 🙏 🔥 ✅ 😊"
"""Who has picked none yet is offered what most people pick."""


class EmojiMemory:
    """Keeps its few words with those of the window."""

    def __init__(self, memory: WindowMemory) -> None:
        self._memory = memory

    def recent(self) -> list[str]:
        """Return the last ones, the newest first, in the tones in which they were picked."""
        return (self._memory.word(_RECENT) or _AT_FIRST).split()[:MOST_RECENT]

    def use(self, text: str) -> None:
        """Put one first."""
        others = [each for each in self._memory.word(_RECENT).split() if each != text]
        self._memory.keep(_RECENT, " ".join([text, *others][:MOST_RECENT]))

    def tone(self) -> int:
        """Return the skin tone, 1..5, or 0 for none."""
        word = self._memory.word(_TONE)
        return int(word) if word in map(str, range(TONES + 1)) else 0

    def choose_tone(self, tone: int) -> None:
        """Have emoji in this skin tone from now on."""
        self._memory.keep(_TONE, str(tone))
