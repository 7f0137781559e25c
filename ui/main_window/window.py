"""The window: the sign-in card, or the conversations of who is signed in."""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QMainWindow, QStackedWidget

from peer import events
from peer.errors import RefusalCode
from peer.views import ConversationId, SessionView
from ui.calls.call_actions import CallActions
from ui.calls.call_desk import CallDesk
from ui.calls.ringer import Ringer
from ui.contacts.confirm_dialog import ConfirmDialog
from ui.conversation.deletions import UNDO_MS
from ui.login.hosting import Hosting, LocatorHost
from ui.login.leave_dialog import LeaveDialog
from ui.login.login_page import LoginPage
from ui.main_window.account_menu import AccountMenu
from ui.main_window.chat_page import ChatPage
from ui.main_window.toast import Toast
from ui.main_window.window_memory import WindowMemory
from ui.models.chat_state import ChatState
from ui.notifications.notifier import Notifier
from ui.notifications.settings import NotificationSettings, RingChoice
from ui.notifications.tray import Tray
from ui.peer_bridge import PeerBridge
from ui.settings.settings_dialog import SettingsDialog
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
        ring = RingChoice(memory.word("rings"), lambda word: memory.keep("rings", word))
        self._menu = AccountMenu(theme, self)
        self._settings = partial(SettingsDialog, theme, bridge, appearance, notifications, ring, self)
        self._tray = Tray(theme, self)
        self._notifier = Notifier(bridge, notifications, self._tray, self._is_in_sight, self._group_title, self)
        self.host = LocatorHost(memory.profile / "locator", self)
        """The locator hosted here: its link, and how to start and stop it."""
        self._may_close = self._may_hang_up = False
        self._leave: LeaveDialog | None = None
        self.login = LoginPage(theme, bridge, self.host, locator)
        actions = CallActions(bridge, self)
        self.calls = CallDesk(theme, self._state, actions, self._notifier, self, lambda: self._is_in_sight(None))
        # What is being recorded would have the ring in it.
        Ringer(bridge, self._state.calls, ring, lambda: self.chat.pane.recorder.is_on, self)
        self.chat = ChatPage(theme, bridge, self._state, self._menu, self.host, memory)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.login)
        self._pages.addWidget(self.chat)
        self.setCentralWidget(self.calls.crown(self._pages))
        self.toast = Toast(self)
        geometry = memory.geometry()
        if geometry is not None:
            self.restoreGeometry(geometry)
        self._connect()

    def _connect(self) -> None:
        self.login.signed_in.connect(self._signed_in)
        self.chat.said.connect(self.toast.say)
        deletions = self.chat.pane.messages.deletions
        deletions.begun.connect(lambda said: self.toast.offer(said, self.tr("Undo"), deletions.undo, UNDO_MS))
        deletions.over.connect(self.toast.withdraw)
        self._menu.log_out.connect(self._log_out)
        self._menu.quit.connect(self.quit)
        self._menu.settings_wanted.connect(self._open_settings)
        QShortcut(QKeySequence("Ctrl+,"), self.chat, self._open_settings)
        self._tray.opened.connect(self.come_forward)
        self._tray.quit.connect(self.quit)
        self._state.warned.connect(self.toast.say)
        self._state.messages_arrived.connect(self._notifier.messages_arrived)
        self._state.asked.connect(self._notifier.asked)
        self.host.failed.connect(self._hosting_failed)
        self._state.session_changed.connect(self._check_host)
        self._bridge.refused.connect(self.toast.say)
        self._bridge.events_arrived.connect(self._look_for_session)
        self._state.conversations.unread_changed.connect(self._unread_changed)
        self._notifier.conversation_wanted.connect(self._open_from_outside)
        self._notifier.requests_wanted.connect(self._requests_from_outside)
        self._notifier.window_wanted.connect(self.come_forward)
        self.chat.pane.in_sight.connect(self._notifier.seen)
        self.chat.pane.call_wanted.connect(self.calls.call)
        self.calls.said.connect(self.toast.say)
        self.calls.entered.connect(self.chat.pane.desk.playback.pause)
        self.calls.entered.connect(self.chat.pane.recorder.stop)

    def come_forward(self) -> None:
        """Be the window that the person sees."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def _open_settings(self) -> None:
        self._settings().open()

    def quit(self) -> None:
        """Close for good, tray or not."""
        self._is_quitting = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep what is being written, remember the place; go into the tray, or ask about a hosted locator, or end."""
        self.chat.pane.leave_tidy()
        self._memory.keep_geometry(bytes(self.saveGeometry().data()))
        if self._tray.exists and not self._is_quitting and self._state.session is not None:
            event.ignore()
            self._go_into_tray()
            return
        if self.calls.is_on and not self._may_hang_up:
            event.ignore()
            self._ask_about_call()
            return
        if self.host.state in {Hosting.ON, Hosting.STARTING} and not self._may_close:
            event.ignore()
            self._ask_about_host()
            return
        self.host.close()
        self.calls.close()
        super().closeEvent(event)
        self.closed.emit()

    def close_unasked(self) -> None:
        """Close because the system or a terminal wants it: what this window started ends with it."""
        self.host.end_child()
        self._may_close = self._may_hang_up = True
        self.quit()

    def _go_into_tray(self) -> None:
        self.hide()
        self.calls.main_hidden()
        if not self._memory.word("knows_tray"):
            self._memory.keep("knows_tray", "yes")
            self._tray.say("Hail", self.tr("Hail goes on here. Quit is in this icon's menu."))

    def _stay(self) -> None:
        self._is_quitting = False

    def _ask_about_call(self) -> None:
        question = ConfirmDialog(self.tr("You are in a call. Hang up and quit?"), self.tr("Hang up and quit"), self)
        question.accepted.connect(self._hang_up_and_close)
        question.rejected.connect(self._stay)
        question.open()

    def _hang_up_and_close(self) -> None:
        self.calls.hang_up()
        self._may_hang_up = True
        self.close()

    def _ask_about_host(self) -> None:
        if self._leave is None:
            self._leave = LeaveDialog(self)
            self._leave.stop.connect(self._stop_and_close)
            self._leave.keep.connect(self._keep_and_close)
            self._leave.rejected.connect(self._stay)
        self._leave.open()

    def _stop_and_close(self) -> None:
        self.hide()
        self.host.end()
        self._may_close = True
        self.close()

    def _keep_and_close(self) -> None:
        self.host.leave()
        self._may_close = True
        self.close()

    def _hosting_failed(self, sentence: str) -> None:
        if self._pages.currentWidget() is self.chat:
            self.toast.say(sentence)

    def _check_host(self) -> None:
        """Find out why the locator is gone, if it was the one here."""
        session = self._state.session
        if session is not None and not session.connected:
            self.host.check()

    def _look_for_session(self, batch: list[events.Event]) -> None:
        """Follow what `hail-cli` does through this window's socket: somebody signs out, or in."""
        for event in batch:
            shown = self._state.session
            if shown is not None and isinstance(event, events.Disconnected | events.Connected):
                signed_out = isinstance(event, events.Disconnected) and event.code is RefusalCode.NOT_SIGNED_IN
                if signed_out or event.session.user != shown.user:
                    self._logged_out(None)
            if self._state.session is None and isinstance(event, events.Connected):
                self._bridge.ask(self, lambda node: node.session(), self._session_came)

    def _session_came(self, session: SessionView | None) -> None:
        if self._state.session is None:
            self.login.take(session)

    def _signed_in(self, session: SessionView) -> None:
        self._state.begin(session)
        self._pages.setCurrentWidget(self.chat)
        self.chat.sidebar.take_focus()

    def _log_out(self) -> None:
        self.chat.pane.leave_tidy()
        self._bridge.ask(self, lambda node: node.log_out(), self._logged_out, self._log_out_refused)

    def _log_out_refused(self, code: RefusalCode, message: str) -> None:
        if code is RefusalCode.NOT_SIGNED_IN:
            self._logged_out(None)
        else:
            self.toast.say(refusal_text(code, message))

    def _logged_out(self, _nothing: None) -> None:
        for settings in self.findChildren(SettingsDialog):
            settings.reject()  # they were of who was signed in
        self.chat.close_conversation()
        self._state.end()
        self._pages.setCurrentWidget(self.login)

    def _is_in_sight(self, conversation: ConversationId | None) -> bool:
        return self.isActiveWindow() and conversation in {None, self.chat.pane.conversation}

    def _group_title(self, conversation: ConversationId) -> str:
        view = self._state.conversations.conversation(conversation)
        return view.title if view is not None and view.user is None else ""

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
