"""The outline of a bubble: round, but flatter where it joins its neighbour in a group."""

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

ROUND = 14.0
JOINED = 5.0


def bubble_path(place: QRectF, *, mine: bool, starts_group: bool, ends_group: bool) -> QPainterPath:
    """Return the outline; joined corners are on the sender's side only."""
    top = ROUND if starts_group else JOINED
    bottom = ROUND if ends_group else JOINED
    return _rounded(place, ROUND, top, bottom, ROUND) if mine else _rounded(place, top, ROUND, ROUND, bottom)


def _rounded(place: QRectF, top_left: float, top_right: float, low_right: float, low_left: float) -> QPainterPath:
    """Return a rectangle with a radius for each corner."""
    path = QPainterPath(QPointF(place.left() + top_left, place.top()))
    path.lineTo(place.right() - top_right, place.top())
    path.arcTo(place.right() - 2 * top_right, place.top(), 2 * top_right, 2 * top_right, 90, -90)
    path.lineTo(place.right(), place.bottom() - low_right)
    path.arcTo(place.right() - 2 * low_right, place.bottom() - 2 * low_right, 2 * low_right, 2 * low_right, 0, -90)
    path.lineTo(place.left() + low_left, place.bottom())
    path.arcTo(place.left(), place.bottom() - 2 * low_left, 2 * low_left, 2 * low_left, 270, -90)
    path.lineTo(place.left(), place.top() + top_left)
    path.arcTo(place.left(), place.top(), 2 * top_left, 2 * top_left, 180, -90)
    path.closeSubpath()
    return path
