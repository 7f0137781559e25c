"""The window: the sign-in card, or the conversations of who is signed in."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget

from peer.errors import RefusalCode
from peer.views import SessionView
from ui.login.login_page import LoginPage
from ui.main_window.chat_page import ChatPage
from ui.main_window.toast import Toast
from ui.main_window.window_memory import WindowMemory
from ui.models.chat_state import ChatState
from ui.peer_bridge import PeerBridge
from ui.theme.controls import Theme
from ui.translations.refusals import refusal_text

_SIZE = (1080, 720)
_SMALLEST = (360, 480)


class MainWindow(QMainWindow):
    """Shows one of two pages, and the sentences that concern all of them."""

    closed = Signal()

    def __init__(self, theme: Theme, bridge: PeerBridge, memory: WindowMemory, locator: str = "") -> None:
        super().__init__()
        self.setObjectName("main")
        self.setWindowTitle("Hail")
        self.setWindowIcon(theme.icons.icon("message-circle", theme.tokens.accent, 64))
        self.setMinimumSize(*_SMALLEST)
        self.resize(*_SIZE)
        self._bridge = bridge
        self._memory = memory
        self._state = ChatState(bridge, self)
        self.login = LoginPage(theme, bridge, locator)
        self.chat = ChatPage(theme, bridge, self._state)
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
        self.chat.sidebar.own_line.log_out.connect(self._log_out)
        self.chat.sidebar.own_line.quit.connect(self.close)
        self._state.warned.connect(self.toast.say)
        self._bridge.refused.connect(self.toast.say)
        self._state.conversations.unread_changed.connect(self._unread_changed)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the place, and let the program end."""
        self._memory.keep(bytes(self.saveGeometry().data()))
        super().closeEvent(event)
        self.closed.emit()

    def _signed_in(self, session: SessionView) -> None:
        self._state.begin(session)
        self._pages.setCurrentWidget(self.chat)
        self.chat.sidebar.take_focus()

    def _log_out(self) -> None:
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

    def _unread_changed(self, unread: int) -> None:
        self.setWindowTitle(f"({unread}) Hail" if unread else "Hail")
