"""Lays out the text of messages, and keeps the layouts of those that are on the screen or were lately."""

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from math import ceil

from PySide6.QtCore import QPointF, Qt, QTextBoundaryFinder
from PySide6.QtGui import QColor, QFont, QTextCharFormat, QTextLayout, QTextLine, QTextOption

from peer.views import EntryId
from ui.conversation import utf16_text
from ui.conversation.emoji_only import is_emoji_only
from ui.conversation.links import Link, find_links
from ui.conversation.marked_text import Look, MarkedText, NamedPerson, named_people
from ui.conversation.text_selection import WHOLE, shown_form
from ui.theme import fonts
from ui.theme.controls import Theme

KEPT = 400
LINE_HEIGHT = 20
"""Pixels from line to line at the least; a line with taller faces takes what it needs."""
SHOWN_CHARACTERS = 4_000
SHOWN_LINES = 120
"""Of a longer message only the beginning is laid out: 64 KB of one word, or of new lines, would take 0.3 s."""
_LINE_SEPARATOR = "\u2028"


@dataclass(frozen=True, slots=True)
class LaidOutText:
    """Lines at their places, and the room they take. Places in the text are counted as Qt does."""

    layout: QTextLayout
    marked: MarkedText
    width: int
    """Of the widest line."""
    height: int
    last_width: int
    """Of the last line: the time may stand beside it."""
    emoji_only: bool
    shown: str
    """What is laid out."""
    is_cut: bool
    """Whether there is more than what is laid out."""
    links: tuple[Link, ...]

    def offset_at(self, point: QPointF) -> int:
        """Return the place in the text that is nearest to a point."""
        number = self._line_at(point.y())
        if number < 0:
            return 0
        line: QTextLine = self.layout.lineAt(number)
        is_last = number == self.layout.lineCount() - 1
        if is_last and point.y() > line.y() + max(LINE_HEIGHT, line.height()):
            return WHOLE
        offset: int = line.xToCursor(point.x())
        return WHOLE if is_last and offset >= line.textStart() + line.textLength() else offset

    def link_at(self, point: QPointF) -> Link | None:
        """Return the link under a point."""
        if not self.links:
            return None
        number = self._line_at(point.y())
        if number < 0:
            return None
        line = self.layout.lineAt(number)
        if point.y() > line.y() + line.height() or not 0 <= point.x() <= line.naturalTextWidth():
            return None
        offset = line.xToCursor(point.x(), QTextLine.CursorPosition.CursorOnCharacter)
        return next((link for link in self.links if link.start <= offset < link.end), None)

    def word_at(self, offset: int) -> tuple[int, int]:
        """Return where the word around a place begins and ends."""
        length = utf16_text.units(self.shown)
        here = max(0, min(offset, length - 1))
        finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Word, self.shown)
        finder.setPosition(here)
        start = here if finder.isAtBoundary() else finder.toPreviousBoundary()
        finder.setPosition(here)
        end = finder.toNextBoundary()
        return max(start, 0), length if end < 0 else end

    def _line_at(self, y: float) -> int:
        return bisect_right(range(self.layout.lineCount()), y, key=lambda number: self.layout.lineAt(number).y()) - 1


class TextLayouts:
    """Makes layouts, and keeps the latest 400."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        # The colours of links and names are part of a layout.
        self._kept: OrderedDict[tuple[EntryId, int, str], LaidOutText] = OrderedDict()
        slanted = fonts.font()
        slanted.setItalic(True)
        self._faces = {Look.PLAIN: fonts.font(), Look.NOTE: slanted, Look.LINE: fonts.font(fonts.SMALL)}
        self._large = fonts.font(fonts.LARGE_EMOJI)

    def lay_out(self, entry: EntryId, text: MarkedText, width: int) -> LaidOutText:
        """Return the text, or its beginning, broken into lines of at most `width` pixels."""
        key = (entry, width, self._theme.tokens.link)
        kept = self._kept.get(key)
        if kept is None or kept.marked != text:
            kept = self._break_into_lines(text, width)
            self._kept[key] = kept
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return kept

    def _break_into_lines(self, text: MarkedText, width: int) -> LaidOutText:
        shown = _beginning(text.text)
        large = is_emoji_only(shown)
        is_cut = len(shown) < len(shown_form(text.text))
        links = () if large else _links(shown, is_cut=is_cut)
        face = self._large if large else self._faces[text.look]
        layout = QTextLayout(shown.replace("\n", _LINE_SEPARATOR), face)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        if text.look is Look.LINE:
            option.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout.setTextOption(option)
        layout.setCacheEnabled(True)
        formats = [self._link_format(link) for link in links]
        formats += [self._name_format(person) for person in named_people(text, shown)]
        if formats:
            layout.setFormats(formats)
        widest = last = 0.0
        height = 0
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            room = max(LINE_HEIGHT, ceil(line.height()))
            # Text sits in the middle of its line, whatever the faces in it.
            line.setPosition(QPointF(0, height + (room - line.height()) / 2))
            height += room
            last = line.naturalTextWidth()
            widest = max(widest, last)
        layout.endLayout()
        return LaidOutText(
            layout,
            text,
            min(ceil(widest), width),
            height,
            min(ceil(last), width),
            large,
            shown,
            is_cut,
            links,
        )

    def _link_format(self, link: Link) -> QTextLayout.FormatRange:
        drawn = QTextLayout.FormatRange()
        drawn.start, drawn.length = link.start, link.end - link.start
        form = QTextCharFormat()
        form.setForeground(QColor(self._theme.tokens.link))
        # What a click does not open only looks different from words.
        form.setFontUnderline(link.opens)
        drawn.format = form
        return drawn

    def _name_format(self, person: NamedPerson) -> QTextLayout.FormatRange:
        tokens = self._theme.tokens
        drawn = QTextLayout.FormatRange()
        drawn.start, drawn.length = person.start, person.end - person.start
        form = QTextCharFormat()
        form.setFontWeight(QFont.Weight.DemiBold)
        form.setForeground(QColor(tokens.warning if person.is_me else tokens.link))
        if person.is_me:
            form.setBackground(QColor(tokens.warning_ground))
        drawn.format = form
        return drawn


def _beginning(text: str) -> str:
    """Return as much of a text as is laid out."""
    shown = shown_form(text)[:SHOWN_CHARACTERS]
    ends = islice((place for place, sign in enumerate(shown) if sign in "\n\u2028\u2029"), SHOWN_LINES - 1, None)
    return shown[: next(ends, len(shown))]


def _links(shown: str, *, is_cut: bool) -> tuple[Link, ...]:
    """Return the links, with their places as Qt counts them; one that may go on behind the cut is none."""
    return tuple(
        Link(utf16_text.units(shown[: link.start]), utf16_text.units(shown[: link.end]), link.url)
        for link in find_links(shown)
        if not (is_cut and link.end == len(shown))
    )
