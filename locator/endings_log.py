"""What the log says of closed connections: each by name while they are few, their number when they are many."""

import logging
from collections import Counter

from locator import limits
from locator.rate_limits import RateLimit

log = logging.getLogger(__name__)


class EndingsLog:
    """Keeps a flood of connections from becoming a flood of lines that fills the disk."""

    def __init__(self) -> None:
        self._rate = RateLimit(limits.ENDINGS_LOGGED)
        self._counted: Counter[str] = Counter()
        self._told_at = 0.0

    def note(self, address: str, reason: str, now: float) -> None:
        """A connection is being closed. `now` is monotonic."""
        if self._rate.wait("", now):
            self._counted[reason] += 1
        else:
            self._rate.take("", now)
            log.info("closing the connection from %s: %s", address, reason)

    def tell(self, now: float) -> None:
        """Tell how many were not named since the last time."""
        if self._counted and now - self._told_at > limits.ENDINGS_COUNTED_SECONDS:
            self._told_at = now
            for reason, number in self._counted.most_common(limits.ENDING_REASONS_TOLD):
                log.info("closed %d more connections: %s", number, reason)
            self._counted.clear()
