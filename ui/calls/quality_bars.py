"""Four bars that say how well a call gets through; words stand beside them."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.theme.controls import Theme
from ui.translations import calls

BARS = 4
_WIDE, _GAP, _LOWEST, _STEP = 4, 2, 4, 4


class QualityBars(QWidget):
    """Filled as far as it is good; nothing while nothing is known."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._bars = 0
        self.setFixedSize(size())

    def show_quality(self, bars: int) -> None:
        """Fill so many."""
        if bars != self._bars:
            self._bars = bars
            self.setAccessibleName(calls.quality(bars))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw them."""
        del event
        painter = QPainter(self)
        paint_bars(painter, QRectF(self.rect()), self._theme, self._bars)
        painter.end()


def size() -> QSize:
    """Return the room that the bars take."""
    return QSize(BARS * (_WIDE + _GAP) - _GAP, _LOWEST + (BARS - 1) * _STEP)


def paint_bars(painter: QPainter, place: QRectF, theme: Theme, bars: int) -> None:
    """Draw the bars into a place of their size."""
    tokens = theme.tokens
    filled = {1: tokens.danger, 2: tokens.warning}.get(bars, tokens.ok)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for number in range(BARS if bars else 0):
        height = _LOWEST + number * _STEP
        painter.setBrush(QColor(filled if number < bars else tokens.border))
        bar = QRectF(place.left() + number * (_WIDE + _GAP), place.bottom() - height, _WIDE, height)
        painter.drawRoundedRect(bar, 1.5, 1.5)
    painter.restore()
