"""What goes over the voice port: Opus frames in RTP (RFC 3550), copies of earlier ones beside them (RFC 2198), and
reports in RTCP application packets, all of it before SRTP protects it.

Each packet carries one new frame of 20 ms. The sender puts copies of earlier frames beside it when the other side
reports losses; every frame keeps its own time, so whoever plays them need not know where one came from.
"""

import struct
from dataclasses import dataclass

from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.limits import VOICE_COPIES, VOICE_FRAME_BYTES, VOICE_PACKET_BYTES

CLOCK_RATE = 48_000
"""Ticks a second of the time in RTP packets, and samples a second of the sound."""
FRAME_TICKS = 960
"""Ticks from one frame to the next: 20 ms."""
FIRST_NUMBER_BITS = 15
"""Packets are counted from a number of so many bits. One of 16 could run over before the other side hears the first
packet; it would take the nonce of all that follow for another one, for ever (RFC 3711, section 3.3.1)."""
VOICE_FRAMES_BACK = 4
"""How far back a copy is, in frames, at most."""
_OPUS, _WITH_COPIES = 96, 97
_HEADER = struct.Struct(">BBHII")
_COPY = struct.Struct(">I")
_VERSION = 0x80
_BY_UDP = 0x01
"""In a report's first byte: its subtype."""
_REPORT_TYPE = 204
_REPORT_NAME = b"HAIL"
_REPORT = struct.Struct(">BBHI4sIHHHHHHII")


@dataclass(frozen=True, slots=True)
class VoiceFrame:
    """20 ms of sound."""

    timestamp: int
    """When it begins, in ticks of the sender's clock, modulo 2**32."""
    payload: bytes
    """One Opus packet."""


@dataclass(frozen=True, slots=True)
class VoicePacket:
    """What one RTP packet carries."""

    ssrc: int
    number: int
    """Counts packets, modulo 2**16."""
    frame: VoiceFrame
    copies: tuple[VoiceFrame, ...] = ()
    """Earlier frames again, the oldest first."""


def write_packet(packet: VoicePacket) -> bytes:
    """Return the bytes of a packet."""
    time, payload = packet.frame.timestamp, packet.frame.payload
    if not 0 < len(payload) <= VOICE_FRAME_BYTES:
        raise LocalProtocolError("a frame of a size that does not travel")
    kind = _WITH_COPIES if packet.copies else _OPUS
    header = _HEADER.pack(_VERSION, kind, packet.number, time, packet.ssrc)
    if not packet.copies:
        return header + payload
    blocks = bytearray()
    for copy in packet.copies:
        earlier = time - copy.timestamp & 0xFFFF_FFFF
        blocks += _COPY.pack(1 << 31 | _OPUS << 24 | earlier << 10 | len(copy.payload))
    blocks.append(_OPUS)
    return b"".join((header, bytes(blocks), *(copy.payload for copy in packet.copies), payload))


def read_packet(data: bytes) -> VoicePacket:
    """Take a packet apart; raise RemoteProtocolError for anything that `write_packet` does not write."""
    if not _HEADER.size < len(data) <= VOICE_PACKET_BYTES:
        raise RemoteProtocolError("a voice packet of a wrong size")
    version, kind, number, time, ssrc = _HEADER.unpack_from(data)
    if version != _VERSION or kind not in {_OPUS, _WITH_COPIES}:
        raise RemoteProtocolError("a voice packet of an unknown form")
    copies, at = [], _HEADER.size
    if kind == _WITH_COPIES:
        lengths, at = _read_copy_headers(data, at)
        for earlier, length in lengths:
            copies.append(VoiceFrame(time - earlier & 0xFFFF_FFFF, _piece(data, at, length)))
            at += length
    return VoicePacket(ssrc, number, VoiceFrame(time, _piece(data, at, len(data) - at)), tuple(copies))


