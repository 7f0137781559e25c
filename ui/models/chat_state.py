"""What the signed-in person sees, kept up to date from the node's events; the widgets look at nothing else."""

from collections import OrderedDict

from PySide6.QtCore import QObject, Signal

from peer import events
from peer.views import ContactView, ConversationId, ConversationView, GroupView, MessageView, SessionView
from ui.models.call_book import CallBook
from ui.models.contact_book import ContactBook
from ui.models.conversation_list import ConversationListModel
from ui.models.group_book import GroupBook
from ui.models.message_list import MessageListModel
from ui.models.typing_book import TypingBook
from ui.peer_bridge import PeerBridge

_OPEN_CONVERSATIONS = 8
"""Conversations whose pages are kept; the one not looked at for longest goes first."""


class ChatState(QObject):
    """The session, the contacts, the conversations, and the messages of those that were opened."""

    session_changed = Signal()
    warned = Signal(str)
    """A sentence to show for a moment."""
    messages_arrived = Signal(list)
    """Messages of others that are new here."""
    asked = Signal(object)
    """Somebody who wants to be a contact."""

    def __init__(self, bridge: PeerBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.session: SessionView | None = None
        self.contacts = ContactBook(self)
        self.typing = TypingBook(self)
        self.conversations = ConversationListModel(self.contacts, self.typing, self)
        self.groups = GroupBook(bridge, self.contacts, self)
        self.calls = CallBook(bridge, self)
        self._messages: OrderedDict[ConversationId, MessageListModel] = OrderedDict()
        # What events tell while the lists are on their way; it is newer than the lists.
        self._told_contacts: dict[str, ContactView] | None = None
        self._told_conversations: dict[ConversationId, ConversationView] | None = None
        bridge.events_arrived.connect(self.take)

    def begin(self, session: SessionView) -> None:
        """Show this person's world."""
        self.session = session
        self._told_contacts, self._told_conversations = {}, {}
        self._bridge.ask(self, lambda node: node.contacts(), self._contacts_came)
        self._bridge.ask(self, lambda node: node.conversations(), self._conversations_came)
        self.calls.begin()
        self.session_changed.emit()

    def end(self) -> None:
        """Forget it: nobody is signed in."""
        self.session = None
        self._told_contacts = self._told_conversations = None
        for model in self._messages.values():
            model.deleteLater()
        self._messages.clear()
        self.conversations.fill(())
        self.groups.forget()
        self.typing.forget()
        self.calls.forget()
        self.contacts.fill(())
        self.session_changed.emit()

    def messages(self, view: ConversationView) -> MessageListModel:
        """Return the messages of a conversation, which begin to load now if they are not here."""
        conversation = view.conversation
        model = self._messages.get(conversation)
        if model is None:
            me = "" if self.session is None else self.session.user
            model = MessageListModel(self._bridge, conversation, self, is_group=view.user is None, me=me)
            self._messages[conversation] = model
            while len(self._messages) > _OPEN_CONVERSATIONS:
                self._messages.popitem(last=False)[1].deleteLater()
        self._messages.move_to_end(conversation)
        model.load()
        return model

    def take(self, batch: list[events.Event]) -> None:
        """Bring the models up to date. A flood of one kind costs one change each."""
        for warning in (event for event in batch if isinstance(event, events.Warned)):
            self.warned.emit(warning.message)
        if self.session is None:
            # The last words of an account that was closed; whoever signs in next asks for everything.
            return
        conversations: dict[ConversationId, ConversationView] = {}
        messages: dict[ConversationId, list[MessageView]] = {}
        for event in batch:
            match event:
                case events.ConversationChanged(conversation=view):
                    conversations[view.conversation] = view
                case (
                    events.MessageWritten(message=message)
                    | events.MessageArrived(message=message)
                    | events.MessageChanged(message=message)
                    | events.MessageDelivered(message=message)
                    | events.MessageRead(message=message)
                    | events.TransferProgressed(message=message)
                    | events.TransferFinished(message=message)
                    | events.TransferFailed(message=message)
                ):
                    messages.setdefault(message.conversation, []).append(message)
                case _:
                    self._take_other(event)
        arrived = [event.message for event in batch if isinstance(event, events.MessageArrived)]
        self.messages_arrived.emit(arrived)
        for view in conversations.values():
            self._take_conversation(view)
        for changed in messages.values():
            self._take_messages(changed)
        gone = (event.message for event in batch if isinstance(event, events.MessageHidden | events.SendingWithdrawn))
        for hidden in gone:
            if hidden.conversation in self._messages:
                self._messages[hidden.conversation].forget_message(hidden.entry)

    def _take_messages(self, changed: list[MessageView]) -> None:
        """Show new messages of one conversation, and new states of known ones."""
        conversation = changed[0].conversation
        if conversation in self._messages:
            self._messages[conversation].take(changed)
        for message in changed:
            self.conversations.take_state(message)

    def loaded_messages(self, conversation: ConversationId) -> MessageListModel | None:
        """Return the messages of a conversation if it was opened lately."""
        return self._messages.get(conversation)

    def take_session(self, session: SessionView) -> None:
        """Show how it stands with the locator now."""
        if self.session is not None and self.session.user == session.user:
            self.session = session
            self.session_changed.emit()

    def _take_other(self, event: events.Event) -> None:
        match event:
            case events.Typing(typing=typing):
                self.typing.take(typing)
            case events.GroupChanged(group=group):
                self._announce(event)
                self.groups.take(group)
            case (
                events.PresenceChanged(contact=contact)
                | events.ContactAsked(contact=contact)
                | events.ContactAccepted(contact=contact)
                | events.ContactChanged(contact=contact)
            ):
                self._take_contact(contact)
                self._announce(event)
            case (
                events.Connected(session=session)
                | events.Disconnected(session=session)
                | events.Superseded(session=session)
            ):
                self.take_session(session)
            case _:
                self.calls.take(event)

    def _announce(self, event: events.Event) -> None:
        """Say what a person would otherwise find out only by looking."""
        match event:
            case events.ContactAsked(contact=contact):
                self.warned.emit(self.tr("%1 wants to be your contact.").replace("%1", contact.name))
                self.asked.emit(contact)
            case events.GroupChanged(group=group) if self._is_new_to_us(group):
                self.warned.emit(self.tr("You were added to the group %1.").replace("%1", group.name))
            case events.ContactAccepted(contact=contact):
                self.warned.emit(self.tr("You and %1 are contacts now.").replace("%1", contact.name))

    def _is_new_to_us(self, group: GroupView) -> bool:
        """Tell whether somebody has just added us; while the lists are on their way nothing is new."""
        if self.session is None or self._told_conversations is not None or group.creator == self.session.user:
            return False
        is_listed = self.conversations.row_of(group.conversation) >= 0
        return not is_listed and any(member.user == self.session.user for member in group.members)

    def _take_contact(self, contact: ContactView) -> None:
        if self._told_contacts is not None:
            self._told_contacts[contact.user] = contact
        self.contacts.take(contact)

    def _take_conversation(self, view: ConversationView) -> None:
        if self._told_conversations is not None:
            self._told_conversations[view.conversation] = view
        self.conversations.take(view)

    def _contacts_came(self, contacts: list[ContactView]) -> None:
        told, self._told_contacts = self._told_contacts, None
        self.contacts.fill(({contact.user: contact for contact in contacts} | (told or {})).values())

    def _conversations_came(self, views: list[ConversationView]) -> None:
        told, self._told_conversations = self._told_conversations, None
        self.conversations.fill(({view.conversation: view for view in views} | (told or {})).values())
