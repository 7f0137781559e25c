"""The driver: a real server object and connections whose transport only remembers."""

import asyncio
import contextlib
import logging
import secrets
import socket
import sqlite3
import ssl
from asyncio import sslproto
from datetime import UTC, datetime
from time import monotonic, time

import pytest

from locator import limits as locator_limits
from locator.accounts import PasswordPool
from locator.authority import Authority
from locator.connection import Connection
from locator.orders import Now, Send
from locator.requests import Requests
from locator.server import LocatorServer, use_small_tls_buffers
from locator.stores.interface import StoreFailedError
from locator.stores.memory_and_sqlite import FILE_NAME, MemoryAndSqlite
from protocol import limits
from protocol.errors import RefusalCode
from protocol.framing import FrameReader, encode_frame
from protocol.identity import UserId
from protocol.locator_messages import (
    ALPN,
    LOCATOR,
    Done,
    Endpoint,
    KeepAlive,
    LoggedIn,
    LogIn,
    Refused,
    Register,
    Superseded,
    Watch,
    Welcome,
    Where,
    Whereabouts,
)
from protocol.signatures import SigningKey

ANA, BO = UserId("ana"), UserId("bo")


class RememberingTransport(asyncio.Transport):
    """What a connection wrote, write by write."""

    def __init__(self, alpn: str | None = ALPN, peer: str = "192.0.2.1") -> None:
        super().__init__({"ssl_object": self, "peername": (peer, 4711)})
        self.alpn = alpn
        self.writes: list[bytes] = []
        self.is_reading_now = True
        self.ended: str | None = None
        self.unread = 0
        self.written = asyncio.Event()
        self.connection: Connection

    def selected_alpn_protocol(self):
        return self.alpn

    def set_write_buffer_limits(self, high=None, low=None):
        self.high = high

    def get_write_buffer_size(self):
        return self.unread

    def write(self, data):
        self.writes.append(data)
        self.written.set()

    def pause_reading(self):
        self.is_reading_now = False

    def resume_reading(self):
        self.is_reading_now = True

    def close(self):
        if self.ended is None:
            self.ended = "closed"
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)

    def abort(self):
        if self.ended is None:
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)
        self.ended = "aborted"


class Line:
    """One connection of a test."""

    def __init__(self, server: LocatorServer, **transport: object) -> None:
        self.connection = Connection(server)
        self.transport = RememberingTransport(**transport)
        self.key = SigningKey(secrets.token_bytes(32))
        self.transport.connection = self.connection
        self.connection.connection_made(self.transport)
        self.greeting = self.heard()

    def says(self, *messages) -> None:
        self.connection.data_received(b"".join(map(LOCATOR.encode, messages)))

    def heard(self) -> list:
        """Return, and forget, what was written."""
        data = b"".join(self.transport.writes)
        self.transport.writes.clear()
        self.transport.written.clear()
        return [LOCATOR.decode(frame) for frame in FrameReader(limits.LOCATOR_REPLY_FRAME).receive(data)]

    async def hears(self, kind):
        """Wait for the next write, and return its last message."""
        async with asyncio.timeout(5):
            await self.transport.written.wait()
        message = self.heard()[-1]
        assert isinstance(message, kind), message
        return message

    def register(self, user, tag=1):
        return Register(tag, user, "correct horse", "Somebody", self.key.public, Endpoint(1, 2))

    async def registered(self, user) -> "Line":
        self.says(self.register(user))
        await self.hears(LoggedIn)
        return self


def serving(scene, folder, *, pool=None, loop_factory=asyncio.SelectorEventLoop, **options):
    """Run a scene with a server that has no socket."""

    async def whole() -> None:
        authority = Authority.open_or_create(folder / "authority.pem", datetime.now(UTC))
        store, passwords = MemoryAndSqlite(folder), pool or PasswordPool(threads=1)
        requests = Requests(store, authority, registration_open=True)
        server = LocatorServer(requests, authority, passwords, store, **options)
        try:
            await scene(server)
        finally:
            await server.stop()
            passwords.close()
            await store.close()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(whole())


def test_all_frames_of_a_read_are_answered_with_one_write(tmp_path):
    async def scene(server):
        line = await Line(server).registered(ANA)
        line.says(KeepAlive(1), Where(2, (ANA,)), KeepAlive(3))
        assert len(line.transport.writes) == 1
        assert [message.tag for message in line.heard()] == [1, 2, 3]

    serving(scene, tmp_path)


