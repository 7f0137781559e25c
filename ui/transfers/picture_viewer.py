"""Looks at one picture after the other, as large as the window: zoom, drag, arrows through all of them, save, Esc.

What is not here yet shows its thumbnail, and a button that brings it.
"""

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from peer.views import EntryId, MessageView, TransferState
from ui.theme import fonts
from ui.theme.controls import ElidedText, IconButton, PushButton, Text, Theme
from ui.transfers.acts import Act, acts, label
from ui.transfers.picture_reel import PictureReel
from ui.transfers.picture_store import PictureStore
from ui.translations import attachments, moments, people

_BAR = 56
_MARGIN = 16
_STEP = 1.25
_LARGEST = 8.0
_LONGEST_SIDE = 2560
"""Pixels of the copy that is looked at first."""
_MOST_PIXELS = 12_000_000
"""Of the copy for who looks closer: 48 MB, which the store can keep."""
_NOTCH = 120
_BRINGS = (Act.ACCEPT, Act.RETRY, Act.RESUME)


class PictureViewer(QWidget):
    """Lies over the whole window while it is open."""

    closed = Signal()
    act_wanted = Signal(object, object)
    """A message, and an `Act` on its picture."""

    def __init__(self, theme: Theme, store: PictureStore, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName("viewer")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # Else what it covers would be painted too, and go on moving.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._theme = theme
        self._store = store
        self._over = over
        self._reel: PictureReel | None = None
        self._shown: EntryId | None = None
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
        self._state = Text(role="pill", face=fonts.font(fonts.CAPTION))
        self._state.setObjectName("viewer.state")
        self._fetch = PushButton("", name="viewer.fetch", kind="over")
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
        layout.setContentsMargins(_MARGIN, 0, 12, _MARGIN)
        layout.setSpacing(8)
        layout.addWidget(top)
        layout.addStretch()
        layout.addLayout(sides)
        layout.addStretch()
        layout.addWidget(self._state, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._fetch, 0, Qt.AlignmentFlag.AlignHCenter)
        self._out.clicked.connect(lambda: self._zoom_by(1 / _STEP))
        self._in.clicked.connect(lambda: self._zoom_by(_STEP))
        self._save.clicked.connect(lambda: self._want(Act.SAVE_AS))
        self._fetch.clicked.connect(self._want_first)
        self._close.clicked.connect(self.close_viewer)
        self._before.clicked.connect(lambda: self._go(-1))
        self._after.clicked.connect(lambda: self._go(1))

    def open(self, reel: PictureReel) -> None:
        """Look at the pictures of a conversation; the reel is this viewer's from here on."""
        self._let_go()
        self._reel = reel
        reel.changed.connect(self._show_current)
        self.setGeometry(self._over.rect())
        self._show_current()
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_viewer(self) -> None:
        """Look at the messages again."""
        if self.isVisible():
            self.hide()
            self._let_go()
            self.closed.emit()

    def _let_go(self) -> None:
        reel, self._reel, self._shown = self._reel, None, None
        self._store.keep_moving(())
        if reel is not None:
            reel.changed.disconnect(self._show_current)
            reel.deleteLater()

    @property
    def current(self) -> MessageView | None:
        """The picture that is looked at."""
        return self._reel.current if self._reel is not None else None

    @property
    def zoom(self) -> float:
        """How much larger it is shown than would just fit."""
        return self._zoom

    def _go(self, step: int) -> None:
        if self._reel is not None:
            self._reel.go(step)

    def _want(self, act: Act) -> None:
        if self.current is not None:
            self.act_wanted.emit(self.current, act)

    def _want_first(self) -> None:
        act = _first_act(self.current)
        if act is not None:
            self._want(act)

    def _show_current(self) -> None:
        if self._reel is None:
            return
        message = self._reel.current
        assert message.attachment is not None
        if message.entry != self._shown:
            self._shown = message.entry
            self._zoom, self._pan = 1.0, QPointF()
            self._store.keep_moving(())
            self._store.keep_moving([message.entry])
        self._name.set_whole(message.attachment.name)
        who = people.sender(message)
        when = f"{moments.day(message.written_at)} {moments.clock(message.written_at)}"
        self._about.set_whole(f"{who} · {when}")
        self._show_button(self._before, is_shown=self._reel.has(-1))
        self._show_button(self._after, is_shown=self._reel.has(1))
        self._show_button(self._save, is_shown=Act.SAVE_AS in acts(message))
        self._show_state(message)
        self.setAccessibleName(f"{message.attachment.name}, {who}, {when}")
        self.update()

    def _show_state(self, message: MessageView) -> None:
        """Say how it stands with a picture that is not here, and offer what can be done about it."""
        attachment = message.attachment
        assert attachment is not None
        words = attachments.state(message)
        if attachment.state in {TransferState.LOADING, TransferState.PAUSED}:
            words = f"{words} · {attachments.percent(attachment.done, attachment.size)}"
        self._state.setText(words)
        self._state.setVisible(bool(words))
        act = _first_act(message)
        if act is not None:
            self._fetch.setText(f"{label(act)} · {attachments.size(attachment.size)}")
        self._show_button(self._fetch, is_shown=act is not None)

    def _show_button(self, button: QWidget, *, is_shown: bool) -> None:
        """Show it or not; the keyboard stays in the viewer when its button goes."""
        if not is_shown and button.hasFocus():
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        button.setVisible(is_shown)

    def _picture_came(self, entry: EntryId) -> None:
        if self.current is not None and self.current.entry == entry:
            self.update()

    # --- keys and mouse ----------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc, arrows, plus, minus, zero; Enter brings what is not here."""
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
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._want_first()
            case Qt.Key.Key_0:
                self._zoom_by(1 / self._zoom)
        # Nothing below is to be typed into.
        event.accept()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Stay among the buttons here: what lies below cannot be seen."""
        ring: list[QWidget] = [self._out, self._in, self._save, self._close, self._before, self._after, self._fetch]
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
        """Return how large a copy is needed: a larger one for who looks closer than the first one is sharp."""
        size = _size_of(message)
        scale = min(1.0, _LONGEST_SIDE / max(size.width(), size.height()))
        if self._place().width() * self.devicePixelRatioF() > size.width() * scale:
            scale = min(1.0, max(scale, (_MOST_PIXELS / (size.width() * size.height())) ** 0.5))
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


def _first_act(message: MessageView | None) -> Act | None:
    """Return what brings a picture that is not here, or goes on with it."""
    return next((act for act in acts(message) if act in _BRINGS), None) if message is not None else None


def _size_of(message: MessageView) -> QSize:
    attachment = message.attachment
    assert attachment is not None
    return QSize(attachment.width or 640, attachment.height or 480)
