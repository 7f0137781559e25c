"""Who may connect, and who goes when there is no room; pure, the time is handed in.

A connection is a stranger's from its first moment, the TLS handshake included, until somebody is logged in on it.
Strangers are let in by address at a rate, are few from each address, and go first: those who open connections and sit
on them keep nobody out.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

from locator import limits
from locator.rate_limits import RateLimit

V = TypeVar("V", bound=Hashable)


class Entry(NamedTuple, Generic[V]):
    """What happens to one who knocks: refused for a reason, or let in, and another one may have to go for it."""

    refused: str | None
    goes: V | None


class Door(Generic[V]):
    """Counts connections, whatever stands for one."""

    def __init__(self, most: int) -> None:
        """`most` is how many may be in at once."""
        self._most = most
        self._arrivals = RateLimit(limits.CONNECTIONS_PER_ADDRESS)
        self._network_of: dict[V, str] = {}
        self._strangers: OrderedDict[V, float] = OrderedDict()
        """Since when each is one, in that order."""
        self._strangers_of: dict[str, OrderedDict[V, None]] = {}

    def __len__(self) -> int:
        return len(self._network_of)

    @property
    def strangers(self) -> int:
        """How many of them are strangers'."""
        return len(self._strangers)

    def enter(self, visitor: V, network: str, now: float) -> Entry[V]:
        """Let a new connection in as a stranger, or not. Who goes for it is out already."""
        if self._arrivals.wait(network, now):
            return Entry("too many connections come from its address", None)
        self._arrivals.take(network, now)
        goes = None
        own = self._strangers_of.get(network, ())
        if len(own) >= limits.STRANGERS_PER_ADDRESS:
            goes = next(iter(own))
            if now - self._strangers[goes] < limits.QUICK_LOGIN_SECONDS:
                # A crowd that comes back at once: those in front are about to log in, and this one will try again.
                return Entry("too many of its address log in right now", None)
        elif len(self) >= self._most:
            goes = next(iter(self._strangers), None)
            if goes is None:
                return Entry("there are too many connections", None)
        if goes is not None:
            self.leave(goes)
        self._network_of[visitor] = network
        self.is_stranger(visitor, now)
        return Entry(None, goes)

    def is_known(self, visitor: V) -> None:
        """Somebody is logged in there, or waits for work on a login."""
        if self._strangers.pop(visitor, None) is not None:
            network = self._network_of[visitor]
            own = self._strangers_of[network]
            del own[visitor]
            if not own:
                del self._strangers_of[network]

    def is_stranger(self, visitor: V, now: float) -> None:
        """From now on nobody is logged in there; no matter to who is out already."""
        network = self._network_of.get(visitor)
        if network is not None:
            self.is_known(visitor)
            self._strangers[visitor] = now
            self._strangers_of.setdefault(network, OrderedDict())[visitor] = None

    def leave(self, visitor: V) -> None:
        """A connection is gone."""
        self.is_known(visitor)
        self._network_of.pop(visitor, None)

    def overdue(self, now: float) -> list[V]:
        """Return the strangers who have been here for too long."""
        overdue: list[V] = []
        for visitor, since in self._strangers.items():
            if now - since <= limits.BEFORE_LOGIN_SECONDS:
                break
            overdue.append(visitor)
        return overdue
