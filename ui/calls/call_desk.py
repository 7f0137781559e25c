"""Shows the calls there are: in a window of their own, in the bar and the card of the main window, or small."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from peer.call_views import CallEnd, CallLevelsView, CallView
from peer.views import ConversationId, UserId
from ui.calls.call_actions import CallActions
from ui.calls.call_bar import CallBar
from ui.calls.call_clock import CallClock
from ui.calls.call_window import CallWindow, dress_dark
from ui.calls.incoming_card import ANSWER_KEYS, DECLINE_KEYS, IncomingCard, IncomingWindow
from ui.calls.small_call import SmallCall
from ui.calls.why_not import why_not
from ui.models.call_book import is_ours
from ui.models.chat_state import ChatState
from ui.notifications.notifier import Notifier
from ui.theme.controls import Theme
from ui.theme.tokens import CALL
from ui.translations import calls

MUTE_KEYS, HANG_UP_KEYS = "Ctrl+M", "Ctrl+Shift+H"


class CallDesk(QObject):
    """One for the program. Its windows are made when the first call needs them."""

    said = Signal(str)
    """A sentence to show for a moment."""
    entered = Signal()
    """A call has begun in which we are: whatever else sounds should stop."""

    def __init__(
        self,
        theme: Theme,
        state: ChatState,
        actions: CallActions,
        notifier: Notifier,
        main: QWidget,
        is_in_front: Callable[[], bool],
    ) -> None:
        """`is_in_front` tells whether a person looks at the main window."""
        super().__init__(main)
        self._theme = theme
        self._state = state
        self._book = state.calls
        self._actions = actions
        self._notifier = notifier
        self._main = main
        self._is_in_front = is_in_front
        self._dark = Theme(CALL)
        self._clock = CallClock(self)
        self.bar = CallBar(theme)
        self.card = IncomingCard(theme, name="incoming_card")
        self.card.hide()
        self.window: CallWindow | None = None
        self.small: SmallCall | None = None
        self.outside: IncomingWindow | None = None
        """The card as a window of its own."""
        self._over: CallView | None = None
        """The call whose end the window shows."""
        self._connect()

    def crown(self, page: QWidget) -> QWidget:
        """Return a widget that has the bar and the card above this page."""
        whole = QWidget()
        layout = QVBoxLayout(whole)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (self.card, self.bar):
            layout.addWidget(part)
        layout.addWidget(page, 1)
        return whole

    @property
    def is_on(self) -> bool:
        """Whether we are in a call."""
        return self._book.current is not None

    def call(self, conversation: ConversationId) -> None:
        """Call, join, or show the call that is on."""
        current = self._book.current
        if current is None:
            self._actions.start(conversation)
        elif current.conversation == conversation:
            self._show_window()

    def close(self) -> None:
        """The program ends: so do its windows."""
        for window in (self.window, self.small, self.outside):
            if window is not None:
                window.blockSignals(True)
                window.close()
                window.deleteLater()
        self.window = self.small = self.outside = None

    # --- what happens ------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._book.changed.connect(self._changed)
        self._book.levels_changed.connect(self._levels)
        self._book.missed.connect(lambda call: self.said.emit(calls.ended(call)))
        self._actions.refused.connect(self.said)
        self._clock.told.connect(self._time)
        self._state.session_changed.connect(self._session_changed)
        self.bar.back_wanted.connect(self._show_window)
        self.bar.mute_wanted.connect(self._mute)
        self.bar.hang_up_wanted.connect(self.hang_up)
        self.card.answered.connect(self._answer)
        self.card.declined.connect(self._decline)
        for keys, act in (
            (ANSWER_KEYS, self._answer),
            (DECLINE_KEYS, self._decline),
            (MUTE_KEYS, self._toggle_mute),
            (HANG_UP_KEYS, self.hang_up),
        ):
            QShortcut(QKeySequence(keys), self._main, act)

    def _changed(self, call: CallView) -> None:
        if is_ours(call):
            self._ours_changed(call)
        elif self.window is not None and self.window.shows(call):
            self._ended(call)
        self._show_incoming()
        self._show_bar()

    def _ours_changed(self, call: CallView) -> None:
        is_new = self.window is None or self._over is not None or not self.window.shows(call)
        self._clock.run(call.started_at)
        window = self._the_window()
        window.show_call(call)
        if self.small is not None:
            self.small.show_call(call)
        window.show_time(self._clock.shown())
        if is_new:
            self._over = None
            self.entered.emit()
            self._show_window()

    def _ended(self, call: CallView) -> None:
        """The call of the window is over, or a group's goes on without us."""
        assert self.window is not None
        before, self._over = self._over, call
        if before is not None and before.state is call.state:
            return  # others come and go in a group's call
        self._clock.run(None)
        was_small = self.small is not None and self.small.isVisible()
        was_away = not was_small and (not self.window.isVisible() or self.window.isMinimized())
        self._hide_small()
        self.window.show_call(call)
        self._let_call_again()
        if was_away or self._actions.hung_up_here(call) or call.reason is CallEnd.ELSEWHERE:
            self.window.close()
        elif was_small:
            self.window.appear()
        if was_away and before is None and not self._actions.hung_up_here(call):
            self.said.emit(calls.ended(call))

    def _levels(self, levels: CallLevelsView) -> None:
        if self.window is not None:
            self.window.show_levels(levels)
        if self.small is not None:
            self.small.show_levels(levels)

    def _time(self, words: str) -> None:
        self.bar.show_time(words)
        for part in (self.window, self.small):
            if part is not None:
                part.show_time(words)

    def _session_changed(self) -> None:
        if self._state.session is None:
            self._clock.run(None)
            self._over = None
            if self.window is not None:
                self.window.forget()
            self._hide_small()
            self._show_incoming()
            self._show_bar()
        elif self._over is not None:
            self._let_call_again()

    # --- where it is shown -------------------------------------------------------------------------

    def _show_bar(self) -> None:
        call = self._book.current
        self.bar.show_call(call)
        if call is not None and self._clock.shown() and not calls.progress(call):
            self.bar.show_time(self._clock.shown())

    def _show_incoming(self) -> None:
        call = None if self._book.current is not None else self._book.incoming
        if call is None:
            self.card.hide()
            if self.outside is not None:
                self.outside.withdraw()
            self._notifier.call_over()
            return
        if self.card.isHidden():
            self.card.show_call(call)
            if not self._is_in_front():
                self._the_outside().show_call(call)
                self._notifier.rang(calls.title(call))

    def _show_window(self) -> None:
        self._hide_small()
        if self.window is not None:
            self.window.setWindowState(self.window.windowState() & ~Qt.WindowState.WindowMinimized)
            self.window.show()
            self.window.raise_()
            self.window.activateWindow()

    def _show_small(self) -> None:
        call = self._book.current
        if call is None:
            return
        if self.window is not None:
            self.window.hide()
        if self.small is None:
            self.small = SmallCall(self._dark)
            dress_dark(self.small, self._dark)
            self.small.back_wanted.connect(self._show_window)
            self.small.mute_wanted.connect(self._mute)
            self.small.hang_up_wanted.connect(self.hang_up)
        self.small.show_call(call)
        if self._clock.shown():
            self.small.show_time(self._clock.shown())
        self.small.appear()

    def _hide_small(self) -> None:
        if self.small is not None:
            self.small.hide()

    def _put_away(self) -> None:
        """Somebody closed the window of a call: it goes on, and is to be found."""
        if self._main.isVisible() and not self._main.isMinimized():
            self.said.emit(self.tr("The call goes on. The green bar leads back to it."))
        else:
            self._show_small()

    def main_hidden(self) -> None:
        """The main window went into the tray, and the bar with it."""
        if self.window is None or not self.window.isVisible():
            self._show_small()

    # --- what the person does ------------------------------------------------------------------------

    def _answer(self) -> None:
        call = self._book.incoming
        if call is not None and self._book.current is None:
            self._actions.answer(call.call)

    def _decline(self) -> None:
        call = self._book.incoming
        if call is not None:
            self._actions.decline(call.call)

    def _mute(self, muted: bool) -> None:
        call = self._book.current
        if call is not None:
            self._actions.mute(call.call, muted=muted)

    def _toggle_mute(self) -> None:
        call = self._book.current
        if call is not None and call.has_microphone:
            self._actions.mute(call.call, muted=not call.is_muted)

    def hang_up(self) -> None:
        """Leave the call we are in, or give up calling."""
        call = self._book.current
        if call is not None:
            self._actions.hang_up(call.call)

    def _set_volume(self, user: str, volume: float) -> None:
        call = self._book.current
        if call is not None:
            self._actions.set_volume(call.call, UserId(user), volume)

    def _call_again(self) -> None:
        if self._over is not None:
            self.call(self._over.conversation)

    # --- inside --------------------------------------------------------------------------------------

    def _let_call_again(self) -> None:
        """Offer it as far as it is possible now."""
        view = None if self._over is None else self._state.conversations.conversation(self._over.conversation)
        if self.window is None or view is None:
            return
        group = self._state.groups.group(view.conversation) if view.user is None else None
        contact = self._state.contacts.contact(view.user)
        reason = why_not(view, contact, group, self._state.session, self._book.current)
        self.window.let_call_again(allowed=not reason, reason=reason)

    def _the_window(self) -> CallWindow:
        if self.window is None:
            window = self.window = CallWindow(self._dark, self._actions)
            window.mute_wanted.connect(self._mute)
            window.hang_up_wanted.connect(self.hang_up)
            window.again_wanted.connect(self._call_again)
            window.volume_wanted.connect(self._set_volume)
            window.small_wanted.connect(self._show_small)
            window.put_away.connect(self._put_away)
            self._theme.dress(
                window,
                lambda to: to.setWindowIcon(self._theme.icons.icon("phone", self._theme.tokens.answer, 64)),
            )
        session = self._state.session
        if session is not None:
            self.window.stage.introduce(session.user, session.name)
        return self.window

    def _the_outside(self) -> IncomingWindow:
        if self.outside is None:
            self.outside = IncomingWindow(self._dark)
            dress_dark(self.outside, self._dark)
            self.outside.answered.connect(self._answer)
            self.outside.declined.connect(self._decline)
        return self.outside
