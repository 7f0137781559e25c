"""Sources that lie, stall, flood or hang up, and askers who may not ask: each is refused, and nothing wrong is kept."""

import asyncio
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from peer import limits as node_limits
from peer.errors import RefusalCode
from peer.links.link_book import Caller
from peer.transfers import landing
from peer.transfers.content import Part
from peer.transfers.download import Download
from peer.transfers.file_connection import FileConnection
from peer.transfers.pulling import Pull, PullEnd
from peer.transfers.serving import FileServer, Served
from protocol import limits
from protocol.errors import RemoteProtocolError
from protocol.file_messages import FILE, Coming, NotServed, WantPieces, WantTable
from protocol.framing import encode_frame
from protocol.identity import ConversationId, DeviceId, EntryId, UserId
from protocol.manifests import PieceTable, piece_length
from protocol.piece_sets import PieceSet
from tests.harness.file_sources import CONVERSATION, Behaviour, Giver, Offer, RunningSource, context

SIZE = 5 * 262_144 + 17
CONTENT = random.Random(1).randbytes(SIZE)
OFFER = Offer(CONTENT)
TABLE, ENCODED, BODY = OFFER.table, OFFER.encoded, OFFER.body


@contextmanager
def source(behave: Behaviour) -> Iterator[Callable[[], socket.socket]]:
    running = RunningSource(behave)
    yield running.dial
    running.close()


class _Manager:
    """Gathers in a folder, and knows everybody."""

    def __init__(self, folder: Path) -> None:
        self.part = folder / "part"
        self.download: Download | None = None

    def check(self, certificate: bytes) -> None:
        assert certificate

    def download_for(self, table: PieceTable, encoded: bytes) -> Download:
        assert encoded == ENCODED
        parts, held = landing.gather_at(self.part, BODY, table, b"")
        self.download = Download(table, parts, self.part, held, random.Random(1))
        self.download.set_source("source", PieceSet.complete(SIZE))
        return self.download


def pull(tmp_path: Path, behave: Behaviour) -> tuple[PullEnd, _Manager, list[Download]]:
    manager, done = _Manager(tmp_path), list[Download]()
    with source(behave) as dial:
        pulling = Pull(CONVERSATION, BODY, "source", dial, context(b"c", is_server=False), manager, None, done.append)
        end = pulling.run()
    return end, manager, done


def test_an_honest_source_gives_everything(tmp_path: Path) -> None:
    end, manager, done = pull(tmp_path, Giver(OFFER))
    assert end is PullEnd.DONE
    assert done == [manager.download]
    assert manager.part.read_bytes() == CONTENT


def spoiled(connection: FileConnection) -> None:
    Giver(OFFER, spoil=lambda piece, data: data if piece != 3 else b"?" + data[1:])(connection)


def floods(connection: FileConnection) -> None:
    connection.hear()
    connection.say(Coming(len(ENCODED)))
    connection.give(memoryview(ENCODED))
    connection.hear()
    connection.say(Coming(SIZE + 1))
    connection.give(memoryview(CONTENT + b"!"))


def never_ends(connection: FileConnection) -> None:
    connection.hear()
    connection.say(Coming(len(ENCODED)))
    connection.give(memoryview(ENCODED))
    connection.hear()
    connection.say(Coming(SIZE))
    connection.give(memoryview(CONTENT))
    while True:
        connection.give(memoryview(bytes(65536)))


def large_table(connection: FileConnection) -> None:
    connection.hear()
    connection.say(Coming(limits.ATTACHMENT_BYTES))
    while True:
        connection.give(memoryview(bytes(65536)))


def lying_table(connection: FileConnection) -> None:
    connection.hear()
    connection.say(Coming(len(ENCODED)))
    connection.give(memoryview(ENCODED[:-1] + b"?"))


def asks_back(connection: FileConnection) -> None:
    connection.hear()
    connection.say(WantTable(CONVERSATION, BODY.entry_id))


def speaks_nonsense(connection: FileConnection) -> None:
    connection.hear()
    connection.give(memoryview(encode_frame(0x0403, b"\xc1")))


def large_frame(connection: FileConnection) -> None:
    connection.hear()
    connection.give(memoryview(encode_frame(0x0403, bytes(limits.FILE_FRAME + 1))))


