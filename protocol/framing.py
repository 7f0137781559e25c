"""How a stream of bytes is cut into frames: a length, a kind, a body."""

import struct

import msgspec

from protocol.errors import LocalProtocolError, RemoteProtocolError

_HEAD = struct.Struct(">IH")
HEAD_BYTES = _HEAD.size
"""Bytes that stand before a frame's body."""
_pack_head, _unpack_head = _HEAD.pack, _HEAD.unpack_from
OPTIONAL_KIND = 0x8000
"""Kinds from here on may be ignored by a reader that does not know them."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One frame: the number of its kind, and the MessagePack body."""

    kind: int
    body: bytes


def encode_frame(kind: int, body: bytes) -> bytes:
    """Return a frame's bytes: body length (4, big-endian), kind (2, big-endian), body."""
    if not 0 < kind <= 0xFFFF:
        raise LocalProtocolError(f"kind {kind} does not fit two bytes")
    return _pack_head(len(body), kind) + body


def read_head(head: bytes, largest: int) -> tuple[int, int]:
    """Return (length of the body, kind) of a frame that is read piecewise; raise RemoteProtocolError if too long."""
    length, kind = _unpack_head(head, 0)
    if length > largest:
        raise RemoteProtocolError(f"a frame of {length} bytes; at most {largest} are taken")
    return length, kind


class FrameReader:
    """Collects what a socket gives, and gives back whole frames.

    A frame longer than `largest` is refused as soon as its length is known, before its body is kept.
    """

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self._buffer: bytes | bytearray = b""
        self.is_empty = True
        """Whether nothing is kept: there is no further frame, nor the beginning of one."""
        self._start = 0

    @property
    def waiting(self) -> int:
        """Bytes kept of a frame that is not whole yet."""
        return len(self._buffer) - self._start

    def receive(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes; raise RemoteProtocolError for an oversized one."""
        self.add(data)
        frames = []
        while (frame := self.next_frame()) is not None:
            frames.append(frame)
        return frames

    def add(self, data: bytes) -> None:
        """Take more of the stream; `next_frame` gives it back."""
        self.is_empty = False
        if not self._buffer:
            self._buffer = data  # nearly always: whole frames came, and are read where they lie
        elif isinstance(self._buffer, bytearray):
            del self._buffer[: self._start]
            self._buffer += data
        else:
            self._buffer = bytearray(self._buffer[self._start :])
            self._buffer += data
        self._start = 0

    def next_frame(self) -> Frame | None:
        """Return the next whole frame, or None; `largest` may change between two calls."""
        buffer = self._buffer
        if not buffer:
            return None
        size, body = len(buffer), self._start + HEAD_BYTES
        if size < body:
            return None
        length, kind = _unpack_head(buffer, self._start)
        if length > self.largest:
            raise RemoteProtocolError(f"a frame of {length} bytes; at most {self.largest} are taken")
        end = body + length
        if size < end:
            return None
        if end == size:
            self._buffer, self._start, self.is_empty = b"", 0, True  # an idle connection keeps nothing
        else:
            self._start = end
        content = buffer[body:end]
        return Frame(kind, content if type(content) is bytes else bytes(content))
