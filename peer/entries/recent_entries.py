"""What was committed a moment ago: neighbours get it without a look-up, and what they send of it is known as no news.

In a group each entry comes from every neighbour, nearly always within moments; only the first needs the storage thread.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from peer import limits
from peer.entries.happened import Happened
from protocol.entries import WireEntry, hash_of_header
from protocol.identity import ConversationId, EntryHash, FeedId

Place = tuple[int, int]
"""A feed as kept, and a number."""


class _Known(NamedTuple):
    conversation: ConversationId
    feed: FeedId
    number: int
    is_whole: bool
    """Whether the body is held, too."""


class RecentEntries:
    """The last entries that were committed, of feeds that go on."""

    def __init__(self) -> None:
        self._wires: OrderedDict[Place, WireEntry] = OrderedDict()
        self._hashes: OrderedDict[Place, EntryHash] = OrderedDict()
        self._known: dict[EntryHash, _Known] = {}

    def take(self, happened: Happened) -> None:
        """Take in what a commit brought, closed and erased."""
        closed = {feed.row for feed in happened.feeds.values() if feed.line.closed}
        for place in [place for place in self._hashes if place[0] in closed] if closed else ():
            self._forget(place)
        for entry in happened.entries:
            row, number = happened.feeds[entry.header.feed].row, entry.header.number
            if row in closed:
                continue
            self._forget((row, number))
            is_whole = entry.wire.body is not None
            if is_whole:
                self._wires[row, number] = entry.wire
            self._hashes[row, number] = entry.hash
            name = happened.conversation.conversation
            self._known[entry.hash] = _Known(name, entry.header.feed, number, is_whole)
        for place in happened.erased:
            self._forget(place)
        while len(self._wires) > limits.RECENT_ENTRIES:
            self._wires.popitem(last=False)
        while len(self._hashes) > limits.RECENT_HASHES:
            self._forget(next(iter(self._hashes)))

    def between(self, feed: int, first: int, last: int) -> list[WireEntry] | None:
        """Return the entries of a feed from number to number; None where not all of them are at hand."""
        wires = [self._wires.get((feed, number)) for number in range(first, last + 1)]
        found = [wire for wire in wires if wire is not None]
        return found if len(found) == len(wires) else None

    def sift(
        self, conversation: ConversationId, wires: Sequence[WireEntry]
    ) -> tuple[tuple[WireEntry, ...], dict[FeedId, int]]:
        """Return what may be news, and of the rest the feeds that it names, with the highest number of each."""
        news: list[WireEntry] = []
        named: dict[FeedId, int] = {}
        for wire in wires:
            known = self._known.get(hash_of_header(wire.header))
            if known is None or known.conversation != conversation or not (known.is_whole or wire.body is None):
                news.append(wire)
            else:
                named[known.feed] = max(named.get(known.feed, 0), known.number)
        return tuple(news), named

    def _forget(self, place: Place) -> None:
        self._wires.pop(place, None)
        name = self._hashes.pop(place, None)
        if name is not None:
            del self._known[name]
