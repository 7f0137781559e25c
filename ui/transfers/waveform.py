"""Draws how loud a voice message is: bars, those that were heard in colour."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

_BAR, _GAP = 3, 2
_LOWEST = 3
_LOUDEST = 255
_HOVERED = 0.5
_UNHEARD = 0.55


def bars_in(width: float) -> int:
    """Return how many bars there is room for."""
    return max(1, int((width + _GAP) // (_BAR + _GAP)))


def resampled(waveform: bytes, count: int) -> list[int]:
    """Return as many bars as asked for; each is as loud as the loudest in its part."""
    if not waveform:
        return [0] * count
    length = len(waveform)
    return [
        max(waveform[at * length // count : max(at * length // count + 1, (at + 1) * length // count)])
        for at in range(count)
    ]


def paint_waveform(
    painter: QPainter,
    place: QRectF,
    waveform: bytes,
    *,
    heard: float,
    hovered: float | None,
    colours: tuple[str, str],
) -> None:
    """Draw it; `heard` and `hovered` are shares from the left, `colours` of what was heard and of what was not."""
    count = bars_in(place.width())
    played, rest = QColor(colours[0]), QColor(colours[1])
    rest.setAlphaF(_UNHEARD)
    would_play = QColor(colours[0])
    would_play.setAlphaF(_HOVERED)
    painter.setPen(Qt.PenStyle.NoPen)
    for at, level in enumerate(resampled(waveform, count)):
        share = (at + 0.5) / count
        if share <= heard:
            painter.setBrush(played)
        else:
            painter.setBrush(would_play if hovered is not None and share <= hovered else rest)
        height = max(_LOWEST, level / _LOUDEST * place.height())
        bar = QRectF(place.left() + at * (_BAR + _GAP), place.center().y() - height / 2, _BAR, height)
        painter.drawRoundedRect(bar, _BAR / 2, _BAR / 2)
