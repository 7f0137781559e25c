"""One connection to the locator: proven to be the right one before a word is said, then questions and answers."""

import asyncio
import contextlib
import itertools
import logging
import ssl
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar, cast

from peer import limits as node_limits
from peer.addresses import LocatorAddress
from peer.errors import Refusal, RefusalCode
from peer.links.wire import Wire
from protocol import limits
from protocol.certificates import Role, read_certificate, realm_of
from protocol.errors import RemoteProtocolError
from protocol.framing import FrameReader
from protocol.identity import Realm
from protocol.locator_messages import ALPN, LOCATOR, Locators, Moved, Refused, Superseded, Welcome
from protocol.registry import Message

log = logging.getLogger(__name__)
Answer = TypeVar("Answer", bound=Message)
_DIAL_SECONDS = 8.0


class LocatorConnection(asyncio.Protocol):
    """Requests are answered by tag; what comes unasked goes to `on_push`."""

    def __init__(self) -> None:
        self.on_push: Callable[[Moved | Superseded], None] = lambda _: None
        self.on_places: Callable[[tuple[str, ...]], None] = lambda _: None
        self.places: tuple[str, ...] = ()
        """HOST:PORT of every locator that is one with this one, as last told."""
        self.place = ""
        """The HOST:PORT that was dialled."""
        self.welcome: Welcome
        self.realm: Realm
        self.certificate = b""
        """The locator's own certificate (DER), part of what a login by key signs."""
        self._reader = FrameReader(limits.LOCATOR_REPLY_FRAME)
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._tags = itertools.count(1)
        loop = asyncio.get_running_loop()
        self._welcomed: asyncio.Future[Welcome] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; the locator speaks first."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not of that class

    def data_received(self, data: bytes) -> None:
        """Give answers to those who asked."""
        try:
            for frame in self._reader.receive(data):
                message = LOCATOR.decode(frame)
                if isinstance(message, Welcome):
                    if not self._welcomed.done():
                        self._welcomed.set_result(message)
                elif isinstance(message, Moved | Superseded):
                    self.on_push(message)
                elif isinstance(message, Locators):
                    self.places = message.places
                    self.on_places(message.places)
                elif message is not None:
                    waiting = self._waiting.pop(getattr(message, "tag", 0), None)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(message)
        except RemoteProtocolError as error:
            log.warning("the locator broke the rules: %s", error)
            self.close()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Everybody who waits gets to know."""
        self._transport = None
        failure = _unreachable("The connection to the locator was lost.")
        if not self._welcomed.done():
            self._welcomed.set_exception(failure)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(failure)
        if not self._welcomed.cancelled():
            self._welcomed.exception()  # nobody may be waiting for it any more
        if not self.lost.done():
            self.lost.set_result(None)

    def next_tag(self) -> int:
        """Return a number for the next question."""
        return next(self._tags) & 0xFFFFFFFF

    async def ask(
        self, question: Message, answer_type: type[Answer], patience: float = limits.REQUEST_SECONDS
    ) -> Answer:
        """Ask, and return the answer; raise Refusal with the locator's code, or `locator_unreachable`."""
        if self._transport is None or self._transport.is_closing():
            raise _unreachable("The locator is out of reach.")
        tag: int = question.tag  # type: ignore[attr-defined]  # all questions to the locator have one
        waiting = self._waiting[tag] = asyncio.get_running_loop().create_future()
        self._transport.write(LOCATOR.encode(question))
        try:
            async with asyncio.timeout(patience):
                answer = await waiting
        except TimeoutError as error:
            # A graceful end would wait half a minute for somebody who is silent.
            if self._transport is not None:
                self._transport.abort()
            raise _unreachable("The locator does not answer.") from error
        finally:
            self._waiting.pop(tag, None)
        if isinstance(answer, Refused):
            raise Refusal(RefusalCode.from_wire(answer.code), answer.message, retry_after=answer.retry_after)
        if not isinstance(answer, answer_type):
            self.close()
            raise _unreachable("The locator answered something else than was asked.")
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()

    async def prove(self, expected: Realm | None, now: datetime) -> None:
        """Wait for the welcome and check who speaks; raise Refusal `other_authority` or `locator_unreachable`."""
        async with asyncio.timeout(limits.REQUEST_SECONDS):
            welcome = await self._welcomed
        secured = self._transport.get_extra_info("ssl_object") if self._transport else None
        der = secured.getpeercert(binary_form=True) if secured else None
        if secured is None or der is None or secured.selected_alpn_protocol() != ALPN:
            raise _unreachable("What answers there is no Hail locator.")
        realm = realm_of(welcome.authority)
        if expected is not None and realm != expected:
            raise Refusal(
                RefusalCode.OTHER_AUTHORITY,
                "Another locator answers at this address than the one you know. Ask whoever runs it for its new link; "
                "nothing was sent to it.",
            )
        certificate = read_certificate(der, welcome.authority)
        if certificate.role is not Role.LOCATOR:
            raise Refusal(RefusalCode.OTHER_AUTHORITY, "What answers at this address is not its locator.")
        if not certificate.is_in_date(now):
            raise Refusal(
                RefusalCode.OTHER_AUTHORITY, "The locator's certificate is out of date. Is this computer's clock right?"
            )
        self.welcome, self.realm, self.certificate = welcome, realm, der


async def connect_to_any(
    wire: Wire, addresses: list[LocatorAddress], expected: Realm | None, now: datetime
) -> LocatorConnection:
    """Connect to the first that can be reached; raise the first one's Refusal if none can."""
    first, *others = addresses
    try:
        return await connect_to_locator(wire, first, expected, now, is_last=not others)
    except Refusal as refusal:
        if refusal.code is not RefusalCode.LOCATOR_UNREACHABLE:
            raise
        for address in others:
            with contextlib.suppress(Refusal):
                return await connect_to_locator(wire, address, expected, now, is_last=address is others[-1])
        raise


async def connect_to_locator(
    wire: Wire, address: LocatorAddress, expected: Realm | None, now: datetime, *, is_last: bool = True
) -> LocatorConnection:
    """Connect and prove the locator's authority; raise Refusal. The last to be tried is given more time.

    The handshake proves that the other side holds the key of the certificate it shows. That this certificate is
    the realm's is checked right after, from the authority named in the welcome, whose fingerprint we expect. So
    the same steps serve a first meeting and every later one.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([ALPN])
    try:
        async with asyncio.timeout(_DIAL_SECONDS if is_last else node_limits.DIAL_SECONDS):
            connection = await wire.dial(address.host, address.port, LocatorConnection, context)
    except (OSError, TimeoutError) as error:
        raise _unreachable(
            f"No locator answers at {address.place}. Check the address and your network, or ask whoever runs it."
        ) from error
    connection.place = address.place
    try:
        await connection.prove(expected, now)
    except (RemoteProtocolError, TimeoutError) as error:
        connection.close()
        raise _unreachable(f"What answers at {address.place} is no Hail locator.") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _unreachable(sentence: str) -> Refusal:
    return Refusal(RefusalCode.LOCATOR_UNREACHABLE, sentence)
