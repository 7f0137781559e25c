"""A file in a bubble: what it is called, how large it is, how far it is, and what can be done now.

The card has three lines in every state, so that nothing moves when the state changes: the name; its size and
speed; then the bar, the words to click, or the rest of a sentence that says what went wrong.
"""

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QTextLayout, QTextOption

from peer.views import AttachmentView, MessageView, TransferState
from ui.conversation import utf16_text
from ui.theme.controls import Theme
from ui.transfers.acts import ICONS, Act, acts, label
from ui.transfers.blocks import ROUND, Brushes, Pointer, Spot
from ui.translations import attachments

WIDEST = 320
_GAP = 12
_NAME, _LINE = 20, 18
_HEIGHT = _NAME + 2 * _LINE
_CROSS = 20
_BETWEEN_LINKS = 16
_PERCENT = 42
"""Room for "100 %" beside the bar."""

_RUNNING = frozenset({TransferState.PREPARING, TransferState.LOADING, TransferState.PAUSED})
_SENTENCE = frozenset({TransferState.WAITING, TransferState.FAILED, TransferState.GONE})
"""States told by a sentence instead of figures."""
_LINKS: dict[TransferState, tuple[Act, ...]] = {
    TransferState.OFFERED: (Act.SAVE_AS, Act.DECLINE),
    TransferState.DECLINED: (Act.SAVE_AS,),
    TransferState.HERE: (Act.OPEN, Act.SHOW_IN_FOLDER),
}
"""What stands in the third line, as far as it can be done."""


class FileCard:
    """Draws files and folders."""

    fills = False

    def __init__(self, theme: Theme) -> None:
        self._brushes = Brushes(theme)

    def size(self, _message: MessageView, widest: int) -> QSize:
        """Return the room it takes: the same in every state."""
        return QSize(min(WIDEST, widest), _HEIGHT)

    def spots(self, message: MessageView, place: QRectF) -> list[Spot]:
        """Return what can be clicked."""
        attachment = message.attachment
        assert attachment is not None
        can = acts(message)
        found: list[Spot] = []
        first = _first(can)
        if first is not None:
            found.append(Spot(first, _round(place)))
        if Act.CANCEL in can:
            found.append(Spot(Act.CANCEL, _cross(place)))
        if not _has_bar_while_here(message):
            left = _text(place, 2).left()
            for act in _LINKS.get(attachment.state, ()):
                if act in can:
                    width = self._brushes.link_metrics.horizontalAdvance(label(act)) + 1
                    found.append(Spot(act, QRectF(left, _text(place, 2).top(), width, _LINE)))
                    left += width + _BETWEEN_LINKS
        return found

    def paint(self, painter: QPainter, place: QRectF, message: MessageView, pointer: Pointer | None) -> None:
        """Draw it."""
        attachment = message.attachment
        assert attachment is not None
        hovered = pointer.act if pointer is not None else None
        first = _first(acts(message))
        self._paint_round(painter, _round(place), attachment, first, is_hovered=first is not None and hovered == first)
        self._brushes.name(painter, _text(place, 0), attachment.name)
        if attachment.state in _SENTENCE:
            self._paint_sentence(painter, place, message)
        else:
            self._paint_figures(painter, _text(place, 1), message)
        if attachment.state in _RUNNING or _has_bar_while_here(message):
            self._paint_bar(painter, _text(place, 2), message)
        for spot in self.spots(message, place):
            if spot.act is Act.CANCEL:
                self._paint_cross(painter, spot.place, is_hovered=hovered is Act.CANCEL)
            elif spot.place.height() == _LINE:
                self._brushes.link(painter, spot.place, label(spot.act), hovered=spot.act is hovered)

    def _paint_round(
        self, painter: QPainter, place: QRectF, attachment: AttachmentView, act: Act | None, *, is_hovered: bool
    ) -> None:
        tokens = self._brushes.theme.tokens
        if act is None:
            self._brushes.round_button(painter, place, "clock", tokens.offline)
            return
        if act is Act.OPEN:
            icon = "file-warning" if attachment.risky else "folder" if attachment.is_folder else "file"
            ground = tokens.warning if attachment.risky else tokens.accent
        else:
            icon, ground = ICONS[act], tokens.danger if act is Act.RETRY else tokens.accent
        if is_hovered and ground == tokens.accent:
            ground = tokens.accent_hover
        self._brushes.round_button(painter, place, icon, ground)

    def _paint_figures(self, painter: QPainter, place: QRectF, message: MessageView) -> None:
        """Draw size, state, speed and time left, as many of them as there is room for."""
        choices = _figures(message)
        metrics = self._brushes.meta_metrics
        fitting = (text for text in choices if metrics.horizontalAdvance(text) <= place.width())
        self._brushes.text(painter, place, next(fitting, choices[-1]), self._brushes.theme.tokens.secondary)

    def _paint_sentence(self, painter: QPainter, place: QRectF, message: MessageView) -> None:
        """Draw a sentence in two lines; beside the second there may be a button."""
        attachment = message.attachment
        assert attachment is not None
        tokens = self._brushes.theme.tokens
        waits = attachment.state is TransferState.WAITING
        room = [_text(place, 1).width(), _text(place, 2).width() - (_CROSS + 4 if waits else 0)]
        lines = self._broken(attachments.state(message), room)
        for number, line in enumerate(lines, start=1):
            at = _text(place, number)
            at.setWidth(room[number - 1])
            self._brushes.text(painter, at, line, tokens.secondary if waits else tokens.text)

    def _broken(self, sentence: str, room: list[float]) -> list[str]:
        """Return a sentence in as many lines as there is room for; the last may still be too long."""
        layout = QTextLayout(sentence, self._brushes.meta_face)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        starts: list[int] = []
        layout.beginLayout()
        for width in room:
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(width)
            starts.append(line.textStart())
        layout.endLayout()
        ends = [*starts[1:], utf16_text.units(sentence)]
        return [utf16_text.part(sentence, start, end).strip() for start, end in zip(starts, ends, strict=True)]

    def _paint_bar(self, painter: QPainter, place: QRectF, message: MessageView) -> None:
        attachment = message.attachment
        assert attachment is not None
        tokens = self._brushes.theme.tokens
        done, whole = _progress(message)
        right = _CROSS + 4 if Act.CANCEL in acts(message) else 0
        paused = attachment.state is TransferState.PAUSED
        bar = place.adjusted(0, 0, -right - _PERCENT, 0)
        colour = tokens.secondary if paused else tokens.accent
        self._brushes.bar(painter, bar, attachments.share(done, whole), colour)
        beside = QRectF(bar.right(), place.top(), _PERCENT, place.height())
        painter.setFont(self._brushes.meta_face)
        painter.setPen(QColor(tokens.secondary))
        right_side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(beside, int(right_side), attachments.percent(done, whole))

    def _paint_cross(self, painter: QPainter, place: QRectF, *, is_hovered: bool) -> None:
        if is_hovered:
            self._brushes.hover_ground(painter, place)
        self._brushes.icon(painter, place, "x", self._brushes.theme.tokens.secondary, 14)


