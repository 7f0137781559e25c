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
from peer.storage.database import Connection, Database
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
