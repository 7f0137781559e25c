"""Goals M1 and M2: how soon a message is shown at the other side, and how many a second become durable there."""

import statistics
import sys
import time
from pathlib import Path

from tests.bench.redis_reference import RedisServer, RoundTrips
from tests.bench.report import Row
from tests.harness.processes import LocatorProcess, PeerProcess, befriend

SINGLE_MESSAGES = 200
_SWITCH_SECONDS = 0.0001
"""So that the threads which read answers here do not delay what is measured."""
MANY_MESSAGES = 5_000


def run(folder: Path, rounds: int) -> list[Row]:
    """Start a locator and two peers, real processes on loopback, and measure them beside Redis over TLS."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    locator = LocatorProcess(folder / "locator")
    ana, bo = PeerProcess(folder / "ana"), PeerProcess(folder / "bo")
    server = RedisServer(folder / "redis")
    redis = RoundTrips(server)
    try:
        for peer, user in ((ana, "ana"), (bo, "bo")):
            peer.call("session.register", locator=locator.link, user=user, password="correct horse", name=user)
        conversation = befriend(ana, bo, "ana", "bo")
        ratios, shown, trips, rates = [], [], [], []
        for number in range(rounds):
            trip = statistics.median(redis.measure(2_000))
            delay = statistics.median(_delays(ana, bo, conversation, number))
            rate = _rate(ana, bo, conversation, number)
            times = f"shown after {delay * 1e3:.2f} ms, Redis {trip * 1e3:.3f} ms"
            print(f"round {number + 1}: {times}, {rate:.0f} messages/s", file=sys.stderr)
            ratios.append(delay / trip)
            shown.append(delay)
            trips.append(trip)
            rates.append(rate)
    finally:
        redis.close()
        server.close()
        ana.close()
        bo.close()
        locator.stop()
    ratio, rate = statistics.median(ratios), statistics.median(rates)
    return [
        Row(
            "M1", "written to shown at the other's rpc, p50", statistics.median(shown) * 1e3, "ms",
            statistics.median(trips) * 1e3, "Redis GET over TLS", ratio, "≤ 20", "8", ratio <= 20,
        ),
        Row(
            "M2", "durable messages between two peers", rate, "per second",
            None, "", None, "≥ 2000", "10000", rate >= 2_000,
        ),
    ]  # fmt: skip


def _delays(ana: PeerProcess, bo: PeerProcess, conversation: str, round_number: int) -> list[float]:
    """Return the seconds from asking Ana's rpc to write until Bo's rpc shows, one message at a time."""
    taken = []
    for number in range(SINGLE_MESSAGES):
        text = f"single {round_number}.{number}"
        ana.events.clear()
        bo.events.clear()
        start = time.perf_counter()
        request = ana.post("messages.send", conversation=conversation, text=text)
        event = bo.wait_for("message_arrived", lambda e, text=text: e["message"]["text"] == text)  # type: ignore[misc]
        taken.append(event["received"] - start)
        entry = ana.take(request)["entry"]
        # One message at a time, as Redis gets one request at a time: let the tick of this one come back first.
        ana.wait_for("message_delivered", lambda e, entry=entry: e["message"]["entry"] == entry)  # type: ignore[misc]
    return taken


def _rate(ana: PeerProcess, bo: PeerProcess, conversation: str, round_number: int) -> float:
    """Return messages a second: all answered for by Ana, stored by Bo, and known by Ana to be."""
    last = f"many {round_number}.{MANY_MESSAGES - 1} " + "x" * 150
    ana.events.clear()
    bo.events.clear()
    start = time.perf_counter()
    requests = [
        ana.post("messages.send", conversation=conversation, text=f"many {round_number}.{number} " + "x" * 150)
        for number in range(MANY_MESSAGES)
    ]
    for request in requests:
        ana.take(request)
    event = ana.wait_for("message_delivered", lambda e: e["message"]["text"] == last, wait=60)
    return MANY_MESSAGES / (event["received"] - start)
