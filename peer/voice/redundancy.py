"""How much of the voice is sent twice or thrice: decided by what the other side reports to lose.

The steps and their limits come from measuring speech (PESQ, `python -m tests.bench voice`). A copy of the frame before
repairs nearly all single losses, so within 100 kbit/s one copy of a good frame is better than two of poorer ones, until
about every twelfth packet is lost. From there on what is above 8 kHz is given up: at a constant 32 kbit/s it takes from
the voice below more than it gives. PESQ, which hears nothing up there, says 3.54 with it and 4.25 without. Losses in a
row also take the copies right behind, so these go further apart.
"""

from dataclasses import dataclass
from enum import Enum

from protocol.voice_packets import VoiceReport


@dataclass(frozen=True, slots=True)
class _Step:
    bitrate: int
    """Bits a second of one copy of the voice."""
    copies: tuple[int, ...] = ()
    """How many frames back each copy is."""
    expected_loss: int = 0
    """What Opus itself is to provide for, in percent."""
    is_wide_band_only: bool = False
    """Whether nothing above 8 kHz is sent."""


class Redundancy(Enum):
    """The steps, from none to the strongest."""

    NONE = _Step(48_000)
    IN_BAND = _Step(48_000, expected_loss=5)
    """Each packet tells roughly of the frame before."""
    ONE_COPY = _Step(48_000, copies=(1,))
    TWO_COPIES = _Step(32_000, copies=(1, 2), is_wide_band_only=True)
    SPREAD_COPIES = _Step(32_000, copies=(2, 4), is_wide_band_only=True)
    """Against losses in a row."""


_FROM_LOSS = ((0.085, Redundancy.TWO_COPIES), (0.015, Redundancy.ONE_COPY), (0.004, Redundancy.IN_BAND))
_BURSTS_FROM_LOSS, _BURSTS_FROM_LENGTH = 0.03, 1.6
"""Losses by chance come 1.25 in a row when every fifth packet is lost."""
_REPORTS_BEFORE_LESS = 6
"""Seconds that less would have done before less is sent."""
_NEW_SHARE = 0.25
"""Weight of the newest report against those before: of fifty packets chance takes two or three more or less."""
_SUDDEN = 0.05
"""A loss that is so much above twice what was is believed at once."""


class RedundancyChoice:
    """What is sent to one listener."""

    def __init__(self) -> None:
        self.now = Redundancy.NONE
        self._loss = self._burst = 0.0
        self._too_much = 0

    def heard(self, report: VoiceReport) -> None:
        """Follow a report: up at once, down after a while."""
        if report.lost > _SUDDEN + 2 * self._loss:
            self._loss = report.lost
        self._loss += (report.lost - self._loss) * _NEW_SHARE
        if report.lost:
            self._burst += (report.burst - self._burst) * (_NEW_SHARE if self._burst else 1)
        wanted = self._wanted(self._loss)
        if _ORDER[wanted] >= _ORDER[self.now]:
            self.now, self._too_much = wanted, 0
            return
        self._too_much += 1
        if self._too_much >= _REPORTS_BEFORE_LESS:
            self.now, self._too_much = wanted, 0

    def _wanted(self, loss: float) -> Redundancy:
        if loss >= _BURSTS_FROM_LOSS and self._burst >= _BURSTS_FROM_LENGTH:
            return Redundancy.SPREAD_COPIES
        return next((step for least, step in _FROM_LOSS if loss >= least), Redundancy.NONE)


_ORDER = {step: place for place, step in enumerate(Redundancy)}
