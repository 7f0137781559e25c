"""What an empty place says: what it is for, and what to do next."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.theme import fonts
from ui.theme.controls import Text, Theme

_ICON = 44
_WIDEST = 440
"""A sentence that is wider is hard to read."""


class EmptyState(QWidget):
    """An icon, a line, a sentence, and perhaps a button or more."""

    def __init__(
        self, theme: Theme, icon: str, title: str, sentence: str, below: QWidget | None = None, *, name: str
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        picture = QLabel()
        theme.put_picture(picture, icon, _ICON, stroke=1.5)
        picture.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(6)
        layout.addStretch(2)
        layout.addWidget(picture)
        layout.addSpacing(6)
        self._sentence = Text(sentence, role="secondary", wrap=True)
        for text in (Text(title, face=fonts.bold(), wrap=True), self._sentence):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            text.setMaximumWidth(_WIDEST)
            layout.addLayout(_in_the_middle(text, stretch=1_000))
        if below is not None:
            layout.addSpacing(10)
            layout.addLayout(_in_the_middle(below))
        layout.addStretch(3)

    def say(self, sentence: str) -> None:
        """Let another sentence stand there."""
        self._sentence.setText(sentence)


def _in_the_middle(widget: QWidget, stretch: int = 0) -> QHBoxLayout:
    """Not by alignment: its height would be the one it has at the whole width."""
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(widget, stretch)
    row.addStretch(1)
    return row
