"""How often something may be done: token buckets, with the time handed in, in memory that a flood cannot grow."""

import ipaddress
from collections import OrderedDict
from collections.abc import Hashable
from functools import lru_cache

from locator import limits


class RateLimit:
    """A token bucket for each key: so many at once, then one more every so many seconds.

    What is kept of a key is one number, the moment its bucket is full again (the "generic cell rate algorithm"); a full
    bucket is not kept at all. When too many are, the one used longest ago is forgotten, which forgives it: who has so
    many addresses at hand that this helps them has no need of it.
    """

    def __init__(self, rate: limits.Rate, most_kept: int = limits.BUCKETS) -> None:
        self._each = rate.seconds_each
        self._room = rate.at_once * rate.seconds_each
        self._most_kept = most_kept
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def wait(self, key: Hashable, now: float) -> float:
        """Return after how many seconds a token will be there; 0: one is there now. `now` is monotonic."""
        return max(0.0, self._full_at.get(key, now) + self._each - now - self._room)

    def take(self, key: Hashable, now: float) -> None:
        """Take a token; whether there is one was asked before."""
        self._full_at[key] = max(self._full_at.pop(key, now), now) + self._each
        for _ in range(2):  # faster than they come
            oldest, full_at = next(iter(self._full_at.items()))
            if full_at > now and len(self._full_at) <= self._most_kept:
                break
            del self._full_at[oldest]

    def give_back(self, key: Hashable) -> None:
        """Give back what was taken."""
        if key in self._full_at:
            self._full_at[key] -= self._each


@lru_cache(maxsize=limits.ADDRESSES_REMEMBERED)
def network_of(address: str) -> str:
    """Return by what an address is counted: an IPv4 one by itself, an IPv6 one by its /64, which one person has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return parsed.packed[:8].hex()
