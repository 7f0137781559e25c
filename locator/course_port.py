"""The socket of the course port: one connection takes commands, and each answer leaves as a segment of its own."""

import asyncio
import hashlib
import logging
import secrets
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import cast

from locator import limits
from locator.accounts import PasswordPool, TooManyPasswordsError
from locator.course_desk import Answer, CourseDesk, is_course_password
from locator.course_protocol import (
    ACCEPTED,
    NONSENSE,
    UNKNOWN_AT_LOGIN,
    UNKNOWN_USER,
    CourseLogIn,
    CourseLogOut,
    CourseQuery,
    CourseReader,
    Nonsense,
)
from locator.event_log import tell
from locator.figures import Figures
from locator.orders import Now, Orders
from locator.rate_limits import RateLimit, network_of
from locator.stores.interface import BecomeCourseOnly, Store, StoreFailedError
from protocol.identity import UserId

log = logging.getLogger("locator.events")
_UNKNOWN = frozenset({UNKNOWN_USER, UNKNOWN_AT_LOGIN})
_WORDS = {CourseQuery: "query", CourseLogOut: "log_out", Nonsense: "nonsense"}


class CoursePort:
    """Listens, and keeps its floods away from the rest of the locator by limits of its own."""

    def __init__(
        self,
        desk: CourseDesk,
        passwords: PasswordPool,
        store: Store,
        carry_out: Callable[[Orders], None],
        figures: Figures,
    ) -> None:
        """`carry_out` tells the watchers."""
        self._figures = figures
        self._desk = desk
        self._passwords = passwords
        self._store = store
        self._carry_out = carry_out
        self._connections: OrderedDict[CourseConnection, None] = OrderedDict()
        self._of_network: dict[str, OrderedDict[CourseConnection, None]] = {}
        self._unknown = RateLimit(limits.COURSE_UNKNOWN_IDS_PER_ADDRESS)
        self._wrong = RateLimit(limits.COURSE_WRONG_PASSWORDS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        self._right: dict[UserId, tuple[str, bytes]] = {}
        """The last right password of each user, as a keyed hash beside the stored one it fitted."""
        self._key = secrets.token_bytes(32)

    async def start(self, listener: socket.socket) -> None:
        """Serve on a bound socket, which is ours from now on."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(
            lambda: CourseConnection(self), sock=listener, backlog=limits.BACKLOG
        )

    async def stop(self) -> None:
        """Hang up on everybody."""
        if self._listening is not None:
            self._listening.close()
        for connection in tuple(self._connections):
            connection.abort()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def admit(self, connection: "CourseConnection") -> None:
        """Take a connection; with too many, the one that was silent for longest goes."""
        own = self._of_network.setdefault(connection.network, OrderedDict())
        self._connections[connection] = own[connection] = None
        for those, most in (
            (own, limits.COURSE_CONNECTIONS_PER_ADDRESS),
            (self._connections, limits.COURSE_CONNECTIONS),
        ):
            if len(those) > most:
                silent = next(iter(those))
                self.forget(silent)
                silent.abort()
        self._figures.course_connections = len(self._connections)

    def heard(self, connection: "CourseConnection") -> None:
        """A connection said something."""
        if connection in self._connections:
            self._connections.move_to_end(connection)
            self._of_network[connection.network].move_to_end(connection)

    def forget(self, connection: "CourseConnection") -> None:
        """A connection is gone."""
        if connection in self._connections:
            del self._connections[connection]
            own = self._of_network[connection.network]
            del own[connection]
            if not own:
                del self._of_network[connection.network]
        self._figures.course_connections = len(self._connections)

    def wait_before(self, reply: bytes, network: str) -> float:
        """Return for how many seconds a reply is to be held back: who tries out IDs is slowed."""
        if reply not in _UNKNOWN:
            return 0.0
        now = time.monotonic()
        wait = self._unknown.wait(network, now)
        if wait <= limits.COURSE_HELD_BACK_SECONDS:
            self._unknown.take(network, now)
        return wait

    def answer(self, command: CourseQuery | CourseLogOut | Nonsense, seen: str) -> bytes:
        """Answer what can be answered at once."""
        self._figures.course_commands[_WORDS[type(command)]] += 1
        match command:
            case CourseQuery(user):
                answer = self._desk.query(user, seen)
            case CourseLogOut(user):
                answer = self._desk.log_out(user, Now(time.monotonic(), time.time()))
            case _:
                answer = Answer(NONSENSE, [])
        if answer.orders:
            self._carry_out(answer.orders)
        return answer.reply

    def log_in(self, command: CourseLogIn, seen: str, then: Callable[[bytes], None]) -> None:
        """Check a login, and give the answer to `then`, now or later."""
        pair, now = (command.user, network_of(seen)), time.monotonic()
        self._figures.course_commands["log_in"] += 1
        wanted = self._desk.hash_for_login(command.user)
        if isinstance(wanted, Answer):
            self._tell(command.user, seen, "unknown_user" if wanted.reply == UNKNOWN_AT_LOGIN else "not_for_the_course")
            then(wanted.reply)
        elif self._wrong.wait(pair, now):
            self._tell(command.user, seen, "rate_limited")
            then(NONSENSE)
        elif self._right.get(command.user) == (wanted, self._seal(command.password)):
            self._arrive(command.user, seen)
            then(ACCEPTED)
        else:
            self._wrong.take(pair, now)
            task = asyncio.get_running_loop().create_task(self._check(command, wanted, seen, then))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _check(self, command: CourseLogIn, wanted: str, seen: str, then: Callable[[bytes], None]) -> None:
        try:
            is_right = await self._passwords.check(
                lambda: is_course_password(command.password, wanted), network_of(seen)
            )
            if is_right and self._desk.is_undecided(command.user):
                # From its first login here on this password opens nothing in Hail.
                await self._store.make(BecomeCourseOnly(command.user))
            if is_right:
                is_right = self._desk.hash_for_login(command.user) == wanted
            outcome = "wrong_password"
        except TooManyPasswordsError:
            is_right, outcome = False, "rate_limited"
        except StoreFailedError:
            is_right, outcome = False, "store_failed"
        except Exception:
            log.exception("a login on the course port failed")
            is_right, outcome = False, "failed"
        if is_right:
            self._wrong.give_back((command.user, network_of(seen)))
            self._right[command.user] = (wanted, self._seal(command.password))
            self._arrive(command.user, seen)
        else:
            self._tell(command.user, seen, outcome)
        then(ACCEPTED if is_right else NONSENSE)

    def _tell(self, user: UserId, seen: str, outcome: str) -> None:
        """Count a login, and write it down; an ID that nobody has may be anything, a password too."""
        self._figures.course_logins[outcome] += 1
        known = str(user) if self._store.find(user) is not None else None
        event = "course_logged_in" if outcome == "accepted" else "course_refused"
        tell(log, logging.INFO, event, user=known, address=seen, code=None if outcome == "accepted" else outcome)

    def _arrive(self, user: UserId, seen: str) -> None:
        self._tell(user, seen, "accepted")
        self._carry_out(self._desk.logged_in(user, seen, Now(time.monotonic(), time.time())))

    def _seal(self, password: str) -> bytes:
        return hashlib.blake2b(password.encode("utf-8", "surrogateescape"), key=self._key, digest_size=32).digest()


class CourseConnection(asyncio.Protocol):
    """One client of the course's own making."""

    def __init__(self, port: CoursePort) -> None:
        self._port = port
        self._reader = CourseReader()
        self._transport: asyncio.Transport | None = None
        self._seen = ""
        self.network = ""
        """By what it is counted."""
        self._is_checking = False
        """Whether the answer to a command waits; the next commands wait behind it."""
        self._is_paused = False
        self._is_ended = False
        self._is_scheduled = False
        self._silence: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See who it is."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not of that class
        self._transport.set_write_buffer_limits(limits.COURSE_UNREAD_BYTES)
        peer = transport.get_extra_info("peername")
        self._seen = peer[0] if peer else ""
        self.network = network_of(self._seen)
        self._port.admit(self)

    def data_received(self, data: bytes) -> None:
        """Cut commands."""
        self._port.heard(self)
        self._reader.add(data)
        self._stop_timer()
        self._read_on_or_wait()
        self._schedule()

    def pause_writing(self) -> None:
        """It asks and does not read: whoever does that is no client."""
        self.abort()

    def eof_received(self) -> bool:
        """It will say nothing more: answer what it said, then close."""
        self._is_ended = True
        self._schedule()
        return True

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """It is gone; what it said still counts."""
        self._transport = None
        self._is_ended = True
        self._port.forget(self)
        self._schedule()

    def abort(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    # --- inside ------------------------------------------------------------------------------

    def _schedule(self) -> None:
        """Go on in the loop's next turn: answers written in one turn might share a segment, and others wait, too."""
        if not self._is_scheduled and not self._is_checking:
            self._is_scheduled = True
            self._loop.call_soon(self._take_one)

    def _take_one(self, *, is_ended: bool = False) -> None:
        self._is_scheduled = False
        if self._is_checking:
            return
        command = self._reader.next_command(is_ended=is_ended or self._is_ended)
        if command is None:
            self._wait()
        elif isinstance(command, CourseLogIn):
            self._is_checking = True
            self._port.log_in(command, self._seen, self._answered)
        else:
            self._answered(self._port.answer(command, self._seen))
        self._read_on_or_wait()

    def _answered(self, reply: bytes) -> None:
        wait = self._port.wait_before(reply, self.network)
        if wait > limits.COURSE_HELD_BACK_SECONDS:
            self.abort()
        elif wait:
            self._is_checking = True
            self._loop.call_later(wait, self._reply, reply)
        else:
            self._reply(reply)

    def _reply(self, reply: bytes) -> None:
        self._is_checking = False
        self._write(reply)
        self._read_on_or_wait()
        if self._is_ended or self._reader.has_beginning:
            self._schedule()

    def _read_on_or_wait(self) -> None:
        """Read only while what was read before is being answered."""
        must_wait = self._is_checking or self._reader.waiting > limits.COURSE_AHEAD_BYTES
        if must_wait != self._is_paused and self._transport is not None and not self._transport.is_closing():
            self._is_paused = must_wait
            if must_wait:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _wait(self) -> None:
        """Nothing to answer now: a beginning waits for its end, an ended connection is closed."""
        if self._reader.has_beginning:
            self._silence = self._loop.call_later(limits.COURSE_SILENCE_SECONDS, self._silent)
        elif self._is_ended and self._transport is not None:
            self._transport.close()

    def _silent(self) -> None:
        self._silence = None
        self._take_one(is_ended=True)

    def _stop_timer(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _write(self, reply: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(reply)
