"""What a run must end with: who wrote what, what no disk holds any more, and who sent which entry how often."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.entries import hash_of_header
from protocol.framing import HEAD_BYTES
from protocol.identity import EntryHash, EntryId
from protocol.link_messages import LINK, Entries, Lines
from protocol.registry import Message

_LINK_KINDS = {number.to_bytes(2, "big"): number for number, _ in LINK}


class Written(NamedTuple):
    """What somebody wrote."""

    author: str
    text: str


def says(author: str, number: int) -> str:
    """Return a text that no other text is a part of."""
    return f"{author} says {number}."


@dataclass
class Ledger:
    """Kept beside the run, from what the nodes answered for."""

    written: dict[EntryId, Written] = field(default_factory=dict)
    """All messages that an honest member's node answered for: they were committed."""
    wordings: dict[EntryId, list[str]] = field(default_factory=dict)
    """All texts that messages ever had, edits among them: of a deleted message none may be on any disk."""
    taken_back: set[EntryId] = field(default_factory=set)
    """Messages that somebody wanted deleted: what fell out of a closed feed then is not written again."""
    gone: set[EntryId] = field(default_factory=set)
    """Messages that were on one disk only, which was then set back."""
    relied_on: dict[EntryId, list[frozenset[str]]] = field(default_factory=dict)
    """Messages that a disk lost and these members had: one of them must still be a member at the end."""
    copies: Counter[tuple[str, EntryHash]] = field(default_factory=Counter)
    """How often a host that keeps to the rules sent an entry, liars who ask and ask among those it went to."""
    frames: Counter[str] = field(default_factory=Counter)
    """How many messages such a host sent to bring entries, and to say that they came."""
    liars: set[str] = field(default_factory=set)
    """The hosts of those who do not."""

    def note_set_back(self, entries: Iterable[EntryId], others: dict[str, set[EntryId]]) -> None:
        """A disk lost these messages; `others` are the honest members with what they hold."""
        for entry in entries:
            holders = frozenset(name for name, held in others.items() if entry in held)
            if holders:
                self.relied_on.setdefault(entry, []).append(holders)
            else:
                self.gone.add(entry)

    def may_be_lost(self, entry: EntryId, members: Iterable[str]) -> bool:
        """Tell whether no honest member can be asked for a message: it went with a disk, or was deleted."""
        there = set(members)
        return entry in self.gone | self.taken_back or any(
            not holders & there for holders in self.relied_on.get(entry, ())
        )

    def note_sent(self, sender: str, _: str, frame: bytes) -> None:
        """Something went out on the network."""
        if sender in self.liars:
            return
        message = message_in(frame)
        if isinstance(message, Entries | Lines):
            self.frames[sender] += 1
        if isinstance(message, Entries):
            for wire in message.entries:
                self.copies[sender, hash_of_header(wire.header)] += 1


def message_in(frame: bytes) -> Message | None:
    """Return the message in one frame of a link; None for anything else."""
    kind = _LINK_KINDS.get(frame[4:HEAD_BYTES])
    if kind is None or int.from_bytes(frame[:4], "big") != len(frame) - HEAD_BYTES:
        return None
    return LINK.decode_body(kind, frame[HEAD_BYTES:])
