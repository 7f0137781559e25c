"""What an attachment looks like inside a bubble: the parts that all kinds share."""

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from peer.views import EntryId, MessageView
from ui.theme import fonts
from ui.theme.controls import Theme
from ui.transfers.acts import Act

ROUND = 44
"""The round button, and so the least height of a card."""
_ICON = 22
_BAR = 4
_TRACK_ALPHA = 0.25


@dataclass(frozen=True, slots=True)
class Spot:
    """A place that does something when it is clicked."""

    act: Act
    place: QRectF


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the mouse is: over which part of which message, and how far from its left end."""

    entry: EntryId
    act: Act
    fraction: float = 0.0


class Block(Protocol):
    """An attachment inside a bubble. Its size depends on nothing that changes while it is loaded."""

    @property
    def fills(self) -> bool:
        """Whether it reaches to the edges of the bubble, and the time lies on it when there is no text."""

    def size(self, message: MessageView, widest: int) -> QSize:
        """Return the room it takes, no wider than so many pixels."""

    def spots(self, message: MessageView, place: QRectF) -> list[Spot]:
        """Return what can be clicked, when it stands at a place."""

    def paint(self, painter: QPainter, place: QRectF, message: MessageView, pointer: Pointer | None) -> None:
        """Draw it."""


class Brushes:
    """Draws what several kinds of attachments are made of."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self.name_face = fonts.bold()
        self.name_metrics = QFontMetrics(self.name_face)
        self.meta_face = fonts.font(fonts.SMALL)
        self.meta_metrics = QFontMetrics(self.meta_face)
        self.link_face = fonts.bold(fonts.SMALL)
        self.link_metrics = QFontMetrics(self.link_face)

    @property
    def theme(self) -> Theme:
        """Whose colours are drawn with."""
        return self._theme

    def text(self, painter: QPainter, place: QRectF, text: str, colour: str) -> None:
        """Draw one line of secondary text, cut at the end if it must be."""
        painter.setFont(self.meta_face)
        painter.setPen(QColor(colour))
        shown = self.meta_metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(place.width()))
        painter.drawText(place, int(_LEFT | Qt.TextFlag.TextSingleLine), shown)

    def name(self, painter: QPainter, place: QRectF, name: str) -> None:
        """Draw a file's name, cut in the middle: its end says what kind of file it is."""
        painter.setFont(self.name_face)
        painter.setPen(QColor(self._theme.tokens.text))
        shown = self.name_metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, int(place.width()))
        painter.drawText(place, int(_LEFT | Qt.TextFlag.TextSingleLine), shown)

    def round_button(self, painter: QPainter, place: QRectF, icon: str, ground: str) -> None:
        """Draw the round button with an icon on a ground of this colour."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground))
        painter.drawEllipse(place)
        self.icon(painter, place, icon, self._theme.tokens.on_accent, _ICON)

    def icon(self, painter: QPainter, place: QRectF, icon: str, colour: str, size: int) -> None:
        """Draw an icon in the middle of a place."""
        pixmap = self._theme.icons.pixmap(icon, colour, size, painter.device().devicePixelRatioF())
        painter.drawPixmap(place.center() - QPointF(size / 2, size / 2), pixmap)

    def bar(self, painter: QPainter, place: QRectF, share: float, colour: str) -> None:
        """Draw a bar of progress in the middle of a place."""
        track = QRectF(place.left(), place.center().y() - _BAR / 2, place.width(), _BAR)
        ground = QColor(self._theme.tokens.secondary)
        ground.setAlphaF(_TRACK_ALPHA)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(track, _BAR / 2, _BAR / 2)
        if share > 0:
            # The filled end is never narrower than it is high.
            filled = QRectF(track.topLeft(), track.bottomRight())
            filled.setWidth(max(_BAR, track.width() * share))
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(filled, _BAR / 2, _BAR / 2)

    def link(self, painter: QPainter, place: QRectF, words: str, *, hovered: bool) -> None:
        """Draw words that can be clicked."""
        face = fonts.bold(fonts.SMALL)
        face.setUnderline(hovered)
        painter.setFont(face)
        painter.setPen(QColor(self._theme.tokens.link))
        painter.drawText(place, int(_LEFT | Qt.TextFlag.TextSingleLine), words)

    def hover_ground(self, painter: QPainter, place: QRectF) -> None:
        """Draw what shows that a small button is under the mouse."""
        ground = QColor(self._theme.tokens.secondary)
        ground.setAlphaF(_TRACK_ALPHA)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawEllipse(place)


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
