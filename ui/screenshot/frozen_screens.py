"""The screens as they were at one moment, and the cut through them that is sent."""

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QPixmap, QScreen


@dataclass(frozen=True, slots=True)
class FrozenScreen:
    """One monitor."""

    place: QRect
    """On the desktop, in logical pixels."""
    picture: QPixmap
    """As many pixels as the monitor has."""
    screen: QScreen

    @property
    def scale(self) -> float:
        """Pixels to a logical one."""
        return self.picture.width() / max(1, self.place.width())


def freeze() -> list[FrozenScreen]:
    """Return all monitors as they are now; empty where the system does not let programs look."""
    frozen = [FrozenScreen(screen.geometry(), screen.grabWindow(0), screen) for screen in QGuiApplication.screens()]
    return frozen if all(not each.picture.isNull() for each in frozen) else []


def desktop_of(screens: list[FrozenScreen]) -> QRect:
    """Return the rectangle around all of them."""
    around = QRect()
    for screen in screens:
        around |= screen.place
    return around


def cut(screens: list[FrozenScreen], region: QRect) -> QImage:
    """Return what is in the region: every pixel of it, at the scale of the sharpest monitor it touches."""
    parts = [screen for screen in screens if screen.place.intersects(region)]
    scale = max((screen.scale for screen in parts), default=1.0)
    image = QImage(round(region.width() * scale), round(region.height() * scale), QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.black)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    for screen in parts:
        seen = screen.place & region
        target = QRectF(seen.translated(-region.topLeft()))
        source = QRectF(seen.translated(-screen.place.topLeft()))
        painter.drawPixmap(_scaled(target, scale), screen.picture, _scaled(source, screen.scale))
    painter.end()
    return image


def _scaled(rect: QRectF, scale: float) -> QRectF:
    return QRectF(rect.x() * scale, rect.y() * scale, rect.width() * scale, rect.height() * scale)
