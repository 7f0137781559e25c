"""The deciding part of the locator without sockets, threads, disk or real time: what a test says happens, happens."""

import asyncio
import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from locator.authority import Authority
from locator.orders import Caller, HangUp, HashPassword, MakeChange, Now, Orders, Send, Share, VerifyPassword, Work
from locator.requests import Requests
from locator.stores.changes import changed
from locator.stores.interface import Account, Change, News, RemoveAccount, Shared
from protocol.certificates import create_authority_certificate
from protocol.device_lists import DeviceList, SignedDeviceList, open_device_list
from protocol.framing import FrameReader
from protocol.identity import UserId
from protocol.limits import LOCATOR_REPLY_FRAME
from protocol.locator_messages import (
    LOCATOR,
    Endpoint,
    LoggedIn,
    LogIn,
    LogInByKey,
    Moved,
    Register,
    Watch,
    Welcome,
    Where,
    Whereabout,
    Whereabouts,
    login_challenge,
)
from protocol.registry import Message
from protocol.signatures import Purpose, SigningKey

M = TypeVar("M", bound=Message)
START = Now(1_000.0, datetime(2030, 1, 1, tzinfo=UTC).timestamp())
PASSWORD = "correct horse"
OWN_CERTIFICATE = b"the certificate this connection was shown"


class PlainStore:
    """A store that only remembers."""

    def __init__(self) -> None:
        self.accounts: dict[UserId, Account] = {}
        self.shared: list[Shared] = []
        self.is_current = True

    def find(self, user: UserId) -> Account | None:
        return self.accounts.get(user)

    def make_now(self, change: Change) -> Account | None:
        after = changed(self.accounts.get(change.user), change)
        if after is not None and isinstance(change, RemoveAccount):
            del self.accounts[change.user]
        elif after is not None:
            self.accounts[change.user] = after
        return after

    async def make(self, change: Change) -> Account | None:
        return self.make_now(change)

    def share(self, presence: Shared) -> None:
        self.shared.append(presence)

    async def news(self) -> News:
        return await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        pass


class Desk:
    """Carries out orders at once, and keeps what each caller was sent."""

    def __init__(self, *, registration_open: bool = True) -> None:
        key = SigningKey(secrets.token_bytes(32))
        self.authority = Authority(key, create_authority_certificate(key, datetime.fromtimestamp(START.wall, UTC)))
        self.authority_key = key.public
        self.store = PlainStore()
        self.requests = Requests(self.store, self.authority, registration_open=registration_open)
        self.now = START
        self.people: dict[Caller, Person] = {}
        self.verified: list[str | None] = []
        """The hashes that passwords were checked against, in order."""
        self.held: deque[Work] | None = None
        """Work that waits until `do_held`, where a test wants things to happen meanwhile."""

    def connect(self, seen: str = "192.0.2.1", key: SigningKey | None = None) -> "Person":
        caller = Caller(
            seen_address=seen,
            is_near=seen == "127.0.0.1",
            nonce=secrets.token_bytes(32),
            certificate=OWN_CERTIFICATE,
            heard_at=self.now.monotonic,
        )
        person = Person(self, caller, key or SigningKey(secrets.token_bytes(32)))
        self.people[caller] = person
        self.carry_out(self.requests.welcome(caller))
        return person

    def wait(self, seconds: float, *, sweep: bool = True) -> None:
        self.now = Now(self.now.monotonic + seconds, self.now.wall + seconds)
        if sweep:
            self.carry_out(self.requests.sweep(self.now))

    def hold_work(self) -> None:
        self.held = deque()

    def do_held(self) -> None:
        held, self.held = self.held or deque(), None
        for order in held:
            self.carry_out([order])

    def operator(self, change: Change) -> None:
        assert self.store.make_now(change) is not None
        self.hear(News(frozenset({change.user})))

    def hear(self, news: News) -> None:
        self.carry_out(self.requests.news_came(news, self.now))

    def open_list(self, signed: SignedDeviceList | None) -> DeviceList:
        assert signed is not None
        return open_device_list(self.authority_key, self.authority.realm, signed)

    def carry_out(self, orders: Orders) -> None:
        for order in orders:
            match order:
                case Send():
                    if self.people[order.to].hung_up is None:
                        self.people[order.to].received.append(over_the_wire(order.message))
                case HangUp():
                    self.people[order.caller].hung_up = order.reason
                    self.carry_out(self.requests.connection_lost(order.caller, self.now))
                case Share():
                    self.store.share(order.presence)
                case _ if self.held is not None:
                    self.held.append(order)
                case VerifyPassword():
                    self.verified.append(order.password_hash)
                    self.carry_out(order.then(order.password_hash == f"hash of {order.password}", self.now))
                case HashPassword():
                    self.carry_out(order.then(f"hash of {order.password}", self.now))
                case MakeChange():
                    self.carry_out(order.then(self.store.make_now(order.change), self.now))


