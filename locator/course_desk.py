"""What the course port answers, and what it may change: a presence of its own, and nothing of any Hail session.

Its passwords cross the network in clear, so they are never those of an account that is used with Hail: an account that
the operator made with a ten-digit ID may begin on either side, and then belongs to it.
"""

import hashlib
import hmac
import secrets
from typing import NamedTuple

from locator import limits
from locator.course_protocol import LOGGED_OUT, NONSENSE, OFFLINE, UNKNOWN_AT_LOGIN, UNKNOWN_USER
from locator.directory import Directory, clean_address, is_ipv4, is_loopback
from locator.orders import Now, Orders
from locator.stores.interface import Store
from protocol.identity import UserId


class Answer(NamedTuple):
    """Bytes for the one who asked, and what the watchers are to be told."""

    reply: bytes
    orders: Orders


class CourseDesk:
    """Answers commands; a login's password is checked by the caller, off the loop's thread."""

    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory

    def query(self, user: UserId, asker: str) -> Answer:
        """Tell where a user is: the bare IPv4 address, `n`, or that there is no such ID."""
        if self._store.find(user) is None:
            return Answer(UNKNOWN_USER, [])
        about = self._directory.about(user, is_near=is_loopback(asker))
        address = next((address for address in about.addresses if is_ipv4(address)), None) if about.online else None
        return Answer(OFFLINE if address is None else address.encode(), [])

    def log_out(self, user: UserId, now: Now) -> Answer:
        """Forget where a course client is; whoever asks."""
        return Answer(LOGGED_OUT, self._directory.leave_course(user, now))

    def hash_for_login(self, user: UserId) -> str | Answer:
        """Return what a password is to be checked against; or at once the answer."""
        account = self._store.find(user)
        if account is None:
            return Answer(UNKNOWN_AT_LOGIN, [])
        if account.is_disabled or not account.course_hash:
            return Answer(NONSENSE, [])
        return account.course_hash

    def is_undecided(self, user: UserId) -> bool:
        """Tell whether an account's password opens both sides still: nobody has logged in on either."""
        account = self._store.find(user)
        return account is not None and account.is_course_hash_shared

    def logged_in(self, user: UserId, seen: str, now: Now) -> Orders:
        """The password was right: this is where the user is now."""
        return self._directory.arrive_on_course(user, clean_address(seen) or seen, now)


# --- passwords -----------------------------------------------------------------------------------


def is_course_id(user: UserId) -> bool:
    """Tell whether an ID is one of the course's: ten digits."""
    return len(user) == limits.COURSE_ID_DIGITS and user.isdigit()


def hash_course_password(password: str) -> str:
    """Return a salted hash of half a millisecond, so that a thousand clients may log in at once.

    Whoever listens on the network knows the password anyway.
    """
    salt = secrets.token_bytes(16)
    return f"{_COST}:{salt.hex()}:{_digest(password, salt, _COST).hex()}"


def is_course_password(password: str, course_hash: str) -> bool:
    """Tell whether a password is the one that was hashed."""
    *cost, salt, digest = course_hash.split(":")
    computed = _digest(password, bytes.fromhex(salt), int(cost[0]) if cost else _COST_AT_FIRST)
    return hmac.compare_digest(computed, bytes.fromhex(digest))


_COST = 256
"""scrypt's N: with r = 8, 256 KiB."""
_COST_AT_FIRST = 1024
"""Of hashes that do not name it."""


def _digest(password: str, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogateescape"), salt=salt, n=cost, r=8, p=1, dklen=32)
