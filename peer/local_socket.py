"""One running instance a profile: whoever has it open answers other programs of the same person on a local socket.

A lock tells who that is, so what a killed program left behind is never taken for a living one. The address stands in
`socket.json`: a Unix socket in the profile, or in a short place where that path is too long; on Windows a port of the
loopback and a random token. Spoken is the JSON-RPC of `hail-cli rpc`, events included.
"""

import asyncio
import contextlib
import hmac
import json
import logging
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from peer import limits
from peer.private_files import lock_file, write_private_file

if TYPE_CHECKING:
    from peer.node import PeerNode

log = logging.getLogger(__name__)
_CHUNK = 64 * 1024
_TOKEN_CHARACTERS = 64
_NAME, _PREFIX = "hail.sock", "hail-socket-"


class _Address(msgspec.Struct, frozen=True):
    """Where the socket is: a path, or a port and what must be said first there."""

    path: str = ""
    port: int = 0
    token: str = ""


class LocalSocket:
    """The door of a profile. `claim` it, then `serve` a node on it; closing the node closes it."""

    def __init__(self, profile: Path, *, by_port: bool = sys.platform == "win32") -> None:
        self._profile = profile
        self._raise_window: Callable[[], None] | None = None
        self._by_port = by_port
        self._lock: IO[bytes] | None = None
        self._token = ""
        self._socket_path: Path | None = None
        self._server: asyncio.Server | None = None
        self._callers: set[asyncio.Task[None]] = set()
        self._waiting: asyncio.Task[None] | None = None

    def claim(self) -> bool:
        """Become the one instance of this profile; False if another one is, or the folder cannot be written."""
        try:
            self._profile.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = (self._profile / "socket.lock").open("ab")
        except OSError as error:
            log.info("no local socket: %s", error)
            return False
        try:
            lock_file(file)
        except OSError:
            file.close()
            return False
        self._lock = file
        return True

    async def serve(self, node: "PeerNode", *, raise_window: Callable[[], None] | None = None) -> None:
        """Answer callers from now on, or as soon as the program that does so now has ended.

        `raise_window` is called on the node's thread when the profile is opened a second time.
        """
        self._raise_window = raise_window
        node.close_with(self.close)
        if self._lock is not None or self.claim():
            await self._open(node)
        else:
            self._waiting = asyncio.create_task(self._open_when_free(node), name="waiting for the local socket")

    async def _open_when_free(self, node: "PeerNode") -> None:
        while not self.claim():  # noqa: ASYNC110 - a lock on a file tells nobody that it is free
            await asyncio.sleep(limits.CLAIM_AGAIN_SECONDS)
        await self._open(node)

    async def _open(self, node: "PeerNode") -> None:
        try:
            listening = self._listen()
            self._server = await (asyncio.start_server if self._by_port else asyncio.start_unix_server)(
                lambda reader, writer: self._caller_came(node, reader, writer), sock=listening
            )
        except OSError as error:
            log.warning("other programs cannot use this profile while it is open: %s", error)

    async def close(self) -> None:
        """Hang up and let another program have the profile."""
        await _end([self._waiting] if self._waiting else [])
        if self._server is not None:
            self._server.close()
        await _end(list(self._callers))
        if self._lock is None:
            return
        _address_file(self._profile).unlink(missing_ok=True)
        if self._socket_path is not None:
            _remove_socket(self._socket_path)
        self._lock.close()
        self._lock = None

    # --- inside ------------------------------------------------------------------------------

    def _listen(self) -> socket.socket:
        if self._by_port:
            listening = socket.create_server(("127.0.0.1", 0))
            self._token = secrets.token_hex(_TOKEN_CHARACTERS // 2)
            address = _Address(port=listening.getsockname()[1], token=self._token)
        else:
            # We have the lock, so whatever is there was left by a program that was killed.
            if (left := _read_address(self._profile)) is not None and Path(left.path).name == _NAME:
                _remove_socket(Path(left.path))
            self._socket_path = _short_path(self._profile)
            self._socket_path.unlink(missing_ok=True)
            listening = socket.socket(socket.AF_UNIX)
            try:
                if sys.platform == "linux":
                    os.fchmod(listening.fileno(), 0o600)  # the file is made with these rights; others refuse that
                listening.bind(str(self._socket_path))
                self._socket_path.chmod(0o600)
                listening.listen(limits.LOCAL_CALLERS)
            except OSError:
                listening.close()
                raise
            address = _Address(path=str(self._socket_path))
        write_private_file(_address_file(self._profile), msgspec.json.encode(address))
        return listening

    def _caller_came(self, node: "PeerNode", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._callers) >= limits.LOCAL_CALLERS:
            writer.close()
            return
        task = asyncio.create_task(self._serve_caller(node, reader, writer))
        self._callers.add(task)
        task.add_done_callback(self._callers.discard)

    async def _serve_caller(self, node: "PeerNode", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await self._is_one_of_us(reader):
                await self._answer_lines(node, reader, writer)
        except OSError as error:
            log.info("a local program went away: %s", error)
        except Exception:
            log.exception("a local program could not be served")
        finally:
            writer.close()

    async def _is_one_of_us(self, reader: asyncio.StreamReader) -> bool:
        if not self._token:
            return True  # a Unix socket is guarded by its rights
        try:
            async with asyncio.timeout(limits.LOCAL_ANSWER_SECONDS):
                said = await reader.readexactly(_TOKEN_CHARACTERS + 1)
        except (TimeoutError, asyncio.IncompleteReadError):
            return False
        return hmac.compare_digest(said.strip(), self._token.encode())

    async def _answer_lines(self, node: "PeerNode", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from peer.command_line.json_rpc import METHODS, Method
        from peer.command_line.lines import LineSplitter, answer_line, put_event
        from peer.command_line.parameters import Parameters

        methods = METHODS
        if self._raise_window is not None:
            methods = METHODS | {"window.raise": Method(Parameters, lambda _, __: self._raise())}
        output = _StreamOutput(writer)
        unsubscribe = node.subscribe(lambda event: put_event(output, event))
        lines = LineSplitter(limits.RPC_LINE_BYTES)
        running: set[asyncio.Task[None]] = set()
        try:
            while chunk := await reader.read(_CHUNK):
                for line in lines.add(chunk):
                    await answer_line(node, output, line, running, methods)
                await writer.drain()
            if running:
                await asyncio.wait(running, timeout=limits.CLOSING_SECONDS)
        finally:
            unsubscribe()
            for task in running:
                task.cancel()

    async def _raise(self) -> bool:
        assert self._raise_window is not None
        self._raise_window()
        return True


class _StreamOutput:
    """Lines to one caller; see `lines.Output`."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def put(self, line: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(line + b"\n")

    def is_behind(self) -> bool:
        return self._writer.transport.get_write_buffer_size() > limits.EVENT_BYTES_WAITING

    async def close(self) -> None:
        self._writer.close()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def connect(profile: Path) -> socket.socket | None:
    """Return a connection to the program that has the profile open, ready for requests; None if there is none."""
    address = _read_address(profile)
    if address is None:
        return None
    connection = socket.socket(socket.AF_UNIX if address.path else socket.AF_INET)
    try:
        connection.settimeout(limits.LOCAL_ANSWER_SECONDS)
        if address.path:
            connection.connect(address.path)
        else:
            connection.connect(("127.0.0.1", address.port))
            connection.sendall(address.token.encode() + b"\n")
    except (OSError, OverflowError, ValueError) as error:
        log.info("nobody answers at the local socket of this profile: %s", error)
        connection.close()
        return None
    return connection


def raise_open_window(profile: Path) -> bool:
    """Ask the window that has the profile open to come to the front; False if no window answers in time."""
    until = time.monotonic() + limits.LOCAL_ANSWER_SECONDS
    while (connection := connect(profile)) is None:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)  # it may be starting
    request = {"jsonrpc": "2.0", "id": 1, "method": "window.raise"}
    try:
        with connection, connection.makefile("rwb") as lines:
            lines.write(json.dumps(request).encode() + b"\n")
            lines.flush()
            while time.monotonic() < until and (line := lines.readline()):
                answer = json.loads(line)
                if answer.get("id") == 1:
                    return bool(answer.get("result"))
    except (OSError, ValueError) as error:
        log.info("the program that has the profile open did not answer: %s", error)
    return False


def _address_file(profile: Path) -> Path:
    return profile / "socket.json"


def _read_address(profile: Path) -> _Address | None:
    try:
        return msgspec.json.decode(_address_file(profile).read_bytes(), type=_Address)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _remove_socket(path: Path) -> None:
    """Remove a socket, and its folder if that was made for it alone."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        if path.parent.name.startswith(_PREFIX):
            path.parent.rmdir()


def _short_path(profile: Path) -> Path:
    path = profile.resolve() / _NAME
    if len(os.fsencode(path)) <= limits.SOCKET_PATH_BYTES:
        return path
    return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=os.environ.get("XDG_RUNTIME_DIR") or None)) / _NAME
