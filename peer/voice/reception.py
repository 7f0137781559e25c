"""What is counted of the packets that one speaker sends, for the reports that go back to them."""

from peer.voice.limits import VOICE_FRAMES_WAITING
from protocol.voice_packets import VoicePacket


class Reception:
    """Losses among numbered packets, judged once those behind have come: a late packet is none that is lost."""

    def __init__(self) -> None:
        self.highest = 0
        """The number of the newest packet, growing beyond 16 bits."""
        self._seen: set[int] = set()
        self._counted_to = 0
        """Up to here it is decided what was lost."""
        self._expected = self._lost = self._bursts = 0
        self._last_was_lost = False

    def heard(self, packet: VoicePacket) -> None:
        """Take note of a packet."""
        if not self.highest:
            self.highest = self._counted_to = 2**16 + packet.number
            self._seen = {self.highest}
            return
        number = self.highest + (packet.number - self.highest + 2**15) % 2**16 - 2**15
        if number > self.highest + VOICE_FRAMES_WAITING:
            self._seen.clear()
            self._counted_to = number
        self.highest = max(self.highest, number)
        if number >= self._counted_to:
            self._seen.add(number)
        self._count(_JUDGED_AFTER)

    def losses(self) -> tuple[float, float]:
        """Return the share of packets lost since this was last asked, and how many in a row on average."""
        share = self._lost / self._expected if self._expected else 0.0
        burst = self._lost / self._bursts if self._bursts else 0.0
        self._expected = self._lost = self._bursts = 0
        return share, burst

    def _count(self, behind: int) -> None:
        while self._counted_to < self.highest - behind:
            is_lost = self._counted_to not in self._seen
            self._seen.discard(self._counted_to)
            self._expected += 1
            self._lost += is_lost
            self._bursts += is_lost and not self._last_was_lost
            self._last_was_lost = is_lost
            self._counted_to += 1


_JUDGED_AFTER = 10
"""Packets that must have come behind one that is missing: 200 ms."""
