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

    def logged_in(self, user: UserId, seen: str, now: Now) -> Orders:
        """The password was right: this is where the user is now."""
        return self._directory.arrive_on_course(user, clean_address(seen) or seen, now)


# --- passwords -----------------------------------------------------------------------------------


def is_course_id(user: UserId) -> bool:
    """Tell whether an ID is one of the course's: ten digits."""
    return len(user) == limits.COURSE_ID_DIGITS and user.isdigit()


def hash_course_password(password: str) -> str:
    """Return a salted hash of a few milliseconds: whoever listens on the network knows the password anyway."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{_digest(password, salt).hex()}"


def is_course_password(password: str, course_hash: str) -> bool:
    """Tell whether a password is the one that was hashed."""
    salt, _, digest = course_hash.partition(":")
    return hmac.compare_digest(_digest(password, bytes.fromhex(salt)), bytes.fromhex(digest))


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogateescape"), salt=salt, n=1024, r=8, p=1, dklen=32)
