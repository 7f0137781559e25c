"""Somebody in a call: picture, name, how it stands with them; a ring while they speak, a mark when they are muted."""

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from ui.calls.level_bar import LOUDEST
from ui.calls.quality_bars import paint_bars
from ui.calls.quality_bars import size as bars_size
from ui.theme import fonts
from ui.theme.avatars import paint_avatar
from ui.theme.controls import Theme

LARGEST, SMALLEST = 128, 40
_RING, _RING_GAP, _LOUDER = 3.0, 4.0, 6.0
"""Pixels: how thick the ring is, how far from the picture, and how much farther for the loudest voice."""
_AROUND = round(_RING + _RING_GAP + _LOUDER)
LARGEST_TILE = LARGEST + 2 * _AROUND
"""The room of a picture without words."""
_STEP = 24
"""Differences of loudness that nobody sees draw nothing."""
_NAME_HIGH, _WORDS_HIGH = 22, 18
_MARK = 0.3
"""The mark's size, as a share of the picture's."""
_FADED = 0.45


class PersonTile(QAbstractButton):
    """A click, Enter, the menu key or a right click ask for what can be done about this person."""

    menu_wanted = Signal()

    def __init__(self, theme: Theme, *, name: str, has_name: bool) -> None:
        """`has_name` False: name and words stand elsewhere."""
        super().__init__()
        self._theme = theme
        self._has_name = has_name
        self._who = ("", "")
        self._is_group = False
        self._called = ""
        self._words = ""
        self._mark = ""
        """An icon."""
        self._is_faded = False
        self._bars = 0
        self._level, self._speaks = 0, False
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(self.menu_wanted)

    def show_person(
        self,
        user: str,
        name: str,
        words: str,
        *,
        called: str = "",
        mark: str = "",
        is_faded: bool = False,
        is_group: bool = False,
    ) -> None:
        """Show who it is and how it stands with them; `called` stands instead of the name, `mark` is an icon."""
        self._who, self._called, self._words, self._mark = (user, name), called or name, words, mark
        self._is_faded, self._is_group = is_faded, is_group
        if is_faded or mark:
            self._level, self._speaks = 0, False
        self._tell()
        self.update()

    def show_quality(self, bars: int, figures: str) -> None:
        """Show how well they get through, and the figures to who asks."""
        self.setToolTip(figures)
        if bars != self._bars:
            self._bars = bars
            self.update()

    def show_level(self, level: int, *, speaks: bool) -> None:
        """Ring them while they speak."""
        was, self._speaks = self._speaks, speaks
        shown = level // _STEP * _STEP if speaks else 0
        if shown != self._level or speaks != was:
            self._level = shown
            self.update()
        if speaks != was:
            self._tell()

    @property
    def speaks(self) -> bool:
        """Whether they are ringed."""
        return self._speaks

    @property
    def mark(self) -> str:
        """The icon of the mark; empty for none."""
        return self._mark

    @property
    def words(self) -> str:
        """How it stands with them."""
        return self._words

    def may_be_clicked(self, *, allowed: bool) -> None:
        """Have something to do about them, or nothing."""
        self.setCursor(Qt.CursorShape.PointingHandCursor if allowed else Qt.CursorShape.ArrowCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if allowed else Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not allowed)

    def sizeHint(self) -> QSize:
        """Wish for the largest picture."""
        return self._room(LARGEST)

    def minimumSizeHint(self) -> QSize:
        """Need the smallest."""
        return self._room(SMALLEST)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """A right click, or the menu key."""
        event.accept()
        self.menu_wanted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter is a click, too."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ring, the picture, the mark and the words."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        picture = self._picture_place()
        painter.setOpacity(_FADED if self._is_faded else 1.0)
        user, name = self._who
        paint_avatar(painter, picture, user, name, is_group=self._is_group)
        painter.setOpacity(1.0)
        self._paint_ring(painter, picture)
        if self._mark:
            self._paint_mark(painter, picture)
        if self._has_name:
            self._paint_words(painter, picture)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.tokens.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 10, 10)
        painter.end()

    # --- inside --------------------------------------------------------------------------------

    def _tell(self) -> None:
        """Be called what is seen."""
        speaks = self.tr("speaks") if self._speaks else ""
        self.setAccessibleName(", ".join(filter(None, (self._called, self._words or speaks))))

    def _room(self, picture: int) -> QSize:
        words = _NAME_HIGH + _WORDS_HIGH if self._has_name else 0
        return QSize(picture + 2 * _AROUND, picture + 2 * _AROUND + words)

    def _picture_place(self) -> QRectF:
        words = _NAME_HIGH + _WORDS_HIGH if self._has_name else 0
        room = min(self.width(), self.height() - words) - 2 * _AROUND
        side = max(SMALLEST, min(LARGEST, room))
        top = (self.height() - words - side) / 2
        return QRectF(round((self.width() - side) / 2), round(top), side, side)

    def _paint_ring(self, painter: QPainter, picture: QRectF) -> None:
        if not self._speaks:
            return
        away = _RING_GAP + _LOUDER * self._level / LOUDEST
        painter.setPen(QPen(QColor(self._theme.tokens.ok), _RING))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        ring = picture.adjusted(-away, -away, away, away)
        corner = ring.width() * (0.27 if self._is_group else 0.5)
        painter.drawRoundedRect(ring, corner, corner)

    def _paint_mark(self, painter: QPainter, picture: QRectF) -> None:
        tokens = self._theme.tokens
        side = max(22, round(_MARK * picture.width()))
        place = QRectF(picture.right() - side + 2, picture.bottom() - side + 2, side, side)
        painter.setPen(QPen(QColor(tokens.window), 2))
        painter.setBrush(QColor(tokens.hang_up))
        painter.drawEllipse(place)
        icon = side * 3 // 5
        scale = self.devicePixelRatioF()
        sign = self._theme.icons.pixmap(self._mark, tokens.on_call, icon, scale)
        painter.drawPixmap(place.center() - QPointF(icon / 2, icon / 2), sign)

    def _paint_words(self, painter: QPainter, picture: QRectF) -> None:
        tokens = self._theme.tokens
        top = round(picture.bottom()) + _AROUND
        name_place = QRect(4, top, self.width() - 8, _NAME_HIGH)
        painter.setFont(fonts.bold())
        painter.setPen(QColor(tokens.text))
        bars = bars_size()
        beside = bars.width() + 8 if self._bars else 0
        name = painter.fontMetrics().elidedText(
            self._called, Qt.TextElideMode.ElideRight, max(0, name_place.width() - beside)
        )
        painter.drawText(name_place, Qt.AlignmentFlag.AlignCenter, name)
        if self._bars:
            right = name_place.center().x() + painter.fontMetrics().horizontalAdvance(name) // 2
            corner = QPoint(right + 8, name_place.center().y() - bars.height() // 2)
            paint_bars(painter, QRectF(corner, bars), self._theme, self._bars)
        painter.setFont(fonts.font(fonts.SMALL))
        painter.setPen(QColor(tokens.secondary))
        words_place = QRect(4, top + _NAME_HIGH, self.width() - 8, _WORDS_HIGH)
        words = painter.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideRight, words_place.width())
        painter.drawText(words_place, Qt.AlignmentFlag.AlignCenter, words)


def best_columns(count: int, room: QSize, tile: QSize) -> int:
    """Return in how many columns so many tiles are largest; `tile` says how wide and high one would like to be."""

    def scale(columns: int) -> float:
        rows = -(-count // columns)
        return min(1.0, room.width() / columns / tile.width(), room.height() / rows / tile.height())

    # Of equally good ones the squarest: fewest empty places, then fewest columns.
    return max(range(1, count + 1), key=lambda columns: (scale(columns), -(-count % columns), -columns))
