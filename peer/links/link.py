"""One link: a mutual-TLS connection with a friend's device, from the handshake to its end.

asyncio hands the bytes in, one task takes the messages out, in order and one at a time. Pings are answered
at once; a link on which nothing comes for 9 s is dead.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import cast

from peer import limits as node_limits
from protocol import limits
from protocol.errors import RemoteProtocolError
from protocol.framing import FrameReader
from protocol.identity import DeviceId, UserId
from protocol.link_messages import ALPN, LINK, Goodbye, Greeting, Keep, Ping, Pong
from protocol.registry import Message

log = logging.getLogger(__name__)
_EARLY_SECONDS = 0.01
"""A timer may fire so much too early: asked to wait for the rest, it would fire again at once, and again."""


class LinkEnd(StrEnum):
    """Why a link ended."""

    DUPLICATE = "duplicate"
    LEAVING = "leaving"
    NOT_VALID = "not_valid"
    DEAD = "dead"
    BROKEN_RULES = "broken_rules"
    LOST = "lost"


class Link(asyncio.Protocol):
    """A connection with one device. Its book decides which of several stays."""

    def __init__(self, on_end: Callable[["Link"], None]) -> None:
        self.user: UserId | None = None
        self.device: DeviceId | None = None
        self.end: LinkEnd | None = None
        self.is_up = False
        self.is_ours = False
        """Whether we called them, not they us."""
        self._on_end = on_end
        self._reader = FrameReader(limits.GREETING_FRAME)
        self._transport: asyncio.Transport | None = None
        self._messages: deque[Message] = deque()
        self._has_message = asyncio.Event()
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._is_reading = True
        self._is_overfull = False
        self._heard_at = 0.0
        self._silence = 0.0
        """How long nothing had come before something did, after the last silence that was none of the usual pauses."""
        self._silent_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    # --- what asyncio calls ------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; who is on the other side is checked by `peer_certificate`'s caller."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not of that class
        self._transport.set_write_buffer_limits(high=limits.LINK_BUFFER_BYTES)
        self._heard_at = self._loop.time()
        self._timer = self._loop.call_later(limits.PING_SECONDS, self._watch_over)

    def data_received(self, data: bytes) -> None:
        """Cut frames, answer pings, queue the rest."""
        now = self._loop.time()
        if now - self._heard_at > 2 * limits.PING_SECONDS:
            self._silence, self._silent_until = now - self._heard_at, now
        self._heard_at = now
        try:
            self._reader.add(data)
            while (frame := self._reader.next_frame()) is not None:
                message = LINK.decode(frame)
                if isinstance(message, Greeting):
                    self._reader.largest = limits.LINK_FRAME
                if isinstance(message, Ping):
                    self.send(Pong())
                elif isinstance(message, Goodbye):
                    self._end_as(_end_of(message.reason))
                elif message is not None and not isinstance(message, Pong):
                    self._messages.append(message)
        except RemoteProtocolError as error:
            log.warning("link with %s refused: %s", self.user, error)
            self.close(LinkEnd.BROKEN_RULES)
            return
        if self._messages:
            self._has_message.set()
        if len(self._messages) >= node_limits.FRAMES_WAITING and self._is_reading and self._transport:
            self._is_reading = False
            self._transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        log.debug("link with %s lost: %s", self.user, error)
        self._end_as(LinkEnd.LOST)
        self._transport = None

    def pause_writing(self) -> None:
        """More waits to be sent than the limit."""
        self._can_write.clear()

    def resume_writing(self) -> None:
        """The other side takes again."""
        self._can_write.set()

    # --- what the node calls -----------------------------------------------------------------

    def peer_certificate(self) -> bytes:
        """Return the other side's certificate (DER), of which TLS proved that it is held there.

        Raises RemoteProtocolError if another language than ours was agreed on, ConnectionResetError if it is gone.
        """
        secured = self._transport.get_extra_info("ssl_object") if self._transport else None
        certificate = secured.getpeercert(binary_form=True) if secured else None
        if secured is None or certificate is None:
            raise ConnectionResetError("the connection was gone before its certificate was read")
        if secured.selected_alpn_protocol() != ALPN:
            raise RemoteProtocolError("a connection that does not speak hail-link/1")
        assert isinstance(certificate, bytes)
        return certificate

    def silence(self, now: float) -> float:
        """Return how old what came just now may be, in s: this program may have slept while it lay in a buffer.

        `now` is by the loop's clock. Who lives says something every few seconds: 0 unless it was silent for longer.
        """
        return self._silence if now - self._silent_until < node_limits.SILENCE_FORGOTTEN_SECONDS else 0.0

    @property
    def address(self) -> str:
        """Where the other side is, as far as the connection tells; empty when it is gone."""
        place = self._transport.get_extra_info("peername") if self._transport else None
        return str(place[0]).removeprefix("::ffff:") if place else ""

    def send(self, message: Message) -> None:
        """Send soon; a link that has ended drops it (what matters is in the feeds)."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(LINK.encode(message))
        if self._transport.get_write_buffer_size() > node_limits.LINK_BACKLOG_BYTES and not self._is_overfull:
            self._is_overfull = True
            log.warning("link with %s is given up: it asks and asks, and takes nothing", self.user)
            # Soon, not now: whoever sends may be going through all links at this moment.
            self._loop.call_soon(self.abort)

    async def room_to_write(self) -> None:
        """Wait until the other side takes what was sent, or the link ends."""
        await self._can_write.wait()

    async def next_message(self) -> Message | None:
        """Return the next message in order, or None at the end of the link."""
        while not self._messages:
            if self.end is not None:
                return None
            if not self._is_reading and self._transport is not None:
                self._is_reading = True
                self._transport.resume_reading()
            self._has_message.clear()
            await self._has_message.wait()
        return self._messages.popleft()

    def close(self, reason: LinkEnd) -> None:
        """Say why, flush, hang up."""
        if self._transport is not None and not self._transport.is_closing():
            if reason is not LinkEnd.DEAD:
                self.send(Goodbye(reason.value))
            self._transport.close()
        self._end_as(reason)

    def abort(self) -> None:
        """Hang up at once, without a word."""
        if self._transport is not None:
            self._transport.abort()
        self._end_as(LinkEnd.LOST)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come or go."""
        return self.end is not None

    # --- inside ------------------------------------------------------------------------------

    def _watch_over(self) -> None:
        silence = self._loop.time() - self._heard_at
        left = limits.DEAD_LINK_SECONDS - silence
        if left < _EARLY_SECONDS:
            log.info("link with %s is dead: nothing came for %.0f s", self.user, silence)
            self._end_as(LinkEnd.DEAD)
            if self._transport is not None:
                self._transport.abort()
            return
        if silence >= limits.PING_SECONDS / 2:
            self.send(Ping())
        self._timer = self._loop.call_later(min(limits.PING_SECONDS, left), self._watch_over)

    def _end_as(self, reason: LinkEnd) -> None:
        if self.end is not None:
            return
        self.end = reason
        self.is_up = False
        if self._timer is not None:
            self._timer.cancel()
        self._has_message.set()
        self._can_write.set()
        self._on_end(self)


async def exchange_greetings(link: Link, mine: Greeting) -> Greeting:
    """Greet, and return the other's greeting; raise RemoteProtocolError, TimeoutError or ConnectionResetError."""
    link.send(mine)
    async with asyncio.timeout(limits.GREETING_SECONDS):
        first = await link.next_message()
    if first is None:
        raise ConnectionResetError("the other side hung up before it greeted")
    if not isinstance(first, Greeting):
        raise RemoteProtocolError("the other side did not greet")
    return first


async def wait_for_keep(link: Link) -> bool:
    """Return True when the other side keeps this link, False when it ended instead."""
    async with asyncio.timeout(limits.GREETING_SECONDS):
        message = await link.next_message()
    if message is None:
        return False
    if not isinstance(message, Keep):
        raise RemoteProtocolError("something else than keep before keep")
    return True


def _end_of(reason: str) -> LinkEnd:
    try:
        return LinkEnd(reason)
    except ValueError:
        return LinkEnd.LEAVING
