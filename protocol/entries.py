"""The signed entry, of which every conversation is made, and the bodies it can carry."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from protocol import limits
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.identity import (
    NO_CONVERSATION,
    NO_HASH,
    ConversationId,
    EntryHash,
    EntryId,
    FeedId,
    PieceHash,
    PublicKey,
    Realm,
    UserId,
    from_builtin,
    to_builtin,
)
from protocol.registry import Message, Registry
from protocol.signatures import SIGNATURE_BYTES, Purpose, SigningKey, is_signed_by

BODIES = Registry("entry bodies", 0x0301, 0x03FF)
BODIES.reserve(range(0x8330, 0x8334), "class spaces")

Number = Annotated[int, Meta(ge=1, le=limits.LARGEST_NUMBER)]
Stamp = Annotated[int, Meta(ge=0, le=limits.LARGEST_NUMBER)]
Salt = Annotated[bytes, Meta(min_length=limits.SALT_BYTES, max_length=limits.SALT_BYTES)]
Note = Annotated[str, Meta(max_length=limits.NOTE_LENGTH)]
DisplayName = Annotated[str, Meta(max_length=limits.DISPLAY_NAME_LENGTH)]
Round = Annotated[int, Meta(ge=1, le=limits.LARGEST_NUMBER)]


class Header(msgspec.Struct, frozen=True, array_like=True):
    """What is signed of an entry: its place in its feed, and the hash of its body."""

    conversation: ConversationId
    feed: FeedId
    number: Number
    previous: EntryHash
    stamp: Stamp
    """Milliseconds since 1970 by the author's clock, never less than the feed's last."""
    kind: Annotated[int, Meta(ge=0x0301, le=0xFFFF)]
    body_hash: EntryHash


class WireEntry(msgspec.Struct, frozen=True, array_like=True):
    """An entry as it travels and is kept. The header's bytes are those that were signed, never a re-encoding."""

    header: Annotated[bytes, Meta(max_length=limits.HEADER_BYTES)]
    signature: Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]
    body: Annotated[bytes, Meta(max_length=limits.BODY_BYTES)] | None
    """None when the sender does not hold the body."""
    certificate: Annotated[bytes, Meta(max_length=limits.CERTIFICATE_BYTES)] = b""
    """The writing device's certificate, on entry 1 of a feed."""


class Body(Message, frozen=True, array_like=True):
    """What all bodies begin with."""

    entry_id: EntryId
    salt: Salt


@BODIES.register(0x0301)
class Asked(Body, frozen=True, array_like=True):
    """Will you be my friend? Opens a round of consent."""

    round: Round
    name: DisplayName
    note: Note = ""


@BODIES.register(0x0302)
class Accepted(Body, frozen=True, array_like=True):
    """Yes, in this round."""

    round: Round
    name: DisplayName


@BODIES.register(0x0303)
class Declined(Body, frozen=True, array_like=True):
    """No; the round is over."""

    round: Round


@BODIES.register(0x0304)
class Removed(Body, frozen=True, array_like=True):
    """No longer: ends a friendship, or takes a request back."""

    round: Round


class Mention(msgspec.Struct, frozen=True, array_like=True):
    """Somebody named in a text, by the code points from `start` on."""

    user: UserId
    start: Annotated[int, Meta(ge=0, le=limits.TEXT_BYTES)]
    length: Annotated[int, Meta(ge=1, le=limits.TEXT_BYTES)]


Mentions = Annotated[tuple[Mention, ...], Meta(max_length=limits.MENTIONS)]


@BODIES.register(0x0310)
class Text(Body, frozen=True, array_like=True):
    """A text message, perhaps in reply to another entry."""

    ADDED: ClassVar[int] = 1

    text: Annotated[str, Meta(max_length=limits.TEXT_BYTES)]
    reply_to: EntryId | None = None
    mentions: Mentions = ()

    def __post_init__(self) -> None:
        if len(self.text.encode()) > limits.TEXT_BYTES:
            raise ValueError("text too long")


