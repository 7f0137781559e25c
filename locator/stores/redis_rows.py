"""What lies in Redis, and what is published there: rows of text and MessagePack.

Every row begins with the number of the change that wrote it, and every publication with its own: the numbers of one
store have no gap, so whoever missed a publication notices at the next one.

    hail:authority   "<the authority's fingerprint> <which founding of this store>"
    hail:number      the number of the last change
    hail:accounts    <user> → "<number> <session> <account>"
    hail:leases      <user> → "<number> <session> <node> <lease>"
    hail:course      <user> → "<number> <address> <at>"
    hail:nodes       <node> → "<beat> <HOST:PORT>"
    hail:changes     the channel: "<number> <kind> <node that wrote> <key> <rest of the row, or nothing: removed>"
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec

from locator.stores.interface import Account, CoursePresence, Lease
from protocol.identity import UserId, from_builtin, to_builtin

AUTHORITY, NUMBER, CHANNEL, NODES = "hail:authority", "hail:number", "hail:changes", "hail:nodes"
ACCOUNTS, LEASES, COURSE = "hail:accounts", "hail:leases", "hail:course"
NO_NODE = "-"
"""Who writes and is no locator: a command."""

_ENCODER = msgspec.msgpack.Encoder(enc_hook=to_builtin)
_ACCOUNT = msgspec.msgpack.Decoder(Account, dec_hook=from_builtin)
_LEASE = msgspec.msgpack.Decoder(Lease, dec_hook=from_builtin)


class UnreadableRowError(ValueError):
    """Something in Redis was not written by this version of Hail."""


class Kind(StrEnum):
    """What a publication is about."""

    ACCOUNT = "account"
    LEASE = "lease"
    COURSE = "course"
    GONE = "gone"
    """A node, with all its leases."""


class AccountRow(NamedTuple):
    """An account as a change left it; None: removed, or never there."""

    number: int
    account: Account | None


class LeaseRow(NamedTuple):
    """Who is present at which node."""

    number: int
    node: str
    lease: Lease


class CourseRow(NamedTuple):
    """Who is present on the course port."""

    number: int
    presence: CoursePresence


class Publication(NamedTuple):
    """One change, as the channel tells it."""

    number: int
    kind: Kind
    writer: str
    key: str
    rest: bytes
    """The row without its number; empty: removed."""

    @property
    def row(self) -> bytes:
        """The row as it lies in Redis now."""
        return b"%d %b" % (self.number, self.rest)


def write_account(account: Account) -> bytes:
    """Return the packed account; the script puts number and session before it."""
    return _ENCODER.encode(account)


def write_lease(lease: Lease) -> bytes:
    """Return the packed lease; the script puts number, session and node before it."""
    return _ENCODER.encode(lease)


def read_publication(data: bytes) -> Publication:
    """Take a publication apart; raise UnreadableRowError."""
    try:
        number, kind, writer, key, rest = data.split(b" ", 4)
        return Publication(int(number), Kind(kind.decode()), writer.decode(), key.decode(), rest)
    except ValueError as error:
        raise UnreadableRowError("a publication") from error


def read_account(row: bytes) -> AccountRow:
    """Read a row of accounts; raise UnreadableRowError."""
    try:
        number, _, packed = row.split(b" ", 2)
        return AccountRow(int(number), _ACCOUNT.decode(packed))
    except ValueError as error:
        raise UnreadableRowError("an account") from error


def read_lease(row: bytes) -> LeaseRow:
    """Read a row of leases; raise UnreadableRowError."""
    try:
        number, _, node, packed = row.split(b" ", 3)
        return LeaseRow(int(number), node.decode(), _LEASE.decode(packed))
    except ValueError as error:
        raise UnreadableRowError("a lease") from error


def read_course(user: str, row: bytes) -> CourseRow:
    """Read a row of course presences; raise UnreadableRowError."""
    try:
        number, address, at = row.decode().split(" ")
        return CourseRow(int(number), CoursePresence(UserId(user), address, float(at)))
    except ValueError as error:
        raise UnreadableRowError("a course presence") from error
