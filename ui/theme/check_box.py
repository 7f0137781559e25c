"""A box to tick that can be seen on every ground: the style's own takes its lines from no token."""

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox

from ui.theme import fonts
from ui.theme.controls import Theme

_BOX = 20
_GAP = 8
_RADIUS = 5.0
_SIGN = 14


class CheckBox(QCheckBox):
    """A tick in the accent's colour, with a ring while it has the focus."""

    def __init__(self, theme: Theme, text: str, *, name: str) -> None:
        super().__init__(text)
        self._theme = theme
        self.setObjectName(name)
        self.setFont(fonts.font())
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """Return the room for the box and the text."""
        text = self.fontMetrics().size(Qt.TextFlag.TextShowMnemonic, self.text())
        return QSize(_BOX + _GAP + text.width() + 4, max(_BOX + 4, text.height()))

    def minimumSizeHint(self) -> QSize:
        """Give way to no less than the text."""
        return self.sizeHint()

    def hitButton(self, place: QPoint) -> bool:
        """Take clicks on the words, too."""
        return self.rect().contains(place)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box, the tick and the words."""
        del event
        tokens = self._theme.tokens
        box = QRectF(1, (self.height() - _BOX) / 2, _BOX, _BOX)
        is_on = self.isChecked()
        line = tokens.accent if is_on or self.hasFocus() else tokens.secondary
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(line), 2 if self.hasFocus() else 1))
        painter.setBrush(QColor(tokens.accent if is_on and self.isEnabled() else tokens.card))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
        if is_on:
            colour = tokens.on_accent if self.isEnabled() else tokens.secondary
            sign = self._theme.icons.pixmap("check", colour, _SIGN, self.devicePixelRatioF(), 3)
            corner = box.center() - QPoint(_SIGN // 2, _SIGN // 2)
            painter.drawPixmap(corner, sign)
        if self.hasFocus() and is_on:
            painter.setPen(QPen(QColor(tokens.text), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, _RADIUS, _RADIUS)
        painter.setPen(QColor(tokens.text if self.isEnabled() else tokens.secondary))
        painter.setFont(self.font())
        left = round(box.right()) + _GAP
        words = QRect(left, 0, self.width() - left, self.height())
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextShowMnemonic
        painter.drawText(words, align, self.text())
        painter.end()
