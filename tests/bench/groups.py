"""Groups of real programs: how soon all show a message, what a newcomer waits, what comparing and passing on cost.

There is nothing beside it to compare with: the goals are absolute, so a run on a machine that does other things says
little about the first two.
"""

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from protocol.identity import ConversationId, EntryHash, FeedId
from protocol.link_messages import LINK, Buckets, ConversationDigest, Digests, Lines, VectorLine
from protocol.replication import differing_buckets, digest_of, split_by_buckets
from tests.bench.report import Row
from tests.harness.processes import LocatorProcess, PeerProcess, befriend

MEMBERS = 8
MESSAGES_A_ROUND = 100
HISTORY = 100_000
WRITERS = 4
"""Who wrote the history that a newcomer gets."""
AT_ONCE = 1_000
"""Messages that a writer is asked for before the first answer is waited for."""
LOOK_SECONDS = 0.05
BETWEEN_SECONDS = 0.05
FEEDS = 1_000
SYNC_SECONDS = 600.0
"""The longest that a newcomer is waited for."""
SIMULATED_MEMBERS = 24


def run(folder: Path, rounds: int) -> list[Row]:
    """Measure a group of eight, then a newcomer; then count bytes and copies."""
    locator = LocatorProcess(folder / "locator")
    peers = [PeerProcess(folder / f"m{number}") for number in range(MEMBERS)]
    newcomer = PeerProcess(folder / "newcomer")
    try:
        for number, peer in enumerate(peers):
            peer.call("session.register", locator=locator.link, user=f"m{number}", password="correct horse", name="M")
        group = _make_group(peers)
        taken = [second for number in range(rounds) for second in _round(peers, group, number)]
        wanted = _write_history(peers[:WRITERS], group)
        newcomer.call("session.register", locator=locator.link, user="new", password="correct horse", name="New")
        befriend(peers[0], newcomer, "m0", "new")
        sync, answers = _let_in(peers[0], newcomer, group, wanted)
    finally:
        for peer in (*peers, newcomer):
            peer.close()
        locator.stop()
    equal, one_differs = _bytes_to_compare()
    copies = _copies_in_calm()
    middle, late = statistics.median(taken) * 1e3, _percentile(taken, 99) * 1e3
    p50, p99 = statistics.median(answers) * 1e3, _percentile(answers, 99) * 1e3
    told = f"{len(answers)} answers, p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {max(answers) * 1e3:.1f} ms"
    print(f"the newcomer's rpc meanwhile: {told}", file=sys.stderr)
    return [
        _row("G1", f"written to shown at all of {MEMBERS}, p50", middle, "ms", "", "", None),
        _row("G1", f"written to shown at all of {MEMBERS}, p99", late, "ms", "< 50", "", late < 50),
        _row("M3", f"newcomer's sync of {wanted:,} entries", sync, "s", "≤ 60", "20", sync <= 60),
        _row("M3", "its rpc meanwhile, p99 of an answer (in the place of a window)", p99,
             "ms", "", "", None),
        _row("G2", f"to find two replicas of {FEEDS:,} feeds equal", equal, "bytes", "< 2048", "", equal < 2048),
        _row("G2", "the same, where one feed differs", one_differs, "bytes", "", "", None),
        _row("G3", f"copies of an entry that a member of {SIMULATED_MEMBERS} sends at most (simulated)", copies,
             "copies", "≤ 6", "", copies <= 6),
    ]  # fmt: skip


def _row(goal: str, what: str, measured: float, unit: str, floor: str, aim: str, met: bool | None) -> Row:
    return Row(goal, what, measured, unit, None, "", None, floor, aim, met)


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def _make_group(peers: list[PeerProcess]) -> str:
    first, *others = peers
    names = [f"m{number}" for number in range(1, len(peers))]
    for name, other in zip(names, others, strict=True):
        befriend(first, other, "m0", name)
    group: str = first.call("groups.create", name="Eight", members=names)["conversation"]
    for other in others:
        other.wait_for("group_changed", lambda event: event["group"]["conversation"] == group)
    for name, other in zip(("m0", *names), peers, strict=True):
        # Everybody hears everybody before the clock starts.
        other.call("messages.send", conversation=group, text=f"hello from {name}")
    for other in peers:
        texts = {f"hello from {name}" for name in ("m0", *names)} - {f"hello from m{peers.index(other)}"}
        for text in texts:
            other.wait_for("message_arrived", lambda e, text=text: e["message"]["text"] == text, wait=60)
    return group


