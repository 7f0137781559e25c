"""The account's one encrypted SQLite file: opened once, written by one thread in shared commits, read beside it."""

import asyncio
import concurrent.futures
import logging
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar, cast

import sqlcipher3.dbapi2 as sqlcipher

from peer import limits
from peer.errors import Refusal, RefusalCode

log = logging.getLogger(__name__)
Result = TypeVar("Result")
_STEP = re.compile(r"\d{4}_[a-z_]+\.sql")
_FAILURES = (sqlcipher.Error, MemoryError)
"""What a statement raises. SQLCipher reports a page that does not decrypt as a lack of memory, here and there."""
Value = bytes | str | int | float | None
Row = tuple[Value, ...]


class Cursor(Protocol):
    """What a statement gives back."""

    lastrowid: int
    rowcount: int

    def fetchone(self) -> Row | None: ...  # noqa: D102 - as in PEP 249
    def fetchall(self) -> list[Row]: ...  # noqa: D102
    def __iter__(self) -> Iterator[Row]: ...


class Connection(Protocol):
    """The part of PEP 249 that the storage uses."""

    def execute(self, sql: str, parameters: Iterable[Value] = ()) -> Cursor: ...  # noqa: D102
    def executemany(self, sql: str, rows: Iterable[Iterable[Value]]) -> Cursor: ...  # noqa: D102
    def executescript(self, sql: str) -> Cursor: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


Job = Callable[[Connection], Result]


def _nothing(_: object) -> None:
    return


class _Waiting(NamedTuple):
    job: Callable[[Connection], object]
    done: "asyncio.Future[object]"
    then: Callable[[object], object]


