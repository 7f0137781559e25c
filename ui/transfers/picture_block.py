"""A picture in a bubble: it reaches to the edges, and has its full room from the first moment."""

import math

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from peer.views import MessageView, TransferState
from ui.theme import fonts
from ui.theme.controls import Theme
from ui.transfers.acts import ICONS, Act, acts
from ui.transfers.blocks import ROUND, Brushes, Pointer, Spot
from ui.transfers.picture_store import PictureStore
from ui.translations import attachments

HIGHEST = 360
_NARROWEST, _LOWEST = 200, 120
_UNKNOWN = QSize(240, 180)
"""Room for a picture of which only the name is known yet."""
_CROSS = 28
_MARGIN = 8
_RING = 3
SCRIM = 0.68
"""How dark the ground is of what lies on a picture."""


class PictureBlock:
    """Draws pictures: the thumbnail at once, then the picture itself."""

    fills = True

    def __init__(self, theme: Theme, store: PictureStore) -> None:
        self._brushes = Brushes(theme)
        self._store = store

    def size(self, message: MessageView, widest: int) -> QSize:
        """Return the room it takes: that of the picture, scaled down to fit, never up."""
        attachment = message.attachment
        assert attachment is not None
        fit = _fitted(attachment.width, attachment.height, widest)
        return QSize(max(fit.width(), min(_NARROWEST, widest)), max(fit.height(), _LOWEST))

    def spots(self, message: MessageView, place: QRectF) -> list[Spot]:
        """Return what can be clicked: the whole picture when it is here."""
        attachment = message.attachment
        assert attachment is not None
        can = acts(message)
        if attachment.state is TransferState.HERE:
            return [Spot(Act.VIEW, place)]
        found = [Spot(Act.CANCEL, _cross(place))] if Act.CANCEL in can else []
        first = _first(can)
        return [*found, Spot(first, _round(place))] if first is not None else found

    def paint(self, painter: QPainter, place: QRectF, message: MessageView, pointer: Pointer | None) -> None:
        """Draw it."""
        attachment = message.attachment
        assert attachment is not None
        tokens = self._brushes.theme.tokens
        painter.fillRect(place, QColor(tokens.hover))
        widest = round(place.width())
        fit = _fitted(attachment.width, attachment.height, widest).boundedTo(place.size().toSize())
        scale = painter.device().devicePixelRatioF()
        pixels = QSize(round(fit.width() * scale), round(fit.height() * scale))
        image = self._store.look(message, pixels)
        refusal = self._store.refusal(message, pixels)
        if not image.isNull():
            drawn = QSizeF(image.size()).scaled(QSizeF(fit), Qt.AspectRatioMode.KeepAspectRatio)
            drawn = QSizeF(fit) if abs(drawn.width() - fit.width()) + abs(drawn.height() - fit.height()) < 4 else drawn
            at = QRectF(place.center() - QPointF(drawn.width() / 2, drawn.height() / 2), drawn)
            # One that is as large as it must be is not scaled: that would cost more than all the rest.
            is_exact = image.size() == pixels
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=not is_exact)
            painter.drawImage(at, image)
        elif refusal:
            self._paint_refusal(painter, place, refusal)
        elif attachment.state is TransferState.HERE:
            self._brushes.icon(painter, place, "image", tokens.secondary, 32)
        if attachment.state is not TransferState.HERE:
            self._paint_state(painter, place, message, pointer.act if pointer is not None else None)

    def _paint_refusal(self, painter: QPainter, place: QRectF, sentence: str) -> None:
        tokens = self._brushes.theme.tokens
        above = QRectF(place.left(), place.top() + place.height() / 2 - 40, place.width(), 28)
        self._brushes.icon(painter, above, "image-off", tokens.secondary, 24)
        painter.setFont(self._brushes.meta_face)
        painter.setPen(QColor(tokens.text))
        below = QRectF(place.left() + 12, above.bottom() + 4, place.width() - 24, place.bottom() - above.bottom() - 12)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(below, int(flags), sentence)

    def _paint_state(self, painter: QPainter, place: QRectF, message: MessageView, hovered: Act | None) -> None:
        """Draw the button in the middle, progress around it, and the words in the corner."""
        attachment = message.attachment
        assert attachment is not None
        can = acts(message)
        first = _first(can)
        icon = "clock" if first is None else ICONS[first]
        self._paint_dark(painter, _round(place), is_hovered=first is not None and hovered is first)
        tokens = self._brushes.theme.tokens
        self._brushes.icon(painter, _round(place), icon, tokens.on_scrim, 22)
        if attachment.state in {TransferState.LOADING, TransferState.PAUSED, TransferState.PREPARING}:
            share = attachments.share(attachment.done, attachment.size)
            painter.setPen(QPen(QColor(tokens.on_scrim), _RING, c=Qt.PenCapStyle.RoundCap))
            inset = _RING
            ring = _round(place).adjusted(inset, inset, -inset, -inset)
            painter.drawArc(ring, 90 * 16, -math.ceil(share * 360 * 16))
        if Act.CANCEL in can:
            self._paint_dark(painter, _cross(place), is_hovered=hovered is Act.CANCEL)
            self._brushes.icon(painter, _cross(place), "x", tokens.on_scrim, 16)
        room = place.width() - 2 * _MARGIN - (_CROSS + _MARGIN if Act.CANCEL in can else 0)
        paint_pill(painter, self._brushes.theme, QPointF(place.left(), place.top()), _words(message), room)

    def _paint_dark(self, painter: QPainter, place: QRectF, *, is_hovered: bool) -> None:
        ground = QColor(self._brushes.theme.tokens.scrim)
        ground.setAlphaF(min(1.0, SCRIM + 0.2) if is_hovered else SCRIM)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawEllipse(place)


