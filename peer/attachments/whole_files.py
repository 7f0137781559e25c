"""How many files of a folder are here whole, told from the pieces that are here."""

from collections import Counter

from protocol.manifests import PieceTable
from protocol.piece_sets import PieceSet


class WholeFiles:
    """The files of one table, sorted once, so that counting takes as long as there are pieces, not files."""

    def __init__(self, table: PieceTable) -> None:
        self._empty = 0
        self._within: Counter[int] = Counter()
        """How many files lie within one piece, by piece."""
        self._across: list[range] = []
        """The pieces of each file that has several: at most one file crosses each end of a piece."""
        start = 0
        for line in table.files:
            if not line.size:
                self._empty += 1
                continue
            end = start + line.size
            pieces = range(start // table.piece_bytes, (end - 1) // table.piece_bytes + 1)
            if len(pieces) == 1:
                self._within[pieces[0]] += 1
            else:
                self._across.append(pieces)
            start = end

    def count(self, have: PieceSet) -> int:
        """Return how many are whole."""
        within = sum(files for piece, files in self._within.items() if piece in have)
        return self._empty + within + sum(all(piece in have for piece in pieces) for pieces in self._across)
