import asyncio
import sqlite3

import pytest

from locator import limits
from locator.stores.group_commit import GroupCommit
from locator.stores.interface import (
    Account,
    AddAccount,
    BeginSessionByKey,
    BeginSessionByPassword,
    ReplacePassword,
    SetDisabled,
    SetPassword,
    StoreFailedError,
)
from locator.stores.memory_and_sqlite import FILE_NAME, AccountsFile, MemoryAndSqlite, changed
from protocol.errors import RefusalCode
from protocol.identity import DeviceId, UserId

ANA, BO = UserId("ana"), UserId("bo")
PHONE, LAPTOP = DeviceId(b"p" * 32), DeviceId(b"l" * 32)


def run(work):
    with asyncio.Runner() as runner:
        return runner.run(work)


@pytest.fixture
def accounts(tmp_path):
    file = AccountsFile(tmp_path)
    yield file
    file.close()


def test_a_first_session_begins_with_the_account():
    account = changed(None, AddAccount(ANA, "Ana", "hash", PHONE))
    assert account == Account(ANA, "Ana", "hash", 1, PHONE, 1, (PHONE,))


@pytest.mark.parametrize(
    "change",
    [
        AddAccount(ANA, "Ana", "other", PHONE),
        BeginSessionByPassword(ANA, PHONE, "an older hash"),
        BeginSessionByKey(ANA, LAPTOP),
        ReplacePassword(ANA, PHONE, "an older hash", "new"),
    ],
)
def test_a_change_whose_condition_no_longer_holds_is_not_made(accounts, change):
    (before,) = accounts.make([AddAccount(ANA, "Ana", "hash", PHONE)])
    assert accounts.make([change]) == [None]
    assert accounts.read_all() == {ANA: before}


def test_who_was_shut_out_does_not_come_back_by_a_new_password(accounts):
    _, before = accounts.make([AddAccount(ANA, "Ana", "hash", PHONE), SetDisabled(ANA, disabled=True)])
    assert accounts.make([ReplacePassword(ANA, PHONE, "hash", "new")]) == [None]
    assert accounts.read_all() == {ANA: before}


@pytest.mark.parametrize(
    "change",
    [
        BeginSessionByPassword(ANA, PHONE, "hash"),
        BeginSessionByKey(ANA, PHONE),
        ReplacePassword(ANA, PHONE, "hash", "new"),
        SetPassword(ANA, "new"),
    ],
)
def test_an_account_that_is_not_there_cannot_change(accounts, change):
    assert accounts.make([change]) == [None]


def test_changes_made_together_build_on_each_other(accounts):
    _, _, third = accounts.make(
        [
            AddAccount(ANA, "Ana", "hash", PHONE),
            BeginSessionByPassword(ANA, LAPTOP, "hash"),
            BeginSessionByKey(ANA, PHONE),
        ]
    )
    assert third == Account(ANA, "Ana", "hash", 3, PHONE, 2, (PHONE, LAPTOP))


def test_accounts_are_read_as_they_were_written(tmp_path, accounts):
    made = accounts.make([AddAccount(BO, "Bo 博", "h", None), AddAccount(ANA, "Ana", "hash", PHONE)])
    again = AccountsFile(tmp_path)
    assert again.read_all() == {account.user: account for account in made}
    again.close()


async def nothing_is_heard(store):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2 * limits.STORE_LOOK_SECONDS):
            await store.news()


def test_another_process_s_change_is_noticed_and_ones_own_is_not(tmp_path):
    async def scene():
        store = MemoryAndSqlite(tmp_path)
        await store.make(AddAccount(ANA, "Ana", "hash", PHONE))
        await nothing_is_heard(store)
        other = AccountsFile(tmp_path)
        other.make([SetPassword(ANA, "new"), AddAccount(BO, "Bo", "hash", None)])
        other.close()
        assert (await store.news()).accounts == {ANA, BO}
        assert store.find(ANA).devices == ()
        await nothing_is_heard(store)
        await store.close()

    run(scene())


