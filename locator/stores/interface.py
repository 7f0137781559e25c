"""What the locator keeps about accounts, and the only ways in which that may change.

A change is a value: it says what must still hold when it is made (the password that was checked, the device that
was on the list), so that a store can make it in one step, whoever else writes at the same time.
"""

from dataclasses import dataclass
from typing import Protocol

from protocol.errors import RefusalCode
from protocol.identity import DeviceId, UserId


@dataclass(frozen=True, slots=True)
class Account:
    """One person at this locator, as the store last wrote it."""

    user: UserId
    name: str
    password_hash: str
    session: int = 0
    """Number of the newest session; it only grows. 0: nobody ever logged in."""
    session_device: DeviceId | None = None
    """The device that holds the newest session."""
    list_number: int = 0
    """How many device lists there were; 0: none was ever needed."""
    devices: tuple[DeviceId, ...] = ()
    """Devices that logged in with the password since it was last changed, newest last."""
    is_disabled: bool = False
    """An operator shut it out: no login is taken, and no device is valid."""
    course_hash: str = ""
    """Of the password for the course port; empty where there is none."""
    is_course_hash_shared: bool = False
    """Whether it is of the same password as `password_hash`: until the first login, on either side."""
    must_change_password: bool = False
    """Whether its person may do nothing before choosing a password: an operator gave this one out."""


@dataclass(frozen=True, slots=True)
class AddAccount:
    """Make an account; made only if the ID is free. With a device, its first session begins, too."""

    user: UserId
    name: str
    password_hash: str
    device: DeviceId | None
    course_hash: str = ""
    """Of the same password, for an account that may begin on the course port."""
    must_change_password: bool = False


@dataclass(frozen=True, slots=True)
class BeginSessionByPassword:
    """Give the next session number and make the device valid; made only if the password is still the checked one."""

    user: UserId
    device: DeviceId
    checked_hash: str


@dataclass(frozen=True, slots=True)
class BeginSessionByKey:
    """Give the next session number; made only if the device is still on the list."""

    user: UserId
    device: DeviceId


@dataclass(frozen=True, slots=True)
class ReplacePassword:
    """A person's new password; the list becomes this device alone.

    Made only if the password is still the checked one.
    """

    user: UserId
    device: DeviceId
    checked_hash: str
    new_hash: str


@dataclass(frozen=True, slots=True)
class SetPassword:
    """An operator's new password: no device stays valid."""

    user: UserId
    new_hash: str
    course_hash: str = ""
    """Of the same password; kept if the account was never used with Hail."""
    must_change_password: bool = False


@dataclass(frozen=True, slots=True)
class SetCoursePassword:
    """An operator's password for the course port alone."""

    user: UserId
    course_hash: str


@dataclass(frozen=True, slots=True)
class BecomeCourseOnly:
    """The first login came over the course port, in clear: its password opens nothing in Hail from here on."""

    user: UserId


@dataclass(frozen=True, slots=True)
class SetDisabled:
    """Shut an account out, with all its devices, or let it log in again."""

    user: UserId
    disabled: bool


@dataclass(frozen=True, slots=True)
class RemoveAccount:
    """Forget an account. The change gives what it was."""

    user: UserId


Change = (
    AddAccount
    | BeginSessionByPassword
    | BeginSessionByKey
    | ReplacePassword
    | SetPassword
    | SetCoursePassword
    | BecomeCourseOnly
    | SetDisabled
    | RemoveAccount
)


class StoreFailedError(Exception):
    """The store could not keep a change (disk full, file gone): nothing was changed."""

    def __init__(self, code: RefusalCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Store(Protocol):
    """Where accounts are kept."""

    def find(self, user: UserId) -> Account | None:
        """Return an account as last known, at once: look-ups never wait for a disk or a network."""

    async def make(self, change: Change) -> Account | None:
        """Make a change durable and return the account after it; None if its condition no longer held.

        Raises StoreFailedError.
        """

    async def changed_elsewhere(self) -> frozenset[UserId]:
        """Return whose accounts another process changed since the last call; `find` knows the new state."""

    async def close(self) -> None:
        """Finish what was begun."""
