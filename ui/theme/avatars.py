"""Pictures of people and groups: a coloured disc, or a square, with an initial; a dot says who is there."""

import hashlib
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt, QTextBoundaryFinder
from PySide6.QtGui import QColor, QFont, QPainter, QPixmap

from ui.theme import fonts
from ui.theme.tokens import AVATAR_COLOURS, Tokens

_GROUP_CORNER = 0.25
"""The radius of a group's corners, as a share of its side."""


def avatar_colour(user: str) -> str:
    """Return the colour of a person: the same on every screen, because it depends on the ID alone."""
    return AVATAR_COLOURS[_place_of(user)]


def author_colour(user: str, tokens: Tokens) -> str:
    """Return the colour in which a person's name is written, that of their avatar as far as it can be read."""
    return tokens.authors[_place_of(user)]


@lru_cache(maxsize=512)
def _place_of(user: str) -> int:
    return hashlib.sha256(user.encode()).digest()[0] % len(AVATAR_COLOURS)


@lru_cache(maxsize=512)
def initial(name: str) -> str:
    """Return the first whole character of a name, as it is read (an emoji of several code points is one)."""
    stripped = name.strip()
    if not stripped:
        return "?"
    finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Grapheme, stripped)
    end = finder.toNextBoundary()
    # Qt counts UTF-16 units, Python code points.
    units = stripped.encode("utf-16-le")[: 2 * end]
    return units.decode("utf-16-le", "ignore").upper()


def paint_avatar(painter: QPainter, place: QRectF, user: str, name: str, *, is_group: bool = False) -> None:
    """Draw the disc with the initial into a square; that of a group is a square with round corners."""
    scale = painter.device().devicePixelRatioF()
    painter.drawPixmap(place.topLeft(), _disc(user, initial(name), round(place.width()), scale, is_group=is_group))


def paint_presence(painter: QPainter, avatar: QRectF, tokens: Tokens, ground: str, *, online: bool) -> None:
    """Draw the dot at the avatar's lower right: full when online, a ring when not (never colour alone)."""
    radius = max(4.5, avatar.height() * 0.125)
    centre = QPointF(avatar.right() - radius, avatar.bottom() - radius)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(ground))
    painter.drawEllipse(centre, radius + 2, radius + 2)
    painter.setBrush(QColor(tokens.online if online else tokens.offline))
    painter.drawEllipse(centre, radius, radius)
    if not online:
        painter.setBrush(QColor(ground))
        painter.drawEllipse(centre, radius - 2, radius - 2)
    painter.restore()


def avatar_pixmap(
    user: str,
    name: str,
    size: int,
    scale: float,
    tokens: Tokens,
    ground: str,
    *,
    online: bool | None,
    is_group: bool = False,
) -> QPixmap:
    """Return an avatar as a picture; `online` None leaves the dot out."""
    pixmap = QPixmap(_disc(user, initial(name), size, scale, is_group=is_group))
    if online is not None:
        painter = QPainter(pixmap)
        paint_presence(painter, QRectF(0, 0, size, size), tokens, ground, online=online)
        painter.end()
    return pixmap


@lru_cache(maxsize=512)
def _disc(user: str, letter: str, size: int, scale: float, *, is_group: bool) -> QPixmap:
    """Return the disc as a picture: lists draw the same few again and again."""
    pixmap = QPixmap(round(size * scale), round(size * scale))
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    place = QRectF(0, 0, size, size)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(avatar_colour(user)))
    corner = size * (_GROUP_CORNER if is_group else 0.5)
    painter.drawRoundedRect(place, corner, corner)
    painter.setPen(QColor("white"))
    painter.setFont(fonts.font(max(11, round(size * 0.4)), QFont.Weight.Bold))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, letter)
    painter.end()
    return pixmap
