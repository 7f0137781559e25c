"""A QListView, so that screen readers know it, with a layout of its own, so that it is quick: rows of any height.

What stands still is the anchor: a row, and how many of its pixels are hidden above the edge. The scroll bar is
computed from it, never the other way round except when somebody drags it. So nothing jumps when rows come above or
one changes its height. Only rows in sight are measured.
"""

from PySide6.QtCore import QElapsedTimer, QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt, QTimer
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

from ui.conversation.anchored_rows import AnchoredRows

Index = QModelIndex | QPersistentModelIndex

_FRAME_MS = 15
"""In a flood of changes the list is painted no more often than a screen shows it,"""
_PAINT_SHARE = 4
"""and not so often that painting takes more than one part in so many of the time."""
_LINE = 20
"""Pixels of one step of the wheel's three."""


class LazyRows(QListView):
    """What is in the rows is for the class below it: it measures and paints them, and takes in the model's changes."""

    def __init__(self) -> None:
        super().__init__()
        # First of all: some of the setters below call the methods that look at these.
        self._rows = AnchoredRows(self._measure)
        self._width = 0
        self._is_settled = True
        self._moves_bar = False
        self._shows_current = False
        self._since_paint = QElapsedTimer()
        self._paint_ms = 0
        self._paint_timer = QTimer(self, singleShot=True)
        self._paint_timer.timeout.connect(self.viewport().update)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAttribute(Qt.WidgetAttribute.WA_MacShowFocusRect, on=False)

    # --- what the class below it says ------------------------------------------------------------

    def _measure(self, row: int) -> int:
        """Return the exact height of a row."""
        raise NotImplementedError

    def _paint_row(self, painter: QPainter, option: QStyleOptionViewItem, row: int) -> None:
        """Draw a row into the place that `option` names."""
        raise NotImplementedError

    def _rows_settled(self) -> None:
        """It is known which rows are in sight."""

    def _tell_settled(self) -> None:
        """The scroll bar says so, too."""

    # --- layout --------------------------------------------------------------------------------

    def visible_rows(self) -> range:
        """Return the rows that are on the screen, if only in part."""
        self._settle()
        return self._rows.visible

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
        """Bring anchor and scroll bar in line with the rows."""
        if self._is_settled:
            return
        self._is_settled = True
        if self._width > 0:
            self._rows.settle(self.viewport().height())
        self._rows_settled()
        self._sync_bar()
        self._tell_settled()

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
                self._paint_row(painter, option, row)
        painter.end()
        self._paint_ms = self._since_paint.elapsed()
