"""What a run must end with: who wrote what, what no disk holds any more, and who sent which entry how often."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from protocol.entries import hash_of_header
from protocol.framing import HEAD_BYTES
from protocol.identity import EntryHash
from protocol.link_messages import LINK, Entries
from protocol.registry import Message

_LINK_KINDS = {number.to_bytes(2, "big"): number for number, _ in LINK}


@dataclass
class Ledger:
    """Kept beside the run, from what the nodes answered for."""

    written: dict[str, str] = field(default_factory=dict)
    """Text → author, of all that an honest member's node answered for: it was committed."""
    gone: set[str] = field(default_factory=set)
    """Texts that were on one disk only, which was then set back."""
    relied_on: dict[str, list[frozenset[str]]] = field(default_factory=dict)
    """Texts that a disk lost and these members had: one of them must still be a member at the end."""
    copies: Counter[tuple[str, EntryHash]] = field(default_factory=Counter)
    """How often a host sent an entry."""

    def note_set_back(self, texts: Iterable[str], others: dict[str, set[str]]) -> None:
        """A disk lost these texts; `others` are the honest members with what they hold."""
        for text in sorted(texts):
            holders = frozenset(name for name, held in others.items() if text in held)
            if holders:
                self.relied_on.setdefault(text, []).append(holders)
            else:
                self.gone.add(text)

    def may_be_lost(self, text: str, members: Iterable[str]) -> bool:
        """Tell whether no honest member can be asked for a text: it went with a disk."""
        there = set(members)
        return text in self.gone or any(not holders & there for holders in self.relied_on.get(text, ()))

    def note_sent(self, sender: str, _: str, frame: bytes) -> None:
        """Something went out on the network."""
        message = message_in(frame)
        if isinstance(message, Entries):
            for wire in message.entries:
                self.copies[sender, hash_of_header(wire.header)] += 1


def message_in(frame: bytes) -> Message | None:
    """Return the message in one frame of a link; None for anything else."""
    kind = _LINK_KINDS.get(frame[4:HEAD_BYTES])
    if kind is None or int.from_bytes(frame[:4], "big") != len(frame) - HEAD_BYTES:
        return None
    return LINK.decode_body(kind, frame[HEAD_BYTES:])
