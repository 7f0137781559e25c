"""Turns what the mouse does over the messages into a selection: drag, double and triple click, Shift and click."""

from collections.abc import Callable
from enum import Enum, auto

from PySide6.QtCore import QObject, QPoint, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from ui.conversation.hits import Hit
from ui.conversation.text_selection import Span, TextSelection

_SCROLL_MS = 30
_FASTEST = 60
"""Pixels by which the list moves at once while somebody drags beyond its edge."""


class _Step(Enum):
    """By what a selection grows while the mouse is dragged."""

    CHARACTER = auto()
    WORD = auto()
    MESSAGE = auto()


class SelectionGestures(QObject):
    """Knows no widget: it is told of points, and asks what is under them."""

    changed = Signal()
    clicked = Signal(object)
    """The `Hit` on which the mouse was pressed and let go, without selecting anything."""

    def __init__(
        self,
        selection: TextSelection,
        hit: Callable[[QPoint], Hit | None],
        scroll: Callable[[int], None],
        room: Callable[[], int],
        parent: QObject,
    ) -> None:
        """`hit` returns what is nearest to a point, `scroll` moves the list, `room` returns its height."""
        super().__init__(parent)
        self._selection = selection
        self._hit = hit
        self._scroll = scroll
        self._room = room
        self._step = _Step.CHARACTER
        self._pressed: Hit | None = None
        self._point = QPoint()
        self._doubled_at: tuple[int, QPoint] | None = None
        self._scroll_timer = QTimer(self, interval=_SCROLL_MS)
        self._scroll_timer.timeout.connect(self._scroll_on)

    @property
    def is_dragging(self) -> bool:
        """Whether the mouse is held down."""
        return self._pressed is not None

    def press(self, point: QPoint, when: int, *, extends: bool) -> None:
        """The left button goes down, at a time in milliseconds; soon after a double click it is a triple one."""
        hit = self._pressed = self._hit(point)
        self._point = point
        if hit is None:
            self._selection.clear()
        elif extends and self._selection.has_begun:
            self._step = _Step.CHARACTER
            self._selection.extend(self._span(hit))
        else:
            self._step = _Step.MESSAGE if self._is_third(point, when) else _Step.CHARACTER
            self._selection.begin(self._span(hit))
        self._doubled_at = None
        self.changed.emit()

    def double_press(self, point: QPoint, when: int) -> None:
        """The second press of a double click: select the word."""
        hit = self._pressed = self._hit(point)
        self._point = point
        self._step = _Step.WORD
        self._doubled_at = (when, point)
        if hit is not None:
            self._selection.begin(self._span(hit))
        self.changed.emit()

    def drag(self, point: QPoint) -> None:
        """The mouse moves while the button is down."""
        if self._pressed is None:
            return
        self._point = point
        self._extend()
        beyond = point.y() < 0 or point.y() >= self._room()
        if beyond != self._scroll_timer.isActive():
            (self._scroll_timer.start if beyond else self._scroll_timer.stop)()

    def release(self, point: QPoint) -> None:
        """The button goes up."""
        pressed, self._pressed = self._pressed, None
        self._scroll_timer.stop()
        let_go = self._hit(point)
        if pressed is None or let_go is None or self._selection.span is not None:
            return
        if pressed.target == let_go.target:
            self.clicked.emit(let_go)

    def stop(self) -> None:
        """Forget the button: the messages have changed under it."""
        self._pressed = None
        self._scroll_timer.stop()

    def _extend(self) -> None:
        hit = self._hit(self._point)
        if hit is not None:
            self._selection.extend(self._span(hit))
            self.changed.emit()

    def _scroll_on(self) -> None:
        beyond = self._point.y() if self._point.y() < 0 else self._point.y() - self._room() + 1
        self._scroll(max(-_FASTEST, min(beyond, _FASTEST)))
        self._extend()

    def _span(self, hit: Hit) -> Span:
        match self._step:
            case _Step.CHARACTER:
                return Span.within(hit.message, hit.offset, hit.offset)
            case _Step.WORD:
                return Span.within(hit.message, *hit.laid_out.word_at(hit.offset))
            case _Step.MESSAGE:
                return Span.whole(hit.message)

    def _is_third(self, point: QPoint, when: int) -> bool:
        hints = QGuiApplication.styleHints()
        if self._doubled_at is None:
            return False
        then, place = self._doubled_at
        is_near = (point - place).manhattanLength() <= 2 * hints.startDragDistance()
        return is_near and when - then <= hints.mouseDoubleClickInterval()
