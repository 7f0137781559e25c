"""Sockets ⇄ frames, and the carrying out of orders. It decides nothing; `requests.py` does.

Every frame of a read is answered with one write, to each connection concerned.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
import ssl
import time
from asyncio import sslproto
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import cast

from locator import limits
from locator.accounts import NobodyWaitsError, PasswordPool, TooManyPasswordsError
from locator.authority import Authority, tls_context
from locator.directory import clean_address, is_loopback
from locator.logins import refuse
from locator.orders import Caller, HangUp, HashPassword, MakeChange, Now, Orders, Send, VerifyPassword, Work
from locator.requests import Requests
from locator.stores.interface import Store, StoreFailedError
from protocol.errors import RefusalCode, RemoteProtocolError
from protocol.framing import Frame, FrameReader
from protocol.limits import CHALLENGE_BYTES, HANDSHAKE_SECONDS, LOCATOR_REQUEST_FRAME
from protocol.locator_messages import ALPN, LOCATOR

log = logging.getLogger(__name__)


class LocatorServer:
    """Owns the listening socket, all connections, and the one clock of the locator."""

    def __init__(
        self,
        requests: Requests,
        authority: Authority,
        passwords: PasswordPool,
        store: Store,
        *,
        most_connections: int = limits.CONNECTIONS,
    ) -> None:
        self._requests = requests
        self._authority = authority
        self._passwords = passwords
        self._store = store
        self._most_connections = most_connections
        self._context = tls_context()
        self._own_certificate = authority.make_own_certificate(datetime.fromtimestamp(_now().wall, UTC))
        self._own_certificate.load_into(self._context)
        self._connections: dict[Caller, Connection] = {}
        self._to_flush: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        self._is_stopping = False
        self._nobody_left = asyncio.Event()

    async def start(self, listener: socket.socket) -> None:
        """Serve on a bound socket, which is ours from now on."""
        use_small_tls_buffers()
        self._listening = await asyncio.get_running_loop().create_server(
            lambda: Connection(self),
            sock=listener,
            ssl=self._context,
            backlog=limits.BACKLOG,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=limits.GOODBYE_SECONDS,
        )
        self._keep(self._sweep())
        self._keep(self._look_at_store())

    async def stop(self) -> None:
        """Take no more work, send what waits, hang up, and drop who does not let go."""
        self._is_stopping = True
        if self._listening is not None:
            self._listening.close()
        for connection in tuple(self._connections.values()):
            connection.hang_up("the locator stops")
        if self._connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nobody_left.wait(), limits.GOODBYE_SECONDS)
        for connection in tuple(self._connections.values()):
            connection.abort("the locator stops")
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- what connections call ---------------------------------------------------------------

    def admit(self, connection: "Connection", seen_address: str) -> Caller | None:
        """Greet a new connection, or return None if there are too many."""
        if self._is_stopping or len(self._connections) >= self._most_connections:
            return None
        address = clean_address(seen_address) or seen_address.partition("%")[0]
        caller = Caller(
            seen_address=address,
            is_near=is_loopback(address),
            nonce=secrets.token_bytes(CHALLENGE_BYTES),
            certificate=self._own_certificate.der,
            heard_at=(now := time.monotonic()),
            nobody_since=now,
        )
        self._connections[caller] = connection
        self._carry_out(self._requests.welcome(caller))
        self._flush()
        return caller

    def requests_came(self, connection: "Connection", caller: Caller) -> None:
        """Answer what a connection has read, until it must wait for work or for its reader."""
        now, answered = _now(), 0
        try:
            while (frame := connection.next_frame()) is not None:
                request = LOCATOR.decode(frame)
                if request is not None:
                    self._carry_out(self._requests.answer(request, caller, now))
                answered += 1
                if answered == limits.REQUESTS_AT_ONCE or connection.outgoing_bytes > limits.ANSWERS_BYTES:
                    connection.go_on_later()
        except RemoteProtocolError as error:
            connection.hang_up(str(error))
        except Exception:
            log.exception("a request failed; its connection is closed")
            connection.hang_up("a request failed")
        self._flush()
        connection.read_on_or_wait()

    def connection_lost(self, caller: Caller) -> None:
        """Forget a connection; if it waits for work, the work's end tells the rest."""
        connection = self._connections.pop(caller, None)
        if self._is_stopping and not self._connections:
            self._nobody_left.set()
        if connection is not None and not connection.works and not self._is_stopping:
            self._carry_out(self._requests.connection_lost(caller, _now()))
            self._flush()

    def tell(self, orders: Orders) -> None:
        """Carry out what another port of this locator brought about."""
        self._carry_out(orders)
        self._flush()

    # --- carrying out ------------------------------------------------------------------------

    def _carry_out(self, orders: Orders) -> None:
        for order in orders:
            if isinstance(order, Send):
                connection = self._connections.get(order.to)
                if connection is not None:
                    connection.queue(LOCATOR.encode(order.message))
                    self._to_flush.add(connection)
            elif isinstance(order, HangUp):
                connection = self._connections.get(order.caller)
                if connection is not None:
                    connection.hang_up(order.reason)
            else:
                connection = self._connections.get(order.caller)
                if connection is not None:
                    connection.works = True
                    self._keep(self._work(connection, order))

    def _flush(self) -> None:
        to_flush, self._to_flush = self._to_flush, set()
        for connection in to_flush:
            connection.flush()

    async def _work(self, connection: "Connection", order: Work) -> None:
        """Do what takes time, then go on where the handler left off."""
        try:
            orders = await self._result_of(order)
        except TooManyPasswordsError as error:
            sentence = f"Too many people log in right now. Try again in {error.retry_after:.0f} s."
            orders = refuse(order.caller, order.tag, RefusalCode.RATE_LIMITED, sentence, error.retry_after)
        except StoreFailedError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says it all
            sentence = "The locator cannot write its accounts. Tell whoever runs it."
            orders = refuse(order.caller, order.tag, error.code, sentence)
        except NobodyWaitsError:
            orders = []
        except Exception:
            log.exception("work for a request failed; its connection is closed")
            orders = [HangUp(order.caller, "a request failed")]
        connection.works = False
        if order.caller in self._connections:
            self._carry_out(orders)
            self.requests_came(connection, order.caller)
        else:
            # Nobody hears the answer, but others must hear what was done, such as the end of an older session.
            self._carry_out([other for other in orders if not isinstance(other, Work)])
            self._carry_out(self._requests.connection_lost(order.caller, _now()))
            self._flush()

    async def _result_of(self, order: Work) -> Orders:
        def is_wanted() -> bool:
            return order.caller in self._connections

        match order:
            case VerifyPassword():
                is_right = await self._passwords.verify(order.password, order.password_hash, order.queue, is_wanted)
                return order.then(is_right, _now())
            case HashPassword():
                password_hash = await self._passwords.hash(order.password, order.queue, is_wanted)
                return order.then(password_hash, _now())
            case MakeChange():
                account = await self._store.make(order.change)
                return order.then(account, _now())

    # --- the passing of time -------------------------------------------------------------------

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(limits.SWEEP_SECONDS)
            try:
                self._let_time_pass(_now())
            except Exception:
                log.exception("a sweep failed; the next one comes")

    def _let_time_pass(self, now: Now) -> None:
        """Let leases, graces and deadlines run out."""
        self._carry_out(self._requests.sweep(now))
        oldest = now.monotonic - limits.BEFORE_LOGIN_SECONDS
        for caller, connection in tuple(self._connections.items()):
            if caller.session is None and caller.nobody_since < oldest and not connection.works:
                connection.hang_up(f"nobody logged in within {limits.BEFORE_LOGIN_SECONDS:.0f} s")
        self._flush()
        moment = datetime.fromtimestamp(now.wall, UTC)
        if self._own_certificate.is_due_for_renewal(moment):
            self._own_certificate = self._authority.make_own_certificate(moment)
            self._own_certificate.load_into(self._context)

    async def _look_at_store(self) -> None:
        while True:
            await asyncio.sleep(limits.STORE_LOOK_SECONDS)
            try:
                users = await self._store.changed_elsewhere()
                self._carry_out(self._requests.accounts_changed(users, _now()))
                self._flush()
            except Exception:
                log.exception("the accounts could not be read again; the next look comes")

    def _keep(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Connection(asyncio.Protocol):
    """One TLS connection: bytes in, whole frames out, and never more of either than the limits say."""

    def __init__(self, server: LocatorServer) -> None:
        self._server = server
        self._reader = FrameReader(LOCATOR_REQUEST_FRAME)
        self._outgoing: list[bytes] = []
        self.outgoing_bytes = 0
        """Bytes queued and not flushed yet."""
        self._transport: asyncio.Transport | None = None
        self._caller: Caller | None = None
        self._reads_slowly = False
        self._lets_others_go_first = False
        self._waits = False
        self._is_closing = False
        self.works = False
        """Whether a request waits for a hash or a commit; the next ones wait behind it."""

    # --- asyncio calls -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done: check what was agreed on, then greet."""
        # uvloop's TLS transport is one in all but its base class.
        self._transport = cast("asyncio.Transport", transport)
        secured: ssl.SSLObject = transport.get_extra_info("ssl_object")
        peer = transport.get_extra_info("peername")
        if secured.selected_alpn_protocol() != ALPN or not peer:
            self.hang_up("it does not speak " + ALPN)
            return
        self._transport.set_write_buffer_limits(limits.ANSWERS_BYTES)
        self._caller = self._server.admit(self, peer[0])
        if self._caller is None:
            self.hang_up("there are too many connections")

    def data_received(self, data: bytes) -> None:
        """Keep what came, and have the whole frames in it answered."""
        if not self._is_closing:
            self._reader.add(data)
            self._answer_what_waits()

    def pause_writing(self) -> None:
        """The other side reads slowly: its next requests wait."""
        self._reads_slowly = True
        self.read_on_or_wait()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._reads_slowly = False
        self._answer_what_waits()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        if error is not None:
            log.debug("a connection was lost: %s", error)
        self._is_closing = True
        if self._caller is not None:
            self._server.connection_lost(self._caller)

    # --- the server calls ----------------------------------------------------------------------

    def next_frame(self) -> Frame | None:
        """Return the next request to answer; None while there is none, or while one must wait."""
        return None if self._must_wait() or self._is_closing else self._reader.next_frame()

    def go_on_later(self) -> None:
        """Give the other connections a turn before the next request is answered."""
        self._lets_others_go_first = True
        asyncio.get_running_loop().call_soon(self._go_on)

    def queue(self, frame: bytes) -> None:
        """Take a frame to be sent with the next flush."""
        if not self._is_closing:
            self._outgoing.append(frame)
            self.outgoing_bytes += len(frame)

    def flush(self) -> None:
        """Send all that is queued with one write."""
        if self._transport is None or not self._outgoing:
            return
        waiting = self._transport.get_write_buffer_size() + self.outgoing_bytes
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        self.outgoing_bytes = 0
        if waiting > limits.UNREAD_BYTES:
            self.abort("it does not read what is sent to it")
        else:
            self._transport.write(data)

    def read_on_or_wait(self) -> None:
        """Read from the socket only while what was read before is being answered at once."""
        must_wait = self._must_wait()
        if self._transport is None or self._is_closing or must_wait == self._waits:
            return
        self._waits = must_wait
        if must_wait:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def hang_up(self, reason: str) -> None:
        """Close, after what is queued was sent."""
        if self._is_closing or self._transport is None:
            return
        self._log_end(reason)
        self.flush()
        self._is_closing = True
        self._transport.resume_reading()  # closing with unread data would destroy what we just sent
        self._transport.close()

    def abort(self, reason: str) -> None:
        """Close without waiting for anything."""
        if self._transport is not None:
            self._log_end(reason)
            self._is_closing = True
            self._transport.abort()

    def _go_on(self) -> None:
        self._lets_others_go_first = False
        self._answer_what_waits()

    def _answer_what_waits(self) -> None:
        if self._caller is not None and not self._is_closing:
            self._server.requests_came(self, self._caller)

    def _must_wait(self) -> bool:
        return self.works or self._reads_slowly or self._lets_others_go_first

    def _log_end(self, reason: str) -> None:
        assert self._transport is not None
        log.info("closing the connection from %s: %s", self._transport.get_extra_info("peername"), reason)


def use_small_tls_buffers() -> None:
    """Make asyncio's TLS connections take one record of read buffer; it zero-fills 256 KiB for each by default."""
    if hasattr(sslproto.SSLProtocol, "max_size"):
        sslproto.SSLProtocol.max_size = limits.TLS_READ_BYTES


def _now() -> Now:
    return Now(time.monotonic(), time.time())
