"""What stands above a message: the date where a day begins, and the line below which everything is new."""

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from peer.views import MessageView
from ui.conversation.bubble_parts import DAY_ROOM, SIDE
from ui.models.message_list import Placement
from ui.theme import fonts
from ui.theme.controls import Theme
from ui.translations import moments

_CHIP_HEIGHT = 24


class RowHeadings:
    """Draws them."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._face = fonts.bold(fonts.SMALL)
        self._metrics = QFontMetrics(self._face)

    def paint(self, painter: QPainter, message: MessageView, placement: Placement, width: int) -> None:
        """Draw what stands above a message in a row of this width."""
        tokens = self._theme.tokens
        y = 0
        if placement.starts_day:
            self._paint_chip(painter, moments.day(message.written_at), width, y + 14, tokens.secondary)
            y += DAY_ROOM
        if placement.starts_unread:
            middle = y + 10 + _CHIP_HEIGHT / 2
            painter.setPen(QPen(QColor(tokens.accent), 1))
            painter.drawLine(QPointF(SIDE, middle), QPointF(width - SIDE, middle))
            words = QCoreApplication.translate("BubbleDelegate", "New messages")
            self._paint_chip(painter, words, width, y + 10, tokens.accent)

    def _paint_chip(self, painter: QPainter, text: str, width: int, top: int, colour: str) -> None:
        room = self._metrics.horizontalAdvance(text) + 24
        place = QRectF((width - room) / 2, top, room, _CHIP_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.chip))
        painter.drawRoundedRect(place, _CHIP_HEIGHT / 2, _CHIP_HEIGHT / 2)
        painter.setPen(QColor(colour))
        painter.setFont(self._face)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
