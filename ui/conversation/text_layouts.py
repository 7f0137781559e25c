"""Lays out the text of messages, and keeps the layouts of those that are on the screen or were lately."""

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QPointF
from PySide6.QtGui import QTextLayout, QTextOption

from peer.views import EntryId
from ui.conversation.emoji_only import is_emoji_only
from ui.theme import fonts

KEPT = 400
LINE_HEIGHT = 20
"""Pixels from line to line at the least; a line with taller faces takes what it needs."""
_LINE_SEPARATOR = "\u2028"


@dataclass(frozen=True, slots=True)
class LaidOutText:
    """Lines at their places, and the room they take."""

    layout: QTextLayout
    text: str
    width: int
    """Of the widest line."""
    height: int
    last_width: int
    """Of the last line: the time may stand beside it."""
    emoji_only: bool


class TextLayouts:
    """Makes layouts, and keeps the latest 400."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[EntryId, int], LaidOutText] = OrderedDict()
        self._face = fonts.font()
        self._large = fonts.font(fonts.LARGE_EMOJI)

    def lay_out(self, entry: EntryId, text: str, width: int) -> LaidOutText:
        """Return the text broken into lines of at most `width` pixels."""
        key = (entry, width)
        kept = self._kept.get(key)
        if kept is None or kept.text != text:
            kept = self._break_into_lines(text, width)
            self._kept[key] = kept
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return kept

    def _break_into_lines(self, text: str, width: int) -> LaidOutText:
        large = is_emoji_only(text)
        layout = QTextLayout(
            text.replace("\r\n", "\n").replace("\n", _LINE_SEPARATOR), self._large if large else self._face
        )
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.setCacheEnabled(True)
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
        return LaidOutText(layout, text, min(ceil(widest), width), height, min(ceil(last), width), large)
