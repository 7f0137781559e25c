"""What lies over a monitor while a region is chosen: the frozen screen, dimmed but for what is chosen."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from ui.screenshot.frozen_screens import FrozenScreen
from ui.screenshot.region import Region
from ui.theme import fonts
from ui.theme.controls import IconButton, PushButton, Text, Theme

_DIM = QColor(0, 0, 0, 120)
_EDGE = 2
_GAP = 8
_STEP, _FAR_STEP = 1, 20
"""Pixels that an arrow key moves; with Ctrl further."""
_STEPS = {
    Qt.Key.Key_Left: QPoint(-1, 0),
    Qt.Key.Key_Right: QPoint(1, 0),
    Qt.Key.Key_Up: QPoint(0, -1),
    Qt.Key.Key_Down: QPoint(0, 1),
}


class ScreenOverlay(QWidget):
    """One monitor's; all of them draw the same region."""

    confirmed = Signal()
    cancelled = Signal()

    def __init__(self, theme: Theme, screen: FrozenScreen, region: Region) -> None:
        flags = Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        super().__init__(None, flags)
        self.setObjectName("screenshot.overlay")
        self.setWindowTitle(self.tr("Screenshot"))
        self.setAccessibleName(
            self.tr("Screenshot: drag over what you want to send. Enter takes the whole screen, Escape cancels.")
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._theme = theme
        self._screen = screen
        self._region = region
        self._hint = self._built_hint()
        self._answer = self._built_answer()
        self._region.changed.connect(self._region_changed)
        self.setGeometry(screen.place)
        self._region_changed()

    def _built_hint(self) -> QFrame:
        bar = _bar(self, "screenshot.hint")
        row = bar.layout()
        assert isinstance(row, QHBoxLayout)
        row.setContentsMargins(16, 8, 8, 8)
        row.addWidget(Text(self.tr("Drag over what you want to send")))
        whole = PushButton(self.tr("Whole screen"), name="screenshot.whole", kind="primary")
        whole.clicked.connect(self._take_whole)
        cancel = PushButton(self.tr("Cancel"), name="screenshot.cancel")
        cancel.clicked.connect(self.cancelled)
        for button in (whole, cancel):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Enter and Escape do the same
            row.addWidget(button)
        bar.adjustSize()
        return bar

    def _built_answer(self) -> QFrame:
        bar = _bar(self, "screenshot.answer")
        row = bar.layout()
        assert isinstance(row, QHBoxLayout)
        row.setContentsMargins(6, 6, 6, 6)
        take = IconButton(self._theme, "check", self.tr("Take this (Enter)"), name="screenshot.take")
        self._theme.put_icon(take, "check", 20, "ok")
        take.clicked.connect(self.confirmed)
        drop = IconButton(self._theme, "x", self.tr("Cancel (Esc)"), name="screenshot.drop")
        self._theme.put_icon(drop, "x", 20, "danger")
        drop.clicked.connect(self.cancelled)
        for button in (take, drop):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addWidget(button)
        bar.adjustSize()
        return bar

    # --- keys and mouse ------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter takes, Escape cancels; arrows move what is chosen, with Shift they change its size; Ctrl+A is all."""
        step = _STEPS.get(Qt.Key(event.key()))
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            if self._region.rect.isEmpty():
                self._take_whole()
            else:
                self.confirmed.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self._region.choose_all()
        elif step is not None and self._region.rect.isEmpty():
            self._region.begin_within(self._screen.place)
        elif step is not None:
            step *= _FAR_STEP if event.modifiers() & Qt.KeyboardModifier.ControlModifier else _STEP
            is_resizing = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            (self._region.grow if is_resizing else self._region.move)(step)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The left button begins a region; the right one takes it back, then cancels."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._region.begin(event.globalPosition().toPoint())
        elif event.button() == Qt.MouseButton.RightButton:
            if self._region.rect.isEmpty():
                self.cancelled.emit()
            else:
                self._region.clear()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw it, over to other monitors as well."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._region.drag(event.globalPosition().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Done drawing."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._region.drag(event.globalPosition().toPoint())
            self._region.end()

    def _take_whole(self) -> None:
        self._region.choose(self._screen.place)
        self.confirmed.emit()

    def closeEvent(self, event: object) -> None:
        """However it is closed, nobody waits for it."""
        del event
        self.cancelled.emit()

    # --- what is seen ----------------------------------------------------------------------------------

    @property
    def _chosen(self) -> QRect:
        """The region, in this window's coordinates; maybe larger than the window."""
        return self._region.rect.translated(-self._screen.place.topLeft())

    def _region_changed(self) -> None:
        chosen = self._chosen
        is_here = self.rect().contains(chosen.bottomRight()) and not chosen.isEmpty()
        self._answer.setVisible(is_here and not self._region.is_dragged)
        self._answer.move(self._place_near(chosen, self._answer.size()))
        self._hint.setVisible(chosen.isEmpty() and not self._region.is_dragged)
        self._hint.move((self.width() - self._hint.width()) // 2, 24)
        self.update()

    def _place_near(self, chosen: QRect, size: QSize) -> QPoint:
        """Return a place below the region's right end; within it where there is no room below."""
        x = max(_GAP, min(chosen.right() + 1 - size.width(), self.width() - size.width() - _GAP))
        below = chosen.bottom() + 1 + _GAP
        if below + size.height() <= self.height():
            return QPoint(x, below)
        return QPoint(x - _GAP, max(_GAP, min(chosen.bottom(), self.height()) - size.height() - _GAP))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the frozen screen, the dimming, the region's edge and its size."""
        painter = QPainter(self)
        painter.drawPixmap(self.rect(), self._screen.picture)
        chosen = self._chosen
        if chosen.isEmpty():
            painter.fillRect(self.rect(), _DIM)
        else:
            self._dim_around(painter, chosen)
            painter.setPen(QPen(QColor(self._theme.tokens.accent), _EDGE))
            painter.drawRect(chosen.adjusted(-1, -1, 1, 1))
            self._paint_size(painter, chosen)
        painter.end()

    def _dim_around(self, painter: QPainter, chosen: QRect) -> None:
        room = self.rect()
        inside = chosen & room
        painter.fillRect(QRect(0, 0, room.width(), inside.top()), _DIM)
        painter.fillRect(QRect(0, inside.bottom() + 1, room.width(), room.height()), _DIM)
        painter.fillRect(QRect(0, inside.top(), inside.left(), inside.height()), _DIM)
        painter.fillRect(QRect(inside.right() + 1, inside.top(), room.width(), inside.height()), _DIM)

    def _paint_size(self, painter: QPainter, chosen: QRect) -> None:
        """Say how many pixels the picture will have, at the region's upper left corner."""
        if not self.rect().contains(chosen.topLeft()):
            return
        scale = self._screen.scale
        words = f"{round(chosen.width() * scale)} × {round(chosen.height() * scale)}"
        painter.setFont(fonts.bold(fonts.CAPTION))
        size = painter.fontMetrics().size(0, words) + QSize(16, 8)
        top = chosen.top() - size.height() - 6
        place = QRect(QPoint(chosen.left(), top if top >= 0 else chosen.top() + 6), size)
        place.moveLeft(min(place.left(), self.width() - size.width()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.toast))
        painter.drawRoundedRect(place, 6, 6)
        painter.setPen(QColor(self._theme.tokens.on_toast))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)


def _bar(parent: QWidget, name: str) -> QFrame:
    bar = QFrame(parent)
    bar.setObjectName(name)
    bar.setProperty("role", "card")
    bar.setCursor(Qt.CursorShape.ArrowCursor)
    row = QHBoxLayout(bar)
    row.setSpacing(8)
    return bar
