"""The list of people that opens at an @ in the input: arrows and Enter, Tab or a click take one, Esc closes it."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QAccessible, QAccessibleEvent, QColor, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from peer.views import MemberView
from ui.conversation import utf16_text
from ui.conversation.mention_text import NameTable, Query, query_before
from ui.conversation.message_input import MessageInput
from ui.models.roles import Role
from ui.theme import fonts
from ui.theme.avatars import paint_avatar
from ui.theme.controls import Theme
from ui.translations import people

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_ROW = 40
_SHOWN_ROWS = 6
_WIDTH = 320
_AVATAR = 28
_PAD, _GAP = 8, 10
_MARGIN = 6
_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
_TAKES = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab})


class _People(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._members: list[MemberView] = []

    def show(self, members: list[MemberView]) -> None:
        if members != self._members:
            self.beginResetModel()
            self._members = members
            self.endResetModel()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._members)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._members):
            return None
        member = self._members[index.row()]
        if role == Role.VIEW:
            return member
        if role == Qt.ItemDataRole.DisplayRole:
            return people.short_name(member.name)
        return (
            f"{people.short_name(member.name)}, {member.user}" if role == Qt.ItemDataRole.AccessibleTextRole else None
        )


class _Painter(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name_face = fonts.bold()
        self._id_face = fonts.font(fonts.SMALL)

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(option.rect.width(), _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        member = index.data(Role.VIEW)
        assert isinstance(member, MemberView)
        tokens, row = self._theme.tokens, option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(tokens.selected))
            painter.drawRoundedRect(QRectF(row).adjusted(2, 1, -2, -1), 8, 8)
        avatar = QRectF(row.left() + _PAD, row.top() + (_ROW - _AVATAR) / 2, _AVATAR, _AVATAR)
        name = people.short_name(member.name)
        paint_avatar(painter, avatar, member.user, name)
        left = round(avatar.right()) + _GAP
        text = QRect(left, row.top(), row.right() - _PAD - left, _ROW)
        side = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
        names = QFontMetrics(self._name_face)
        painter.setFont(self._name_face)
        painter.setPen(QColor(tokens.text))
        shown = names.elidedText(name, Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text, side, shown)
        text.setLeft(left + names.horizontalAdvance(shown) + _GAP)
        painter.setFont(self._id_face)
        painter.setPen(QColor(tokens.secondary))
        ids = QFontMetrics(self._id_face)
        painter.drawText(text, side, ids.elidedText(member.user, Qt.TextElideMode.ElideRight, max(0, text.width())))
        painter.restore()


class MentionPopup(QListView):
    """Lies over the window, above the input, which keeps the focus and the keys that are not for this list."""

    def __init__(self, theme: Theme, field: MessageInput, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("mentions")
        self.setAccessibleName(self.tr("People to name"))
        self.setProperty("role", "mentions")
        self._input = field
        self._over = parent
        self._names = NameTable()
        self._query: Query | None = None
        self._closed_at = -1
        """Where the list was closed: at this @ it does not open again by itself."""
        self._people = _People(self)
        self.setModel(self._people)
        self.setItemDelegate(_Painter(theme, self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.entered.connect(self.setCurrentIndex)
        self.clicked.connect(self._take)
        field.textChanged.connect(self._look)
        field.cursorPositionChanged.connect(self._look)
        field.installEventFilter(self)
        self.hide()

    def show_names(self, names: NameTable) -> None:
        """Offer these people."""
        self._names = names
        self._look()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys that are for this list; close with the input."""
        if watched is self._input and self.isVisible():
            if event.type() in {QEvent.Type.FocusOut, QEvent.Type.Hide}:
                self.hide()
            elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
                return self._key(event)
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        if self._input.is_composing or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if event.key() in _STEPS:
            row = (self.currentIndex().row() + _STEPS[Qt.Key(event.key())]) % self._people.rowCount()
            self.setCurrentIndex(self._people.index(row))
            self._say_current()
        elif event.key() in _TAKES:
            self._take(self.currentIndex())
        elif event.key() == Qt.Key.Key_Escape:
            self._closed_at = self._query.start if self._query is not None else -1
            self.hide()
        else:
            return False
        return True

    def _say_current(self) -> None:
        """Have the current person read aloud, although the focus is in the input."""
        event = QAccessibleEvent(self, QAccessible.Event.Focus)
        event.setChild(self.currentIndex().row())
        QAccessible.updateAccessibility(event)

    def _look(self) -> None:
        """Open, close or fill the list for what stands before the cursor."""
        if not self._names.members:
            self.hide()
            return
        text, cursor = self._input.toPlainText(), self._input.textCursor()
        before = utf16_text.part(text, 0, cursor.position())
        query = None if cursor.hasSelection() or not self._input.hasFocus() else query_before(before, len(before))
        if query is None or query.start != self._closed_at:
            self._closed_at = -1
        self._query = query if self._closed_at < 0 else None
        found = [] if self._query is None else self._names.matching(self._query.words)
        if not found:
            self.hide()
            return
        self._people.show(found)
        if not self.currentIndex().isValid():
            self.setCurrentIndex(self._people.index(0))
        self._place(found)
        self.show()
        self.raise_()

    def _take(self, index: QModelIndex) -> None:
        """Write the name in the place of what was looked for."""
        member = index.data(Role.VIEW)
        if not isinstance(member, MemberView) or self._query is None:
            return
        query, text = self._query, self._input.toPlainText()
        cursor = self._input.textCursor()
        end = cursor.position()
        cursor.setPosition(utf16_text.units(text[: query.start]))
        cursor.setPosition(end, cursor.MoveMode.KeepAnchor)
        cursor.insertText(f"@{self._names.handle(member.user)} ")
        self._input.setTextCursor(cursor)
        self.hide()
        self._input.setFocus(Qt.FocusReason.OtherFocusReason)

    def _place(self, found: Sequence[MemberView]) -> None:
        room = self._over.rect()
        above = self._input.mapTo(self._over, QPoint(0, 0))
        width = min(_WIDTH, room.width() - 2 * _MARGIN)
        height = min(len(found), _SHOWN_ROWS) * _ROW + 2 * self.frameWidth()
        height = min(height, above.y() - 2 * _MARGIN)
        cursor = above.x() + self._input.cursorRect().left() - _PAD - _AVATAR
        left = max(_MARGIN, min(cursor, room.width() - width - _MARGIN))
        self.setGeometry(left, above.y() - height - _MARGIN, width, height)
