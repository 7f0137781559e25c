"""One line of the settings: what it is about, perhaps what follows from it, and what it is chosen with."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from ui.theme import fonts
from ui.theme.controls import Text

CONTROL_WIDTH = 230
_GAP = 16


class SettingsRow(QWidget):
    """The control stands beside the words, or below them where there is little room."""

    def __init__(
        self, title: str, control: QWidget, *, hint: str = "", is_narrow: bool = False, width: int = CONTROL_WIDTH
    ) -> None:
        super().__init__()
        direction = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        layout = QBoxLayout(direction, self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6 if is_narrow else _GAP)
        words = QVBoxLayout()
        words.setSpacing(2)
        title_text = Text(title)
        title_text.setBuddy(control)
        words.addWidget(title_text)
        self.hint = Text(hint, role="secondary", face=fonts.font(fonts.SMALL), wrap=True)
        self.hint.setVisible(bool(hint))
        words.addWidget(self.hint)
        layout.addLayout(words, 0 if is_narrow else 1)
        if is_narrow:
            layout.addWidget(control)
        else:
            control.setFixedWidth(width)
            layout.addWidget(control, 0, Qt.AlignmentFlag.AlignTop)

    def say(self, hint: str) -> None:
        """Say something else below the title."""
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))


def page_of(*parts: QWidget) -> QVBoxLayout:
    """Return the layout of a page with these parts, one below the other."""
    layout = QVBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(18)
    for part in parts:
        layout.addWidget(part)
    layout.addStretch()
    return layout
