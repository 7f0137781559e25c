"""One TLS connection to a peer: bytes in, whole frames out. What they mean, `server.py` asks of `requests.py`."""

import asyncio
import contextlib
import logging
import socket
import ssl
from enum import Enum
from typing import Protocol, cast

from locator import limits
from locator.observing import Trail
from locator.orders import Caller
from locator.rate_limits import network_of
from protocol.errors import RemoteProtocolError
from protocol.framing import Frame, FrameReader
from protocol.limits import LOCATOR_REQUEST_FRAME, LOGIN_FRAME
from protocol.locator_messages import ALPN

log = logging.getLogger(__name__)


class Server(Protocol):
    """What a connection tells, and asks of, the server it belongs to."""

    @property
    def certificate(self) -> bytes:
        """The locator's own certificate (DER), as new connections are shown it."""

    def knocks(self, connection: "Connection", network: str) -> bool:
        """Tell whether a new connection may come in."""

    def admit(self, connection: "Connection", seen_address: str) -> Caller:
        """Greet a new connection whose handshake is done."""

    def requests_came(self, connection: "Connection", caller: Caller) -> None:
        """Answer what a connection has read."""

    def ends(self, connection: "Connection", reason: str) -> None:
        """A connection is being closed by us."""

    def connection_lost(self, connection: "Connection", caller: Caller | None) -> None:
        """A connection is gone."""


class Wait(Enum):
    """What the next request of a connection has to wait for."""

    WORK = "a hash or a commit for the one before"
    READER = "the other side reads slowly"
    TURN = "the other connections go first"


