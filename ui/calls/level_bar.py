"""How loud our own microphone is at this moment."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.theme.controls import Theme

LOUDEST = 255
_DOTS, _DOT, _GAP, _HIGH = 16, 6, 3, 8
_LOUD_DOTS = 13
"""From here on it is too loud."""


class LevelBar(QWidget):
    """A row of dots that light up from the left."""

    def __init__(self, theme: Theme, label: str) -> None:
        super().__init__()
        self._theme = theme
        self._lit = 0
        self.setAccessibleName(label)
        self.setToolTip(label)
        self.setFixedSize(QSize(_DOTS * (_DOT + _GAP) - _GAP, _HIGH))

    @property
    def lit(self) -> int:
        """How many dots are lit."""
        return self._lit

    def show_level(self, level: int) -> None:
        """Show a loudness, 0 to 255."""
        lit = min(_DOTS, -(-level * _DOTS // LOUDEST))
        if lit != self._lit:
            self._lit = lit
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dots."""
        del event
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for number in range(_DOTS):
            lit = tokens.warning if number >= _LOUD_DOTS else tokens.ok
            painter.setBrush(QColor(lit if number < self._lit else tokens.border))
            painter.drawRoundedRect(QRectF(number * (_DOT + _GAP), 0, _DOT, _HIGH), 2, 2)
        painter.end()
