"""The way to a call from an open conversation: the button in its header, and the strip of a call that goes on."""

from PySide6.QtCore import QObject, Signal

from peer.views import ConversationView
from ui.calls.join_strip import JoinStrip
from ui.calls.why_not import why_not
from ui.conversation.header import ConversationHeader
from ui.models.chat_state import ChatState
from ui.theme.controls import Theme


class CallLine(QObject):
    """One for a pane, whichever conversation is open in it."""

    call_wanted = Signal(object)
    """Call this conversation, join the call that goes on there, or show the one we are in."""

    def __init__(self, theme: Theme, state: ChatState, header: ConversationHeader, parent: QObject) -> None:
        super().__init__(parent)
        self._state = state
        self._header = header
        self._shown: ConversationView | None = None
        self.strip = JoinStrip(theme)
        for wanted in (self.strip.join_wanted, header.call_wanted):
            wanted.connect(self._call)
        state.calls.changed.connect(self._show)
        state.session_changed.connect(self._show)

    def show_conversation(self, conversation: ConversationView | None) -> None:
        """Another one is open, or none; or it stands otherwise with its people."""
        self._shown = conversation
        self._show()

    def _show(self) -> None:
        view = self._shown
        if view is None:
            self.strip.show_call(None, "")
            return
        current = self._state.calls.current
        group = self._state.groups.group(view.conversation) if view.user is None else None
        to_join = self._state.calls.to_join(view.conversation)
        contact = self._state.contacts.contact(view.user)
        reason = why_not(view, contact, group, self._state.session, current, to_join)
        self.strip.show_call(to_join, reason)
        if current is not None and current.conversation == view.conversation:
            label = self.tr("Back to call")
        elif to_join is not None:
            label = self.tr("Join the call")
        else:
            label = self.tr("Call")
        self._header.show_call(label, reason)

    def _call(self) -> None:
        if self._shown is not None:
            self.call_wanted.emit(self._shown.conversation)
