"""Members that lie: what really goes out of an honest program is changed on the way, by somebody who has its key."""

import random

import msgspec

from protocol.entries import WireEntry, read_entry, write_entry
from protocol.identity import DeviceId, EntryHash, FeedId, Realm
from protocol.limits import LARGEST_NUMBER
from protocol.link_messages import LINK, Entries, Lines, VectorLine
from protocol.registry import Message
from protocol.signatures import SigningKey
from tests.simulate.ledger import message_in

FEEDS_WITH_TWO_BRANCHES = 2
"""An honest program writes again what fell out of a closed feed, which could be answered with another lie for ever."""


class Censor:
    """Passes on nothing that others wrote, or nothing of one of them, and says that it holds it all."""

    def __init__(self, me: DeviceId, victim: DeviceId | None) -> None:
        """`victim` is whose words are held back; None: everybody's."""
        self._me = me
        self._victim = victim

    def __call__(self, _: str, frame: bytes) -> list[bytes]:
        message = message_in(frame)
        if not isinstance(message, Entries):
            return [frame]
        kept = tuple(wire for wire in message.entries if not self._is_held_back(read_entry(wire).header.feed))
        return [LINK.encode(Entries(message.conversation, kept))] if kept else []

    def _is_held_back(self, feed: FeedId) -> bool:
        return feed.device != self._me and self._victim in {None, feed.device}


class Equivocator:
    """Tells half of the others another story: from one number on its feeds have a second, well-signed branch."""

    def __init__(self, key: SigningKey, realm: Realm, chance: random.Random, fork_after: int) -> None:
        """The branches part `fork_after` entries after the first that is sent."""
        self._key = key
        self._realm = realm
        self._chance = chance
        self._fork_after = fork_after
        self._told_otherwise: dict[str, bool] = {}
        self._parts_at: dict[FeedId, int] = {}
        self._other: dict[tuple[FeedId, int], WireEntry] = {}
        self._hashes: dict[tuple[FeedId, int], EntryHash] = {}

    def __call__(self, to: str, frame: bytes) -> list[bytes]:
        message = message_in(frame)
        if to not in self._told_otherwise:
            self._told_otherwise[to] = self._chance.random() < 0.5
        if message is None or not self._told_otherwise[to]:
            if isinstance(message, Entries):
                for wire in message.entries:
                    self._second(wire)
            return [frame]
        return [LINK.encode(self._changed(message))]

    def _changed(self, message: Message) -> Message:
        if isinstance(message, Entries):
            return Entries(message.conversation, tuple(self._second(wire) for wire in message.entries))
        if isinstance(message, Lines):
            return msgspec.structs.replace(message, lines=tuple(self._second_line(line) for line in message.lines))
        return message

    def _second(self, wire: WireEntry) -> WireEntry:
        """Return the entry of the other branch; the same as long as they have not parted."""
        entry = read_entry(wire)
        feed, number = entry.header.feed, entry.header.number
        if feed.device != self._key.device or entry.body is None:
            return wire
        if len(self._parts_at) < FEEDS_WITH_TWO_BRANCHES:
            self._parts_at.setdefault(feed, number + self._fork_after)
        if number < self._parts_at.get(feed, LARGEST_NUMBER):
            return wire
        place = (feed, number)
        if place not in self._other:
            before = self._hashes.get((feed, number - 1), entry.header.previous)
            body = entry.body
            if hasattr(body, "text"):
                body = msgspec.structs.replace(body, text=f"{body.text}, otherwise")
            second = write_entry(
                self._key,
                self._realm,
                msgspec.structs.replace(body, salt=self._chance.randbytes(16)),
                conversation=entry.header.conversation,
                feed=feed,
                number=number,
                previous=before,
                stamp=entry.header.stamp,
                certificate=wire.certificate,
            )
            self._other[place], self._hashes[place] = second.wire, second.hash
        return self._other[place]

    def _second_line(self, line: VectorLine) -> VectorLine:
        name = self._hashes.get((line.feed, line.head))
        return line if name is None else msgspec.structs.replace(line, head_hash=name)
