"""What is said with each kind of server, and how its answers are known to be right."""

import random
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from protocol import limits
from protocol.certificates import public_key_of_authority, realm_of
from protocol.device_lists import DeviceList, SignedDeviceList, open_device_list, sign_device_list
from protocol.framing import FrameReader
from protocol.identity import DeviceId, PublicKey, Realm
from protocol.locator_messages import (
    ALPN,
    LOCATOR,
    Endpoint,
    LoggedIn,
    LogInByKey,
    Welcome,
    Where,
    Whereabout,
    Whereabouts,
    login_challenge,
)
from protocol.registry import Message
from protocol.signatures import Purpose
from tests.bench.load import Exactly, Exchange, Line, WrongAnswerError, source_address
from tests.bench.population import FIRST_SESSION, key_of, port_of, user_of
from tests.bench.reference_server import Place
from tests.bench.syncthing_reference import ADDRESSES

M = TypeVar("M", bound=Message)
ASKED_ABOUT = 64
"""Different questions on one connection, before the first comes again."""
SIGNATURES_CHECKED = 1_000
"""Device lists whose signature is checked; of the others in a storm of 10,000 the session number is."""
_TAG = 0x10000
"""The first tag; from here on all have the same length on the wire."""


@dataclass(frozen=True)
class LocatorTalk:
    """Log in by the device's key, as a returning peer does; then ask where the others of this load are."""

    place: Place
    authority: bytes
    """Certificate (DER) of the authority that must sign."""
    logs_in: bool = True
    alpn = ALPN

    async def get_ready(self, line: Line, number: int) -> None:
        reader = FrameReader(limits.LOCATOR_REPLY_FRAME)
        welcome = await heard(line, reader, Welcome)
        if welcome.authority != self.authority:
            raise WrongAnswerError("another authority")
        if self.logs_in:
            line.say(LOCATOR.encode(self._login(line, welcome, number)))
            answer = await heard(line, reader, LoggedIn)
            if (answer.user, answer.session) != (user_of(number), FIRST_SESSION):
                raise WrongAnswerError(f"{user_of(number)} logged in, and was told {answer}")
            self._check(answer.device_list, number)

    async def exchanges(self, lines: list[Line]) -> list[list[Exchange]]:
        abouts = await self._whereabouts(lines)
        chance = random.Random(len(lines))
        return [
            [_where(_TAG + place, chance.choice(abouts)) for place in range(ASKED_ABOUT)] for _ in range(len(lines))
        ]

    async def _whereabouts(self, lines: list[Line]) -> list[Whereabout]:
        """Ask once about everybody here, and check what is told to the last device."""
        users = tuple(user_of(number) for number in range(min(len(lines), limits.USERS_PER_QUESTION)))
        lines[0].say(LOCATOR.encode(Where(1, users)))
        answer = await heard(lines[0], FrameReader(limits.LOCATOR_REPLY_FRAME), Whereabouts)
        for number, about in enumerate(answer.about):
            expected = (user_of(number), True, (source_address(number),), port_of(number), True)
            if (about.user, about.online, about.addresses, about.listen_port, about.known) != expected:
                raise WrongAnswerError(f"it should be {expected}, and is {about}")
            self._check(about.device_list, number)
        if len(answer.about) != len(users):
            raise WrongAnswerError(f"{len(users)} were asked for, {len(answer.about)} came")
        return list(answer.about)

    def _check(self, devices: SignedDeviceList | None, number: int) -> None:
        if number >= SIGNATURES_CHECKED:
            return
        key, realm = _authority(self.authority)
        expected = DeviceId.of_key(key_of(number).public)
        if devices is None or open_device_list(key, realm, devices).devices != (expected,):
            raise WrongAnswerError(f"the devices of {user_of(number)} should be {expected!r}, and are {devices}")

    def _login(self, line: Line, welcome: Welcome, number: int) -> Message:
        key, user = key_of(number), user_of(number)
        challenge = login_challenge(welcome.nonce, line.server_certificate, user)
        signature = key.sign(Purpose.LOGIN, _authority(self.authority)[1], challenge)
        endpoint = Endpoint(port_of(number), 0)
        return LogInByKey(1, user, key.public, signature, FIRST_SESSION, renew_certificate=False, endpoint=endpoint)