def over_the_wire(message: Message) -> Message:
    """Return what the other side reads."""
    (frame,) = FrameReader(LOCATOR_REPLY_FRAME).receive(LOCATOR.encode(message))
    read = LOCATOR.decode(frame)
    assert read is not None
    return read


@dataclass(eq=False)
class Person:
    """One connection, and what was heard on it."""

    desk: Desk
    caller: Caller
    key: SigningKey
    endpoint: Endpoint = field(default_factory=lambda: Endpoint(7500, 7501))
    received: deque[Message] = field(default_factory=deque)
    hung_up: str | None = None

    def ask(self, question: Message, kind: type[M]) -> M:
        """Ask, and return the answer, which is to be of a kind; what came before stays to be heard."""
        self.say(question)
        answers = [m for m in self.received if getattr(m, "tag", None) == question.tag]  # type: ignore[attr-defined]
        assert len(answers) == 1, answers
        self.received.remove(answers[0])
        assert isinstance(answers[0], kind), answers[0]
        return answers[0]

    def say(self, message: Message) -> None:
        self.desk.carry_out(self.desk.requests.answer(message, self.caller, self.desk.now))

    def hears(self, kind: type[M]) -> M:
        message = self.received.popleft()
        assert isinstance(message, kind), message
        return message

    def hears_nothing(self) -> bool:
        return not self.received

    def moved(self) -> Whereabout:
        return self.hears(Moved).about

    def loses_connection(self) -> None:
        self.hung_up = "lost"
        self.desk.carry_out(self.desk.requests.connection_lost(self.caller, self.desk.now))

    def register(self, user: str, kind: type[M] = LoggedIn, password: str = PASSWORD, name: str = "Somebody") -> M:
        self.received = deque(m for m in self.received if not isinstance(m, Welcome))
        return self.ask(Register(1, UserId(user), password, name, self.key.public, self.endpoint), kind)

    def log_in(self, user: str, kind: type[M] = LoggedIn, password: str = PASSWORD) -> M:
        self.received = deque(m for m in self.received if not isinstance(m, Welcome))
        return self.ask(LogIn(2, UserId(user), password, self.key.public, self.endpoint), kind)

    def log_in_by_key(
        self,
        user: str,
        kind: type[M] = LoggedIn,
        *,
        resume: int = 0,
        renew: bool = False,
        certificate: bytes = OWN_CERTIFICATE,
        signer: SigningKey | None = None,
    ) -> M:
        nonce = self.caller.nonce
        self.received = deque(m for m in self.received if not isinstance(m, Welcome))
        challenge = login_challenge(nonce, certificate, UserId(user))
        signature = (signer or self.key).sign(Purpose.LOGIN, self.desk.authority.realm, challenge)
        return self.ask(LogInByKey(3, UserId(user), self.key.public, signature, resume, renew, self.endpoint), kind)

    def where(self, *users: str) -> tuple[Whereabout, ...]:
        return self.ask(Where(4, tuple(map(UserId, users))), Whereabouts).about

    def watch(self, *users: str) -> tuple[Whereabout, ...]:
        return self.ask(Watch(5, tuple(map(UserId, users))), Whereabouts).about
