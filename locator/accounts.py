"""Password hashes: argon2id, in a few threads with a bounded queue, so that look-ups never wait for a login."""

import asyncio
import math
import os
import secrets
import time
import unicodedata
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import partial
from typing import NamedTuple, TypeVar, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from locator import limits
from locator.figures import Gauges

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's second choice for argon2id: about 20 ms a try, 19 MiB."""
Result = TypeVar("Result")


class TooManyPasswordsError(Exception):
    """The queue is full; `retry_after` seconds from now there should be room."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"try again in {retry_after:.0f} s")
        self.retry_after = retry_after


class NobodyWaitsError(Exception):
    """The one who asked is gone; the work was not done."""


def hash_password(password: str) -> str:
    """Return a salted argon2id hash in its usual text form. Takes a core for about 20 ms."""
    return _HASHER.hash(_as_typed_anywhere(password))


def is_password(password: str, password_hash: str) -> bool:
    """Tell whether a password is the one that was hashed. Takes a core for about 20 ms."""
    try:
        return _HASHER.verify(password_hash, _as_typed_anywhere(password))
    except (VerificationError, InvalidHashError):
        return False


class _Kind(Enum):
    """What is checked: each takes its own time, which is measured."""

    OWN = "a password of Hail"
    COURSE = "a password of the course"


class _Job(NamedTuple):
    """One who waits."""

    work: Callable[[], object]
    is_wanted: Callable[[], bool]
    done: asyncio.Future[object]


class PasswordPool:
    """Hashes passwords off the loop's thread; refuses work, instead of piling it up, when too much waits.

    What waits stands in queues that take turns, so that whoever fills one delays nobody in another. A turn is a stretch
    of time: one password of Hail's, or a batch of the course's, which one thread checks without asking the loop between
    them: a loop with a thousand clients to answer comes round too seldom for that.
    """

    def __init__(self, threads: int | None = None, longest_wait: float = limits.PASSWORD_WAIT_SECONDS) -> None:
        """`threads` defaults to all cores but one, which is left to the look-ups."""
        self._threads = threads or max(1, (os.cpu_count() or 1) - 1)
        self._longest_wait = longest_wait
        self._queues: OrderedDict[tuple[_Kind, Hashable], deque[_Job]] = OrderedDict()
        self._turns = 0
        self._running = 0
        self._seconds_ahead = 0.0
        """What is handed to the threads should take so long in all."""
        self._seconds_each = {
            _Kind.OWN: limits.HASH_SECONDS_AT_FIRST,
            _Kind.COURSE: limits.COURSE_HASH_SECONDS_AT_FIRST,
        }
        self._executor = ThreadPoolExecutor(max_workers=self._threads, thread_name_prefix="passwords")
        self._nobodys_hash = hash_password(secrets.token_hex(16))

    async def verify(
        self, password: str, password_hash: str | None, queue: Hashable, is_wanted: Callable[[], bool]
    ) -> bool:
        """Tell whether a password is right; without a hash it never is, but that takes the same time.

        Raises TooManyPasswordsError when the queue is full, NobodyWaitsError when `is_wanted` turned false.
        """
        # What is no hash, as of accounts that only the course port opens, is as much work as what is one.
        has_hash = password_hash is not None and password_hash.startswith("$argon2id$")
        checked = password_hash if password_hash is not None and has_hash else self._nobodys_hash
        return await self._run(_Kind.OWN, lambda: is_password(password, checked), queue, is_wanted) and has_hash

    async def check(self, is_right: Callable[[], bool], queue: Hashable) -> bool:
        """Run the course's quicker check, in the same threads and in queues of its own that take turns with the others.

        Raises TooManyPasswordsError.
        """
        return await self._run(_Kind.COURSE, is_right, queue, lambda: True)

    async def hash(self, password: str, queue: Hashable, is_wanted: Callable[[], bool]) -> str:
        """Return the hash of a new password; raises as `verify` does."""
        return await self._run(_Kind.OWN, lambda: hash_password(password), queue, is_wanted)

    def gauges(self) -> Gauges:
        """Return how to read what is so now."""
        return {
            "passwords_waiting": lambda: sum(map(len, self._queues.values())),
            "passwords_running": lambda: self._running,
        }

    def close(self) -> None:
        """Drop what waits."""
        queues, self._queues = self._queues, OrderedDict()
        for job in (job for waiting in queues.values() for job in waiting):
            job.done.cancel()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _run(
        self, kind: _Kind, work: Callable[[], Result], queue: Hashable, is_wanted: Callable[[], bool]
    ) -> Result:
        wait = self._wait_in(kind, queue)
        if wait >= self._longest_wait:
            raise TooManyPasswordsError(float(max(1, math.ceil(wait))))
        job = _Job(work, is_wanted, asyncio.get_running_loop().create_future())
        self._queues.setdefault((kind, queue), deque()).append(job)
        self._give_turns()
        return cast("Result", await job.done)

    def _wait_in(self, kind: _Kind, queue: Hashable) -> float:
        """Return the seconds until one who comes now would have its turn."""
        own = (len(self._queues.get((kind, queue), ())) + 1) * self._seconds_each[kind]
        each = self._seconds_each
        before = sum(min(len(waiting) * each[other], own) for (other, _), waiting in self._queues.items())
        return (self._seconds_ahead + before) / self._threads

    def _give_turns(self) -> None:
        # The threads must not stand idle between two short turns until the loop comes round.
        while self._queues and (self._turns < self._threads or self._seconds_ahead < limits.PASSWORDS_AHEAD_SECONDS):
            (kind, queue), waiting = self._queues.popitem(last=False)
            each = self._seconds_each[kind]
            jobs = self._next_of(waiting, max(1, int(limits.PASSWORD_TURN_SECONDS / each)))
            if waiting:
                self._queues[kind, queue] = waiting
            if jobs:
                self._hand_over(kind, jobs, each * len(jobs))

    def _next_of(self, waiting: deque[_Job], most: int) -> list[_Job]:
        jobs: list[_Job] = []
        while waiting and len(jobs) < most:
            job = waiting.popleft()
            if job.done.done():
                continue
            if job.is_wanted():
                jobs.append(job)
            else:
                job.done.set_exception(NobodyWaitsError)
        return jobs

    def _hand_over(self, kind: _Kind, jobs: list[_Job], expected: float) -> None:
        self._turns += 1
        self._running += len(jobs)
        self._seconds_ahead += expected
        turn = asyncio.get_running_loop().run_in_executor(self._executor, _do, [job.work for job in jobs])
        turn.add_done_callback(partial(self._done, kind, jobs, expected))

    def _done(
        self, kind: _Kind, jobs: list[_Job], expected: float, turn: "asyncio.Future[tuple[list[object], float]]"
    ) -> None:
        self._turns -= 1
        self._running -= len(jobs)
        self._seconds_ahead = self._seconds_ahead - expected if self._turns else 0.0
        if turn.cancelled():
            for job in jobs:
                job.done.cancel()
            return
        results, seconds = turn.result()
        self._seconds_each[kind] += 0.1 * (seconds / len(jobs) - self._seconds_each[kind])
        for job, result in zip(jobs, results, strict=True):
            if job.done.done():
                continue
            if isinstance(result, Exception):
                job.done.set_exception(result)
            else:
                job.done.set_result(result)
        self._give_turns()


def _do(works: Sequence[Callable[[], object]]) -> tuple[list[object], float]:
    """In a thread: return what came of each, an error too, and how many seconds all took."""
    start = time.monotonic()
    results = [_result_of(work) for work in works]
    return results, time.monotonic() - start


def _result_of(work: Callable[[], object]) -> object:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - whoever waits for this result gets it
        return error


def _as_typed_anywhere(password: str) -> str:
    """Systems type é as one character or as two; the person means the same (RFC 8265, OpaqueString)."""
    return unicodedata.normalize("NFC", password)
