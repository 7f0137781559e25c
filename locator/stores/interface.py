"""What the locator keeps about accounts, and the only ways in which that may change.

A change is a value: it says what must still hold when it is made (the password that was checked, the device that
was on the list), so that a store can make it in one step, whoever else writes at the same time.

Where several locators are one, the store also carries who is present at which of them.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

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
    """Of the newest device list; it only grows. 0: none was ever needed."""
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


def first_list_number(wall: float) -> int:
    """Return where the device lists' numbers of an account begin that is made now (seconds since 1970).

    Friends take no list with a lower number than they have seen. So those of an ID that was removed and is made again
    must be higher, and nobody remembers how far they had come: no account changes its list a thousand times a second.
    """
    return int(wall * 1000)


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
    list_number: int = 0
    """See `first_list_number`."""


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

    Made only if the password is still the checked one, and the device still on the list.
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


class Lease(NamedTuple):
    """Somebody is logged in at one of several locators: what the others need to answer `where`."""

    user: UserId
    session: int
    device: DeviceId
    addresses: tuple[str, ...]
    """Where the peer may be dialled, in canonical form."""
    listen_port: int
    voice_port: int
    since: int
    """Milliseconds since 1970 at which the user came."""


class LeaseEnd(NamedTuple):
    """A session is over; a newer one, or one at another locator, stays untouched."""

    user: UserId
    session: int


class CoursePresence(NamedTuple):
    """Somebody logged in on the course port of any locator, or out again."""

    user: UserId
    address: str
    """Empty: logged out."""
    at: float
    """Seconds since 1970 of the login."""


Shared = Lease | LeaseEnd | CoursePresence
"""What one locator tells the others about who is present."""


class Arrived(NamedTuple):
    """Somebody is present at another locator."""

    lease: Lease


class Left(NamedTuple):
    """Somebody is not present at another locator any more."""

    user: UserId
    may_return: bool
    """That locator was lost: its users have a moment to come back elsewhere."""


class News(NamedTuple):
    """What others did to what this locator shares with them: commands on this machine, or other locators."""

    accounts: frozenset[UserId] = frozenset()
    """Whose accounts changed; `Store.find` knows the new state."""
    movements: tuple[Arrived | Left | CoursePresence, ...] = ()
    """Who came and went at other locators, in this order."""
    locators: tuple[str, ...] | None = None
    """HOST:PORT of every locator that shares this store, where that changed."""


class StoreFailedError(Exception):
    """The store could not keep a change (disk full, file gone): nothing was changed."""

    def __init__(self, code: RefusalCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class StoreOutOfTouchError(StoreFailedError):
    """The shared store is out of reach, and tried again by itself; a change may have been made all the same."""

    def __init__(self, sentence: str) -> None:
        super().__init__(RefusalCode.REFUSED, sentence)


class Accounts(Protocol):
    """Accounts as the operator's commands use them, beside the locators that run."""

    def read_all(self) -> dict[UserId, Account]:
        """Return every account, by ID."""

    def make(self, changes: list[Change]) -> list[Account | None]:
        """Make changes; each gives the account after it, or None if its condition did not hold."""

    def close(self) -> None:
        """Let go of them."""


class Store(Protocol):
    """Where accounts are kept, and what several locators share."""

    @property
    def is_current(self) -> bool:
        """Whether what `find` returns is the newest there is; if not, nobody is to be refused for good by it."""

    def find(self, user: UserId) -> Account | None:
        """Return an account as last known, at once: look-ups never wait for a disk or a network."""

    async def make(self, change: Change) -> Account | None:
        """Make a change durable and return the account after it; None if its condition no longer held.

        Raises StoreFailedError.
        """

    def share(self, presence: Shared) -> None:
        """Tell the other locators, if there are any, who is present here; returns at once."""

    async def news(self) -> News:
        """Wait until others changed something, and return it."""

    async def close(self) -> None:
        """Finish what was begun."""
