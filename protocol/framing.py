"""How a stream of bytes is cut into frames: a length, a kind, a body."""

import struct
from typing import NamedTuple

from protocol.errors import LocalProtocolError, RemoteProtocolError

_HEAD = struct.Struct(">IH")
OPTIONAL_KIND = 0x8000
"""Kinds from here on may be ignored by a reader that does not know them."""


class Frame(NamedTuple):
    """One frame: the number of its kind, and the MessagePack body."""

    kind: int
    body: bytes


def encode_frame(kind: int, body: bytes) -> bytes:
    """Return a frame's bytes: body length (4, big-endian), kind (2, big-endian), body."""
    if not 0 < kind <= 0xFFFF:
        raise LocalProtocolError(f"kind {kind} does not fit two bytes")
    return _HEAD.pack(len(body), kind) + body


class FrameReader:
    """Collects what a socket gives, and gives back whole frames.

    A frame longer than `largest` is refused as soon as its length is known, before its body is kept.
    """

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self._buffer = bytearray()
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
        if self._start:
            del self._buffer[: self._start]
            self._start = 0
        self._buffer += data

    def next_frame(self) -> Frame | None:
        """Return the next whole frame, or None; `largest` may change between two calls."""
        buffer, start = self._buffer, self._start
        if len(buffer) - start < _HEAD.size:
            return None
        length, kind = _HEAD.unpack_from(buffer, start)
        if length > self.largest:
            raise RemoteProtocolError(f"a frame of {length} bytes; at most {self.largest} are taken")
        body = start + _HEAD.size
        if len(buffer) < body + length:
            return None
        self._start = body + length
        return Frame(kind, bytes(buffer[body : body + length]))
