"""Which pieces of an attachment somebody holds: a bit each, as they are kept and as they travel."""

from collections.abc import Iterator
from typing import Self

from protocol.errors import RemoteProtocolError
from protocol.manifests import count_pieces, piece_length


class PieceSet:
    """Pieces of a content of a known size: piece n is bit n % 8 of byte n // 8."""

    def __init__(self, size: int, bits: bytes = b"") -> None:
        """`bits` as `to_bytes` gave them; nothing means none."""
        self.size = size
        self.pieces = count_pieces(size)
        self._bits = bytearray(bits or bytes(-(-self.pieces // 8)))
        self.count = sum(byte.bit_count() for byte in self._bits)

    @classmethod
    def from_wire(cls, size: int, bits: bytes) -> Self:
        """Read what another tells; raise RemoteProtocolError for bits of pieces that do not exist."""
        pieces = count_pieces(size)
        spare = bits[-1] >> (pieces % 8) if bits and pieces % 8 else 0
        if bits and (len(bits) != -(-pieces // 8) or spare):
            raise RemoteProtocolError("pieces that an attachment of this size does not have")
        return cls(size, bits)

    @classmethod
    def complete(cls, size: int) -> Self:
        """Return all pieces."""
        everything = cls(size)
        for piece in range(everything.pieces):
            everything.add(piece)
        return everything

    def __contains__(self, piece: int) -> bool:
        return bool(self._bits[piece >> 3] >> (piece & 7) & 1)

    def __iter__(self) -> Iterator[int]:
        return (piece for piece in range(self.pieces) if piece in self)

    def add(self, piece: int) -> None:
        """Hold this piece from now on."""
        if piece not in self:
            self._bits[piece >> 3] |= 1 << (piece & 7)
            self.count += 1

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return self.count == self.pieces

    @property
    def bytes_held(self) -> int:
        """How many bytes these pieces are."""
        if not self.count:
            return 0
        last = self.pieces - 1
        full = piece_length(self.size, 0)
        return self.count * full - (full - piece_length(self.size, last) if last in self else 0)

    def to_bytes(self) -> bytes:
        """Return the bits."""
        return bytes(self._bits)
