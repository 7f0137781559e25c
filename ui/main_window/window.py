"""The window: the sign-in card, or the conversations of who is signed in."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget

from peer.errors import RefusalCode
from peer.views import ConversationId, SessionView
from ui.login.login_page import LoginPage
from ui.main_window.account_menu import AccountMenu
from ui.main_window.chat_page import ChatPage
from ui.main_window.toast import Toast
from ui.main_window.window_memory import WindowMemory
from ui.models.chat_state import ChatState
from ui.notifications.notifier import Notifier
from ui.notifications.settings import NotificationSettings
from ui.notifications.tray import Tray
from ui.peer_bridge import PeerBridge
from ui.theme.appearance import Appearance
from ui.theme.controls import Theme
from ui.translations.refusals import refusal_text

_SIZE = (1080, 720)
_WINDOW_ICON = 64
_SMALLEST = (360, 480)


class MainWindow(QMainWindow):
    """Shows one of two pages, and the sentences that concern all of them."""

    closed = Signal()

    def __init__(
        self, theme: Theme, bridge: PeerBridge, memory: WindowMemory, appearance: Appearance, locator: str = ""
    ) -> None:
        super().__init__()
        self.setObjectName("main")
        self.setWindowTitle("Hail")
        theme.dress(
            self, lambda to: to.setWindowIcon(theme.icons.icon("message-circle", theme.tokens.accent, _WINDOW_ICON))
        )
        self.setMinimumSize(*_SMALLEST)
        self.resize(*_SIZE)
        self._bridge = bridge
        self._memory = memory
        self._is_quitting = False
        self._state = ChatState(bridge, self)
        notifications = NotificationSettings(
            memory.word("notifications"), lambda word: memory.keep("notifications", word)
        )
        self._menu = AccountMenu(theme, appearance, notifications, self)
        self._tray = Tray(theme, self)
        self._notifier = Notifier(bridge, notifications, self._tray, self._is_in_sight, self)
        self.login = LoginPage(theme, bridge, locator)
        self.chat = ChatPage(theme, bridge, self._state, self._menu)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.login)
        self._pages.addWidget(self.chat)
        self.setCentralWidget(self._pages)
        self.toast = Toast(self)
        geometry = memory.geometry()
        if geometry is not None:
            self.restoreGeometry(geometry)
        self._connect()

    def _connect(self) -> None:
        self.login.signed_in.connect(self._signed_in)
        self.chat.said.connect(self.toast.say)
        self._menu.log_out.connect(self._log_out)
        self._menu.quit.connect(self.quit)
        self._tray.opened.connect(self.come_forward)
        self._tray.quit.connect(self.quit)
        self._state.warned.connect(self.toast.say)
        self._state.messages_arrived.connect(self._notifier.messages_arrived)
        self._state.asked.connect(self._notifier.asked)
        self._bridge.refused.connect(self.toast.say)
        self._state.conversations.unread_changed.connect(self._unread_changed)
        self._notifier.conversation_wanted.connect(self._open_from_outside)
        self._notifier.requests_wanted.connect(self._requests_from_outside)
        self.chat.pane.in_sight.connect(self._notifier.seen)

    def come_forward(self) -> None:
        """Be the window that the person sees."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def quit(self) -> None:
        """Close for good, tray or not."""
        self._is_quitting = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep what is being written, remember the place; go into the tray, or let the program end."""
        self.chat.pane.keep_draft()
        self._memory.keep_geometry(bytes(self.saveGeometry().data()))
        if self._tray.exists and not self._is_quitting and self._state.session is not None:
            event.ignore()
            self.hide()
            if not self._memory.word("knows_tray"):
                self._memory.keep("knows_tray", "yes")
                self._tray.say("Hail", self.tr("Hail goes on here. Quit is in this icon's menu."))
            return
        super().closeEvent(event)
        self.closed.emit()

    def _signed_in(self, session: SessionView) -> None:
        self._state.begin(session)
        self._pages.setCurrentWidget(self.chat)
        self.chat.sidebar.take_focus()

    def _log_out(self) -> None:
        self.chat.pane.keep_draft()
        self._bridge.ask(self, lambda node: node.log_out(), self._logged_out, self._log_out_refused)

    def _log_out_refused(self, code: RefusalCode, message: str) -> None:
        if code is RefusalCode.NOT_SIGNED_IN:
            self._logged_out(None)
        else:
            self.toast.say(refusal_text(code, message))

    def _logged_out(self, _nothing: None) -> None:
        self.chat.close_conversation()
        self._state.end()
        self._pages.setCurrentWidget(self.login)

    def _is_in_sight(self, conversation: ConversationId | None) -> bool:
        return self.isActiveWindow() and conversation in {None, self.chat.pane.conversation}

    def _open_from_outside(self, conversation: ConversationId) -> None:
        self.come_forward()
        view = self._state.conversations.conversation(conversation)
        if view is not None:
            self.chat.open(view)

    def _requests_from_outside(self) -> None:
        self.come_forward()
        if self._state.session is not None:
            self.chat.show_requests()

    def _unread_changed(self, unread: int) -> None:
        self._tray.show_unread(unread)
        self.setWindowTitle(f"({unread}) Hail" if unread else "Hail")
