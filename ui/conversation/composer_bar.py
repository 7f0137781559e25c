"""The bar above the input that says which message is answered or edited."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from peer.views import MessageView
from ui.theme import fonts
from ui.theme.controls import ElidedText, IconButton, Theme
from ui.translations import message_words, people

_ICON = 20


class ComposerBar(QWidget):
    """Hidden while a new message is written that answers none."""

    cancelled = Signal()
    clicked = Signal()
    """Somebody wants to see that message."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("conversation.bar")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._icons = {name: QLabel() for name in ("reply", "pencil")}
        for name, icon in self._icons.items():
            icon.setFixedSize(QSize(_ICON, _ICON))
            theme.put_picture(icon, name, _ICON, "accent")
        self._title = ElidedText(role="accent", face=fonts.bold(fonts.CAPTION))
        self._title.setObjectName("conversation.bar.title")
        self._line = ElidedText(role="secondary", face=fonts.font(fonts.CAPTION))
        self._line.setObjectName("conversation.bar.line")
        cancel = IconButton(theme, "x", self.tr("Cancel (Esc)"), name="conversation.bar.cancel", size=18, area=32)
        cancel.clicked.connect(self.cancelled)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._title)
        words.addWidget(self._line)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 0, 0)
        layout.setSpacing(12)
        for icon in self._icons.values():
            layout.addWidget(icon)
        layout.addLayout(words, 1)
        layout.addWidget(cancel)
        self.hide()

    def show_answered(self, message: MessageView) -> None:
        """Say whom the next text answers."""
        to_me = self.tr("Reply to yourself")
        name = people.short_name(message.author_name)
        self._show("reply", to_me if message.mine else self.tr("Reply to %1").replace("%1", name), message)

    def show_edited(self, message: MessageView) -> None:
        """Say which message is being changed."""
        self._show("pencil", self.tr("Edit message"), message)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Show the message."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    def _show(self, icon: str, title: str, message: MessageView) -> None:
        for name, label in self._icons.items():
            label.setVisible(name == icon)
        self._title.set_whole(title)
        self._line.set_whole(message_words.quote_line(message_words.quote_of(message)))
        self.setAccessibleName(f"{title}: {self._line.whole()}")
        self.show()
