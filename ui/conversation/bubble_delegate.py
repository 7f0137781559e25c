"""Paints one message: date above it when a day begins, picture of the sender, bubble, text, time and delivery."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPen, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QToolTip

from peer.views import EntryId, MessageKind, MessageView
from ui.conversation import utf16_text
from ui.conversation.bubble_parts import AVATAR, PAD_X, SIDE, BlockRoom, BubbleMeasure, Contents, Parts, widest_text
from ui.conversation.bubble_shapes import bubble_path
from ui.conversation.hits import Hit, Part, Under
from ui.conversation.links import Link
from ui.conversation.marked_text import Look, marked_text
from ui.conversation.quote_part import QuotePart
from ui.conversation.reaction_chips import ReactionChips
from ui.conversation.row_headings import RowHeadings
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
from ui.translations import attachments, message_words, people

Index = QModelIndex | QPersistentModelIndex

_LINE_ROUND = 12
_FLASH_ALPHA = 0.16
_LONGEST_TIP = 300
"""Characters of a link in its tooltip."""


class BubbleDelegate(QStyledItemDelegate):
    """Draws messages; the view asks it for heights, row by row, as they come into sight."""

    def __init__(self, theme: Theme, blocks: Mapping[MessageKind, Block]) -> None:
        """`blocks` draw attachments; kinds that are not among them are drawn as files."""
        super().__init__()
        self._theme = theme
        self._layouts = TextLayouts(theme)
        self._headings = RowHeadings(theme)
        self._quote = QuotePart(theme)
        self._chips = ReactionChips(theme)
        self.selection = TextSelection()
        """What is drawn as selected."""
        self.me = ""
        """Who looks: where they are named stands out."""
        self.pointer: Pointer | None = None
        """What of an attachment is drawn as under the mouse."""
        self.under: Under | None = None
        """Which other part is."""
        self.flashing: EntryId | None = None
        """The message that is drawn as the one that was looked for."""
        card = FileCard(theme)
        self._blocks: dict[MessageKind, Block] = dict.fromkeys(MessageKind, card) | dict(blocks)
        self._meta_face = fonts.font(fonts.META)
        self._more_face = fonts.bold(fonts.CAPTION)
        self._name_face = fonts.bold(fonts.CAPTION)
        self._measure = BubbleMeasure(self._chips, self._meta_face, self._more_face, self._name_face)

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
        is_note = laid_out.marked.look is not Look.PLAIN
        link = laid_out.link_at(in_text) if message.text and not is_note else None
        pointer = None if is_note else self._pointed(message, parts, there)
        is_text = parts.text.contains(there) and not is_note
        under = self._under(message, parts, there)
        return Hit(message, offset, is_text, is_more, link, laid_out, pointer, under)

    def _pointed(self, message: MessageView, parts: Parts, there: QPointF) -> Pointer | None:
        if parts.board.adjusted(-4, -4, 4, 4).contains(there):
            return Pointer(message.entry, Act.WHO_HAS)
        if parts.block.isEmpty():
            return None
        for spot in self._blocks[message.kind].spots(message, parts.block):
            if spot.place.contains(there):
                return Pointer(message.entry, spot.act, (there.x() - spot.place.left()) / spot.place.width())
        return None

    @staticmethod
    def _under(message: MessageView, parts: Parts, there: QPointF) -> Under | None:
        if parts.quote.contains(there):
            return Under(message.entry, Part.QUOTE)
        if parts.meta.adjusted(-4, -4, 4, 4).contains(there):
            return Under(message.entry, Part.MARK)
        for chip in parts.chips:
            if chip.place.contains(there):
                if chip.reaction is None:
                    return Under(message.entry, Part.REST_OF_CHIPS)
                return Under(message.entry, Part.CHIP, chip.reaction.emoji)
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
        if message.entry == self.flashing:
            self._paint_flash(painter, parts, width)
        self._headings.paint(painter, message, placement, width)
        if message.membership is None:
            self._paint_message(painter, message, placement, laid_out, parts)
        else:
            self._paint_line(painter, laid_out, parts)
        if option.state & QStyle.StateFlag.State_HasFocus:
            self._paint_focus(painter, parts.bubble)
        painter.restore()

    def _paint_line(self, painter: QPainter, text: LaidOutText, parts: Parts) -> None:
        """Draw what happened."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.chip))
        round_corner = min(parts.bubble.height() / 2, _LINE_ROUND)
        painter.drawRoundedRect(parts.bubble, round_corner, round_corner)
        painter.setPen(QColor(self._theme.tokens.secondary))
        text.layout.draw(painter, parts.text.topLeft())

    def _paint_message(
        self, painter: QPainter, message: MessageView, placement: Placement, laid_out: LaidOutText, parts: Parts
    ) -> None:
        """Draw bubble, picture of the sender, and what is in and below them."""
        if not laid_out.emoji_only or message.attachment is not None or not parts.quote.isEmpty():
            self._paint_bubble(painter, parts.bubble, message, placement)
        if placement.ends_group and not message.mine:
            place = QRectF(SIDE, parts.bubble.bottom() - AVATAR, AVATAR, AVATAR)
            paint_avatar(painter, place, message.author, people.short_name(message.author_name))
        if not parts.name.isEmpty():
            self._paint_name(painter, parts.name, message)
        if not parts.quote.isEmpty():
            is_under = self.under == Under(message.entry, Part.QUOTE)
            self._quote.paint(painter, parts.quote, message, hovered=is_under)
        if not parts.block.isEmpty():
            self._paint_block(painter, parts, message, placement)
        if laid_out.marked.text:
            self._paint_text(painter, parts, laid_out, message)
        self._paint_board(painter, parts.board, message)
        self._paint_meta(painter, parts.meta, message)
        for chip in parts.chips:
            is_under = chip.reaction is not None and self.under == Under(message.entry, Part.CHIP, chip.reaction.emoji)
            self._chips.paint(painter, chip, hovered=is_under)

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
        elif hit.under is not None and hit.under.part is Part.MARK:
            QToolTip.showText(event.globalPos(), message_words.meta_tip(message), view)
        elif hit.under is not None and hit.under.part is Part.CHIP:
            chosen = next(each for each in message.reactions if each.emoji == hit.under.emoji)
            QToolTip.showText(event.globalPos(), message_words.reaction_tip(chosen), view)
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
        if (message.attachment is not None and message.kind is not MessageKind.DELETED) or message.call is not None:
            drawn = self._blocks[message.kind]
            size = drawn.size(message, widest + 2 * PAD_X if drawn.fills else widest)
            block = BlockRoom(size, drawn.fills)
            widest = size.width() - 2 * PAD_X if drawn.fills else widest
        text = self._layouts.lay_out(message.entry, marked_text(message, self.me), widest)
        if message.membership is not None:
            return text, self._measure.line(placement, text, width, is_last=is_last)
        contents = Contents(text, block, self._quote.size(message, widest), self._show_all())
        return text, self._measure.parts(message, placement, contents, width, is_last=is_last)

    def _show_all(self) -> str:
        return self.tr("Show all")

    def _paint_flash(self, painter: QPainter, parts: Parts, width: int) -> None:
        """Draw the ground on which a message stands that somebody was led to."""
        ground = QColor(self._theme.tokens.accent)
        ground.setAlphaF(_FLASH_ALPHA)
        bottom = parts.chips[-1].place.bottom() if parts.chips else parts.bubble.bottom()
        painter.fillRect(QRectF(0, parts.bubble.top() - 4, width, bottom - parts.bubble.top() + 8), ground)

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
        is_note = text.marked.look is not Look.PLAIN
        painter.setPen(QColor(self._theme.tokens.secondary if is_note else self._theme.tokens.text))
        part = None if is_note else self.selection.part_of(message)
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
        painter.drawText(place, side, message_words.meta(message))
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
