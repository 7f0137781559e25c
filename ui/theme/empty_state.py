"""What an empty place says: what it is for, and what to do next."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.theme import fonts
from ui.theme.controls import Text, Theme

_ICON = 44


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
        for text in (Text(title, face=fonts.bold(), wrap=True), Text(sentence, role="secondary", wrap=True)):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(text)
        if below is not None:
            layout.addSpacing(10)
            # Not by alignment: its height would be the one it has at the whole width.
            middle = QHBoxLayout()
            middle.addStretch()
            middle.addWidget(below)
            middle.addStretch()
            layout.addLayout(middle)
        layout.addStretch(3)
