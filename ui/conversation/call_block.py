"""How a call ended, in a bubble: what it was, how long it lasted, and a way to call again."""

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter

from peer.views import CallOutcome, MessageView
from ui.theme.controls import Theme
from ui.transfers.acts import Act
from ui.transfers.blocks import ROUND, Brushes, Pointer, Spot
from ui.translations import call_lines

_WIDEST = 280
_LINE = 20
_GAP = 12
_HEIGHT = ROUND + 2
_LINK = 18
_BESIDE_TIME = 84
"""What the time and the mark of the bubble may take of the line that the link stands in."""


class CallBlock:
    """Draws calls; whether one can be made now is decided by whoever is asked to make it."""

    fills = False

    def __init__(self, theme: Theme) -> None:
        self._brushes = Brushes(theme)

    def size(self, message: MessageView, widest: int) -> QSize:
        """Return the room it takes: as wide as its words, so that a short one is small, and the line of its time."""
        words = self._brushes.name_metrics.horizontalAdvance(call_lines.title(message))
        details = self._brushes.meta_metrics.horizontalAdvance(call_lines.details(message))
        link = self._brushes.link_metrics.horizontalAdvance(call_lines.call_back(message)) + _BESIDE_TIME
        return QSize(min(ROUND + _GAP + max(words, details, link) + 2, _WIDEST, widest), _HEIGHT)

    def spots(self, message: MessageView, place: QRectF) -> list[Spot]:
        """Return what can be clicked."""
        return [Spot(Act.CALL, _round(place)), Spot(Act.CALL, self._link(message, place))]

    def paint(self, painter: QPainter, place: QRectF, message: MessageView, pointer: Pointer | None) -> None:
        """Draw it."""
        assert message.call is not None
        tokens = self._brushes.theme.tokens
        is_hovered = pointer is not None
        was_talk = message.call.outcome is CallOutcome.ANSWERED and not message.call.is_missed
        ground = tokens.danger if message.call.is_missed else tokens.accent if was_talk else tokens.offline
        if is_hovered and was_talk:
            ground = tokens.accent_hover
        self._brushes.round_button(painter, _round(place), _icon(message), ground)
        self._brushes.name(painter, _line(place, 0), call_lines.title(message))
        self._brushes.text(painter, _line(place, 1), call_lines.details(message), tokens.secondary)
        self._brushes.link(painter, self._link(message, place), call_lines.call_back(message), hovered=is_hovered)

    def _link(self, message: MessageView, place: QRectF) -> QRectF:
        """It stands below, in the line of the time."""
        words = self._brushes.link_metrics.horizontalAdvance(call_lines.call_back(message))
        return QRectF(place.left() + ROUND + _GAP, place.bottom(), words + 2, _LINK)


def _icon(message: MessageView) -> str:
    assert message.call is not None
    if message.call.is_missed:
        return "phone-missed"
    return "phone-outgoing" if message.mine else "phone-incoming"


def _round(place: QRectF) -> QRectF:
    return QRectF(place.left(), place.top() + 2, ROUND, ROUND)


def _line(place: QRectF, number: int) -> QRectF:
    left = place.left() + ROUND + _GAP
    return QRectF(left, place.top() + 2 + number * _LINE, place.right() - left, _LINE)
