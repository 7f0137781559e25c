"""Who belongs to the groups that somebody looked at, and who of them is there."""

import msgspec
from PySide6.QtCore import QObject, Signal

from peer.views import ConversationId, GroupView
from ui.models.contact_book import ContactBook
from ui.peer_bridge import PeerBridge


class GroupBook(QObject):
    """Groups by their ID; each is fetched when first asked for, and kept up to date from then on."""

    changed = Signal(object)
    """The new view of a group."""

    def __init__(self, bridge: PeerBridge, contacts: ContactBook, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._contacts = contacts
        self._groups: dict[ConversationId, GroupView] = {}
        self._asked: set[ConversationId] = set()
        contacts.person_changed.connect(self._person_changed)

    def group(self, conversation: ConversationId) -> GroupView | None:
        """Return who belongs to a group; None until that was fetched, then `changed` tells it."""
        known = self._groups.get(conversation)
        if known is None and conversation not in self._asked:
            self._asked.add(conversation)
            self._bridge.ask(
                self, lambda node: node.group(conversation), self._came, lambda *_: self._asked.discard(conversation)
            )
        return known

    def take(self, group: GroupView) -> None:
        """Put a group in, or in place of what was known of it."""
        if self._groups.get(group.conversation) != group:
            self._groups[group.conversation] = group
            self.changed.emit(group)

    def forget(self) -> None:
        """Nobody is signed in."""
        self._groups.clear()
        self._asked.clear()

    def _came(self, group: GroupView) -> None:
        # What an event told meanwhile is newer; and an answer to who has signed out is nobody's.
        if group.conversation in self._asked and group.conversation not in self._groups:
            self.take(group)

    def _person_changed(self, user: str) -> None:
        contact = self._contacts.contact(user)
        if contact is None:
            return
        for group in tuple(self._groups.values()):
            if any(member.user == user and member.online != contact.online for member in group.members):
                members = tuple(
                    msgspec.structs.replace(member, online=contact.online) if member.user == user else member
                    for member in group.members
                )
                self.take(msgspec.structs.replace(group, members=members))
