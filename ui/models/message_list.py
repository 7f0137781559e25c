"""The messages of one conversation that somebody looks at, oldest first, fetched page by page.

What is here is one stretch of the conversation without gaps. It grows at either end when somebody scrolls there,
and is cut at the end that is far from what is shown, so that neither memory nor any step grows with the history.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from peer.errors import RefusalCode
from peer.views import (
    ConversationId,
    EntryId,
    MessageKind,
    MessagePage,
    MessagePlace,
    MessageState,
    MessageView,
    PageAt,
)
from ui.peer_bridge import PeerBridge
from ui.translations import message_words, moments

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_PLACE = attrgetter("place")
PAGE_ROWS = 256
"""Messages fetched from the node at once."""
MOST_ROWS = 2_048
"""When more are here, those far from what is shown are let go."""
_KEPT_AROUND = 512
"""Rows above and below what is shown that stay all the same."""
MOST_SELECTED = 16_384
"""What is selected is kept too, up to so many rows."""
GROUP_GAP = timedelta(minutes=10)
"""A pause after which a message stands on its own, although the same person wrote the one before."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How a message stands to its neighbours: what is drawn around it."""

    starts_day: bool
    starts_group: bool
    ends_group: bool
    starts_unread: bool
    names_author: bool = False
    """Whether the name of who wrote it stands above the text: in a group, at the first of a run."""


