"""Every emoji with its names in English and Chinese, and the search among them. No Qt."""

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

FILE = Path(__file__).with_name("emoji.tsv")
"""One emoji a line: itself, group, version of Unicode Emoji, name and tags in English, the same in Chinese, tones."""
TONES = 5
"""Skin tones, from light to dark; 0 is none."""

_SHORT_NAME = 2
"""A word in a name of so few words is what the emoji is."""


class Group(IntEnum):
    """What an emoji is about; the numbers are emojibase's."""

    SMILEYS = 0
    PEOPLE = 1
    NATURE = 3
    FOOD = 4
    TRAVEL = 5
    ACTIVITIES = 6
    OBJECTS = 7
    SYMBOLS = 8
    FLAGS = 9


@dataclass(frozen=True, slots=True)
class Emoji:
    """One emoji."""

    text: str
    group: Group
    version: float
    name: str
    tags: tuple[str, ...]
    chinese_name: str
    chinese_tags: tuple[str, ...]
    tones: tuple[str, ...]
    """Itself in five skin tones; empty if it has none."""

    def in_tone(self, tone: int) -> str:
        """Return it in a skin tone, 1..5; as it is for 0, or if it has none."""
        return self.tones[tone - 1] if tone and self.tones else self.text


def read_table() -> list[Emoji]:
    """Return all emoji, in the usual order."""
    return [_emoji(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def _emoji(line: str) -> Emoji:
    text, group, version, name, tags, chinese_name, chinese_tags, tones = line.split("\t")
    return Emoji(
        text,
        Group(int(group)),
        float(version),
        name,
        tuple(tags.split("|")),
        chinese_name,
        tuple(chinese_tags.split("|")),
        tuple(tones.split()),
    )


def search(table: list[Emoji], query: str) -> list[Emoji]:
    """Return what fits every word of a query in either language, the best first; everything for an empty one."""
    words = query.casefold().replace("_", " ").replace(":", " ").split()
    if not words:
        return table
    ranked = ((_rank(emoji, words), emoji) for emoji in table)
    # The sort is stable: equals stay in the usual order.
    return [emoji for rank, emoji in sorted((each for each in ranked if each[0]), key=lambda each: -each[0])]


def _rank(emoji: Emoji, words: list[str]) -> int:
    """Return how well it fits, 0 if some word does not at all."""
    ranks = [_rank_of_word(emoji, word) for word in words]
    return sum(ranks) if all(ranks) else 0


def _rank_of_word(emoji: Emoji, word: str) -> int:
    if word in {emoji.text, emoji.name.casefold(), emoji.chinese_name}:
        return 6
    in_name = emoji.name.casefold().split()
    if word in emoji.chinese_tags or (word in in_name and len(in_name) <= _SHORT_NAME):
        return 5
    if word in in_name or word in emoji.tags:
        return 4
    if any(part.startswith(word) for part in in_name) or word in emoji.chinese_name:
        return 3
    if any(part.startswith(word) for tag in emoji.tags for part in tag.split()):
        return 2
    # Chinese is not written in words: any part of a tag will do.
    return int(not word.isascii() and any(word in tag for tag in emoji.chinese_tags))
