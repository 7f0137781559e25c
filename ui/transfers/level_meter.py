"""How loud a microphone is, as bars that come from the right; or the whole of a recording, to seek in."""

from collections import deque

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme.controls import Theme
from ui.transfers.waveform import bars_in, paint_waveform

_LEVELS = 256
_DOT = 5


class LevelMeter(QWidget):
    """How loud it is now and was before; or the whole of a recording, to seek in."""

    sought = Signal(float)
    """Listen from there, as a share from the left."""
    pointed = Signal()
    """The mouse is elsewhere: see `hovered`."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._levels: deque[int] = deque(maxlen=_LEVELS)
        self._voice = b""
        self._heard = 0.0
        self._hovered: float | None = None
        """Where a click would lead."""
        self._is_live = True
        self.setMouseTracking(True)
        self.setFixedHeight(40)
        self.setMinimumWidth(40)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_live(self, *, live: bool) -> None:
        """Show how loud it is now; or else a recording."""
        self._is_live, self._hovered = live, None
        self.setCursor(Qt.CursorShape.ArrowCursor if live else Qt.CursorShape.PointingHandCursor)
        self.update()

    @property
    def hovered(self) -> float | None:
        """Where in the recording the mouse is, from 0 to 1."""
        return self._hovered

    def sizeHint(self) -> QSize:
        """Take what there is."""
        return QSize(120, 40)

    def clear(self) -> None:
        """Begin anew."""
        self._levels.clear()
        self.update()

    def add(self, level: int) -> None:
        """Show how loud it is now."""
        self._levels.append(level)
        self.update()

    def show_voice(self, waveform: bytes, heard: float) -> None:
        """Show a whole recording, and how much of it was heard."""
        self._voice, self._heard = waveform, heard
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Listen from here."""
        if not self._is_live:
            self.sought.emit(self._share_at(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show where a click would lead."""
        if not self._is_live:
            self._hover(self._share_at(event))

    def leaveEvent(self, event: QEvent) -> None:
        """Show it no more."""
        super().leaveEvent(event)
        self._hover(None)

    def _hover(self, share: float | None) -> None:
        self._hovered = share
        self.pointed.emit()
        self.update()

    def _share_at(self, event: QMouseEvent) -> float:
        place = self._place()
        return min(1.0, max(0.0, (event.position().x() - place.left()) / max(1.0, place.width())))

    def _place(self) -> QRectF:
        return QRectF(self.rect()).adjusted(4, 6, -4, -6)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the bars; while recording, a red dot before them."""
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = self._place()
        if self._is_live:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.danger))
            painter.drawEllipse(QPointF(place.left() + _DOT, place.center().y()), _DOT, _DOT)
            place.setLeft(place.left() + 4 * _DOT)
            count = bars_in(place.width())
            latest = list(self._levels)[-count:]
            levels = bytes([0] * (count - len(latest)) + latest)
            colours = (tokens.accent, tokens.secondary)
            paint_waveform(painter, place, levels, heard=1.0, hovered=None, colours=colours)
        else:
            colours = (tokens.accent, tokens.secondary)
            paint_waveform(painter, place, self._voice, heard=self._heard, hovered=self._hovered, colours=colours)
        painter.end()
