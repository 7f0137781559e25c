"""The list in which friends are ticked: picture, name, ID, a box."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from peer.views import ContactView
from ui.models.roles import Role
from ui.theme import fonts
from ui.theme.avatars import paint_avatar, paint_presence
from ui.theme.check_box import BOX, paint_box
from ui.theme.controls import Theme

Index = QModelIndex | QPersistentModelIndex

ROW = 48
_WISHED_ROWS = 6
_AVATAR = 36
_PAD = 8
_GAP = 12
_RADIUS = 10


class FriendsDelegate(QStyledItemDelegate):
    """Draws friends."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._name_face = fonts.font()
        self._id_face = fonts.font(fonts.SMALL)

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the room a row takes."""
        return QSize(option.rect.width(), ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        friend = index.data(Role.VIEW)
        assert isinstance(friend, ContactView)
        tokens, row = self._theme.tokens, option.rect
        is_hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        has_focus = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = QRectF(row).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(QColor(tokens.accent), 2) if has_focus else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.hover if is_hovered else tokens.card))
        painter.drawRoundedRect(place, _RADIUS, _RADIUS)
        avatar = QRectF(row.left() + _PAD, row.top() + (ROW - _AVATAR) / 2, _AVATAR, _AVATAR)
        paint_avatar(painter, avatar, friend.user, friend.name)
        paint_presence(painter, avatar, tokens, tokens.hover if is_hovered else tokens.card, online=friend.online)
        box = QRectF(row.right() - _PAD - BOX, row.top() + (ROW - BOX) / 2, BOX, BOX)
        left = round(avatar.right()) + _GAP
        text = QRect(left, row.top() + 5, round(box.left()) - _GAP - left, (ROW - 10) // 2)
        for words, face, colour in (
            (friend.name, self._name_face, tokens.text),
            (friend.user, self._id_face, tokens.secondary),
        ):
            painter.setFont(face)
            painter.setPen(QColor(colour))
            shown = QFontMetrics(face).elidedText(words, Qt.TextElideMode.ElideRight, text.width())
            side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
            painter.drawText(text, int(side), shown)
            text.moveTop(text.bottom() + 1)
        is_on = index.data(Qt.ItemDataRole.CheckStateRole) is Qt.CheckState.Checked
        paint_box(painter, self._theme, box, is_on=is_on)
        painter.restore()


class FriendsList(QListView):
    """A click, Space or Enter ticks a row."""

    toggled = Signal(object)
    """The friend."""
    left_above = Signal()
    """Somebody goes up from the first row."""

    def __init__(self, theme: Theme, *, name: str) -> None:
        super().__init__()
        # Kept here: a view does not own its delegate.
        self._delegate = FriendsDelegate(theme)
        self.setObjectName(name)
        self.setAccessibleName(self.tr("Contacts"))
        self.setProperty("role", "grid")
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QListView.SelectionMode.NoSelection)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.clicked.connect(self._toggle)

    def sizeHint(self) -> QSize:
        """Wish for some rows; a small window has fewer."""
        return QSize(super().sizeHint().width(), _WISHED_ROWS * ROW)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Tick, or go up and out."""
        index = self.currentIndex()
        if event.key() in {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter} and index.isValid():
            self._toggle(index)
        elif event.key() == Qt.Key.Key_Up and index.row() <= 0:
            self.left_above.emit()
        else:
            super().keyPressEvent(event)

    def _toggle(self, index: QModelIndex) -> None:
        friend = index.data(Role.VIEW)
        if isinstance(friend, ContactView):
            self.toggled.emit(friend)
