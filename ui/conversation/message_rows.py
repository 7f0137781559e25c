"""The list of messages: a QListView, so that screen readers know it, with a layout of its own, so that it is quick.

What stands still is the anchor: a row, and how many of its pixels are hidden above the edge. The scroll bar is
computed from it, never the other way round except when somebody drags it. So nothing jumps when history arrives
above or a message changes its height.
"""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import (
    QAbstractItemModel,
    QElapsedTimer,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyleOptionViewItem

from peer.views import EntryId, MessageKind, MessageView
from ui.conversation.anchored_rows import AnchoredRows
from ui.conversation.bubble_delegate import BubbleDelegate
from ui.conversation.hits import Hit
from ui.models.message_list import MOST_ROWS, MOST_SELECTED, MessageListModel
from ui.theme.controls import Theme
from ui.transfers.blocks import Block

Index = QModelIndex | QPersistentModelIndex

_FRAME_MS = 15
"""In a flood of messages the list is painted no more often than a screen shows it,"""
_PAINT_SHARE = 4
"""and not so often that painting takes more than one part in so many of the time."""
_LINE = 20
"""Pixels of one step of the wheel's three."""
_ROWS_AHEAD = 48
"""With fewer rows above the first visible one, or below the last, more history is fetched."""
_FOUND_AT = 3
"""What was looked for stands below one part in so many of the list's height,"""
_FLASH_MS = 1_500
"""and stands out for so long."""
_UNREAD_FROM_TOP = 24
"""Pixels above the first unread message, when a conversation opens there."""


class MessageRows(QListView):
    """Shows a `MessageListModel`; what keys and mouse do beside scrolling is for the class below it."""

    rows_shown = Signal(int, int)
    """The first and the last row that are on the screen, whenever they may have changed."""
    missed_changed = Signal(int)
    """How many messages came below what is shown; -1 while the newest is in sight."""

    def __init__(self, theme: Theme, blocks: Mapping[MessageKind, Block] | None = None) -> None:
        """`blocks` draw attachments; kinds that are not among them are drawn as files."""
        super().__init__()
        # First of all: some of the setters below call the methods that look at these.
        self._bubbles = BubbleDelegate(theme, blocks or {})
        self._messages: MessageListModel | None = None
        self._rows = AnchoredRows(self._measure)
        self._missed = 0
        self._width = 0
        self._is_settled = True
        self._moves_bar = False
        self._shows_current = False
        self._selection = self._bubbles.selection
        self._let_go_timer = QTimer(self, singleShot=True, interval=0)
        self._let_go_timer.timeout.connect(self._let_go)
        self._flash_timer = QTimer(self, singleShot=True, interval=_FLASH_MS)
        self._flash_timer.timeout.connect(self._end_flash)
        self._since_paint = QElapsedTimer()
        self._paint_ms = 0
        self._paint_timer = QTimer(self, singleShot=True)
        self._paint_timer.timeout.connect(self.viewport().update)
        self.setObjectName("conversation.messages")
        self.setAccessibleName(self.tr("Messages"))
        self.setProperty("role", "chat")
        self.setItemDelegate(self._bubbles)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAttribute(Qt.WidgetAttribute.WA_MacShowFocusRect, on=False)

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

    def visible_rows(self) -> range:
        """Return the rows that are on the screen, if only in part."""
        self._settle()
        return self._rows.visible

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

    def doItemsLayout(self) -> None:
        """Do not measure every row, as the base class would: only those in sight."""
        QAbstractItemView.doItemsLayout(self)
        self._lay_out()

    def updateGeometries(self) -> None:
        """Compute the scroll bar from the anchor."""
        self._lay_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the lines again at another width."""
        QAbstractItemView.resizeEvent(self, event)
        if self.viewport().width() != self._width:
            self._width = self.viewport().width()
            self._rows.heights.forget_all()
        self._lay_out()

    def _lay_out(self) -> None:
        """Something has changed: settle before the next look at the rows, however much more changes until then."""
        self._is_settled = False
        self.viewport().update()

    def _lay_out_soon(self) -> None:
        """Messages came or changed: that can wait until the next frame."""
        pause = max(_FRAME_MS, _PAINT_SHARE * self._paint_ms)
        passed = self._since_paint.elapsed() if self._since_paint.isValid() else pause
        if passed >= pause:
            self._lay_out()
        elif not self._paint_timer.isActive():
            self._paint_timer.start(pause - passed)
        self._is_settled = False

    def _settle(self) -> None:
        """Bring anchor and scroll bar in line with the rows, and say what is in sight."""
        if self._is_settled:
            return
        self._is_settled = True
        if self._width > 0:
            self._rows.settle(self.viewport().height())
            self._look_ahead()
        if self.follows:
            self._missed = 0
        self._sync_bar()
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

    # --- scrolling -----------------------------------------------------------------------------

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Follow the scroll bar: pixel by pixel for short ways, by the estimate for long ones."""
        del dx
        if self._moves_bar:
            return
        bar = self.verticalScrollBar()
        if bar.value() >= bar.maximum():
            self._rows.follows = True
        elif abs(dy) <= 2 * self.viewport().height() and not bar.isSliderDown():
            self._rows.scroll(-dy)
        else:
            self._rows.anchor_at(bar.value())
        self._lay_out()

    def scroll_by(self, pixels: int) -> None:
        """Move on (or back, when negative) by exactly so much."""
        if pixels < 0 or not self._rows.follows:
            self._rows.scroll(pixels)
            self._lay_out()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll by what the wheel or the touchpad says."""
        exact = event.pixelDelta().y()
        lines = QGuiApplication.styleHints().wheelScrollLines()
        self.scroll_by(-exact if exact else -round(event.angleDelta().y() / 120 * lines * _LINE))
        event.accept()

    def _sync_bar(self) -> None:
        bar = self.verticalScrollBar()
        if bar.isSliderDown():
            return
        self._moves_bar = True
        most = max(0, self._rows.heights.total - self.viewport().height())
        bar.setRange(0, most)
        bar.setPageStep(max(1, self.viewport().height()))
        bar.setSingleStep(_LINE)
        bar.setValue(most if self._rows.follows else min(self._rows.offset, max(0, most - 1)))
        self._moves_bar = False

    # --- what QListView would answer from its own layout -----------------------------------------

    def visualRect(self, index: Index) -> QRect:
        """Return where a row is; far away from what is shown, roughly."""
        if not index.isValid() or index.row() >= len(self._rows):
            return QRect()
        self._settle()
        return QRect(0, self._rows.place_of(index.row()), self._width, self._rows.heights.height(index.row()))

    def indexAt(self, point: QPoint) -> QModelIndex:
        """Return the row at a point of the viewport."""
        self._settle()
        row = self._rows.row_at(point.y())
        return QModelIndex() if row < 0 else self.model().index(row, 0)

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        """Bring a row into sight."""
        if not index.isValid() or index.row() >= len(self._rows):
            return
        self._settle()
        room, height = self.viewport().height(), self._rows.measure(index.row())
        top = self._rows.place_of(index.row())
        nearest = hint == QAbstractItemView.ScrollHint.EnsureVisible
        if nearest and top >= 0 and top + height <= room:
            return
        at_bottom = hint == QAbstractItemView.ScrollHint.PositionAtBottom or (nearest and top > 0)
        self._rows.anchor(index.row(), height - room if at_bottom else 0)
        self._lay_out()

    def moveCursor(self, action: QAbstractItemView.CursorAction, _modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Return the row a key leads to."""
        rows = len(self._rows)
        if not rows:
            return QModelIndex()
        page = max(1, len(self.visible_rows()) - 1)
        here = self.currentIndex().row() if self.currentIndex().isValid() else rows
        actions = QAbstractItemView.CursorAction
        target = {
            actions.MoveUp: here - 1,
            actions.MovePrevious: here - 1,
            actions.MoveDown: here + 1,
            actions.MoveNext: here + 1,
            actions.MovePageUp: here - page,
            actions.MovePageDown: here + page,
            actions.MoveHome: 0,
            actions.MoveEnd: rows - 1,
        }.get(action, here)
        return self.model().index(max(0, min(target, rows - 1)), 0)

    def horizontalOffset(self) -> int:
        """Nothing is ever scrolled sideways."""
        return 0

    def verticalOffset(self) -> int:
        """Return how much is above the edge, as far as is known."""
        return self._rows.offset

    def isIndexHidden(self, _index: Index) -> bool:
        """No row is hidden."""
        return False

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

    def visualRegionForSelection(self, _selection: object) -> QRegion:
        """Nothing is selected."""
        return QRegion()

    def setSelection(self, _rect: QRect, _command: object) -> None:
        """Nothing can be selected."""

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell screen readers which message has the focus; the base class would ask its own layout."""
        QAbstractItemView.currentChanged(self, current, previous)
        if current.isValid() and self.hasFocus():
            event = QAccessibleEvent(self, QAccessible.Event.Focus)
            event.setChild(current.row())
            QAccessible.updateAccessibility(event)

    # --- painting -----------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows in sight."""
        self._since_paint.restart()
        self._settle()
        painter = QPainter(self.viewport())
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        current = self.currentIndex().row() if self._shows_current and self.hasFocus() else -1
        top = -self._rows.hidden
        for row in self.visible_rows():
            place = QRect(0, top, self._width, self._rows.measure(row))
            top = place.bottom() + 1
            if place.intersects(event.rect()):
                option.rect = place
                option.state = QStyle.StateFlag.State_HasFocus if row == current else QStyle.StateFlag.State_None
                self._bubbles.paint(painter, option, self.model().index(row, 0))
        painter.end()
        self._paint_ms = self._since_paint.elapsed()
