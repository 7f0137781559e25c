"""Keeps what is being written in each conversation: through a switch, a restart, a crash."""

from PySide6.QtCore import QObject, QTimer

from peer.errors import RefusalCode
from peer.views import ConversationId, ConversationView
from ui.conversation.composer import Composer
from ui.models.chat_state import ChatState
from ui.peer_bridge import PeerBridge
from ui.translations.refusals import refusal_text

_DRAFT_AFTER_MS = 700
"""A draft is kept so long after the first letter that is not kept yet: a crash costs less than a second's typing."""


class Drafts(QObject):
    """Puts the draft of the open conversation into the composer, and has what is written there kept."""

    def __init__(self, bridge: PeerBridge, state: ChatState, composer: Composer, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._state = state
        self._composer = composer
        self._open: ConversationId | None = None
        self._kept: dict[ConversationId, str] = {}
        """What was kept a moment ago, before the node's answer is here."""
        self._is_new = False
        self._set_aside: str | None = None
        """The draft, while the composer shows the text of a message that is edited."""
        self._timer = QTimer(self, singleShot=True, interval=_DRAFT_AFTER_MS)
        self._timer.timeout.connect(self.keep)
        composer.text_changed.connect(self._text_changed)

    def show_conversation(self, conversation: ConversationView | None) -> None:
        """Another one is open, or none: what was being written in the one before is kept."""
        self.keep()
        self._set_aside = None
        self._open = None if conversation is None else conversation.conversation
        draft = "" if conversation is None else self._kept.get(conversation.conversation, conversation.draft)
        self._put(draft)

    def keep(self) -> None:
        """Have what is being written kept now."""
        self._timer.stop()
        if self._open is not None and self._is_new:
            self._is_new = False
            self._keep(self._open, self._composer.text() if self._set_aside is None else self._set_aside)

    def give_back(self, conversation: ConversationId, text: str) -> None:
        """Nothing written is lost: what could not be sent stands in the composer again."""
        if self._open != conversation:
            view = self._state.conversations.conversation(conversation)
            begun = self._kept.get(conversation, view.draft if view is not None else "")
            self._keep(conversation, f"{text}\n{begun}" if begun else text)
        elif self._set_aside is not None:
            self._set_aside = f"{text}\n{self._set_aside}" if self._set_aside else text
            self._text_changed()
        else:
            written = self._composer.text()
            self._composer.set_text(f"{text}\n{written}" if written else text)

    def set_aside(self, text: str) -> None:
        """Let the composer show another text for a while; the draft is kept all the same."""
        if self._set_aside is None:
            self._set_aside = self._composer.text()
        with_news = self._is_new
        self._composer.set_text(text)
        self._is_new = with_news

    def bring_back(self) -> None:
        """Show the draft again."""
        if self._set_aside is not None:
            draft, self._set_aside = self._set_aside, None
            with_news = self._is_new
            self._composer.set_text(draft)
            self._is_new = with_news

    def _put(self, draft: str) -> None:
        self._composer.set_text(draft)
        self._is_new = False
        self._timer.stop()

    def _keep(self, conversation: ConversationId, draft: str) -> None:
        draft = draft if draft.strip() else ""
        self._kept[conversation] = draft

        def settled(_nothing: None) -> None:
            if self._kept.get(conversation) == draft:
                del self._kept[conversation]

        def refused(code: RefusalCode, message: str) -> None:
            if code is RefusalCode.NOT_SIGNED_IN:
                settled(None)
            else:
                # What could not be kept on the disk is kept here.
                self._state.warned.emit(refusal_text(code, message))

        self._bridge.ask(self, lambda node: node.keep_draft(conversation, draft), settled, refused)

    def _text_changed(self) -> None:
        self._is_new = True
        if not self._timer.isActive():
            self._timer.start()