def test_a_change_that_could_not_be_read_is_noticed_at_the_next_look(tmp_path):
    async def scene():
        store = MemoryAndSqlite(tmp_path)
        await store.make(AddAccount(ANA, "Ana", "hash", PHONE))
        other = AccountsFile(tmp_path)
        other.make([SetDisabled(ANA, disabled=True)])
        other.close()
        store._file._database.set_authorizer(lambda action, *_: action == sqlite3.SQLITE_READ)  # 1: denied
        with pytest.raises(StoreFailedError):
            await store.news()
        store._file._database.set_authorizer(None)
        async with asyncio.timeout(10 * limits.STORE_LOOK_SECONDS):
            assert (await store.news()).accounts == {ANA}
        assert store.find(ANA).is_disabled
        await store.close()

    run(scene())


def test_many_changes_at_once_all_count(tmp_path):
    async def scene():
        store = MemoryAndSqlite(tmp_path)
        await store.make(AddAccount(ANA, "Ana", "hash", PHONE))
        made = await asyncio.gather(*(store.make(BeginSessionByKey(ANA, PHONE)) for _ in range(50)))
        assert [account.session for account in made] == list(range(2, 52))
        assert store.find(ANA) == made[-1]
        await store.close()

    run(scene())


def test_a_store_that_cannot_write_says_so_and_changes_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise StoreFailedError(RefusalCode.DISK_FULL, "full")

    async def scene():
        store = MemoryAndSqlite(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(store._file, "make", full)
            with pytest.raises(StoreFailedError):
                await store.make(AddAccount(ANA, "Ana", "hash", None))
        assert store.find(ANA) is None
        assert await store.make(AddAccount(ANA, "Ana", "hash", None)) is not None
        await store.close()

    run(scene())


def test_whatever_goes_wrong_in_a_commit_is_told_to_all_who_wait_and_the_next_goes_on():
    async def write(changes):
        if changes[0] is None:
            raise RuntimeError("a mistake")
        return changes

    async def scene():
        commits = GroupCommit(write)
        assert [str(e) for e in await asyncio.gather(*(commits.make(None) for _ in "ab"), return_exceptions=True)] == [
            "a mistake"
        ] * 2
        assert await commits.make("a change") == "a change"

    run(asyncio.wait_for(scene(), 5))


def test_a_file_that_is_no_database_is_told_plainly(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 100)
    with pytest.raises(StoreFailedError, match="damaged"):
        AccountsFile(tmp_path)


def test_a_file_of_a_newer_version_is_left_alone(tmp_path):
    AccountsFile(tmp_path).close()
    database = sqlite3.connect(tmp_path / FILE_NAME)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StoreFailedError, match="newer"):
        AccountsFile(tmp_path)


def test_accounts_of_every_earlier_version_are_read(tmp_path):
    """The file as version 1 wrote it: what came later has the value it had before there was any."""
    database = sqlite3.connect(tmp_path / FILE_NAME)
    database.execute(
        "CREATE TABLE accounts (user TEXT PRIMARY KEY, name TEXT NOT NULL, password_hash TEXT NOT NULL, session INTEGER"
        " NOT NULL, session_device BLOB, list_number INTEGER NOT NULL, devices BLOB NOT NULL) STRICT, WITHOUT ROWID"
    )
    database.execute("INSERT INTO accounts VALUES ('ana', 'Ana', 'hash', 1, ?, 1, ?)", (bytes(PHONE), bytes(PHONE)))
    database.execute("PRAGMA user_version = 1")
    database.commit()
    database.close()
    accounts = AccountsFile(tmp_path)
    assert accounts.read_all() == {ANA: Account(ANA, "Ana", "hash", 1, PHONE, 1, (PHONE,))}
    (reset,) = accounts.make([SetPassword(ANA, "new", must_change_password=True)])
    assert accounts.read_all() == {ANA: reset}
    assert reset.must_change_password
    accounts.close()


def test_two_who_make_the_file_at_once_both_find_it(tmp_path):
    one, other = AccountsFile(tmp_path), AccountsFile(tmp_path)
    one.make([AddAccount(ANA, "Ana", "hash", None)])
    assert other.read_all() == one.read_all()
    one.close()
    other.close()
