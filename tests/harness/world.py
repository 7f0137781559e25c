"""Two nodes and a locator in one process, in virtual time, on a network in memory: the fixture `linked_peers`."""

import asyncio
import gc
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import locator.server
from locator.accounts import PasswordPool
from locator.authority import Authority
from locator.connection import Connection
from locator.requests import Requests
from locator.server import LocatorServer
from locator.stores.memory_and_sqlite import MemoryAndSqlite
from peer.events import Event
from peer.node import PeerNode
from peer.surroundings import Surroundings
from peer.views import ConversationId
from tests.harness.memory_wire import MemoryNetwork
from tests.harness.virtual_time import Clock, InlineExecutor
from tests.harness.voices import VoiceNetwork

PASSWORD = "correct horse"
LOCATOR_HOST, LOCATOR_PORT = "10.0.0.254", 7400


@dataclass
class Person:
    """A node, where it lives, and what it told."""

    name: str
    node: PeerNode
    clock: Clock
    events: list[Event] = field(default_factory=list)

    def told(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.type == kind]

    async def texts(self, conversation: ConversationId) -> list[str]:
        """Return what people wrote; not what happened to the group."""
        shown = await self.node.messages(conversation, limit=1000)
        return [message.text for message in shown if message.membership is None]


LinkedPeers = Callable[..., Awaitable[tuple[Person, Person, ConversationId]]]


class World:
    """Everything that a test of the node needs, without a thread, a socket or a wait."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.network = MemoryNetwork()
        self.voices = VoiceNetwork()
        self.people: dict[str, Person] = {}
        self.workers: dict[str, Executor] = {}
        """Threads, by name, that are not to do everything at once."""
        self._hosts: dict[str, str] = {}
        self._monkeypatch = monkeypatch
        self._closing: list[Callable[[], Awaitable[Any]]] = []
        self.server: LocatorServer
        self.link = ""

    async def start_locator(self) -> None:
        loop = asyncio.get_running_loop()
        clock = Clock(loop)
        self._monkeypatch.setattr(locator.server, "_monotonic", loop.time)
        self._monkeypatch.setattr(locator.server, "_wall", lambda: clock().timestamp())
        folder = self.folder / "locator"
        folder.mkdir(exist_ok=True)
        authority = Authority.open_or_create(folder / "authority.pem", clock())
        passwords = PasswordPool()
        passwords._executor = InlineExecutor()  # type: ignore[assignment]
        store = MemoryAndSqlite(folder)
        store._thread = InlineExecutor()  # type: ignore[assignment]
        self._closing.append(store.close)
        self.server = LocatorServer(Requests(store, authority, registration_open=True), authority, passwords, store)
        self.network.serve_tls(LOCATOR_HOST, LOCATOR_PORT, lambda: Connection(self.server), self.server._context)
        self.link = f"hail://{LOCATOR_HOST}:{LOCATOR_PORT}#{authority.realm.hex()}"

    def stop_locator(self) -> None:
        self.network.servers.clear()
        self.network.hang_up(LOCATOR_HOST)

    def host(self, name: str) -> str:
        """Return the address at which a person of that name lives."""
        return self._hosts.setdefault(name, f"10.0.0.{len(self._hosts) + 1}")

    def person(self, name: str, *, host: str = "", profile: str = "", clock_error: timedelta = timedelta(0)) -> Person:
        """Make a node that is not signed in. `host` and `profile` default to the name."""
        clock = Clock(asyncio.get_running_loop(), clock_error)
        surroundings = Surroundings(
            wire=self.network.wire(self.host(host or name)),
            now=clock,
            chance=random.Random(name),
            worker=lambda name: self.workers.get(name) or InlineExecutor(),
            downloads=lambda: self.folder / f"downloads of {profile or name}",
            abandonable_worker=lambda _: InlineExecutor(),
            call_voice=self.voices.maker(self.host(host or name)),
        )
        person = Person(name, PeerNode(self.folder / (profile or name), surroundings), clock)
        person.node.subscribe(person.events.append)
        self.people[name] = person
        self._closing.append(person.node.close)
        return person

    async def registered(self, name: str, **where: Any) -> Person:
        person = self.person(name, **where)
        await person.node.register(self.link, name, PASSWORD, name.title())
        return person

    async def returns(self, name: str, **where: Any) -> Person:
        """Start a node anew on its profile, as after a restart."""
        person = self.person(name, **where)
        await person.node.log_in(self.link, name, PASSWORD)
        return person

    async def linked_peers(self, one: str = "ana", other: str = "bo") -> tuple[Person, Person, ConversationId]:
        """Return two friends with a link, and their conversation."""
        if not self.link:
            await self.start_locator()
        first, second = await self.registered(one), await self.registered(other)
        return first, second, await self.befriend(first, second)

    async def befriend(self, one: Person, other: Person) -> ConversationId:
        """Make two people friends; return their conversation."""
        await one.node.ask(other.name)
        await self.until(lambda: any(event.contact.user == one.name for event in other.told("contact_asked")))
        await other.node.accept(one.name)
        await self.until(lambda: any(event.contact.user == other.name for event in one.told("contact_accepted")))
        return (await one.node.open_conversation(other.name)).conversation

    async def until(self, condition: Callable[[], bool | Awaitable[bool]], seconds: float = 120.0) -> None:
        """Let virtual time pass until a condition holds; fail after so many virtual seconds."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            holds = condition()
            if await holds if isinstance(holds, Awaitable) else holds:
                return
            assert asyncio.get_running_loop().time() < deadline, "that did not happen in time"
            await asyncio.sleep(0.05)

    async def shows(self, person: Person, conversation: ConversationId, texts: list[str], seconds: float = 120) -> None:
        """Wait until a person sees exactly these texts, in any order."""
        try:
            await self.until(lambda: self._has(person, conversation, texts), seconds)
        except AssertionError:
            shown = await person.texts(conversation)
            raise AssertionError(f"{person.name} shows {shown}, not {texts}") from None

    async def _has(self, person: Person, conversation: ConversationId, texts: list[str]) -> bool:
        return sorted(await person.texts(conversation)) == sorted(texts)

    async def close(self) -> None:
        for close in reversed(self._closing):
            await close()
        if self.link:
            await self.server.stop()
        for end in list(self.network.connections):
            end.abort()
        await asyncio.sleep(2 * self.network.delay + 0.1)
        for left in gc.get_objects():
            # A handshake cut off by a pulled cable leaves asyncio a transport that nobody was ever given.
            if isinstance(left, asyncio.sslproto._SSLProtocolTransport):  # type: ignore[attr-defined]
                left._closed = True
