"""Paints one message: date above it when a day begins, picture of the sender, bubble, text, time and delivery."""

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPen, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QToolTip

from peer.views import MessageKind, MessageView
from ui.conversation import utf16_text
from ui.conversation.bubble_parts import AVATAR, DAY_ROOM, PAD_X, SIDE, BlockRoom, BubbleMeasure, Parts, widest_text
from ui.conversation.bubble_shapes import bubble_path
from ui.conversation.links import Link
from ui.conversation.text_layouts import LaidOutText, TextLayouts
from ui.conversation.text_selection import TextSelection
from ui.models.message_list import MessageListModel, Placement
from ui.theme import fonts
from ui.theme.avatars import author_colour, paint_avatar
from ui.theme.controls import Theme
from ui.theme.delivery_marks import SIZE as MARK_SIZE
from ui.theme.delivery_marks import paint_delivery_mark
from ui.transfers.acts import Act, label
from ui.transfers.blocks import Block, Pointer
from ui.transfers.file_card import FileCard
from ui.transfers.picture_block import paint_scrim
from ui.translations import attachments, moments, people

Index = QModelIndex | QPersistentModelIndex

_CHIP_HEIGHT = 24
_LONGEST_TIP = 300
"""Characters of a link in its tooltip."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What is under a point of a row."""

    message: MessageView
    offset: int
    """The nearest place in the text, as Qt counts."""
    is_text: bool
    """Whether the point is on the text, not only near it."""
    is_more: bool
    """Whether it is on "Show all", below a text that is too long for a bubble."""
    link: Link | None
    laid_out: LaidOutText
    pointer: Pointer | None = None
    """What of its attachment a click would do something to."""

    @property
    def target(self) -> tuple[object, ...]:
        """What a click is about: pressing on one thing and letting go on another does nothing."""
        return (self.message.entry, self.link, self.is_more, self.pointer.act if self.pointer else None)


