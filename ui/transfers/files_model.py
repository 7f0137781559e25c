"""Everything that was ever shared in a conversation, the newest first, fetched page by page."""

import msgspec
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from peer import events
from peer.views import ConversationId, MessageView, SharedAt
from ui.peer_bridge import PeerBridge
from ui.translations import attachments, moments, people

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
PAGE_ROWS = 128


class FilesModel(QAbstractListModel):
    """Holds what was scrolled to, and keeps it up to date."""

    loaded = Signal()
    """The first page is here."""

    def __init__(
        self, bridge: PeerBridge, conversation: ConversationId, wanted: SharedAt, parent: QObject | None = None
    ) -> None:
        """`wanted` says which of them: of which kinds, with which words."""
        super().__init__(parent)
        self._wanted = wanted
        self._bridge = bridge
        self._conversation = conversation
        self._rows: list[MessageView] = []
        self._is_asking = False
        self._has_more = True
        self.is_loaded = False
        bridge.events_arrived.connect(self._take)
        self.fetchMore(_NO_PARENT)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return how many are here."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return one aspect of a file."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        message = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return message.attachment.name if message.attachment is not None else ""
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{attachments.spoken(message)}, {said_by(message)}"
        return None

    def message(self, row: int) -> MessageView:
        """Return the message of a row."""
        return self._rows[row]

    def canFetchMore(self, parent: Index) -> bool:
        """Tell whether there may be older ones."""
        return not parent.isValid() and self._has_more and not self._is_asking

    def fetchMore(self, _parent: Index) -> None:
        """Ask for the next page."""
        if self._is_asking or not self._has_more:
            return
        self._is_asking = True
        conversation = self._conversation
        before = self._rows[-1].entry if self._rows else None
        where = msgspec.structs.replace(self._wanted, before=before)
        self._bridge.ask(
            self, lambda node: node.files(conversation, where, PAGE_ROWS), self._came, lambda *_: self._came([])
        )

    def _came(self, page: list[MessageView]) -> None:
        self._is_asking = False
        self._has_more = len(page) >= PAGE_ROWS
        known = {message.entry for message in self._rows}
        fresh = [message for message in page if message.entry not in known]
        if fresh:
            self.beginInsertRows(QModelIndex(), len(self._rows), len(self._rows) + len(fresh) - 1)
            self._rows += fresh
            self.endInsertRows()
        if not self.is_loaded:
            self.is_loaded = True
            self.loaded.emit()

    def _take(self, batch: list[events.Event]) -> None:
        for event in batch:
            message = getattr(event, "message", None)
            if isinstance(event, events.SendingWithdrawn | events.MessageHidden):
                self._remove(event.message)
            elif isinstance(message, MessageView) and message.conversation == self._conversation:
                if message.attachment is None:
                    self._remove(message)  # it was deleted for everybody
                else:
                    self._put(message)

    def _remove(self, message: MessageView) -> None:
        for row, known in enumerate(self._rows):
            if known.entry == message.entry:
                self.beginRemoveRows(_NO_PARENT, row, row)
                del self._rows[row]
                self.endRemoveRows()
                return

    def _put(self, message: MessageView) -> None:
        """Bring a file up to date, or put a new one where its time is."""
        for row, known in enumerate(self._rows):
            if known.entry == message.entry:
                self._rows[row] = message
                self.dataChanged.emit(self.index(row), self.index(row))
                return
        if not self._is_wanted(message):
            return
        row = sum(known.place > message.place for known in self._rows)
        if row == len(self._rows) and (self._has_more or self._is_asking):
            return  # it comes with its page
        self.beginInsertRows(QModelIndex(), row, row)
        self._rows.insert(row, message)
        self.endInsertRows()

    def _is_wanted(self, message: MessageView) -> bool:
        """Tell whether something new is of those that were asked for."""
        name = message.attachment.name if message.attachment is not None else ""
        words = self._wanted.words.strip().casefold()
        is_kind = not self._wanted.kinds or message.kind in self._wanted.kinds
        return is_kind and any(words in text.casefold() for text in (name, message.text, message.author_name))


def said_by(message: MessageView) -> str:
    """Return who shared it, and when."""
    return f"{people.sender(message)} · {moments.brief(message.written_at)}"
