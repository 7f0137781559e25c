"""What every dialog of ours has: a title, perhaps a sentence about it, its own content, and a row of buttons."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from ui.theme import fonts
from ui.theme.controls import PushButton, Text

_BESIDE = 24
"""Pixels of the window above and below a dialog that would be higher."""


class CardDialog(QDialog):
    """Forgets itself when closed, and is as high as its texts are at its width."""

    def __init__(self, parent: QWidget, *, name: str, width: int = 400) -> None:
        """`width` is the wished one; a small window has smaller dialogs."""
        super().__init__(parent)
        self.setObjectName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._around = _window_around(parent)
        self.setMinimumWidth(min(width, max(280, self._around.width() - 32)))
        self.content = QVBoxLayout(self)
        self.content.setContentsMargins(24, 20, 24, 20)
        self.content.setSpacing(14)

    def begin(self, title: str, hint: str = "") -> None:
        """Say what this is about."""
        self.setWindowTitle(title)
        self.content.addWidget(Text(title, face=fonts.bold(fonts.TITLE), wrap=True))
        if hint:
            self.content.addWidget(Text(hint, role="secondary", wrap=True, face=fonts.font(fonts.CAPTION)))

    def end(self, *buttons: PushButton) -> None:
        """Finish with these buttons, on the right."""
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch()
        for button in buttons:
            row.addWidget(button)
        self.content.addSpacing(4)
        self.content.addLayout(row)

    def fit(self) -> None:
        """Be as high as the texts are at this width: an error needs a line more. What can give way fits the window."""
        self.content.activate()
        wanted = self.content.totalHeightForWidth(self.width())
        self.resize(self.width(), min(wanted, self._around.height() - _BESIDE))


def _window_around(widget: QWidget) -> QWidget:
    """Return the main window, also for what a dialog asks: a low dialog must not make the next one lower still."""
    window = widget.window()
    parent = window.parentWidget()
    return window if parent is None else _window_around(parent)
