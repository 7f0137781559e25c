"""What is said about a message: that it reads otherwise, is taken back, or what one feels about it.

All are optional kinds: who does not know them keeps them, passes them on, and shows the message as it was. How they
are put together is in `acts.py`.
"""

from typing import Annotated

from msgspec import Meta

from protocol import limits
from protocol.entries import BODIES, Body, Mentions
from protocol.group_bodies import MEMBERSHIP_KINDS, Seen
from protocol.identity import EntryId

Revision = Annotated[int, Meta(ge=1, le=limits.LARGEST_NUMBER)]
"""One more than that of the last word which this person said, on any device, in the same matter."""


class AboutMessage(Body, frozen=True, array_like=True):
    """What all of them begin with."""

    target: EntryId
    """The message, of this conversation. It may come later than what is said about it."""


@BODIES.register(0x8312)
class Edited(AboutMessage, frozen=True, array_like=True):
    """The author's text, or caption, reads like this from now on."""

    revision: Revision
    text: Annotated[str, Meta(max_length=limits.TEXT_BYTES)]
    mentions: Mentions = ()

    def __post_init__(self) -> None:
        if len(self.text.encode()) > limits.TEXT_BYTES:
            raise ValueError("text too long")


@BODIES.register(0x8313)
class Deleted(AboutMessage, frozen=True, array_like=True):
    """The message is taken back for everybody, by its author or by a manager of the group.

    The entries are named by their headers, so that also who never had their bodies knows that none is to come.
    """

    message: Seen
    """Where the message stands."""
    edits: Annotated[tuple[Seen, ...], Meta(max_length=limits.DELETED_EDITS)] = ()
    """Where its edits stand."""


@BODIES.register(0x8314)
class Reacted(AboutMessage, frozen=True, array_like=True):
    """What somebody feels about the message, in one emoji; no text: nothing any more."""

    revision: Revision
    emoji: Annotated[str, Meta(max_length=limits.EMOJI_LENGTH)]


EDITED, DELETED, REACTED = (BODIES.number_of(body) for body in (Edited, Deleted, Reacted))
NEVER_WITHHELD = MEMBERSHIP_KINDS | {DELETED}
"""In a group these bodies go wherever their headers go: by them all judge who belongs to it, and what is gone."""
