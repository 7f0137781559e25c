"""What a message is after all that was said about it: a pure fold, the same for all who hold the same entries.

Whatever order they came in: of each person the last word counts, by revisions that grow with each word; where two
devices of one person gave the same revision, that of the higher EntryId. No clock decides. See SPECIFICATION.md.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from protocol import limits
from protocol.act_bodies import Deleted, Edited, Reacted
from protocol.entries import Mention
from protocol.identity import EntryId, UserId


class Original(NamedTuple):
    """A message as it was first written."""

    author: UserId
    text: str
    """The caption, of an attachment."""
    mentions: tuple[Mention, ...]
    is_text: bool


class Act(NamedTuple):
    """One entry about a message: who wrote it, when by their clock (ms), what it says."""

    author: UserId
    stamp: int
    body: Edited | Deleted | Reacted
    by_manager: bool = False
    """Whether its author was a manager of the group when writing it."""


class Reaction(NamedTuple):
    """What one person feels about a message: the last they said."""

    user: UserId
    emoji: str
    stamp: int
    entry: EntryId


class Shown(NamedTuple):
    """One emoji below a message, and who chose it, in the order in which they did."""

    emoji: str
    users: tuple[UserId, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """A message as it is now."""

    text: str
    mentions: tuple[Mention, ...]
    edited: int | None = None
    """By the author's clock, in ms; None if it reads as it was written."""
    reactions: tuple[Shown, ...] = ()
    deleted_by: UserId | None = None
    """Of a deleted message, of which nothing else is left."""


def fold_acts(original: Original, acts: Iterable[Act]) -> Present:
    """Return a message as it is after the acts upon it, in whatever order they came."""
    last: dict[tuple[type, UserId], Act] = {}
    deleted_by: list[UserId] = []
    for act in acts:
        if isinstance(act.body, Deleted):
            if may_delete(original.author, act.author, by_manager=act.by_manager):
                deleted_by.append(act.author)
            continue
        known = last.get((type(act.body), act.author))
        if known is None or isinstance(known.body, Deleted) or outdates(act.body, known.body):
            last[type(act.body), act.author] = act
    if deleted_by:
        return Present("", (), deleted_by=who_deleted(original.author, deleted_by))
    reactions = [
        Reaction(act.author, emoji_of(act.body), act.stamp, act.body.entry_id)
        for act in last.values()
        if isinstance(act.body, Reacted)
    ]
    edit = last.get((Edited, original.author))
    if edit is None or not isinstance(edit.body, Edited) or not reads_as(original, edit.body):
        return Present(original.text, fitting(original.mentions, original.text), None, in_order(reactions))
    return Present(edit.body.text, fitting(edit.body.mentions, edit.body.text), edit.stamp, in_order(reactions))


def may_delete(author: UserId, deleter: UserId, *, by_manager: bool) -> bool:
    """Tell whether somebody may take back for everybody what `author` wrote."""
    return by_manager or deleter == author


def who_deleted(author: UserId, deleters: Iterable[UserId]) -> UserId:
    """Return who is said to have deleted a message, of several who did: its author, or the first by ID."""
    return min(deleters, key=lambda deleter: (deleter != author, deleter))


def outdates(word: Edited | Reacted, other: Edited | Reacted) -> bool:
    """Tell which of two words of one person in one matter is the last."""
    return (word.revision, word.entry_id) > (other.revision, other.entry_id)


def reads_as(original: Original, edit: Edited) -> bool:
    """Tell whether an edit makes a message that could have been written: a caption is shorter, and may be empty."""
    return bool(edit.text.strip()) if original.is_text else len(edit.text) <= limits.CAPTION_LENGTH


def in_order(reactions: Iterable[Reaction]) -> tuple[Shown, ...]:
    """Return the emoji by their first use among what counts now, each with its people in the order of theirs."""
    shown: dict[str, list[UserId]] = {}
    for reaction in sorted(reactions, key=lambda reaction: (reaction.stamp, reaction.entry)):
        if reaction.emoji:
            shown.setdefault(reaction.emoji, []).append(reaction.user)
    return tuple(Shown(emoji, tuple(users)) for emoji, users in shown.items())


def fitting(mentions: Iterable[Mention], text: str) -> tuple[Mention, ...]:
    """Return those mentions that lie inside the text and before which no other one is still going on."""
    kept: list[Mention] = []
    for mention in sorted(mentions, key=lambda mention: mention.start):
        begins = kept[-1].start + kept[-1].length if kept else 0
        if begins <= mention.start and mention.start + mention.length <= len(text):
            kept.append(mention)
    return tuple(kept)


_BASE = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
)
_ELEMENT = f"[{_BASE}](?:\ufe0f|[\U0001f3fb-\U0001f3ff])?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
_EMOJI = re.compile(
    f"[0-9#*]\ufe0f?\u20e3|[\U0001f1e6-\U0001f1ff]{{2}}|{_ELEMENT}(?:\u200d{_ELEMENT})*|[\U0001f3fb-\U0001f3ff]"
)
"""The sequences of UTS #51, over fixed ranges: what counts must not depend on anybody's version of Unicode."""


def is_one_emoji(text: str) -> bool:
    """Tell whether a text is one emoji, and nothing else."""
    return len(text) <= limits.EMOJI_LENGTH and _EMOJI.fullmatch(text) is not None


def emoji_of(body: Reacted) -> str:
    """Return what is shown of a reaction; no text for one that was taken back, or is no emoji."""
    return body.emoji if is_one_emoji(body.emoji) else ""
