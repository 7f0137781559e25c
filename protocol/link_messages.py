"""What two peers say to each other on a link (ALPN `hail-link/1`).

Both sides greet. The side with the lower DeviceId then sends `Keep` on the one link that stays; nothing else
flows before it. After that: digests narrow down what differs, vectors say how far each side is, entries fill
the gaps.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from protocol import limits
from protocol.entries import Number, WireEntry
from protocol.identity import ConversationId, EntryHash, EntryId, FeedId
from protocol.registry import Message, Registry
from protocol.signatures import SIGNATURE_BYTES

ALPN = "hail-link/1"
MAGIC = b"HL1\n"
"""The clear bytes that open a link on a peer's port."""
LINK = Registry("link", 0x0201, 0x02FF)
LINK.reserve(range(0x8220, 0x8228), "relaying through a mutual friend")

BucketMask = Annotated[bytes, Meta(min_length=limits.DIGEST_BUCKETS // 8, max_length=limits.DIGEST_BUCKETS // 8)]
"""A bit for each bucket: bucket n is bit n % 8 of byte n // 8."""
Range = tuple[Number, Number]
"""First and last number, both included."""


def _check_ranges(ranges: tuple[Range, ...]) -> None:
    if any(first > last for first, last in ranges):
        raise ValueError("a range that ends before it begins")


class VectorLine(msgspec.Struct, frozen=True, array_like=True):
    """How far somebody holds one feed."""

    feed: FeedId
    floor: Number
    """The lowest number held."""
    head: Number
    """The highest number held; all between are held too."""
    head_hash: EntryHash
    closed: bool = False
    """Whether a proof of two versions ended this feed at `head`."""
    lacking: Annotated[tuple[Range, ...], Meta(max_length=limits.LACKING_RANGES)] = ()
    """Numbers whose bodies are not held."""

    def __post_init__(self) -> None:
        _check_ranges(self.lacking)


class ConversationDigest(msgspec.Struct, frozen=True, array_like=True):
    """One hash for all that somebody holds of a conversation."""

    conversation: ConversationId
    root: EntryHash


class ReadLine(msgspec.Struct, frozen=True, array_like=True):
    """Which numbers of a feed were displayed."""

    feed: FeedId
    ranges: Annotated[tuple[Range, ...], Meta(max_length=limits.READ_RANGES)]

    def __post_init__(self) -> None:
        _check_ranges(self.ranges)


class ForkPoint(msgspec.Struct, frozen=True, array_like=True):
    """One place of a feed: the hash held at a number."""

    number: Number
    hash: EntryHash


class SignedHeader(msgspec.Struct, frozen=True, array_like=True):
    """A header and its signature, without the body."""

    header: Annotated[bytes, Meta(max_length=limits.HEADER_BYTES)]
    signature: Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]


class SignedStatement(msgspec.Struct, frozen=True, array_like=True):
    """What a member of a group says to hold, as it is passed on: the bytes that were signed (`statements`)."""

    payload: Annotated[bytes, Meta(max_length=limits.STATEMENT_BYTES)]
    signature: Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]


@LINK.register(0x0201)
class Greeting(Message, frozen=True, array_like=True):
    """First words of both sides. TLS has already proven who speaks."""

    version: Annotated[int, Meta(ge=1, le=0xFFFF)]
    software: Annotated[str, Meta(max_length=64)]


@LINK.register(0x0202)
class Keep(Message, frozen=True, array_like=True):
    """This link stays; said by the side with the lower DeviceId."""


@LINK.register(0x0203)
class Ping(Message, frozen=True, array_like=True):
    """Are you there?"""


@LINK.register(0x0204)
class Pong(Message, frozen=True, array_like=True):
    """Yes."""


@LINK.register(0x0205)
class Goodbye(Message, frozen=True, array_like=True):
    """The link is about to be closed, and why (`duplicate`, `leaving`, `not_valid`, `broken_rules`)."""

    reason: Annotated[str, Meta(max_length=64)]


