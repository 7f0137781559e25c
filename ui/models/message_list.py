"""The messages of one conversation that somebody has looked at, oldest first, fetched page by page."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from peer.views import ConversationId, EntryId, MessageState, MessageView
from ui.peer_bridge import PeerBridge
from ui.translations import moments, people

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_Place = tuple[datetime, int]

PAGE_ROWS = 256
"""Messages fetched from the node at once."""
GROUP_GAP = timedelta(minutes=10)
"""A pause after which a message stands on its own, although the same person wrote the one before."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How a message stands to its neighbours: what is drawn around it."""

    starts_day: bool
    starts_group: bool
    ends_group: bool
    starts_unread: bool


class MessageListModel(QAbstractListModel):
    """Holds the newest pages; older ones come when `load_older` is called."""

    loaded = Signal()
    """The newest page is here."""

    def __init__(self, bridge: PeerBridge, conversation: ConversationId, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.conversation = conversation
        self._messages: list[MessageView] = []
        self._by_entry: dict[EntryId, MessageView] = {}
        self._held_back: dict[EntryId, MessageView] = {}
        self._is_loaded = False
        self._is_loading = False
        self._has_older = True
        self._first_unread: EntryId | None = None

    # --- what Qt asks -----------------------------------------------------------------------

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return how many are here."""
        return 0 if parent.isValid() else len(self._messages)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one aspect of a message."""
        row = index.row()
        if not index.isValid() or row >= len(self._messages):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._messages[row].text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(self._messages[row])
        return None

    # --- what the view asks -----------------------------------------------------------------

    @property
    def is_loaded(self) -> bool:
        """Whether the newest page is here."""
        return self._is_loaded

    @property
    def has_older(self) -> bool:
        """Whether there may be history above the first row."""
        return self._has_older

    def message(self, row: int) -> MessageView:
        """Return the message of a row."""
        return self._messages[row]

    def placement(self, row: int) -> Placement:
        """Return how a row stands to its neighbours."""
        following = row + 1 < len(self._messages)
        return Placement(
            starts_day=self._starts_day(row),
            starts_group=self._starts_group(row),
            ends_group=not following or self._starts_group(row + 1),
            starts_unread=self._messages[row].entry == self._first_unread,
        )

    def first_unread_row(self) -> int:
        """Return the row above which "New messages" stands; -1 when there is none."""
        view = None if self._first_unread is None else self._by_entry.get(self._first_unread)
        return -1 if view is None else self._row_at(_place(view))

    # --- pages --------------------------------------------------------------------------------

    def load(self) -> None:
        """Fetch the newest page."""
        if not self._is_loading and not self._is_loaded:
            self._is_loading = True
            conversation = self.conversation
            self._bridge.ask(
                self,
                lambda node: node.messages(conversation, limit=PAGE_ROWS),
                self._newest_came,
                lambda _code, message: self._page_failed(message),
            )

    def load_older(self) -> None:
        """Fetch the page above the first row, unless it is on its way or there is none."""
        if self._is_loading or not self._is_loaded or not self._has_older or not self._messages:
            return
        self._is_loading = True
        conversation, first = self.conversation, self._messages[0].entry
        self._bridge.ask(
            self,
            lambda node: node.messages(conversation, before=first, limit=PAGE_ROWS),
            self._older_came,
            lambda _code, message: self._page_failed(message),
        )

    def take(self, messages: Iterable[MessageView]) -> None:
        """Put in new messages, and new states of known ones."""
        if not self._is_loaded:
            self._held_back.update((message.entry, message) for message in messages)
            return
        fresh: dict[EntryId, MessageView] = {}
        for message in messages:
            if message.entry in self._by_entry:
                self._replace(message)
            else:
                fresh[message.entry] = message
        self._insert(sorted(fresh.values(), key=_place))

    def open_at_unread(self, unread: int) -> None:
        """Draw "New messages" above the last `unread` messages of others, or nowhere."""
        rows = {self.first_unread_row()}
        theirs = [message for message in self._messages[-unread - PAGE_ROWS :] if not message.mine]
        self._first_unread = theirs[-unread:][0].entry if unread and theirs else None
        rows.add(self.first_unread_row())
        for row in rows:
            self._touch(row)
            self._touch(row - 1)

    def _newest_came(self, page: list[MessageView]) -> None:
        self._is_loading = False
        self._is_loaded = True
        self._has_older = len(page) >= PAGE_ROWS
        self.beginResetModel()
        # What was told while the page was on its way is at least as new as the page.
        newest = {message.entry: self._held_back.get(message.entry, message) for message in page}
        self._messages = sorted(newest.values(), key=_place)
        self._by_entry = {message.entry: message for message in self._messages}
        unread = (message.entry for message in self._messages if message.state is MessageState.ARRIVED)
        self._first_unread = next(unread, None)
        self.endResetModel()
        held_back, self._held_back = self._held_back, {}
        self.take(held_back.values())
        self.loaded.emit()

    def _older_came(self, page: list[MessageView]) -> None:
        self._is_loading = False
        self._has_older = len(page) >= PAGE_ROWS
        fresh = [message for message in page if message.entry not in self._by_entry]
        if fresh:
            self.beginInsertRows(QModelIndex(), 0, len(fresh) - 1)
            self._messages[:0] = fresh
            self._by_entry.update((message.entry, message) for message in fresh)
            self.endInsertRows()
            self._touch(len(fresh))

    def _page_failed(self, message: str) -> None:
        self._is_loading = False
        self._bridge.refused.emit(message)

    # --- rows ---------------------------------------------------------------------------------

    def _insert(self, fresh: list[MessageView]) -> None:
        """Put sorted new messages in: those at the end at once, late ones singly."""
        end = _place(self._messages[-1]) if self._messages else None
        late = [message for message in fresh if end is not None and _place(message) < end]
        for message in late:
            row = self._row_at(_place(message))
            if row > 0 or not self._has_older:
                self._insert_rows(row, [message])
        self._insert_rows(len(self._messages), fresh[len(late) :])

    def _insert_rows(self, row: int, messages: list[MessageView]) -> None:
        if not messages:
            return
        self.beginInsertRows(QModelIndex(), row, row + len(messages) - 1)
        self._messages[row:row] = messages
        self._by_entry.update((message.entry, message) for message in messages)
        self.endInsertRows()
        self._touch(row - 1)
        self._touch(row + len(messages))

    def _replace(self, message: MessageView) -> None:
        known = self._by_entry[message.entry]
        if known == message:
            return
        row = self._row_at(_place(known))
        if _place(known) != _place(message):
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._messages[row]
            del self._by_entry[message.entry]
            self.endRemoveRows()
            self._insert([message])
            return
        self._messages[row] = message
        self._by_entry[message.entry] = message
        self._touch(row)

    def _touch(self, row: int) -> None:
        """Say that a row, or how it stands to its neighbours, has changed."""
        if 0 <= row < len(self._messages):
            self.dataChanged.emit(self.index(row), self.index(row))

    def _row_at(self, place: _Place) -> int:
        return bisect_left(self._messages, place, key=_place)

    def _starts_day(self, row: int) -> bool:
        if row == 0:
            return True
        before, here = self._messages[row - 1].written_at, self._messages[row].written_at
        return moments.local_day(before) != moments.local_day(here)

    def _starts_group(self, row: int) -> bool:
        message = self._messages[row]
        if row == 0 or message.entry == self._first_unread:
            return True
        before = self._messages[row - 1]
        return (
            before.author != message.author
            or message.written_at - before.written_at > GROUP_GAP
            or self._starts_day(row)
        )

    def _spoken(self, message: MessageView) -> str:
        sender = self.tr("You") if message.mine else message.author_name
        state = people.message_state(message.state)
        said = f"{sender}, {moments.clock(message.written_at)}: {message.text}"
        return f"{said}, {state}" if state else said


def _place(message: MessageView) -> _Place:
    return (message.written_at, message.arrival)
