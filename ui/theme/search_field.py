"""A line to search in, the same everywhere: a magnifying glass, what is searched, and a button that empties it."""

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit

from ui.theme import fonts
from ui.theme.controls import Theme


class SearchField(QLineEdit):
    """What it searches is said in the empty field, and to a screen reader."""

    def __init__(self, theme: Theme, what: str, *, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFont(fonts.font())
        self.setPlaceholderText(what)
        self.setAccessibleName(what)
        self.setClearButtonEnabled(True)
        glass = QAction(self)
        self.addAction(glass, QLineEdit.ActionPosition.LeadingPosition)
        theme.put_icon(glass, "search", 16)
