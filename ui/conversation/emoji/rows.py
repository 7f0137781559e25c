"""The emoji of the picker as a model: sections, one after the other, in the tone that was chosen."""

from typing import NamedTuple

from PySide6.QtCore import QAbstractListModel, QLocale, QModelIndex, QPersistentModelIndex, Qt

from ui.conversation.emoji.table import Emoji

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class Shown(NamedTuple):
    """An emoji in a place of the grid."""

    text: str
    emoji: Emoji

    @property
    def name(self) -> str:
        """What it is called in the language of the window."""
        is_chinese = QLocale().language() == QLocale.Language.Chinese
        return self.emoji.chinese_name if is_chinese else self.emoji.name


class Section(NamedTuple):
    """Emoji under a heading; without one if it is empty."""

    title: str
    shown: list[Shown]


class EmojiRows(QAbstractListModel):
    """A row an emoji."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[Section] = []
        self._rows: list[Shown] = []

    def show(self, sections: list[Section]) -> None:
        """Have these; empty sections are left out."""
        self.beginResetModel()
        self.sections = [section for section in sections if section.shown]
        self._rows = [shown for section in self.sections for shown in section.shown]
        self.endResetModel()

    def shown(self, row: int) -> Shown:
        """Return what is in a row."""
        return self._rows[row]

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """See QAbstractItemModel."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The emoji itself, and its name for ears."""
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._rows[index.row()].text
        if role in {Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole}:
            return self._rows[index.row()].name
        return None
