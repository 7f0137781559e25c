"""Those who have something of an attachment: whom to ask next, and whom to give up for others who are faster."""

import random
from collections.abc import Collection
from dataclasses import dataclass, field

from peer import limits
from peer.transfers.download import Download
from peer.transfers.pulling import Pull
from peer.transfers.speed import SpeedMeter
from protocol.identity import DeviceId, UserId
from protocol.piece_sets import PieceSet


@dataclass(slots=True, eq=False)
class Source:
    """A device that has something of it."""

    user: UserId
    device: DeviceId
    pieces: PieceSet
    pull: Pull | None = None
    meter: SpeedMeter = field(default_factory=SpeedMeter)
    """How fast it gives, or gave last."""
    failures: int = 0
    retry_at: float = 0.0
    is_slow: bool = False
    """It was given up for others that give more."""


def ready_ones(
    sources: Collection[Source], download: Download | None, now: float, chance: random.Random
) -> list[Source]:
    """Return whom to ask, who was slow last; a slow one that rests is asked all the same while there is nobody else."""
    able = [source for source in sources if source.pull is None and can_give(source, download)]
    chance.shuffle(able)
    ready = [source for source in able if source.retry_at <= now]
    if not ready and all(source.pull is None for source in sources):
        ready = [source for source in able if source.is_slow]
    return sorted(ready, key=lambda source: source.is_slow)


def can_give(source: Source, download: Download | None) -> bool:
    """Whether there is anything to ask a source for at this moment; its table, if that is not here."""
    return download is None or download.has_something_for(source.device)


def slow_ones(sources: Collection[Source], download: Download | None) -> list[Source]:
    """Return who gives next to nothing, much less than others do, or what others wait to give sooner."""
    best = max((source.meter.bytes_per_second for source in sources), default=0.0)
    return [
        source
        for source in sources
        if source.pull is not None
        and source.pull.is_connected
        and _is_slow(source, source.pull, best, tuple(sources), download)
    ]


def _is_slow(source: Source, pull: Pull, best: float, sources: tuple[Source, ...], download: Download | None) -> bool:
    speed, age = source.meter.bytes_per_second, pull.age
    asked = download.bytes_asked_of(source.device) if download is not None else 0
    if download is not None and not asked:
        return False  # it is not its fault
    if age > limits.SLOW_SOURCE_SECONDS and speed < limits.SLOWEST_SOURCE:
        return True
    if download is None or download.is_needed(source.device):
        return False
    if age > limits.BEHIND_SECONDS and speed * limits.BEHIND_TIMES < best:
        return True
    if age < limits.BEHIND_SECONDS / 5:
        return False
    # The last large pieces: somebody who has nothing to do would bring them, from their beginning, in half the time.
    steps_in = [other.meter.bytes_per_second for other in sources if download.can_step_in(other.device, source.device)]
    return (asked - pull.got_of_piece) * max(steps_in, default=0.0) > 2 * asked * speed
