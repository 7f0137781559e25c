"""Looks at one picture after the other, as large as the window: zoom, drag, arrows to the neighbours, save, Esc."""

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from peer.views import EntryId, MessageView
from ui.theme import fonts
from ui.theme.controls import ElidedText, IconButton, Theme
from ui.transfers.picture_store import PictureStore
from ui.translations import moments, people

_BAR = 56
_MARGIN = 16
_STEP = 1.25
_LARGEST = 8.0
_LONGEST_SIDE = 2560
"""Pixels of the copy that is looked at."""
_NOTCH = 120


class PictureViewer(QWidget):
    """Lies over the whole window while it is open."""

    closed = Signal()
    save_wanted = Signal(object)
    """The message whose picture is to be saved."""

    def __init__(self, theme: Theme, store: PictureStore, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName("viewer")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._theme = theme
        self._store = store
        self._over = over
        self._pictures: list[MessageView] = []
        self._at = 0
        self._zoom = 1.0
        self._pan = QPointF()
        self._dragged_from: QPoint | None = None
        self._name = ElidedText(face=fonts.bold(), role="over", mode=Qt.TextElideMode.ElideMiddle)
        self._name.setObjectName("viewer.name")
        self._about = ElidedText(face=fonts.font(fonts.SMALL), role="over")
        self._about.setObjectName("viewer.about")
        self._out = self._button("zoom-out", self.tr("Smaller (−)"), "viewer.smaller")
        self._in = self._button("zoom-in", self.tr("Larger (+)"), "viewer.larger")
        self._save = self._button("download", self.tr("Save as…"), "viewer.save")
        self._close = self._button("x", self.tr("Close (Esc)"), "viewer.close")
        self._before = self._button("chevron-left", self.tr("Earlier picture (←)"), "viewer.before")
        self._after = self._button("chevron-right", self.tr("Later picture (→)"), "viewer.after")
        self._build()
        store.came.connect(self._picture_came)
        over.installEventFilter(self)
        self.hide()

    def _button(self, icon: str, label: str, name: str) -> IconButton:
        button = IconButton(self._theme, icon, label, name=name, area=40)
        button.setProperty("kind", "over")
        self._theme.put_icon(button, icon, 20, "on_scrim")
        return button

    def _build(self) -> None:
        names = QVBoxLayout()
        names.setSpacing(1)
        names.addStretch()
        names.addWidget(self._name)
        names.addWidget(self._about)
        names.addStretch()
        top = QWidget()
        top.setFixedHeight(_BAR)
        bar = QHBoxLayout(top)
        bar.setContentsMargins(0, 0, 0, 0)
        bar.setSpacing(2)
        bar.addLayout(names, 1)
        for button in (self._out, self._in, self._save, self._close):
            bar.addWidget(button)
        sides = QHBoxLayout()
        sides.addWidget(self._before)
        sides.addStretch()
        sides.addWidget(self._after)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, 0, 12, _BAR)
        layout.addWidget(top)
        layout.addStretch()
        layout.addLayout(sides)
        layout.addStretch()
        self._out.clicked.connect(lambda: self._zoom_by(1 / _STEP))
        self._in.clicked.connect(lambda: self._zoom_by(_STEP))
        self._save.clicked.connect(lambda: self.save_wanted.emit(self._pictures[self._at]))
        self._close.clicked.connect(self.close_viewer)
        self._before.clicked.connect(lambda: self._go(-1))
        self._after.clicked.connect(lambda: self._go(1))

    def open(self, pictures: list[MessageView], entry: EntryId) -> None:
        """Look at these, beginning with one of them."""
        self._pictures = pictures
        self._at = next((at for at, each in enumerate(pictures) if each.entry == entry), 0)
        self.setGeometry(self._over.rect())
        self._show_current()
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_viewer(self) -> None:
        """Look at the messages again."""
        if self.isVisible():
            self.hide()
            self._pictures = []
            self.closed.emit()

    @property
    def current(self) -> MessageView | None:
        """The picture that is looked at."""
        return self._pictures[self._at] if self._pictures else None

    @property
    def zoom(self) -> float:
        """How much larger it is shown than would just fit."""
        return self._zoom

    def _go(self, step: int) -> None:
        at = self._at + step
        if 0 <= at < len(self._pictures):
            self._at = at
            self._show_current()

    def _show_current(self) -> None:
        message = self._pictures[self._at]
        assert message.attachment is not None
        self._zoom, self._pan = 1.0, QPointF()
        self._name.set_whole(message.attachment.name)
        who = people.sender(message)
        when = f"{moments.day(message.written_at)} {moments.clock(message.written_at)}"
        self._about.set_whole(f"{who} · {when}")
        self._before.setVisible(self._at > 0)
        self._after.setVisible(self._at < len(self._pictures) - 1)
        self.setAccessibleName(f"{message.attachment.name}, {who}, {when}")
        self.update()

    def _picture_came(self, entry: EntryId) -> None:
        if self.current is not None and self.current.entry == entry:
            self.update()

    # --- keys and mouse ----------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc, arrows, plus, minus, zero."""
        match event.key():
            case Qt.Key.Key_Escape:
                self.close_viewer()
            case Qt.Key.Key_Left:
                self._go(-1)
            case Qt.Key.Key_Right:
                self._go(1)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self._zoom_by(_STEP)
            case Qt.Key.Key_Minus:
                self._zoom_by(1 / _STEP)
            case Qt.Key.Key_0:
                self._zoom_by(1 / self._zoom)
        # Nothing below is to be typed into.
        event.accept()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Stay among the buttons here: what lies below cannot be seen."""
        ring: list[QWidget] = [self._out, self._in, self._save, self._close, self._before, self._after]
        ring = [self, *[widget for widget in ring if widget.isVisible()]]
        focused = self.focusWidget()
        here = ring.index(focused) if focused in ring else 0
        reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
        ring[(here + (1 if forward else -1)) % len(ring)].setFocus(reason)
        return True

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom towards the mouse."""
        self._zoom_by(_STEP ** (event.angleDelta().y() / _NOTCH), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag; beside the picture, close."""
        point = event.position()
        if event.button() == Qt.MouseButton.LeftButton and not self._place().contains(point) and point.y() > _BAR:
            self.close_viewer()
        else:
            self._dragged_from = point.toPoint()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the picture."""
        if self._dragged_from is not None:
            point = event.position().toPoint()
            self._pan += QPointF(point - self._dragged_from)
            self._dragged_from = point
            self._keep_in_sight()
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End dragging."""
        self._dragged_from = None
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Zoom in, or back."""
        self._zoom_by(1 / self._zoom if self._zoom > 1 else _STEP**4, event.position())
        event.accept()

    def _zoom_by(self, factor: float, around: QPointF | None = None) -> None:
        """Show it larger by a factor; what is at a point stays there."""
        point = QPointF(self.rect().center()) if around is None else around
        before = self._place()
        zoom = max(1.0, min(self._zoom * factor, _LARGEST))
        if zoom == self._zoom or before.isEmpty():
            return
        inside = point - before.center()
        self._pan += inside - inside * (zoom / self._zoom)
        self._zoom = zoom
        self._keep_in_sight()

    def _keep_in_sight(self) -> None:
        """Let nobody drag the picture out of the window."""
        place, room = self._place(), self._room()
        most = QPointF(max(0, (place.width() - room.width()) / 2), max(0, (place.height() - room.height()) / 2))
        self._pan = QPointF(max(-most.x(), min(self._pan.x(), most.x())), max(-most.y(), min(self._pan.y(), most.y())))
        self.update()

    # --- painting ------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit again."""
        super().resizeEvent(event)
        self._keep_in_sight()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Be as large as the window."""
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._over.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the picture on a dark ground."""
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(tokens.scrim))
        message = self.current
        if message is not None:
            size = self._copy_size(message)
            image, refusal = self._store.look(message, size), self._store.refusal(message, size)
            if not image.isNull():
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                place = self._place()
                drawn = QSizeF(image.size()).scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
                corner = place.center() - QPointF(drawn.width() / 2, drawn.height() / 2)
                painter.drawImage(QRectF(corner, drawn), image)
            elif refusal:
                painter.setPen(QColor(tokens.on_scrim))
                painter.setFont(fonts.font())
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                painter.drawText(self._room(), int(flags), refusal)
            # The bar is not to be hidden by a large picture.
            ground = QColor(tokens.scrim)
            ground.setAlphaF(0.75)
            painter.fillRect(QRectF(0, 0, self.width(), _BAR), ground)
        painter.end()

    def _copy_size(self, message: MessageView) -> QSize:
        size = _size_of(message)
        side = max(size.width(), size.height())
        scale = min(1.0, _LONGEST_SIDE / side)
        return QSize(max(1, round(size.width() * scale)), max(1, round(size.height() * scale)))

    def _room(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_MARGIN, _BAR, -_MARGIN, -_MARGIN)

    def _place(self) -> QRectF:
        """Return where the picture is drawn."""
        message = self.current
        if message is None:
            return QRectF()
        room, size = self._room(), _size_of(message)
        scale = min(1.0, room.width() / size.width(), room.height() / size.height()) * self._zoom
        drawn = QSizeF(size.width() * scale, size.height() * scale)
        return QRectF(room.center() + self._pan - QPointF(drawn.width() / 2, drawn.height() / 2), drawn)


def _size_of(message: MessageView) -> QSize:
    attachment = message.attachment
    assert attachment is not None
    return QSize(attachment.width or 640, attachment.height or 480)