def paint_pill(painter: QPainter, theme: Theme, corner: QPointF, words: str, room: float) -> None:
    """Draw words on a dark ground near the upper left corner of a picture, in a room of so many pixels."""
    face = fonts.font(fonts.META)
    metrics = QFontMetrics(face)
    shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, int(room) - 16)
    place = QRectF(corner + QPointF(_MARGIN, _MARGIN), QSizeF(metrics.horizontalAdvance(shown) + 16, 20))
    paint_scrim(painter, theme, place)
    painter.setFont(face)
    painter.setPen(QColor(theme.tokens.on_scrim))
    painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine), shown)


def paint_scrim(painter: QPainter, theme: Theme, place: QRectF) -> None:
    """Draw the dark ground of words on a picture."""
    ground = QColor(theme.tokens.scrim)
    ground.setAlphaF(SCRIM)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(place, place.height() / 2, place.height() / 2)


def _words(message: MessageView) -> str:
    attachment = message.attachment
    assert attachment is not None
    if attachment.state in {TransferState.LOADING, TransferState.PREPARING, TransferState.PAUSED}:
        return f"{attachments.size(attachment.size)} · {attachments.percent(attachment.done, attachment.size)}"
    if attachment.state is TransferState.OFFERED:
        return attachments.size(attachment.size)
    return attachments.brief_state(message)


def _first(can: tuple[Act, ...]) -> Act | None:
    return next((act for act in can if act in ICONS), None) if can[:1] != (Act.CANCEL,) else None


def _fitted(width: int, height: int, widest: int) -> QSize:
    """Return how large a picture is drawn; none is drawn larger than it is."""
    if width <= 0 or height <= 0:
        return _UNKNOWN.boundedTo(QSize(widest, HIGHEST))
    scale = min(1.0, widest / width, HIGHEST / height)
    return QSize(max(1, round(width * scale)), max(1, round(height * scale)))


def _round(place: QRectF) -> QRectF:
    return QRectF(place.center() - QPointF(ROUND / 2, ROUND / 2), QSizeF(ROUND, ROUND))


def _cross(place: QRectF) -> QRectF:
    return QRectF(place.right() - _MARGIN - _CROSS, place.top() + _MARGIN, _CROSS, _CROSS)
