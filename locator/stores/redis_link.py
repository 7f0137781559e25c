"""The connection to Redis: the only file that imports its client library. Asks and writes; decides nothing."""

import asyncio
import contextlib
import hashlib
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple, cast

import redis.asyncio as redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from locator import limits
from locator.stores import redis_scripts as scripts
from locator.stores.interface import CoursePresence, Lease, LeaseEnd, StoreOutOfTouchError
from locator.stores.mirror import Snapshot
from locator.stores.redis_address import RedisAddress
from locator.stores.redis_rows import (
    ACCOUNTS,
    AUTHORITY,
    CHANNEL,
    COURSE,
    LEASES,
    NUMBER,
    AccountRow,
    LeaseRow,
    Publication,
    UnreadableRowError,
    read_account,
    read_course,
    read_lease,
    read_publication,
    write_account,
    write_lease,
)
from protocol.identity import UserId

_SHA = {script: hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest() for script in scripts.ALL}


class Beat(NamedTuple):
    """What Redis answers to a sign of life."""

    was_known: bool
    """Whether this node was not buried meanwhile."""
    number: int
    """Of the last change."""
    nodes: dict[str, tuple[int, str]]
    """Every node: its beat, and its HOST:PORT."""


class Refused(NamedTuple):
    """A lease that was not written, and the rows that say why."""

    account: AccountRow
    lease: LeaseRow | None


