"""The row of six emoji with which most people react, and the way to all others."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from ui.theme import fonts
from ui.theme.controls import IconButton, Theme

QUICK = ("👍", "❤️", "😂", "😮", "😢", "🙏")
_AREA = 40
_EMOJI_SIZE = 22
_GAP = 4
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class QuickReactions(QFrame):
    """Opens beside a message; the arrows and Enter, the digits and a click choose. Forgets itself when closed."""

    picked = Signal(str)
    others_wanted = Signal()

    def __init__(self, theme: Theme, chosen: str, parent: QWidget) -> None:
        """`chosen` is what was chosen before; choosing it again takes it back."""
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("reactions.quick")
        self.setProperty("role", "popup")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(self.tr("React"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(2)
        self._buttons: list[QToolButton] = []
        for number, emoji in enumerate(QUICK, 1):
            button = QToolButton()
            button.setObjectName(f"reactions.quick.{number}")
            button.setProperty("kind", "group")
            button.setFont(fonts.emoji(_EMOJI_SIZE))
            button.setText(emoji)
            button.setFixedSize(QSize(_AREA, _AREA))
            button.setCheckable(True)
            button.setChecked(emoji == chosen)
            button.setAccessibleName(emoji)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _checked, emoji=emoji: self._pick(emoji))
            self._buttons.append(button)
            layout.addWidget(button)
        others = IconButton(theme, "smile-plus", self.tr("All emoji"), name="reactions.others", area=_AREA)
        others.clicked.connect(self._want_others)
        self._buttons.append(others)
        layout.addWidget(others)

    def open_at(self, place: QRect, room: QRect) -> None:
        """Open above a place of the screen, or below where there is no room above; inside `room`, both global."""
        self.adjustSize()
        left = max(room.left(), min(place.left(), room.right() - self.width()))
        top = place.top() - self.height() - _GAP
        if top < room.top():
            top = min(place.bottom() + _GAP, room.bottom() - self.height())
        self.move(QPoint(left, top))
        self.show()
        self._buttons[0].setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go along the row, or choose."""
        digit = event.key() - Qt.Key.Key_1
        if event.key() in _STEPS:
            here = next((place for place, button in enumerate(self._buttons) if button.hasFocus()), 0)
            following = (here + _STEPS[Qt.Key(event.key())]) % len(self._buttons)
            self._buttons[following].setFocus(Qt.FocusReason.TabFocusReason)
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            next((button for button in self._buttons if button.hasFocus()), self._buttons[0]).click()
        elif 0 <= digit < len(QUICK):
            self._pick(QUICK[digit])
        else:
            super().keyPressEvent(event)  # Esc closes a popup

    def _pick(self, emoji: str) -> None:
        self.close()
        self.picked.emit(emoji)

    def _want_others(self) -> None:
        self.close()
        self.others_wanted.emit()
