"""What is selected in the messages: from a place in one to a place in another, whatever rows these are now in.

Messages are named by their place in time, not by row, so that a selection stays where it is while others come.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from peer.views import MessagePlace, MessageView
from ui.conversation import utf16_text
from ui.translations import moments, people

WHOLE = 1 << 30
"""An offset behind the end of any text."""


@dataclass(frozen=True, slots=True, order=True)
class TextPlace:
    """Between two characters of a message; the offset counts as Qt does."""

    message: MessagePlace
    offset: int


@dataclass(frozen=True, slots=True)
class Span:
    """From one place to another."""

    start: TextPlace
    end: TextPlace

    @classmethod
    def within(cls, message: MessageView, start: int, end: int) -> "Span":
        """Return a part of one message."""
        place = message.place
        return cls(TextPlace(place, start), TextPlace(place, end))

    @classmethod
    def whole(cls, message: MessageView) -> "Span":
        """Return one message from end to end."""
        return cls.within(message, 0, WHOLE)


class TextSelection:
    """Holds where a selection began and how far it goes, in either direction."""

    def __init__(self) -> None:
        self._anchor: Span | None = None
        self._head: Span | None = None

    def begin(self, span: Span) -> None:
        """Select this much, and extend from here later."""
        self._anchor = self._head = span

    def extend(self, span: Span) -> None:
        """Select everything from where the selection began to here; what was first selected stays whole."""
        if self._anchor is None:
            self._anchor = span
        self._head = span

    def clear(self) -> None:
        """Select nothing."""
        self._anchor = self._head = None

    @property
    def has_begun(self) -> bool:
        """Whether there is a place to extend from."""
        return self._anchor is not None

    @property
    def span(self) -> Span | None:
        """What is selected; None for nothing."""
        if self._anchor is None or self._head is None:
            return None
        start, end = min(self._anchor.start, self._head.start), max(self._anchor.end, self._head.end)
        return Span(start, end) if start < end else None

    @property
    def head(self) -> MessagePlace | None:
        """The message at the end that moves."""
        return None if self._head is None else self._head.start.message

    def part_of(self, message: MessageView) -> tuple[int, int] | None:
        """Return from where to where a message is selected; None for not at all."""
        span = self.span
        if span is None:
            return None
        place = message.place
        if not span.start.message <= place <= span.end.message:
            return None
        start = span.start.offset if place == span.start.message else 0
        end = span.end.offset if place == span.end.message else WHOLE
        return start, end

    def words(self, messages: Iterable[MessageView]) -> str:
        """Return what Ctrl+C copies: the words alone of one message, of several with names and times."""
        parts = [(message, words) for message in messages if (words := self._words_of(message))]
        if len(parts) == 1:
            return parts[0][1]
        return "\n".join(
            f"{people.short_name(message.author_name)}, {moments.clock(message.written_at)}: {words}"
            for message, words in parts
        )

    def _words_of(self, message: MessageView) -> str:
        part = self.part_of(message)
        if part is None:
            return ""
        text = shown_form(message.text)
        return text if part == (0, WHOLE) else utf16_text.part(text, *part)


def shown_form(text: str) -> str:
    """Return a text as it is laid out, in which places are counted: a line ends in one sign."""
    return text.replace("\r\n", "\n") if "\r" in text else text
