"""What is under a point of a row: what a click there is about."""

from dataclasses import dataclass
from enum import Enum, auto

from peer.views import EntryId, MessageView
from ui.conversation.links import Link
from ui.conversation.text_layouts import LaidOutText
from ui.transfers.blocks import Pointer


class Part(Enum):
    """A part of a row that does something when it is clicked, beside links and attachments."""

    QUOTE = auto()
    """The message it answers."""
    CHIP = auto()
    """A reaction."""
    REST_OF_CHIPS = auto()
    """The reactions for which there is no room."""
    MARK = auto()
    """The time and how far it has come."""


@dataclass(frozen=True, slots=True)
class Under:
    """Such a part of one message."""

    entry: EntryId
    part: Part
    emoji: str = ""
    """Of a reaction."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What is under a point of a row."""

    message: MessageView
    offset: int
    """The nearest place in the text, as Qt counts."""
    is_text: bool
    """Whether the point is on the text, not only near it."""
    is_more: bool
    """Whether it is on "Show all", below a text that is too long for a bubble."""
    link: Link | None
    laid_out: LaidOutText
    pointer: Pointer | None = None
    """What of its attachment a click would do something to."""
    under: Under | None = None

    @property
    def target(self) -> tuple[object, ...]:
        """What a click is about: pressing on one thing and letting go on another does nothing."""
        return (self.message.entry, self.link, self.is_more, self.pointer.act if self.pointer else None, self.under)
