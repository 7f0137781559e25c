"""One other device in a call: what it says becomes sound, and what is said here becomes packets for it.

Pure but for its keys: bytes and time come from outside, and go out again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from peer.audio.opus_codec import Decoder
from peer.voice.jitter_buffer import JitterBuffer
from peer.voice.limits import VOICE_REPORT_OLD_MS
from peer.voice.protection import Keys, Protection
from peer.voice.reception import Reception
from peer.voice.redundancy import Redundancy, RedundancyChoice
from peer.voice.time_scaling import Samples
from protocol.voice_packets import (
    FIRST_NUMBER_BITS,
    VoiceFrame,
    VoicePacket,
    VoiceReport,
    is_report,
    read_packet,
    read_report,
    write_packet,
    write_report,
)


@dataclass(frozen=True, slots=True)
class LegFigures:
    """How a leg does, over the last second."""

    delay: float
    """From there to here as far as can be known, in ms: half of the round trip, and the wait here."""
    round_trip: float | None
    """In ms."""
    loss: float
    """Share of the packets from there."""
    unrepaired: float
    """Share of the frames from there that had to be invented."""
    jitter: float
    """In ms."""
    redundancy: Redundancy
    """Of what is sent there."""


class Leg:
    """Both directions of the voice between this device and another."""

    def __init__(self, keys: Keys, first_number: int) -> None:
        """`first_number` is where packets are counted from: any of `FIRST_NUMBER_BITS`."""
        self._protection = Protection(keys)
        self._ssrc = keys.outgoing_ssrc
        assert 0 <= first_number < 1 << FIRST_NUMBER_BITS
        self._number = first_number
        self._jitter_buffer = JitterBuffer(Decoder())
        self._reception = Reception()
        self._choice = RedundancyChoice()
        self._last_report: tuple[VoiceReport, int] | None = None
        """The other side's, and when it came."""
        self._told = VoiceReport(self._ssrc, 0, 0.0, 0.0, 0.0, 0.0, 0.0, sent=0, echo=0, held=0)
        self._invented = 0
        self._decoded = 0
        self.figures = LegFigures(0.0, None, 0.0, 0.0, 0.0, Redundancy.NONE)
        self.heard_at: float | None = None
        """When something that the other side really sent came last, in ms."""

    @property
    def redundancy(self) -> Redundancy:
        """What the other side needs."""
        return self._choice.now

    def is_heard_by_udp(self, now: float) -> bool:
        """Whether the other side told lately that our packets come to it by UDP."""
        if self._last_report is None:
            return False
        theirs, came = self._last_report
        return theirs.by_udp and now - came < VOICE_REPORT_OLD_MS

    @property
    def is_heard(self) -> bool:
        """Whether the other side told that it hears us."""
        return self._last_report is not None and self._last_report[0].echo != 0

    def take(self, data: bytes, now: float) -> None:
        """Take a packet or report in; raise RemoteProtocolError if it is none from the other side."""
        plain = self._protection.unprotect(data)
        if is_report(plain):
            report = read_report(plain)
            if self._last_report is None or report.highest != self._last_report[0].highest:
                self._choice.heard(report)
            self._last_report = report, int(now)
        else:
            packet = read_packet(plain)
            self._reception.heard(packet)
            for copy in packet.copies:
                self._jitter_buffer.put(copy.timestamp, copy.payload, now, is_copy=True)
            self._jitter_buffer.put(packet.frame.timestamp, packet.frame.payload, now)
        self.heard_at = now

    def pull(self, now: float) -> Samples:
        """Return the next 10 ms of what the other side says."""
        return self._jitter_buffer.pull(now)

    def packet(self, frames: Sequence[VoiceFrame]) -> bytes:
        """Return what is to be sent of the newest frames, the last of which is new."""
        copies = tuple(frames[-1 - back] for back in self.redundancy.value.copies[::-1] if back < len(frames))
        self._number = self._number + 1 & 0xFFFF
        return self._protection.protect(write_packet(VoicePacket(self._ssrc, self._number, frames[-1], copies)))

    def report(self, now: float, *, by_udp: bool) -> bytes:
        """Return the report that is due each second, and bring the figures up to date.

        `by_udp`: whether the other side's packets come by UDP.
        """
        loss, burst = self._reception.losses()
        played = self._jitter_buffer.played
        invented, decoded = played.lost, played.decoded + played.recovered
        fresh = invented - self._invented + decoded - self._decoded
        unrepaired = (invented - self._invented) / fresh if fresh else 0.0
        self._invented, self._decoded = invented, decoded
        round_trip = self._last_report[0].round_trip(self._last_report[1]) if self._last_report is not None else None
        delay = self._jitter_buffer.delay(now) if not self._jitter_buffer.is_silent else 0.0
        self.figures = LegFigures(
            delay + (round_trip or 0.0) / 2, round_trip, loss, unrepaired, self._jitter_buffer.target, self.redundancy
        )
        self._told = VoiceReport(
            ssrc=self._ssrc,
            highest=self._reception.highest & 0xFFFF_FFFF,
            lost=loss,
            unrepaired=unrepaired,
            burst=burst,
            jitter=self._jitter_buffer.target,
            delay=delay,
            sent=0,
            echo=0,
            held=0,
            by_udp=by_udp,
        )
        return self.probe(now)

    def probe(self, now: float) -> bytes:
        """Return the last report anew, to be sent by one way alone: where it is accepted, that way works."""
        echo, held = 0, 0
        if self._last_report is not None:
            theirs, came = self._last_report
            echo, held = theirs.sent, min(int(now) - came, 0xFFFF)
        told = replace(self._told, sent=int(now) & 0xFFFF_FFFF or 1, echo=echo, held=held)
        return self._protection.protect(write_report(told))
