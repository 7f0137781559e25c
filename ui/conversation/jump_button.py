"""The button that leads back to the newest message, and counts what came meanwhile."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QAbstractScrollArea, QToolButton

from ui.theme import fonts
from ui.theme.controls import Theme

_HEIGHT = 36
_MARGIN = 16


class JumpButton(QToolButton):
    """Lies over the lower right corner of a list; hidden while the newest message is in sight."""

    def __init__(self, theme: Theme, over: QAbstractScrollArea) -> None:
        super().__init__(over)
        self._over = over
        self.setObjectName("conversation.jump")
        self.setProperty("kind", "jump")
        self.setFont(fonts.bold(fonts.CAPTION))
        theme.put_icon(self, "arrow-down", 18, "accent")
        self.setIconSize(QSize(18, 18))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.show_missed(-1)
        over.viewport().installEventFilter(self)

    def show_missed(self, missed: int) -> None:
        """Say how many messages came below; -1 hides the button."""
        if self.isVisible() == (missed >= 0) and self.property("missed") == missed:
            return
        self.setProperty("missed", missed)
        with_count = missed > 0
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if with_count else Qt.ToolButtonStyle.ToolButtonIconOnly
        self.setToolButtonStyle(style)
        label = self.tr("%n new", "", missed) if with_count else ""
        self.setText(label)
        self.setToolTip(self.tr("Go to the newest message"))
        self.setAccessibleName(f"{self.toolTip()}, {label}" if label else self.toolTip())
        width = self.sizeHint().width() + 6 if with_count else _HEIGHT
        self.setFixedSize(max(width, _HEIGHT), _HEIGHT)
        self._place()
        self.setVisible(missed >= 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner when the list changes its size."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        room = self._over.viewport().geometry()
        self.move(room.right() - self.width() - _MARGIN, room.bottom() - self.height() - _MARGIN)
