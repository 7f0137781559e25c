"""Password hashes: argon2id, in a few threads with a bounded queue, so that look-ups never wait for a login."""

import asyncio
import math
import os
import secrets
import time
import unicodedata
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

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


class PasswordPool:
    """Hashes passwords off the loop's thread; refuses work, instead of piling it up, when too much waits.

    What waits stands in queues that take turns, so that whoever fills one delays nobody in another.
    """

    def __init__(self, threads: int | None = None, longest_wait: float = limits.PASSWORD_WAIT_SECONDS) -> None:
        """`threads` defaults to all cores but one, which is left to the look-ups."""
        self._threads = threads or max(1, (os.cpu_count() or 1) - 1)
        self._longest_wait = longest_wait
        self._queues: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()
        self._busy = 0
        self._seconds_each = limits.HASH_SECONDS_AT_FIRST
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
        return await self._run(lambda: is_password(password, checked), queue, is_wanted) and has_hash

    async def check(self, is_right: Callable[[], bool], queue: Hashable) -> bool:
        """Run another check that takes its time, in the same threads and the same queues."""
        return await self._run(is_right, queue, lambda: True)

    async def hash(self, password: str, queue: Hashable, is_wanted: Callable[[], bool]) -> str:
        """Return the hash of a new password; raises as `verify` does."""
        return await self._run(lambda: hash_password(password), queue, is_wanted)

    def gauges(self) -> Gauges:
        """Return how to read what is so now."""
        return {
            "passwords_waiting": lambda: sum(map(len, self._queues.values())),
            "passwords_running": lambda: self._busy,
        }

    def close(self) -> None:
        """Drop what waits."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], Result], queue: Hashable, is_wanted: Callable[[], bool]) -> Result:
        wait = self._wait_in(queue)
        if wait >= self._longest_wait:
            raise TooManyPasswordsError(float(max(1, math.ceil(wait))))
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(queue, deque()).append(turn)
        self._give_turns()
        try:
            await turn
            if not is_wanted():
                raise NobodyWaitsError
            result, seconds = await asyncio.get_running_loop().run_in_executor(self._executor, _timed, work)
        finally:
            if not turn.cancelled():
                self._busy -= 1
                self._give_turns()
        self._seconds_each += 0.1 * (seconds - self._seconds_each)
        return result

    def _wait_in(self, queue: Hashable) -> float:
        """Return the seconds until one who comes now would have its turn."""
        place = len(self._queues.get(queue, ())) + 1
        before = self._busy + sum(min(len(waiting), place) for waiting in self._queues.values())
        return before * self._seconds_each / self._threads

    def _give_turns(self) -> None:
        # The threads must not stand idle between two short checks until the loop comes round.
        ahead = int(limits.PASSWORDS_AHEAD_SECONDS / self._seconds_each)
        while self._queues and self._busy < self._threads + ahead:
            queue, waiting = self._queues.popitem(last=False)
            turn = waiting.popleft()
            if waiting:
                self._queues[queue] = waiting
            if not turn.cancelled():
                self._busy += 1
                turn.set_result(None)


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.monotonic()
    return work(), time.monotonic() - start


def _as_typed_anywhere(password: str) -> str:
    """Systems type é as one character or as two; the person means the same (RFC 8265, OpaqueString)."""
    return unicodedata.normalize("NFC", password)
