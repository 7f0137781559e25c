"""`hail-cli rpc`: a node driven by lines on standard input, its answers and events on standard output."""

import asyncio
import logging
import os
import signal
import stat
import sys
import threading
from collections import deque
from pathlib import Path
from typing import cast

from peer import limits
from peer.command_line.lines import LineSplitter, Output, answer_line, put_event
from peer.local_socket import LocalSocket
from peer.node import PeerNode

log = logging.getLogger(__name__)
_CHUNK = 64 * 1024


async def serve_rpc(profile: Path) -> int:
    """Serve until the end of standard input, SIGINT or SIGTERM; then sign out cleanly."""
    node = PeerNode(profile)
    output = await _open_output()
    node.subscribe(lambda event: put_event(output, event))
    loop = asyncio.get_running_loop()
    serving = asyncio.current_task()
    assert serving is not None
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, serving.cancel)
    running: set[asyncio.Task[None]] = set()
    try:
        await LocalSocket(profile).serve(node)
        await _serve_lines(node, output, running)
    except asyncio.CancelledError:
        log.info("asked to stop")
    finally:
        if running:
            await asyncio.wait(running, timeout=limits.CLOSING_SECONDS)
        await node.close()
        await output.close()
    return 0


async def _serve_lines(node: PeerNode, output: "Output", running: set[asyncio.Task[None]]) -> None:
    chunks = await _open_input()
    lines = LineSplitter(limits.RPC_LINE_BYTES)
    while chunk := await chunks.next_chunk():
        for line in lines.add(chunk):
            await answer_line(node, output, line, running)


# --- standard input --------------------------------------------------------------------------


class _Chunks(asyncio.Protocol):
    """What standard input gives, at most a few chunks ahead; b"" is its end."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._has_chunk = asyncio.Event()
        self._has_room = asyncio.Event()
        self._transport: asyncio.ReadTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.ReadTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._waiting.append(data)
        self._has_chunk.set()
        if self._transport is not None and len(self._waiting) >= limits.FRAMES_WAITING:
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        self.data_received(b"")

    async def next_chunk(self) -> bytes:
        while not self._waiting:
            self._has_chunk.clear()
            await self._has_chunk.wait()
        if self._transport is not None and len(self._waiting) == limits.FRAMES_WAITING:
            self._transport.resume_reading()
        self._has_room.set()
        return self._waiting.popleft()

    async def room(self) -> None:
        """For a thread that reads: wait until somebody took what it gave."""
        if len(self._waiting) >= limits.FRAMES_WAITING:
            self._has_room.clear()
            await self._has_room.wait()


async def _open_input() -> _Chunks:
    chunks = _Chunks()
    loop = asyncio.get_running_loop()
    if _is_pipe(sys.stdin.fileno()):
        await loop.connect_read_pipe(lambda: chunks, sys.stdin)
    else:
        threading.Thread(target=_read_in_thread, args=(loop, chunks), name="input", daemon=True).start()
    return chunks


def _read_in_thread(loop: asyncio.AbstractEventLoop, chunks: _Chunks) -> None:
    """Read a file or a terminal, which no event loop can watch."""

    async def give(chunk: bytes) -> None:
        await chunks.room()
        chunks.data_received(chunk)

    chunk = b" "
    while chunk:
        chunk = os.read(sys.stdin.fileno(), _CHUNK)
        try:
            asyncio.run_coroutine_threadsafe(give(chunk), loop).result()
        except (RuntimeError, asyncio.CancelledError):
            return


# --- standard output -------------------------------------------------------------------------


async def _open_output() -> Output:
    if _is_pipe(sys.stdout.fileno()):
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout)
        return _PipeOutput(transport)
    return _ThreadOutput()


class _PipeOutput:
    """A pipe, written by the event loop itself: no second thread, the shortest way out."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport

    def put(self, line: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(line + b"\n")

    def is_behind(self) -> bool:
        return self._transport.get_write_buffer_size() > limits.EVENT_BYTES_WAITING

    async def close(self) -> None:
        for _ in range(int(limits.CLOSING_SECONDS * 100)):
            if not self._transport.get_write_buffer_size():
                break
            await asyncio.sleep(0.01)
        self._transport.close()


class _ThreadOutput:
    """A file or a terminal, written by a thread."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._write_all, name="output", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        with self._changed:
            self._lines.append(line + b"\n")
            self._bytes += len(line)
            self._changed.notify()

    def is_behind(self) -> bool:
        return self._bytes > limits.EVENT_BYTES_WAITING

    async def close(self) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join, limits.CLOSING_SECONDS)

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._is_closing)
                if not self._lines:
                    return
                chunk = memoryview(b"".join(self._lines))
                self._lines.clear()
                self._bytes = 0
            try:
                while chunk:
                    chunk = chunk[os.write(sys.stdout.fileno(), chunk) :]
            except OSError:
                return


def _is_pipe(descriptor: int) -> bool:
    """Whether the event loop can watch it, and nobody else is disturbed by its not blocking."""
    mode = os.fstat(descriptor).st_mode
    return sys.platform != "win32" and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))
