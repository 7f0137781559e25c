"""The course port as the course's old clients use it: a real locator, plain sockets, and what each segment holds."""

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from locator import limits
from locator.accounts import PasswordPool
from locator.course_desk import CourseDesk, hash_course_password
from locator.course_port import CoursePort
from locator.directory import Directory
from locator.figures import Figures
from locator.stores.interface import AddAccount
from locator.stores.memory_and_sqlite import MemoryAndSqlite
from protocol.errors import RefusalCode
from protocol.identity import UserId
from protocol.locator_messages import LoggedIn, Moved, Refused
from tests.locator.desk import Desk
from tests.locator.real_locator import PASSWORD, RealLocator, command, free_port

ANA, BO, NOBODY = "2026000001", "2026000002", "2026999999"
NONSENSE = b"Please send the correct message."


class Course:
    """A locator with a course port, and the means to talk to it."""

    def __init__(self, data: Path) -> None:
        self.port = free_port()
        for user in (ANA, BO):
            command(data, "users", "add", user, typed="net2026\n")
        self.data = data
        self.locator = RealLocator(data, "--course-port", f"127.0.0.1:{self.port}")

    @contextlib.contextmanager
    def client(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield connection

    def ask(self, *said: bytes) -> list[bytes]:
        """Say things on one connection, each after the answer to the one before."""
        with self.client() as connection:
            return [_ask(connection, each) for each in said]


def _ask(connection: socket.socket, said: bytes) -> bytes:
    connection.sendall(said)
    return connection.recv(4096)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    course = Course(tmp_path_factory.mktemp("course") / "data")
    yield course
    assert course.locator.stop() == 0
    assert "Traceback" not in course.locator.log


@pytest.fixture(autouse=True)
def _nobody_is_there(course: Course) -> None:
    course.ask(f"logout{ANA}".encode(), f"logout{BO}".encode())


def test_the_courses_own_conversation(course: Course) -> None:
    login, query, logout = f"{ANA}_net2026".encode(), f"q{ANA}".encode(), f"logout{ANA}".encode()
    assert course.ask(query, login, query, login, logout, query) == [b"n", b"lol", b"127.0.0.1", b"lol", b"loo", b"n"]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (f"q{NOBODY}", b"Incorrect No."),
        (f"{NOBODY}_net2026", b"Incorrect login No."),
        (f"{ANA}_wrong", NONSENSE),
        (f"{ANA}_", NONSENSE),
        ("hello", NONSENSE),
        ("q123", NONSENSE),
        (f"Q{ANA}", NONSENSE),
        (f"logout{NOBODY}", b"loo"),
    ],
)
def test_each_wrong_word_has_its_answer(course: Course, said: str, answer: bytes) -> None:
    assert course.ask(said.encode()) == [answer]


def test_a_login_belongs_to_the_id_and_outlives_its_connection(course: Course) -> None:
    assert course.ask(f"{ANA}_net2026".encode()) == [b"lol"]
    assert course.ask(f"q{ANA}".encode()) == [b"127.0.0.1"]


def test_any_command_works_on_any_connection(course: Course) -> None:
    with course.client() as one, course.client() as other:
        assert _ask(one, f"{ANA}_net2026".encode()) == b"lol"
        assert _ask(other, f"logout{ANA}".encode()) == b"loo"
        assert _ask(one, f"q{ANA}".encode()) == b"n"


