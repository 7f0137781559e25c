"""A sentence that lies over the window for a few seconds."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui.theme.controls import PushButton, Text
from ui.theme.tokens import HEADER_HEIGHT

_SHOWN_MS = 6000
_WIDEST = 420
_FROM_TOP = HEADER_HEIGHT + 14


class Toast(QWidget):
    """Shows one sentence at a time, perhaps with something to do about it; a click takes it away."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName("toast")
        self.setProperty("role", "toast")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._over = over
        self._text = Text(wrap=True)
        self._text.setObjectName("toast.text")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 10, 16, 10)
        layout.setSpacing(12)
        layout.addWidget(self._text, 1)
        self._act: Callable[[], None] | None = None
        self._button = PushButton(self.tr("Undo"), name="toast.act", kind="toast")
        self._button.clicked.connect(self._do)
        layout.addWidget(self._button)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.hide)
        over.installEventFilter(self)
        self.hide()

    def say(self, sentence: str) -> None:
        """Show a sentence, and have it read aloud."""
        self._show(sentence, "", None, _SHOWN_MS)

    def offer(self, sentence: str, label: str, act: Callable[[], None], shown_ms: int) -> None:
        """Show a sentence and a button, for so long."""
        self._show(sentence, label, act, shown_ms)

    def withdraw(self) -> None:
        """There is nothing to do about it any more."""
        if self._act is not None:
            self._act = None
            self.hide()

    def _do(self) -> None:
        act, self._act = self._act, None
        self.hide()
        if act is not None:
            act()

    def _show(self, sentence: str, label: str, act: Callable[[], None] | None, shown_ms: int) -> None:
        self._act = act
        self._button.setText(label)
        self._button.setVisible(bool(label))
        self._text.setText(sentence)
        self.setAccessibleName(sentence)
        self.show()
        self._place()
        self.raise_()
        self._timer.start(shown_ms)
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def text(self) -> str:
        """Return what is shown; empty for nothing."""
        return "" if self.isHidden() else self._text.text()

    def mousePressEvent(self, _event: object) -> None:
        """It was read."""
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle when the window changes its size."""
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        room = min(_WIDEST, self._over.width() - 32)
        wished = self._text.fontMetrics().horizontalAdvance(self._text.text()) + 34
        wished += 0 if self._act is None else self._button.sizeHint().width() + 12
        width = min(room, wished)
        height = self.heightForWidth(width) if self.hasHeightForWidth() else self.sizeHint().height()
        self.setGeometry((self._over.width() - width) // 2, _FROM_TOP, width, height)