def _round(peers: list[PeerProcess], group: str, round_number: int) -> list[float]:
    """Return the seconds from asking one rpc to write until the last of the others shows it, message by message."""
    taken = []
    for number in range(MESSAGES_A_ROUND):
        text = f"{round_number}.{number}"
        author = peers[number % len(peers)]
        for peer in peers:
            peer.events.clear()
        start = time.perf_counter()
        request = author.post("messages.send", conversation=group, text=text)
        shown = [
            peer.wait_for("message_arrived", lambda e, text=text: e["message"]["text"] == text)["received"]  # type: ignore[misc]
            for peer in peers
            if peer is not author
        ]
        taken.append(max(shown) - start)
        author.take(request)
        # One at a time: let what goes back because of this one be over. "Delivered" would be too long a wait: that all
        # have it is told in bundles, seconds later.
        time.sleep(BETWEEN_SECONDS)
    print(f"round {round_number + 1}: p50 {statistics.median(taken) * 1e3:.1f} ms", file=sys.stderr)
    return taken


def _write_history(writers: list[PeerProcess], group: str) -> int:
    """Have some members write the history; return how many messages the group has then."""
    each = HISTORY // len(writers)
    began = time.perf_counter()
    for start in range(0, each, AT_ONCE):
        asked = [
            (writer, writer.post("messages.send", conversation=group, text=f"history {number} " + "x" * 150))
            for number in range(start, min(each, start + AT_ONCE))
            for writer in writers
        ]
        for writer, request in asked:
            writer.take(request, wait=120)
        for writer in writers:
            writer.events.clear()
    print(f"history: {each * len(writers):,} messages in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    _until_known(writers[0], group, each * len(writers))
    return each * len(writers)


def _until_known(peer: PeerProcess, group: str, wanted: int) -> None:
    """Wait until a member has at least so many messages of others and itself."""
    deadline = time.perf_counter() + SYNC_SECONDS
    own = wanted // WRITERS
    while _unread(peer, group) < wanted - own:
        assert time.perf_counter() < deadline, "the history did not come round"
        peer.events.clear()
        time.sleep(1)


def _unread(peer: PeerProcess, group: str) -> int:
    rows: list[dict[str, Any]] = peer.call("conversations.list")
    return next((row["unread"] for row in rows if row["conversation"] == group), 0)


def _let_in(adder: PeerProcess, newcomer: PeerProcess, group: str, wanted: int) -> tuple[float, list[float]]:
    """Return the seconds until a newcomer has the history, and how long its rpc took to answer meanwhile."""
    answers: list[float] = []
    began = time.perf_counter()
    adder.call("groups.add", conversation=group, user="new")
    while True:
        asked = time.perf_counter()
        held = _unread(newcomer, group)
        now = time.perf_counter()
        answers.append(now - asked)
        if held >= wanted:
            return now - began, answers
        assert now - began < SYNC_SECONDS, f"only {held} of {wanted} came"
        newcomer.events.clear()
        time.sleep(LOOK_SECONDS)


def _bytes_to_compare() -> tuple[int, int]:
    """Return what both sides send, in bytes of frames: where all is equal, and where one feed differs."""
    conversation = ConversationId(bytes(32))
    lines = {line.feed: line for line in map(_line_of, range(FEEDS))}
    digest = digest_of(lines.values())
    hello = len(LINK.encode(Digests((ConversationDigest(conversation, digest.root),))))
    changed = _line_of(0, head=1_001)
    theirs = digest_of({**lines, changed.feed: changed}.values())
    mask = differing_buckets(digest.buckets, theirs.buckets)
    told = sum(
        len(LINK.encode(Lines(conversation, some, part, answer=False)))
        for some, part in split_by_buckets(lines, mask, 256 * 1024)
    )
    buckets = len(LINK.encode(Buckets(conversation, digest.buckets)))
    return 2 * hello, 2 * (hello + buckets + told)


def _line_of(number: int, head: int = 1_000) -> VectorLine:
    feed = FeedId(number.to_bytes(48, "big"))
    return VectorLine(feed, 1, head, EntryHash(head.to_bytes(32, "big")))


def _copies_in_calm() -> int:
    """Return the most copies of one entry that one member sent, of a group where nothing goes wrong."""
    played = subprocess.run(
        [sys.executable, "-m", "tests.simulate", "--seed", "1", "--members", str(SIMULATED_MEMBERS), "--trouble", "0"],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    found = re.search(r"copies (\d+) in calm", played.stdout)
    assert found is not None, played.stdout
    return int(found[1])
