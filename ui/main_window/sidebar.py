"""The left side of the window: me, the tabs, the conversations, and how it stands with the locator."""

from collections.abc import Sequence

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QListView, QStackedWidget, QVBoxLayout, QWidget

from peer.views import ConversationId, ConversationView
from ui.main_window.account_menu import AccountMenu
from ui.main_window.banner import ConnectionBanner
from ui.main_window.conversation_delegate import ConversationDelegate
from ui.main_window.first_steps import FirstSteps
from ui.main_window.own_line import OwnLine
from ui.models.chat_state import ChatState
from ui.models.conversation_list import UnreadFilter
from ui.models.roles import Role
from ui.theme.controls import Theme
from ui.theme.empty_state import EmptyState
from ui.theme.tabs import Tabs

Index = QModelIndex | QPersistentModelIndex


class ConversationList(QListView):
    """Rows of one height: a changed row is painted again, and no other."""

    def dataChanged(self, top_left: Index, bottom_right: Index, roles: Sequence[int] = ()) -> None:
        """Leave out what QListView does here: a layout of the whole list."""
        QAbstractItemView.dataChanged(self, top_left, bottom_right, roles)


class Sidebar(QWidget):
    """Lists the conversations; a click or Enter opens one."""

    opened = Signal(object)
    """The view of the conversation."""

    def __init__(self, theme: Theme, state: ChatState, menu: AccountMenu) -> None:
        super().__init__()
        self.setProperty("role", "side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state = state
        self.own_line = OwnLine(theme, menu)
        self.banner = ConnectionBanner(theme)
        self._filter = UnreadFilter(self)
        self._filter.setSourceModel(state.conversations)
        self._delegate = ConversationDelegate(theme)
        self.list = self._make_list()
        self._tabs = Tabs([("main.tab.all", self.tr("All")), ("main.tab.unread", self.tr("Unread"))])
        self._pages = QStackedWidget()
        self._first_steps = FirstSteps(theme)
        self._first_steps.add_contact.connect(self.own_line.add_contact)
        self._first_steps.copy_id.connect(menu.copy_id)
        self._nobody = EmptyState(
            theme,
            "messages-square",
            self.tr("No conversations yet"),
            "",
            self._first_steps,
            name="main.empty",
        )
        self._all_read = EmptyState(
            theme,
            "check-check",
            self.tr("Everything is read"),
            self.tr("New messages appear here."),
            name="main.all_read",
        )
        self._build()
        self._connect()
        self._choose_page()

    def select(self, conversation: ConversationId | None) -> None:
        """Mark the open conversation."""
        self._filter.keep(conversation)
        row = -1 if conversation is None else self._state.conversations.row_of(conversation)
        index = self._filter.mapFromSource(self._state.conversations.index(row)) if row >= 0 else QModelIndex()
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        if index.isValid():
            self.list.selectionModel().setCurrentIndex(index, flags)
            self.list.scrollTo(index)
        else:
            self.list.selectionModel().clear()

    def take_focus(self) -> None:
        """Have the focus: in the list, or nowhere in particular when it is empty."""
        target: QWidget = self.list if self.list.isVisible() else self
        target.setFocus(Qt.FocusReason.OtherFocusReason)

    def _make_list(self) -> QListView:
        rows = ConversationList()
        rows.setObjectName("main.conversations")
        rows.setAccessibleName(self.tr("Conversations"))
        rows.setModel(self._filter)
        rows.setItemDelegate(self._delegate)
        rows.setUniformItemSizes(True)
        rows.setMouseTracking(True)
        rows.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        return rows

    def _build(self) -> None:
        self._tabs.setContentsMargins(10, 4, 10, 6)
        for page in (self.list, self._nobody, self._all_read):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.own_line)
        layout.addWidget(self._tabs)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self.banner)
        QWidget.setTabOrder(self._tabs, self.list)

    def _connect(self) -> None:
        self.list.clicked.connect(self._open)
        self.list.activated.connect(self._open)
        self._tabs.chosen.connect(lambda number: self._show_only_unread(only=number == 1))
        self._state.session_changed.connect(self._session_changed)
        self._state.conversations.unread_changed.connect(self._unread_changed)
        for signal in (self._filter.rowsInserted, self._filter.rowsRemoved, self._filter.modelReset):
            signal.connect(self._choose_page)
        self._state.contacts.person_changed.connect(self._count_requests)
        self._state.contacts.modelReset.connect(self._count_requests)

    def _open(self, index: QModelIndex) -> None:
        view = index.data(Role.VIEW)
        if isinstance(view, ConversationView):
            self.opened.emit(view)

    def _show_only_unread(self, *, only: bool) -> None:
        self._filter.show_only_unread(only=only)
        self._choose_page()

    def _choose_page(self) -> None:
        if self._filter.rowCount():
            self._pages.setCurrentWidget(self.list)
        else:
            self._pages.setCurrentWidget(self._all_read if self._state.conversations.rowCount() else self._nobody)

    def _session_changed(self) -> None:
        self.own_line.show_session(self._state.session)
        self.banner.show_session(self._state.session)
        self._first_steps.show_session(self._state.session)
        self._nobody.say(self._what_comes())

    def _what_comes(self) -> str:
        if self._state.session is not None and self._state.session.other_devices:
            return self.tr("They come back once your friends have confirmed this new device. Tell them that it is you.")
        return self.tr("Add somebody by their ID. When they accept, you can write to each other.")

    def _unread_changed(self, unread: int) -> None:
        self._tabs.rename(1, f"{self.tr('Unread')} {unread}" if unread else self.tr("Unread"))

    def _count_requests(self) -> None:
        self.own_line.show_requests_count(len(self._state.contacts.received()))
