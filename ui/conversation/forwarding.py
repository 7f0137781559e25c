"""Sends messages once more, into another conversation: one after the other, so that they stand in their order."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from peer.errors import RefusalCode
from peer.views import ConversationView, MessageKind, MessageView
from ui.models.chat_state import ChatState
from ui.peer_bridge import PeerBridge
from ui.translations import people
from ui.translations.refusals import refusal_text

if TYPE_CHECKING:
    from peer.node import PeerNode


class Forwarding(QObject):
    """Says what came of it in a sentence."""

    def __init__(self, bridge: PeerBridge, state: ChatState, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._state = state

    def forward(self, messages: list[MessageView], into: ConversationView) -> None:
        """Send these messages into a conversation."""
        if not messages:
            self._state.warned.emit(self.tr("Forwarded to %1.").replace("%1", people.short_name(into.title)))
            return

        def sent(_message: MessageView) -> None:
            self.forward(messages[1:], into)

        def refused(code: RefusalCode, message: str) -> None:
            self._state.warned.emit(refusal_text(code, message))

        self._bridge.ask(self, lambda node: _send(node, messages[0], into), sent, refused)


async def _send(node: "PeerNode", message: MessageView, into: ConversationView) -> MessageView:
    """Send one message as it is now; a voice message stays one."""
    attachment = message.attachment
    if attachment is None:
        return await node.send_text(into.conversation, message.text)
    path = Path(attachment.path)
    if message.kind is not MessageKind.VOICE:
        return await node.send_file(into.conversation, path, message.text)
    return await node.send_file(
        into.conversation, path, kind=message.kind, duration=attachment.duration, waveform=attachment.waveform
    )
