"""Sends what was written and what is in the tray; what could not be sent stands there again."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from peer.errors import RefusalCode
from peer.views import ConversationId, MessageKind, MessageView, VoiceFile
from ui.conversation.composer import Composer
from ui.models.chat_state import ChatState
from ui.peer_bridge import PeerBridge
from ui.transfers.tray import TrayItem
from ui.translations.refusals import refusal_text

GiveBack = Callable[[ConversationId, str], None]
VoiceGivenBack = Callable[[ConversationId, VoiceFile], None]


class Outgoing(QObject):
    """Knows which conversation is open, and holds the trays of the others."""

    def __init__(
        self, bridge: PeerBridge, state: ChatState, composer: Composer, give_back: GiveBack, parent: QObject
    ) -> None:
        """`give_back` puts a text into the composer or draft of a conversation."""
        super().__init__(parent)
        self._bridge = bridge
        self._state = state
        self._composer = composer
        self._give_back = give_back
        self._open: ConversationId | None = None
        self._trays: dict[ConversationId, list[TrayItem]] = {}

    def send_voice(self, conversation: ConversationId, voice: VoiceFile, given_back: VoiceGivenBack) -> None:
        """Send a recording; when it cannot be, it is given back."""

        def sent(_message: MessageView) -> None:
            self._bridge.ask(self, lambda node: node.voice.discard(voice.path))

        def refused(code: RefusalCode, message: str) -> None:
            if self._is_over(code):
                return
            self._state.warned.emit(refusal_text(code, message))
            given_back(conversation, voice)

        path, kind = Path(voice.path), MessageKind.VOICE
        self._bridge.ask(
            self,
            lambda node: node.send_file(
                conversation, path, kind=kind, duration=voice.duration, waveform=voice.waveform
            ),
            sent,
            refused,
        )

    def show_conversation(self, conversation: ConversationId | None) -> None:
        """Another one is open: its tray comes out, that of the one before is kept."""
        if conversation == self._open:
            return
        kept = self._composer.tray.take()
        if self._open is not None and kept:
            self._trays[self._open] = kept
        self._open = conversation
        if conversation is not None:
            self._composer.tray.add(self._trays.pop(conversation, []))

    def forget(self) -> None:
        """Somebody else signs in: what was not sent is not theirs."""
        self._composer.tray.take()
        self._trays.clear()
        self._open = None

    def send_files(self, conversation: ConversationId, items: list[TrayItem], caption: str) -> None:
        """Send files; the node keeps them in this order. The first has the caption."""
        for number, item in enumerate(items):
            self._send_file(conversation, item, "" if number else caption)

    def _send_file(self, conversation: ConversationId, item: TrayItem, caption: str) -> None:
        def refused(code: RefusalCode, message: str) -> None:
            if self._is_over(code):
                return
            self._state.warned.emit(refusal_text(code, message))
            if conversation == self._open:
                self._composer.tray.add([item])
            else:
                self._trays.setdefault(conversation, []).append(item)
            if caption:
                self._give_back(conversation, caption)

        self._bridge.ask(self, lambda node: node.send_file(conversation, item.path, caption), None, refused)

    def _is_over(self, code: RefusalCode) -> bool:
        """Tell whether somebody signed out: then the node keeps what is not sent, and whoever is next has no part."""
        return self._state.session is None or code is RefusalCode.NOT_SIGNED_IN
