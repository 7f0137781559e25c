"""How long frames have to wait so that nearly all of them are there when their turn comes.

Only differences of one clock are looked at: how much later than the quickest frame of late each one came. A frame that
only a copy in a later packet brought counts from then on, so losses that can be repaired make the wait longer by what
the repair takes, and nothing else does.
"""

from collections import deque

import numpy as np
import numpy.typing as npt

BIN_MS = 5
"""Delays are counted in steps of this."""
_BINS = 100
LONGEST_MS = BIN_MS * _BINS
"""The longest wait that is ever chosen."""
_REACHED, _FORGET = 0.97, 0.983
"""The share of the frames that is waited for, and what each leaves of the weight of those before: half within 0.8 s."""
_REACHED_REPAIRED, _FORGET_REPAIRED = 0.998, 0.998
"""The same while losses are being repaired: they come by chance, and for seconds not at all."""
_REPAIRED_SHARE = 0.004
"""From this share of repaired frames on."""
_QUICKEST_SECONDS = 10
"""The quickest frame is looked for among so many seconds; clocks that drift apart are followed as fast."""
SHORTEST_MS = 10.0
"""No shorter wait: sound is asked for in pieces of 10 ms."""
_FORGETTING = np.array([[_FORGET], [_FORGET_REPAIRED]])


class Delays:
    """Counts delays, and tells how long to wait. All times are in ms."""

    def __init__(self) -> None:
        self._weights = np.zeros((2, _BINS))
        """The recent past, and a longer one."""
        self._repaired = 0.0
        """The share of frames that only a copy brought, over that longer past."""
        self._quickest: deque[tuple[int, float]] = deque()
        """The least transit time of each second."""
        self.base = 0.0
        """Transit time of the quickest frame: arrival by our clock less its time by the sender's."""
        self.target = 2 * SHORTEST_MS
        """How much longer than the quickest one to wait."""

    def heard(self, transit: float, now: float) -> None:
        """Take note of the transit time of a frame that came in a packet of its own."""
        second = int(now // 1000)
        if self._quickest and self._quickest[-1][0] == second:
            self._quickest[-1] = (second, min(self._quickest[-1][1], transit))
        else:
            self._quickest.append((second, transit))
            while self._quickest[0][0] <= second - _QUICKEST_SECONDS:
                self._quickest.popleft()
        base = min(least for _, least in self._quickest)
        if base != self.base:
            self._shift(base - self.base)
            self.base = base

    def needed(self, delay: float, *, repaired: bool) -> None:
        """Take note that a frame would have been in time with this delay, and choose anew."""
        self._weights *= _FORGETTING
        self._weights[:, min(_BINS - 1, max(0, int(delay // BIN_MS)))] += 1 - _FORGETTING[:, 0]
        self._repaired += (repaired - self._repaired) * (1 - _FORGET_REPAIRED)
        target = _quantile(self._weights[0], _REACHED)
        if self._repaired > _REPAIRED_SHARE:
            target = max(target, _quantile(self._weights[1], _REACHED_REPAIRED))
        self.target = max(SHORTEST_MS, target)

    def forget(self) -> None:
        """Begin anew: whatever was true of this path is so no more."""
        self._quickest.clear()
        self._weights[:] = 0
        self._repaired = 0.0

    def _shift(self, by: float) -> None:
        """Keep what was counted true when the quickest frame is another one."""
        steps = round(by / BIN_MS)
        if not steps:
            return
        moved = np.zeros_like(self._weights)
        if steps > 0:
            moved[:, : max(0, _BINS - steps)] = self._weights[:, steps:]
            moved[:, 0] += self._weights[:, :steps].sum(axis=1)
        else:
            moved[:, -steps:] = self._weights[:, :steps]
            moved[:, -1] += self._weights[:, steps:].sum(axis=1)
        self._weights = moved


def _quantile(weights: npt.NDArray[np.float64], share: float) -> float:
    total = np.cumsum(weights)
    return BIN_MS * (int(np.searchsorted(total, share * total[-1])) + 1.0)
