"""A notice at the foot of the sidebar that stays as long as it is true: offline, or signed in elsewhere."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from peer.views import SessionView
from ui.theme import fonts
from ui.theme.controls import PushButton, Text, Theme


class ConnectionBanner(QWidget):
    """Says how it stands with the locator, when it does not stand well."""

    use_here = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("main.banner")
        ground = QWidget()
        ground.setProperty("role", "banner")
        ground.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._icon = QLabel()
        self._text = Text(face=fonts.font(fonts.CAPTION), wrap=True)
        self._text.setObjectName("main.banner.text")
        self._button = PushButton(self.tr("Use here"), name="main.use_here")
        self._button.clicked.connect(self.use_here)
        words = QHBoxLayout()
        words.setSpacing(10)
        words.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        words.addWidget(self._text, 1)
        inside = QVBoxLayout(ground)
        inside.setContentsMargins(12, 10, 12, 10)
        inside.setSpacing(8)
        inside.addLayout(words)
        inside.addWidget(self._button, 0, Qt.AlignmentFlag.AlignRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 4, 10, 10)
        layout.addWidget(ground)
        self.hide()

    def show_session(self, session: SessionView | None) -> None:
        """Appear or go."""
        if session is None or (session.connected and not session.superseded):
            self.hide()
            return
        icon = "monitor-smartphone" if session.superseded else "cloud-off"
        self._icon.setPixmap(self._theme.icons.pixmap(icon, self._theme.tokens.warning, 18, self.devicePixelRatioF()))
        if session.superseded:
            self._text.setText(self.tr("You signed in on another device."))
        elif session.must_sign_in:
            self._text.setText(self.tr("The locator does not take this device any more. Log out and sign in again."))
        else:
            self._text.setText(self.tr("Offline: reconnecting. What you write is kept and sent later."))
        self._button.setVisible(session.superseded)
        self.show()