class Database:
    """One writer thread and one reader thread on one file.

    Writes that wait while a commit is under way share the next one (group commit, synchronous=FULL): when the
    future of `write` is done, a power cut cannot undo it. A job that raises is undone alone; jobs must not mind
    being run again, of which only the last run counts.
    """

    def __init__(self, path: Path, writer: concurrent.futures.Executor, reader: concurrent.futures.Executor) -> None:
        """`writer` and `reader` must each run one job at a time; the database shuts them down when closed."""
        self._path = path
        self._writer = writer
        self._reader = reader
        self._writing: Connection | None = None
        self._reading: Connection | None = None
        self._own: deque[_Waiting] = deque()
        self._others: deque[_Waiting] = deque()
        self._is_flushing = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._wiping: asyncio.TimerHandle | None = None

    async def open(self, key: bytes) -> None:
        """Open or make the file with its raw 32-byte key, and bring it to this version's shape.

        Raises Refusal `damaged_database` or `newer_database`. Whether the key is right was proven before, by the
        vault: here a page that does not decrypt is a damaged one.
        """
        loop = asyncio.get_running_loop()
        self._writing = await loop.run_in_executor(self._writer, _open_and_migrate, self._path, key)
        self._reading = await loop.run_in_executor(self._reader, _open_connection, self._path, key)

    async def write(
        self, job: Job[Result], then: Callable[[Result], object] = _nothing, *, own: bool = False
    ) -> Result:
        """Run `job` on the storage thread and return its result once it is durable.

        `then` brings memory up to date with the result: it runs on the loop right after the commit, even if
        nobody waits any more, so that memory never lags behind the file. `own` writes (what a person does here)
        go before those that came from others.
        """
        if self._writing is None:
            raise Refusal(RefusalCode.NOT_SIGNED_IN, "This account was closed a moment ago.")
        if len(self._own) + len(self._others) >= limits.WRITES_WAITING:
            raise Refusal(RefusalCode.RATE_LIMITED, "Too much is being written at once. Try again in a moment.")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[object] = loop.create_future()
        (self._own if own else self._others).append(_Waiting(job, done, cast("Callable[[object], object]", then)))
        if not self._is_flushing:
            self._is_flushing = True
            self._idle.clear()
            loop.call_soon(self._flush)
        return await done  # type: ignore[return-value]  # the future carries this very job's result

    def wipe_soon(self) -> None:
        """Let nothing be left in the log of what was just deleted: a moment later, once for all that goes meanwhile.

        In the file itself it is overwritten by the commit (`secure_delete`).
        """
        if self._wiping is None:
            self._wiping = asyncio.get_running_loop().call_later(limits.WIPE_SECONDS, self._wipe)

    def _wipe(self) -> None:
        self._wiping = None
        if self._writing is None:
            return

        def tell(finished: "asyncio.Future[bool]") -> None:
            if finished.exception() is not None:
                log.warning("the log of the database could not be emptied: %s", finished.exception())
            elif not finished.result():
                self.wipe_soon()  # somebody was reading

        loop = asyncio.get_running_loop()
        loop.run_in_executor(self._writer, _empty_log, self._writing).add_done_callback(tell)

    async def read(self, job: Job[Result]) -> Result:
        """Run `job` on the reading connection; it sees what was committed before it began."""
        connection = self._reading
        if connection is None:
            raise Refusal(RefusalCode.NOT_SIGNED_IN, "This account was closed a moment ago.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, _guarded, job, connection)

    async def close(self) -> None:
        """Commit what waits, then close the file."""
        while not self._idle.is_set():
            await self._idle.wait()
        if self._wiping is not None:
            self._wiping.cancel()  # who closes the file last empties its log
        reading, writing = self._reading, self._writing
        self._reading = self._writing = None
        loop = asyncio.get_running_loop()
        for executor, connection in ((self._reader, reading), (self._writer, writing)):
            if connection is not None:
                await loop.run_in_executor(executor, connection.close)
            executor.shutdown(wait=False)

    def _flush(self) -> None:
        batch = [
            (self._own or self._others).popleft()
            for _ in range(min(limits.WRITES_PER_COMMIT, len(self._own) + len(self._others)))
        ]
        if not batch:
            self._is_flushing = False
            self._idle.set()
            return
        assert self._writing is not None
        jobs = [waiting.job for waiting in batch]
        loop = asyncio.get_running_loop()
        committed = loop.run_in_executor(self._writer, _run_in_one_commit, self._writing, jobs)

        def tell(finished: "asyncio.Future[list[object]]") -> None:
            failure = finished.exception()
            results = [failure] * len(batch) if failure is not None else finished.result()
            for waiting, result in zip(batch, results, strict=True):
                _tell(waiting, result)
            self._flush()

        committed.add_done_callback(tell)


def _tell(waiting: _Waiting, result: object) -> None:
    """Hand a job's result (or exception) to memory, then to whoever waits for it."""
    if not isinstance(result, BaseException):
        try:
            waiting.then(result)
        except Exception as error:
            log.exception("memory could not follow a commit")
            result = error
    if waiting.done.cancelled():
        return
    if isinstance(result, BaseException):
        waiting.done.set_exception(result)
    else:
        waiting.done.set_result(result)


def _run_in_one_commit(connection: Connection, jobs: list[Callable[[Connection], object]]) -> list[object]:
    """Run the jobs in one transaction, each undone alone if it fails; return each result or exception.

    Nearly always none fails, so savepoints are set only in a second run, after the first one was undone.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        results: list[object] = [job(connection) for job in jobs]
        connection.execute("COMMIT")
    except Exception as error:
        _roll_back(connection)
        if len(jobs) == 1:
            if isinstance(error, _FAILURES):
                raise _refusal_for(error) from error
            raise
    else:
        return results
    return _run_apart(connection, jobs)


def _run_apart(connection: Connection, jobs: list[Callable[[Connection], object]]) -> list[object]:
    results: list[object] = []
    connection.execute("BEGIN IMMEDIATE")
    try:
        for job in jobs:
            connection.execute("SAVEPOINT job")
            try:
                results.append(_guarded(job, connection))
            except Exception as error:  # noqa: BLE001 - handed to whoever asked for the job
                connection.execute("ROLLBACK TO job")
                results.append(error)
            connection.execute("RELEASE job")
        connection.execute("COMMIT")
    except _FAILURES:
        # A full disk makes SQLite undo the whole transaction, savepoints and all: each job gets one of its own.
        _roll_back(connection)
        return [_run_alone(connection, job) for job in jobs]
    except BaseException:
        _roll_back(connection)
        raise
    return results


def _run_alone(connection: Connection, job: Callable[[Connection], object]) -> object:
    try:
        (result,) = _run_in_one_commit(connection, [job])
    except Exception as error:  # noqa: BLE001 - handed to whoever asked for the job
        return error
    return result


def _roll_back(connection: Connection) -> None:
    try:
        connection.execute("ROLLBACK")
    except sqlcipher.Error:
        # SQLite has already rolled back by itself, as it does when the disk is full.
        log.debug("nothing to roll back")


def _guarded(job: Job[Result], connection: Connection) -> Result:
    try:
        return job(connection)
    except _FAILURES as error:
        raise _refusal_for(error) from error


def _refusal_for(error: Exception) -> Exception:
    text = str(error)
    if "full" in text:
        return Refusal(RefusalCode.DISK_FULL, "The disk is full: free some space, then try again. Nothing was lost.")
    if isinstance(error, MemoryError) or "malformed" in text or "not a database" in text:
        return Refusal(
            RefusalCode.DAMAGED_DATABASE,
            "This profile's file is damaged. Restore it from a backup, or sign in with a new profile: friends give "
            "the history back.",
        )
    return error


def _empty_log(connection: Connection) -> bool:
    """Bring the write-ahead log into the file and cut it to nothing; tell whether that was possible now."""
    row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return row is not None and row[0] == 0


def _open_connection(path: Path, key: bytes) -> Connection:
    connection: Connection = sqlcipher.connect(
        str(path), isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        # Before the key: SQLCipher would print its complaint about a wrong one on standard error.
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("SELECT count(*) FROM sqlite_master")
    except _FAILURES as error:
        connection.close()
        raise _refusal_for(error) from error
    return connection


def _open_and_migrate(path: Path, key: bytes) -> Connection:
    connection = _open_connection(path, key)
    try:
        _migrate(connection)
        _empty_log(connection)  # a crash may have come before the last deletion left it
    except _FAILURES as error:
        connection.close()
        raise _refusal_for(error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def migrations() -> list[tuple[int, str]]:
    """Return (version, SQL) of every step, oldest first; the steps only ever go forward."""
    files = resources.files("peer.storage").joinpath("migrations").iterdir()
    return sorted((int(file.name[:4]), file.read_text("utf-8")) for file in files if _STEP.fullmatch(file.name))


def _migrate(connection: Connection) -> None:
    row = connection.execute("PRAGMA user_version").fetchone()
    version = row[0] if row else 0
    assert isinstance(version, int)
    steps = migrations()
    if version > steps[-1][0]:
        raise Refusal(
            RefusalCode.NEWER_DATABASE, "This profile was used with a newer Hail. Install the newer version to open it."
        )
    for number, sql in steps:
        if number > version:
            connection.executescript(f"BEGIN;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
