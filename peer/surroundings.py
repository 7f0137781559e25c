"""Time, chance, threads and the network, as handed to a node: tests hand in their own."""

import random
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from peer.links.wire import TcpWire, Wire


def _now() -> datetime:
    return datetime.now(UTC)


def _one_thread(name: str) -> Executor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)


@dataclass(frozen=True)
class Surroundings:
    """What a node takes from the world."""

    wire: Wire = field(default_factory=TcpWire)
    now: Callable[[], datetime] = _now
    """The wall clock, aware."""
    chance: random.Random = field(default_factory=random.Random)
    """For jitter only; secrets come from the operating system."""
    worker: Callable[[str], Executor] = _one_thread
    """Makes a thread of that name that does one thing at a time."""