def test_a_watcher_gets_one_write_too(tmp_path):
    async def scene(server):
        ana, cy, bo = [await Line(server).registered(UserId(user)) for user in ("ana", "cy", "bo")]
        bo.says(Watch(2, (ANA, UserId("cy"))))
        bo.heard()
        ana.connection.connection_lost(None)
        cy.connection.connection_lost(None)
        server._let_time_pass(Now(monotonic() + locator_limits.GRACE_SECONDS, 0))
        assert len(bo.transport.writes) == 1

    serving(scene, tmp_path)


def test_requests_behind_a_password_wait_for_it(tmp_path):
    async def scene(server):
        line = Line(server)
        line.says(line.register(ANA, tag=1), Where(2, (ANA,)), KeepAlive(3))
        assert line.heard() == []
        assert not line.transport.is_reading_now
        await line.transport.written.wait()
        assert len(line.transport.writes) == 1
        answers = line.heard()
        assert [type(answer) for answer in answers] == [LoggedIn, Whereabouts, Done]
        assert line.transport.is_reading_now

    serving(scene, tmp_path)


def test_a_client_with_many_requests_lets_others_go_first(tmp_path):
    async def scene(server):
        line = await Line(server).registered(ANA)
        line.says(*(KeepAlive(tag) for tag in range(locator_limits.REQUESTS_AT_ONCE + 1)))
        assert len(line.heard()) == locator_limits.REQUESTS_AT_ONCE
        assert not line.transport.is_reading_now
        assert await line.hears(Done) == Done(locator_limits.REQUESTS_AT_ONCE)
        assert line.transport.is_reading_now

    serving(scene, tmp_path)


def test_a_full_disk_is_told_and_harms_no_look_up(tmp_path, monkeypatch, expected_log):
    expected_log.append("store_failed")

    async def fail(_):
        raise StoreFailedError(RefusalCode.DISK_FULL, "the disk is full")

    async def scene(server):
        good, unlucky = await Line(server).registered(ANA), Line(server)
        monkeypatch.setattr(server._store, "make", fail)
        unlucky.says(unlucky.register(BO))
        assert (await unlucky.hears(Refused)).code == RefusalCode.DISK_FULL
        assert unlucky.transport.ended is None
        good.says(KeepAlive(1))
        assert good.heard() == [Done(1)]

    serving(scene, tmp_path)


def test_a_client_that_reads_slowly_is_not_answered_further(tmp_path):
    async def scene(server):
        line = await Line(server).registered(ANA)
        line.connection.pause_writing()
        line.says(KeepAlive(1))
        assert line.heard() == []
        assert not line.transport.is_reading_now
        line.connection.resume_writing()
        assert line.heard() == [Done(1)]
        assert line.transport.is_reading_now

    serving(scene, tmp_path)


def test_a_client_that_never_reads_is_dropped(tmp_path):
    async def scene(server):
        line = await Line(server).registered(ANA)
        line.connection.pause_writing()
        line.transport.unread = locator_limits.UNREAD_BYTES
        server.tell([Send(line.connection._caller, Done(1))])
        assert line.transport.ended == "aborted"

    serving(scene, tmp_path)


