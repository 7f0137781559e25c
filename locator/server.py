"""Sockets ⇄ frames, and the carrying out of orders. It decides nothing; `requests.py` does.

Every frame of a read is answered with one write, to each connection concerned.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
import time
from asyncio import sslproto
from collections.abc import Coroutine
from datetime import UTC, datetime

from locator import limits
from locator.accepting import Acceptor
from locator.accounts import NobodyWaitsError, PasswordPool, TooManyPasswordsError
from locator.authority import Authority, tls_context
from locator.connection import Connection
from locator.directory import clean_address, is_loopback
from locator.door import Door
from locator.figures import Figures, Gauges
from locator.free_memory import give_back_free_memory
from locator.logins import out_of_touch, refuse
from locator.observing import WORTH_A_NOTE, Observer
from locator.orders import Caller, HangUp, HashPassword, MakeChange, Now, Orders, Send, Share, VerifyPassword, Work
from locator.rate_limits import network_of
from locator.requests import Requests
from locator.stores.interface import Store, StoreFailedError, StoreOutOfTouchError
from protocol.errors import RefusalCode, RemoteProtocolError
from protocol.framing import Frame
from protocol.limits import CHALLENGE_BYTES, HANDSHAKE_SECONDS
from protocol.locator_messages import LOCATOR, Where

log = logging.getLogger(__name__)
_encode, _decode = LOCATOR.encode, LOCATOR.decode
_monotonic, _wall = time.monotonic, time.time


class LocatorServer:
    """Owns the listening socket, all connections, and the one clock of the locator."""

    def __init__(
        self,
        requests: Requests,
        authority: Authority,
        passwords: PasswordPool,
        store: Store,
        *,
        figures: Figures | None = None,
        most_connections: int = limits.CONNECTIONS,
    ) -> None:
        self._observer = Observer(figures or Figures(), store, lambda: _now().monotonic)
        self._requests = requests
        self._requests_counted = self._observer.figures.requests
        self._authority = authority
        self._passwords = passwords
        self._store = store
        self._door: Door[Connection] = Door(most_connections)
        self._context = tls_context()
        self._own_certificate = authority.make_own_certificate(datetime.fromtimestamp(_now().wall, UTC))
        self._own_certificate.load_into(self._context)
        self._connections: dict[Caller, Connection] = {}
        self._to_flush: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._acceptor: Acceptor | None = None
        self._gone = 0
        """Connections since memory was given back."""
        self._is_stopping = False
        self._nobody_left = asyncio.Event()

    async def start(self, listener: socket.socket) -> None:
        """Serve on a bound socket, which is ours from now on."""
        use_small_tls_buffers()
        self._acceptor = Acceptor(listener, self._take)
        self._keep(self._sweep())
        self._keep(self._hear_news())

    async def stop(self) -> None:
        """Take no more work, send what waits, hang up, and drop who does not let go."""
        self._is_stopping = True
        if self._acceptor is not None:
            self._acceptor.close()
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

    def knocks(self, connection: Connection, network: str) -> bool:
        """Tell whether a new connection may come in; somebody else may have to go for it."""
        if self._is_stopping:
            return False
        entry = self._door.enter(connection, network, _now().monotonic)
        if entry.goes is not None:
            entry.goes.cut("it made room for a newcomer")
        if entry.refused is not None:
            self._observer.turned_away(network, entry.refused)
        return entry.refused is None

    def admit(self, connection: Connection, seen_address: str) -> Caller:
        """Greet a new connection whose handshake is done."""
        address = clean_address(seen_address) or seen_address.partition("%")[0]
        caller = Caller(
            seen_address=address,
            is_near=is_loopback(address),
            nonce=secrets.token_bytes(CHALLENGE_BYTES),
            certificate=connection.certificate,
            heard_at=_now().monotonic,
        )
        self._connections[caller] = connection
        self._observer.connected()
        self._carry_out(self._requests.welcome(caller))
        self._flush()
        return caller

    def requests_came(self, connection: Connection, caller: Caller) -> None:
        """Answer what a connection has read, until it must wait for work or for its reader."""
        moment, answered = _monotonic(), 0
        try:
            while True:
                if connection.is_stranger or caller.session is None:
                    self._sort(connection, caller, moment)
                frame = connection.next_frame()
                if frame is None:
                    break
                answer = self._requests.look_up(frame, caller, moment)
                if answer is not None:
                    self._requests_counted[Where] += 1
                    connection.queue(answer)
                    if connection.reader.is_empty:
                        break
                else:
                    self._answer(connection, caller, frame, Now(moment, _wall()))
                answered += 1
                if answered == limits.REQUESTS_AT_ONCE or connection.outgoing_bytes > limits.ANSWERS_BYTES:
                    connection.go_on_later()
        except RemoteProtocolError as error:
            connection.hang_up(str(error))
        except Exception:
            log.exception("a request failed; its connection is closed", extra=connection.trail.about)
            connection.hang_up("a request failed")
        if self._to_flush:
            self._flush()
        connection.finish_turn()

    def _answer(self, connection: Connection, caller: Caller, frame: Frame, now: Now) -> None:
        request = _decode(frame)
        if request is not None:
            self._observer.asked(connection.trail, request)
            self._carry_out(self._requests.answer(request, caller, now))

    def _sort(self, connection: Connection, caller: Caller, moment: float) -> None:
        """Tell the door whether a connection is a stranger's; one that waits for work on a login is not."""
        is_stranger = caller.session is None and not connection.works
        if is_stranger is not connection.is_stranger:
            connection.becomes(is_stranger=is_stranger)
            if is_stranger:
                self._door.is_stranger(connection, moment)
            else:
                self._door.is_known(connection)

    def connection_lost(self, connection: Connection, caller: Caller | None) -> None:
        """Forget a connection; if it waits for work, the work's end tells the rest."""
        self._gone += 1
        self._door.leave(connection)
        if caller is None:
            return
        self._connections.pop(caller, None)
        if self._is_stopping and not self._connections:
            self._nobody_left.set()
        if not connection.works and not self._is_stopping:
            self._carry_out(self._requests.connection_lost(caller, _now()))
            self._flush()

    def ends(self, connection: Connection, reason: str) -> None:
        """A connection is being closed by us: it has as long to be gone as a stranger to log in."""
        self._door.is_stranger(connection, _now().monotonic)
        self._observer.hangs_up(connection.trail, reason)

    @property
    def certificate(self) -> bytes:
        """The locator's own certificate (DER), as new connections are shown it."""
        return self._own_certificate.der

    def gauges(self) -> Gauges:
        """Return how to read what is so now."""
        return {
            "connections": lambda: len(self._door),
            "sessions": lambda: len(self._door) - self._door.strangers,
        }

    def tell(self, orders: Orders) -> None:
        """Carry out what another port of this locator brought about."""
        self._carry_out(orders)
        self._flush()

    # --- accepting ---------------------------------------------------------------------------

    def _take(self, accepted: socket.socket, address: str) -> bool:
        connection = Connection(self, accepted)
        is_welcome = self.knocks(connection, network_of(address))
        if is_welcome:
            self._keep(self._shake_hands(connection, accepted))
        return is_welcome

    async def _shake_hands(self, connection: Connection, accepted: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=limits.GOODBYE_SECONDS,
            )
        except OSError as error:  # TLS errors and time-outs are of that family
            log.debug("a handshake failed: %s", error)
        finally:
            if not connection.is_greeted:
                self._gone += 1
                self._door.leave(connection)

    # --- carrying out ------------------------------------------------------------------------

    def _carry_out(self, orders: Orders) -> None:
        for order in orders:
            if isinstance(order, Send):
                connection = self._connections.get(order.to)
                if connection is not None:
                    connection.queue(_encode(order.message))
                    if type(order.message) in WORTH_A_NOTE:
                        self._observer.sends(connection.trail, order.message)
                    self._to_flush.add(connection)
            elif isinstance(order, HangUp):
                connection = self._connections.get(order.caller)
                if connection is not None:
                    connection.hang_up(order.reason)
            elif isinstance(order, Share):
                self._store.share(order.presence)
            else:
                connection = self._connections.get(order.caller)
                if connection is not None:
                    connection.begin_work()
                    self._keep(self._work(connection, order))

    def _flush(self) -> None:
        while self._to_flush:
            self._to_flush.pop().flush()

    async def _work(self, connection: Connection, order: Work) -> None:
        """Do what takes time, then go on where the handler left off."""
        try:
            orders = await self._result_of(order)
        except TooManyPasswordsError as error:
            sentence = f"Too many people log in right now. Try again in {error.retry_after:.0f} s."
            orders = refuse(order.caller, order.tag, RefusalCode.RATE_LIMITED, sentence, error.retry_after)
        except StoreOutOfTouchError as error:
            log.info("a change was not made: %s", error)
            orders = out_of_touch(order.caller, order.tag)
        except StoreFailedError as error:
            self._observer.store_failed(error)
            sentence = "The locator cannot write its accounts. Tell whoever runs it."
            orders = refuse(order.caller, order.tag, error.code, sentence)
        except NobodyWaitsError:
            orders = []
        except Exception:
            log.exception("work for a request failed; its connection is closed", extra=connection.trail.about)
            orders = [HangUp(order.caller, "a request failed")]
        connection.end_work()
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
            before = _now().monotonic
            await asyncio.sleep(limits.SWEEP_SECONDS)
            try:
                now = _now()
                self._excuse(now.monotonic - before - limits.SWEEP_SECONDS)
                self._let_time_pass(now)
            except Exception:
                log.exception("a sweep failed; the next one comes")

    def _excuse(self, overslept: float) -> None:
        """If this process stood still, nobody was silent: what they said meanwhile waits to be read."""
        if overslept > limits.OVERSLEPT_SECONDS:
            for caller in self._connections:
                caller.heard_at += overslept

    def _let_time_pass(self, now: Now) -> None:
        """Let leases, graces and deadlines run out."""
        for connection in self._door.overdue(now.monotonic):
            connection.is_overdue()
        self._carry_out(self._requests.sweep(now))
        if self._gone >= limits.CONNECTIONS_GONE_BEFORE_TRIM:
            self._gone = 0
            give_back_free_memory()
        self._flush()
        moment = datetime.fromtimestamp(now.wall, UTC)
        if self._own_certificate.is_due_for_renewal(moment):
            self._own_certificate = self._authority.make_own_certificate(moment)
            self._own_certificate.load_into(self._context)

    async def _hear_news(self) -> None:
        while True:
            try:
                news = await self._store.news()
                self._observer.accounts_changed(news.accounts)
                self._carry_out(self._requests.news_came(news, _now()))
                self._flush()
            except Exception:
                log.exception("the accounts could not be read again; the next look comes")

    def _keep(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def use_small_tls_buffers() -> None:
    """Make asyncio's TLS connections take one record of read buffer; it zero-fills 256 KiB for each by default."""
    if hasattr(sslproto.SSLProtocol, "max_size"):
        sslproto.SSLProtocol.max_size = limits.TLS_READ_BYTES


def _now() -> Now:
    return Now(_monotonic(), _wall())