class MessageListModel(QAbstractListModel):
    """Holds the pages around the first unread message at first; more come at `load_older` and `load_newer`."""

    loaded = Signal()
    """The page to begin at is here."""
    came_at_end = Signal(int)
    """So many new messages of others came behind all that are here; just before they are inserted, if they are."""
    found = Signal(int)
    """The row of the message that was looked for."""
    not_found = Signal()
    """It is nowhere on this device."""

    def __init__(
        self,
        bridge: PeerBridge,
        conversation: ConversationId,
        parent: QObject | None = None,
        *,
        is_group: bool = False,
        me: str = "",
    ) -> None:
        """`me` is the user who looks."""
        super().__init__(parent)
        self._bridge = bridge
        self.conversation = conversation
        self.me = me
        self._is_group = is_group
        self._messages: list[MessageView] = []
        self._by_entry: dict[EntryId, MessageView] = {}
        self._held_back: dict[EntryId, MessageView] = {}
        self._is_loaded = False
        self._is_loading = False
        self._has_older = True
        self._has_newer = False
        self._newest: MessagePlace | None = None
        """The last message that was told of, whether it is here or not."""
        self._wants_newest = False
        self._wanted: EntryId | None = None
        """What is looked for as soon as the page that is on its way has come."""
        self._shown_instead: dict[EntryId, MessageView | None] = {}
        """What stands in the place of messages that are being deleted; None for nothing."""
        self._told_meanwhile: dict[EntryId, MessageView] = {}
        """What was told of these."""
        self._visit = 0
        """Grows when everything is let go: an answer to an earlier visit comes too late."""
        self._rests = False
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
            return message_words.spoken(self._messages[row], self.me)
        return None

    # --- what the view asks -----------------------------------------------------------------

    @property
    def is_loaded(self) -> bool:
        """Whether there is a page to look at."""
        return self._is_loaded

    @property
    def has_older(self) -> bool:
        """Whether there may be history above the first row."""
        return self._has_older

    @property
    def has_newer(self) -> bool:
        """Whether the newest messages are not here, because somebody reads far above them."""
        return self._has_newer

    @property
    def wants_newest(self) -> bool:
        """Whether the newest messages are to be fetched as soon as the page that is on its way has come."""
        return self._wants_newest

    def message(self, row: int) -> MessageView:
        """Return the message of a row."""
        return self._messages[row]

    def placement(self, row: int) -> Placement:
        """Return how a row stands to its neighbours."""
        message = self._messages[row]
        following = row + 1 < len(self._messages)
        starts_group = self._starts_group(row)
        return Placement(
            starts_day=self._starts_day(row),
            starts_group=starts_group,
            ends_group=not following or self._starts_group(row + 1),
            starts_unread=message.entry == self._first_unread,
            names_author=self._is_group and starts_group and not message.mine and message.membership is None,
        )

    def newest_first(self) -> Iterator[MessageView]:
        """Yield what is here, from the end up."""
        return reversed(self._messages)

    def first_unread_row(self) -> int:
        """Return the row above which "New messages" stands; -1 when there is none."""
        view = None if self._first_unread is None else self._by_entry.get(self._first_unread)
        return -1 if view is None else self.row_at(view.place)

    def row_at(self, place: MessagePlace) -> int:
        """Return the row at which a message of this place stands, or would stand."""
        return bisect_left(self._messages, place, key=_PLACE)

    def _entry_from(self, place: MessagePlace) -> EntryId | None:
        """Return the first message at or below a place."""
        row = self.row_at(place)
        return self._messages[row].entry if row < len(self._messages) else None

    def messages_between(self, first: MessagePlace, last: MessagePlace) -> list[MessageView]:
        """Return the messages from one place to another, both included."""
        start = self.row_at(first)
        return [message for message in self._messages[start : self.row_at(last) + 1] if message.place <= last]

    # --- pages --------------------------------------------------------------------------------

    def load(self) -> None:
        """Fetch the page to begin at: around the first unread message, else the newest."""
        if not self._is_loaded:
            self._ask(PageAt(at_unread=True), self._first_page_came)

    def load_older(self) -> None:
        """Fetch the page above the first row, unless it is on its way or there is none."""
        if self._is_loaded and self._has_older and self._messages:
            below = self._messages[0].entry
            self._ask(PageAt(before=below), lambda page: self._older_came(page, below))

    def load_newer(self) -> None:
        """Fetch the page below the last row, unless it is on its way or there is none."""
        if self._is_loaded and self._has_newer and self._messages:
            above = self._messages[-1].entry
            self._ask(PageAt(after=above), lambda page: self._newer_came(page, above))

    def load_newest(self) -> None:
        """Go to the newest page from wherever we are."""
        self._wants_newest = self._has_newer and self._is_loading
        if self._has_newer:
            self._ask(PageAt(), self._start_at)

    def look_for(self, entry: EntryId) -> None:
        """Find a message, wherever in the conversation it is; `found` or `not_found` follows."""
        self._wanted = None
        if entry in self._by_entry:
            self.found.emit(self.row_at(self._by_entry[entry].place))
        elif self._is_loading or not self._is_loaded:
            self._wanted = entry
        else:
            self._ask(PageAt(around=entry), lambda page: self._page_around_came(page, entry), self.not_found.emit)

    def _page_around_came(self, page: MessagePage, entry: EntryId) -> None:
        self._start_at(page)
        if entry in self._by_entry:
            self.found.emit(self.row_at(self._by_entry[entry].place))
        else:
            self.not_found.emit()

    def latest(self, entry: EntryId) -> MessageView | None:
        """Return a message as it is now, if it is here."""
        return self._by_entry.get(entry)

    def show_instead(self, message: MessageView, shown: MessageView | None) -> None:
        """Show something else in the place of a message, None for nothing, until one of the next three is called."""
        self._shown_instead[message.entry] = shown
        if message.entry in self._by_entry:
            if shown is None:
                self._remove_message(message.entry)
            else:
                self._replace(shown)

    def show_again(self, message: MessageView) -> None:
        """Show a message itself again, as it was last told of."""
        self._shown_instead.pop(message.entry, None)
        self.take([self._told_meanwhile.pop(message.entry, message)])

    def show_now(self, message: MessageView) -> None:
        """Show a message as it is now, whatever stood in its place."""
        for kept in (self._shown_instead, self._told_meanwhile):
            kept.pop(message.entry, None)
        self.take([message])

    def forget_message(self, entry: EntryId) -> None:
        """It is no more."""
        for kept in (self._shown_instead, self._told_meanwhile, self._held_back):
            kept.pop(entry, None)
        if entry in self._by_entry:
            self._remove_message(entry)

    def _remove_message(self, entry: EntryId) -> None:
        row = self.row_at(self._by_entry[entry].place)
        self._remove_rows(row, row + 1)
        self._touch(row - 1)
        self._touch(row)

    def _as_shown(self, messages: Iterable[MessageView]) -> list[MessageView]:
        """Return messages as they are shown here: those that are being deleted in another form, or not at all."""
        if not self._shown_instead:
            return list(messages)
        shown: list[MessageView | None] = []
        for message in messages:
            if message.entry not in self._shown_instead:
                shown.append(message)
            elif message.kind is MessageKind.DELETED:
                # It is done, by us or by somebody else.
                del self._shown_instead[message.entry]
                shown.append(message)
            else:
                self._told_meanwhile[message.entry] = message
                shown.append(self._shown_instead[message.entry])
        return [message for message in shown if message is not None]

    def take(self, messages: Iterable[MessageView]) -> None:
        """Put in new messages, and new states of known ones."""
        messages = self._as_shown(messages)
        if not self._is_loaded:
            self._hold_back(messages)
            return
        fresh: dict[EntryId, MessageView] = {}
        for message in messages:
            if message.entry in self._by_entry:
                self._replace(message)
            else:
                fresh[message.entry] = message
        self._insert(sorted(fresh.values(), key=_PLACE))

    def open_at(self, unread: MessagePlace | None) -> None:
        """Begin to be looked at, with "New messages" above the message of this place; without one, nowhere."""
        self._rests = False
        if self._is_loaded and unread is not None and self._has_older and unread < self._messages[0].place:
            self._forget()
        if not self._is_loaded:
            self.load()
            return
        rows = {self.first_unread_row()}
        self._first_unread = None if unread is None else self._entry_from(unread)
        rows.add(self.first_unread_row())
        for row in rows:
            self._touch(row)
            self._touch(row - 1)

    def let_go(self, first: int, last: int, selected: tuple[MessagePlace, MessagePlace] | None = None) -> None:
        """Forget what is far from these rows, once there is much of it; what is selected stays."""
        if len(self._messages) <= MOST_ROWS:
            return
        if selected is not None:
            first, last = min(first, self.row_at(selected[0])), max(last, self.row_at(selected[1]))
        start, end = max(0, first - _KEPT_AROUND), min(len(self._messages), last + _KEPT_AROUND)
        if len(self._messages) - end >= PAGE_ROWS:
            self._cut_below(end)
        if start >= PAGE_ROWS:
            self._remove_rows(0, start)
            self._has_older = True
            self._touch(0)

    def rest(self) -> None:
        """Nobody looks any more: keep the newest page, or nothing when it is not here."""
        self._rests = True
        if self._has_newer:
            self._forget()
        else:
            self._keep_newest_page()

    def _forget(self) -> None:
        """Hold nothing, as at the start."""
        self._visit += 1
        self._is_loading = self._is_loaded = self._wants_newest = False
        self._wanted = None
        self._held_back.clear()
        self._start_at(MessagePage([], has_older=True, has_newer=False))

    def _keep_newest_page(self) -> None:
        if len(self._messages) > 2 * PAGE_ROWS:
            self._remove_rows(0, len(self._messages) - PAGE_ROWS)
            self._has_older = True

    def _ask(
        self, where: PageAt, came: Callable[[MessagePage], None], missing: Callable[[], None] | None = None
    ) -> None:
        """Fetch a page; `missing` is called when there is no message of that name."""
        if self._is_loading:
            return
        self._is_loading = True
        conversation, visit = self.conversation, self._visit

        def answered(page: MessagePage) -> None:
            if visit != self._visit:
                return
            self._is_loading = False
            came(page)
            if self._wants_newest:
                self.load_newest()
            elif self._wanted is not None:
                self.look_for(self._wanted)

        def refused(code: RefusalCode, message: str) -> None:
            if visit == self._visit:
                self._is_loading = False
            if code is RefusalCode.UNKNOWN_ENTRY and missing is not None:
                missing()
            else:
                self._bridge.refused.emit(message)

        self._bridge.ask(self, lambda node: node.page(conversation, where, PAGE_ROWS), answered, refused)

    def _first_page_came(self, page: MessagePage) -> None:
        self._is_loaded = True
        unread = next((message for message in page.messages if message.state is MessageState.ARRIVED), None)
        self._first_unread = None if unread is None else unread.entry
        self._start_at(page)
        self.loaded.emit()

    def _start_at(self, page: MessagePage) -> None:
        """Hold these messages and no others."""
        self._has_older, self._has_newer = page.has_older, page.has_newer
        self.beginResetModel()
        self._messages = self._as_shown(map(self._latest, page.messages))
        self._by_entry = {message.entry: message for message in self._messages}
        if not self._has_newer:
            self._newest = self._messages[-1].place if self._messages else None
        self.endResetModel()
        self._take_held_back()

    def _older_came(self, page: MessagePage, below: EntryId) -> None:
        if self._messages and self._messages[0].entry == below:
            self._has_older = page.has_older
            self._insert_rows(0, self._unknown(page))
        # Else the rows that it belongs above were let go meanwhile: put here, it would leave a gap.
        self._take_held_back()

    def _newer_came(self, page: MessagePage, above: EntryId) -> None:
        if self._messages and self._messages[-1].entry == above:
            self._has_newer = page.has_newer
            self._insert_rows(len(self._messages), self._unknown(page))
        self._take_held_back()

    def _unknown(self, page: MessagePage) -> list[MessageView]:
        fresh = (self._latest(each) for each in page.messages if each.entry not in self._by_entry)
        return self._as_shown(fresh)

    def _latest(self, message: MessageView) -> MessageView:
        """Return what was told of it while its page was on the way: that is at least as new as the page."""
        return self._held_back.get(message.entry, message)

    def _hold_back(self, messages: Iterable[MessageView]) -> None:
        """Keep what the page on its way may not know yet; with none on its way, a later one will."""
        if self._is_loading:
            self._held_back.update((message.entry, message) for message in messages)

    def _take_held_back(self) -> None:
        held_back, self._held_back = self._held_back, {}
        self.take(held_back.values())

    # --- rows ---------------------------------------------------------------------------------

    def _insert(self, fresh: list[MessageView]) -> None:
        """Put sorted new messages in: those at the end at once, late ones singly."""
        end = self._messages[-1].place if self._messages else None
        late = [message for message in fresh if end is not None and message.place < end]
        for message in late:
            row = self.row_at(message.place)
            if row > 0 or not self._has_older:
                self._insert_rows(row, [message])
            else:
                self._hold_back([message])
        at_end = fresh[len(late) :]
        if not at_end:
            return
        known = self._newest
        new = (each for each in at_end if known is None or each.place > known)
        self.came_at_end.emit(sum(not each.mine and _is_news(each) for each in new))
        self._newest = max(at_end[-1].place, known or at_end[-1].place)
        if self._has_newer:
            # They come from the node when somebody goes there.
            self._hold_back(at_end)
            return
        self._insert_rows(len(self._messages), at_end)
        if self._rests:
            self._keep_newest_page()

    def _insert_rows(self, row: int, messages: list[MessageView]) -> None:
        if not messages:
            return
        self.beginInsertRows(QModelIndex(), row, row + len(messages) - 1)
        self._messages[row:row] = messages
        self._by_entry.update((message.entry, message) for message in messages)
        self.endInsertRows()
        self._touch(row - 1)
        self._touch(row + len(messages))

    def _remove_rows(self, start: int, end: int) -> None:
        self.beginRemoveRows(QModelIndex(), start, end - 1)
        for message in self._messages[start:end]:
            del self._by_entry[message.entry]
        del self._messages[start:end]
        self.endRemoveRows()

    def _cut_below(self, end: int) -> None:
        self._has_newer = True
        self._remove_rows(end, len(self._messages))
        self._touch(end - 1)

    def _replace(self, message: MessageView) -> None:
        known = self._by_entry[message.entry]
        if known == message:
            return
        row = self.row_at(known.place)
        if known.place != message.place:
            self._remove_rows(row, row + 1)
            self._insert([message])
            return
        self._messages[row] = message
        self._by_entry[message.entry] = message
        self._touch(row)

    def _touch(self, row: int) -> None:
        """Say that a row, or how it stands to its neighbours, has changed."""
        if 0 <= row < len(self._messages):
            self.dataChanged.emit(self.index(row), self.index(row))

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
            or (before.membership is None) != (message.membership is None)
            or message.written_at - before.written_at > GROUP_GAP
            or self._starts_day(row)
        )


def _is_news(message: MessageView) -> bool:
    """Tell whether somebody should look at what has come: a message, or a call that we missed."""
    return not message.is_event or (message.call is not None and message.call.is_missed)
