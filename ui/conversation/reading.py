"""Reports which messages were read: those that were on the screen of the active window, and no others."""

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from peer.views import ConversationId, EntryId, MessagePlace, MessageState
from ui.conversation.message_rows import MessageRows
from ui.models.message_list import MessageListModel
from ui.peer_bridge import PeerBridge

_REPORTED_AFTER_MS = 150
"""A conversation is being read once it was open for so long; it also gathers many messages into one report."""
_REPORTED_AT_ONCE = 500
"""Messages in one report: what a flood brings between two."""


class Reading(QObject):
    """Watches one list of messages on behalf of the authors, who want to know what was read."""

    in_sight = Signal(object)
    """This conversation is being looked at."""

    def __init__(self, bridge: PeerBridge, view: MessageRows, pane: QWidget) -> None:
        super().__init__(pane)
        self._bridge = bridge
        self._view = view
        self._pane = pane
        self._messages: MessageListModel | None = None
        self._displayed: dict[EntryId, None] = {}
        """Unread messages that were on the screen since the last report, in order."""
        self._reported: set[EntryId] = set()
        """Those that the node was told of and has not answered for yet."""
        self._followed_to: MessagePlace | None = None
        """The last message that was in sight; None unless the view has followed the newest since."""
        self._timer = QTimer(self, singleShot=True, interval=_REPORTED_AFTER_MS)
        self._timer.timeout.connect(self._report)
        view.rows_shown.connect(self._look)
        # When the window becomes the active one, what is on the screen is being read. (Widgets inside a window
        # are not told by a change event.)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.focusWindowChanged.connect(self._count_anew)

    def begin(self, messages: MessageListModel | None) -> None:
        """Watch another conversation. Who left the one before at once has not read it."""
        self._messages = messages
        self._displayed.clear()
        self._followed_to = None
        self._timer.stop()

    def _count_anew(self) -> None:
        """A report that is due at this very moment would find the window not active yet."""
        self._timer.start()

    def _look(self) -> None:
        """Note what is in sight now, and what went by since the last look because new messages pushed it up."""
        rows = self._view.visible_rows()
        if self._messages is None or not rows or not self._is_looked_at():
            self._followed_to = None
            return
        first = rows[0]
        if self._view.follows and self._followed_to is not None:
            first = min(first, self._messages.row_at(self._followed_to))
        for message in map(self._messages.message, range(first, rows[-1] + 1)):
            if message.state is MessageState.ARRIVED and message.entry not in self._reported:
                self._displayed[message.entry] = None
        self._followed_to = self._messages.message(rows[-1]).place if self._view.follows else None
        if not self._timer.isActive():
            self._timer.start()

    def _report(self) -> None:
        if self._messages is None or not self._is_looked_at():
            return
        self._look()
        self._timer.stop()
        conversation: ConversationId = self._messages.conversation
        self.in_sight.emit(conversation)
        displayed = list(self._displayed)[:_REPORTED_AT_ONCE]
        for entry in displayed:
            del self._displayed[entry]
        if displayed:
            self._reported.update(displayed)
            self._bridge.ask(
                self,
                lambda node: node.mark_read(conversation, displayed),
                lambda _nothing: self._reported.difference_update(displayed),
                lambda _code, _message: self._reported.difference_update(displayed),
            )
        if self._displayed:
            self._timer.start()

    def _is_looked_at(self) -> bool:
        return self._pane.isActiveWindow() and self._view.isVisible()
