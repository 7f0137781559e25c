"""List and conversation side by side; in a narrow window one of them at a time."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QWidget

from peer.views import ContactView, ConversationView, SessionView
from ui.account.password_dialog import PasswordDialog
from ui.contacts.actions import ContactActions
from ui.contacts.add_dialog import AddContactDialog
from ui.contacts.requests_dialog import RequestsDialog
from ui.conversation.pane import ConversationPane
from ui.groups.actions import GroupActions
from ui.groups.members_dialog import MembersDialog
from ui.groups.new_group_dialog import NewGroupDialog
from ui.login.hosting import LocatorHost
from ui.login.share_line import ShareLine
from ui.main_window.account_menu import AccountMenu
from ui.main_window.sidebar import Sidebar
from ui.main_window.window_memory import WindowMemory
from ui.models.chat_state import ChatState
from ui.peer_bridge import PeerBridge
from ui.theme.controls import PushButton, Theme
from ui.theme.empty_state import EmptyState
from ui.theme.tokens import NARROWEST_SIDEBAR, ONE_COLUMN_BELOW, SIDEBAR_WIDTH

_SHARE_WIDTH = 320


class ChatPage(QWidget):
    """What a signed-in person sees."""

    said = Signal(str)
    """A sentence to show for a moment."""

    def __init__(
        self,
        theme: Theme,
        bridge: PeerBridge,
        state: ChatState,
        menu: AccountMenu,
        host: LocatorHost,
        memory: WindowMemory,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._bridge = bridge
        self._state = state
        self._actions = ContactActions(bridge, state, self)
        self._group_actions = GroupActions(bridge, state, self)
        self.sidebar = Sidebar(theme, state, menu)
        self._menu = menu
        self.sidebar.setMinimumWidth(NARROWEST_SIDEBAR)
        self.pane = ConversationPane(theme, bridge, state, self._actions, self._group_actions, memory)
        group = PushButton(self.tr("New group"), name="conversation.none.new_group")
        group.clicked.connect(self._new_group)
        self._choose = EmptyState(
            theme,
            "messages-square",
            self.tr("No conversation is open"),
            self.tr("Choose one on the left, add a contact, or make a group."),
            group,
            name="conversation.none",
        )
        share = ShareLine(
            theme, host, self.tr("This computer hosts the locator. Friends elsewhere need its link to sign in:")
        )
        share.setFixedWidth(_SHARE_WIDTH)
        share.setVisible(bool(host.link))
        host.changed.connect(lambda: share.setVisible(bool(host.link)))
        self._welcome = EmptyState(
            theme,
            "message-circle",
            self.tr("You are in"),
            self.tr("Add a friend by their ID. As soon as they accept, you can write to each other."),
            share,
            name="conversation.first",
        )
        self._welcome_back = EmptyState(
            theme,
            "monitor-smartphone",
            self.tr("You are in, on a new device"),
            self.tr(
                "Your contacts, groups and messages come back from your friends, once they have confirmed that this "
                "device is yours. They see that you use a new one: tell them, in person or by phone, that it is you."
            ),
            name="conversation.new_device_of_mine",
        )
        self._right = QStackedWidget()
        for page in (self._choose, self._welcome, self._welcome_back):
            page.setProperty("role", "chat")
            page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            self._right.addWidget(page)
        self._right.addWidget(self.pane)
        self._password: PasswordDialog | None = None
        self._must_change = False
        self._splitter = QSplitter()
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setHandleWidth(1)
        self._splitter.addWidget(self.sidebar)
        self._splitter.addWidget(self._right)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([SIDEBAR_WIDTH, SIDEBAR_WIDTH * 2])
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._splitter)
        self._connect()

    def _connect(self) -> None:
        self.sidebar.opened.connect(self.open)
        self.sidebar.own_line.add_contact.connect(self._add_contact)
        self.sidebar.own_line.new_group.connect(self._new_group)
        self.sidebar.own_line.show_requests.connect(self.show_requests)
        self._menu.copied.connect(self.said)
        self._menu.change_password.connect(self._change_password)
        self._state.session_changed.connect(self._session_changed)
        self.sidebar.banner.use_here.connect(self._use_here)
        self.sidebar.banner.change_password.connect(self._change_password)
        self.pane.header.members_wanted.connect(self._show_members)
        self.pane.back.connect(self.close_conversation)
        rows = self._state.conversations
        for signal in (rows.rowsInserted, rows.rowsRemoved, rows.modelReset):
            signal.connect(self._conversations_changed)
        self._conversations_changed()

    def open(self, conversation: ConversationView) -> None:
        """Show a conversation."""
        self._right.setCurrentWidget(self.pane)
        self._fit()
        self.pane.open(conversation)
        self.sidebar.select(conversation.conversation)

    def close_conversation(self) -> None:
        """Show the list only."""
        self._right.setCurrentWidget(self._empty_page())
        self.pane.close_conversation()
        self.sidebar.select(None)
        self._fit()
        self.sidebar.take_focus()

    def _empty_page(self) -> QWidget:
        """Return what stands in the place of a conversation: who has none is told how to get one."""
        if self._state.conversations.rowCount():
            return self._choose
        session = self._state.session
        return self._welcome_back if session is not None and session.other_devices else self._welcome

    def _conversations_changed(self) -> None:
        if self._right.currentWidget() is not self.pane:
            self._right.setCurrentWidget(self._empty_page())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Change between two columns and one."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        narrow = self.width() < ONE_COLUMN_BELOW
        is_open = self._right.currentWidget() is self.pane
        self.sidebar.setVisible(not (narrow and is_open))
        self._right.setVisible(not narrow or is_open)
        self.pane.header.show_back(shown=narrow)

    def _add_contact(self) -> None:
        dialog = AddContactDialog(self._actions, self.window())
        dialog.asked.connect(self._asked)
        dialog.open()

    def _new_group(self) -> None:
        dialog = NewGroupDialog(self._theme, self._state.contacts, self._group_actions, self.window())
        dialog.made.connect(self.open)
        dialog.open()

    def _show_members(self) -> None:
        group = self.pane.conversation
        if group is not None:
            dialog = MembersDialog(self._theme, self._state, self._group_actions, self._actions, group, self.window())
            dialog.write_wanted.connect(self._write_to)
            dialog.open()

    def _write_to(self, user: str) -> None:
        view = self._state.conversations.with_user(user)
        if view is not None:
            self.open(view)

    def show_requests(self) -> None:
        """Show who waits for an answer."""
        RequestsDialog(self._theme, self._state.contacts, self._actions, self.window()).open()

    def _asked(self, contact: ContactView) -> None:
        sentence = self.tr("You asked %1. You can write to each other as soon as they accept.")
        self.said.emit(sentence.replace("%1", contact.name))

    def _session_changed(self) -> None:
        session = self._state.session
        self._menu.show_session(session)
        self._conversations_changed()
        must_change = session is not None and session.must_change_password
        if must_change and not self._must_change:
            self._change_password()
        elif self._must_change and not must_change and self._password is not None:
            self._password.withdraw()
        self._must_change = must_change

    def _change_password(self) -> None:
        session = self._state.session
        is_wanted = session is not None and session.must_change_password
        self._password = PasswordDialog(self._theme, self._bridge, self.window(), is_wanted=is_wanted)
        self._password.changed.connect(lambda: self.said.emit(self.tr("Your password was changed.")))
        self._password.finished.connect(self._forget_password_dialog)
        self._password.open()

    def _forget_password_dialog(self) -> None:
        self._password = None

    def _use_here(self) -> None:
        self._bridge.ask(self, lambda node: node.resume(), self._resumed)

    def _resumed(self, session: SessionView) -> None:
        self._state.take_session(session)
