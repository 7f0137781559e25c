"""Password hashes: argon2id, in a few threads with a bounded queue, so that look-ups never wait for a login."""

import asyncio
import math
import os
import secrets
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from locator import limits

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
    """Hashes passwords off the loop's thread; refuses work, instead of piling it up, when too much waits."""

    def __init__(self, threads: int | None = None, longest_wait: float = limits.PASSWORD_WAIT_SECONDS) -> None:
        """`threads` defaults to all cores but one, which is left to the look-ups."""
        self._threads = threads or max(1, (os.cpu_count() or 1) - 1)
        self._longest_wait = longest_wait
        self._asked = 0
        self._seconds_each = limits.HASH_SECONDS_AT_FIRST
        self._executor = ThreadPoolExecutor(max_workers=self._threads, thread_name_prefix="passwords")
        self._nobodys_hash = hash_password(secrets.token_hex(16))

    async def verify(self, password: str, password_hash: str | None, is_wanted: Callable[[], bool]) -> bool:
        """Tell whether a password is right; without a hash it never is, but that takes the same time.

        Raises TooManyPasswordsError when the queue is full, NobodyWaitsError when `is_wanted` turned false.
        """
        right = await self._run(lambda: is_password(password, password_hash or self._nobodys_hash), is_wanted)
        return right and password_hash is not None

    async def check(self, is_right: Callable[[], bool]) -> bool:
        """Run another check that takes its time, in the same threads and the same queue."""
        return await self._run(is_right, lambda: True)

    async def hash(self, password: str, is_wanted: Callable[[], bool]) -> str:
        """Return the hash of a new password; raises as `verify` does."""
        return await self._run(lambda: hash_password(password), is_wanted)

    def close(self) -> None:
        """Drop what waits."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], Result], is_wanted: Callable[[], bool]) -> Result:
        wait = self._asked * self._seconds_each / self._threads
        if wait >= self._longest_wait:
            raise TooManyPasswordsError(float(max(1, math.ceil(wait))))

        def timed() -> tuple[Result, float]:
            if not is_wanted():
                raise NobodyWaitsError
            start = time.monotonic()
            return work(), time.monotonic() - start

        self._asked += 1
        try:
            result, seconds = await asyncio.get_running_loop().run_in_executor(self._executor, timed)
        finally:
            self._asked -= 1
        self._seconds_each += 0.1 * (seconds - self._seconds_each)
        return result


def _as_typed_anywhere(password: str) -> str:
    """Systems type é as one character or as two; the person means the same (RFC 8265, OpaqueString)."""
    return unicodedata.normalize("NFC", password)