def test_a_half_close_is_answered_and_then_closed(course: Course) -> None:
    with course.client() as connection:
        connection.sendall(f"{ANA}_net2026".encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(4096) == b"lol"
        assert connection.recv(4096) == b""


def test_a_login_in_pieces_is_one_login(course: Course) -> None:
    with course.client() as connection:
        for piece in (ANA.encode(), b"_net", b"2026"):
            connection.sendall(piece)
            time.sleep(0.01)
        assert connection.recv(4096) == b"lol"


@pytest.mark.parametrize("apart", [True, False])
def test_a_trailing_nul_is_ignored(course: Course, *, apart: bool) -> None:
    with course.client() as connection:
        for said, answer in ((f"{ANA}_net2026", b"lol"), (f"q{ANA}", b"127.0.0.1"), (f"logout{ANA}", b"loo")):
            if apart:
                connection.sendall(said.encode())
                time.sleep(0.02)
                connection.sendall(b"\0")
            else:
                connection.sendall(said.encode() + b"\0")
            assert connection.recv(4096) == answer


def test_each_answer_is_a_segment_of_its_own(course: Course) -> None:
    with course.client() as connection:
        connection.sendall(f"q{ANA}q{BO}q{NOBODY}".encode())
        connection.settimeout(1)
        received = b""
        while len(received) < len(b"nnIncorrect No."):
            received += connection.recv(4096)
        assert received == b"nnIncorrect No."
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        assert struct.unpack_from("I", info, 152)[0] == 3, "data segments received (tcpi_data_segs_in)"


def test_a_logout_counts_even_if_its_sender_has_gone(course: Course) -> None:
    course.ask(f"{ANA}_net2026".encode())
    with course.client() as connection:
        connection.sendall(f"logout{ANA}".encode())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    deadline = time.monotonic() + 2
    while course.ask(f"q{ANA}".encode()) != [b"n"]:
        assert time.monotonic() < deadline


def test_hail_sees_who_is_on_the_course_port_and_dials_nobody_there(course: Course) -> None:
    with course.locator.connect().greeted() as eve:
        eve.register("eve", kind=LoggedIn)
        (about,) = eve.watch(BO)
        assert not about.online
        course.ask(f"{BO}_net2026".encode())
        moved = eve.expect(Moved).about
        assert (moved.online, moved.listen_port, moved.addresses) == (True, 0, ("127.0.0.1",))
        course.ask(f"logout{BO}".encode())
        assert not eve.expect(Moved).about.online


def test_who_uses_hail_is_seen_from_the_course_and_touched_by_nothing(course: Course) -> None:
    user = "2026000077"
    with course.locator.connect().greeted() as client:
        session = client.register(user, kind=LoggedIn).session
        assert course.ask(f"q{user}".encode()) == [b"127.0.0.1"]
        assert course.ask(f"{user}_{PASSWORD}".encode()) == [NONSENSE], "its password never crosses the network"
        assert course.ask(f"logout{user}".encode(), f"q{user}".encode()) == [b"loo", b"127.0.0.1"]
        assert client.where(user)[0].online
        assert session == 1


def test_a_password_once_sent_in_clear_opens_nothing_in_hail(course: Course) -> None:
    assert course.ask(f"{ANA}_net2026".encode()) == [b"lol"]
    with course.locator.connect().greeted() as thief:
        assert thief.log_in(ANA, Refused, password="net2026").code == RefusalCode.WRONG_PASSWORD


def test_an_account_first_used_with_hail_is_none_of_the_courses(course: Course) -> None:
    user = "2026000088"
    command(course.data, "users", "add", user, typed="net2026\n")
    time.sleep(0.6)  # the locator looks at the accounts four times a second
    with course.locator.connect().greeted() as client:
        client.log_in(user, password="net2026")
    assert course.ask(f"{user}_net2026".encode()) == [NONSENSE]
    command(course.data, "users", "course-password", user, typed="plain\n")
    time.sleep(0.6)
    assert course.ask(f"{user}_plain".encode()) == [b"lol"]
    with course.locator.connect().greeted() as client:
        assert client.log_in(user, password="net2026").user == user, "and the other one still opens Hail"


def test_garbage_and_floods_harm_nobody_else(course: Course) -> None:
    with contextlib.ExitStack() as opened:
        noisy = [opened.enter_context(course.client()) for _ in range(50)]
        for connection in noisy:
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                connection.sendall(b"\xff\x00garbage" * 2_000)
        begun = time.monotonic()
        assert course.ask(f"q{ANA}".encode()) == [b"n"]
        with course.locator.connect().greeted() as client:
            client.register("frank")
        assert time.monotonic() - begun < 5


def test_what_a_client_sends_ahead_of_the_answers_is_not_kept(course: Course) -> None:
    sent, until = 0, time.monotonic() + 0.7
    with course.client() as connection:
        connection.setblocking(False)
        while time.monotonic() < until:
            try:
                sent += connection.send(f"q{ANA}".encode() * 10_000)
            except BlockingIOError:
                time.sleep(0.01)
    assert 0 < sent < 32 * 2**20, "what the system's buffers hold, and little more"


def _in_one_process(folder: Path, scene: Callable[[tuple[str, int]], Awaitable[None]]) -> None:
    """Run a course port in this process, where its limits can be made small."""

    async def whole() -> None:
        store, passwords, desk = MemoryAndSqlite(folder), PasswordPool(threads=1), Desk()
        await store.make(AddAccount(UserId(ANA), "Ana", "none", None, hash_course_password("net2026")))
        port = CoursePort(CourseDesk(store, Directory(desk.requests._standing)), passwords, store, list, Figures())
        listener = socket.create_server(("127.0.0.1", 0))
        await port.start(listener)
        try:
            await scene(listener.getsockname())
        finally:
            await port.stop()
            passwords.close()
            await store.close()

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(whole())


async def _says(place: tuple[str, int], *words: str) -> list[bytes]:
    reader, writer = await asyncio.open_connection(*place)
    answers = []
    for word in words:
        writer.write(word.encode())
        answers.append(await reader.read(4096))
    writer.close()
    await writer.wait_closed()
    return answers


def test_who_tries_out_ids_is_slowed_and_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COURSE_UNKNOWN_IDS_PER_ADDRESS", limits.Rate(3, 0.1))

    async def scene(place: tuple[str, int]) -> None:
        began = time.monotonic()
        assert await _says(place, *[f"q{NOBODY}"] * 3) == [b"Incorrect No."] * 3
        guesses = [_says(place, f"q{NOBODY}", f"{NOBODY}_x") for _ in range(3)]
        trying = asyncio.gather(*guesses)
        assert await _says(place, *[f"q{ANA}"] * 20) == [b"n"] * 20
        assert not trying.done()
        assert await trying == [[b"Incorrect No.", b"Incorrect login No."]] * 3
        assert time.monotonic() - began >= 0.5

    _in_one_process(tmp_path, scene)


def test_who_would_have_to_wait_too_long_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COURSE_UNKNOWN_IDS_PER_ADDRESS", limits.Rate(1, 60.0))

    async def scene(place: tuple[str, int]) -> None:
        assert await _says(place, f"q{NOBODY}") == [b"Incorrect No."]
        assert await _says(place, f"q{NOBODY}") == [b""]

    _in_one_process(tmp_path, scene)


def test_guessing_a_course_password_is_slowed_for_right_ones_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "COURSE_WRONG_PASSWORDS", limits.Rate(3, 60.0))
    login = f"{ANA}_net2026"

    async def scene(place: tuple[str, int]) -> None:
        assert await _says(place, *[login] * 5) == [b"lol"] * 5
        assert await _says(place, *[f"{ANA}_wrong"] * 3) == [NONSENSE] * 3
        assert await _says(place, login, f"q{ANA}") == [NONSENSE, b"127.0.0.1"]

    _in_one_process(tmp_path, scene)


def test_an_address_with_too_many_connections_loses_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COURSE_CONNECTIONS_PER_ADDRESS", 2)

    async def scene(place: tuple[str, int]) -> None:
        first, second, third = [await asyncio.open_connection(*place) for _ in range(3)]
        with contextlib.suppress(ConnectionResetError):
            assert await first[0].read() == b"", "the one that was silent for longest"
        for reader, writer in (second, third):
            writer.write(f"q{ANA}".encode())
            assert await reader.read(10) == b"n"
        for _, writer in (first, second, third):
            writer.transport.abort()

    _in_one_process(tmp_path, scene)
