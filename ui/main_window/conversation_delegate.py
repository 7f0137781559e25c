"""Paints a row of the conversation list: picture with presence, name, time, last words, unread count."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from peer.views import ConversationView
from ui.models.roles import Role
from ui.theme import fonts
from ui.theme.avatars import paint_avatar, paint_presence
from ui.theme.controls import Theme
from ui.theme.delivery_marks import SIZE as MARK_SIZE
from ui.theme.delivery_marks import paint_delivery_mark
from ui.theme.tokens import ROW_HEIGHT
from ui.translations import moments

Index = QModelIndex | QPersistentModelIndex

_SIDE = 10
_PAD = 12
_AVATAR = 44
_RADIUS = 10
_BADGE_HEIGHT = 20
_MOST_COUNTED = 99


class ConversationDelegate(QStyledItemDelegate):
    """Draws conversations."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._name_face = fonts.bold()
        self._preview_face = fonts.font(fonts.CAPTION)
        self._time_face = fonts.font(fonts.SMALL)
        self._badge_face = fonts.font(fonts.META, QFont.Weight.Bold)

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the room a row takes."""
        return QSize(option.rect.width(), ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        view = index.data(Role.VIEW)
        assert isinstance(view, ConversationView)
        tokens = self._theme.tokens
        place = option.rect.adjusted(_SIDE, 3, -_SIDE, -3)
        ground = self._ground(option.state)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(place, _RADIUS, _RADIUS)
        if option.state & QStyle.StateFlag.State_HasFocus and option.state & QStyle.StateFlag.State_KeyboardFocusChange:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), _RADIUS, _RADIUS)
        avatar = QRectF(place.left() + _PAD, place.top() + (place.height() - _AVATAR) / 2, _AVATAR, _AVATAR)
        is_group = view.user is None
        paint_avatar(painter, avatar, view.user or view.conversation.hex(), view.title, is_group=is_group)
        if view.user is not None and view.can_write:
            paint_presence(painter, avatar, tokens, ground, online=view.online)
        text = QRect(
            round(avatar.right()) + _PAD, place.top(), place.right() - round(avatar.right()) - 2 * _PAD, place.height()
        )
        self._paint_first_line(painter, text.adjusted(0, 8, 0, -place.height() // 2), view)
        below = text.adjusted(0, place.height() // 2, 0, -8)
        # In the open conversation the draft stands in the composer.
        draft = "" if option.state & QStyle.StateFlag.State_Selected else str(index.data(Role.DRAFT))
        below = self._paint_badges(painter, below, view)
        typing = str(index.data(Role.TYPING))
        if typing:
            _draw_elided(painter, below, typing, self._preview_face, tokens.accent)
        else:
            self._paint_second_line(painter, below, view, draft, str(index.data(Role.PREVIEW)))
        painter.restore()

    def _ground(self, state: QStyle.StateFlag) -> str:
        if state & QStyle.StateFlag.State_Selected:
            return self._theme.tokens.selected
        if state & QStyle.StateFlag.State_MouseOver:
            return self._theme.tokens.hover
        return self._theme.tokens.side

    def _paint_first_line(self, painter: QPainter, place: QRect, view: ConversationView) -> None:
        tokens = self._theme.tokens
        time_width = 0
        if view.last_entry is not None:
            time = moments.brief(view.last_entry.written_at)
            time_width = QFontMetrics(self._time_face).horizontalAdvance(time) + 8
            painter.setFont(self._time_face)
            painter.setPen(QColor(tokens.secondary))
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, time)
        _draw_elided(painter, place.adjusted(0, 0, -time_width, 0), view.title, self._name_face, tokens.text)

    def _paint_second_line(
        self, painter: QPainter, place: QRect, view: ConversationView, draft: str, preview: str
    ) -> None:
        tokens = self._theme.tokens
        if draft:
            _draw_elided(painter, place, draft, self._preview_face, tokens.danger)
            return
        has_mark = view.last_entry is not None and view.last_entry.mine
        room = place.adjusted(0, 0, -(MARK_SIZE + 4) if has_mark else 0, 0)
        end = _draw_elided(painter, room, preview, self._preview_face, tokens.secondary)
        if has_mark and view.last_entry is not None:
            mark = QPointF(end + 4, place.center().y() - MARK_SIZE / 2 + 1)
            paint_delivery_mark(painter, mark, view.last_entry.state, self._theme)

    def _paint_badges(self, painter: QPainter, place: QRect, view: ConversationView) -> QRect:
        """Draw how much is unread, and whether something of it names us; return the room that is left."""
        if not view.unread:
            return place
        count = str(view.unread) if view.unread <= _MOST_COUNTED else f"{_MOST_COUNTED}+"
        place = place.adjusted(0, 0, -self._paint_badge(painter, place, count) - 4, 0)
        if view.names_me:
            place = place.adjusted(0, 0, -self._paint_badge(painter, place, "@") - 4, 0)
        return place.adjusted(0, 0, -4, 0)

    def _paint_badge(self, painter: QPainter, place: QRect, count: str) -> int:
        width = max(_BADGE_HEIGHT, QFontMetrics(self._badge_face).horizontalAdvance(count) + 12)
        top = place.center().y() - _BADGE_HEIGHT / 2 + 1
        badge = QRectF(place.right() - width + 1, top, width, _BADGE_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.accent))
        painter.drawRoundedRect(badge, _BADGE_HEIGHT / 2, _BADGE_HEIGHT / 2)
        painter.setPen(QColor(self._theme.tokens.on_accent))
        painter.setFont(self._badge_face)
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, count)
        return width


def _draw_elided(painter: QPainter, place: QRect, text: str, face: QFont, colour: str) -> int:
    """Draw one line, cut to fit; return where it ends."""
    metrics = QFontMetrics(face)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
    painter.setFont(face)
    painter.setPen(QColor(colour))
    flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
    painter.drawText(place, int(flags), shown)
    return place.left() + min(metrics.horizontalAdvance(shown), place.width())