class BubbleDelegate(QStyledItemDelegate):
    """Draws messages; the view asks it for heights, row by row, as they come into sight."""

    def __init__(self, theme: Theme, blocks: Mapping[MessageKind, Block]) -> None:
        """`blocks` draw attachments; kinds that are not among them are drawn as files."""
        super().__init__()
        self._theme = theme
        self._layouts = TextLayouts(theme)
        self.selection = TextSelection()
        """What is drawn as selected."""
        self.pointer: Pointer | None = None
        """What is drawn as under the mouse."""
        card = FileCard(theme)
        self._blocks: dict[MessageKind, Block] = dict.fromkeys(MessageKind, card) | dict(blocks)
        self._meta_face = fonts.font(fonts.META)
        self._chip_face = fonts.bold(fonts.SMALL)
        self._chip_metrics = QFontMetrics(self._chip_face)
        self._more_face = fonts.bold(fonts.CAPTION)
        self._name_face = fonts.bold(fonts.CAPTION)
        self._measure = BubbleMeasure(self._meta_face, self._more_face, self._name_face)

    def height(self, index: Index, width: int) -> int:
        """Return the exact height of a row in a view of this width."""
        return self._look(index, width)[2].height

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the room a row takes."""
        width = option.rect.width()
        return QSize(width, self.height(index, width))

    def hit(self, index: Index, row: QRect, point: QPoint) -> Hit:
        """Return what is under a point, in a row at this place."""
        message, laid_out, parts = self._look(index, row.width())
        there = QPointF(point - row.topLeft())
        in_text = there - parts.text.topLeft()
        offset = laid_out.offset_at(in_text)
        is_more = parts.more.contains(there)
        link = laid_out.link_at(in_text) if message.text else None
        pointer = self._pointed(message, parts, there)
        return Hit(message, offset, parts.text.contains(there), is_more, link, laid_out, pointer)

    def _pointed(self, message: MessageView, parts: Parts, there: QPointF) -> Pointer | None:
        if parts.board.adjusted(-4, -4, 4, 4).contains(there):
            return Pointer(message.entry, Act.WHO_HAS)
        if parts.block.isEmpty():
            return None
        for spot in self._blocks[message.kind].spots(message, parts.block):
            if spot.place.contains(there):
                return Pointer(message.entry, spot.act, (there.x() - spot.place.left()) / spot.place.width())
        return None

    def links(self, index: Index, width: int) -> tuple[Link, ...]:
        """Return the links of a message."""
        return self._look(index, width)[1].links

    def bubble_rect(self, index: Index, row: QRect) -> QRect:
        """Return where the bubble is, in a row at this place."""
        return self._look(index, row.width())[2].bubble.translated(QPointF(row.topLeft())).toAlignedRect()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        message, placement = _row(index)
        width = option.rect.width()
        laid_out, parts = self._lay_out(message, placement, width, self._is_last(index))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(option.rect.topLeft())
        self._paint_above(painter, message, placement, width)
        if not laid_out.emoji_only or message.attachment is not None:
            self._paint_bubble(painter, parts.bubble, message, placement)
        if placement.ends_group and not message.mine:
            place = QRectF(SIDE, parts.bubble.bottom() - AVATAR, AVATAR, AVATAR)
            paint_avatar(painter, place, message.author, people.short_name(message.author_name))
        if not parts.name.isEmpty():
            self._paint_name(painter, parts.name, message)
        if not parts.block.isEmpty():
            self._paint_block(painter, parts, message, placement)
        if message.text:
            self._paint_text(painter, parts, laid_out, message)
        self._paint_board(painter, parts.board, message)
        self._paint_meta(painter, parts.meta, message)
        if option.state & QStyle.StateFlag.State_HasFocus:
            self._paint_focus(painter, parts.bubble)
        painter.restore()

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        """Show where a link leads, or the exact time and what the mark means."""
        if event.type() != QEvent.Type.ToolTip or not index.isValid():
            return super().helpEvent(event, view, option, index)
        row: QRect = option.rect
        message, _laid_out, parts = self._look(index, row.width())
        hit = self.hit(index, row, event.pos())
        in_row = QPointF(event.pos() - row.topLeft())
        if hit.link is not None:
            QToolTip.showText(event.globalPos(), _shortened(hit.link.url), view)
        elif hit.pointer is not None:
            QToolTip.showText(event.globalPos(), label(hit.pointer.act), view)
        elif message.attachment is not None and parts.block.contains(in_row):
            QToolTip.showText(event.globalPos(), _shortened(attachments.spoken(message)), view)
        elif parts.meta.adjusted(-4, -4, 4, 4).contains(in_row):
            state = people.message_state(message.state)
            when = f"{moments.day(message.written_at)} {moments.clock(message.written_at)}"
            QToolTip.showText(event.globalPos(), f"{when} · {state}" if state else when, view)
        else:
            QToolTip.hideText()
        return True

    def _look(self, index: Index, width: int) -> tuple[MessageView, LaidOutText, Parts]:
        message, placement = _row(index)
        return message, *self._lay_out(message, placement, width, self._is_last(index))

    def _lay_out(
        self, message: MessageView, placement: Placement, width: int, is_last: bool
    ) -> tuple[LaidOutText, Parts]:
        widest = widest_text(width)
        block = None
        if message.attachment is not None:
            drawn = self._blocks[message.kind]
            size = drawn.size(message, widest + 2 * PAD_X if drawn.fills else widest)
            block = BlockRoom(size, drawn.fills)
            widest = size.width() - 2 * PAD_X if drawn.fills else widest
        text = self._layouts.lay_out(message.entry, message.text, widest)
        return text, self._measure.parts(message, placement, text, block, self._show_all(), width, is_last=is_last)

    def _show_all(self) -> str:
        return self.tr("Show all")

    def _paint_above(self, painter: QPainter, message: MessageView, placement: Placement, width: int) -> None:
        tokens = self._theme.tokens
        y = 0
        if placement.starts_day:
            self._paint_chip(painter, moments.day(message.written_at), width, y + 14, tokens.secondary)
            y += DAY_ROOM
        if placement.starts_unread:
            middle = y + 10 + _CHIP_HEIGHT / 2
            painter.setPen(QPen(QColor(tokens.accent), 1))
            painter.drawLine(QPointF(SIDE, middle), QPointF(width - SIDE, middle))
            self._paint_chip(painter, self.tr("New messages"), width, y + 10, tokens.accent)

    def _paint_chip(self, painter: QPainter, text: str, width: int, top: int, colour: str) -> None:
        room = self._chip_metrics.horizontalAdvance(text) + 24
        place = QRectF((width - room) / 2, top, room, _CHIP_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.chip))
        painter.drawRoundedRect(place, _CHIP_HEIGHT / 2, _CHIP_HEIGHT / 2)
        painter.setPen(QColor(colour))
        painter.setFont(self._chip_face)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_bubble(self, painter: QPainter, place: QRectF, message: MessageView, placement: Placement) -> None:
        tokens = self._theme.tokens
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.bubble_out if message.mine else tokens.bubble_in))
        starts, ends = placement.starts_group, placement.ends_group
        painter.drawPath(bubble_path(place, mine=message.mine, starts_group=starts, ends_group=ends))

    def _paint_name(self, painter: QPainter, place: QRectF, message: MessageView) -> None:
        painter.setPen(QColor(author_colour(message.author, self._theme.tokens)))
        painter.setFont(self._name_face)
        name = people.short_name(message.author_name)
        shown = QFontMetrics(self._name_face).elidedText(name, Qt.TextElideMode.ElideRight, round(place.width()))
        side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, int(side | Qt.TextFlag.TextSingleLine), shown)

    def _paint_block(self, painter: QPainter, parts: Parts, message: MessageView, placement: Placement) -> None:
        block = self._blocks[message.kind]
        pointer = self.pointer if self.pointer is not None and self.pointer.entry == message.entry else None
        if not block.fills:
            block.paint(painter, parts.block, message, pointer)
            return
        painter.save()
        starts, ends = placement.starts_group, placement.ends_group
        outline = bubble_path(parts.bubble, mine=message.mine, starts_group=starts, ends_group=ends)
        painter.setClipPath(outline)
        block.paint(painter, parts.block, message, pointer)
        painter.restore()

    def _paint_text(self, painter: QPainter, parts: Parts, text: LaidOutText, message: MessageView) -> None:
        painter.save()
        # A tower of combining marks must not reach into other messages.
        painter.setClipRect(parts.bubble)
        painter.setPen(QColor(self._theme.tokens.text))
        part = self.selection.part_of(message)
        selected = [] if part is None else [self._selected(text, *part)]
        text.layout.draw(painter, parts.text.topLeft(), selected)
        if text.is_cut:
            painter.setPen(QColor(self._theme.tokens.link))
            painter.setFont(self._more_face)
            painter.drawText(parts.more, Qt.AlignmentFlag.AlignVCenter, self._show_all())
        painter.restore()

    def _selected(self, text: LaidOutText, start: int, end: int) -> QTextLayout.FormatRange:
        tokens = self._theme.tokens
        marked = QTextLayout.FormatRange()
        marked.start, marked.length = start, max(0, min(end, utf16_text.units(text.shown)) - start)
        form = QTextCharFormat()
        form.setBackground(QColor(tokens.accent))
        form.setForeground(QColor(tokens.on_accent))
        marked.format = form
        return marked

    def _paint_board(self, painter: QPainter, place: QRectF, message: MessageView) -> None:
        """Say who has our attachment; a click shows them one by one."""
        if place.isEmpty() or message.attachment is None:
            return
        face = fonts.font(fonts.META)
        face.setUnderline(self.pointer == Pointer(message.entry, Act.WHO_HAS))
        on_picture = self._lies_on_picture(message)
        if on_picture:
            paint_scrim(painter, self._theme, place.adjusted(-8, -2, 8, 2))
        painter.setFont(face)
        painter.setPen(QColor(self._theme.tokens.on_scrim if on_picture else self._theme.tokens.link))
        words = QFontMetrics(face).elidedText(
            attachments.board(message.attachment), Qt.TextElideMode.ElideRight, int(place.width())
        )
        side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, int(side | Qt.TextFlag.TextSingleLine), words)

    def _paint_meta(self, painter: QPainter, place: QRectF, message: MessageView) -> None:
        on_picture = self._lies_on_picture(message)
        if on_picture:
            paint_scrim(painter, self._theme, place.adjusted(-8, -2, 8, 2))
        painter.setPen(QColor(self._theme.tokens.on_scrim if on_picture else self._theme.tokens.secondary))
        painter.setFont(self._meta_face)
        side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, side, moments.clock(message.written_at))
        mark = QPointF(place.right() - MARK_SIZE + 1, place.center().y() - MARK_SIZE / 2)
        paint_delivery_mark(painter, mark, message.state, self._theme, on_picture=on_picture)

    def _lies_on_picture(self, message: MessageView) -> bool:
        return message.attachment is not None and not message.text and self._blocks[message.kind].fills

    def _paint_focus(self, painter: QPainter, bubble: QRectF) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.tokens.accent), 2))
        painter.drawRoundedRect(bubble.adjusted(-2, -2, 2, 2), 15, 15)

    @staticmethod
    def _is_last(index: Index) -> bool:
        return index.row() == index.model().rowCount() - 1


def _row(index: Index) -> tuple[MessageView, Placement]:
    # Straight from the model: through QModelIndex.data both would be wrapped and unwrapped.
    model = index.model()
    assert isinstance(model, MessageListModel)
    return model.message(index.row()), model.placement(index.row())


def _shortened(tip: str) -> str:
    return tip if len(tip) <= _LONGEST_TIP else f"{tip[:_LONGEST_TIP]}…"
