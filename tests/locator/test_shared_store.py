"""The shared store on a real Redis: several stores in one process, as several locators would have them."""

import asyncio
import contextlib
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from locator import limits
from locator.stores.changes import changed
from locator.stores.interface import (
    Account,
    AddAccount,
    Arrived,
    BecomeCourseOnly,
    BeginSessionByKey,
    BeginSessionByPassword,
    CoursePresence,
    Lease,
    LeaseEnd,
    Left,
    RemoveAccount,
    ReplacePassword,
    SetCoursePassword,
    SetDisabled,
    SetPassword,
    StoreFailedError,
    StoreOutOfTouchError,
)
from locator.stores.memory_and_sqlite import AccountsFile
from locator.stores.mirror import Mirror
from locator.stores.redis import RedisStore
from locator.stores.redis_accounts import AccountsInRedis, make_changes
from locator.stores.redis_address import RedisAddress
from locator.stores.redis_link import RedisLink
from locator.stores.redis_rows import Kind, Publication, write_lease
from protocol.identity import DeviceId, UserId
from tests.harness.redis_server import RedisServer

ANA, BO = UserId("ana"), UserId("bo")
PHONE, LAPTOP = DeviceId(b"p" * 32), DeviceId(b"l" * 32)
MARK = "a fingerprint of-one-founding"
PATIENCE = 10.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    real = RedisServer(tmp_path_factory.mktemp("redis") / "data")
    yield real
    real.close()


@pytest.fixture(autouse=True)
def _empty(server):
    with server.client() as client:
        client.flushall()


def run(work):
    with asyncio.Runner() as runner:
        return runner.run(asyncio.wait_for(work, 60))


@contextlib.asynccontextmanager
async def nodes(server, *names):
    """Several locators' stores on one Redis."""
    address, stores = RedisAddress.parse(server.url), []
    for name in names:
        link = RedisLink(address, name)
        await link.found(MARK)
        link.expect(MARK)
        stores.append(RedisStore(link, name, f"{name}:7400"))
        await stores[-1].start()
    try:
        yield stores
    finally:
        for store in stores:
            await store.close()


async def hears_of(store, user):
    """Wait until a store tells that others changed an account."""
    async with asyncio.timeout(PATIENCE):
        while user not in (await store.news()).accounts:
            pass


