"""What the deciding part of the locator asks of the part that has sockets, threads and a disk: values, no calls.

A handler returns orders. The driver (`server.py`) carries them out; where an order needs work that takes time, the
driver goes on with its `then`, handing in the result and the time.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from locator.stores.interface import Account, Change, Shared
from protocol.identity import DeviceId, UserId
from protocol.registry import Message


class Now(msgspec.Struct, frozen=True, gc=False):
    """The time of one step: monotonic seconds for waiting, seconds since 1970 for showing and signing."""

    monotonic: float
    wall: float


class Session(NamedTuple):
    """Who a caller is, once logged in."""

    user: UserId
    device: DeviceId
    number: int


@dataclass(eq=False, slots=True)
class Caller:
    """One connection, as the deciding part sees it. Two callers are the same only if they are one object."""

    seen_address: str
    """The address the connection comes from."""
    is_near: bool
    """Whether it comes from this very machine."""
    nonce: bytes
    """What a login by key signs on this connection; empty once it was used."""
    certificate: bytes
    """The locator's own certificate (DER) that this connection was shown."""
    heard_at: float
    """Monotonic time of the last frame."""
    session: Session | None = None
    must_change_password: bool = False
    """Whether the session may do nothing before it has changed its password."""
    watched: set[UserId] = field(default_factory=set)


class Send(msgspec.Struct, frozen=True, gc=False):
    """Send a message to a caller."""

    to: Caller
    message: Message


class HangUp(NamedTuple):
    """Close a connection, after what was sent before."""

    caller: Caller
    reason: str


class Share(NamedTuple):
    """Tell the other locators who is present here."""

    presence: Shared


class VerifyPassword(NamedTuple):
    """Check a password against a hash (None: there is no such account, but the time must be the same)."""

    caller: Caller
    tag: int
    password: str
    password_hash: str | None
    then: "Callable[[bool, Now], Orders]"
    queue: Hashable = None
    """With whom it waits: queues take turns, so that nobody fills them for others."""


class HashPassword(NamedTuple):
    """Hash a new password."""

    caller: Caller
    tag: int
    password: str
    queue: Hashable
    then: "Callable[[str, Now], Orders]"


class MakeChange(NamedTuple):
    """Make a change to the accounts durable; `then` gets the account after it, or None (see `Store.make`)."""

    caller: Caller
    tag: int
    change: Change
    then: "Callable[[Account | None, Now], Orders]"


Work = VerifyPassword | HashPassword | MakeChange
Orders = list[Send | HangUp | Share | Work]