@pytest.mark.parametrize(
    "behave",
    [spoiled, floods, never_ends, large_table, lying_table, asks_back, speaks_nonsense, large_frame],
    ids=lambda behave: behave.__name__,
)
def test_who_breaks_the_rules_is_given_up_and_no_wrong_byte_is_kept(
    tmp_path: Path, expected_log: list[str], behave: Behaviour
) -> None:
    expected_log.append("source of files is given up")
    end, manager, done = pull(tmp_path, behave)
    if behave is never_ends:
        assert end is PullEnd.DONE, "what was asked for came; what follows is not read"
        del expected_log[:]
    else:
        assert end is PullEnd.LIED
        assert not done
    if manager.download is not None:
        content = manager.part.read_bytes()
        for piece in manager.download.held():
            start = piece * TABLE.piece_bytes
            assert content[start : start + piece_length(SIZE, piece)] == CONTENT[start:][: piece_length(SIZE, piece)]
        assert not content.startswith(b"?", 3 * TABLE.piece_bytes), "a wrong piece was written"


def hangs_up(connection: FileConnection) -> None:
    connection.hear()


def cut_short(connection: FileConnection) -> None:
    connection.hear()
    connection.say(Coming(len(ENCODED)))
    connection.give(memoryview(ENCODED))
    connection.hear()
    connection.say(Coming(SIZE))
    connection.give(memoryview(CONTENT[:300_000]))


@pytest.mark.parametrize("behave", [hangs_up, cut_short], ids=lambda behave: behave.__name__)
def test_what_came_before_the_connection_was_lost_is_kept(tmp_path: Path, behave: Behaviour) -> None:
    end, manager, _ = pull(tmp_path, behave)
    assert end is PullEnd.LOST
    if manager.download is not None:
        assert set(manager.download.held()) == {0}
        assert set(manager.download.take("source")) == {1, 2, 3, 4, 5}, "what was under way is free again"


def test_who_stops_in_the_middle_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FILE_STALL_SECONDS", 0.1)

    def stalls(connection: FileConnection) -> None:
        connection.hear()
        connection.say(Coming(len(ENCODED)))
        assert connection.hear() is None, "hung up on"

    end, _, _ = pull(tmp_path, stalls)
    assert end is PullEnd.LOST


def test_who_has_nothing_is_asked_again_later(tmp_path: Path) -> None:
    def refuses(connection: FileConnection) -> None:
        connection.hear()
        connection.say(NotServed("nobody_has_it"))

    assert pull(tmp_path, refuses)[0] is PullEnd.BUSY


def test_a_disk_that_does_not_take_it_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()  # no file can be there
    end, _, _ = pull(tmp_path, Giver(OFFER))
    assert end is PullEnd.DISK


# --- giving ----------------------------------------------------------------------------------


