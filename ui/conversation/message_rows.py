"""The list of messages: what is fetched for it, what is new in it, and how one is found that is looked for."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPoint, QTimer, Signal
from PySide6.QtGui import QAccessible, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyleOptionViewItem

from peer.views import EntryId, MessageKind, MessageView
from ui.conversation.anchored_rows import AnchoredRows
from ui.conversation.bubble_delegate import BubbleDelegate
from ui.conversation.hits import Hit
from ui.conversation.lazy_rows import Index, LazyRows
from ui.models.message_list import MOST_ROWS, MOST_SELECTED, MessageListModel
from ui.theme.controls import Theme
from ui.transfers.blocks import Block

_ROWS_AHEAD = 48
"""With fewer rows above the first visible one, or below the last, more history is fetched."""
_FOUND_AT = 3
"""What was looked for stands below one part in so many of the list's height,"""
_FLASH_MS = 1_500
"""and stands out for so long."""
_UNREAD_FROM_TOP = 24
"""Pixels above the first unread message, when a conversation opens there."""


class MessageRows(LazyRows):
    """Shows a `MessageListModel`; what keys and mouse do beside scrolling is for the class below it."""

    rows_shown = Signal(int, int)
    """The first and the last row that are on the screen, whenever they may have changed."""
    missed_changed = Signal(int)
    """How many messages came below what is shown; -1 while the newest is in sight."""

    def __init__(self, theme: Theme, blocks: Mapping[MessageKind, Block] | None = None) -> None:
        """`blocks` draw attachments; kinds that are not among them are drawn as files."""
        super().__init__()
        self._bubbles = BubbleDelegate(theme, blocks or {})
        self._messages: MessageListModel | None = None
        self._missed = 0
        self._selection = self._bubbles.selection
        self._let_go_timer = QTimer(self, singleShot=True, interval=0)
        self._let_go_timer.timeout.connect(self._let_go)
        self._flash_timer = QTimer(self, singleShot=True, interval=_FLASH_MS)
        self._flash_timer.timeout.connect(self._end_flash)
        self.setObjectName("conversation.messages")
        self.setAccessibleName(self.tr("Messages"))
        self.setProperty("role", "chat")
        self.setItemDelegate(self._bubbles)

    # --- what the pane asks ------------------------------------------------------------------

    def show_messages(self, messages: MessageListModel | None) -> None:
        """Show another conversation: at its first unread message, else at its end."""
        if self._messages is not None:
            self._messages.rowsRemoved.disconnect(self._rows_removed)
            self._messages.loaded.disconnect(self.open_at_unread)
            self._messages.found.disconnect(self._show_found)
            self._messages.came_at_end.disconnect(self._count_missed)
        old_selection, old_messages = self.selectionModel(), self._messages
        self._messages = messages
        self._bubbles.me = "" if messages is None else messages.me
        self.setModel(messages)
        if old_messages is not None and old_messages is not messages:
            old_messages.rest()
        if old_selection is not None:
            old_selection.deleteLater()
        if messages is not None:
            messages.rowsRemoved.connect(self._rows_removed)
            messages.loaded.connect(self.open_at_unread)
            messages.found.connect(self._show_found)
            messages.came_at_end.connect(self._count_missed)
            if messages.is_loaded:
                self.open_at_unread()

    @property
    def follows(self) -> bool:
        """Whether the newest message is in sight, and the next one will be too."""
        return self._rows.follows and not self._has_newer

    @property
    def _has_newer(self) -> bool:
        return self._messages is not None and self._messages.has_newer

    def follow(self) -> None:
        """Go to the newest message."""
        self._rows.follows = True
        if self._messages is not None:
            self._messages.load_newest()
        self._lay_out()

    def entries_in_sight(self) -> list[EntryId]:
        """Return what is on the screen; nothing when the list itself is not."""
        if self._messages is None or not self.isVisible():
            return []
        return [self._messages.message(row).entry for row in self.visible_rows()]

    def paint_again(self, concerns: Callable[[MessageView], bool]) -> None:
        """What is shown of some messages looks different now, at the same size."""
        if self._messages is None or not self._is_settled:
            return  # all of it is painted anyway
        for row in self.visible_rows():
            if concerns(self._messages.message(row)):
                self.viewport().update(self.visualRect(self.model().index(row, 0)))

    # --- the model's changes -------------------------------------------------------------------

    def setModel(self, model: QAbstractItemModel | None) -> None:
        """Forget the old rows with the old model."""
        super().setModel(model)
        self._start_over()

    def reset(self) -> None:
        """Begin at the end again."""
        super().reset()
        self._start_over()

    def rowsInserted(self, parent: Index, start: int, end: int) -> None:
        """Keep what is shown where it is: rows above push nothing down, history below is not run after."""
        if self._messages is not None and self._messages.has_newer and not self._messages.wants_newest:
            self._rows.follows = False
        self._rows.inserted(start, end - start + 1)
        QAbstractItemView.rowsInserted(self, parent, start, end)
        self._lay_out_soon()

    def dataChanged(self, top_left: Index, bottom_right: Index, roles: Sequence[int] = ()) -> None:
        """Measure the rows again."""
        for row in range(top_left.row(), min(bottom_right.row() + 1, len(self._rows))):
            self._rows.changed(row)
        if QAccessible.isActive():
            # Otherwise it would only ask where the rows are, thousands of times in a flood.
            QAbstractItemView.dataChanged(self, top_left, bottom_right, roles)
        self._lay_out_soon()

    def _rows_removed(self, _parent: QModelIndex, start: int, end: int) -> None:
        self._rows.removed(start, end - start + 1)
        self._lay_out_soon()

    def _start_over(self) -> None:
        # What was selected may not be here any more, and could not be copied.
        self._selection.clear()
        self._rows = AnchoredRows(self._measure, 0 if self._messages is None else self._messages.rowCount())
        self._missed = 0
        self._lay_out()

    def open_at_unread(self) -> None:
        """Go to the first unread message of the model, else to its end."""
        row = -1 if self._messages is None else self._messages.first_unread_row()
        if row >= 0:
            self._rows.anchor(row, -_UNREAD_FROM_TOP)
        else:
            self._rows.follows = True
        self._lay_out()

    def _show_found(self, row: int) -> None:
        """Bring the message that was looked for into sight, and let it stand out for a moment."""
        assert self._messages is not None
        index = self.model().index(row, 0)
        self._settle()
        place = self.visualRect(index)
        if row not in self.visible_rows() or place.top() < 0 or place.bottom() > self.viewport().height():
            self._rows.anchor(row, -self.viewport().height() // _FOUND_AT)
            self._lay_out()
        self.setAutoScroll(False)
        self.setCurrentIndex(index)
        self.setAutoScroll(True)
        self._bubbles.flashing = self._messages.message(row).entry
        self._flash_timer.start()
        self.viewport().update()

    def _end_flash(self) -> None:
        self._bubbles.flashing = None
        self.viewport().update()

    def _count_missed(self, count: int) -> None:
        if not self.follows:
            self._missed += count
            self._lay_out_soon()

    def _let_go(self) -> None:
        """Keep no more history than can be scrolled through at once, and what is selected."""
        messages, span, visible = self._messages, self._selection.span, self.visible_rows()
        if messages is None or not visible:
            return
        if span is not None and messages.row_at(span.end.message) - messages.row_at(span.start.message) > MOST_SELECTED:
            self._selection.clear()
            span = None
        selected = None if span is None else (span.start.message, span.end.message)
        messages.let_go(visible[0], visible[-1], selected)

    # --- layout --------------------------------------------------------------------------------

    def _rows_settled(self) -> None:
        """Fetch what may be scrolled to next."""
        if self._width > 0:
            self._look_ahead()
        if self.follows:
            self._missed = 0

    def _tell_settled(self) -> None:
        """Say what is in sight."""
        self.missed_changed.emit(-1 if self.follows else self._missed)
        visible = self._rows.visible
        if visible:
            self.rows_shown.emit(visible[0], visible[-1])

    def _look_ahead(self) -> None:
        if self._messages is None:
            return
        if self._rows.top < _ROWS_AHEAD:
            self._messages.load_older()
        if self._rows.end > len(self._rows) - _ROWS_AHEAD:
            self._messages.load_newer()
        if len(self._rows) > MOST_ROWS:
            self._let_go_timer.start()

    def _measure(self, row: int) -> int:
        return self._bubbles.height(self.model().index(row, 0), self._width)

    def _paint_row(self, painter: QPainter, option: QStyleOptionViewItem, row: int) -> None:
        self._bubbles.paint(painter, option, self.model().index(row, 0))

    def hit(self, point: QPoint) -> Hit | None:
        """Return what is at a point of the viewport, or nearest to it; None in an empty list."""
        visible = self.visible_rows()
        if not visible or self._messages is None:
            return None
        inside = QPoint(point.x(), max(0, min(point.y(), self.viewport().height() - 1)))
        row = self._rows.row_at(inside.y())
        if row < 0:
            row = visible[0] if inside.y() < self._rows.place_of(visible[0]) else visible[-1]
        index = self.model().index(row, 0)
        return self._bubbles.hit(index, self.visualRect(index), inside)
