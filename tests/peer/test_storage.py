"""The account's file: durable, encrypted, one writer, and never a half-done write."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from peer import limits
from peer.errors import Refusal, RefusalCode
from peer.storage import database as storage
from peer.storage import messages
from peer.storage.database import Connection, Database, Job
from peer.storage.settings import get_setting, put_setting
from tests.harness.virtual_time import InlineExecutor

KEY = b"k" * 32


@asynccontextmanager
async def opened(path: Path, key: bytes = KEY) -> AsyncIterator[Database]:
    database = Database(path, InlineExecutor(), InlineExecutor())
    try:
        await database.open(key)
        yield database
    finally:
        await database.close()


def pragma(name: str) -> "storage.Job[object]":
    def job(connection: Connection) -> object:
        row = connection.execute(f"PRAGMA {name}").fetchone()
        return row[0] if row else None

    return job


async def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as database:
        await database.write(lambda c: put_setting(c, "name", b"Ana"))
    async with opened(tmp_path / "a.db") as database:
        assert await database.read(lambda c: get_setting(c, "name")) == b"Ana"


async def test_every_commit_is_forced_to_the_disk(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as database:
        full = 2
        assert await database.read(pragma("synchronous")) == full
        assert await database.read(pragma("journal_mode")) == "wal"
        assert database._writing is not None
        assert pragma("synchronous")(database._writing) == full


async def test_nothing_readable_is_on_the_disk(tmp_path: Path) -> None:
    secret = b"the answer to question four"
    async with opened(tmp_path / "a.db") as database:
        await database.write(lambda c: put_setting(c, "note", secret))
        for file in tmp_path.iterdir():
            assert secret not in file.read_bytes()
            assert b"SQLite format" not in file.read_bytes()
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(tmp_path / "a.db").execute("SELECT * FROM setting")


async def test_waiting_writes_share_a_commit_and_our_own_go_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    real = storage._run_in_one_commit
    monkeypatch.setattr(storage, "_run_in_one_commit", lambda c, jobs: batches.append(len(jobs)) or real(c, jobs))
    order: list[str] = []
    async with opened(tmp_path / "a.db") as database:
        others = [database.write(lambda _, n=n: order.append(f"other {n}")) for n in range(5)]
        own = [database.write(lambda _, n=n: order.append(f"own {n}"), own=True) for n in range(5)]
        await asyncio.gather(*others, *own)
    assert batches == [10]
    assert order == [f"own {n}" for n in range(5)] + [f"other {n}" for n in range(5)]


async def test_a_job_that_fails_is_undone_alone(tmp_path: Path) -> None:
    def fails(connection: Connection) -> None:
        put_setting(connection, "half", b"done")
        raise Refusal(RefusalCode.REFUSED, "not this one")

    async with opened(tmp_path / "a.db") as database:
        results = await asyncio.gather(
            database.write(lambda c: put_setting(c, "one", b"1")),
            database.write(fails),
            database.write(lambda c: put_setting(c, "two", b"2")),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [type(None), Refusal, type(None)]
        kept = [await database.read(lambda c, k=key: get_setting(c, k)) for key in ("one", "half", "two")]
        assert kept == [b"1", None, b"2"]


async def test_a_full_disk_loses_nothing_and_is_survived(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as database:
        await database.write(lambda c: put_setting(c, "before", b"safe"))
        pages = await database.read(pragma("page_count"))
        assert database._writing is not None
        database._writing.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(Refusal) as refusal:
            await database.write(lambda c: put_setting(c, "large", b"x" * 1_000_000))
        assert refusal.value.code is RefusalCode.DISK_FULL
        assert await database.read(lambda c: get_setting(c, "before")) == b"safe"
        database._writing.execute("PRAGMA max_page_count = 1000000")
        await database.write(lambda c: put_setting(c, "large", b"x" * 1_000_000))


async def test_too_many_waiting_writes_are_refused_kindly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WRITES_WAITING", 3)
    async with opened(tmp_path / "a.db") as database:
        writes = [database.write(lambda c: put_setting(c, "k", b"v")) for _ in range(5)]
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert sum(isinstance(result, Refusal) for result in results) == 2


async def test_a_write_after_closing_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as database:
        pass
    with pytest.raises(Refusal):
        await database.write(lambda c: put_setting(c, "k", b"v"))


@pytest.mark.parametrize("where", [0, 5000])
async def test_a_damaged_file_is_told_in_words(tmp_path: Path, where: int) -> None:
    path = tmp_path / "a.db"
    async with opened(path) as database:
        await database.write(lambda c: put_setting(c, "large", b"x" * 50_000))
    damaged = bytearray(path.read_bytes())
    damaged[where : where + 4096] = bytes(4096)
    path.write_bytes(damaged)
    with pytest.raises(Refusal) as refusal:
        async with opened(path) as database:
            await database.read(lambda c: get_setting(c, "large"))
    assert refusal.value.code is RefusalCode.DAMAGED_DATABASE


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as database:
        await database.write(lambda c: c.execute("PRAGMA user_version = 9999"))
    with pytest.raises(Refusal) as refusal:
        async with opened(tmp_path / "a.db"):
            pass
    assert refusal.value.code is RefusalCode.NEWER_DATABASE


async def test_each_migration_runs_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = storage.migrations()
    async with opened(tmp_path / "a.db"):
        pass
    second = (first[-1][0] + 1, "CREATE TABLE later (x INTEGER) STRICT;")
    monkeypatch.setattr(storage, "migrations", lambda: [*first, second])
    for _ in range(2):
        async with opened(tmp_path / "a.db") as database:
            assert await database.read(pragma("user_version")) == second[0]
            await database.write(lambda c: c.execute("INSERT INTO later VALUES (1)"))


async def _limit_to_present_size(database: Database) -> None:
    """Make the disk full, as far as the database can tell."""
    pages = await database.read(pragma("page_count"))
    assert database._writing is not None
    database._writing.execute(f"PRAGMA max_page_count = {pages}")


def put(key: str, size: int = 1) -> Job[None]:
    return lambda connection: put_setting(connection, key, b"x" * size)


async def _keys(database: Database) -> set[object]:
    return await database.read(lambda c: {row[0] for row in c.execute("SELECT key FROM setting")})


async def test_a_full_disk_fails_only_the_write_that_does_not_fit(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as database:
        await database.write(put("before"))
        await _limit_to_present_size(database)
        jobs = [put("small"), put("large", 1_000_000), put("smaller")]
        results = await asyncio.gather(*(database.write(job) for job in jobs), return_exceptions=True)
        assert [getattr(result, "code", result) for result in results] == [None, RefusalCode.DISK_FULL, None]
        assert await _keys(database) == {"before", "small", "smaller"}
    async with opened(tmp_path / "a.db") as database:
        assert await _keys(database) == {"before", "small", "smaller"}, "what was answered for is durable"


async def test_a_wrong_statement_is_undone_alone(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as database:
        results = await asyncio.gather(
            database.write(put("one")),
            database.write(lambda c: c.execute("INSERT INTO setting VALUES ('one', x'00')")),
            database.write(put("two")),
            return_exceptions=True,
        )
        assert [isinstance(result, Exception) for result in results] == [False, True, False]
        assert await _keys(database) == {"one", "two"}


async def test_a_later_commit_lets_our_own_writes_overtake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WRITES_PER_COMMIT", 2)
    order: list[str] = []
    async with opened(tmp_path / "a.db") as database:
        own: list[asyncio.Future[None]] = []

        def other(number: int) -> Job[None]:
            def job(_: Connection) -> None:
                order.append(f"other {number}")
                if number == 0:
                    own.append(asyncio.ensure_future(database.write(lambda _: order.append("own"), own=True)))

            return job

        await asyncio.gather(*(database.write(other(number)) for number in range(4)))
        await own[0]
    assert order == ["other 0", "other 1", "own", "other 2", "other 3"], "it waits for one commit, not for a whole sync"


async def test_closing_commits_what_still_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WRITES_PER_COMMIT", 1)
    async with opened(tmp_path / "a.db") as database:
        writes = [asyncio.ensure_future(database.write(put(f"k{n}"))) for n in range(5)]
        await asyncio.sleep(0)
        await database.close()
        await asyncio.gather(*writes)
    async with opened(tmp_path / "a.db") as database:
        assert await _keys(database) == {f"k{n}" for n in range(5)}


async def test_one_who_gave_up_waiting_harms_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as database:
        gone, stays = (asyncio.ensure_future(database.write(put(key))) for key in ("gone", "stays"))
        await asyncio.sleep(0)
        gone.cancel()
        await stays
        assert "stays" in await _keys(database)
        await database.write(put("later"))


async def test_the_reading_connection_commits_as_safely(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as database:
        assert database._writing is not None
        assert database._reading is not None
        for connection in (database._writing, database._reading):
            kept = [pragma(name)(connection) for name in ("synchronous", "journal_mode", "foreign_keys")]
            assert kept == [2, "wal", 1]


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file of some hundred pages, many of them of one long value."""
    path = tmp_path_factory.mktemp("large") / "a.db"

    async def fill() -> bytes:
        async with opened(path) as database:
            await database.write(put("large", 200_000))
        return path.read_bytes()

    return asyncio.run(fill())