class Connection(asyncio.Protocol):
    """Never keeps more bytes, of either direction, than the limits say."""

    def __init__(self, server: Server, accepted: socket.socket | None = None) -> None:
        """`accepted` is there before the handshake is done; a wire without sockets has none."""
        self._server = server
        self._accepted = accepted
        self.certificate = server.certificate
        """The locator's certificate that it is shown."""
        self.trail = Trail()
        self.reader = FrameReader(LOGIN_FRAME)
        self._strangers_requests = 0
        self._outgoing: list[bytes] = []
        self.outgoing_bytes = 0
        """Bytes queued and not flushed yet."""
        self._transport: asyncio.Transport | None = None
        self._caller: Caller | None = None
        self._waits_for: set[Wait] = set()
        self._is_reading = True
        self._is_closing = False
        self.is_stranger = True
        """Whether the door counts it as a stranger's."""

    # --- asyncio calls -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done: check what was agreed on, then greet."""
        # uvloop's TLS transport is one in all but its base class.
        self._transport = cast("asyncio.Transport", transport)
        secured: ssl.SSLObject = transport.get_extra_info("ssl_object")
        peer = transport.get_extra_info("peername")
        self.trail.address = peer[0] if peer else ""
        if secured.selected_alpn_protocol() != ALPN or not peer:
            self.hang_up("it does not speak " + ALPN)
            return
        self._transport.set_write_buffer_limits(limits.ANSWERS_BYTES)
        if self._accepted is None and not self._server.knocks(self, network_of(peer[0])):
            self.hang_up("there is no room")
            return
        self._caller = self._server.admit(self, peer[0])

    def data_received(self, data: bytes) -> None:
        """Keep what came, and have the whole frames in it answered."""
        if not self._is_closing:
            self.reader.add(data)
            if self._caller is not None:
                self._server.requests_came(self, self._caller)

    def pause_writing(self) -> None:
        """The other side reads slowly: its next requests wait."""
        self._waits_for.add(Wait.READER)
        self._read_on_or_wait()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._waits_for.discard(Wait.READER)
        self._answer_what_waits()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        if error is not None:
            log.debug("a connection was lost: %s", error)
        self._is_closing = True
        self._server.connection_lost(self, self._caller)

    # --- the server calls ----------------------------------------------------------------------

    def next_frame(self) -> Frame | None:
        """Return the next request to answer; None while there is none, or while one must wait."""
        if self._waits_for or self._is_closing:
            return None
        frame = self.reader.next_frame()
        if self.is_stranger and frame is not None:
            self._strangers_requests += 1
            if self._strangers_requests > limits.REQUESTS_BEFORE_LOGIN:
                raise RemoteProtocolError(f"{limits.REQUESTS_BEFORE_LOGIN} requests, and nobody is logged in")
        return frame

    def becomes(self, *, is_stranger: bool) -> None:
        """Somebody has logged in, or is not logged in any more."""
        self.is_stranger = is_stranger
        self.reader.largest = LOGIN_FRAME if is_stranger else LOCATOR_REQUEST_FRAME
        self._strangers_requests = 0

    def go_on_later(self) -> None:
        """Give the other connections a turn before the next request is answered."""
        self._waits_for.add(Wait.TURN)
        asyncio.get_running_loop().call_soon(self._go_on)

    def queue(self, frame: bytes) -> None:
        """Take a frame to be sent with the next flush."""
        if not self._is_closing:
            self._outgoing.append(frame)
            self.outgoing_bytes += len(frame)

    def flush(self) -> None:
        """Send all that is queued with one write."""
        if not self._outgoing or self._transport is None:
            return
        # Who reads has ANSWERS_BYTES waiting at most: only of others is it asked.
        is_slow = self._waits_for and Wait.READER in self._waits_for
        waiting = self._transport.get_write_buffer_size() if is_slow else 0
        is_too_much = waiting + self.outgoing_bytes > limits.UNREAD_BYTES
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        self.outgoing_bytes = 0
        if is_too_much:
            self.abort("it does not read what is sent to it")
        else:
            self._transport.write(data)

    def finish_turn(self) -> None:
        """Send the answers, and read on, or wait."""
        if self._outgoing:
            self.flush()
        if self._waits_for or not self._is_reading:
            self._read_on_or_wait()

    @property
    def works(self) -> bool:
        """Whether a request waits for a hash or a commit; the next ones wait behind it."""
        return Wait.WORK in self._waits_for

    def begin_work(self) -> None:
        """A request takes time."""
        self._waits_for.add(Wait.WORK)

    def end_work(self) -> None:
        """It is done."""
        self._waits_for.discard(Wait.WORK)

    def hang_up(self, reason: str) -> None:
        """Close, after what is queued was sent."""
        if self._is_closing or self._transport is None:
            return
        self._server.ends(self, reason)
        self.flush()
        self._is_closing = True
        self._transport.resume_reading()  # closing with unread data would destroy what we just sent
        self._transport.close()

    @property
    def is_greeted(self) -> bool:
        """Whether its handshake was done."""
        return self._transport is not None

    def is_overdue(self) -> None:
        """It was a stranger's for too long, or did not let go of a connection that we closed."""
        if self._is_closing or self._transport is None:
            self.cut("it does not let go")
        else:
            self.hang_up(f"nobody logged in within {limits.BEFORE_LOGIN_SECONDS:.0f} s")

    def cut(self, reason: str) -> None:
        """Close at once, in a handshake, too."""
        if self._transport is not None:
            self.abort(reason)
        elif self._accepted is not None:
            with contextlib.suppress(OSError):  # it is gone already
                self._accepted.shutdown(socket.SHUT_RDWR)  # its transport notices the end, and cleans up

    def abort(self, reason: str) -> None:
        """Close without waiting for anything."""
        if self._transport is not None:
            self._server.ends(self, reason)
            self._is_closing = True
            self._transport.abort()

    def _go_on(self) -> None:
        self._waits_for.discard(Wait.TURN)
        self._answer_what_waits()

    def _answer_what_waits(self) -> None:
        if self._caller is not None and not self._is_closing:
            self._server.requests_came(self, self._caller)

    def _read_on_or_wait(self) -> None:
        """Read from the socket only while what was read before is being answered at once."""
        may_read = not self._waits_for
        if may_read is self._is_reading or self._transport is None or self._is_closing:
            return
        self._is_reading = may_read
        if may_read:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()
