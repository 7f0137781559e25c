"""Where files land, and which of them come by themselves."""

from pathlib import Path

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from ui.peer_bridge import PeerBridge
from ui.settings.settings_row import SettingsRow, page_of
from ui.theme.choice_box import ChoiceBox
from ui.theme.controls import ElidedText, PushButton, Theme

_SIZES = (0, 1024 * 1024, 10_000_000, 100_000_000, 1_000_000_000)
"""Bytes; the second is what holds until somebody chooses."""


class FilesPage(QWidget):
    """Shows what the node keeps for this account, and has it changed."""

    changed = Signal()
    """It takes another room."""

    def __init__(self, theme: Theme, bridge: PeerBridge, *, is_narrow: bool) -> None:
        super().__init__()
        self._bridge = bridge
        self._size = ChoiceBox(theme, self.tr("Files that come by themselves"), name="settings.auto_fetch")
        self._size.chosen.connect(self._choose_size)
        self._folder = ElidedText(mode=Qt.TextElideMode.ElideMiddle)
        self._folder.setObjectName("settings.folder")
        choose = PushButton(self.tr("Choose…"), name="settings.choose_folder")
        choose.clicked.connect(self._ask_for_folder)
        where = QWidget()
        line = QHBoxLayout(where)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(self._folder, 1)
        line.addWidget(choose)
        self._size_row = SettingsRow(self.tr("Files that come by themselves"), self._size, is_narrow=is_narrow)
        folder_row = SettingsRow(
            self.tr("Downloads"),
            where,
            hint=self.tr("Each conversation has a folder of its own in there. What is here already stays."),
            is_narrow=is_narrow,
        )
        self.setLayout(page_of(self._size_row, folder_row))
        bridge.ask(self, lambda node: node.auto_fetch(), self._show_size)
        bridge.ask(self, lambda node: node.downloads(), self._show_folder)

    def _show_size(self, size: int) -> None:
        self._size.offer(((str(each), self._words(each)) for each in sorted({*_SIZES, size})), str(size))
        self._explain(size)

    def _words(self, size: int) -> str:
        if size == 0:
            return self.tr("None")
        # Without a decimal: what is 1.05 MB is called 1 MB here.
        shown = QLocale().formattedDataSize(size, 0, QLocale.DataSizeFormat.DataSizeSIFormat)
        return self.tr("Up to %1").replace("%1", shown)

    def _explain(self, size: int) -> None:
        if size:
            self._size_row.say(self.tr("From friends. Pictures and voice messages come up to 10 MB all the same."))
        else:
            self._size_row.say(self.tr("Everything waits for a click, pictures and voice messages too."))
        self.changed.emit()

    def _choose_size(self, word: str) -> None:
        size = int(word)
        self._explain(size)
        self._bridge.ask(self, lambda node: node.set_auto_fetch(size))

    def _show_folder(self, folder: Path) -> None:
        self._folder.set_whole(str(folder))

    def _ask_for_folder(self) -> None:
        dialog = QFileDialog(self.window(), self.tr("Where files land"), self._folder.whole())
        dialog.setObjectName("settings.folder_dialog")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._choose_folder)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _choose_folder(self, place: str) -> None:
        folder = Path(place)
        self._bridge.ask(self, lambda node: node.set_downloads(folder), lambda _: self._show_folder(folder))