@pytest.mark.parametrize("part", [0.0, 0.6, 0.7, 0.8, 0.9, 1.0])
@pytest.mark.parametrize("writes_first", [True, False])
async def test_one_changed_bit_anywhere_is_told_in_words(
    tmp_path: Path, large_file: bytes, part: float, *, writes_first: bool
) -> None:
    """The first page, and those of the long value: pages that nobody looks at cannot be found out."""
    damaged = bytearray(large_file)
    damaged[int(part * (len(damaged) // 4096 - 1)) * 4096 + 100] ^= 1
    (tmp_path / "a.db").write_bytes(damaged)
    found = []
    try:
        async with opened(tmp_path / "a.db") as database:
            jobs = [database.read(lambda c: get_setting(c, "large")), database.write(put("large", 300_000))]
            for job in reversed(jobs) if writes_first else jobs:
                found += [error for error in await asyncio.gather(job, return_exceptions=True) if error]
    except Refusal as refusal:
        found.append(refusal)
    told = [error for error in found if isinstance(error, Exception)]
    assert {getattr(error, "code", error) for error in told} == {RefusalCode.DAMAGED_DATABASE}


@pytest.mark.parametrize("content", [b"abc", b"j" * 20_000, "half", "first page"])
async def test_what_is_no_whole_file_does_not_open(tmp_path: Path, large_file: bytes, content: bytes | str) -> None:
    cut = {"half": large_file[: len(large_file) // 2], "first page": large_file[:4096]}
    (tmp_path / "a.db").write_bytes(content if isinstance(content, bytes) else cut[content])
    with pytest.raises(Refusal) as refusal:
        await Database(tmp_path / "a.db", InlineExecutor(), InlineExecutor()).open(KEY)
    assert refusal.value.code is RefusalCode.DAMAGED_DATABASE


async def test_another_key_opens_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db"):
        pass
    with pytest.raises(Refusal) as refusal:
        await Database(tmp_path / "a.db", InlineExecutor(), InlineExecutor()).open(b"x" * 32)
    assert refusal.value.code is RefusalCode.DAMAGED_DATABASE


async def test_what_was_shared_is_found_without_looking_through_the_texts(tmp_path: Path) -> None:
    def plan(connection: Connection) -> str:
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        messages.attachments_beside(connection, 1, messages.BEHIND_ALL, 128)
        connection.set_trace_callback(None)
        return str(connection.execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall())

    async with opened(tmp_path / "a.db") as database:
        assert "message_shared" in await database.read(plan)


def test_migrations_are_numbered_from_one_without_a_gap() -> None:
    numbers = [number for number, _ in storage.migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = storage.migrations()
    async with opened(tmp_path / "a.db") as database:
        await database.write(put("kept"))
    wrong = (steps[-1][0] + 1, "CREATE TABLE half (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);")
    with monkeypatch.context() as with_a_wrong_step:
        with_a_wrong_step.setattr(storage, "migrations", lambda: [*steps, wrong])
        with pytest.raises(Exception, match="nowhere"):
            await Database(tmp_path / "a.db", InlineExecutor(), InlineExecutor()).open(KEY)
    async with opened(tmp_path / "a.db") as database:
        assert await database.read(pragma("user_version")) == steps[-1][0]
        assert await _keys(database) == {"kept"}
        tables = await database.read(lambda c: c.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchall())
        assert tables == []


async def test_memory_follows_a_commit_that_nobody_waits_for_any_more(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as database:
        told: list[int] = []

        def job(connection: Connection) -> int:
            put_setting(connection, "name", b"Ana")
            return 7

        waiting = asyncio.create_task(database.write(job, told.append))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert waiting.cancelled()
        assert await database.write(lambda c: get_setting(c, "name")) == b"Ana"
        assert told == [7]


async def test_memory_that_stumbles_is_told_to_its_writer_alone(tmp_path: Path, expected_log: list[str]) -> None:
    expected_log.append("memory could not follow")
    async with opened(tmp_path / "a.db") as database:

        def stumble(_: None) -> None:
            raise ZeroDivisionError

        job = database.write(lambda c: put_setting(c, "name", b"Ana"), stumble)
        answers = await asyncio.gather(job, database.write(lambda c: get_setting(c, "name")), return_exceptions=True)
        assert isinstance(answers[0], ZeroDivisionError)
        assert answers[1] == b"Ana"