class _Judge:
    """Lets the client have the content, unless told otherwise."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.answer: Served | RefusalCode = Served(parts, PieceSet.complete(SIZE), ENCODED, TABLE, 0)
        self.asked: list[EntryId] = []
        self.changed: list[EntryId] = []
        self.noticed = threading.Event()
        self.refuses = False

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        if self.refuses:
            raise RemoteProtocolError("nobody we know")
        return Caller(UserId("c"), DeviceId(bytes(32)))

    async def served(self, caller: Caller, conversation: ConversationId, entry: EntryId) -> Served | RefusalCode:
        self.asked.append(entry)
        return self.answer

    def content_changed(self, entry: EntryId, served: Served) -> None:
        self.changed.append(entry)
        self.noticed.set()


class _Running:
    """A file server on a loop in a thread, and how to reach it."""

    def __init__(self, judge: _Judge) -> None:
        self.loop = asyncio.new_event_loop()
        self.server = FileServer(judge, context(b"s", is_server=True))
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._port = socket.create_server(("127.0.0.1", 0))

    def connect(self) -> FileConnection:
        near = socket.create_connection(self._port.getsockname(), 5)
        far, _ = self._port.accept()

        async def take() -> None:
            self.server.take(far)

        asyncio.run_coroutine_threadsafe(take(), self.loop).result(5)
        connection = FileConnection(near, context(b"c", is_server=False), is_server=False)
        connection.wait_at_most(10)
        return connection

    def close(self) -> None:
        self.server.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()
        self._port.close()


@pytest.fixture
def judge(tmp_path: Path) -> _Judge:
    path = tmp_path / "x.bin"
    path.write_bytes(CONTENT)
    return _Judge(((path, SIZE),))


@pytest.fixture
def running(judge: _Judge) -> Iterator[_Running]:
    running = _Running(judge)
    yield running
    running.close()


def taken(connection: FileConnection, count: int) -> bytes:
    buffer = bytearray(count)
    connection.take_into(memoryview(buffer))
    return bytes(buffer)


def test_each_request_is_judged_anew(running: _Running, judge: _Judge) -> None:
    connection = running.connect()
    want = WantPieces(CONVERSATION, BODY.entry_id, 1, 2)
    connection.say(want)
    assert connection.hear() == Coming(2 * 262_144)
    assert taken(connection, 2 * 262_144) == CONTENT[262_144 : 3 * 262_144]
    judge.answer = RefusalCode.UNKNOWN_ENTRY
    connection.say(want)
    assert connection.hear() == NotServed("unknown_entry")
    assert judge.asked == [BODY.entry_id, BODY.entry_id]
    connection.close()


@pytest.mark.parametrize(
    ("first", "count", "code"), [(5, 2, "bad_request"), (6, 1, "bad_request"), (0, 2, "nobody_has_it")]
)
def test_pieces_that_are_not_held_are_not_given(
    running: _Running, judge: _Judge, first: int, count: int, code: str
) -> None:
    assert isinstance(judge.answer, Served)
    held = PieceSet(SIZE)
    held.add(0)
    judge.answer = judge.answer._replace(pieces=held)
    connection = running.connect()
    connection.say(WantPieces(CONVERSATION, BODY.entry_id, first, count))
    assert connection.hear() == NotServed(code)
    connection.close()


def test_nobody_who_is_not_admitted_hears_anything(running: _Running, judge: _Judge, expected_log: list[str]) -> None:
    expected_log.append("nobody we know")
    judge.refuses = True
    connection = running.connect()
    try:
        connection.say(WantTable(CONVERSATION, BODY.entry_id))
        assert connection.hear() is None
    except OSError:
        pass  # hung up on
    assert not judge.asked
    connection.close()


def test_a_file_that_changed_is_noticed_and_not_passed_on(running: _Running, judge: _Judge) -> None:
    assert isinstance(judge.answer, Served)
    path, _ = judge.answer.parts[0]
    path.write_bytes(b"?" + CONTENT[1:])
    connection = running.connect()
    connection.say(WantPieces(CONVERSATION, BODY.entry_id, 0, 1))
    connection.hear()
    with pytest.raises(OSError):
        taken(connection, 262_144)
    connection.close()
    assert judge.noticed.wait(5)
    assert judge.changed == [BODY.entry_id]


@pytest.mark.parametrize("what", ["mark", "gone"])
def test_a_file_of_another_time_or_none_is_told_before_anything_is_given(
    running: _Running, judge: _Judge, what: str
) -> None:
    assert isinstance(judge.answer, Served)
    path, _ = judge.answer.parts[0]
    judge.answer = judge.answer._replace(mark=path.stat().st_mtime_ns - 1)
    if what == "gone":
        path.unlink()
    connection = running.connect()
    connection.say(WantPieces(CONVERSATION, BODY.entry_id, 0, 1))
    assert connection.hear() == NotServed("file_changed")
    connection.close()


@pytest.mark.parametrize("nonsense", [FILE.encode(Coming(3)), encode_frame(0x0777, b"\x90"), b"\xff" * 100])
def test_askers_who_break_the_rules_are_hung_up_on(
    running: _Running, judge: _Judge, expected_log: list[str], nonsense: bytes
) -> None:
    expected_log.append("file connection was refused")
    connection = running.connect()
    connection.give(memoryview(nonsense))
    with pytest.raises((OSError, AssertionError)):
        assert connection.hear() is not None
    connection.close()
    assert not judge.asked


def test_of_one_file_only_a_few_are_served_at_once(running: _Running) -> None:
    want, connections = WantPieces(CONVERSATION, BODY.entry_id, 0, 1), []
    for number in range(node_limits.SERVED_AT_ONCE + 1):
        connections.append(running.connect())
        connections[-1].say(want)
        answer = connections[-1].hear()
        assert answer == (Coming(262_144) if number < node_limits.SERVED_AT_ONCE else NotServed("rate_limited"))
    connections[0].close()
    for _ in range(100):
        connections[-1].say(want)
        if connections[-1].hear() == Coming(262_144):
            break
        time.sleep(0.05)
    else:
        raise AssertionError("the place that was left was never given to another")
    for connection in connections[1:]:
        connection.close()
