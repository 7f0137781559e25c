"""The sign for how far a message has come: told apart by shape, and only then by colour."""

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter

from peer.views import MessageState
from ui.theme.controls import Theme

SIZE = 15
_STROKE = 2.25

# (icon, token of its colour)
_MARKS: dict[MessageState, tuple[str, str]] = {
    MessageState.STORED: ("clock", "secondary"),
    MessageState.SENT: ("check", "secondary"),
    MessageState.DELIVERED: ("check-check", "secondary"),
    MessageState.READ: ("check-check", "accent"),
}


def paint_delivery_mark(
    painter: QPainter, place: QPointF, state: MessageState, theme: Theme, *, on_picture: bool = False
) -> None:
    """Draw the mark with its upper left corner at a place; messages of others have none."""
    mark = _MARKS.get(state)
    if mark is None:
        return
    icon, token = mark
    colour = theme.tokens.on_scrim if on_picture else getattr(theme.tokens, token)
    size = SIZE - 3 if icon == "clock" else SIZE
    scale = painter.device().devicePixelRatioF()
    pixmap = theme.icons.pixmap(icon, colour, size, scale, _STROKE)
    inset = (SIZE - size) / 2
    painter.drawPixmap(QPointF(place.x() + inset, place.y() + inset), pixmap)
