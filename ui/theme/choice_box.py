"""A box in which one of a few things is chosen: Qt's own, in the colours of the tokens."""

from collections.abc import Iterable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QListView, QStyle, QStyleOptionComboBox, QStylePainter

from ui.theme import fonts
from ui.theme.controls import Theme

_SIGN = 16
_BESIDE = 12
_LEAST_LETTERS = 8


class ChoiceBox(QComboBox):
    """Each choice has a word that it is known by, and words that are shown."""

    chosen = Signal(str)
    """The word of what a person chose; not told of what the program shows."""

    def __init__(self, theme: Theme, label: str, *, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setFont(fonts.font())
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setView(QListView())  # the style's own takes no colours
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_LEAST_LETTERS)
        self.activated.connect(lambda row: self.chosen.emit(self.itemData(row)))

    def offer(self, choices: Iterable[tuple[str, str]], chosen: str) -> None:
        """Offer these, as (word, what is shown), and show which is chosen."""
        self.clear()
        for word, shown in choices:
            self.addItem(shown, word)
        self.setCurrentIndex(self.findData(chosen))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change nothing: whoever turns the wheel here means the page."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the choice, cut at its end if it must be, and a sign that there are others."""
        del event
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        room = self.width() - 3 * _BESIDE - _SIGN
        option.currentText = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        self._draw_sign(painter)
        painter.end()

    def _draw_sign(self, painter: QPainter) -> None:
        tokens = self._theme.tokens
        colour = tokens.secondary if self.isEnabled() else tokens.border
        sign = self._theme.icons.pixmap("chevron-down", colour, _SIGN, self.devicePixelRatioF())
        painter.drawPixmap(QPoint(self.width() - _BESIDE - _SIGN, (self.height() - _SIGN) // 2), sign)
