"""Ogg Opus files (RFC 3533, RFC 7845): written page by page, and read with every length checked.

A voice message of a peer is read here, so nothing in it is believed: what cannot be read ends the file there, and
what would take more memory than a voice message may is refused.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from peer.audio.opus_codec import RATE, samples_of_packet
from peer.limits import VOICE_FILE_BYTES, VOICE_PACKETS

_PAGE = struct.Struct("<4sBBqIIIB")
"""Capture pattern, version, flags, granule position, serial number, sequence number, checksum, segments."""
_CHECKSUM = slice(22, 26)
_HEAD = struct.Struct("<8sBBHIhB")
"""Magic, version, channels, pre-skip, input rate, output gain (Q7.8 dB), mapping family."""
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_LACING = 255
"""A segment of so many bytes goes on in the next one."""
_SEGMENTS_PER_PAGE = 255
_PACKETS_PER_PAGE = 50
"""A page a second: so much is lost at most when the program dies."""
_LONGEST_PACKET = 61_440
"""RFC 7845, section 6: nothing longer can be Opus."""
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class BadAudioError(Exception):
    """This is no Ogg Opus file that can be played here."""


@dataclass(frozen=True)
class OpusAudio:
    """What a file holds: packets for the decoder, and what of the decoded sound counts."""

    packets: list[bytes]
    pre_skip: int
    """Samples at the beginning that are not to be heard."""
    samples: int
    """Samples to be heard after those, at 48 kHz."""
    gain: int
    """Change of volume in 1/256 dB."""

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return self.samples / RATE


class OggOpusWriter:
    """Writes one mono stream into a file that somebody else opens and closes."""

    def __init__(self, file: BinaryIO, serial: int, pre_skip: int) -> None:
        """`pre_skip` is the encoder's look-ahead in samples."""
        self._file = file
        self._serial = serial
        self._pre_skip = pre_skip
        self._sequence = 0
        self._samples = 0
        self._page: list[bytes] = []
        self._segments = 0
        self._put([_HEAD.pack(b"OpusHead", 1, 1, pre_skip, RATE, 0, 0)], 0, _FIRST)
        vendor = b"Hail"
        self._put([b"OpusTags" + struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", 0)], 0, 0)

    def write(self, packet: bytes) -> None:
        """Append a packet of the encoder; it reaches the file with its page, a second later at most."""
        segments = len(packet) // _LACING + 1
        # The page before is put only now: the last one must be marked, and must not be empty.
        if len(self._page) == _PACKETS_PER_PAGE or self._segments + segments > _SEGMENTS_PER_PAGE:
            self._flush(self._samples, 0)
        self._page.append(packet)
        self._segments += segments
        self._samples += samples_of_packet(packet)

    def finish(self, samples: int) -> None:
        """End the stream: of all that was written, `samples` after the pre-skip are to be heard."""
        self._flush(min(self._samples, self._pre_skip + samples), _LAST)

    def _flush(self, granule: int, flags: int) -> None:
        self._put(self._page, granule, flags)
        self._page, self._segments = [], 0

    def _put(self, packets: list[bytes], granule: int, flags: int) -> None:
        lacing = b"".join(bytes([_LACING]) * (len(each) // _LACING) + bytes([len(each) % _LACING]) for each in packets)
        header = _PAGE.pack(b"OggS", 0, flags, granule, self._serial, self._sequence, 0, len(lacing))
        page = bytearray(b"".join([header, lacing, *packets]))
        page[_CHECKSUM] = struct.pack("<I", _checksum(page))
        self._sequence += 1
        self._file.write(page)
        self._file.flush()


def read_ogg_opus(content: bytes) -> OpusAudio:
    """Return the first Opus stream of a file, as far as it can be read; raise BadAudioError if there is none."""
    if len(content) > VOICE_FILE_BYTES:
        raise _too_long()
    stream = _Stream()
    for number, page in enumerate(_pages(memoryview(content))):
        if number > VOICE_PACKETS:
            raise _too_long()
        if not stream.take(page):
            break
    if stream.head is None:
        raise BadAudioError("it is no Ogg Opus file")
    version, channels, pre_skip, gain, family = stream.head
    if version & 0xF0 or channels not in {1, 2} or family:
        raise BadAudioError("it has a form of Opus that is not played here")
    samples = max(0, stream.heard - pre_skip)
    if not samples:
        raise BadAudioError("there is nothing in it")
    return OpusAudio(stream.packets, pre_skip, samples, gain)


def _too_long() -> BadAudioError:
    return BadAudioError("it is longer than a voice message may be")


class _Page(NamedTuple):
    flags: int
    granule: int
    serial: int
    sizes: list[int]
    """Bytes of each packet, or piece of one, on it."""
    is_open: bool
    """Whether its last packet goes on."""
    body: memoryview


class _Stream:
    """Puts the packets of one logical stream together."""

    def __init__(self) -> None:
        self.head: tuple[int, int, int, int, int] | None = None
        self.packets: list[bytes] = []
        self.heard = 0
        """Samples up to where the sound ends, pre-skip included."""
        self._serial = -1
        self._samples = 0
        self._headers = 0
        self._piece: list[memoryview] = []
        self._piece_bytes = 0

    def take(self, page: _Page) -> bool:
        """Take a page in; False when no more is wanted."""
        if self.head is None:
            if page.flags & _FIRST:
                self._begin(page)
            return True
        if page.serial != self._serial:
            return True
        before, at = self._samples, 0
        if not page.flags & _CONTINUED:
            self._drop_piece()
        for number, size in enumerate(page.sizes):
            piece, at = page.body[at : at + size], at + size
            if not number and page.flags & _CONTINUED and not self._piece:
                continue  # the end of a packet whose beginning is not there
            self._piece.append(piece)
            self._piece_bytes += size
            if number + 1 < len(page.sizes) or not page.is_open:
                self._end_packet()
        self.heard = self._samples
        if page.flags & _LAST and before <= page.granule < self._samples:
            self.heard = page.granule
        return not page.flags & _LAST

    def _begin(self, page: _Page) -> None:
        """Recognise the page that begins an Opus stream."""
        if page.sizes and _HEAD.size <= page.sizes[0] and bytes(page.body[:8]) == b"OpusHead":
            _, version, channels, pre_skip, _, gain, family = _HEAD.unpack_from(page.body)
            self.head = version, channels, pre_skip, gain, family
            self._serial = page.serial
            self._headers = 1

    def _end_packet(self) -> None:
        size = self._piece_bytes
        if self._headers == 1:
            self._headers = 2  # the tags, which may hold pictures: of no use here
        elif 0 < size <= _LONGEST_PACKET:
            packet = b"".join(self._piece)
            samples = samples_of_packet(packet)
            if samples:
                self.packets.append(packet)
                self._samples += samples
        self._drop_piece()
        if len(self.packets) > VOICE_PACKETS:
            raise _too_long()

    def _drop_piece(self) -> None:
        self._piece, self._piece_bytes = [], 0


def _pages(content: memoryview) -> Iterator[_Page]:
    """Walk over the pages up to the first that is damaged or cut off."""
    at = 0
    while at + _PAGE.size <= len(content):
        pattern, version, flags, granule, serial, _, checksum, segments = _PAGE.unpack_from(content, at)
        lacing = content[at + _PAGE.size : at + _PAGE.size + segments]
        start, end = at + _PAGE.size + segments, at + _PAGE.size + segments + sum(lacing)
        if pattern != b"OggS" or version or len(lacing) < segments or end > len(content):
            return
        page = bytearray(content[at:end])
        page[_CHECKSUM] = bytes(4)
        if _checksum(page) != checksum:
            return
        sizes, is_open = _sizes(lacing)
        yield _Page(flags, granule, serial, sizes, is_open, content[start:end])
        at = end


def _sizes(lacing: memoryview) -> tuple[list[int], bool]:
    sizes, size, is_open = [], 0, False
    for value in lacing:
        size += value
        is_open = value == _LACING
        if not is_open:
            sizes.append(size)
            size = 0
    if is_open:
        sizes.append(size)
    return sizes, is_open


def _checksum(page: bytearray) -> int:
    """Return the CRC-32 of Ogg: zlib's polynomial, but highest bit first and without inversions."""
    reflected = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(reflected.to_bytes(4, "little").translate(_REVERSED), "big")