@BODIES.register(0x0311)
class Attachment(Body, frozen=True, array_like=True):
    """A file, folder, picture or voice message. The content is pulled from whoever has it (`manifests`)."""

    kind: Annotated[str, Meta(max_length=limits.ATTACHMENT_KIND_LENGTH)]
    """`file`, `picture` or `voice`; a reader takes another word for `file`."""
    name: Annotated[str, Meta(max_length=limits.FILE_NAME_LENGTH)]
    """As its author calls it: never a path, never trusted."""
    size: Annotated[int, Meta(ge=0, le=limits.ATTACHMENT_BYTES)]
    files: Annotated[int, Meta(ge=0, le=limits.FILES_PER_ATTACHMENT)]
    """How many files a folder holds; 0: this is no folder, but one file."""
    root: PieceHash
    """The hash of the piece table's bytes."""
    table_bytes: Annotated[int, Meta(ge=1, le=limits.TABLE_BYTES)]
    caption: Annotated[str, Meta(max_length=limits.CAPTION_LENGTH)] = ""
    width: Annotated[int, Meta(ge=0, le=limits.PICTURE_SIDE)] = 0
    height: Annotated[int, Meta(ge=0, le=limits.PICTURE_SIDE)] = 0
    thumbnail: Annotated[bytes, Meta(max_length=limits.THUMBNAIL_BYTES)] = b""
    """A small JPEG of a picture."""
    duration_ms: Annotated[int, Meta(ge=0, le=limits.VOICE_MESSAGE_MS)] = 0
    waveform: Annotated[bytes, Meta(max_length=limits.WAVEFORM_BARS)] = b""
    """The loudness of a voice message over time, a byte a bar."""


CONSENT_BODIES = (Asked, Accepted, Declined, Removed)
ConsentBody = Asked | Accepted | Declined | Removed
CONSENT_KINDS = frozenset(BODIES.number_of(body) for body in CONSENT_BODIES)


@dataclass(frozen=True, slots=True)
class Entry:
    """A wire entry that was read: bytes, header and hash; `body` is None when absent or of an unknown kind."""

    wire: WireEntry
    header: Header
    hash: EntryHash
    body: Body | None


_HEADER_ENCODER = msgspec.msgpack.Encoder(enc_hook=to_builtin)
_HEADER_DECODER = msgspec.msgpack.Decoder(Header, dec_hook=from_builtin)


def write_entry(
    key: SigningKey,
    realm: Realm,
    body: Body,
    *,
    conversation: ConversationId,
    feed: FeedId,
    number: int,
    previous: EntryHash,
    stamp: int,
    certificate: bytes,
) -> Entry:
    """Sign the next entry of one's own feed. `certificate` (DER) is carried by entry 1 only."""
    if feed.device != key.device:
        raise LocalProtocolError("a feed is written by its own device")
    body_bytes = BODIES.encode_body(body)
    header = Header(
        conversation=conversation,
        feed=feed,
        number=number,
        previous=previous,
        stamp=stamp,
        kind=BODIES.number_of(type(body)),
        body_hash=EntryHash(hashlib.sha256(body_bytes).digest()),
    )
    header_bytes = _HEADER_ENCODER.encode(header)
    signature = key.sign(Purpose.ENTRY, realm, header_bytes)
    wire = WireEntry(header_bytes, signature, body_bytes, certificate if number == 1 else b"")
    return Entry(wire, header, hash_of_header(header_bytes), body)


def read_entry(wire: WireEntry) -> Entry:
    """Take a wire entry apart and check all that needs no key; raise RemoteProtocolError for anything amiss.

    The signature is checked by `is_signed_by_author`, the chain by whoever keeps the feed.
    """
    header = read_header(wire.header)
    if (header.number == 1) != (header.previous == NO_HASH):
        raise RemoteProtocolError("only a feed's first entry has nothing before it")
    if (header.number == 1) != bool(wire.certificate):
        raise RemoteProtocolError("a feed's first entry, and no other, carries the certificate")
    body = None
    if wire.body is not None:
        if hashlib.sha256(wire.body).digest() != header.body_hash:
            raise RemoteProtocolError("an entry's body does not match its hash")
        message = BODIES.decode_body(header.kind, wire.body)
        if message is not None and not isinstance(message, Body):
            raise RemoteProtocolError("an entry's body of no known shape")
        body = message
    return Entry(wire, header, hash_of_header(wire.header), body)


def conversation_of(entry: Entry) -> ConversationId:
    """Return the conversation an entry belongs to: a group's first entry names it by its own hash."""
    if entry.header.conversation == NO_CONVERSATION and entry.header.number == 1:
        return ConversationId(entry.hash)
    return entry.header.conversation


def read_header(header: bytes) -> Header:
    """Return what a header says; raise RemoteProtocolError if it cannot be read."""
    try:
        return _HEADER_DECODER.decode(header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise RemoteProtocolError("malformed entry header") from error


def is_signed_by_author(entry: Entry, key: PublicKey, realm: Realm) -> bool:
    """Tell whether the device whose feed this is signed the header, in this realm."""
    return is_signed_by(key, Purpose.ENTRY, realm, entry.wire.header, entry.wire.signature)


def hash_of_header(header: bytes) -> EntryHash:
    """Return the name by which the next entry, and every vector, knows this one."""
    return EntryHash(hashlib.sha256(header).digest())
