"""Finds the people who are named in a text with an @, and who could be meant while somebody still writes it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from peer.views import MENTIONS, MemberView, MentionView, MessageView, UserId
from ui.translations import people

_LONGEST_QUERY = 40
"""Characters behind the @ in which somebody may still be looked for."""
_MOST_SIGNS = 1_000
"""Of a text with more @ than this the beginning is looked at."""


@dataclass(frozen=True, slots=True)
class Query:
    """What stands behind the @ before the cursor."""

    start: int
    """Of the @, in characters."""
    words: str


class NameTable:
    """The members of a group by what they may be called."""

    def __init__(self, members: Sequence[MemberView] = (), edited: MessageView | None = None) -> None:
        """In a message that is `edited` those who are named in it keep the names that stand there."""
        self.members = tuple(members)
        self._handles = _handles(members)
        spelled = {name: user for name, user in _names_in(edited) if user in self._handles}
        spelled |= {str(user): user for user in self._handles}
        spelled |= {name: user for user, name in self._handles.items()}
        self._by_length: dict[int, dict[str, UserId]] = {}
        for name, user in spelled.items():
            self._by_length.setdefault(len(name), {})[name.casefold()] = user
        self._lengths = sorted(self._by_length, reverse=True)

    def handle(self, user: UserId) -> str:
        """Return how somebody is named: by their name, or by their ID where others have the same name."""
        return self._handles[user]

    def find(self, text: str) -> tuple[MentionView, ...]:
        """Return who is named in a text, and where."""
        found: list[MentionView] = []
        place = text.find("@") if self._lengths else -1
        signs = 0
        while place >= 0 and len(found) < MENTIONS and signs < _MOST_SIGNS:
            signs += 1
            user, length = self._named_at(text, place)
            if user is not None:
                found.append(MentionView(user, place, length + 1))
            place = text.find("@", place + 1 + length)
        return tuple(found)

    def matching(self, words: str) -> list[MemberView]:
        """Return who may be meant: first those whose name or ID begins so, then those with such a word in the name."""
        wanted = words.casefold()
        first, then = [], []
        for member in self.members:
            name = people.short_name(member.name).casefold()
            if name.startswith(wanted) or member.user.startswith(wanted):
                first.append(member)
            elif any(word.startswith(wanted) for word in name.split()) or (not wanted.isascii() and wanted in name):
                then.append(member)
        return first + then

    def _named_at(self, text: str, place: int) -> tuple[UserId | None, int]:
        """Return the longest name behind an @, and how long it is."""
        if not _may_begin(text, place):
            return None, 0
        for length in self._lengths:
            end = place + 1 + length
            user = self._by_length[length].get(text[place + 1 : end].casefold()) if end <= len(text) else None
            if user is not None and not _goes_on(text, end):
                return user, length
        return None, 0


def query_before(text: str, cursor: int) -> Query | None:
    """Return what is looked for when the cursor stands behind so many characters; None for nothing."""
    start = text.rfind("@", max(0, cursor - _LONGEST_QUERY - 1), cursor)
    if start < 0 or not _may_begin(text, start):
        return None
    words = text[start + 1 : cursor]
    return None if "\n" in words or words.startswith(" ") else Query(start, words)


def _handles(members: Sequence[MemberView]) -> dict[UserId, str]:
    names = {member.user: people.short_name(member.name) for member in members}
    shared: dict[str, int] = {}
    for name in names.values():
        shared[name.casefold()] = shared.get(name.casefold(), 0) + 1
    return {user: name if _is_clear(name, shared) else user for user, name in names.items()}


def _is_clear(name: str, shared: Mapping[str, int]) -> bool:
    """Tell whether a name names one person only."""
    return bool(name) and shared[name.casefold()] == 1 and "@" not in name


def _names_in(edited: MessageView | None) -> Iterable[tuple[str, UserId]]:
    if edited is not None:
        for each in edited.mentions:
            written = edited.text[each.start : each.start + each.length]
            if written.startswith("@") and len(written) > 1:
                yield written[1:], each.user


def _may_begin(text: str, place: int) -> bool:
    """Tell whether an @ may name somebody: in the middle of a word it is part of an address."""
    return place == 0 or not _is_word(text[place - 1])


def _goes_on(text: str, end: int) -> bool:
    """Tell whether a word goes on behind its supposed end. Chinese is written without spaces."""
    return end < len(text) and _is_word(text[end]) and _is_word(text[end - 1])


def _is_word(sign: str) -> bool:
    return sign == "_" or (sign.isalnum() and ord(sign) < _FIRST_HAN)


_FIRST_HAN = 0x2E80
"""From here on, roughly, scripts are written without spaces between words."""
