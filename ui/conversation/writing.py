"""What is being written in a conversation: a new message, the answer to one, or the change of one."""

from dataclasses import dataclass

from PySide6.QtCore import QElapsedTimer, QObject, Signal

from peer.errors import RefusalCode
from peer.views import ConversationId, ConversationView, EntryId, MessageView
from ui.conversation.composer import Composer
from ui.conversation.drafts import Drafts
from ui.conversation.mention_text import NameTable
from ui.conversation.message_acts import MessageAct, Standing, possible
from ui.models.chat_state import ChatState
from ui.peer_bridge import PeerBridge
from ui.translations.refusals import refusal_text

TYPING_TOLD_MS = 3_000
"""Others are told no more often that somebody writes here."""


@dataclass(frozen=True, slots=True)
class _About:
    """The message that what is being written is about."""

    message: MessageView
    edits: bool
    """Whether it is changed; else it is answered."""
    text: str = ""
    """Of a change that was left for another conversation: how far it had come."""


class Writing(QObject):
    """Knows what each conversation's composer is about, and sends what is written there."""

    shown = Signal(object)
    """Somebody wants to see this message: the one that is answered or edited."""

    def __init__(
        self, bridge: PeerBridge, state: ChatState, composer: Composer, drafts: Drafts, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._state = state
        self._composer = composer
        self._drafts = drafts
        self._open: ConversationView | None = None
        self._about: dict[ConversationId, _About] = {}
        composer.bar.cancelled.connect(self.cancel)
        composer.bar.clicked.connect(self._show_message)
        composer.input.previous_wanted.connect(self.edit_last)
        composer.typed.connect(self._tell_typing)
        self._told_typing: tuple[ConversationId, QElapsedTimer] | None = None
        """Where others were told last that we write, and when."""

    def show_conversation(self, conversation: ConversationView | None) -> None:
        """Another one is open, or none: everything is as it was left there."""
        about = self._about_now
        if about is not None and about.edits:
            self._about[about.message.conversation] = _About(about.message, edits=True, text=self._composer.text())
        self._drafts.show_conversation(conversation)
        self._open = conversation
        about = self._about_now
        if about is not None and about.edits:
            self._drafts.set_aside(about.text)
        self._show_bar()

    def forget(self) -> None:
        """Somebody else signs in."""
        self._about.clear()
        self._show_bar()

    @property
    def _about_now(self) -> _About | None:
        return None if self._open is None else self._about.get(self._open.conversation)

    # --- answering and editing ---------------------------------------------------------------------

    def answer(self, message: MessageView) -> None:
        """Let the next text answer a message."""
        self.cancel()
        self._about[message.conversation] = _About(message, edits=False)
        self._show_bar()
        self._composer.take_focus()

    def edit(self, message: MessageView) -> None:
        """Let the composer hold the text of a message, to be changed; the draft comes back afterwards."""
        self.cancel()
        self._about[message.conversation] = _About(message, edits=True)
        self._drafts.set_aside(message.text)
        self._show_bar()
        self._composer.take_focus()

    def edit_last(self) -> None:
        """Edit the last text of our own, if it is among the messages that are loaded."""
        if self._open is None or self._about_now is not None or self._composer.tray.items:
            return
        messages = self._state.loaded_messages(self._open.conversation)
        newest_first = () if messages is None else messages.newest_first()
        standing = Standing(can_write=True)
        last = next((each for each in newest_first if MessageAct.EDIT in possible(each, standing)), None)
        if last is not None:
            self.edit(last)

    def cancel(self) -> bool:
        """Write a new message that answers none; tell whether it was otherwise."""
        about = self._about_now
        if about is None:
            return False
        self._drop(about)
        return True

    def message_gone(self, entry: EntryId) -> None:
        """A message was deleted: it is answered and edited no more. What was written is not lost."""
        for about in [each for each in self._about.values() if each.message.entry == entry]:
            is_open = about is self._about_now
            written = self._composer.text() if is_open else about.text
            self._drop(about)
            if about.edits and written not in {"", about.message.text}:
                self._drafts.give_back(about.message.conversation, written)

    def _drop(self, about: _About) -> None:
        is_open = about is self._about_now
        del self._about[about.message.conversation]
        if about.edits and is_open:
            self._drafts.bring_back()
        self._show_bar()

    def _show_bar(self) -> None:
        about = self._about_now
        self._composer.show_editing(is_editing=about is not None and about.edits)
        if about is None:
            self._composer.bar.hide()
        elif about.edits:
            self._composer.bar.show_edited(about.message)
        else:
            self._composer.bar.show_answered(about.message)

    def _show_message(self) -> None:
        if self._about_now is not None:
            self.shown.emit(self._about_now.message)

    def _tell_typing(self) -> None:
        """Let others know that we are writing, now and then."""
        if self._open is None:
            return
        conversation, told = self._open.conversation, self._told_typing
        if told is not None and told[0] == conversation and told[1].elapsed() < TYPING_TOLD_MS:
            return
        timer = QElapsedTimer()
        timer.start()
        self._told_typing = (conversation, timer)
        self._bridge.ask(self, lambda node: node.typing(conversation), None, lambda *_: None)

    # --- sending -----------------------------------------------------------------------------------

    def send(self, text: str) -> bool:
        """Send what was written, or change the message with it; tell whether it is a new message."""
        about = self._about_now
        if self._open is None:
            return False
        if about is not None:
            self._drop(about)
        if about is not None and about.edits:
            self._change(about.message, text)
            return False
        self._send(self._open.conversation, text, None if about is None else about.message)
        return True

    def _send(self, conversation: ConversationId, text: str, answered: MessageView | None) -> None:
        reply_to = None if answered is None else answered.entry
        mentions = self._composer.names.find(text)

        def refused(code: RefusalCode, message: str) -> None:
            self._state.warned.emit(refusal_text(code, message))
            self._drafts.give_back(conversation, text)
            if answered is not None and conversation not in self._about:
                self._about[conversation] = _About(answered, edits=False)
                self._show_bar()

        self._bridge.ask(self, lambda node: node.send_text(conversation, text, reply_to, mentions), None, refused)

    def _change(self, message: MessageView, text: str) -> None:
        mentions = NameTable(self._composer.names.members, message).find(text)
        if (text, mentions) == (message.text, message.mentions):
            return

        def refused(code: RefusalCode, reason: str) -> None:
            self._state.warned.emit(refusal_text(code, reason))
            self._drafts.give_back(message.conversation, text)

        self._bridge.ask(self, lambda node: node.edit_message(message.entry, text, mentions), None, refused)
