"""A row of words of which one is chosen."""

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from ui.theme import fonts


class Tabs(QWidget):
    """The first one is chosen to begin with."""

    chosen = Signal(int)
    """Somebody chose the tab of this number."""

    def __init__(self, tabs: Iterable[tuple[str, str]]) -> None:
        """`tabs` are names for the program and words for people."""
        super().__init__()
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for number, (name, words) in enumerate(tabs):
            tab = QToolButton()
            tab.setObjectName(name)
            tab.setProperty("kind", "tab")
            tab.setText(words)
            tab.setFont(fonts.bold(fonts.CAPTION))
            tab.setCheckable(True)
            tab.setChecked(number == 0)
            tab.setCursor(Qt.CursorShape.PointingHandCursor)
            self._group.addButton(tab, number)
            row.addWidget(tab)
        row.addStretch()
        self._group.idClicked.connect(self.chosen)

    def rename(self, number: int, words: str) -> None:
        """Say something else on a tab."""
        self._group.button(number).setText(words)
