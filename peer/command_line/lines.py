"""Lines of JSON-RPC in, lines out: what standard input and the local socket have in common."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from peer import limits
from peer.command_line.json_rpc import METHODS, Method, answer, notification, overlong
from peer.events import CallLevels, Event, VoiceTried
from peer.node import PeerNode


class Output(Protocol):
    """Lines out, in order, without ever making the node wait."""

    def put(self, line: bytes) -> None:
        """Write a line soon."""

    def is_behind(self) -> bool:
        """Whether so much waits that events (which come at most once) are dropped."""

    async def close(self) -> None:
        """Write what waits, within a few seconds."""


def put_event(output: Output, event: Event) -> None:
    """Tell of an event, unless the reader has fallen too far behind; meters, 20 a second, are for screens only."""
    if not isinstance(event, CallLevels | VoiceTried) and not output.is_behind():
        output.put(notification(event))


async def answer_line(
    node: PeerNode,
    output: Output,
    line: bytes | None,
    running: set[asyncio.Task[None]],
    methods: Mapping[str, Method[Any]] = METHODS,
) -> None:
    """Answer beside others, so that one slow request holds up none; at most so many at once."""

    async def work() -> None:
        if line is None:
            output.put(overlong())
        elif line.strip() and (reply := await answer(node, line, methods)) is not None:
            output.put(reply)

    if len(running) >= limits.RPC_REQUESTS_AT_ONCE:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    task = asyncio.create_task(work())
    running.add(task)
    task.add_done_callback(running.discard)


class LineSplitter:
    """Cuts a stream into lines; of one longer than the limit only the fact is kept (None)."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = b""
        self._is_overlong = False

    def add(self, chunk: bytes) -> list[bytes | None]:
        """Return the lines that `chunk` completes, without their ends."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        lines: list[bytes | None] = [line if len(line) <= self._longest else None for line in whole]
        if lines and self._is_overlong:
            lines[0] = None
            self._is_overlong = False
        if len(self._rest) > self._longest:
            self._rest = b""
            self._is_overlong = True
        return lines
