"""A voice message in a bubble: play, the waveform to seek in, how long it is, how fast it is played."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter

from peer.views import MessageView, TransferState
from ui.theme.controls import Theme
from ui.transfers.acts import ICONS, Act, acts
from ui.transfers.blocks import ROUND, Brushes, Pointer, Spot
from ui.transfers.voice_playback import Playing, VoicePlayback
from ui.transfers.waveform import paint_waveform
from ui.translations import attachments

_WIDEST = 280
_HEIGHT = 48
_GAP = 12
_WAVE = 28
_LINE = 18
_SPEED_WIDTH = 36
_CROSS = 20
_RUNNING = frozenset({TransferState.LOADING, TransferState.PAUSED, TransferState.PREPARING})


class VoiceBlock:
    """Draws voice messages."""

    fills = False

    def __init__(self, theme: Theme, playback: VoicePlayback) -> None:
        self._brushes = Brushes(theme)
        self._playback = playback

    def size(self, _message: MessageView, widest: int) -> QSize:
        """Return the room it takes: the same in every state."""
        return QSize(min(_WIDEST, widest), _HEIGHT)

    def spots(self, message: MessageView, place: QRectF) -> list[Spot]:
        """Return what can be clicked."""
        can = acts(message)
        found = []
        first = _first(can)
        if first is not None:
            found.append(Spot(first, _round(place)))
        if Act.PLAY in can:
            found += [Spot(Act.SEEK, _wave(place)), Spot(Act.SPEED, _speed(place))]
        if Act.CANCEL in can:
            found.append(Spot(Act.CANCEL, _cross(place)))
        return found

    def paint(self, painter: QPainter, place: QRectF, message: MessageView, pointer: Pointer | None) -> None:
        """Draw it."""
        attachment = message.attachment
        assert attachment is not None
        tokens = self._brushes.theme.tokens
        playing = self._playback.of(attachment.path) if attachment.path else Playing()
        act = _first(acts(message))
        hovered = pointer.act if pointer is not None else None
        self._paint_round(painter, _round(place), act, playing, is_hovered=act is not None and hovered is act)
        heard = attachments.share_of_time(playing.at, attachment.duration)
        seeks = pointer.fraction if pointer is not None and pointer.act is Act.SEEK else None
        colours = (tokens.accent, tokens.secondary)
        wave = attachment.waveform
        paint_waveform(painter, _wave(place), wave, heard=heard, hovered=seeks, colours=colours)
        self._brushes.text(painter, _time(place), self._words(message, playing, seeks), tokens.secondary)
        for spot in self.spots(message, place):
            if spot.act is Act.SPEED:
                self._paint_speed(painter, spot.place, is_hovered=hovered is Act.SPEED)
            elif spot.act is Act.CANCEL:
                if hovered is Act.CANCEL:
                    self._brushes.hover_ground(painter, spot.place)
                self._brushes.icon(painter, spot.place, "x", tokens.secondary, 14)

    def _words(self, message: MessageView, playing: Playing, seeks: float | None) -> str:
        """Return the line below: how long it is, where one is, or how it stands with the file."""
        attachment = message.attachment
        assert attachment is not None
        whole = attachments.length(attachment.duration)
        if seeks is not None:
            return f"{attachments.length(seeks * attachment.duration)} / {whole}"
        if attachment.state in _RUNNING:
            return f"{whole} · {attachments.percent(attachment.done, attachment.size)}"
        state = attachments.brief_state(message)
        if state:
            return f"{whole} · {state}"
        return f"{attachments.length(playing.at)} / {whole}" if playing.at or playing.is_playing else whole

    def _paint_round(
        self, painter: QPainter, place: QRectF, act: Act | None, playing: Playing, *, is_hovered: bool
    ) -> None:
        tokens = self._brushes.theme.tokens
        if act is None:
            self._brushes.round_button(painter, place, "clock", tokens.offline)
            return
        icon = "pause" if act is Act.PLAY and playing.is_playing else ICONS[act]
        ground = tokens.danger if act is Act.RETRY else tokens.accent_hover if is_hovered else tokens.accent
        self._brushes.round_button(painter, place, icon, ground)

    def _paint_speed(self, painter: QPainter, place: QRectF, *, is_hovered: bool) -> None:
        words = attachments.speed_of_sound(self._playback.speed)
        painter.setFont(self._brushes.link_face)
        if is_hovered:
            ground = QColor(self._brushes.theme.tokens.secondary)
            ground.setAlphaF(0.25)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(place, place.height() / 2, place.height() / 2)
        painter.setPen(QColor(self._brushes.theme.tokens.link))
        painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), words)


def _first(can: tuple[Act, ...]) -> Act | None:
    return next((act for act in can if act in ICONS), None) if can[:1] != (Act.CANCEL,) else None


def _round(place: QRectF) -> QRectF:
    return QRectF(place.left(), place.top() + (_HEIGHT - ROUND) / 2, ROUND, ROUND)


def _wave(place: QRectF) -> QRectF:
    left = place.left() + ROUND + _GAP
    return QRectF(left, place.top(), place.right() - left, _WAVE)


def _time(place: QRectF) -> QRectF:
    left = place.left() + ROUND + _GAP
    return QRectF(left, place.bottom() - _LINE, place.right() - _SPEED_WIDTH - 4 - left, _LINE)


def _speed(place: QRectF) -> QRectF:
    return QRectF(place.right() - _SPEED_WIDTH, place.bottom() - _LINE, _SPEED_WIDTH, _LINE)


def _cross(place: QRectF) -> QRectF:
    return QRectF(place.right() - _CROSS, place.bottom() - _CROSS + 1, _CROSS, _CROSS)
