"""What does not fit into a bubble: all of a very long message, and when and how a message came."""

from collections import deque

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from peer.views import AttachmentView, MessageView
from ui.theme import fonts
from ui.theme.controls import ElidedText, PushButton, Text
from ui.translations import attachments, message_words, moments, people

_WIDTH, _HEIGHT = 560, 480
_NARROWEST = 300
_DETAILS_WIDTH = 340
_AROUND_FACTS = 140
"""Pixels of title, button and margins."""
_BESIDE = 24
"""Pixels of the window above and below a dialog that would be higher."""
_LONGEST_LINE = 4_000
"""Characters; the text editor breaks one line of 64 KB only in a third of a second."""
_LINES_AT_ONCE = 1_000
"""It also needs time for each line, so that many are put in little by little."""


class MessageDetails(QDialog):
    """Says who wrote a message, when, and how far it has come, in words."""

    def __init__(self, message: MessageView, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("message_details")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Message details"))
        self.setMinimumWidth(_NARROWEST)
        facts = (
            (self.tr("From"), people.sender(message)),
            (self.tr("Written"), moments.full(message.written_at)),
            (self.tr("State"), people.message_state(message.state) or self.tr("read")),
            *self._facts_of(message.attachment, message),
            *([] if message.edited_at is None else [(self.tr("Edited"), moments.full(message.edited_at))]),
            *message_words.reaction_facts(message.reactions),
        )
        page = QWidget()
        page.setProperty("role", "clear")
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 0, 8, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for row, (name, fact) in enumerate(facts):
            grid.addWidget(Text(name, role="secondary"), row, 0)
            value = ElidedText(fact)
            value.setObjectName(f"message_details.{row}")
            grid.addWidget(value, row, 1)
        close = PushButton(self.tr("Close"), name="message_details.close", kind="primary")
        close.clicked.connect(self.accept)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        inside = QVBoxLayout()
        inside.addWidget(scroll)
        _lay_out(self, Text(self.tr("Message details"), face=fonts.bold(fonts.TITLE)), inside, [close])
        wished = page.sizeHint().height() + _AROUND_FACTS
        self.resize(_DETAILS_WIDTH, min(wished, max(_AROUND_FACTS, parent.height() - _BESIDE)))

    def _facts_of(self, attachment: AttachmentView | None, message: MessageView) -> list[tuple[str, str]]:
        """Return what there is to know of an attachment, in full: a card may have cut it."""
        if attachment is None:
            return []
        facts = [(self.tr("Name"), attachment.name), (self.tr("Size"), attachments.extent(attachment))]
        state = attachments.state(message)
        facts += [(attachments.kind(message), state)] if state else []
        return facts + ([(self.tr("Place"), attachment.path)] if attachment.path else [])


class WholeMessage(QDialog):
    """Shows a message of which a bubble holds only the beginning."""

    def __init__(self, message: MessageView, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("whole_message")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Message"))
        self.resize(min(_WIDTH, parent.width()), min(_HEIGHT, parent.height()))
        self._lines = deque(_short_lines(message.text))
        self._text = text = QPlainTextEdit()
        text.setObjectName("whole_message.text")
        text.setReadOnly(True)
        text.setFont(fonts.font())
        text.setAccessibleName(self.tr("Message"))
        text.setUndoRedoEnabled(False)
        self._filling = QTimer(self, interval=0)
        self._filling.timeout.connect(self._fill)
        self._filling.start()
        self._fill()
        text.moveCursor(QTextCursor.MoveOperation.Start)
        copy = PushButton(self.tr("Copy message"), name="whole_message.copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(message.text))
        close = PushButton(self.tr("Close"), name="whole_message.close", kind="primary")
        close.clicked.connect(self.accept)
        inside = QVBoxLayout()
        inside.addWidget(text)
        title = f"{people.short_name(message.author_name)}, {moments.full(message.written_at)}"
        _lay_out(self, ElidedText(title, face=fonts.bold()), inside, [copy, close])

    def _fill(self) -> None:
        some = [self._lines.popleft() for _ in range(min(_LINES_AT_ONCE, len(self._lines)))]
        self._text.appendPlainText("\n".join(some))
        if not self._lines:
            self._filling.stop()


def _lay_out(dialog: QDialog, title: QWidget, inside: QVBoxLayout, buttons: list[PushButton]) -> None:
    below = QHBoxLayout()
    below.setSpacing(8)
    below.addStretch()
    for button in buttons:
        below.addWidget(button)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(24, 20, 24, 20)
    layout.setSpacing(16)
    layout.addWidget(title)
    layout.addLayout(inside, 1)
    layout.addLayout(below)


def _short_lines(text: str) -> list[str]:
    return [
        line[start : start + _LONGEST_LINE]
        for line in text.splitlines()
        for start in range(0, max(1, len(line)), _LONGEST_LINE)
    ]
