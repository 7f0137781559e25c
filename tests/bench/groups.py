"""Groups of real programs: how soon all show a message, what a newcomer waits, what comparing and passing on cost.

There is nothing beside it to compare with: the goals are absolute. What is counted in bytes and copies is the same on
any machine; the times need one that does nothing else, so their rows say how much it had to do when that began.
"""

import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.bench import newcomer
from tests.bench.equal_replicas import FEEDS, bytes_to_compare
from tests.bench.report import Row
from tests.harness.processes import LocatorProcess, PeerProcess, befriend

MEMBERS = 8
MESSAGES_A_ROUND = 100
BETWEEN_SECONDS = 0.05
SHOWN_SECONDS = 60.0
SIMULATED = (8, 20, 40)
SIMULATION_SECONDS = 600.0


def run(folder: Path, rounds: int) -> list[Row]:
    """Measure a group of eight, then a newcomer; then count bytes, copies and messages."""
    wants = f"(wants an idle machine: load {os.getloadavg()[0]:.1f} before)"
    return [
        *_shown(folder / "eight", rounds, wants),
        *_newcomer(folder / "newcomer", wants),
        *_bytes(folder / "replicas"),
        *_costs(),
    ]


def _shown(folder: Path, rounds: int, wants: str) -> list[Row]:
    folder.mkdir()
    locator = LocatorProcess(folder / "locator")
    peers = [PeerProcess(folder / f"m{number}") for number in range(MEMBERS)]
    try:
        for number, peer in enumerate(peers):
            peer.call("session.register", locator=locator.link, user=f"m{number}", password="correct horse", name="M")
        group = _make_group(peers)
        taken = [second for number in range(rounds) for second in _round(peers, group, number)]
    finally:
        for peer in peers:
            peer.close()
        locator.stop()
    middle, late = statistics.median(taken) * 1e3, _percentile(taken, 99) * 1e3
    return [
        _row("G1", f"written to shown at all of {MEMBERS}, p50 {wants}", middle, "ms", "", "", None),
        _row("G1", f"written to shown at all of {MEMBERS}, p99 {wants}", late, "ms", "< 50", "", late < 50),
    ]


def _newcomer(folder: Path, wants: str) -> list[Row]:
    folder.mkdir()
    seen = newcomer.let_in(folder)
    late, wanted, held = seen["late"], seen["wanted"], seen["held"]
    print(
        f"the newcomer's window meanwhile: late by p50 {statistics.median(late) * 1e3:.1f} ms,"
        f" p99 {_percentile(late, 99) * 1e3:.1f} ms, p99.9 {_percentile(late, 99.9) * 1e3:.1f} ms,"
        f" longest {late[-1] * 1e3:.1f} ms of {len(late)} ticks;"
        f" scrolled {seen['frames'] / seen['seconds']:.0f} times a second; {seen['resident_mb']:.0f} MB",
        file=sys.stderr,
    )
    what = f"newcomer's sync of {wanted:,} entries from {newcomer.WRITERS} members into an open window {wants}"
    if held < wanted:
        what += f": only {held:,} came"
    is_whole = wanted >= newcomer.HISTORY
    is_met = held >= wanted and seen["seconds"] <= 60
    # A shorter history, on a machine too busy to write all of it, proves nothing but a failure.
    met = is_met if is_whole or seen["seconds"] > 60 else None
    stalled, opened = _percentile(late, 99.9) * 1e3, seen["open"] * 1e3
    return [
        _row("M3", what, seen["seconds"], "s", "≤ 60", "20", met),
        _row(
            "M3",
            "processor time of the newcomer's program, window and all",
            seen["processor_seconds"],
            "s",
            "",
            "",
            None,
        ),
        _row(
            "M3",
            "its window meanwhile, while somebody scrolls: late by, p99.9",
            stalled,
            "ms",
            "< 50",
            "16",
            stalled < 50,
        ),
        _row("M3", "its window meanwhile: longest stall", late[-1] * 1e3, "ms", "", "50", None),
        _row("M3", "the group opened afterwards, to its first paint", opened, "ms", "< 100", "", opened < 100),
    ]


def _bytes(folder: Path) -> list[Row]:
    folder.mkdir()
    equal, one_differs = bytes_to_compare(folder)
    what = f"two programs find replicas of {FEEDS:,} feeds equal, what both send to compare"
    return [
        _row("G2", what, equal, "bytes", "< 2048", "", equal < 2048),
        _row("G2", "the same, where one feed is one entry longer, the entry aside", one_differs, "bytes", "", "", None),
    ]


def _costs() -> list[Row]:
    """Return what an entry costs the busiest member, in groups where nothing goes wrong (simulated)."""
    rows = []
    for members in SIMULATED:
        copies, messages = _cost_in_calm(members)
        whose = f"of a member of {members} (simulated)"
        rows += [
            _row("G3", f"copies of an entry, at most, {whose}", copies, "copies", "≤ 6", "", copies <= 6),
            _row("G3", f"messages to pass an entry on and tell of it, {whose}", messages, "messages", "", "", None),
        ]
    return rows


def _row(goal: str, what: str, measured: float, unit: str, floor: str, aim: str, met: bool | None) -> Row:
    return Row(goal, what, measured, unit, None, "", None, floor, aim, met)


def _percentile(values: list[float], percent: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


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
            _shown_at(other, text)
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
        shown = [_shown_at(peer, text) for peer in peers if peer is not author]
        taken.append(max(shown) - start)
        author.take(request)
        # One at a time: let what goes back because of this one be over. "Delivered" would be too long a wait: that all
        # have it is told in bundles, seconds later.
        time.sleep(BETWEEN_SECONDS)
    print(f"round {round_number + 1}: p50 {statistics.median(taken) * 1e3:.1f} ms", file=sys.stderr)
    return taken


def _shown_at(peer: PeerProcess, text: str) -> float:
    event = peer.wait_for("message_arrived", lambda e: e["message"]["text"] == text, wait=SHOWN_SECONDS)
    received: float = event["received"]
    return received


def _cost_in_calm(members: int) -> tuple[int, float]:
    """Return the most copies of an entry that one sent, and the messages that the busiest sent for an entry."""
    played = subprocess.run(
        [
            sys.executable, "-m", "tests.simulate",
            "--seed", "1", "--members", str(members), "--trouble", "0", "--liars", "none",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=SIMULATION_SECONDS,
    )  # fmt: skip
    found = re.search(r"copies (\d+) in calm.* ([\d.]+) messages of one member", played.stdout)
    assert found is not None, played.stdout
    return int(found[1]), float(found[2])
