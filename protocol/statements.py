"""What a member of a group says to hold and to have been shown, signed, so that others can pass it on.

Who is linked with somebody learns it from their lines. In a group most are not linked, and some are never there at the
same time; but nobody who passes words on, or holds them back, shall be able to say that somebody else has them.
"""

import hashlib
from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import Meta

from protocol import limits
from protocol.entries import Number
from protocol.errors import RemoteProtocolError
from protocol.identity import ConversationId, DeviceId, EntryHash, FeedId, PublicKey, Realm, from_builtin, to_builtin
from protocol.link_messages import Range, SignedStatement
from protocol.signatures import Purpose, SigningKey, is_signed_by

Short = Annotated[bytes, Meta(min_length=limits.SHORT_HASH_BYTES, max_length=limits.SHORT_HASH_BYTES)]
"""The first bytes of a hash."""


class HeldLine(msgspec.Struct, frozen=True, array_like=True):
    """How far somebody holds one feed, and what of it was displayed to them."""

    feed: Short
    """Of the hash of the FeedId."""
    head: Number
    head_hash: Short
    lacking: Annotated[tuple[Range, ...], Meta(max_length=limits.STATED_RANGES)] = ()
    read: Annotated[tuple[Range, ...], Meta(max_length=limits.STATED_RANGES)] = ()

    def __post_init__(self) -> None:
        if any(first > last for first, last in (*self.lacking, *self.read)):
            raise ValueError("a range that ends before it begins")


class Statement(msgspec.Struct, frozen=True, array_like=True):
    """What one device says of one conversation."""

    conversation: ConversationId
    key: PublicKey
    """The device's; its hash is the DeviceId."""
    number: Number
    """Grows: milliseconds since 1970 by the device's clock, or one more than the last."""
    lines: Annotated[tuple[HeldLine, ...], Meta(max_length=limits.STATED_FEEDS)]

    @property
    def device(self) -> DeviceId:
        """Return who says it."""
        return DeviceId.of_key(self.key)


_DECODER = msgspec.msgpack.Decoder(Statement, dec_hook=from_builtin)


@lru_cache(maxsize=limits.FEEDS_PER_CONVERSATION)
def short_name(feed: FeedId) -> bytes:
    """Return the few bytes by which statements know a feed."""
    return hashlib.sha256(feed).digest()[: limits.SHORT_HASH_BYTES]


def short_hash(name: EntryHash) -> bytes:
    """Return the few bytes of a header's hash that statements carry."""
    return name[: limits.SHORT_HASH_BYTES]


def sign_statement(key: SigningKey, realm: Realm, statement: Statement) -> SignedStatement:
    """Seal a statement with the device's key."""
    payload = msgspec.msgpack.encode(statement, enc_hook=to_builtin)
    return SignedStatement(payload, key.sign(Purpose.STATEMENT, realm, payload))


def read_statement(signed: SignedStatement) -> Statement:
    """Return what is said, whoever signed it; raise RemoteProtocolError if it is malformed."""
    try:
        return _DECODER.decode(signed.payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise RemoteProtocolError("malformed statement") from error


def open_statement(realm: Realm, signed: SignedStatement) -> Statement:
    """Return what was said; raise RemoteProtocolError unless the device that it names signed exactly these bytes."""
    statement = read_statement(signed)
    if not is_signed_by(statement.key, Purpose.STATEMENT, realm, signed.payload, signed.signature):
        raise RemoteProtocolError("a statement that its device did not sign")
    return statement
