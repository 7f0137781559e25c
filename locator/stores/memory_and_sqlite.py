"""The embedded store: every account in memory for reading, in an SQLite file for keeping.

One thread owns the database and is the only one that changes the accounts in memory; the loop's thread only reads
them. Changes that wait together share one commit. Operator's commands are other processes on the same file; SQLite's
`data_version` tells when they wrote.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from locator import limits
from locator.stores.changes import changed
from locator.stores.group_commit import GroupCommit
from locator.stores.interface import Account, Change, News, RemoveAccount, Shared, StoreFailedError
from protocol.errors import RefusalCode
from protocol.identity import DeviceId, UserId

FILE_NAME = "accounts.sqlite3"
_VERSION = 4
_SCHEMA = """
CREATE TABLE accounts (
    user           TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    password_hash  TEXT NOT NULL,
    session        INTEGER NOT NULL,
    session_device BLOB,
    list_number    INTEGER NOT NULL,
    devices        BLOB NOT NULL      -- IDs of 32 bytes, one after the other
) STRICT, WITHOUT ROWID
"""
_STEPS = (
    (_SCHEMA,),
    ("ALTER TABLE accounts ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0",),
    (
        "ALTER TABLE accounts ADD COLUMN course_hash TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE accounts ADD COLUMN course_shared INTEGER NOT NULL DEFAULT 0",
    ),
    ("ALTER TABLE accounts ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0",),
)
"""What brings a file from each version to the next."""
_READ = (
    "SELECT user, name, password_hash, session, session_device, list_number, devices, disabled, course_hash,"
    " course_shared, must_change FROM accounts"
)
_WRITE = "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
Row = tuple[str, str, str, int, bytes | None, int, bytes, int, str, int, int]
Result = TypeVar("Result")


class AccountsFile:
    """The SQLite file with the accounts. Used by one thread at a time; the commands use it without a server."""

    def __init__(self, folder: Path) -> None:
        """Open the file, and make it at the first time; raise StoreFailedError."""
        self._path = folder / FILE_NAME
        with _told_plainly(self._path):
            self._database = sqlite3.connect(
                self._path, timeout=limits.STORE_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
                self._seen_version = self._data_version()
            except BaseException:
                self._database.close()
                raise

    def read_all(self) -> dict[UserId, Account]:
        """Return every account, by ID."""
        with _told_plainly(self._path), closing(self._database.execute(_READ + " ORDER BY user")) as rows:
            return {account.user: account for account in map(_account_of, rows)}

    def make(self, changes: list[Change]) -> list[Account | None]:
        """Make changes in one transaction; each gives the account after it, or None if its condition did not hold."""
        with _told_plainly(self._path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                made = [self._make_one(change) for change in changes]
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
        return made

    def read_if_changed_elsewhere(self) -> dict[UserId, Account] | None:
        """Return every account if another process wrote since the last call that returned them; else None."""
        with _told_plainly(self._path):
            version = self._data_version()
        if version == self._seen_version:
            return None
        accounts = self.read_all()
        self._seen_version = version  # not before: what cannot be read now is read at the next look
        return accounts

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("PRAGMA fullfsync = ON")
        self._database.execute("BEGIN IMMEDIATE")
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version < _VERSION:
            for statement in (statement for step in _STEPS[version:] for statement in step):
                self._database.execute(statement)
            self._database.execute(f"PRAGMA user_version = {_VERSION}")
        self._database.execute("COMMIT")
        if version > _VERSION:
            sentence = f"{self._path} was written by a newer Hail; start that version."
            raise StoreFailedError(RefusalCode.NEWER_DATABASE, sentence)

    def _data_version(self) -> int:
        (version,) = self._database.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _make_one(self, change: Change) -> Account | None:
        row = self._database.execute(_READ + " WHERE user = ?", (str(change.user),)).fetchone()
        after = changed(_account_of(row) if row else None, change)
        if after is not None and isinstance(change, RemoveAccount):
            self._database.execute("DELETE FROM accounts WHERE user = ?", (str(change.user),))
        elif after is not None:
            self._database.execute(_WRITE, _row_of(after))
        return after


class MemoryAndSqlite:
    """The store of a single locator (see `Store`)."""

    def __init__(self, folder: Path) -> None:
        """Open the accounts in a data folder; raise StoreFailedError."""
        self._file = AccountsFile(folder)
        self._accounts = self._file.read_all()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="accounts")
        self._commits = GroupCommit(self._commit)

    @property
    def is_current(self) -> bool:
        """Whether memory is what the file is: always, but for a fraction of a second after a command wrote."""
        return True

    def find(self, user: UserId) -> Account | None:
        """Return an account from memory."""
        return self._accounts.get(user)

    async def make(self, change: Change) -> Account | None:
        """Make a change, in one commit with all others that wait now."""
        return await self._commits.make(change)

    def share(self, presence: Shared) -> None:
        """Tell nobody: this locator is alone."""

    async def news(self) -> News:
        """Look again and again whether another process wrote; return whose accounts differ."""
        while True:
            await asyncio.sleep(limits.STORE_LOOK_SECONDS)
            if users := await self._in_thread(self._read_again):
                return News(accounts=users)

    async def close(self) -> None:
        """Wait for the last commit, then close the file."""
        await self._commits.finish()
        await self._in_thread(self._file.close)
        self._thread.shutdown()

    async def _commit(self, changes: list[Change]) -> list[Account | None]:
        return await self._in_thread(partial(self._write, changes))

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _write(self, changes: list[Change]) -> list[Account | None]:
        """In the accounts thread."""
        made = self._file.make(changes)
        for change, account in zip(changes, made, strict=True):
            if account is not None and isinstance(change, RemoveAccount):
                self._accounts.pop(account.user, None)
            elif account is not None:
                self._accounts[account.user] = account
        return made

    def _read_again(self) -> frozenset[UserId]:
        """In the accounts thread."""
        before, after = self._accounts, self._file.read_if_changed_elsewhere()
        if after is None:
            return frozenset()
        self._accounts = after
        return frozenset(user for user in before.keys() | after.keys() if before.get(user) != after.get(user))


def _account_of(row: Row) -> Account:
    user, name, password_hash, session, session_device, list_number, devices = row[:7]
    disabled, course_hash, course_shared, must_change = row[7:]
    return Account(
        user=UserId(user),
        name=name,
        password_hash=password_hash,
        session=session,
        session_device=None if session_device is None else DeviceId(session_device),
        list_number=list_number,
        devices=tuple(DeviceId(devices[at : at + 32]) for at in range(0, len(devices), 32)),
        is_disabled=bool(disabled),
        course_hash=course_hash,
        is_course_hash_shared=bool(course_shared),
        must_change_password=bool(must_change),
    )


def _row_of(account: Account) -> Row:
    # str() and bytes() give the plain types, the only ones that sqlite3 takes.
    return (
        str(account.user),
        account.name,
        account.password_hash,
        account.session,
        None if account.session_device is None else bytes(account.session_device),
        account.list_number,
        b"".join(account.devices),
        int(account.is_disabled),
        account.course_hash,
        int(account.is_course_hash_shared),
        int(account.must_change_password),
    )


@contextmanager
def _told_plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        code = RefusalCode.DISK_FULL if error.sqlite_errorcode == sqlite3.SQLITE_FULL else RefusalCode.REFUSED
        raise StoreFailedError(code, f"The accounts in {path} cannot be read or written: {error}.") from error
    except sqlite3.DatabaseError as error:
        sentence = f"The accounts in {path} are damaged ({error}); put a backup in its place."
        raise StoreFailedError(RefusalCode.DAMAGED_DATABASE, sentence) from error
