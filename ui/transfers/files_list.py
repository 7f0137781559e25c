"""The rows of the Files panel: what it is, who shared it when, how far it is, and one button."""

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from peer.views import EntryId, MessageKind, MessageView, TransferState
from ui.conversation.message_menu import MessageMenu, Pointed
from ui.theme.controls import Theme
from ui.transfers.acts import ICONS, Act, acts, label
from ui.transfers.blocks import Brushes
from ui.transfers.files_model import FilesModel, said_by
from ui.transfers.picture_store import PictureStore
from ui.translations import attachments

Index = QModelIndex | QPersistentModelIndex

_ROW = 68
_PAD = 16
_SQUARE = 44
_RADIUS = 8
_BUTTON = 34
_GAP = 12
_LINE = 18
_RUNNING = frozenset({TransferState.LOADING, TransferState.PAUSED, TransferState.PREPARING})


class FilesDelegate(QStyledItemDelegate):
    """Draws files."""

    def __init__(self, theme: Theme, store: PictureStore) -> None:
        super().__init__()
        self._theme = theme
        self._store = store
        self._brushes = Brushes(theme)
        self.hovered: tuple[EntryId, bool] | None = None
        """The row under the mouse, and whether the mouse is on its button."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the room a row takes."""
        return QSize(option.rect.width(), _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        message = _message(index)
        attachment = message.attachment
        assert attachment is not None
        tokens = self._theme.tokens
        row: QRect = option.rect
        is_hovered = self.hovered is not None and self.hovered[0] == message.entry
        on_button = is_hovered and self.hovered is not None and self.hovered[1]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_hovered:
            painter.fillRect(row, QColor(tokens.hover))
        self._paint_square(painter, QRectF(row.left() + _PAD, row.top() + 12, _SQUARE, _SQUARE), message)
        act = button_act(message)
        right = row.right() - _PAD - (_BUTTON + _GAP if act is not None else 0)
        text = QRectF(row.left() + _PAD + _SQUARE + _GAP, row.top() + 7, 0, _LINE)
        text.setRight(right)
        self._brushes.name(painter, text, attachment.name)
        self._brushes.text(painter, text.translated(0, _LINE), _about(message), tokens.secondary)
        below = text.translated(0, 2 * _LINE)
        if attachment.state in _RUNNING:
            share = attachments.share(attachment.done, attachment.size)
            self._brushes.bar(painter, below, share, tokens.accent)
        else:
            self._brushes.text(painter, below, said_by(message), tokens.secondary)
        if act is not None:
            place = button_place(row)
            if on_button:
                self._brushes.hover_ground(painter, place)
            self._brushes.icon(painter, place, ICONS[act], tokens.accent, 18)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.drawRoundedRect(QRectF(row).adjusted(3, 3, -3, -3), _RADIUS, _RADIUS)
        painter.restore()

    def _paint_square(self, painter: QPainter, place: QRectF, message: MessageView) -> None:
        """Draw the picture, or an icon that says what it is."""
        attachment = message.attachment
        assert attachment is not None
        tokens = self._theme.tokens
        outline = QPainterPath()
        outline.addRoundedRect(place, _RADIUS, _RADIUS)
        painter.fillPath(outline, QColor(tokens.selected))
        picture = None
        if message.kind is MessageKind.PICTURE and attachment.width and attachment.height:
            picture = self._store.look(message, _covering(attachment.width, attachment.height, painter))
        if picture is not None and not picture.isNull():
            side = min(picture.width(), picture.height())
            middle = QRectF((picture.width() - side) / 2, (picture.height() - side) / 2, side, side)
            painter.save()
            painter.setClipPath(outline)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(place, picture, middle)
            painter.restore()
            return
        self._brushes.icon(painter, place, _icon_of(message), tokens.accent, 20)


class FilesList(QListView):
    """Keys and mouse on the rows."""

    act_wanted = Signal(object, object)
    """A message, and an `Act` on its attachment."""
    wanted = Signal(object, list)
    """A `MessageAct`, and the messages it is about."""
    answered_wanted = Signal(object)
    """Go to what this message answers."""

    def __init__(self, theme: Theme, store: PictureStore) -> None:
        super().__init__()
        self._files = FilesDelegate(theme, store)
        self.setObjectName("files.list")
        self.setAccessibleName(self.tr("Files"))
        self.setProperty("role", "side")
        self.setItemDelegate(self._files)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QListView.SelectionMode.NoSelection)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        store.came.connect(lambda _entry: self.viewport().update())

    def take_focus(self) -> None:
        """Go on by the keyboard here, at the first row."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        if not self.currentIndex().isValid():
            self.setCurrentIndex(self.moveCursor(QListView.CursorAction.MoveHome, Qt.KeyboardModifier.NoModifier))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do the first thing, or open the menu."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._do_first(self.currentIndex())
        elif event.key() == Qt.Key.Key_F10 and event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
            self._open_menu(self.currentIndex(), None)
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show what a click would do."""
        point = event.position().toPoint()
        index = self.indexAt(point)
        act = self._act_at(index, point)
        on_button = act is not None and button_place(self.visualRect(index)).contains(QPointF(point))
        self._hover((_message(index).entry, on_button) if index.isValid() else None)
        shape = Qt.CursorShape.PointingHandCursor if act is not None else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)
        self.viewport().setToolTip(self._tip(index, act))
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the mouse any more."""
        self._hover(None)
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Click."""
        super().mouseReleaseEvent(event)
        point = event.position().toPoint()
        index = self.indexAt(point)
        act = self._act_at(index, point)
        if event.button() == Qt.MouseButton.LeftButton and act is not None:
            self.act_wanted.emit(_message(index), act)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer all that can be done."""
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        index = self.indexAt(event.pos()) if by_mouse else self.currentIndex()
        self._open_menu(index, event.pos() if by_mouse else None)

    def _hover(self, hovered: tuple[EntryId, bool] | None) -> None:
        if hovered != self._files.hovered:
            self._files.hovered = hovered
            self.viewport().update()

    def _act_at(self, index: QModelIndex, point: QPoint) -> Act | None:
        """Return what a click here does: the button its act, the rest of a row opens what is here."""
        if not index.isValid():
            return None
        message = _message(index)
        button = button_act(message)
        if button is not None and button_place(self.visualRect(index)).contains(QPointF(point)):
            return button
        can = acts(message)
        opens = can and can[0] in {Act.OPEN, Act.VIEW, Act.PLAY}
        return can[0] if opens else None

    @staticmethod
    def _tip(index: QModelIndex, act: Act | None) -> str:
        if not index.isValid():
            return ""
        about = attachments.spoken(_message(index))
        return f"{label(act)}: {about}" if act is not None else about

    def _do_first(self, index: QModelIndex) -> None:
        if index.isValid():
            for act in acts(_message(index))[:1]:
                self.act_wanted.emit(_message(index), act)

    def _open_menu(self, index: QModelIndex, point: QPoint | None) -> None:
        if not index.isValid():
            return
        message = _message(index)
        menu = MessageMenu(Pointed(message, (), "", is_cut=False), self)
        menu.act_wanted.connect(lambda act: self.act_wanted.emit(message, act))
        menu.wanted.connect(self.wanted)
        menu.answered_wanted.connect(lambda: self.answered_wanted.emit(message))
        if point is None:
            menu.setActiveAction(menu.actions()[0])
        menu.popup(self.viewport().mapToGlobal(point or self.visualRect(index).center()))


def button_act(message: MessageView) -> Act | None:
    """Return what the button of a row does; none where a click on the row says it all."""
    return next((act for act in acts(message) if act in ICONS and act is not Act.PLAY), None)


def button_place(row: QRect) -> QRectF:
    """Return where the button of a row is."""
    return QRectF(row.right() - _PAD - _BUTTON + 4, row.top() + (_ROW - _BUTTON) / 2, _BUTTON, _BUTTON)


def _about(message: MessageView) -> str:
    attachment = message.attachment
    assert attachment is not None
    first = attachments.length(attachment.duration) if message.kind is MessageKind.VOICE else ""
    first = first or attachments.extent(attachment)
    if attachment.state in _RUNNING:
        speed = [attachments.speed(attachment.speed)] if attachment.speed > 0 else []
        return " · ".join([first, attachments.percent(attachment.done, attachment.size), *speed])
    state = attachments.brief_state(message)
    return f"{first} · {state}" if state else first


def _icon_of(message: MessageView) -> str:
    attachment = message.attachment
    assert attachment is not None
    if message.kind is MessageKind.PICTURE:
        return "image"
    if message.kind is MessageKind.VOICE:
        return "mic"
    return "file-warning" if attachment.risky else "folder" if attachment.is_folder else "file"


def _covering(width: int, height: int, painter: QPainter) -> QSize:
    """Return the size at which a picture covers the square."""
    scale = _SQUARE * painter.device().devicePixelRatioF() / min(width, height)
    # Of a very long picture only the middle is seen: it need not be decoded whole.
    scale = min(scale, 8 * _SQUARE / max(width, height)) if max(width, height) > 8 * min(width, height) else scale
    return QSize(max(1, round(width * scale)), max(1, round(height * scale)))


def _message(index: Index) -> MessageView:
    model = index.model()
    assert isinstance(model, FilesModel)
    return model.message(index.row())
