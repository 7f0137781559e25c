"""What is done with messages: answered, reacted to, edited, deleted; asked for by menu, mouse or keyboard."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QRect
from PySide6.QtWidgets import QWidget

from peer import events
from peer.errors import RefusalCode
from peer.views import ConversationView, GroupView, MessageKind, MessageView
from ui.conversation.deletions import Deletions
from ui.conversation.forward_dialog import ForwardDialog
from ui.conversation.forwarding import Forwarding
from ui.conversation.message_acts import MessageAct, Standing
from ui.conversation.message_view import MessageView as MessageListView
from ui.conversation.quick_reactions import QuickReactions
from ui.conversation.who_has_dialog import WhoHasDialog
from ui.conversation.writing import Writing
from ui.models.chat_state import ChatState
from ui.peer_bridge import PeerBridge
from ui.theme.controls import Theme
from ui.translations.refusals import refusal_text

ChooseEmoji = Callable[[Callable[[str], None]], None]


class MessageDesk(QObject):
    """One for a pane, whichever conversation is open in it."""

    def __init__(
        self,
        theme: Theme,
        bridge: PeerBridge,
        state: ChatState,
        view: MessageListView,
        writing: Writing,
        choose_emoji: ChooseEmoji,
        pane: QWidget,
    ) -> None:
        """`choose_emoji` lets somebody choose among all emoji, and hands over the one."""
        super().__init__(pane)
        self._theme = theme
        self._bridge = bridge
        self._state = state
        self._view = view
        self._writing = writing
        self._choose_emoji = choose_emoji
        self.deletions = Deletions(bridge, state, self)
        self._forwarding = Forwarding(bridge, state, self)
        view.wanted.connect(self.do)
        view.reacted.connect(self.react)
        view.undo_wanted.connect(self.deletions.undo)
        writing.shown.connect(self._show)
        bridge.events_arrived.connect(self._look)

    def show_standing(self, conversation: ConversationView, group: GroupView | None) -> None:
        """Know what may be done in the open conversation."""
        me = None if self._state.session is None else self._state.session.user
        members = group.members if group is not None else ()
        manages = any(member.user == me and member.manager for member in members)
        self._view.standing = Standing(conversation.can_write, manages, is_group=conversation.user is None)

    def react(self, message: MessageView, emoji: str) -> None:
        """Choose an emoji for a message; the one that was chosen before is taken back."""
        chosen = next((each.emoji for each in message.reactions if each.mine), "")

        def refused(code: RefusalCode, reason: str) -> None:
            self._state.warned.emit(refusal_text(code, reason))

        wanted = "" if emoji == chosen else emoji
        self._bridge.ask(self, lambda node: node.react(message.entry, wanted), None, refused)

    def _look(self, batch: list[events.Event]) -> None:
        """What somebody else deleted is answered no more."""
        for event in batch:
            match event:
                case events.MessageHidden(message=message):
                    self._writing.message_gone(message.entry)
                case events.MessageChanged(message=message) if message.kind is MessageKind.DELETED:
                    self._writing.message_gone(message.entry)

    def do(self, act: MessageAct, messages: list[MessageView]) -> None:
        """Do what was chosen in a menu, or by a key."""
        message = messages[0]
        match act:
            case MessageAct.REPLY:
                self._writing.answer(message)
            case MessageAct.EDIT:
                self._writing.edit(message)
            case MessageAct.REACT:
                self._offer_reactions(message)
            case MessageAct.DELETE_HERE | MessageAct.DELETE_FOR_ALL:
                self._delete(messages, for_all=act is MessageAct.DELETE_FOR_ALL)
            case MessageAct.WHO_HAS:
                WhoHasDialog(self._theme, self._bridge, message, self._view.window()).open()
            case MessageAct.FORWARD:
                self._forward(messages)

    def _forward(self, messages: list[MessageView]) -> None:
        dialog = ForwardDialog(self._theme, self._state.conversations, len(messages), self._view.window())
        dialog.chosen.connect(lambda into: self._forwarding.forward(messages, into))
        dialog.open()

    def _delete(self, messages: list[MessageView], *, for_all: bool) -> None:
        for message in messages:
            self._writing.message_gone(message.entry)
        self._view.select_nothing()
        self.deletions.begin(messages, for_all=for_all)

    def _offer_reactions(self, message: MessageView) -> None:
        """Open the row of six beside the message."""
        index = self._view.index_of(message)
        if not index.isValid():
            return
        self._view.scrollTo(index)
        chosen = next((each.emoji for each in message.reactions if each.mine), "")
        row = QuickReactions(self._theme, chosen, self._view)
        row.picked.connect(lambda emoji: self.react(message, emoji))
        row.others_wanted.connect(lambda: self._choose_emoji(lambda emoji: self.react(message, emoji)))
        window = self._view.window()
        room = QRect(window.mapToGlobal(window.rect().topLeft()), window.size())
        row.open_at(self._view.place_of(index), room)

    def _show(self, message: MessageView) -> None:
        messages = self._state.loaded_messages(message.conversation)
        if messages is not None:
            messages.look_for(message.entry)
