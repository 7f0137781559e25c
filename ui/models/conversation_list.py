"""The conversations, the most recently active first."""

from collections.abc import Callable, Iterable

import msgspec
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    QTimer,
    Signal,
)

from peer.views import ConversationId, ConversationView, MessageKind, MessageView
from ui.models.contact_book import ContactBook
from ui.models.roles import Role
from ui.models.typing_book import TypingBook
from ui.translations import groups, message_words, people

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_UNREAD_TOLD_MS = 100
"""The count stands in the window's title, and a title costs a way to the window manager."""


class ConversationListModel(QAbstractListModel):
    """Rows of the sidebar."""

    unread_changed = Signal(int)
    """How many messages are unread in all; told a few times a second at most."""
    conversation_changed = Signal(object)
    """The new view of a row."""

    def __init__(self, contacts: ContactBook, typing: TypingBook, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._contacts = contacts
        self._typing = typing
        self._rows: list[ConversationView] = []
        self._aspects: dict[int, Callable[[ConversationView], object]] = {
            Qt.ItemDataRole.DisplayRole: lambda view: view.title,
            Qt.ItemDataRole.AccessibleTextRole: self._spoken,
            Role.VIEW: lambda view: view,
            Role.UNREAD: lambda view: view.unread,
            Role.PREVIEW: self.preview,
            Role.DRAFT: self.draft,
            Role.TYPING: self._typed,
        }
        self._unread = 0
        self._unread_timer = QTimer(self, singleShot=True, interval=_UNREAD_TOLD_MS)
        self._unread_timer.timeout.connect(lambda: self.unread_changed.emit(self._unread))
        contacts.person_changed.connect(self._person_changed)
        typing.changed.connect(self._row_changed)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return how many there are."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one aspect of a conversation."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        aspect = self._aspects.get(role)
        return None if aspect is None else aspect(self._rows[index.row()])

    def conversation(self, wanted: ConversationId) -> ConversationView | None:
        """Return a row's view."""
        row = self.row_of(wanted)
        return None if row < 0 else self._rows[row]

    def with_user(self, user: str) -> ConversationView | None:
        """Return the conversation of two with this person."""
        return next((view for view in self._rows if view.user == user), None)

    def row_of(self, wanted: ConversationId) -> int:
        """Return where a conversation stands; -1 when it is not listed."""
        return next((row for row, view in enumerate(self._rows) if view.conversation == wanted), -1)

    @property
    def unread(self) -> int:
        """How many messages are unread in all."""
        return self._unread

    def preview(self, view: ConversationView) -> str:
        """Return the second line of a row."""
        last = view.last_entry
        if last is None and view.user is None:
            return groups.members(len(view.members))
        if last is None:
            return people.standing(self._contacts.contact(view.user))
        text = message_words.summary(last)
        if last.membership is not None or (last.mine and last.kind is MessageKind.DELETED):
            return text  # A sentence that says who.
        if last.mine and last.call is None:
            return self.tr("You: %1").replace("%1", text)
        return text if view.user is not None or last.mine else f"{people.short_name(last.author_name)}: {text}"

    def draft(self, view: ConversationView) -> str:
        """Return what was being written there; empty for nothing."""
        draft = " ".join(view.draft.split())
        return self.tr("Draft: %1").replace("%1", draft) if draft else ""

    def _typed(self, view: ConversationView) -> str:
        return people.typing(self._typing.names(view.conversation))

    def fill(self, views: Iterable[ConversationView]) -> None:
        """Replace all."""
        self.beginResetModel()
        self._rows = sorted(filter(_is_listed, views), key=_order)
        self.endResetModel()
        self._count_unread()
        for view in tuple(self._rows):
            self.conversation_changed.emit(view)

    def take(self, view: ConversationView) -> None:
        """Put a conversation in, or in place of what was known of it, where its last message puts it."""
        old = self.row_of(view.conversation)
        if old >= 0 and self._rows[old] == view:
            return
        if _is_listed(view):
            self._put(view, old)
        elif old >= 0:
            self.beginRemoveRows(QModelIndex(), old, old)
            del self._rows[old]
            self.endRemoveRows()
        self._count_unread()
        self.conversation_changed.emit(view)

    def _row_changed(self, conversation: ConversationId) -> None:
        row = self.row_of(conversation)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))

    def take_state(self, message: MessageView) -> None:
        """Show a new delivery state on the row whose last message this is."""
        view = self.conversation(message.conversation)
        if view is not None and view.last_entry is not None and view.last_entry.entry == message.entry:
            self.take(msgspec.structs.replace(view, last_entry=message))

    def _put(self, view: ConversationView, old: int) -> None:
        others = self._rows if old < 0 else self._rows[:old] + self._rows[old + 1 :]
        new = sum(_order(other) <= _order(view) for other in others)
        if old < 0:
            self.beginInsertRows(QModelIndex(), new, new)
            self._rows.insert(new, view)
            self.endInsertRows()
        else:
            if new != old:
                self._move(old, new)
            self._rows[new] = view
            self.dataChanged.emit(self.index(new), self.index(new))

    def _move(self, old: int, new: int) -> None:
        # Qt counts the destination before the row is taken out.
        self.beginMoveRows(QModelIndex(), old, old, QModelIndex(), new if new < old else new + 1)
        self._rows.insert(new, self._rows.pop(old))
        self.endMoveRows()

    def _count_unread(self) -> None:
        unread = sum(view.unread for view in self._rows)
        if unread != self._unread:
            self._unread = unread
            if not self._unread_timer.isActive():
                self._unread_timer.start()

    def _person_changed(self, user: str) -> None:
        for row, view in enumerate(self._rows):
            if view.user == user:
                self.dataChanged.emit(self.index(row), self.index(row))

    def _spoken(self, view: ConversationView) -> str:
        parts = [view.title]
        if view.user is None:
            parts.append(self.tr("group"))
        else:
            parts.append(self.tr("online") if view.online else self.tr("offline"))
        if view.unread:
            parts.append(self.tr("%n unread", "", view.unread))
        if view.names_me:
            parts.append(self.tr("names you"))
        parts.append(self._typed(view) or self.draft(view) or self.preview(view))
        if view.last_entry is not None and view.last_entry.mine:
            parts.append(people.message_state(view.last_entry.state))
        return ", ".join(parts)


class UnreadFilter(QSortFilterProxyModel):
    """All conversations, or those with unread messages; the open one stays where it is."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._only_unread = False
        self._kept: ConversationId | None = None

    def show_only_unread(self, *, only: bool) -> None:
        """Choose what is listed."""
        self._only_unread = only
        self.invalidate()

    def keep(self, conversation: ConversationId | None) -> None:
        """List this conversation even when it is read: it is the open one."""
        self._kept = conversation
        if self._only_unread:
            self.invalidate()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        """Tell whether a row is listed."""
        if not self._only_unread:
            return True
        view = self.sourceModel().index(source_row, 0, source_parent).data(Role.VIEW)
        return isinstance(view, ConversationView) and (view.unread > 0 or view.conversation == self._kept)


def _is_listed(view: ConversationView) -> bool:
    # People who only asked, or were asked, stand among the requests.
    return view.can_write or view.last_entry is not None


def _order(view: ConversationView) -> tuple[float, str]:
    latest = view.last_entry.written_at.timestamp() if view.last_entry else 0.0
    return (-latest, view.title.casefold())
