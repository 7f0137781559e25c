"""The friends that can be put into a group: some of them found by a search, some of them chosen."""

from collections.abc import Collection

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from peer.views import Consent, ContactView, UserId
from ui.models.contact_book import ContactBook
from ui.models.roles import Role
from ui.translations import people

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


class FriendsModel(QAbstractListModel):
    """Friends by name, each with a tick. What is chosen stays so while the search hides it."""

    chosen_changed = Signal()

    def __init__(self, contacts: ContactBook, without: Collection[str] = (), parent: QObject | None = None) -> None:
        """Those `without` are not offered: they are in the group already."""
        super().__init__(parent)
        self._contacts = contacts
        self._without = frozenset(without)
        self._words: list[str] = []
        self._rows: list[ContactView] = []
        self._chosen: dict[UserId, ContactView] = {}
        self._fill()
        contacts.person_changed.connect(self._person_changed)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return how many were found."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one aspect of a friend."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        friend = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return friend.name
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if friend.user in self._chosen else Qt.CheckState.Unchecked
        if role == Role.VIEW:
            return friend
        if role == Qt.ItemDataRole.AccessibleTextRole:
            spoken = f"{friend.name}, {friend.user}, {people.presence(friend)}"
            return f"{spoken}, {self.tr('chosen')}" if friend.user in self._chosen else spoken
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let a screen reader know that it can be ticked."""
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    @property
    def has_anybody(self) -> bool:
        """Whether there is a friend to choose at all, found or not."""
        return any(self._is_offered(self._contacts.index(row).data(Role.VIEW)) for row in self._contact_rows())

    def chosen(self) -> list[ContactView]:
        """Return who was chosen, in that order."""
        return list(self._chosen.values())

    def search(self, text: str) -> None:
        """List those in whose name or ID every word stands."""
        self._words = text.casefold().split()
        self._fill()

    def leave_out(self, users: Collection[str]) -> None:
        """Offer these no more."""
        self._without |= frozenset(users)
        self._chosen = {user: friend for user, friend in self._chosen.items() if user not in self._without}
        self._fill()
        self.chosen_changed.emit()

    def toggle(self, user: UserId) -> None:
        """Choose somebody, or no more."""
        friend = self._contacts.contact(user)
        if self._chosen.pop(user, None) is None and friend is not None:
            self._chosen[user] = friend
        row = next((row for row, each in enumerate(self._rows) if each.user == user), -1)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))
        self.chosen_changed.emit()

    def _contact_rows(self) -> range:
        return range(self._contacts.rowCount())

    def _is_offered(self, contact: ContactView) -> bool:
        return contact.state is Consent.FRIENDS and not contact.blocked and contact.user not in self._without

    def _is_found(self, contact: ContactView) -> bool:
        text = f"{contact.name} {contact.user}".casefold()
        return self._is_offered(contact) and all(word in text for word in self._words)

    def _fill(self) -> None:
        self.beginResetModel()
        everybody = (self._contacts.index(row).data(Role.VIEW) for row in self._contact_rows())
        self._rows = [contact for contact in everybody if self._is_found(contact)]
        self.endResetModel()

    def _person_changed(self, user: str) -> None:
        contact = self._contacts.contact(user)
        row = next((row for row, each in enumerate(self._rows) if each.user == user), -1)
        if contact is not None and row >= 0 and self._is_found(contact) and contact.name == self._rows[row].name:
            self._rows[row] = contact
            self.dataChanged.emit(self.index(row), self.index(row))
        elif contact is not None and (row >= 0 or self._is_found(contact)):
            if not self._is_offered(contact):
                self._chosen.pop(contact.user, None)
                self.chosen_changed.emit()
            self._fill()