def _first(can: tuple[Act, ...]) -> Act | None:
    """Return what the round button does; where there is nothing to do but cancel, it does nothing."""
    return next((act for act in can if act in ICONS or act is Act.OPEN), None) if can[:1] != (Act.CANCEL,) else None


def _is_shared_now(message: MessageView) -> bool:
    """Tell whether others are taking our file at the moment."""
    attachment = message.attachment
    return (
        attachment is not None
        and message.mine
        and attachment.state is TransferState.HERE
        and any(0 < each.done < attachment.size for each in attachment.holders)
    )


def _has_bar_while_here(message: MessageView) -> bool:
    """Tell whether a copy is being made, or others are taking it."""
    return (message.attachment is not None and message.attachment.saving is not None) or _is_shared_now(message)


def _progress(message: MessageView) -> tuple[int, int]:
    """Return how many bytes of how many: of a copy, with those who take it from us, or here."""
    attachment = message.attachment
    assert attachment is not None
    if attachment.saving is not None:
        return attachment.saving, attachment.size
    if _is_shared_now(message):
        taking = [each.done for each in attachment.holders if 0 < each.done < attachment.size]
        return sum(taking), len(taking) * attachment.size
    return attachment.done, attachment.size


def _figures(message: MessageView) -> list[str]:
    """Return the second line, from its fullest form to its shortest."""
    attachment = message.attachment
    assert attachment is not None
    parts = [attachments.extent(attachment)]
    is_moving = attachment.state is TransferState.LOADING or _is_shared_now(message)
    if is_moving and attachment.saving is None:
        speed = [attachments.speed(attachment.speed)] if attachment.speed > 0 else []
        left = [attachments.time_left(attachment.seconds_left)] if attachment.seconds_left is not None else []
        forms = [parts + speed + left, parts + left, left or parts]
    else:
        program = [attachments.program()] if attachment.risky else []
        state = [attachments.state(message)] if attachments.state(message) else []
        forms = [parts + program + state, parts + (program or state)]
    return [" · ".join(form) for form in forms]


def _round(place: QRectF) -> QRectF:
    return QRectF(place.left(), place.top() + (_HEIGHT - ROUND) / 2, ROUND, ROUND)


def _text(place: QRectF, line: int) -> QRectF:
    """Return where one of the three lines is."""
    left = place.left() + ROUND + _GAP
    top = place.top() + (0 if line == 0 else _NAME + (line - 1) * _LINE)
    return QRectF(left, top, place.right() - left, _NAME if line == 0 else _LINE)


def _cross(place: QRectF) -> QRectF:
    line = _text(place, 2)
    return QRectF(QPointF(line.right() - _CROSS + 3, line.center().y() - _CROSS / 2), QSizeF(_CROSS, _CROSS))
