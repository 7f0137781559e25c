"""What the locator counts of its own work: plain numbers, cheap to raise, read by whoever shows them.

Only the loop's thread touches them.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping

from protocol.errors import RefusalCode
from protocol.registry import Message

Gauges = Mapping[str, Callable[[], float]]
"""What is so now: a metric's name without `hail_locator_`, and how to read it."""
LOGIN_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the groups into which the durations of logins are sorted; a last group has no bound."""


class Durations:
    """How many took how long: the counts of a histogram."""

    def __init__(self) -> None:
        self.counts = [0] * (len(LOGIN_SECONDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(LOGIN_SECONDS, seconds)] += 1
        self.sum += seconds


class Figures:
    """Everything counted since the start. Keys are kinds and codes of the program, never what a client chose."""

    def __init__(self) -> None:
        self.accepted = 0
        """Connections that were greeted."""
        self.turned_away = 0
        """Connections that were one too many."""
        self.requests: defaultdict[type[Message], int] = defaultdict(int)
        self.refusals: defaultdict[tuple[type[Message], RefusalCode], int] = defaultdict(int)
        self.logins: defaultdict[type[Message], Durations] = defaultdict(Durations)
        """Logins that succeeded, by the request that asked for them."""
        self.superseded = 0
        """Sessions that another device took over."""
        self.told = 0
        """Changes of presence told to watchers."""
        self.store_errors = 0
        self.course_connections = 0
        """Open now."""
        self.course_commands: defaultdict[str, int] = defaultdict(int)
        self.course_logins: defaultdict[str, int] = defaultdict(int)
        """By outcome."""
