"""Everybody we know or who wants to be known, by name."""

from bisect import bisect_left
from collections.abc import Iterable

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from peer.views import Consent, ContactView, UserId
from ui.models.roles import Role
from ui.translations import people

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


class ContactBook(QAbstractListModel):
    """The contacts, sorted by name; people are found by their ID."""

    person_changed = Signal(str)
    """Something about this user ID is different now."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._contacts: list[ContactView] = []
        self._by_user: dict[str, ContactView] = {}

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return how many there are."""
        return 0 if parent.isValid() else len(self._contacts)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one aspect of a contact."""
        if not index.isValid() or index.row() >= len(self._contacts):
            return None
        contact = self._contacts[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return contact.name
        if role == Role.VIEW:
            return contact
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{contact.name}, {people.presence(contact)}"
        return None

    def contact(self, user: str | None) -> ContactView | None:
        """Return who has this ID, if we know them."""
        return self._by_user.get(user or "")

    def received(self) -> list[ContactView]:
        """Return who waits for our answer, the newest first."""
        return self._newest_first(Consent.ASKED_BY_THEM)

    def sent(self) -> list[ContactView]:
        """Return whose answer we wait for, the newest first."""
        return self._newest_first(Consent.ASKED_BY_ME)

    def fill(self, contacts: Iterable[ContactView]) -> None:
        """Replace all."""
        self.beginResetModel()
        self._by_user = {contact.user: contact for contact in contacts}
        self._contacts = sorted(self._by_user.values(), key=_order)
        self.endResetModel()
        for user in self._by_user:
            self.person_changed.emit(user)

    def take(self, contact: ContactView) -> None:
        """Put a contact in, or in place of what was known of them."""
        known = self._by_user.get(contact.user)
        if known == contact:
            return
        if known is not None and _order(known) == _order(contact):
            row = self._row_of(known)
            self._contacts[row] = contact
            self._by_user[contact.user] = contact
            self.dataChanged.emit(self.index(row), self.index(row))
        else:
            if known is not None:
                self._remove(known)
            row = self._row_of(contact)
            self.beginInsertRows(QModelIndex(), row, row)
            self._contacts.insert(row, contact)
            self._by_user[contact.user] = contact
            self.endInsertRows()
        self.person_changed.emit(contact.user)

    def _remove(self, contact: ContactView) -> None:
        row = self._row_of(contact)
        self.beginRemoveRows(QModelIndex(), row, row)
        del self._contacts[row]
        self.endRemoveRows()

    def _row_of(self, contact: ContactView) -> int:
        return bisect_left(self._contacts, _order(contact), key=_order)

    def _newest_first(self, state: Consent) -> list[ContactView]:
        found = [contact for contact in self._contacts if contact.state is state and not contact.blocked]
        return sorted(
            found, key=lambda contact: contact.asked_at.timestamp() if contact.asked_at else 0.0, reverse=True
        )


def _order(contact: ContactView) -> tuple[str, UserId]:
    return (contact.name.casefold(), contact.user)