def _read_copy_headers(data: bytes, at: int) -> tuple[list[tuple[int, int]], int]:
    found: list[tuple[int, int]] = []
    while at < len(data) and data[at] & 0x80:
        if len(data) < at + _COPY.size or len(found) == VOICE_COPIES:
            raise RemoteProtocolError("a voice packet with too many copies")
        (word,) = _COPY.unpack_from(data, at)
        earlier = word >> 10 & 0x3FFF
        if word >> 24 & 0x7F != _OPUS or not earlier or earlier % FRAME_TICKS:
            raise RemoteProtocolError("a copy in a voice packet that is of no earlier frame")
        found.append((earlier, word & 0x3FF))
        at += _COPY.size
    if at >= len(data) or data[at] != _OPUS:
        raise RemoteProtocolError("a voice packet of an unknown form")
    return found, at + 1


def _piece(data: bytes, at: int, length: int) -> bytes:
    if not 0 < length <= VOICE_FRAME_BYTES or at + length > len(data):
        raise RemoteProtocolError("a frame of a wrong size in a voice packet")
    return data[at : at + length]


@dataclass(frozen=True, slots=True)
class VoiceReport:
    """What one side tells the other, once a second, of how its voice arrives (fractions are 0 to 1, times in ms)."""

    ssrc: int
    """Of whom tells."""
    highest: int
    """The last packet's number."""
    lost: float
    """Of the packets of the last second, those that did not come."""
    unrepaired: float
    """Of the frames of the last second, those that no copy replaced."""
    burst: float
    """How many packets were lost in a row, on average; 0 if none was."""
    jitter: float
    """Within which nearly all packets came (the jitter buffer's target)."""
    delay: float
    """How long what comes waits until it is played."""
    sent: int
    """When this report was sent, by the clock of who sends it, modulo 2**32."""
    echo: int
    """`sent` of the last report that came from the other side, 0 if none came."""
    held: int
    """How long ago that was."""
    by_udp: bool = False
    """Whether the other side's packets come by UDP."""

    def round_trip(self, now: int) -> float | None:
        """Return how long a packet takes there and back, in ms, if this report came at `now`; None if nobody knows."""
        if not self.echo:
            return None
        return max(0.0, (now - self.echo - self.held + 2**31) % 2**32 - 2**31)


def write_report(report: VoiceReport) -> bytes:
    """Return the bytes of a report: an RTCP application packet (RFC 3550, section 6.7) with the name HAIL."""
    return _REPORT.pack(
        _VERSION | _BY_UDP * report.by_udp,
        _REPORT_TYPE,
        _REPORT.size // 4 - 1,
        report.ssrc,
        _REPORT_NAME,
        report.highest,
        _small(report.lost * 0xFFFF),
        _small(report.unrepaired * 0xFFFF),
        _small(report.burst * 256),
        _small(report.jitter),
        _small(report.delay),
        _small(report.held),
        report.sent,
        report.echo,
    )


def read_report(data: bytes) -> VoiceReport:
    """Take a report apart; raise RemoteProtocolError for anything else."""
    if len(data) != _REPORT.size:
        raise RemoteProtocolError("a voice report of a wrong size")
    version, kind, words, ssrc, name, highest, lost, unrepaired, burst, jitter, delay, held, sent, echo = (
        _REPORT.unpack(data)
    )
    if (version & ~_BY_UDP, kind, words, name) != (_VERSION, _REPORT_TYPE, _REPORT.size // 4 - 1, _REPORT_NAME):
        raise RemoteProtocolError("a voice report of an unknown form")
    shares = lost / 0xFFFF, unrepaired / 0xFFFF, burst / 256
    by_udp = bool(version & _BY_UDP)
    return VoiceReport(ssrc, highest, *shares, jitter, delay, sent=sent, echo=echo, held=held, by_udp=by_udp)


def ssrc_of(data: bytes) -> int | None:
    """Return whom a protected packet claims to be from, before any other work; None if it cannot be one of ours."""
    if not _HEADER.size < len(data) <= VOICE_PACKET_BYTES or data[0] & ~_BY_UDP != _VERSION:
        return None
    at = 4 if is_report(data) else 8
    return int.from_bytes(data[at : at + 4], "big")


def is_report(data: bytes) -> bool:
    """Tell RTCP from RTP (RFC 5761)."""
    return data[1] == _REPORT_TYPE


def _small(value: float) -> int:
    return min(0xFFFF, max(0, round(value)))
