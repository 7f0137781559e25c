"""How an attachment is cut, hashed and proven piece by piece.

The content is one stretch of bytes: a file's, or a folder's files one after the other. The piece table (hashes and
paths) is fetched first and checked against the entry; from then on each piece proves itself.
"""

from typing import Annotated, Protocol

import blake3
import msgspec
from msgspec import Meta

from protocol import limits
from protocol.entries import Attachment
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.identity import PieceHash

_HASH_BYTES = PieceHash.LENGTH
_LARGEST_PIECE = limits.ATTACHMENT_BYTES // limits.PIECES_PER_ATTACHMENT


class Hasher(Protocol):
    """Hashes what is streamed through it."""

    def update(self, data: "bytes | memoryview") -> object:
        """Take more bytes."""

    def digest(self) -> bytes:
        """Return the hash of all that was taken."""


class FileLine(msgspec.Struct, frozen=True, array_like=True):
    """One file of the content."""

    path: Annotated[str, Meta(max_length=limits.FILE_PATH_LENGTH)]
    """Inside the folder, parts joined by `/`; empty where the attachment is one file."""
    size: Annotated[int, Meta(ge=0, le=limits.ATTACHMENT_BYTES)]


class PieceTable(msgspec.Struct, frozen=True, array_like=True):
    """What proves each piece, and where its bytes belong."""

    piece_bytes: Annotated[int, Meta(ge=limits.SMALLEST_PIECE_BYTES, le=_LARGEST_PIECE)]
    hashes: Annotated[bytes, Meta(max_length=limits.PIECES_PER_ATTACHMENT * _HASH_BYTES)]
    files: Annotated[tuple[FileLine, ...], Meta(max_length=limits.FILES_PER_ATTACHMENT)]

    @property
    def size(self) -> int:
        """Bytes of the whole content."""
        return sum(line.size for line in self.files)

    @property
    def pieces(self) -> int:
        """How many pieces there are."""
        return len(self.hashes) // _HASH_BYTES

    def hash_of(self, piece: int) -> bytes:
        """Return what a piece must hash to."""
        return self.hashes[piece * _HASH_BYTES : (piece + 1) * _HASH_BYTES]


def new_hasher() -> Hasher:
    """Return a fresh BLAKE3."""
    return blake3.blake3()


def piece_bytes_for(size: int) -> int:
    """Return how long the pieces of a content of `size` bytes are."""
    needed = -(-size // limits.PIECES_PER_ATTACHMENT)
    return max(limits.SMALLEST_PIECE_BYTES, 1 << max(needed - 1, 0).bit_length())


def count_pieces(size: int) -> int:
    """Return how many pieces a content of `size` bytes has; none where it is empty."""
    return -(-size // piece_bytes_for(size))


def piece_length(size: int, piece: int) -> int:
    """Return the bytes of one piece: the last one is shorter."""
    piece_bytes = piece_bytes_for(size)
    return min(piece_bytes, size - piece * piece_bytes)


def encode_table(table: PieceTable) -> bytes:
    """Return the bytes that are hashed and fetched; raise LocalProtocolError if others would not take them."""
    encoded = msgspec.msgpack.encode(table)
    if len(encoded) > limits.TABLE_BYTES:
        raise LocalProtocolError("a piece table of too many long paths")
    return encoded


def root_of(table: bytes) -> PieceHash:
    """Return what an entry says of its table."""
    return PieceHash(blake3.blake3(table).digest())


def read_table(entry: Attachment, table: bytes) -> PieceTable:
    """Return a table that is the one of this entry and does not lie; raise RemoteProtocolError otherwise."""
    if len(table) != entry.table_bytes or root_of(table) != entry.root:
        raise RemoteProtocolError("a piece table that is not the one which was signed")
    try:
        read = _DECODER.decode(table)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, OverflowError) as error:
        raise RemoteProtocolError(f"malformed piece table: {type(error).__name__}") from error
    if read.piece_bytes != piece_bytes_for(entry.size) or read.size != entry.size:
        raise RemoteProtocolError("a piece table of another size than the entry tells")
    if len(read.hashes) != count_pieces(entry.size) * _HASH_BYTES:
        raise RemoteProtocolError("a piece table with too few or too many hashes")
    _check_paths(entry, [line.path for line in read.files])
    return read


def _check_paths(entry: Attachment, paths: list[str]) -> None:
    if not entry.files:
        if paths != [""]:
            raise RemoteProtocolError("a file whose piece table speaks of a folder")
        return
    if len(paths) != entry.files or len(set(paths)) != len(paths):
        raise RemoteProtocolError("a folder with other files than the entry tells")
    if not all(is_relative_path(path) for path in paths):
        raise RemoteProtocolError("a folder with a path that is none")


def is_relative_path(path: str) -> bool:
    """Tell whether a path of a table has parts joined by `/`, none of them empty. It is not safe by that."""
    return bool(path) and "\0" not in path and all(path.split("/"))


_DECODER = msgspec.msgpack.Decoder(PieceTable)
