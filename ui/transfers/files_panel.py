"""The Files panel, at the right of a conversation: its shared folder."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from peer.views import ConversationId, MessageKind, SharedAt
from ui.peer_bridge import PeerBridge
from ui.theme import fonts
from ui.theme.controls import IconButton, Text, Theme
from ui.theme.empty_state import EmptyState
from ui.theme.tabs import Tabs
from ui.theme.tokens import HEADER_HEIGHT
from ui.transfers.files_list import FilesList
from ui.transfers.files_model import FilesModel
from ui.transfers.picture_store import PictureStore

WIDTH = 360
_TYPING_MS = 150
"""Whoever types on is waited for."""
_KINDS = (
    frozenset[MessageKind](),
    frozenset({MessageKind.PICTURE}),
    frozenset({MessageKind.FILE}),
    frozenset({MessageKind.VOICE}),
)
"""What each tab shows."""


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
        self._conversation: ConversationId | None = None
        self.list = FilesList(theme, store)
        self._empty = EmptyState(
            theme,
            "folder-open",
            self.tr("No files yet"),
            self.tr("Whatever is shared in this conversation stands here. Drop a file on it to begin."),
            name="files.empty",
        )
        self._nothing = EmptyState(
            theme,
            "search",
            self.tr("Nothing is found"),
            self.tr("Try fewer letters, or look among all kinds."),
            name="files.nothing",
        )
        self._tabs = Tabs(
            [
                ("files.tab.all", self.tr("All")),
                ("files.tab.pictures", self.tr("Pictures")),
                ("files.tab.files", self.tr("Files")),
                ("files.tab.voice", self.tr("Voice")),
            ]
        )
        self._tabs.setContentsMargins(12, 0, 12, 8)
        self._tabs.chosen.connect(self._choose_kind)
        self._kinds: frozenset[MessageKind] = frozenset()
        self._search = QLineEdit()
        self._search.setObjectName("files.search")
        self._search.setPlaceholderText(self.tr("Name, caption or person"))
        self._search.setAccessibleName(self.tr("Search the files"))
        self._pause = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._pause.timeout.connect(self._look)
        self._search.textChanged.connect(self._pause.start)
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
        self._pages.addWidget(self._nothing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 0, 0, 0)
        layout.setSpacing(0)
        search = QVBoxLayout()
        search.setContentsMargins(16, 12, 16, 10)
        search.addWidget(self._search)
        layout.addWidget(head)
        layout.addLayout(search)
        layout.addWidget(self._tabs)
        layout.addWidget(self._pages, 1)
        self.hide()

    def show_files(self, conversation: ConversationId | None) -> None:
        """List the files of a conversation, or of none; what was searched for in another one is not here."""
        if conversation != self._conversation:
            self._conversation = conversation
            self._search.clear()
            self._pause.stop()
        self._look()

    def _choose_kind(self, number: int) -> None:
        self._kinds = _KINDS[number]
        self._look()

    def _look(self) -> None:
        """List what is wanted now."""
        old, self._model = self._model, None
        if self._conversation is not None:
            wanted = SharedAt(kinds=self._kinds, words=self._search.text())
            self._model = FilesModel(self._bridge, self._conversation, wanted, self)
            for signal in (self._model.loaded, self._model.rowsInserted, self._model.rowsRemoved):
                signal.connect(self._choose_page)
        self.list.setModel(self._model)
        if old is not None:
            old.deleteLater()
        self._choose_page()

    def take_focus(self) -> None:
        """Go on by the keyboard here."""
        self.list.take_focus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear the search at Esc, then close; go on in the list with the arrow."""
        if event.key() == Qt.Key.Key_Escape and self._search.text():
            self._search.clear()
        elif event.key() == Qt.Key.Key_Down and self._search.hasFocus():
            self.list.take_focus()
        elif event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _choose_page(self) -> None:
        is_empty = self._model is not None and self._model.is_loaded and self._model.rowCount() == 0
        seeks = bool(self._kinds or self._search.text().strip())
        self._pages.setCurrentWidget(self.list if not is_empty else self._nothing if seeks else self._empty)
