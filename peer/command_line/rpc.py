"""`hail-cli rpc`: a node driven by lines on standard input, its answers and events on standard output."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections import deque
from pathlib import Path

from peer import limits
from peer.command_line.json_rpc import answer, notification, overlong
from peer.events import Event
from peer.node import PeerNode

log = logging.getLogger(__name__)


class _Output:
    """Lines for standard output, in order, written by a thread so that a slow reader stops nobody.

    Answers are never dropped; of events only the latest are kept, as the contract says (at most once).
    """

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._events_waiting = 0
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._write_all, name="output", daemon=True)
        self._thread.start()

    def put_answer(self, line: bytes) -> None:
        with self._changed:
            self._lines.append(line)
            self._changed.notify()

    def put_event(self, event: Event) -> None:
        with self._changed:
            if len(self._lines) < limits.EVENTS_WAITING:
                self._lines.append(notification(event))
                self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(limits.CLOSING_SECONDS)

    def _write_all(self) -> None:
        while True:
            with self._changed:
                while not self._lines and not self._is_closing:
                    self._changed.wait()
                if not self._lines:
                    return
                chunk = b"".join(line + b"\n" for line in self._lines)
                self._lines.clear()
            try:
                _write_fully(chunk)
            except OSError:
                return


def _write_fully(chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(sys.stdout.fileno(), view) :]


async def serve_rpc(profile: Path) -> int:
    """Serve until the end of standard input, SIGINT or SIGTERM; then sign out cleanly."""
    node = PeerNode(profile)
    output = _Output()
    node.subscribe(output.put_event)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    lines: asyncio.Queue[bytes] = asyncio.Queue(maxsize=limits.FRAMES_WAITING)
    threading.Thread(target=_read_lines, args=(loop, lines), name="input", daemon=True).start()
    running: set[asyncio.Task[None]] = set()
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            reading = asyncio.create_task(lines.get())
            await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                reading.cancel()
                break
            line = reading.result()
            if not line:
                break
            await _answer_line(node, output, line, running)
    finally:
        stopping.cancel()
        if running:
            await asyncio.wait(running, timeout=limits.CLOSING_SECONDS)
        await node.close()
        output.close()
    return 0


async def _answer_line(node: PeerNode, output: _Output, line: bytes, running: set[asyncio.Task[None]]) -> None:
    """Answer beside others, so that one slow request holds up none; at most so many at once."""

    async def work() -> None:
        if len(line) > limits.RPC_LINE_BYTES:
            output.put_answer(overlong())
        elif line.strip() and (reply := await answer(node, line)) is not None:
            output.put_answer(reply)

    if len(running) >= limits.RPC_REQUESTS_AT_ONCE:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    task = asyncio.create_task(work())
    running.add(task)
    task.add_done_callback(running.discard)


def _read_lines(loop: asyncio.AbstractEventLoop, lines: "asyncio.Queue[bytes]") -> None:
    """Read standard input in a thread: its end is an empty line in the queue."""
    while True:
        line = sys.stdin.buffer.readline(limits.RPC_LINE_BYTES + 1)
        if len(line) > limits.RPC_LINE_BYTES and not line.endswith(b"\n"):
            while (rest := sys.stdin.buffer.readline(limits.RPC_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
        try:
            asyncio.run_coroutine_threadsafe(lines.put(line), loop).result()
        except (RuntimeError, asyncio.CancelledError):
            return
        if not line:
            return
