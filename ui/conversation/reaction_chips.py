"""The reactions below a bubble: one chip an emoji, with how many chose it; a click chooses it too, or no more."""

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from peer.views import MessageKind, MessageView, ReactionView
from ui.theme import fonts
from ui.theme.controls import Theme

HEIGHT = 24
GAP = 4
MOST = 12
"""Chips under a message; of more emoji the last chip says how many are left out."""
_PAD = 7
_EMOJI_ROOM = 20
_EMOJI_SIZE = 15
_BETWEEN = 4


@dataclass(frozen=True, slots=True)
class Chip:
    """One of them, at its place."""

    place: QRectF
    label: str
    """What stands behind the emoji."""
    reaction: ReactionView | None
    """None: those that are left out."""


class ReactionChips:
    """Measures and draws them."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._face = fonts.bold(fonts.SMALL)
        self._metrics = QFontMetrics(self._face)
        self._emoji_face = fonts.emoji(_EMOJI_SIZE)

    def lay_out(self, message: MessageView, bubble: QRectF, widest: float) -> tuple[Chip, ...]:
        """Return the chips below a bubble, in as many lines as they need, on the sender's side."""
        if not message.reactions or message.kind is MessageKind.DELETED:
            return ()
        shown, left_out = _chosen(message.reactions)
        labels: list[tuple[str, ReactionView | None]] = [(str(len(each.users)), each) for each in shown]
        if left_out:
            labels.append((f"+{left_out}", None))
        lines: list[list[tuple[float, str, ReactionView | None]]] = [[]]
        room = widest
        for label, reaction in labels:
            width = 2.0 * _PAD + self._metrics.horizontalAdvance(label)
            width += _EMOJI_ROOM + _BETWEEN if reaction is not None else 0
            if width > room and lines[-1]:
                lines.append([])
                room = widest
            lines[-1].append((width, label, reaction))
            room -= width + GAP
        chips = []
        top = bubble.bottom() + GAP
        for line in lines:
            whole = sum(width for width, _, _ in line) + GAP * (len(line) - 1)
            left = bubble.right() - whole if message.mine else bubble.left()
            for width, label, reaction in line:
                chips.append(Chip(QRectF(left, top, width, HEIGHT), label, reaction))
                left += width + GAP
            top += HEIGHT + GAP
        return tuple(chips)

    def paint(self, painter: QPainter, chip: Chip, *, hovered: bool) -> None:
        """Draw one."""
        tokens = self._theme.tokens
        reaction = chip.reaction
        is_mine = reaction is not None and reaction.mine
        painter.setPen(QPen(QColor(tokens.accent if is_mine or hovered else tokens.border), 1))
        painter.setBrush(QColor(tokens.selected if is_mine else tokens.chip))
        place = chip.place.adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(place, HEIGHT / 2, HEIGHT / 2)
        words = chip.place.adjusted(_PAD, 0, -_PAD, 0)
        if reaction is not None:
            room = QRectF(words.topLeft(), words.bottomLeft() + QPointF(_EMOJI_ROOM, 0))
            painter.save()
            painter.setClipRect(room)
            painter.setFont(self._emoji_face)
            painter.setPen(QColor(tokens.text))
            painter.drawText(room.translated(0, 1), _MIDDLE, _first_signs(reaction.emoji))
            painter.restore()
            words.setLeft(room.right() + _BETWEEN)
        painter.setFont(self._face)
        painter.setPen(QColor(tokens.accent if is_mine else tokens.secondary))
        painter.drawText(words, _MIDDLE, chip.label)


def _chosen(reactions: tuple[ReactionView, ...]) -> tuple[tuple[ReactionView, ...], int]:
    """Return what is shown, our own choice in any case, and how many are not."""
    if len(reactions) <= MOST:
        return reactions, 0
    shown = reactions[: MOST - 1]
    if not any(each.mine for each in shown):
        shown = (*shown[:-1], next((each for each in reactions if each.mine), shown[-1]))
    return shown, len(reactions) - len(shown)


@lru_cache(maxsize=512)
def _first_signs(emoji: str) -> str:
    # The longest joined sequences have about a dozen code points.
    return emoji[:16]


_MIDDLE = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine)