@LINK.register(0x0206)
class Digests(Message, frozen=True, array_like=True):
    """What I hold of conversations we share, each in one hash; answered by `Buckets` where it differs."""

    digests: Annotated[tuple[ConversationDigest, ...], Meta(max_length=limits.CONVERSATIONS_PER_MESSAGE)]


@LINK.register(0x0207)
class Buckets(Message, frozen=True, array_like=True):
    """The hashes of a conversation's 64 buckets, 8 bytes each; answered by `Lines` for those that differ."""

    conversation: ConversationId
    hashes: Annotated[
        bytes,
        Meta(
            min_length=limits.DIGEST_BUCKETS * limits.BUCKET_HASH_BYTES,
            max_length=limits.DIGEST_BUCKETS * limits.BUCKET_HASH_BYTES,
        ),
    ]


@LINK.register(0x0208)
class Lines(Message, frozen=True, array_like=True):
    """How far I am, feed by feed.

    With bits in the `mask` the lines are all I have in those buckets (a feed not named is one I lack); with none
    they are news of single feeds, as after each batch of entries. `answer` asks for the other's lines in the mask.
    """

    conversation: ConversationId
    mask: BucketMask
    lines: Annotated[tuple[VectorLine, ...], Meta(max_length=limits.FEEDS_PER_CONVERSATION)]
    answer: bool


@LINK.register(0x0209)
class Entries(Message, frozen=True, array_like=True):
    """Entries that you lack, in the order of their feeds."""

    conversation: ConversationId
    entries: Annotated[tuple[WireEntry, ...], Meta(max_length=limits.ENTRIES_PER_BATCH)]


@LINK.register(0x020A)
class Reads(Message, frozen=True, array_like=True):
    """What was displayed to me of a conversation; told whole at link-up, then as it grows."""

    conversation: ConversationId
    reads: Annotated[tuple[ReadLine, ...], Meta(max_length=limits.READ_LINES_PER_MESSAGE)]


@LINK.register(0x020B)
class ForkPoints(Message, frozen=True, array_like=True):
    """Our versions of a feed differ; here is mine at some numbers, the highest first, to find where they part."""

    conversation: ConversationId
    feed: FeedId
    points: Annotated[tuple[ForkPoint, ...], Meta(max_length=limits.FORK_POINTS)]


@LINK.register(0x020C)
class Equivocation(Message, frozen=True, array_like=True):
    """Two different signed headers with one number: the feed ends there, with the header of the lower hash."""

    conversation: ConversationId
    first: SignedHeader
    second: SignedHeader


@LINK.register(0x820D)
class WhatPieces(Message, frozen=True, array_like=True):
    """What do you have of these attachments? Answered by `Pieces` for each."""

    conversation: ConversationId
    entries: Annotated[tuple[EntryId, ...], Meta(max_length=limits.ENTRIES_ASKED_ABOUT)]


@LINK.register(0x820E)
class Pieces(Message, frozen=True, array_like=True):
    """What I have of an attachment, and would give: told when asked, and as it changes."""

    conversation: ConversationId
    entry: EntryId
    pieces: Annotated[bytes, Meta(max_length=limits.PIECES_PER_ATTACHMENT // 8)] | None
    """A bit for each piece (`piece_sets`); None when not even the piece table is there."""


@LINK.register(0x820F)
class Typing(Message, frozen=True, array_like=True):
    """My user is writing something in a conversation at this moment. Never kept; said again while it lasts."""

    conversation: ConversationId


@LINK.register(0x8210)
class Statements(Message, frozen=True, array_like=True):
    """What members of groups said to hold and to have read, each signed by its device; passed on as they came."""

    statements: Annotated[tuple[SignedStatement, ...], Meta(max_length=limits.STATEMENTS_PER_MESSAGE)]
