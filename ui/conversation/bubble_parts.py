"""Where the parts of a message are: measured for the rows in sight only, from sizes that are already known."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF
from PySide6.QtGui import QFont, QFontMetrics

from peer.views import MessageView
from ui.conversation.reaction_chips import Chip, ReactionChips
from ui.conversation.text_layouts import LINE_HEIGHT, LaidOutText
from ui.models.message_list import Placement
from ui.theme.delivery_marks import SIZE as MARK_SIZE
from ui.translations import attachments, message_words, people

SIDE = 16
AVATAR = 34
PAD_X, PAD_Y = 12, 8
DAY_ROOM = 44
"""Room above a message for the date."""
UNREAD_ROOM = 36
"""Room above a message for the line "New messages"."""
META_LINE = 16
NAME_LINE = 18
"""Height of the line with the name of who wrote it, in a group."""
_BESIDE_AVATAR = 8
_WIDEST_BUBBLE = 520
_WIDEST_SHARE = 0.78
_GROUP_GAP, _ROW_GAP = 10, 2
_NOWHERE = QRectF()
_META_GAP = 10
"""Between the end of the text and the time."""
_BELOW_BLOCK = 6
_BELOW_QUOTE = 5
_ABOVE_QUOTE = 2
_BELOW_CHIPS = 2
_BELOW_NAME = 2
"""Between the name and a picture that reaches to the edges."""
_OVER_PICTURE = 8
"""Between the edge of a picture and the time that lies on it."""
_LINE_PAD = 3
"""Above and below the words of what happened."""
_BOTTOM = 8
"""Room below the newest message."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the parts of a row are, from the row's upper left corner."""

    bubble: QRectF
    name: QRectF
    """Who wrote it; empty where that is not said."""
    quote: QRectF
    """The message it answers; empty when it answers none."""
    block: QRectF
    """The attachment; empty when there is none."""
    text: QRectF
    more: QRectF
    """The line "Show all"; empty when all is shown."""
    meta: QRectF
    board: QRectF
    """Who has the attachment; empty when that is not said."""
    chips: tuple[Chip, ...]
    """The reactions, below the bubble."""
    height: int


@dataclass(frozen=True, slots=True)
class BlockRoom:
    """The room an attachment takes in its bubble."""

    size: QSize
    fills: bool
    """Whether it reaches to the edges of the bubble, and the time lies on it when there is no text."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a bubble, already measured."""

    text: LaidOutText
    block: BlockRoom | None
    quote: QSize | None
    """Of the message it answers; None when it answers none."""
    show_all: str
    """The words below a cut text."""

    @property
    def fills(self) -> bool:
        """Whether an attachment reaches to the edges."""
        return self.block is not None and self.block.fills


