"""Does what somebody clicked on a card or chose in a menu: asks the node, or opens what is here."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, QUrl, Signal
from PySide6.QtGui import QCursor, QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from peer.views import EntryId, MessageView, TransferState
from ui.peer_bridge import PeerBridge
from ui.theme.controls import Theme
from ui.transfers.acts import Act
from ui.transfers.board import Board
from ui.transfers.risky_dialog import RiskyDialog


class TransferActions(QObject):
    """One for a window; nothing that was received is opened but by a click that comes through here."""

    said = Signal(str)
    """A sentence to show for a moment."""

    def __init__(self, theme: Theme, bridge: PeerBridge, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bridge = bridge
        self._over = parent

    def do(self, message: MessageView, act: Act) -> None:
        """Do this with the attachment of a message; what plays or shows pictures is not for here."""
        entry = message.entry
        here: dict[Act, Callable[[], None]] = {
            Act.ACCEPT: partial(self._fetch, entry),
            Act.RETRY: partial(self._fetch, entry),
            Act.SAVE_AS: partial(self._save_as, message),
            Act.DECLINE: lambda: self._bridge.ask(self, lambda node: node.decline_file(entry)),
            Act.PAUSE: lambda: self._bridge.ask(self, lambda node: node.pause_file(entry)),
            Act.RESUME: lambda: self._bridge.ask(self, lambda node: node.resume_file(entry)),
            Act.CANCEL: lambda: self._bridge.ask(self, lambda node: node.cancel_file(entry)),
            Act.OPEN: partial(self._open, message),
            Act.SHOW_IN_FOLDER: partial(self._show_in_folder, message),
            Act.WHO_HAS: partial(self._show_board, message),
        }
        if act in here:
            here[act]()

    def _fetch(self, entry: EntryId) -> None:
        self._bridge.ask(self, lambda node: node.fetch_file(entry))

    def _save_at(self, entry: EntryId, place: Path) -> None:
        """Have it there: copied from here, or fetched; of a copy it is said when it is there."""

        def saved(message: MessageView) -> None:
            attachment = message.attachment
            if attachment is not None and attachment.state is TransferState.HERE:
                self.said.emit(self.tr("Saved: %1").replace("%1", attachment.path))

        self._bridge.ask(self, lambda node: node.fetch_file(entry, place), saved)

    def _save_as(self, message: MessageView) -> None:
        attachment = message.attachment
        assert attachment is not None
        downloads = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
        dialog = QFileDialog(self._over.window(), self.tr("Save as"), downloads)
        dialog.setObjectName("transfers.save_as")
        if attachment.is_folder:
            dialog.setFileMode(QFileDialog.FileMode.Directory)
        else:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.selectFile(attachment.name)

        def chosen(place: str) -> None:
            # Of a folder the place is chosen, of a file also its name.
            self._save_at(message.entry, Path(place) / attachment.name if attachment.is_folder else Path(place))

        dialog.fileSelected.connect(chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _open(self, message: MessageView) -> None:
        attachment = message.attachment
        assert attachment is not None
        if not attachment.risky:
            self._open_path(attachment.path)
            return
        dialog = RiskyDialog(self._theme, attachment, self._over.window())
        dialog.accepted.connect(partial(self._open_path, attachment.path))
        dialog.open()

    def _open_path(self, path: str) -> None:
        if not path or not Path(path).exists():
            self.said.emit(self.tr("The file is no longer in its place."))
        elif not QDesktopServices.openUrl(QUrl.fromLocalFile(path)):
            self.said.emit(self.tr("No program here opens this file. Show it in its folder instead."))

    def _show_in_folder(self, message: MessageView) -> None:
        attachment = message.attachment
        assert attachment is not None
        folder = Path(attachment.path).parent
        if not attachment.path or not folder.is_dir():
            self.said.emit(self.tr("The file is no longer in its place."))
        elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.said.emit(self.tr("The file is at %1").replace("%1", attachment.path))

    def _show_board(self, message: MessageView) -> None:
        board = Board(self._theme, self._over.window())
        board.show_holders(message)
        mouse, over = QCursor.pos(), self._over.rect()
        is_here = over.contains(self._over.mapFromGlobal(mouse))
        board.popup(mouse if is_here else self._over.mapToGlobal(over.center()))
