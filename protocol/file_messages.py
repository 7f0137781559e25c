"""What two peers say to each other on a file connection (ALPN `hail-file/1`).

Whoever connected asks, the other answers, in order. Content is not framed: its bytes follow a `Coming`, as they are.
"""

from typing import Annotated

from msgspec import Meta

from protocol import limits
from protocol.identity import ConversationId, EntryId
from protocol.registry import Message, Registry

ALPN = "hail-file/1"
MAGIC = b"HF1\n"
"""The clear bytes that open a file connection on a peer's port."""
FILE = Registry("file", 0x0401, 0x04FF)


@FILE.register(0x0401)
class WantTable(Message, frozen=True, array_like=True):
    """Give me the piece table of an attachment."""

    conversation: ConversationId
    entry: EntryId


@FILE.register(0x0402)
class WantPieces(Message, frozen=True, array_like=True):
    """Give me some pieces of an attachment, one after the other."""

    conversation: ConversationId
    entry: EntryId
    first: Annotated[int, Meta(ge=0, le=limits.PIECES_PER_ATTACHMENT - 1)]
    count: Annotated[int, Meta(ge=1, le=limits.PIECES_PER_REQUEST)]


@FILE.register(0x0403)
class Coming(Message, frozen=True, array_like=True):
    """What was asked for follows: so many bytes, then the next frame."""

    size: Annotated[int, Meta(ge=0, le=limits.ATTACHMENT_BYTES)]


@FILE.register(0x0404)
class NotServed(Message, frozen=True, array_like=True):
    """You do not get that from me, and why."""

    code: Annotated[str, Meta(max_length=64)]
