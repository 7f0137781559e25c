"""Which new device the strip above the messages is about, and what is done about it."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from peer.errors import RefusalCode
from peer.views import ContactView, ConversationId, GroupView, MemberView, UserId
from ui.contacts.actions import ContactActions
from ui.contacts.safety_dialog import SafetyDialog
from ui.conversation.device_card import NewDeviceCard
from ui.groups.actions import GroupActions
from ui.models.chat_state import ChatState
from ui.peer_bridge import PeerBridge
from ui.theme.controls import Theme
from ui.translations.refusals import refusal_text


class DeviceDesk(QObject):
    """One for a pane, whichever conversation is open in it."""

    def __init__(
        self,
        theme: Theme,
        bridge: PeerBridge,
        state: ChatState,
        contacts: ContactActions,
        groups: GroupActions,
        pane: QWidget,
    ) -> None:
        super().__init__(pane)
        self._bridge = bridge
        self._state = state
        self._contacts = contacts
        self._groups = groups
        self._pane = pane
        self._user: UserId | None = None
        self._group: ConversationId | None = None
        self._put_off: set[tuple[ConversationId, UserId]] = set()
        """Members whose new device somebody wants to hear of no more, until the program is started again."""
        self.card = NewDeviceCard(theme)
        self.card.confirmed.connect(self._confirm)
        self.card.safety_wanted.connect(self.compare)
        self.card.put_off.connect(self._later)

    def show_contact(self, contact: ContactView | None, name: str) -> None:
        """A conversation of two is open."""
        self._group = None
        self._user = None if contact is None else contact.user
        self.card.setVisible(contact is not None and contact.new_device and not contact.blocked)
        self.card.show_person(name)

    def show_group(self, conversation: ConversationId, group: GroupView | None) -> None:
        """A group is open; of several new devices, one after the other."""
        self._group = conversation
        members = () if group is None else group.members
        waiting = (each for each in members if self._is_to_show(conversation, each))
        first = min(waiting, key=lambda each: not each.new_device, default=None)
        self._user = None if first is None else first.user
        if first is not None:
            self.card.show_member(first, is_contact=self._state.contacts.contact(first.user) is not None)
        self.card.setVisible(first is not None)

    def compare(self) -> None:
        """Show the safety number of this person, to be compared."""
        contact = self._state.contacts.contact(self._user)
        if contact is not None:
            SafetyDialog(self._bridge, self._contacts, contact, self._pane.window()).open()

    def _is_to_show(self, conversation: ConversationId, member: MemberView) -> bool:
        return member.waiting_device and (conversation, member.user) not in self._put_off

    def _confirm(self) -> None:
        if self._user is None:
            return
        if self._group is None:
            self._contacts.confirm_device(self._user)
        else:
            self._groups.confirm_device(self, self._group, self._user, lambda _: None, self._refused)

    def _later(self) -> None:
        if self._group is not None and self._user is not None:
            self._put_off.add((self._group, self._user))
            self.show_group(self._group, self._state.groups.group(self._group))

    def _refused(self, code: RefusalCode, message: str) -> None:
        self._state.warned.emit(refusal_text(code, message))
