"""Where a message is written: plain text of several lines that grows, and the keys that mean something."""

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QFocusEvent, QInputMethodEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QTextEdit

from ui.theme import fonts
from ui.transfers.offered_files import OfferedFiles

_MOST_LINES = 6
_FRAME = 22
"""Height of the input around its lines: the style sheet's padding and border, and the document's margin."""
_ENTER_KEYS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class MessageInput(QTextEdit):
    """Plain text of several lines, as high as it needs to be."""

    submitted = Signal()
    cancelled = Signal()
    """Esc."""
    previous_wanted = Signal()
    """The up arrow, while nothing stands here."""
    files_pasted = Signal(object)
    """Mime data with something that can be sent as a file."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("conversation.composer")
        self.setAccessibleName(self.tr("Message"))
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
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif event.key() == Qt.Key.Key_Up and not self._is_composing and self.document().isEmpty():
            self.previous_wanted.emit()
        elif event.key() not in _ENTER_KEYS or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            super().keyPressEvent(event)
        elif not self._is_composing:
            self.submitted.emit()

    @property
    def is_composing(self) -> bool:
        """Whether an input method is in the middle of a word."""
        return self._is_composing

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Remember whether an input method is in the middle of a word."""
        super().inputMethodEvent(event)
        self._is_composing = bool(event.preeditString())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A composition ends with the focus."""
        super().focusOutEvent(event)
        self._is_composing = False

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste files, else text without its look."""
        if OfferedFiles.has_any(source):
            self.files_pasted.emit(source)
        elif source.hasText():
            self.insertPlainText(source.text())

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Take files too."""
        return OfferedFiles.has_any(source) or bool(super().canInsertFromMimeData(source))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Leave dragged files to the whole conversation."""
        if OfferedFiles.has_any(event.mimeData()):
            event.ignore()
        else:
            super().dragEnterEvent(event)

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
