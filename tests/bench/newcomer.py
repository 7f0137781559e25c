"""What a newcomer to a group with a long history waits for it, and how their window does meanwhile."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.harness.processes import PASSWORD, LocatorProcess, PeerProcess, befriend

HISTORY = 100_000
WRITERS = 4
"""Who wrote the history, and gives it: the newcomer is linked with all of them."""
AT_ONCE = 500
"""Messages that each writer is asked for before the first answer is waited for."""
WRITING_SECONDS = 400.0
"""The history is written for no longer than this: on a busy machine it gets shorter, and the row says so."""
ANSWER_SECONDS = 120.0
SPREAD_SECONDS = 300.0
"""The first writer is waited for no longer than this, to have what the others wrote."""
FIRST_TALK = 2_000
"""Messages in the conversation in which the newcomer scrolls meanwhile."""
LONGEST_SECONDS = 400.0
"""Whatever happens, the newcomer's program is ended then."""


def let_in(folder: Path) -> dict[str, Any]:
    """Have some write the history of a group, add somebody whose window is open, and return what that window saw.

    That is what `tests.bench.newcomer_window` finds, and how many messages were `wanted`.
    """
    locator = LocatorProcess(folder / "locator")
    writers = [PeerProcess(folder / f"m{number}") for number in range(WRITERS)]
    newcomer = PeerProcess(folder / "new")
    try:
        names = ["ana", *(f"m{number}" for number in range(1, WRITERS)), "new"]
        first, *others = peers = (*writers, newcomer)
        for name, peer in zip(names, peers, strict=True):
            peer.call("session.register", locator=locator.link, user=name, password=PASSWORD, name=name)
        talk = [befriend(first, peer, "ana", name) for name, peer in zip(names[1:], others, strict=True)][-1]
        group: str = first.call("groups.create", name="Long", members=names[1:-1])["conversation"]
        for writer in writers[1:]:
            writer.wait_for("group_changed", lambda event: event["group"]["conversation"] == group)
        _talk(first, newcomer, talk)
        newcomer.close()
        wanted = _write(writers, group)
        return {"wanted": wanted, **_arrive(first, folder / "new", group, wanted)}
    finally:
        for peer in (*writers, newcomer):
            if peer.process.poll() is None:
                peer.close()
        locator.stop()


def _talk(first: PeerProcess, newcomer: PeerProcess, conversation: str) -> None:
    """Have something to scroll in, all of it read."""
    for _ in range(0, FIRST_TALK, AT_ONCE):
        asked = [first.post("messages.send", conversation=conversation, text=f"{n} words") for n in range(AT_ONCE)]
        last = [first.take(request, wait=ANSWER_SECONDS)["entry"] for request in asked][-1]
    newcomer.wait_for("message_arrived", lambda event: event["message"]["entry"] == last, wait=ANSWER_SECONDS)
    newcomer.call("messages.read", conversation=conversation, entry=last)


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
    deadline = time.perf_counter() + SPREAD_SECONDS
    while (held := _unread(writers[0], group)) < each * (len(writers) - 1) and time.perf_counter() < deadline:
        writers[0].events.clear()
        time.sleep(1)
    return each + held


def _arrive(adder: PeerProcess, profile: Path, group: str, wanted: int) -> dict[str, Any]:
    """Start the newcomer's window, add them when it is ready, and return what it found."""
    found = profile.with_name("found.json")
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.newcomer_window", str(profile), str(found), str(wanted)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "HAIL_PASSWORD": PASSWORD},
    )
    assert program.stdout is not None
    with program:
        user = json.loads(program.stdout.readline())["add"]
        adder.call("groups.add", conversation=group, user=user)
        try:
            program.wait(LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            program.kill()
    if not found.exists():
        raise RuntimeError(f"the newcomer's window ended with {program.returncode} before it had measured everything")
    result: dict[str, Any] = json.loads(found.read_text())
    return result


def _unread(peer: PeerProcess, group: str) -> int:
    return next((row["unread"] for row in peer.call("conversations.list") if row["conversation"] == group), 0)