async def movement(store, wanted):
    """Wait until a store tells that somebody came or went as wanted."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for told in (await store.news()).movements:
                if wanted(told):
                    return told


async def until(is_so):
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110 - memory changes without an event
            await asyncio.sleep(0.01)


def lease(session=1, device=PHONE, user=ANA):
    return Lease(user, session, device, ("192.0.2.1",), 7500, 7501, 1)


# --- accounts ----------------------------------------------------------------------------------


def test_an_account_made_at_one_is_found_at_the_others(server):
    async def scene():
        async with nodes(server, "a", "b") as (a, b):
            made = await a.make(AddAccount(ANA, "Ana 安娜", "hash", PHONE))
            assert made == Account(ANA, "Ana 安娜", "hash", 1, PHONE, 1, (PHONE,))
            assert a.find(ANA) == made
            await hears_of(b, ANA)
            assert b.find(ANA) == made
        async with nodes(server, "c") as (c,):
            assert c.find(ANA) == made

    run(scene())


def test_what_one_made_itself_is_no_news_to_it(server):
    async def scene():
        async with nodes(server, "a", "b") as (a, b):
            await a.make(AddAccount(ANA, "Ana", "hash", PHONE))
            await hears_of(b, ANA)
            await b.make(AddAccount(BO, "Bo", "hash", None))
            heard = set()
            while BO not in heard:
                heard |= (await a.news()).accounts
            assert heard == {BO}

    run(scene())


def test_of_two_who_register_one_id_at_once_one_gets_it(server):
    async def scene():
        async with nodes(server, "a", "b") as (a, b):
            for number in range(50):
                user = UserId(f"user-{number}")
                one, other = await asyncio.gather(
                    a.make(AddAccount(user, "One", "one", PHONE)), b.make(AddAccount(user, "Other", "other", LAPTOP))
                )
                assert (one is None) != (other is None)
                await until(lambda: a.find(user) == b.find(user) == (one or other))  # noqa: B023 - called at once

    run(scene())


def test_many_logins_of_one_person_at_two_locators_get_different_growing_numbers(server):
    async def scene():
        async with nodes(server, "a", "b") as (a, b):
            await a.make(AddAccount(ANA, "Ana", "hash", PHONE))
            await hears_of(b, ANA)
            made = await asyncio.gather(*(store.make(BeginSessionByKey(ANA, PHONE)) for store in (a, b) * 100))
            assert sorted(account.session for account in made) == list(range(2, 202))
            await until(lambda: a.find(ANA).session == b.find(ANA).session == 201)

    run(scene())


def test_a_condition_is_judged_by_the_account_as_it_is_not_as_it_was_known(server):
    async def scene():
        async with nodes(server, "a", "b") as (a, b):
            await a.make(AddAccount(ANA, "Ana", "hash", PHONE))
            await hears_of(b, ANA)
            replaced, begun = await asyncio.gather(
                a.make(ReplacePassword(ANA, PHONE, "hash", "new")), b.make(BeginSessionByPassword(ANA, LAPTOP, "hash"))
            )
            assert replaced is not None
            # Whichever was first: the laptop is not valid any more, or was never let in.
            await until(lambda: a.find(ANA) == b.find(ANA))
            assert a.find(ANA).devices == (PHONE,)
            assert begun is None or begun.session == 2

    run(scene())


def test_a_command_is_heard_by_those_who_run(server):
    async def scene():
        async with nodes(server, "a") as (a,):
            await a.make(AddAccount(ANA, "Ana", "hash", PHONE))
            await asyncio.to_thread(command, [SetDisabled(ANA, disabled=True), AddAccount(BO, "Bo", "hash", None)])
            heard = set()
            while heard != {ANA, BO}:
                heard |= (await a.news()).accounts
            assert a.find(ANA).is_disabled

    def command(changes):
        accounts = AccountsInRedis(RedisAddress.parse(server.url))
        assert None not in accounts.make(changes)
        assert accounts.read_all().keys() == {ANA, BO}
        accounts.close()

    run(scene())


def test_a_change_of_an_account_that_was_just_removed_is_not_made(server):
    async def scene():
        async with nodes(server, "a") as (a,):
            await a.make(AddAccount(ANA, "Ana", "hash", PHONE))
            deaf = RedisLink(RedisAddress.parse(server.url), "deaf")
            deaf.expect(MARK)
            mirror = Mirror("deaf")
            mirror.replace(await deaf.read_all())
            await a.make(RemoveAccount(ANA))
            assert await make_changes(deaf, mirror, [BeginSessionByKey(ANA, PHONE)]) == [None]
            assert mirror.find(ANA) is None
            await deaf.close()

    run(scene())


def test_nobody_is_taken_for_removed_because_redis_was_emptied(server, expected_log):
    expected_log.append("was emptied or exchanged")

    async def scene():
        async with nodes(server, "a") as (a,):
            made = await a.make(AddAccount(ANA, "Ana", "hash", PHONE))
            with server.client() as client:
                client.flushall()
            with pytest.raises(StoreOutOfTouchError, match="emptied"):
                await a.make(BeginSessionByPassword(ANA, PHONE, "an older hash"))
            assert a.find(ANA) == made
            await until(lambda: not a.is_current)
            await asyncio.sleep(3 * limits.REDIS_RETRY_SECONDS)
            assert a.find(ANA) == made

    run(scene())


def test_a_missed_change_is_noticed_and_everything_read_again(server):
    async def scene():
        async with nodes(server, "a") as (a,):
            await a.make(AddAccount(ANA, "Ana", "hash", PHONE))
            with server.client() as client:
                client.hdel("hail:accounts", "ana")
                client.incr("hail:number")  # and nobody was told
            await until(lambda: a.find(ANA) is None)

    run(scene())


def test_a_command_on_a_redis_without_a_locator_says_so(server):
    with pytest.raises(StoreFailedError, match="Start a locator"):
        AccountsInRedis(RedisAddress.parse(server.url))


USERS = st.sampled_from([ANA, BO])
DEVICES = st.sampled_from([PHONE, LAPTOP])
HASHES = st.sampled_from(["one", "two"])
CHANGES = st.one_of(
    st.builds(AddAccount, USERS, st.just("Name 名"), HASHES, st.none() | DEVICES, st.sampled_from(["", "course"])),
    st.builds(BeginSessionByPassword, USERS, DEVICES, HASHES),
    st.builds(BeginSessionByKey, USERS, DEVICES),
    st.builds(ReplacePassword, USERS, DEVICES, HASHES, HASHES),
    st.builds(SetPassword, USERS, HASHES, st.sampled_from(["", "course"])),
    st.builds(SetCoursePassword, USERS, st.just("course")),
    st.builds(BecomeCourseOnly, USERS),
    st.builds(SetDisabled, USERS, st.booleans()),
    st.builds(RemoveAccount, USERS),
)
_folders = itertools.count()


@given(batches=st.lists(st.lists(CHANGES, min_size=1, max_size=4), max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_store_makes_the_same_of_the_same_changes(server, tmp_path, batches):
    async def scene():
        folder = tmp_path / str(next(_folders))
        folder.mkdir()
        memory, file = {}, AccountsFile(folder)
        with server.client() as client:
            client.flushall()
        async with nodes(server, "a", "b") as (a, b):
            for place, batch in enumerate(batches):
                plain = []
                for change in batch:
                    after = changed(memory.get(change.user), change)
                    plain.append(after)
                    if after is not None:
                        memory[change.user] = after
                    if after is not None and isinstance(change, RemoveAccount):
                        del memory[change.user]
                shared = await asyncio.gather(*((a, b)[place % 2].make(change) for change in batch))
                assert plain == file.make(batch) == shared
            for store in (a, b):
                await until(lambda store=store: all(store.find(user) == memory.get(user) for user in (ANA, BO)))
        assert file.read_all() == memory
        file.close()

    run(scene())


# --- who is present ----------------------------------------------------------------------------


def test_who_arrives_and_leaves_at_one_is_told_to_the_others(server):
    async def scene():
        async with nodes(server, "a", "b") as (a, b):
            await a.make(AddAccount(ANA, "Ana", "hash", PHONE))
            a.share(lease())
            assert await movement(b, lambda told: isinstance(told, Arrived)) == Arrived(lease())
            async with nodes(server, "c") as (c,):
                assert await movement(c, lambda told: True) == Arrived(lease()), "one that starts later knows, too"
            a.share(LeaseEnd(ANA, 1))
            assert await movement(b, lambda told: isinstance(told, Left)) == Left(ANA, may_return=False)

    run(scene())


def test_only_the_newest_session_gets_a_lease_and_the_late_end_of_an_older_one_takes_nothing(server):
    async def scene():
        async with nodes(server, "a", "b", "c") as (a, b, c):
            await a.make(AddAccount(ANA, "Ana", "hash", PHONE))
            a.share(lease(1))
            await movement(c, lambda told: told == Arrived(lease(1)))
            await hears_of(b, ANA)
            await b.make(BeginSessionByKey(ANA, PHONE))
            b.share(lease(2))
            a.share(lease(1))
            await movement(c, lambda told: told == Arrived(lease(2)))
            a.share(LeaseEnd(ANA, 1))
            b.share(LeaseEnd(ANA, 2))
            assert await movement(c, lambda told: True) == Left(ANA, may_return=False)

    run(scene())


def test_whose_older_session_is_refused_hears_of_the_newer_one(server):
    async def scene():
        async with nodes(server, "a", "b") as (a, b):
            await a.make(AddAccount(ANA, "Ana", "hash", PHONE))
            a.share(lease(1))
            await movement(b, lambda told: isinstance(told, Arrived))
            await b.make(BeginSessionByKey(ANA, PHONE))
            await hears_of(a, ANA)
            assert a.find(ANA).session == 2

    run(scene())


def test_a_session_that_moved_with_its_device_stays_where_it_came_last(server):
    async def scene():
        async with nodes(server, "a", "b") as (a, b):
            await a.make(AddAccount(ANA, "Ana", "hash", PHONE))
            a.share(lease())
            await movement(b, lambda told: isinstance(told, Arrived))
            b.share(lease())
            await movement(a, lambda told: told == Arrived(lease()))
            a.share(LeaseEnd(ANA, 1))
            a.share(CoursePresence(BO, "192.0.2.9", 5.0))
            assert await movement(b, lambda told: True) == CoursePresence(BO, "192.0.2.9", 5.0), "no end of Ana's"

    run(scene())


def test_a_session_that_moved_on_is_noticed_even_if_the_answer_to_its_lease_here_comes_late():
    mirror = Mirror("a")
    mirror.claim(lease())
    rest = b"1 %b " + write_lease(lease())
    mirror.hear(Publication(1, Kind.LEASE, "a", "ana", rest.replace(b"%b", b"a")))
    mirror.hear(Publication(2, Kind.LEASE, "b", "ana", rest.replace(b"%b", b"b")))
    assert mirror.take_news().movements == (Arrived(lease()),)
    assert not mirror.claims


def test_a_locator_that_ends_takes_its_sessions_along_and_others_may_come_back(server):
    async def scene():
        async with nodes(server, "b") as (b,):
            async with nodes(server, "a") as (a,):
                await a.make(AddAccount(ANA, "Ana", "hash", PHONE))
                a.share(lease())
                await movement(b, lambda told: isinstance(told, Arrived))
            assert await movement(b, lambda told: True) == Left(ANA, may_return=True)

    run(scene())


def test_everybody_knows_where_everybody_is(server):
    async def scene():
        async with nodes(server, "a", "b") as (a, _):
            async with asyncio.timeout(2 * limits.NODE_BEAT_SECONDS):
                while (await a.news()).locators != ("a:7400", "b:7400"):
                    pass

    run(scene())


def test_course_presence_is_shared(server):
    async def scene():
        async with nodes(server, "a", "b") as (a, b):
            a.share(CoursePresence(BO, "192.0.2.9", 5.0))
            assert await movement(b, lambda told: True) == CoursePresence(BO, "192.0.2.9", 5.0)
            b.share(CoursePresence(BO, "", 6.0))
            assert (await movement(a, lambda told: True)).address == ""

    run(scene())
