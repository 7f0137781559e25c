"""A piece table proves the content, or is refused with a reason; nothing else ever comes out."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import limits
from protocol.entries import Attachment
from protocol.errors import RemoteProtocolError
from protocol.identity import EntryId, PieceHash
from protocol.manifests import (
    FileLine,
    PieceTable,
    count_pieces,
    encode_table,
    new_hasher,
    piece_bytes_for,
    piece_length,
    read_table,
    root_of,
)
from protocol.piece_sets import PieceSet

KIB = 1024
SIZES = st.integers(0, limits.ATTACHMENT_BYTES)


def entry_for(encoded: bytes, size: int, files: int = 0) -> Attachment:
    return Attachment(EntryId(bytes(16)), bytes(16), "file", "x", size, files, root_of(encoded), len(encoded))


def table_of(size: int, files: tuple[FileLine, ...] | None = None) -> PieceTable:
    lines = (FileLine("", size),) if files is None else files
    return PieceTable(piece_bytes_for(size), bytes(32) * count_pieces(size), lines)


@given(SIZES)
def test_any_size_has_few_enough_pieces_which_make_up_the_whole(size: int) -> None:
    count = count_pieces(size)
    assert count <= limits.PIECES_PER_ATTACHMENT
    assert piece_bytes_for(size).bit_count() == 1
    if count:
        assert (count - 1) * piece_bytes_for(size) + piece_length(size, count - 1) == size
        assert 0 < piece_length(size, count - 1) <= piece_bytes_for(size)


@pytest.mark.parametrize(
    ("size", "piece"),
    [(0, 256 * KIB), (1, 256 * KIB), (2**30, 256 * KIB), (2**30 + 1, 512 * KIB), (2**40, 256 * KIB * KIB)],
)
def test_pieces_grow_where_a_file_has_more_than_4096_of_the_smallest(size: int, piece: int) -> None:
    assert piece_bytes_for(size) == piece


@given(SIZES)
def test_an_honest_table_is_read_back(size: int) -> None:
    table = table_of(size)
    assert read_table(entry_for(encode_table(table), size), encode_table(table)) == table


@given(st.binary(max_size=300))
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_table(entry_for(garbage or b"x", 10), garbage)


def folder(*lines: tuple[str, int]) -> tuple[FileLine, ...]:
    return tuple(FileLine(*line) for line in lines)


LIES: dict[str, tuple[Callable[[], PieceTable], int, int]] = {
    "files that add up to less": (lambda: table_of(10, folder(("", 9))), 10, 0),
    "files that add up to more": (lambda: table_of(10, folder(("", 11))), 10, 0),
    "too few hashes": (lambda: msgspec.structs.replace(table_of(2**20), hashes=bytes(32)), 2**20, 0),
    "too many hashes": (lambda: msgspec.structs.replace(table_of(10), hashes=bytes(64)), 10, 0),
    "half a hash": (lambda: msgspec.structs.replace(table_of(10), hashes=bytes(33)), 10, 0),
    "larger pieces": (lambda: msgspec.structs.replace(table_of(10), piece_bytes=2**20), 10, 0),
    "a file with a path": (lambda: table_of(10, folder(("x", 10))), 10, 0),
    "a file that is two": (lambda: table_of(10, folder(("", 5), ("", 5))), 10, 0),
    "no file at all": (lambda: table_of(0, ()), 0, 0),
    "a folder with another count": (lambda: table_of(10, folder(("a", 10))), 10, 2),
    "one path twice": (lambda: table_of(10, folder(("a", 5), ("a", 5))), 10, 2),
    "an empty path": (lambda: table_of(10, folder(("", 10))), 10, 1),
    "an absolute path": (lambda: table_of(10, folder(("/etc/passwd", 10))), 10, 1),
    "an empty part": (lambda: table_of(10, folder(("a//b", 10))), 10, 1),
    "a NUL": (lambda: table_of(10, folder(("a\0b", 10))), 10, 1),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_table_that_lies_is_refused(lie: str) -> None:
    make, size, files = LIES[lie]
    encoded = encode_table(make())
    with pytest.raises(RemoteProtocolError):
        read_table(entry_for(encoded, size, files), encoded)


def test_another_table_than_the_signed_one_is_refused() -> None:
    encoded = encode_table(table_of(10))
    signed = entry_for(encoded, 10)
    with pytest.raises(RemoteProtocolError, match="signed"):
        read_table(signed, encoded[:-1] + bytes([encoded[-1] ^ 1]))
    with pytest.raises(RemoteProtocolError, match="signed"):
        read_table(msgspec.structs.replace(signed, table_bytes=len(encoded) + 1), encoded)
    with pytest.raises(RemoteProtocolError, match="signed"):
        read_table(msgspec.structs.replace(signed, root=PieceHash(bytes(32))), encoded)


def test_the_largest_table_fits() -> None:
    path = "x" * 100
    lines = tuple(FileLine(f"{path}/{number}", 2**25) for number in range(limits.FILES_PER_ATTACHMENT))
    assert len(encode_table(table_of(2**25 * len(lines), lines))) <= limits.TABLE_BYTES


def test_the_hash_is_blake3() -> None:
    assert new_hasher().digest().hex() == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"


# --- sets of pieces --------------------------------------------------------------------------

SMALL_SIZES = st.integers(0, 40 * 256 * KIB)


@given(SMALL_SIZES, st.data())
def test_a_set_of_pieces_survives_the_wire(size: int, data: st.DataObject) -> None:
    count = count_pieces(size)
    wanted = data.draw(st.sets(st.integers(0, count - 1)) if count else st.just(set[int]()))
    pieces = PieceSet(size)
    for piece in wanted:
        pieces.add(piece)
        pieces.add(piece)
    again = PieceSet.from_wire(size, pieces.to_bytes())
    assert set(again) == wanted
    assert again.count == len(wanted)
    assert again.bytes_held == sum(piece_length(size, piece) for piece in wanted)
    assert again.is_complete == (len(wanted) == count)


@given(SMALL_SIZES, st.binary(max_size=8))
def test_bits_of_pieces_that_do_not_exist_are_refused(size: int, bits: bytes) -> None:
    try:
        pieces = PieceSet.from_wire(size, bits)
    except RemoteProtocolError:
        return
    assert pieces.count <= count_pieces(size)
    assert all(piece < count_pieces(size) for piece in pieces)


@given(SMALL_SIZES)
def test_a_complete_set_is_complete(size: int) -> None:
    assert PieceSet.complete(size).is_complete
    assert PieceSet.complete(size).bytes_held == size
