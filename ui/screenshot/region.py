"""The region of the desktop that is being chosen, in logical pixels: shared by the overlays of all monitors."""

from PySide6.QtCore import QObject, QPoint, QRect, Signal

_FIRST_PART = 0.5
"""Who has no mouse begins with so much of a screen's width and height, in its middle."""


class Region(QObject):
    """A rectangle within the desktop; empty until something is chosen."""

    changed = Signal()

    def __init__(self, desktop: QRect) -> None:
        super().__init__()
        self._desktop = desktop
        self._rect = QRect()
        self._from: QPoint | None = None

    @property
    def rect(self) -> QRect:
        """What is chosen."""
        return self._rect

    @property
    def is_dragged(self) -> bool:
        """Whether the mouse is drawing it now."""
        return self._from is not None

    def begin(self, at: QPoint) -> None:
        """Draw a new one, from a corner."""
        self._from = at
        self._set(QRect())

    def drag(self, to: QPoint) -> None:
        """Draw it to the opposite corner."""
        if self._from is not None:
            xs, ys = sorted((self._from.x(), to.x())), sorted((self._from.y(), to.y()))
            # Both corners belong to it; a click alone is no region.
            corners = QPoint(xs[0], ys[0]), QPoint(xs[1], ys[1])
            self._set(QRect(*corners) if self._from != to else QRect())

    def end(self) -> None:
        """Leave it as it is drawn."""
        self._from = None
        self.changed.emit()

    def clear(self) -> None:
        """Choose nothing."""
        self._from = None
        self._set(QRect())

    def choose(self, rect: QRect) -> None:
        """Choose this, such as a whole screen."""
        self._from = None
        self._set(rect)

    def choose_all(self) -> None:
        """Choose every monitor."""
        self.choose(self._desktop)

    def begin_within(self, screen: QRect) -> None:
        """Choose the middle of a screen, for the keys to go on from."""
        size = screen.size() * _FIRST_PART
        rect = QRect(QPoint(), size)
        rect.moveCenter(screen.center())
        self._set(rect)

    def move(self, step: QPoint) -> None:
        """Move it, as far as the desktop goes."""
        moved = self._rect.translated(step)
        moved.moveLeft(max(self._desktop.left(), min(moved.left(), self._desktop.right() + 1 - moved.width())))
        moved.moveTop(max(self._desktop.top(), min(moved.top(), self._desktop.bottom() + 1 - moved.height())))
        self._set(moved)

    def grow(self, step: QPoint) -> None:
        """Move its right lower corner."""
        rect = QRect(self._rect)
        rect.setWidth(max(1, rect.width() + step.x()))
        rect.setHeight(max(1, rect.height() + step.y()))
        self._set(rect)

    def _set(self, rect: QRect) -> None:
        self._rect = rect & self._desktop if not rect.isEmpty() else QRect()
        self.changed.emit()