class BubbleMeasure:
    """Puts text, attachment, time and reactions together."""

    def __init__(self, chips: ReactionChips, meta_face: QFont, more_face: QFont, name_face: QFont) -> None:
        self._chips = chips
        self._meta = QFontMetrics(meta_face)
        self._more = QFontMetrics(more_face)
        self._name = QFontMetrics(name_face)

    def parts(
        self, message: MessageView, placement: Placement, contents: Contents, width: int, *, is_last: bool
    ) -> Parts:
        """Return where everything is in a row of this width."""
        text, block, fills = contents.text, contents.block, contents.fills
        most = _widest_bubble(width)
        top = _GROUP_GAP if placement.starts_group else _ROW_GAP
        top += (DAY_ROOM if placement.starts_day else 0) + (UNREAD_ROOM if placement.starts_unread else 0)
        more = self._more.horizontalAdvance(contents.show_all) if text.is_cut else 0
        meta_width = self._meta_width(message)
        inner, text_height = self._inner(message, text, block, more, meta_width, most - 2 * PAD_X)
        has_text = text_height > 0
        size = QSizeF(inner.width() + 2 * PAD_X, inner.height() + 2 * PAD_Y)
        if block is not None and fills and not has_text:
            size = QSizeF(block.size)
        name = self._name_size(message, placement, size.width() if fills else most)
        room_above, widest = name.height(), max(size.width(), name.width() + 2 * PAD_X)
        quote_top = room_above + (_ABOVE_QUOTE if room_above else 0)
        if contents.quote is not None:
            room_above = quote_top + contents.quote.height() + _BELOW_QUOTE
            widest = max(widest, contents.quote.width() + 2 * PAD_X)
        room_above += PAD_Y + _BELOW_NAME if fills and room_above else 0
        size = QSizeF(widest, size.height() + room_above)
        left = width - SIDE - size.width() if message.mine else SIDE + AVATAR + _BESIDE_AVATAR
        bubble = QRectF(QPointF(left, top), size)
        name_place = QRectF(bubble.topLeft() + QPointF(PAD_X, PAD_Y - 1), name) if name.height() else QRectF()
        quote = _NOWHERE
        if contents.quote is not None:
            quote = QRectF(left + PAD_X, top + PAD_Y + quote_top, widest - 2 * PAD_X, contents.quote.height())
        pads = QPointF(0, room_above) if fills else QPointF(PAD_X, PAD_Y + room_above)
        block_place = QRectF() if block is None else QRectF(bubble.topLeft() + pads, QSizeF(block.size))
        text_top = bubble.top() + PAD_Y + room_above if block is None else block_place.bottom() + _BELOW_BLOCK
        place = QRectF(left + PAD_X, text_top, text.width if has_text else 0, text.height if has_text else 0)
        show_place = QRectF(place.left(), place.bottom() + PAD_Y, more, LINE_HEIGHT) if more else QRectF()
        low = QPointF(_OVER_PICTURE + 4, _OVER_PICTURE + 2) if fills and not has_text else QPointF(PAD_X, 6)
        meta_top = bubble.bottom() - low.y() - META_LINE
        meta = QRectF(bubble.right() - low.x() - meta_width, meta_top, meta_width, META_LINE)
        board = self._board(message, bubble.left() + low.x(), meta)
        chips = self._chips.lay_out(message, bubble, most)
        bottom = chips[-1].place.bottom() + _BELOW_CHIPS if chips else bubble.bottom()
        height = round(bottom) + (_BOTTOM if is_last else 0)
        return Parts(
            bubble,
            name_place,
            quote,
            block_place,
            place,
            show_place,
            meta,
            board,
            chips,
            height,
        )

    def line(self, placement: Placement, text: LaidOutText, width: int, *, is_last: bool) -> Parts:
        """Return where everything is in a row that says what happened: words in the middle, and no bubble."""
        top = _GROUP_GAP + (DAY_ROOM if placement.starts_day else 0) + (UNREAD_ROOM if placement.starts_unread else 0)
        size = QSizeF(text.width + 2 * PAD_X, text.height + 2 * _LINE_PAD)
        ground = QRectF(QPointF((width - size.width()) / 2, top), size)
        # The words are in the middle of the width they were laid out for.
        words = QRectF((width - widest_text(width)) / 2, top + _LINE_PAD, widest_text(width), text.height)
        none = QRectF()
        height = round(ground.bottom()) + (_BOTTOM if is_last else 0)
        return Parts(ground, none, none, none, words, none, ground, none, (), height)

    def _inner(
        self, message: MessageView, text: LaidOutText, block: BlockRoom | None, more: int, meta_width: int, widest: int
    ) -> tuple[QSize, int]:
        """Return the room inside the padding, and how much of its height is text."""
        has_text = block is None or bool(text.marked.text)
        text_height = text.height + (LINE_HEIGHT + PAD_Y if more else 0) if has_text else 0
        if block is not None and block.fills:
            widest = block.size.width() - 2 * PAD_X
        beside = (more or text.last_width) + _META_GAP + meta_width
        # Below an attachment of ours stands sooner or later who has it: that line is kept free from the beginning.
        fits = has_text and beside <= widest and not (block is not None and message.mine)
        width = max(text.width, more, beside if fits else meta_width) if has_text else meta_width
        height = text_height + (0 if fits else META_LINE)
        if block is not None:
            width = widest if block.fills else max(width, block.size.width())
            height += block.size.height() + (_BELOW_BLOCK if has_text else 2) - (PAD_Y if block.fills else 0)
        return QSize(width, height), text_height

    def _name_size(self, message: MessageView, placement: Placement, widest: float) -> QSizeF:
        """Return the room of the name in a bubble that may be so wide."""
        if not placement.names_author:
            return QSizeF(0, 0)
        name = people.short_name(message.author_name)
        return QSizeF(min(self._name.horizontalAdvance(name) + 2, widest - 2 * PAD_X), NAME_LINE)

    def _meta_width(self, message: MessageView) -> int:
        return self._meta.horizontalAdvance(message_words.meta(message)) + (MARK_SIZE + 3 if message.mine else 0)

    def _board(self, message: MessageView, left: float, meta: QRectF) -> QRectF:
        words = attachments.board(message.attachment) if message.mine and message.attachment is not None else ""
        if not words:
            return QRectF()
        room = meta.left() - _META_GAP - left
        return QRectF(left, meta.top(), min(room, self._meta.horizontalAdvance(words) + 2), META_LINE)


def widest_text(width: int) -> int:
    """Return how wide the inside of a bubble may be in a view of this width."""
    return _widest_bubble(width) - 2 * PAD_X


def _widest_bubble(width: int) -> int:
    # Beside an incoming bubble stands the picture, and there is a margin on both sides.
    room = width - 2 * SIDE - AVATAR - _BESIDE_AVATAR
    return max(120, min(_WIDEST_BUBBLE, int(width * _WIDEST_SHARE), room))
