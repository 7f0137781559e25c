"""Deletes messages, but not before there was time to think again.

For some seconds they only look deleted; then the node is asked, and what is deleted is deleted. Whoever closes the
window, signs out or deletes something else meanwhile wanted it: then it is done at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from peer.errors import RefusalCode
from peer.views import ConversationId, MessageKind, MessageView
from ui.models.chat_state import ChatState
from ui.peer_bridge import PeerBridge
from ui.translations.refusals import refusal_text

UNDO_MS = 5_000
"""Time to think again."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """What is deleted soon."""

    conversation: ConversationId
    messages: tuple[MessageView, ...]
    for_all: bool


class Deletions(QObject):
    """At most one deletion waits, of one message or several."""

    begun = Signal(str)
    """A sentence to show beside "Undo"."""
    over = Signal()
    """There is nothing to undo any more."""

    def __init__(self, bridge: PeerBridge, state: ChatState, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._state = state
        self._pending: _Pending | None = None
        self._timer = QTimer(self, singleShot=True, interval=UNDO_MS)
        self._timer.timeout.connect(self.carry_out)

    def begin(self, messages: Sequence[MessageView], *, for_all: bool) -> None:
        """Delete these soon; they are not seen from now on."""
        self.carry_out()
        if not messages:
            return
        self._pending = _Pending(messages[0].conversation, tuple(messages), for_all)
        model = self._state.loaded_messages(self._pending.conversation)
        if model is not None:
            for message in messages:
                model.show_instead(message, _as_deleted(message) if for_all else None)
        self._timer.start()
        self.begun.emit(_sentence(len(messages)))

    def undo(self) -> None:
        """Do not delete them."""
        pending = self._take()
        if pending is not None:
            self._show_again(pending.messages)

    def carry_out(self) -> None:
        """Delete now what was to be deleted soon."""
        pending = self._take()
        if pending is None:
            return
        for message in pending.messages:
            self._delete(message, for_all=pending.for_all)

    def _take(self) -> _Pending | None:
        pending, self._pending = self._pending, None
        self._timer.stop()
        if pending is not None:
            self.over.emit()
        return pending

    def _delete(self, message: MessageView, *, for_all: bool) -> None:
        def deleted(now: MessageView) -> None:
            model = self._state.loaded_messages(message.conversation)
            if model is not None and for_all:
                model.show_now(now)
            elif model is not None:
                model.forget_message(message.entry)

        def refused(code: RefusalCode, reason: str) -> None:
            if code is not RefusalCode.NOT_SIGNED_IN:
                self._state.warned.emit(refusal_text(code, reason))
            self._show_again((message,))

        self._bridge.ask(self, lambda node: node.delete_message(message.entry, for_all=for_all), deleted, refused)

    def _show_again(self, messages: Sequence[MessageView]) -> None:
        model = self._state.loaded_messages(messages[0].conversation)
        if model is not None:
            for message in messages:
                model.show_again(message)


def _as_deleted(message: MessageView) -> MessageView:
    return msgspec.structs.replace(
        message,
        kind=MessageKind.DELETED,
        text="",
        attachment=None,
        deleted_by=message.author,
        quoted=None,
        reactions=(),
        mentions=(),
        edited_at=None,
    )


def _sentence(count: int) -> str:
    if count == 1:
        return QCoreApplication.translate("Deletions", "Message deleted")
    return QCoreApplication.translate("Deletions", "%1 messages deleted").replace("%1", str(count))
