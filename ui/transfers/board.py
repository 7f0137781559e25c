"""Who has how much of an attachment of ours: a list that pops up at the line "3 of 5 have it"."""

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from peer.views import HolderView, MessageView
from ui.theme import fonts
from ui.theme.controls import Avatar, ElidedText, Text, Theme
from ui.transfers.blocks import Brushes
from ui.translations import attachments, people

_WIDTH = 280
_MOST_HEIGHT = 320
_AVATAR = 32
_SHARE_WIDTH = 48


class Board(QFrame):
    """Closes, and is gone, at a click elsewhere or Esc."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("transfers.board")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("role", "popup")
        self._theme = theme
        self._title = Text(face=fonts.bold(fonts.CAPTION), role="secondary")
        inside = QWidget()
        inside.setProperty("role", "clear")
        self._rows = QVBoxLayout(inside)
        self._rows.setContentsMargins(0, 0, 4, 0)
        self._rows.setSpacing(10)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 12, 14)
        layout.setSpacing(10)
        layout.addWidget(self._title)
        layout.addWidget(self._area)
        self.setFixedWidth(_WIDTH)

    def show_holders(self, message: MessageView) -> None:
        """List who has it: those with most of it first."""
        attachment = message.attachment
        assert attachment is not None
        have = sum(each.done >= attachment.size for each in attachment.holders)
        title = self.tr("%1 of %2 have it")
        self._title.setText(title.replace("%1", str(have)).replace("%2", str(len(attachment.holders))))
        for view in sorted(attachment.holders, key=lambda each: (-each.done, each.name.casefold())):
            self._rows.addWidget(_HolderRow(self._theme, view, attachment.size))
        self._rows.addStretch()
        height = min(_MOST_HEIGHT, len(attachment.holders) * (_AVATAR + 10))
        self._area.setFixedHeight(height)
        self.adjustSize()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close at Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def popup(self, place: QPoint) -> None:
        """Open above a point, on the screen."""
        screen = QGuiApplication.screenAt(place) or QGuiApplication.primaryScreen()
        room = screen.availableGeometry()
        frame = QRect(place - QPoint(24, self.height() + 8), self.size())
        frame.moveLeft(max(room.left(), min(frame.left(), room.right() - frame.width())))
        frame.moveTop(frame.top() if frame.top() >= room.top() else place.y() + 8)
        self.move(frame.topLeft())
        self.show()


class _HolderRow(QWidget):
    """Picture, name, and how much they have."""

    def __init__(self, theme: Theme, view: HolderView, whole: int) -> None:
        super().__init__()
        name = people.short_name(view.name)
        avatar = Avatar(theme, _AVATAR, "card")
        avatar.show_person(view.user, name)
        has_all = view.done >= whole
        share = Text(attachments.percent(view.done, whole), role="secondary", face=fonts.font(fonts.SMALL))
        share.setFixedWidth(_SHARE_WIDTH)
        share.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if has_all:
            share.set_role("online")
        names = QVBoxLayout()
        names.setSpacing(2)
        names.addStretch()
        names.addWidget(ElidedText(name))
        if not has_all:
            names.addWidget(_Bar(theme, attachments.share(view.done, whole)))
        names.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(avatar)
        layout.addLayout(names, 1)
        layout.addWidget(share)
        self.setAccessibleName(attachments.holder(view, whole))
        self.setFixedHeight(_AVATAR)


class _Bar(QWidget):
    """A bar of progress."""

    def __init__(self, theme: Theme, share: float) -> None:
        super().__init__()
        self._brushes = Brushes(theme)
        self._share = share
        self.setFixedHeight(6)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._brushes.bar(painter, QRectF(self.rect()), self._share, self._brushes.theme.tokens.accent)
        painter.end()
