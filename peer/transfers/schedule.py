"""Who is asked for which piece next: the rarest first, so that those who fetch soon have something to give."""

import random
from collections.abc import Hashable

from peer import limits
from protocol.limits import PIECES_PER_REQUEST
from protocol.manifests import piece_bytes_for
from protocol.piece_sets import PieceSet


class Schedule:
    """Pieces of one attachment, shared out among sources; each source is whatever can be told apart.

    Pure: no clock, no socket. Whoever uses it from several threads holds a lock.
    """

    def __init__(self, have: PieceSet, chance: random.Random) -> None:
        self.have = have
        self._chance = chance
        self._sources: dict[Hashable, frozenset[int]] = {}
        self._rarity = [0] * have.pieces
        self._asked: dict[int, set[Hashable]] = {}
        """Pieces under way, and from whom."""
        self._asked_at: dict[int, float] = {}
        """When each of them was asked for first (s)."""
        self._writers: dict[int, Hashable] = {}
        """Of large pieces, which are written while they come: by whom."""
        self._free = set(range(have.pieces)) - set(have)
        """Pieces that are neither here nor under way."""
        piece_bytes = piece_bytes_for(have.size)
        self._are_whole = piece_bytes <= limits.WHOLE_PIECE_BYTES
        """Whether pieces are kept in memory until they are verified."""
        self._run_alone = max(1, min(PIECES_PER_REQUEST, limits.REQUEST_BYTES // piece_bytes))
        self._run_among_many = max(1, min(PIECES_PER_REQUEST, limits.SHARED_REQUEST_BYTES // piece_bytes))

    def set_source(self, source: Hashable, pieces: PieceSet) -> None:
        """A source has these pieces now."""
        self._count(source, -1)
        self._sources[source] = frozenset(pieces)
        self._count(source, +1)

    def drop_source(self, source: Hashable) -> None:
        """A source is gone; `release` says when nothing comes from it any more."""
        self._count(source, -1)
        self._sources.pop(source, None)

    def release(self, source: Hashable) -> None:
        """What a source was asked for and has not given is free for others."""
        self._writers = {piece: writer for piece, writer in self._writers.items() if writer != source}
        for piece in self.asked_of(source):
            self.passed_by(source, piece)

    def passed_by(self, source: Hashable, piece: int) -> None:
        """A piece will not come from a source, or came and was not written, because another one was at it."""
        askers = self._asked.get(piece, set())
        askers.discard(source)
        if piece in self._asked and not askers:
            del self._asked[piece], self._asked_at[piece]
            self._free.add(piece)

    def take(self, source: Hashable, now: float) -> range:
        """Return the pieces to ask a source for now, one after the other; an empty range if it has none to give."""
        pieces = self._sources.get(source, frozenset())
        free = self._free & pieces
        if not free:
            return self._take_double(source, pieces, now)
        if len(self._sources) == 1:
            return self._ask(source, self._run_from(min(free), free, self._run_alone), now)
        rarest = min(self._rarity[piece] for piece in free)
        first = self._chance.choice(sorted(piece for piece in free if self._rarity[piece] == rarest))
        return self._ask(source, self._run_from(first, free, self._run_among_many), now)

    def has_something_for(self, source: Hashable, now: float) -> bool:
        """Whether there is anything to ask a source for at this moment."""
        pieces = self._sources.get(source, frozenset())
        return not self._free.isdisjoint(pieces) or bool(self._late_for(source, pieces, now))

    def asked_of(self, source: Hashable) -> frozenset[int]:
        """Return what a source was asked for, and is still to come."""
        return frozenset(piece for piece, askers in self._asked.items() if source in askers)

    def can_step_in(self, source: Hashable, pieces: frozenset[int]) -> bool:
        """Whether a source has nothing to do, and could give these pieces if somebody else were not to."""
        return not self._are_whole and pieces <= self._sources.get(source, frozenset()) and not self.asked_of(source)

    def is_needed(self, source: Hashable) -> bool:
        """Whether a source was asked for something that nobody else has."""
        return any(self._rarity[piece] < 2 for piece in self.asked_of(source))

    def may_write(self, source: Hashable, piece: int) -> bool:
        """A piece begins to come from a source; tell whether it is to be written, and does not come from another."""
        if piece in self.have:
            return False
        return self._are_whole or self._writers.setdefault(piece, source) == source

    def came(self, piece: int) -> bool:
        """A piece is here and verified; tell whether that is news."""
        self._writers.pop(piece, None)
        self._asked.pop(piece, None)
        self._asked_at.pop(piece, None)
        self._free.discard(piece)
        if piece in self.have:
            return False
        self.have.add(piece)
        return True

    def _take_double(self, source: Hashable, pieces: frozenset[int], now: float) -> range:
        """At the very end: have a piece that a slower source was asked for come from here, too."""
        late = self._late_for(source, pieces, now)
        if not late:
            return range(0)
        fewest = min(len(self._asked[piece]) for piece in late)
        first = self._chance.choice([piece for piece in late if len(self._asked[piece]) == fewest])
        return self._ask(source, range(first, first + 1), now)

    def _late_for(self, source: Hashable, pieces: frozenset[int], now: float) -> list[int]:
        """Return what others were asked for a while ago; nothing that is being written already."""
        return [
            piece
            for piece, askers in self._asked.items()
            if source not in askers
            and piece in pieces
            and piece not in self._writers
            and now - self._asked_at[piece] >= limits.LATE_PIECE_SECONDS
        ]

    def _run_from(self, first: int, free: set[int], most: int) -> range:
        end = first + 1
        while end - first < most and end in free:
            end += 1
        return range(first, end)

    def _ask(self, source: Hashable, run: range, now: float) -> range:
        self._free.difference_update(run)
        for piece in run:
            self._asked.setdefault(piece, set()).add(source)
            self._asked_at.setdefault(piece, now)
        return run

    def _count(self, source: Hashable, step: int) -> None:
        for piece in self._sources.get(source, ()):
            self._rarity[piece] += step
