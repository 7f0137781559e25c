"""Choosing the conversation into which messages are sent once more."""

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListView, QWidget

from peer.views import ConversationView
from ui.main_window.conversation_delegate import ConversationDelegate
from ui.models.conversation_list import ConversationListModel
from ui.models.roles import Role
from ui.theme.controls import PushButton, Theme
from ui.theme.dialogs import CardDialog
from ui.theme.search_field import SearchField
from ui.theme.tokens import ROW_HEIGHT

_SHOWN_ROWS = 5


class _Writable(QSortFilterProxyModel):
    """The conversations in which something can be written, by their titles."""

    def filterAcceptsRow(self, row: int, parent: QModelIndex | QPersistentModelIndex) -> bool:
        """Tell whether a conversation is offered."""
        view = self.sourceModel().index(row, 0, parent).data(Role.VIEW)
        return isinstance(view, ConversationView) and view.can_write and bool(super().filterAcceptsRow(row, parent))


class ForwardDialog(CardDialog):
    """In the search, Down goes to the list and Enter takes the first that was found."""

    chosen = Signal(object)
    """The `ConversationView`."""

    def __init__(self, theme: Theme, conversations: ConversationListModel, count: int, parent: QWidget) -> None:
        super().__init__(parent, name="forward")
        self.begin(self.tr("Forward to") if count == 1 else self.tr("Forward %n messages to", "", count))
        self._search = SearchField(theme, self.tr("Search conversations"), name="forward.search")
        self._model = _Writable(self)
        self._model.setSourceModel(conversations)
        self._model.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        # Kept here: a view does not own its delegate.
        self._delegate = ConversationDelegate(theme)
        self._list = QListView()
        self._list.setObjectName("forward.list")
        self._list.setAccessibleName(self.tr("Conversations"))
        self._list.setProperty("role", "grid")
        self._list.setModel(self._model)
        self._list.setItemDelegate(self._delegate)
        self._list.setUniformItemSizes(True)
        self._list.setMouseTracking(True)
        self._list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setMinimumHeight(2 * ROW_HEIGHT)
        self._list.clicked.connect(self._choose)
        self._list.activated.connect(self._choose)
        cancel = PushButton(self.tr("Cancel"), name="forward.cancel")
        cancel.clicked.connect(self.reject)
        self.content.addWidget(self._search)
        self.content.addWidget(self._list, 1)
        self.end(cancel)
        self.resize(self.minimumWidth(), min(_SHOWN_ROWS * ROW_HEIGHT + 190, max(300, parent.height() - 48)))
        self._search.textChanged.connect(self._model.setFilterFixedString)
        self._search.installEventFilter(self)
        self._search.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the keys of the search reach the list."""
        if watched is self._search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                self._choose(self._model.index(0, 0))
                return True
            if event.key() == Qt.Key.Key_Down and self._model.rowCount():
                self._list.setCurrentIndex(self._model.index(0, 0))
                self._list.setFocus(Qt.FocusReason.TabFocusReason)
                return True
        return super().eventFilter(watched, event)

    def _choose(self, index: QModelIndex) -> None:
        view = index.data(Role.VIEW)
        if isinstance(view, ConversationView) and self.isVisible():
            self.accept()
            self.chosen.emit(view)
