"""The message that another one answers, as it stands at the top of the answer's bubble."""

from collections import OrderedDict

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QTextLayout, QTextOption

from peer.views import MessageKind, MessageView, QuoteView
from ui.theme import fonts
from ui.theme.avatars import author_colour
from ui.theme.controls import Theme
from ui.translations import message_words, people

_STRIPE = 3
_PAD_LEFT, _PAD_RIGHT, _PAD_Y = 9, 8, 5
_LINE = 17
_WISHED = 320
"""Pixels a quote makes a bubble wide at the most; beyond that its text takes the second line."""
_ROUND = 6
_GROUND_ALPHA = 0.10
_HOVER_ALPHA = 0.18
_KEPT = 200


class QuotePart:
    """Measures and draws it. Its size depends on its words alone."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._name_face = fonts.bold(fonts.CAPTION)
        self._text_face = fonts.font(fonts.CAPTION)
        self._names = QFontMetrics(self._name_face)
        self._texts = QFontMetrics(self._text_face)
        self._kept: OrderedDict[tuple[str, int], list[str]] = OrderedDict()

    def size(self, message: MessageView, widest: int) -> QSize | None:
        """Return the room it takes in a bubble whose inside is at most so wide; None when nothing is answered."""
        quoted = answered(message)
        if quoted is None:
            return None
        most = min(widest, _WISHED)
        text = self._texts.horizontalAdvance(message_words.quote_line(quoted))
        lines = 1 if text <= most - _STRIPE - _PAD_LEFT - _PAD_RIGHT else 2
        width = max(text, self._names.horizontalAdvance(people.short_name(quoted.author_name)))
        width += _STRIPE + _PAD_LEFT + _PAD_RIGHT + 1
        has_name = quoted.author is not None
        return QSize(min(most, width), 2 * _PAD_Y + (lines + has_name) * _LINE)

    def paint(self, painter: QPainter, place: QRectF, message: MessageView, *, hovered: bool) -> None:
        """Draw it."""
        tokens = self._theme.tokens
        quoted = answered(message)
        assert quoted is not None
        colour = QColor(tokens.secondary if quoted.author is None else author_colour(quoted.author, tokens))
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        ground = QColor(colour)
        ground.setAlphaF(_HOVER_ALPHA if hovered else _GROUND_ALPHA)
        painter.setBrush(ground)
        painter.drawRoundedRect(place, _ROUND, _ROUND)
        painter.setBrush(colour)
        painter.drawRoundedRect(QRectF(place.topLeft(), place.bottomLeft() + QPointF(_STRIPE, 0)), 1.5, 1.5)
        inside = place.adjusted(_STRIPE + _PAD_LEFT, _PAD_Y, -_PAD_RIGHT, -_PAD_Y)
        line = QRectF(inside.left(), inside.top(), inside.width(), _LINE)
        if quoted.author is not None:
            painter.setPen(QColor(tokens.text if message.mine else colour))
            painter.setFont(self._name_face)
            name = people.short_name(quoted.author_name)
            shown = self._names.elidedText(name, Qt.TextElideMode.ElideRight, int(line.width()))
            painter.drawText(line, _SIDE, shown)
            line = line.translated(0, _LINE)
        is_note = quoted.kind in {None, MessageKind.DELETED}
        painter.setPen(QColor(tokens.secondary if is_note else tokens.text))
        painter.setFont(self._text_face)
        for words in self._lines(message_words.quote_line(quoted), int(line.width())):
            painter.drawText(line, _SIDE, words)
            line = line.translated(0, _LINE)
        painter.restore()

    def _lines(self, text: str, width: int) -> list[str]:
        """Return one line, or two of which the second is cut."""
        if self._texts.horizontalAdvance(text) <= width:
            return [text]
        kept = self._kept.get((text, width))
        if kept is None:
            layout = QTextLayout(text, self._text_face)
            option = QTextOption()
            option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
            layout.setTextOption(option)
            layout.beginLayout()
            first = layout.createLine()
            first.setLineWidth(width)
            layout.endLayout()
            # Qt counts the halves of characters.
            units = text.encode("utf-16-le", "surrogatepass")
            end = 2 * first.textLength()
            head, rest = (part.decode("utf-16-le", "replace") for part in (units[:end], units[end:]))
            kept = [head.rstrip(), self._texts.elidedText(rest, Qt.TextElideMode.ElideRight, width)]
            self._kept[text, width] = kept
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return kept


def answered(message: MessageView) -> QuoteView | None:
    """Return the message that is shown above the text of another one."""
    return None if message.kind is MessageKind.DELETED else message.quoted


_SIDE = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
