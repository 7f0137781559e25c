"""The icons, drawn from Lucide's SVG files in whatever colour a place needs."""

from importlib.resources import files

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

_SCALES = (1.0, 1.25, 1.5, 2.0, 3.0)
"""Device pixel ratios for which a QIcon holds its own picture."""


class Icons:
    """Draws icons by name; a picture once made is kept."""

    def __init__(self) -> None:
        self._pixmaps: dict[tuple[str, str, int, float, float], QPixmap] = {}

    def pixmap(self, name: str, colour: str, size: int, scale: float, stroke: float = 2.0) -> QPixmap:
        """Return a picture of `size` logical pixels for a screen of that scale."""
        key = (name, colour, size, scale, stroke)
        if key not in self._pixmaps:
            self._pixmaps[key] = _render(name, colour, size, scale, stroke)
        return self._pixmaps[key]

    def icon(self, name: str, colour: str, size: int, disabled_colour: str | None = None) -> QIcon:
        """Return an icon for a button, sharp at every usual scale."""
        icon = QIcon()
        for scale in _SCALES:
            icon.addPixmap(self.pixmap(name, colour, size, scale))
            if disabled_colour is not None:
                icon.addPixmap(self.pixmap(name, disabled_colour, size, scale), QIcon.Mode.Disabled)
        return icon


def _render(name: str, colour: str, size: int, scale: float, stroke: float) -> QPixmap:
    text = files("ui.theme").joinpath("icons", f"{name}.svg").read_text(encoding="utf-8")
    text = text.replace("currentColor", colour).replace('stroke-width="2"', f'stroke-width="{stroke}"')
    renderer = QSvgRenderer(QByteArray(text.encode()))
    pixels = round(size * scale)
    pixmap = QPixmap(QSize(pixels, pixels))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    pixmap.setDevicePixelRatio(scale)
    return pixmap
