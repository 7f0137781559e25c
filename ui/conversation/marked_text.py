"""The text of a bubble with what stands out in it: people who are named, and notes such as that it was deleted."""

from dataclasses import dataclass
from enum import Enum, auto

from peer.views import MentionView, MessageKind, MessageView
from ui.conversation import utf16_text
from ui.conversation.text_selection import shown_form
from ui.translations import memberships, message_words

MOST_MENTIONS = 100
"""Named people that stand out in one message."""


class Look(Enum):
    """How a text is written."""

    PLAIN = auto()
    NOTE = auto()
    """Our words in the place of a message, not somebody's."""
    LINE = auto()
    """What happened, between the messages."""


@dataclass(frozen=True, slots=True)
class MarkedText:
    """What is laid out."""

    text: str
    mentions: tuple[MentionView, ...] = ()
    me: str = ""
    look: Look = Look.PLAIN


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """Where somebody is named, from one place to before another, counted as Qt does."""

    start: int
    end: int
    is_me: bool


def marked_text(message: MessageView, me: str) -> MarkedText:
    """Return the text of a message as it is drawn for a user."""
    if message.kind is MessageKind.DELETED:
        return MarkedText(message_words.deleted(message), look=Look.NOTE)
    if message.membership is not None:
        return MarkedText(memberships.sentence(message, me), look=Look.LINE)
    if message.call is not None:
        return MarkedText("")  # all is said by its block
    return MarkedText(message.text, message.mentions, me)


def named_people(marked: MarkedText, shown: str) -> tuple[NamedPerson, ...]:
    """Return who is named in the part that is shown, in order; where two overlap, the first."""
    found: list[NamedPerson] = []
    end = 0
    for each in sorted(marked.mentions[:MOST_MENTIONS], key=lambda mention: mention.start):
        if each.start < end or each.length <= 0 or each.start + each.length > len(shown):
            continue
        end = each.start + each.length
        first, last = (utf16_text.units(shown_form(marked.text[:place])) for place in (each.start, end))
        found.append(NamedPerson(first, last, is_me=each.user == marked.me))
    return tuple(found)
