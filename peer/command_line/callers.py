"""How a one-shot verb reaches a node: through the local socket of whoever has the profile open, or by one of its own.

Both speak the same JSON-RPC, so that a verb cannot tell which it is.
"""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

from peer import limits
from peer.command_line.json_rpc import answer, notification
from peer.command_line.lines import LineSplitter
from peer.errors import Refusal, RefusalCode
from peer.events import Event
from peer.local_socket import LocalSocket, connect
from peer.node import PeerNode
from peer.views import SessionView

_CHUNK = 64 * 1024
Json = Any  # what JSON can hold


class Caller(Protocol):
    """Calls methods of the rpc, and hears events."""

    async def call(self, method: str, **parameters: Json) -> Json:
        """Return the result; raise Refusal for an error."""

    async def next_event(self) -> dict[str, Json]:
        """Return the next event's `params`; raise Refusal when there will be no more."""


@contextlib.asynccontextmanager
async def signed_in(profile: Path) -> AsyncIterator[Caller]:
    """Give the account that last logged in on this profile, signed in."""
    async with any_caller(profile) as caller:
        if isinstance(caller, _OwnNode):
            await caller.sign_in()
        elif isinstance(caller, _ThroughSocket):
            try:
                async with asyncio.timeout(limits.LOCAL_ANSWER_SECONDS):
                    session = await caller.call("session.status")
            except TimeoutError:
                raise _busy() from None
            if session is None:
                raise Refusal(
                    RefusalCode.NOT_SIGNED_IN,
                    "Nobody is signed in in the program that has this profile open. Sign in there, or close it.",
                )
            if session["connected"]:
                caller.take_event({"type": "connected", "session": session})  # as a node of our own tells it first
        yield caller


@contextlib.asynccontextmanager
async def any_caller(profile: Path) -> AsyncIterator[Caller]:
    """Give whatever reaches a node of this profile, signed in or not."""
    door = LocalSocket(profile)
    loop = asyncio.get_running_loop()
    until = loop.time() + limits.PROFILE_WAIT_SECONDS
    while not door.claim():
        if (connection := connect(profile)) is not None:
            async with _through(connection) as caller:
                yield caller
            return
        if loop.time() > until:
            raise _busy()
        await asyncio.sleep(0.05)
    node = PeerNode(profile)
    own = _OwnNode(node, door)
    try:
        yield own
    finally:
        await node.close()
        await door.close()


class _OwnNode:
    """A node in this very process."""

    def __init__(self, node: PeerNode, door: LocalSocket) -> None:
        self._node = node
        self._door = door
        self._events: asyncio.Queue[dict[str, Json]] = asyncio.Queue(limits.EVENTS_WAITING)
        node.subscribe(self._take_event)

    async def sign_in(self) -> None:
        """Sign in with the kept key or HAIL_PASSWORD; raise Refusal if this device cannot be the active one."""
        view = await self._node.sign_in_again()
        account, password = self._node.last_account(), os.environ.get("HAIL_PASSWORD")
        if view is None and account is not None and password:
            view = await self._node.log_in(account.locator, account.user, password, stay_signed_in=None)
        if view is None:
            raise Refusal(
                RefusalCode.NOT_SIGNED_IN,
                "Nobody stays signed in on this profile. Run hail-cli login URL ID first, or set HAIL_PASSWORD.",
            )
        _check_active(view)

    async def serve_others(self) -> None:
        """Let other verbs in, for as long as this one runs."""
        await self._door.serve(self._node)

    async def call(self, method: str, **parameters: Json) -> Json:
        reply = await answer(self._node, _request(1, method, parameters))
        return _result_of(json.loads(reply or b"{}"))

    async def next_event(self) -> dict[str, Json]:
        return await self._events.get()

    def _take_event(self, event: Event) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # events come at most once
            self._events.put_nowait(json.loads(notification(event))["params"])


async def serve_others(caller: Caller) -> None:
    """Let other verbs in for as long as this one runs, if it has a node of its own."""
    if isinstance(caller, _OwnNode):
        await caller.serve_others()


@contextlib.asynccontextmanager
async def _through(connection: socket.socket) -> AsyncIterator[Caller]:
    connection.setblocking(False)
    open_connection = asyncio.open_unix_connection if connection.family != socket.AF_INET else asyncio.open_connection
    reader, writer = await open_connection(sock=connection)
    caller = _ThroughSocket(writer)
    reading = asyncio.create_task(caller.read(reader), name="local socket")
    try:
        yield caller
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class _ThroughSocket:
    """The node of another process, through its local socket."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._number = 0
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._events: asyncio.Queue[dict[str, Json] | None] = asyncio.Queue(limits.EVENTS_WAITING)
        self._is_gone = False

    async def call(self, method: str, **parameters: Json) -> Json:
        if self._is_gone:
            raise _gone()
        self._number += 1
        future = self._answers[self._number] = asyncio.get_running_loop().create_future()
        self._writer.write(_request(self._number, method, parameters) + b"\n")
        return _result_of(await future)

    async def next_event(self) -> dict[str, Json]:
        if self._is_gone and self._events.empty():
            raise _gone()
        event = await self._events.get()
        if event is None:
            raise _gone()
        return event

    def take_event(self, event: dict[str, Json]) -> None:
        """Queue an event; they come at most once, so what finds no room is dropped."""
        with contextlib.suppress(asyncio.QueueFull):
            self._events.put_nowait(event)

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Sort what comes into answers and events, until the other program hangs up."""
        lines = LineSplitter(limits.LOCAL_LINE_BYTES)
        try:
            while chunk := await reader.read(_CHUNK):
                for line in lines.add(chunk):
                    self._take(json.loads(line or b"{}"))
        except (OSError, ValueError):
            pass  # as good as gone
        finally:
            self._is_gone = True
            for future in self._answers.values():
                if not future.done():
                    future.set_exception(_gone())
            with contextlib.suppress(asyncio.QueueFull):
                self._events.put_nowait(None)

    def _take(self, message: dict[str, Json]) -> None:
        if message.get("method") == "event":
            self.take_event(message["params"])
        elif (future := self._answers.pop(message.get("id") or 0, None)) is not None and not future.done():
            future.set_result(message)


def _request(number: int, method: str, parameters: dict[str, Json]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}).encode()


def _result_of(reply: dict[str, Json]) -> Json:
    error = reply.get("error")
    if error is not None:
        raise Refusal(RefusalCode.from_wire(error["data"]["code"]), error["message"])
    return reply.get("result")


def _busy() -> Refusal:
    return Refusal(
        RefusalCode.PROFILE_IN_USE, "Another program has this profile open and does not answer. Close that one."
    )


def _gone() -> Refusal:
    return Refusal(
        RefusalCode.REFUSED, "The program that had this profile open has closed. Run this again to go on without it."
    )


def _check_active(view: SessionView) -> None:
    if view.superseded:
        raise Refusal(
            RefusalCode.SUPERSEDED,
            f"{view.user} is active on another device. Run hail-cli login to be active on this one.",
        )
    if view.must_sign_in:
        raise Refusal(
            RefusalCode.UNKNOWN_DEVICE,
            f"The locator takes this device no more. Run hail-cli login {view.locator} {view.user} with the password.",
        )