GOOD = LOCATOR.encode(KeepAlive(1))
BROKEN = {
    "oversized": (limits.LOCATOR_REQUEST_FRAME + 1).to_bytes(4, "big") + b"\x01\x0a",
    "garbage body": encode_frame(0x010A, b"\xc1 garbage"),
    "unknown kind": encode_frame(0x01FF, b"\x90"),
    "another language": encode_frame(0x0301, b"\x90"),
    "wrong type": encode_frame(0x010A, b"\x91\xa1x"),
    "no request": LOCATOR.encode(Done(1)),
    "http": b"GET / HTTP/1.1\r\nHost: locator\r\n\r\n",
    "bad user": encode_frame(0x0107, b"\x92\x01\x91\xa4../x"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_bad_frame_ends_its_connection_alone(tmp_path, broken, caplog):
    async def scene(server):
        good, bad = await Line(server).registered(ANA), await Line(server).registered(BO)
        with caplog.at_level(logging.INFO, "locator.events"):
            bad.connection.data_received(GOOD + broken + GOOD)
        assert bad.transport.ended == "closed"
        assert len(bad.heard()) <= 1
        assert "hung_up" in caplog.text
        good.says(KeepAlive(1))
        assert good.heard() == [Done(1)]
        assert good.transport.ended is None

    serving(scene, tmp_path)


def test_an_optional_message_of_a_newer_client_is_skipped(tmp_path):
    async def scene(server):
        line = await Line(server).registered(ANA)
        line.connection.data_received(encode_frame(0x81F0, b"\x90") + GOOD)
        assert line.heard() == [Done(1)]

    serving(scene, tmp_path)


def test_a_frame_may_come_byte_by_byte(tmp_path):
    async def scene(server):
        line = await Line(server).registered(ANA)
        for byte in GOOD:
            line.connection.data_received(bytes([byte]))
        assert line.heard() == [Done(1)]

    serving(scene, tmp_path)


@pytest.mark.parametrize("alpn", [None, "http/1.1"])
def test_who_speaks_another_protocol_is_not_greeted(tmp_path, alpn):
    async def scene(server):
        line = Line(server, alpn=alpn)
        assert (line.transport.ended, line.greeting) == ("closed", [])

    serving(scene, tmp_path)


def test_with_somebody_logged_in_on_each_one_connection_too_many_is_hung_up_on(tmp_path):
    async def scene(server):
        first, second = await Line(server).registered(ANA), Line(server)
        assert (second.transport.ended, second.greeting) == ("closed", [])
        first.connection.connection_lost(None)
        assert isinstance(Line(server).greeting[0], Welcome)

    serving(scene, tmp_path, most_connections=1)


def test_a_newcomer_replaces_the_one_nobody_logged_in_on_for_longest(tmp_path):
    async def scene(server):
        user, sitting, chatting = await Line(server).registered(ANA), Line(server), Line(server)
        sitting.says(KeepAlive(1))  # chattering does not help
        newcomer = Line(server)
        assert isinstance(newcomer.greeting[0], Welcome)
        assert [line.transport.ended for line in (user, sitting, chatting)] == [None, "aborted", None]

    serving(scene, tmp_path, most_connections=3)


def test_who_waits_for_the_password_to_be_checked_is_not_replaced(tmp_path):
    async def scene(server):
        waiting, other = Line(server), Line(server)
        waiting.says(waiting.register(ANA))
        newcomer = Line(server)
        assert [line.transport.ended for line in (waiting, other, newcomer)] == [None, "aborted", None]
        await waiting.hears(LoggedIn)

    serving(scene, tmp_path, most_connections=2)


def test_an_address_that_floods_is_refused_and_others_are_let_in(tmp_path, monkeypatch):
    monkeypatch.setattr(locator_limits, "CONNECTIONS_PER_ADDRESS", locator_limits.Rate(3, 10.0))

    async def scene(server):
        flood = [Line(server, peer="198.51.100.7") for _ in range(5)]
        assert [line.transport.ended for line in flood] == [None] * 3 + ["closed"] * 2
        assert isinstance(Line(server).greeting[0], Welcome)

    serving(scene, tmp_path)


def test_who_asks_and_never_logs_in_is_hung_up_on(tmp_path):
    async def scene(server):
        line = Line(server)
        line.says(*(KeepAlive(tag) for tag in range(locator_limits.REQUESTS_BEFORE_LOGIN)))
        assert (len(line.heard()), line.transport.ended) == (locator_limits.REQUESTS_BEFORE_LOGIN, None)
        line.says(KeepAlive(0))
        assert (line.heard(), line.transport.ended) == ([], "closed")

    serving(scene, tmp_path)


def test_a_long_frame_is_for_those_who_are_logged_in(tmp_path):
    watch = Watch(2, tuple(UserId(f"somebody-{number}") for number in range(1_000)))

    async def scene(server):
        user, stranger = await Line(server).registered(ANA), Line(server)
        user.says(watch)
        assert isinstance(user.heard()[0], Whereabouts)
        stranger.says(watch)
        assert stranger.transport.ended == "closed"

    serving(scene, tmp_path)


def test_a_long_frame_may_wait_behind_the_login(tmp_path):
    watch = Watch(2, tuple(UserId(f"somebody-{number}") for number in range(1_000)))

    async def scene(server):
        line = Line(server)
        line.says(line.register(ANA), watch)
        await line.transport.written.wait()
        assert [type(answer) for answer in line.heard()] == [LoggedIn, Whereabouts]

    serving(scene, tmp_path)


def test_who_is_hung_up_on_and_does_not_let_go_is_cut(tmp_path):
    async def scene(server):
        line = Line(server)
        line.transport.close = lambda: None  # the goodbye waits behind what the other side does not read
        line.connection.hang_up("a test")
        server._let_time_pass(Now(monotonic() + locator_limits.BEFORE_LOGIN_SECONDS + 1, 0))
        assert line.transport.ended == "aborted"

    serving(scene, tmp_path)


def test_a_process_that_stood_still_blames_nobody_for_being_silent(tmp_path):
    async def scene(server):
        line = await Line(server).registered(ANA)
        server._excuse(limits.LEASE_SECONDS + 5)
        server._let_time_pass(Now(monotonic() + limits.LEASE_SECONDS + 5, 0))
        assert line.transport.ended is None
        line.says(KeepAlive(1))
        assert line.heard() == [Done(1)]

    serving(scene, tmp_path)


def test_a_connection_that_nobody_logs_in_on_is_hung_up_on(tmp_path):
    async def scene(server):
        user, nobody = await Line(server).registered(ANA), Line(server)
        nobody.says(KeepAlive(1))  # chattering does not help
        soon = monotonic() + locator_limits.BEFORE_LOGIN_SECONDS
        server._let_time_pass(Now(soon - 1, 0))
        assert nobody.transport.ended is None
        server._let_time_pass(Now(soon + 1, 0))
        assert nobody.transport.ended == "closed"
        assert user.heard() == []

    serving(scene, tmp_path)


def test_a_lease_runs_out_on_the_drivers_clock(tmp_path):
    async def scene(server):
        line = await Line(server).registered(ANA)
        server._let_time_pass(Now(monotonic() + limits.LEASE_SECONDS + 1, 0))
        assert line.transport.ended == "closed"

    serving(scene, tmp_path)


def test_when_too_many_passwords_wait_the_client_is_told_to_try_again(tmp_path):
    async def scene(server):
        line = Line(server)
        line.says(line.register(ANA))
        answer = await line.hears(Refused)
        assert answer.code == RefusalCode.RATE_LIMITED
        assert answer.retry_after >= 1
        assert line.transport.ended is None

    serving(scene, tmp_path, pool=PasswordPool(threads=1, longest_wait=0))


def test_who_hung_up_during_the_login_is_not_online(tmp_path):
    async def scene(server):
        bo = await Line(server).registered(BO)
        ana = Line(server)
        ana.says(ana.register(ANA))
        ana.connection.connection_lost(None)
        await asyncio.gather(*server._tasks)
        server._let_time_pass(Now(monotonic() + locator_limits.GRACE_SECONDS + 1, 0))
        bo.says(Where(1, (ANA,)))
        assert not bo.heard()[0].about[0].online

    serving(scene, tmp_path)


def test_a_login_whose_caller_hung_up_still_ends_the_older_session(tmp_path, monkeypatch):
    async def scene(server):
        old, new = await Line(server).registered(ANA), Line(server)
        made = server._store.make

        async def make_after_loss(change):
            new.connection.connection_lost(None)
            return await made(change)

        monkeypatch.setattr(server._store, "make", make_after_loss)
        new.says(LogIn(1, ANA, "correct horse", new.key.public, Endpoint(1, 2)))
        assert (await old.hears(Superseded)).session == 2
        assert old.transport.ended == "closed"

    serving(scene, tmp_path)


def test_a_bug_in_a_handler_ends_one_connection_and_is_logged(tmp_path, monkeypatch, caplog, expected_log):
    expected_log.append("a request failed")

    async def scene(server):
        good, unlucky = await Line(server).registered(ANA), await Line(server).registered(BO)
        monkeypatch.setattr(server._requests, "answer", lambda *_: 1 / 0)
        unlucky.says(KeepAlive(1))
        monkeypatch.undo()
        assert unlucky.transport.ended == "closed"
        assert "ZeroDivisionError" in caplog.text
        good.says(KeepAlive(1))
        assert good.heard() == [Done(1)]

    serving(scene, tmp_path)


def test_a_locator_that_runs_for_months_renews_its_certificate(tmp_path):
    async def scene(server):
        before = server._own_certificate.der
        server._let_time_pass(Now(0, datetime.now(UTC).timestamp() + 31 * 86_400))
        assert server._own_certificate.der != before

    serving(scene, tmp_path)


def test_accounts_locked_by_another_process_are_told_and_look_ups_go_on(tmp_path, monkeypatch, expected_log):
    expected_log.append("store_failed")
    monkeypatch.setattr(locator_limits, "STORE_BUSY_SECONDS", 0.3)

    async def scene(server):
        good, unlucky = await Line(server).registered(ANA), Line(server)
        with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
            other.execute("BEGIN IMMEDIATE")
            unlucky.says(unlucky.register(BO))
            for _ in range(20):
                await asyncio.sleep(0.01)
                good.says(KeepAlive(1))
                assert good.heard() == [Done(1)]
            answer = await unlucky.hears(Refused)
            assert "cannot write its accounts" in answer.message
            other.rollback()
        assert isinstance(await Line(server).registered(UserId("cy")), Line)

    serving(scene, tmp_path)


@pytest.mark.parametrize("years", [-20, 20])
def test_a_wall_clock_that_jumps_ends_no_session(tmp_path, monkeypatch, years):
    async def scene(server):
        ana, bo = [await Line(server).registered(user) for user in (ANA, BO)]
        wall = time() + years * 365 * 86_400
        monkeypatch.setattr("locator.server._wall", lambda: wall)
        for _ in range(3):
            server._let_time_pass(Now(monotonic() + 1, wall))
        ana.says(Where(1, (BO,)))
        assert ana.heard()[0].about[0].online
        assert (ana.transport.ended, bo.transport.ended) == (None, None)
        monkeypatch.undo()
        server._let_time_pass(Now(monotonic() + 1, time()))
        assert server._own_certificate._content.is_in_date(datetime.now(UTC))

    serving(scene, tmp_path)


# --- handshakes ------------------------------------------------------------------------------


def client_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([ALPN])
    return context


def client_hello():
    """The first bytes of a handshake."""
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        client_context().wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    return outgoing.read()


def on_a_port(scene, folder, loop_factory=asyncio.SelectorEventLoop):
    """Run a scene with a server that listens on loopback."""

    async def listening(server):
        listener = socket.create_server(("127.0.0.1", 0))
        place = listener.getsockname()
        await server.start(listener)
        await scene(server, place)

    serving(listening, folder, loop_factory=loop_factory)


async def all_are_gone(server):
    for _ in range(500):
        if not len(server._door):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a connection is still counted")


LOOPS = [asyncio.SelectorEventLoop]
with contextlib.suppress(ImportError):
    import uvloop

    LOOPS.append(uvloop.new_event_loop)
both_loops = pytest.mark.parametrize("loop_factory", LOOPS)


@both_loops
def test_a_handshake_of_a_byte_at_a_time_is_given_up(tmp_path, monkeypatch, loop_factory):
    monkeypatch.setattr("locator.server.HANDSHAKE_SECONDS", 0.5)

    async def scene(server, place):
        reader, writer = await asyncio.open_connection(*place)
        began, hello = monotonic(), client_hello()
        with contextlib.suppress(ConnectionError):
            for byte in hello:
                writer.write(bytes([byte]))
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        assert await reader.read(100) == b""
                        break
        assert 0.4 < monotonic() - began < 3
        writer.transport.abort()
        await all_are_gone(server)

    on_a_port(scene, tmp_path, loop_factory)


@both_loops
def test_who_sits_in_a_handshake_makes_room_for_a_newcomer(tmp_path, monkeypatch, loop_factory):
    monkeypatch.setattr(locator_limits, "STRANGERS_PER_ADDRESS", 3)
    monkeypatch.setattr(locator_limits, "QUICK_LOGIN_SECONDS", 0.0)

    async def scene(server, place):
        sitting = [await asyncio.open_connection(*place) for _ in range(3)]
        reader, writer = await asyncio.open_connection(*place, ssl=client_context())
        assert await reader.readexactly(6)
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                assert await sitting[0][0].read() == b""
        assert len(server._door) == 3
        for _, other in (*sitting, (reader, writer)):
            other.transport.abort()
        await all_are_gone(server)

    on_a_port(scene, tmp_path, loop_factory)


@both_loops
def test_answers_leave_at_once(tmp_path, loop_factory):
    async def scene(server, place):
        reader, writer = await asyncio.open_connection(*place, ssl=client_context())
        assert await reader.readexactly(6)
        (connection,) = server._connections.values()
        served = connection._transport.get_extra_info("socket")
        assert served.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.transport.abort()

    on_a_port(scene, tmp_path, loop_factory)


# --- memory --------------------------------------------------------------------------------------


def test_a_tls_connection_of_asyncio_takes_one_record_of_buffer(tmp_path, monkeypatch):
    monkeypatch.setattr(sslproto.SSLProtocol, "max_size", 256 * 1024)

    async def scene(server):
        listener = socket.create_server(("127.0.0.1", 0))
        place = listener.getsockname()
        await server.start(listener)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols([ALPN])
        reader, writer = await asyncio.open_connection(*place, ssl=context)
        assert await reader.readexactly(6)
        (connection,) = server._connections.values()
        assert len(connection._transport._ssl_protocol._ssl_buffer) == locator_limits.TLS_READ_BYTES
        writer.close()
        await writer.wait_closed()

    serving(scene, tmp_path)


def test_a_python_without_that_setting_is_left_as_it_is(monkeypatch):
    monkeypatch.delattr(sslproto.SSLProtocol, "max_size")
    use_small_tls_buffers()
    assert not hasattr(sslproto.SSLProtocol, "max_size")
