"""Goals P2 to P6 and P10: the real program, a profile of 100,000 messages, and a friend's real peer that writes."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.report import Row
from tests.harness.processes import PASSWORD, LocatorProcess, PeerProcess, befriend

MESSAGES = 100_000
FLOOD_PER_SECOND = 1_000
_BATCH = 600
_TURN_SECONDS = 0.005
_TEXTS = (
    "ok",
    "Sure, let's meet at 10:30 and go through the plan; I have three open questions about the lab.",
    "新的深色主题，看看怎么样？请看 https://example.com/slides 然后告诉我。",
    "👍",
    "Two lines\nand a link: www.example.org/a_(b), with more words behind it so that the line has to be broken.",
    "see you",
)


class Friend:
    """Ana's peer, a process of its own, and what it has written to Bo."""

    def __init__(self, peer: PeerProcess, conversation: str) -> None:
        self.peer = peer
        self.conversation = conversation
        self._written = 0

    def post(self) -> int:
        """Write the next message, without waiting."""
        return post(self.peer, self.conversation, self._next())

    def write(self, count: int) -> str:
        """Write messages as fast as they are taken; return the last one."""
        requests = [self.post() for _ in range(count)]
        return self._last(requests)

    def flood(self, seconds: float) -> str:
        """Write 1,000 messages a second; return the last one."""
        requests: list[int] = []
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            while len(requests) < passed * FLOOD_PER_SECOND:
                requests.append(self.post())
            time.sleep(_TURN_SECONDS)
        return self._last(requests)

    def _next(self) -> int:
        self._written += 1
        return self._written

    def _last(self, requests: list[int]) -> str:
        entries = [self.peer.take(request)["entry"] for request in requests]
        self.peer.events.clear()
        return str(entries[-1])


def post(peer: PeerProcess, conversation: str, number: int) -> int:
    text = f"{number} {_TEXTS[number % len(_TEXTS)]}"
    return peer.post("messages.send", conversation=conversation, text=text)


def run(folder: Path, rounds: int) -> list[Row]:
    """Fill a profile, start the program on it several times, and spend an evening with it the last time."""
    locator = LocatorProcess(folder / "locator")
    ana, bo = PeerProcess(folder / "ana"), PeerProcess(folder / "bo")
    try:
        for peer, user in ((ana, "ana"), (bo, "bo")):
            peer.call("session.register", locator=locator.link, user=user, password=PASSWORD, name=user.title())
        friend = Friend(ana, befriend(ana, bo, "ana", "bo"))
        newest = _fill(friend, bo)
        bo.close()
        at_unread = _start(folder / "bo", friend)
        bo = PeerProcess(folder / "bo")
        bo.call("session.login", locator=locator.link, user="bo", password=PASSWORD)
        bo.call("messages.read", conversation=friend.conversation, entry=newest)
        bo.close()
        starts = [_start(folder / "bo", friend) for _ in range(rounds - 1)]
        starts.append(evening := _start(folder / "bo", friend, "--whole-evening"))
    finally:
        if bo.process.poll() is None:
            bo.kill()
        ana.close()
        locator.stop()
    return _rows(at_unread, starts, evening)


def _fill(friend: Friend, bo: PeerProcess) -> str:
    """Let Ana write two of three messages and Bo the third, until there are 100,000; return the last one."""
    began = time.monotonic()
    for _ in range(0, MESSAGES, _BATCH):
        mine = [post(bo, friend.conversation, number) for number in range(_BATCH // 3)]
        friend.write(_BATCH - len(mine))
        for request in mine:
            bo.take(request)
    newest = friend.write(1)
    bo.wait_for("message_arrived", lambda event: event["message"]["entry"] == newest, wait=120)
    print(f"filled with {MESSAGES:,} messages in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return newest


def _start(profile: Path, friend: Friend, *flags: str) -> dict[str, Any]:
    """Start the program, let Ana write whenever it asks for it, and return what it found."""
    found = profile.with_name("found.json")
    found.unlink(missing_ok=True)
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.window_process", str(profile), str(found), *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "HAIL_PASSWORD": PASSWORD},
    )
    assert program.stdin is not None
    assert program.stdout is not None
    with program:
        for line in program.stdout:
            request = json.loads(line)
            entry = friend.flood(request["flood"]) if "flood" in request else friend.write(request["write"])
            program.stdin.write(json.dumps({"entry": entry}) + "\n")
            program.stdin.flush()
    if not found.exists():
        raise RuntimeError(f"the program ended with {program.returncode} before it had measured everything")
    result: dict[str, Any] = json.loads(found.read_text())
    return result


def _rows(at_unread: dict[str, Any], starts: list[dict[str, Any]], evening: dict[str, Any]) -> list[Row]:
    opened = [start["open"] for start in starts]
    frames, quiet = sorted(evening["frames"]), evening["quiet"]
    following, above = evening["following"], evening["above"]
    idle, late = statistics.median(start["idle_mb"] for start in starts), evening["late_mb"]
    for what in ("quiet", "following", "above"):
        print(_more(what, evening[what]), file=sys.stderr)
    print(_more("frames", frames), file=sys.stderr)
    print(f"the first shown of all unread: {at_unread['first_shown']!r}", file=sys.stderr)
    print(f"signed in, nothing open: {evening['signed_in_mb']:.0f} MB", file=sys.stderr)
    many = f"{MESSAGES:,}"
    return [
        _goal("P2", f"open one of {many} to its first paint, worst of {len(opened)} cold starts", max(opened), 100),
        _goal("P2", "the same with two of three unread, at the first of them", at_unread["open"], 100),
        _goal("P3", "scroll frame p50", statistics.median(frames), 6),
        _goal("P3", "scroll frame p99", _share(frames, 0.99), 16),
        _goal("P4", "append and paint p50, network thread to screen", statistics.median(evening["append"]), 10),
        _goal("P5", f"resize and paint, worst of {len(evening['resize'])}", max(evening["resize"]), 50),
        _goal("P6", "worst stall at 1,000 messages/s for 10 s, following", following[-1], 16, quiet[-1]),
        _goal("P6", "the same while reading further up", above[-1], 16, quiet[-1]),
        _memory("resident, one conversation open, idle", idle),
        _memory("resident after all of the above", late),
    ]


def _memory(what: str, megabytes: float) -> Row:
    return Row("P10", what, megabytes, "MB", None, "", None, "< 180", "113", megabytes < 180)


def _goal(goal: str, what: str, seconds: float, most_ms: float, idle_seconds: float | None = None) -> Row:
    measured = seconds * 1e3
    idle = None if idle_seconds is None else idle_seconds * 1e3
    ratio = measured / idle if idle else None
    return Row(goal, what, measured, "ms", idle, "nothing happens", ratio, f"< {most_ms:g} ms", "", measured < most_ms)


def _share(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _more(what: str, ordered: list[float]) -> str:
    shares = ", ".join(f"p{share * 100:g} {_share(ordered, share) * 1e3:.1f}" for share in (0.5, 0.99, 0.999, 1.0))
    return f"{what}: {shares} ms of {len(ordered)}"
