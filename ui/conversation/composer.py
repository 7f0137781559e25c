"""Where a message is written: grows to six lines, Enter sends, Shift+Enter begins a new line."""

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QInputMethodEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QTextEdit, QToolButton, QWidget

from ui.theme import fonts
from ui.theme.controls import Theme

_MOST_LINES = 6
_FRAME = 22
"""Height of the input around its lines: the style sheet's padding and border, and the document's margin."""
_ENTER_KEYS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class MessageInput(QTextEdit):
    """Plain text of several lines, as high as it needs to be."""

    submitted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("conversation.composer")
        self.setAccessibleName(self.tr("Message"))
        self.setPlaceholderText(self.tr("Write a message…"))
        self.setToolTip("")
        self.setProperty("role", "input")
        self.setFont(fonts.font())
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._is_composing = False
        self.document().setDocumentMargin(4)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send on Enter, unless it ends an input method's composition or Shift asks for a line."""
        if event.key() not in _ENTER_KEYS or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            super().keyPressEvent(event)
        elif not self._is_composing:
            self.submitted.emit()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Remember whether an input method is in the middle of a word."""
        super().inputMethodEvent(event)
        self._is_composing = bool(event.preeditString())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A composition ends with the focus."""
        super().focusOutEvent(event)
        self._is_composing = False

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste text only, without its look."""
        if source.hasText():
            self.insertPlainText(source.text())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The lines break elsewhere now."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """Be as high as the text."""
        return QSize(super().sizeHint().width(), self.height())

    def _fit(self) -> None:
        line = self.fontMetrics().lineSpacing()
        lines = max(1, round((self.document().size().height() - 8) / line))
        self.setFixedHeight(min(lines, _MOST_LINES) * line + _FRAME)
        too_long = lines > _MOST_LINES
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if too_long else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        if self.verticalScrollBarPolicy() != policy:
            self.setVerticalScrollBarPolicy(policy)


class Composer(QWidget):
    """The input and the button that sends."""

    sent = Signal(str)
    """A text that is not empty."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "footer")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.input = MessageInput()
        self.input.submitted.connect(self._send)
        self.input.textChanged.connect(self._text_changed)
        self._button = QToolButton()
        self._button.setObjectName("conversation.send")
        self._button.setProperty("kind", "send")
        theme.put_icon(self._button, "send-horizontal", 20, "on_accent", disabled="secondary")
        self._button.setIconSize(QSize(20, 20))
        self._button.setFixedSize(40, 40)
        self._button.setToolTip(self.tr("Send (Enter)"))
        self._button.setAccessibleName(self.tr("Send"))
        self._button.setCursor(Qt.CursorShape.PointingHandCursor)
        self._button.clicked.connect(self._send)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 11, 16, 11)
        layout.setSpacing(10)
        layout.addWidget(self.input, 1)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignBottom)
        self._text_changed()

    def text(self) -> str:
        """Return what stands there now."""
        return self.input.toPlainText()

    def set_text(self, text: str) -> None:
        """Put a draft back, with the cursor at its end."""
        self.input.setPlainText(text)
        self.input.moveCursor(self.input.textCursor().MoveOperation.End)

    def type_in(self, text: str) -> None:
        """Take letters that were typed elsewhere."""
        self.input.setFocus(Qt.FocusReason.OtherFocusReason)
        self.input.insertPlainText(text)

    def _text_changed(self) -> None:
        self._button.setEnabled(bool(self.text().strip()))

    def _send(self) -> None:
        text = self.text().strip()
        if text:
            self.input.clear()
            self.sent.emit(text)
        self.input.setFocus(Qt.FocusReason.OtherFocusReason)
