"""The grid of emoji: a QListView, so that screen readers know it, laid out in sections under headings."""

from bisect import bisect_right
from typing import NamedTuple

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QListView

from ui.conversation.emoji.rows import EmojiRows
from ui.theme import fonts
from ui.theme.controls import Theme

Index = QModelIndex | QPersistentModelIndex

CELL = 40
_EMOJI = 26
_HEADING = 30
_RADIUS = 8
_PICK_KEYS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space})


class _Block(NamedTuple):
    """Where a section lies, in pixels from the top of all."""

    top: int
    """Of its heading."""
    cells: int
    """The top of its first emoji."""
    bottom: int
    first: int
    size: int
    """How many emoji."""


class EmojiGrid(QListView):
    """Arrows walk, Enter and Space pick, letters go on to the search."""

    picked = Signal(int, bool)
    """The row of an emoji; whether more are to be picked (Shift)."""
    tones_wanted = Signal(int, QPoint)
    """The other tones of a row were asked for, at a place of the screen."""
    pointed_at = Signal(int)
    """The row under the pointer, else the one with the focus; -1 for none."""
    left_at_top = Signal()
    """Up, from the first line."""
    typed = Signal(str)
    section_changed = Signal(int)
    """The section at the top of what is seen."""

    def __init__(self, theme: Theme, rows: EmojiRows) -> None:
        super().__init__()
        self._theme = theme
        self._emoji = rows
        self._blocks: list[_Block] = []
        self._columns = 1
        self._hovered = -1
        self.setObjectName("emoji.grid")
        self.setAccessibleName(self.tr("Emoji"))
        self.setProperty("role", "grid")
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAttribute(Qt.WidgetAttribute.WA_MacShowFocusRect, on=False)
        self.setMouseTracking(True)
        self.setModel(rows)

    def go_to_section(self, number: int) -> None:
        """Bring a section to the top."""
        if number < len(self._blocks):
            self.verticalScrollBar().setValue(self._blocks[number].top)

    # --- layout --------------------------------------------------------------------------------

    def reset(self) -> None:
        """Begin at the top of other emoji."""
        super().reset()
        self._hovered = -1
        self._lay_out()
        self.verticalScrollBar().setValue(0)

    def doItemsLayout(self) -> None:
        """Measure nothing: all emoji are alike."""
        QAbstractItemView.doItemsLayout(self)
        self._lay_out()

    def updateGeometries(self) -> None:
        """Keep the scroll bar as it is: only the layout changes it."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put more or fewer beside each other."""
        QAbstractItemView.resizeEvent(self, event)
        self._lay_out()

    def _lay_out(self) -> None:
        self._columns = max(1, self.viewport().width() // CELL)
        self._blocks = []
        top = first = 0
        for section in self._emoji.sections:
            cells = top + (_HEADING if section.title else 0)
            count = len(section.shown)
            bottom = cells + -(-count // self._columns) * CELL
            self._blocks.append(_Block(top, cells, bottom, first, count))
            top, first = bottom, first + count
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, top - self.viewport().height()))
        bar.setEnabled(bar.maximum() > 0)  # else it would show a handle that moves nothing
        bar.setPageStep(max(1, self.viewport().height()))
        bar.setSingleStep(CELL)
        self.viewport().update()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        """Follow the scroll bar."""
        self.viewport().update()
        if self._blocks:
            self.section_changed.emit(self._block_at(self.verticalOffset() + CELL // 2))

    def _block_at(self, y: int) -> int:
        return max(0, bisect_right(self._blocks, y, key=lambda block: block.top) - 1)

    def _rect(self, row: int) -> QRect:
        """Return where a row is in the viewport."""
        block = self._blocks[bisect_right(self._blocks, row, key=lambda each: each.first) - 1]
        line, column = divmod(row - block.first, self._columns)
        return QRect(column * CELL, block.cells + line * CELL - self.verticalOffset(), CELL, CELL)

    def visualRect(self, index: Index) -> QRect:
        """Return where an emoji is."""
        return self._rect(index.row()) if index.isValid() and self._blocks else QRect()

    def indexAt(self, point: QPoint) -> QModelIndex:
        """Return the emoji at a point of the viewport."""
        row = self._row_at(point)
        return QModelIndex() if row < 0 else self._emoji.index(row, 0)

    def _row_at(self, point: QPoint) -> int:
        y = point.y() + self.verticalOffset()
        column = point.x() // CELL
        if not self._blocks or not 0 <= column < self._columns:
            return -1
        block = self._blocks[self._block_at(y)]
        within = (y - block.cells) // CELL * self._columns + column
        return block.first + within if y >= block.cells and within < block.size else -1

    def scrollTo(
        self, index: Index, _hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        """Bring an emoji into sight; one of a first line with its heading."""
        if not index.isValid() or not self._blocks:
            return
        place, bar = self.visualRect(index), self.verticalScrollBar()
        block = self._blocks[self._block_at(place.top() + self.verticalOffset())]
        above = _HEADING if place.top() + self.verticalOffset() == block.cells else 0
        if place.top() - above < 0:
            bar.setValue(bar.value() + place.top() - above)
        elif place.bottom() >= self.viewport().height():
            bar.setValue(bar.value() + place.bottom() + 1 - self.viewport().height())

    def moveCursor(self, action: QAbstractItemView.CursorAction, _modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Return the emoji a key leads to."""
        count = self._emoji.rowCount()
        if not count:
            return QModelIndex()
        here = self.currentIndex().row()
        if here < 0:
            return self._emoji.index(0, 0)
        actions = QAbstractItemView.CursorAction
        page = max(CELL, self.viewport().height() - CELL)
        if action in {actions.MoveUp, actions.MoveDown, actions.MovePageUp, actions.MovePageDown}:
            pixels = page if action in {actions.MovePageUp, actions.MovePageDown} else CELL
            row = self._row_from(here, -pixels if action in {actions.MoveUp, actions.MovePageUp} else pixels)
        else:
            row = {
                actions.MoveLeft: here - 1,
                actions.MovePrevious: here - 1,
                actions.MoveRight: here + 1,
                actions.MoveNext: here + 1,
                actions.MoveHome: 0,
                actions.MoveEnd: count - 1,
            }.get(action, here)
        return self._emoji.index(max(0, min(row, count - 1)), 0)

    def _row_from(self, row: int, pixels: int) -> int:
        """Return the row that is so far below (above, if negative), in the same column or the nearest to it."""
        place = self._rect(row)
        column = place.x() // CELL
        y = place.center().y() + self.verticalOffset() + pixels
        block = self._blocks[self._block_at(max(0, y))]
        if y < block.cells and pixels < 0 and block.first:
            # On a heading: on to the last line of the section above it.
            y = block.top - 1
            block = self._blocks[self._block_at(y)]
        line = max(0, min((y - block.cells) // CELL, (block.size - 1) // self._columns))
        return block.first + min(line * self._columns + column, block.size - 1)

    def horizontalOffset(self) -> int:
        """Nothing is ever scrolled sideways."""
        return 0

    def verticalOffset(self) -> int:
        """Return how much is above the edge."""
        return self.verticalScrollBar().value()

    def isIndexHidden(self, _index: Index) -> bool:
        """Nothing is hidden."""
        return False

    def visualRegionForSelection(self, _selection: object) -> QRegion:
        """Nothing is selected."""
        return QRegion()

    def setSelection(self, _rect: QRect, _command: object) -> None:
        """Nothing can be selected."""

    # --- keys and mouse --------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk and pick; what writes a letter is for the search."""
        row = self.currentIndex().row()
        is_plain = not event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
        if event.key() in _PICK_KEYS and row >= 0:
            self.picked.emit(row, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif event.key() == Qt.Key.Key_Up and 0 <= row < self._columns and self._row_from(row, -CELL) <= row:
            self.left_at_top.emit()
        elif event.key() == Qt.Key.Key_Menu or (
            event.key() == Qt.Key.Key_F10 and event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        ):
            self._want_tones(row)
        elif is_plain and (event.text().isprintable() and event.text().strip()):
            self.typed.emit(event.text())
        elif event.key() == Qt.Key.Key_Escape:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _want_tones(self, row: int) -> None:
        if row >= 0:
            self.tones_wanted.emit(row, self.viewport().mapToGlobal(self._rect(row).bottomLeft()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Light up what is under the pointer."""
        self._hover(self._row_at(event.position().toPoint()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The right button asks for other tones."""
        if event.button() == Qt.MouseButton.RightButton:
            self._want_tones(self._row_at(event.position().toPoint()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The left one picks."""
        row = self._row_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and row >= 0:
            self.picked.emit(row, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Two quick clicks are two clicks."""
        self.mousePressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """Let no light stay when the pointer has gone."""
        if event.type() == QEvent.Type.Leave:
            self._hover(-1)
        return super().viewportEvent(event)

    def _hover(self, row: int) -> None:
        if row != self._hovered:
            self._hovered = row
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if row >= 0 else Qt.CursorShape.ArrowCursor)
            self.viewport().update()
            self.pointed_at.emit(row if row >= 0 else self.currentIndex().row())

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell screen readers which emoji has the focus."""
        QAbstractItemView.currentChanged(self, current, previous)
        if current.isValid():
            self.pointed_at.emit(current.row())
            if self.hasFocus():
                event = QAccessibleEvent(self, QAccessible.Event.Focus)
                event.setChild(current.row())
                QAccessible.updateAccessibility(event)

    # --- painting --------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint what is in sight."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        room = self.viewport().rect()
        for number, block in enumerate(self._blocks):
            if block.bottom - self.verticalOffset() <= 0 or block.top - self.verticalOffset() >= room.height():
                continue
            self._paint_heading(painter, number, block)
            painter.setFont(fonts.emoji(_EMOJI))
            first_line = max(0, (self.verticalOffset() - block.cells) // CELL)
            begin = block.first + first_line * self._columns
            for row in range(begin, block.first + block.size):
                place = self._rect(row)
                if place.top() >= room.height():
                    break
                self._paint_emoji(painter, row, place)
        painter.end()

    def _paint_heading(self, painter: QPainter, number: int, block: _Block) -> None:
        if block.cells == block.top:
            return
        painter.setFont(fonts.bold(fonts.CAPTION))
        painter.setPen(QColor(self._theme.tokens.secondary))
        place = QRect(6, block.top - self.verticalOffset(), self.viewport().width() - 6, _HEADING)
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(place, middle, self._emoji.sections[number].title)

    def _paint_emoji(self, painter: QPainter, row: int, place: QRect) -> None:
        tokens = self._theme.tokens
        is_current = row == self.currentIndex().row()
        if is_current or row == self._hovered:
            frame = QRectF(place).adjusted(1, 1, -1, -1)
            painter.setPen(QPen(QColor(tokens.accent), 2) if is_current and self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.selected if is_current else tokens.hover))
            painter.drawRoundedRect(frame, _RADIUS, _RADIUS)
        painter.setPen(QColor(tokens.text))
        painter.drawText(place.translated(0, 1), Qt.AlignmentFlag.AlignCenter, self._emoji.shown(row).text)
