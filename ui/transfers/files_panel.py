"""The Files panel, at the right of a conversation: its shared folder."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from peer.views import ConversationId
from ui.peer_bridge import PeerBridge
from ui.theme import fonts
from ui.theme.controls import IconButton, Text, Theme
from ui.theme.empty_state import EmptyState
from ui.theme.tokens import HEADER_HEIGHT
from ui.transfers.files_list import FilesList
from ui.transfers.files_model import FilesModel
from ui.transfers.picture_store import PictureStore

WIDTH = 360


class FilesPanel(QWidget):
    """Shows the files of one conversation while it is open."""

    closed = Signal()

    def __init__(self, theme: Theme, bridge: PeerBridge, store: PictureStore) -> None:
        super().__init__()
        self.setObjectName("files")
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._bridge = bridge
        self._model: FilesModel | None = None
        self.list = FilesList(theme, store)
        self._empty = EmptyState(
            theme,
            "folder-open",
            self.tr("No files yet"),
            self.tr("Whatever is shared in this conversation stands here. Drop a file on it to begin."),
            name="files.empty",
        )
        self._close = IconButton(theme, "x", self.tr("Close (Esc)"), name="files.close")
        self._close.clicked.connect(self.closed)
        head = QWidget()
        head.setProperty("role", "header")
        head.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        head.setFixedHeight(HEADER_HEIGHT)
        line = QHBoxLayout(head)
        line.setContentsMargins(16, 0, 12, 0)
        line.addWidget(Text(self.tr("Files"), face=fonts.bold(fonts.TITLE)), 1)
        line.addWidget(self._close)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.list)
        self._pages.addWidget(self._empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(head)
        layout.addWidget(self._pages, 1)
        self.hide()

    def show_files(self, conversation: ConversationId | None) -> None:
        """List the files of a conversation, or of none."""
        old, self._model = self._model, None
        if conversation is not None:
            self._model = FilesModel(self._bridge, conversation, self)
            for signal in (self._model.loaded, self._model.rowsInserted):
                signal.connect(self._choose_page)
        self.list.setModel(self._model)
        if old is not None:
            old.deleteLater()
        self._choose_page()

    def take_focus(self) -> None:
        """Go on by the keyboard here."""
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close at Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _choose_page(self) -> None:
        is_empty = self._model is not None and self._model.is_loaded and self._model.rowCount() == 0
        self._pages.setCurrentWidget(self._empty if is_empty else self.list)