class RedisLink:
    """One node's connections. Everything raises StoreOutOfTouchError, with a sentence without secrets."""

    def __init__(self, address: RedisAddress, node: str) -> None:
        """Nothing is connected yet. `node` signs what is written."""
        self._address = address
        self._node = node
        self._mark = ""
        # One failure is told at once: the store decides what to do about it.
        self._client = redis.Redis.from_url(
            address.url,
            protocol=2,
            socket_timeout=limits.REDIS_ANSWER_SECONDS,
            socket_connect_timeout=limits.REDIS_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
            client_name="hail-locator",
        )

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    # --- which store it is ---------------------------------------------------------------------

    async def mark(self) -> str:
        """Return whose store it is: the authority's fingerprint and the founding; empty if nobody's."""
        with self._told_plainly():
            return _text(await self._client.get(AUTHORITY))

    async def found(self, mark: str) -> str:
        """Make an empty Redis the store of an authority; return whose it is now."""
        with self._told_plainly():
            return _text(await self._client.eval(scripts.FOUND, 0, mark))

    def expect(self, mark: str) -> None:
        """From now on every script fails if it is not this store."""
        self._mark = mark

    async def survives_power_cuts(self) -> bool | None:
        """Tell whether its append-only file is on; None if it does not say."""
        try:
            return bool((await self._client.info("persistence")).get("aof_enabled"))
        except RedisError:
            return None

    # --- reading -------------------------------------------------------------------------------

    async def load_scripts(self) -> None:
        """Give Redis the scripts; one that was restarted has forgotten them."""
        with self._told_plainly():
            for script in scripts.ALL:
                await self._client.script_load(script)

    async def read_all(self) -> Snapshot:
        """Read everything, a few rows at a time, beside whatever changes meanwhile."""
        with self._told_plainly():
            number = int(await self._client.get(NUMBER) or 0)
            accounts = {UserId(user): read_account(row) async for user, row in self._rows(ACCOUNTS)}
            leases = {UserId(user): read_lease(row) async for user, row in self._rows(LEASES)}
            course = {UserId(user): read_course(user, row) async for user, row in self._rows(COURSE)}
            if _text(await self._client.get(AUTHORITY)) != self._mark:
                raise ResponseError(scripts.OTHER_STORE)
        return Snapshot(number, accounts, leases, course)

    async def read_accounts(self, users: list[UserId]) -> list[tuple[UserId, AccountRow]]:
        """Read some accounts, beside whatever changes meanwhile."""
        rows = await self._run(scripts.READ_ACCOUNT, [(user,) for user in users])
        with self._told_plainly():
            return [(user, _account_or_none(row)) for user, row in zip(users, rows, strict=True)]

    async def _rows(self, key: str) -> AsyncIterator[tuple[str, bytes]]:
        cursor = -1
        while cursor != 0:
            cursor, found = await self._client.hscan(key, max(cursor, 0), count=limits.REDIS_ROWS_AT_ONCE)
            for user, row in cast("dict[bytes, bytes]", found).items():
                yield user.decode(), row

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["Listener"]:
        """Hear every change from here on."""
        heard = self._client.pubsub()
        try:
            with self._told_plainly():
                async with asyncio.timeout(limits.REDIS_ANSWER_SECONDS):
                    await heard.subscribe(CHANNEL)
                    while (await heard.get_message(timeout=None) or {}).get("type") != "subscribe":
                        pass
            yield Listener(self, heard)
        finally:
            with contextlib.suppress(RedisError, OSError):
                await heard.aclose()  # type: ignore[no-untyped-call]  # a gap in the library's types

    # --- writing -------------------------------------------------------------------------------

    async def change_accounts(self, wanted: list[tuple[UserId, AccountRow]]) -> list[int | AccountRow]:
        """Write accounts: each row says what to write, and the number of the row that this was decided on.

        Returns for each the number under which it was written, or the row that is there instead.
        """
        calls: list[tuple[object, ...]] = []
        for user, (number, account) in wanted:
            packed = b"" if account is None else write_account(account)
            calls.append((user, number, 0 if account is None else account.session, packed))
        answers = await self._run(scripts.CHANGE_ACCOUNT, calls)
        return [int(number) or _account_or_none(row) for number, row in answers]

    async def put_leases(self, leases: list[tuple[Lease, bool]]) -> list[int | Refused]:
        """Say which sessions are present here; `True`: after a gap, when another node that has it keeps it."""
        calls: list[tuple[object, ...]] = [
            (lease.user, lease.session, write_lease(lease), int(again)) for lease, again in leases
        ]
        answers = await self._run(scripts.PUT_LEASE, calls)
        return [
            int(number) or Refused(_account_or_none(account), read_lease(row) if row else None)
            for number, account, row in answers
        ]

    async def end_leases(self, ends: list[LeaseEnd]) -> None:
        """Say which sessions have ended here."""
        await self._run(scripts.END_LEASE, [(end.user, end.session) for end in ends])

    async def move_on_course(self, presences: list[CoursePresence]) -> None:
        """Say who logged in or out on the course port here."""
        calls: list[tuple[object, ...]] = [(p.user, f"{p.address} {p.at:.3f}" if p.address else "") for p in presences]
        await self._run(scripts.MOVE_ON_COURSE, calls)

    async def beat(self, place: str) -> Beat:
        """Say that this node lives, and where."""
        ((was_known, number, flat),) = await self._run(scripts.BEAT, [(place,)])
        nodes: dict[str, tuple[int, str]] = {}
        for node, row in zip(flat[::2], flat[1::2], strict=True):
            beat, _, its_place = row.decode().partition(" ")
            nodes[node.decode()] = int(beat), its_place
        return Beat(bool(was_known), int(number), nodes)

    async def bury(self, node: str, beat: int | None) -> None:
        """End a node and its leases, if its beat still stands where it stood (None: wherever)."""
        await self._run(scripts.BURY, [(node, "" if beat is None else beat)])

    async def _run(self, script: str, calls: list[tuple[object, ...]]) -> list[Any]:
        """Run a script many times, in few round trips."""
        answers: list[Any] = []
        with self._told_plainly():
            for start in range(0, len(calls), limits.REDIS_ROWS_AT_ONCE):
                pipe = self._client.pipeline(transaction=False)
                for arguments in calls[start : start + limits.REDIS_ROWS_AT_ONCE]:
                    plain = [str(a) if isinstance(a, UserId) else a for a in arguments]
                    pipe.evalsha(_SHA[script], 0, self._mark, self._node, *plain)  # type: ignore[arg-type]
                answers += await pipe.execute(raise_on_error=False)
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
        return answers

    @contextlib.contextmanager
    def _told_plainly(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            what = str(error) if isinstance(error, UnreadableRowError) else "something"
            sentence = (
                f"The {self._address} holds {what} that this version of Hail cannot read. Run the same everywhere."
            )
            raise StoreOutOfTouchError(sentence) from error
        except ResponseError as error:
            if str(error).startswith(scripts.OTHER_STORE):
                sentence = (
                    f"The {self._address} was emptied or exchanged. Put back its backup; nothing is written to it."
                )
                raise StoreOutOfTouchError(sentence) from None
            raise StoreOutOfTouchError(f"The {self._address} refuses: {error}.") from None
        except AuthenticationError:
            sentence = f"The {self._address} does not take the user or the password in its address."
            raise StoreOutOfTouchError(sentence) from None
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreOutOfTouchError(f"The {self._address} is out of reach: {_reason(error)}.") from error


def _reason(error: BaseException) -> str:
    """Say in a few words what the library wraps in its own long ones."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"nobody known vouches for its certificate ({cause.verify_message})"
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return os.strerror(cause.errno).lower()
        cause = cause.__cause__ or cause.__context__
    return "no answer" if isinstance(error, TimeoutError | RedisTimeoutError) else type(error).__name__


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else ""


def _account_or_none(row: bytes | None) -> AccountRow:
    return read_account(row) if row else AccountRow(0, None)


class Listener:
    """What comes on the channel."""

    def __init__(self, link: RedisLink, heard: PubSub) -> None:
        self._link = link
        self._heard = heard

    async def next(self) -> Publication:
        """Wait for the next change."""
        with self._link._told_plainly():  # noqa: SLF001 - the other half of the same thing
            while True:
                message = await self._heard.get_message(timeout=None)
                if message is not None and message["type"] == "message":
                    return read_publication(message["data"])
