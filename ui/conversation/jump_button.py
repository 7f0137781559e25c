"""The buttons over the list of messages that lead to its end, and up to what was not read yet."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QAbstractScrollArea, QToolButton

from ui.theme import fonts
from ui.theme.controls import Theme

_HEIGHT = 36
_MARGIN = 16


class JumpButton(QToolButton):
    """Lies over a right corner of a list, and says how many messages are that way; hidden while there is no need."""

    def __init__(
        self, theme: Theme, over: QAbstractScrollArea, *, name: str, icon: str, hint: str, at_top: bool = False
    ) -> None:
        super().__init__(over)
        self._over = over
        self._hint = hint
        self._at_top = at_top
        self.setObjectName(name)
        self.setProperty("kind", "jump")
        self.setFont(fonts.bold(fonts.CAPTION))
        theme.put_icon(self, icon, 18, "accent")
        self.setIconSize(QSize(18, 18))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.show_count(-1)
        over.viewport().installEventFilter(self)

    def show_count(self, count: int) -> None:
        """Say how many new messages are that way; -1 hides the button."""
        if self.isVisible() == (count >= 0) and self.property("count") == count:
            return
        self.setProperty("count", count)
        with_count = count > 0
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if with_count else Qt.ToolButtonStyle.ToolButtonIconOnly
        self.setToolButtonStyle(style)
        label = self.tr("%n new", "", count) if with_count else ""
        self.setText(label)
        self.setToolTip(self._hint)
        self.setAccessibleName(f"{self._hint}, {label}" if label else self._hint)
        width = self.sizeHint().width() + 6 if with_count else _HEIGHT
        self.setFixedSize(max(width, _HEIGHT), _HEIGHT)
        self._place()
        self.setVisible(count >= 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner when the list changes its size."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        room = self._over.viewport().geometry()
        top = room.top() + _MARGIN if self._at_top else room.bottom() - self.height() - _MARGIN
        self.move(room.right() - self.width() - _MARGIN, top)
