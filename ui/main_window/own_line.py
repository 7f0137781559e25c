"""The head of the sidebar: who I am, whether I am online, and the ways to people."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont, QIcon, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from peer.views import SessionView
from ui.theme import fonts
from ui.theme.avatars import avatar_pixmap
from ui.theme.controls import ElidedText, IconButton, MenuButton, Theme
from ui.theme.tokens import HEADER_HEIGHT

_AVATAR = 36


class OwnLine(QWidget):
    """Own picture (with a small menu), name and presence, add contact, new group, requests."""

    add_contact = Signal()
    new_group = Signal()
    show_requests = Signal()

    def __init__(self, theme: Theme, menu: QMenu) -> None:
        """`menu` opens from the own picture."""
        super().__init__()
        self._theme = theme
        self._session: SessionView | None = None
        self.setFixedHeight(HEADER_HEIGHT)
        self._me = MenuButton()
        self._me.setObjectName("main.me")
        self._me.setFixedSize(_AVATAR + 8, _AVATAR + 8)
        self._me.setIconSize(QSize(_AVATAR, _AVATAR))
        self._me.setPopupMode(MenuButton.ToolButtonPopupMode.InstantPopup)
        self._me.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._me.setCursor(Qt.CursorShape.PointingHandCursor)
        self._me.setToolTip(self.tr("You: your ID, appearance, password, log out"))
        self._me.setMenu(menu)
        theme.dress(self, OwnLine._draw)
        self._name = ElidedText(face=fonts.bold())
        self._name.setObjectName("main.name")
        self._presence = ElidedText(role="secondary", face=fonts.font(fonts.SMALL))
        self._presence.setObjectName("main.presence")
        add = IconButton(theme, "user-plus", self.tr("Add a contact by ID"), name="main.add_contact")
        add.clicked.connect(self.add_contact)
        group = IconButton(theme, "users", self.tr("New group"), name="main.new_group")
        group.clicked.connect(self.new_group)
        self._requests = RequestsButton(theme)
        self._requests.clicked.connect(self.show_requests)
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addStretch()
        names.addWidget(self._name)
        names.addWidget(self._presence)
        names.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 0, 10, 0)
        layout.setSpacing(6)
        layout.addWidget(self._me)
        layout.addLayout(names, 1)
        layout.addWidget(add)
        layout.addWidget(group)
        layout.addWidget(self._requests)

    def show_session(self, session: SessionView | None) -> None:
        """Show who is signed in, and whether others can see it."""
        self._session = session
        if session is None:
            return
        self._draw()
        self._me.setAccessibleName(self.tr("You, %1").replace("%1", session.name))
        self._name.set_whole(session.name)
        self._presence.set_whole((self.tr("online") if session.is_seen else self.tr("offline")) + " · " + session.user)

    def _draw(self) -> None:
        session = self._session
        if session is None:
            return
        scale, tokens = self.devicePixelRatioF(), self._theme.tokens
        picture = avatar_pixmap(session.user, session.name, _AVATAR, scale, tokens, tokens.side, online=session.is_seen)
        self._me.setIcon(QIcon(picture))

    def show_requests_count(self, count: int) -> None:
        """Say how many wait for an answer."""
        self._requests.show_count(count)


class RequestsButton(IconButton):
    """Opens the requests; wears their number."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "inbox", "", name="main.requests")
        self._theme = theme
        self._count = 0
        self.show_count(0)

    def show_count(self, count: int) -> None:
        """Wear another number."""
        self._count = count
        self.set_label(self.tr("Contact requests, %n waiting", "", count) if count else self.tr("Contact requests"))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the number over the corner."""
        super().paintEvent(event)
        if not self._count:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(fonts.font(10, QFont.Weight.Bold))
        text = str(min(self._count, 99))
        width = max(16, painter.fontMetrics().horizontalAdvance(text) + 8)
        place = self.rect().adjusted(self.width() - width, 0, 0, 16 - self.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.tokens.danger)
        painter.drawRoundedRect(place, 8, 8)
        painter.setPen(self._theme.tokens.on_accent)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
        painter.end()
