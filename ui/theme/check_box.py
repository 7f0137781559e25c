"""A box to tick that can be seen on every ground: the style's own takes its lines from no token."""

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox

from ui.theme import fonts
from ui.theme.controls import Theme

BOX = 20
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
        return QSize(BOX + _GAP + text.width() + 4, max(BOX + 4, text.height()))

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
        box = QRectF(1, (self.height() - BOX) / 2, BOX, BOX)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_box(
            painter,
            self._theme,
            box,
            is_on=self.isChecked(),
            is_enabled=self.isEnabled(),
            has_focus=self.hasFocus(),
        )
        painter.setPen(QColor(tokens.text if self.isEnabled() else tokens.secondary))
        painter.setFont(self.font())
        left = round(box.right()) + _GAP
        words = QRect(left, 0, self.width() - left, self.height())
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextShowMnemonic
        painter.drawText(words, align, self.text())
        painter.end()


def paint_box(
    painter: QPainter, theme: Theme, box: QRectF, *, is_on: bool, is_enabled: bool = True, has_focus: bool = False
) -> None:
    """Draw the box and the tick into a square of `BOX` pixels."""
    tokens = theme.tokens
    line = tokens.accent if is_on or has_focus else tokens.secondary
    painter.setPen(QPen(QColor(line), 2 if has_focus else 1))
    painter.setBrush(QColor(tokens.accent if is_on and is_enabled else tokens.card))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
    if is_on:
        colour = tokens.on_accent if is_enabled else tokens.secondary
        sign = theme.icons.pixmap("check", colour, _SIGN, painter.device().devicePixelRatioF(), 3)
        painter.drawPixmap(box.center() - QPoint(_SIGN // 2, _SIGN // 2), sign)
    if has_focus and is_on:
        painter.setPen(QPen(QColor(tokens.text), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, _RADIUS, _RADIUS)
