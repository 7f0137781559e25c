"""How many files of a folder are here, from the pieces that are here."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from peer.attachments.whole_files import WholeFiles
from protocol.limits import SMALLEST_PIECE_BYTES
from protocol.manifests import FileLine, PieceTable, count_pieces, piece_bytes_for
from protocol.piece_sets import PieceSet

STEP = SMALLEST_PIECE_BYTES
SIZES = st.lists(st.sampled_from([0, 1, 2, STEP - 1, STEP, STEP + 1, 3 * STEP]), min_size=1, max_size=8)


@given(SIZES, st.data())
def test_a_file_is_whole_when_each_of_its_bytes_is_here(sizes: list[int], data: st.DataObject) -> None:
    whole = sum(sizes)
    table = PieceTable(piece_bytes_for(whole), b"", tuple(FileLine(str(n), size) for n, size in enumerate(sizes)))
    pieces = count_pieces(whole)
    have = PieceSet(whole)
    for piece in data.draw(st.sets(st.integers(0, max(pieces - 1, 0)))) if pieces else ():
        have.add(piece)
    ends = list(accumulate(sizes))
    expected = sum(
        all(byte // table.piece_bytes in have for byte in (*range(end - size, end, STEP), end - 1)) if size else 1
        for end, size in zip(ends, sizes, strict=True)
    )
    assert WholeFiles(table).count(have) == expected
    assert WholeFiles(table).count(PieceSet.complete(whole)) == len(sizes)
