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
        self._free = set(range(have.pieces)) - set(have)
        """Pieces that are neither here nor under way."""
        piece_bytes = piece_bytes_for(have.size)
        self._may_double = piece_bytes <= limits.WHOLE_PIECE_BYTES
        """Large pieces are written while they come, so no two sources may write the same one."""
        self._run_alone = max(1, min(PIECES_PER_REQUEST, limits.REQUEST_BYTES // piece_bytes))
        self._run_among_many = max(1, min(PIECES_PER_REQUEST, limits.SHARED_REQUEST_BYTES // piece_bytes))

    def set_source(self, source: Hashable, pieces: PieceSet) -> None:
        """A source has these pieces now."""
        self._count(source, -1)
        self._sources[source] = frozenset(pieces)
        self._count(source, +1)

    def drop_source(self, source: Hashable) -> None:
        """A source is gone; what it was asked for is free for others."""
        self._count(source, -1)
        self._sources.pop(source, None)
        self.release(source)

    def release(self, source: Hashable) -> None:
        """What a source was asked for and has not given is free for others."""
        for piece, askers in list(self._asked.items()):
            askers.discard(source)
            if not askers:
                del self._asked[piece]
                self._free.add(piece)

    def take(self, source: Hashable) -> range:
        """Return the pieces to ask a source for now, one after the other; an empty range if it has none to give."""
        pieces = self._sources.get(source, frozenset())
        free = self._free & pieces
        if not free:
            return self._take_double(source, pieces)
        if len(self._sources) == 1:
            return self._ask(source, self._run_from(min(free), free, self._run_alone))
        rarest = min(self._rarity[piece] for piece in free)
        first = self._chance.choice(sorted(piece for piece in free if self._rarity[piece] == rarest))
        return self._ask(source, self._run_from(first, free, self._run_among_many))

    def came(self, piece: int) -> bool:
        """A piece is here and verified; tell whether that is news."""
        self._asked.pop(piece, None)
        self._free.discard(piece)
        if piece in self.have:
            return False
        self.have.add(piece)
        return True

    def _take_double(self, source: Hashable, pieces: frozenset[int]) -> range:
        """At the very end: have a piece that a slower source was asked for come from here, too."""
        if not self._may_double:
            return range(0)
        late = [piece for piece, askers in self._asked.items() if source not in askers and piece in pieces]
        if not late:
            return range(0)
        first = self._chance.choice(late)
        return self._ask(source, range(first, first + 1))

    def _run_from(self, first: int, free: set[int], most: int) -> range:
        end = first + 1
        while end - first < most and end in free:
            end += 1
        return range(first, end)

    def _ask(self, source: Hashable, run: range) -> range:
        self._free.difference_update(run)
        for piece in run:
            self._asked.setdefault(piece, set()).add(source)
        return run

    def _count(self, source: Hashable, step: int) -> None:
        for piece in self._sources.get(source, ()):
            self._rarity[piece] += step
