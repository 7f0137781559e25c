"""How loud a microphone is, as bars that come from the right; or the whole of a recording, to seek in."""

from collections import deque

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme.controls import Theme
from ui.transfers.waveform import bars_in, paint_waveform

_LEVELS = 256
_DOT = 5


class LevelMeter(QWidget):
    """How loud it is now and was before; or the whole of a recording, to seek in."""

    sought = Signal(float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._levels: deque[int] = deque(maxlen=_LEVELS)
        self._voice = b""
        self._heard = 0.0
        self.is_live = True
        self.setFixedHeight(40)
        self.setMinimumWidth(40)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

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
        if not self.is_live:
            self.sought.emit(event.position().x() / max(1, self.width()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the bars; while recording, a red dot before them."""
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = QRectF(self.rect()).adjusted(4, 6, -4, -6)
        if self.is_live:
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
            paint_waveform(painter, place, self._voice, heard=self._heard, hovered=None, colours=colours)
        painter.end()