@dataclass(frozen=True)
class RedisTalk:
    """GET, with questions and answers as long as the locator's."""

    place: Place
    request_bytes: int
    answer_bytes: int
    alpn: str | None = None
    """None: plain; empty: over TLS."""

    async def get_ready(self, line: Line, number: int) -> None:
        key, value = self._pair(number)
        set_it = b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, len(value), value)
        await line.ask(Exactly(set_it, b"+OK\r\n"))

    async def exchanges(self, lines: list[Line]) -> list[list[Exchange]]:
        chance = random.Random(len(lines))
        everything = [self._get(number) for number in range(len(lines))]
        return [[chance.choice(everything) for _ in range(ASKED_ABOUT)] for _ in lines]

    def _get(self, number: int) -> Exactly:
        key, value = self._pair(number)
        return Exactly(_get_command(key), b"$%d\r\n%s\r\n" % (len(value), value))

    def _pair(self, number: int) -> tuple[bytes, bytes]:
        key = b"%05d" % number
        key = key.rjust(len(key) + self.request_bytes - len(_get_command(key)), b"k")
        value = b"%05d" % number
        return key, value.rjust(self.answer_bytes - len(b"$000\r\n\r\n"), b"v")


@dataclass(frozen=True)
class SyncthingTalk:
    """GET over HTTPS, on a connection that stays."""

    place: Place
    device: str
    alpn = ""

    async def get_ready(self, line: Line, number: int) -> None:
        await line.ask(self._question())

    async def exchanges(self, lines: list[Line]) -> list[list[Exchange]]:
        return [[self._question()] for _ in lines]

    def _question(self) -> "HttpExchange":
        request = f"GET /v2/?device={self.device} HTTP/1.1\r\nHost: {self.place[0]}\r\n\r\n"
        return HttpExchange(request.encode(), f'"addresses":["{ADDRESSES[0]}"]}}'.encode())


@dataclass(frozen=True, slots=True)
class HttpExchange:
    """Known is how the answer begins and ends; dates stand between."""

    request: bytes
    end: bytes

    def is_right(self, got: bytes) -> bool | None:
        head, separator, body = got.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or 0)
        if len(body) < length:
            return None
        return head.startswith(b"HTTP/1.1 200 ") and body.endswith(self.end)


def look_up_bytes() -> tuple[int, int]:
    """Return how long the locator's question about one user and its answer are on the wire."""
    user, key = user_of(0), key_of(0)
    signed = sign_device_list(key, Realm(bytes(32)), DeviceList(user, 1, (DeviceId.of_key(key.public),)))
    exchange = _where(_TAG, Whereabout(user, True, ("127.0.0.1",), port_of(0), 0, signed, 1_800_000_000_000, True))
    return len(exchange.request), len(exchange.answer)


async def heard(line: Line, reader: FrameReader, *kinds: type[M]) -> M:
    """Return the next message, which must be of one of these kinds."""
    while (frame := reader.next_frame()) is None:
        reader.add(await line.hear())
    message = LOCATOR.decode(frame)
    if not isinstance(message, kinds):
        raise WrongAnswerError(f"it should be one of {kinds}, and is {message}")
    return message


def _where(tag: int, about: Whereabout) -> Exactly:
    return Exactly(LOCATOR.encode(Where(tag, (about.user,))), LOCATOR.encode(Whereabouts(tag, (about,))))


def _get_command(key: bytes) -> bytes:
    return b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key)


@cache
def _authority(der: bytes) -> tuple[PublicKey, Realm]:
    return public_key_of_authority(der), realm_of(der)
