"""What a newcomer to a group with a long history waits for it, and whether its program answers meanwhile."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.server_cost import processor_seconds
from tests.harness.processes import PASSWORD, LocatorProcess, PeerProcess, befriend

HISTORY = 100_000
WRITERS = 4
"""Who wrote the history, and gives it: the newcomer is linked with all of them."""
AT_ONCE = 500
"""Messages that each writer is asked for before the first answer is waited for."""
WRITING_SECONDS = 400.0
"""The history is written for no longer than this: on a busy machine it gets shorter, and the row says so."""
ANSWER_SECONDS = 120.0
SYNC_SECONDS = 300.0
"""The newcomer is waited for no longer than this."""
LOOK_SECONDS = 0.05


@dataclass
class Newcomer:
    """What was seen."""

    wanted: int
    held: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0
    answers: list[float] = field(default_factory=list)
    """How long its rpc took to answer meanwhile, in s."""


def let_in(folder: Path) -> Newcomer:
    """Have some write the history of a group, add somebody, and watch until all of it is there."""
    locator = LocatorProcess(folder / "locator")
    writers = [PeerProcess(folder / f"m{number}") for number in range(WRITERS)]
    newcomer = PeerProcess(folder / "new")
    try:
        names = [*(f"m{number}" for number in range(WRITERS)), "new"]
        first, *others = peers = (*writers, newcomer)
        for name, peer in zip(names, peers, strict=True):
            peer.call("session.register", locator=locator.link, user=name, password=PASSWORD, name=name)
        for name, peer in zip(names[1:], others, strict=True):
            befriend(first, peer, "m0", name)
        group: str = first.call("groups.create", name="Long", members=names[1:-1])["conversation"]
        for writer in writers[1:]:
            writer.wait_for("group_changed", lambda event: event["group"]["conversation"] == group)
        seen = Newcomer(_write(writers, group))
        _watch(first, newcomer, group, seen)
    finally:
        for peer in (*writers, newcomer):
            peer.close()
        locator.stop()
    return seen


def _write(writers: list[PeerProcess], group: str) -> int:
    """Return how many messages the first writer has when all have written what they could in the time."""
    began, each = time.perf_counter(), 0
    while each < HISTORY // len(writers) and time.perf_counter() < began + WRITING_SECONDS:
        asked = [
            (writer, writer.post("messages.send", conversation=group, text=f"history {each + number} " + "x" * 150))
            for number in range(AT_ONCE)
            for writer in writers
        ]
        for writer, request in asked:
            writer.take(request, wait=ANSWER_SECONDS)
        for writer in writers:
            writer.events.clear()
        each += AT_ONCE
    print(f"history: {each * len(writers):,} messages in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    deadline = time.perf_counter() + SYNC_SECONDS
    while (held := _unread(writers[0], group)) < each * (len(writers) - 1) and time.perf_counter() < deadline:
        writers[0].events.clear()
        time.sleep(1)
    return each + held


def _watch(adder: PeerProcess, newcomer: PeerProcess, group: str, seen: Newcomer) -> None:
    cost, began = processor_seconds(newcomer.process.pid), time.perf_counter()
    adder.call("groups.add", conversation=group, user="new")
    while seen.held < seen.wanted and seen.seconds < SYNC_SECONDS:
        asked = time.perf_counter()
        seen.held = _unread(newcomer, group)
        seen.answers.append(time.perf_counter() - asked)
        seen.seconds = time.perf_counter() - began
        newcomer.events.clear()
        time.sleep(LOOK_SECONDS)
    seen.processor_seconds = processor_seconds(newcomer.process.pid) - cost


def _unread(peer: PeerProcess, group: str) -> int:
    return next((row["unread"] for row in peer.call("conversations.list") if row["conversation"] == group), 0)
