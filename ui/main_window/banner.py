"""A notice at the foot of the sidebar that stays as long as it is true: offline, signed in elsewhere, shut in."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from peer.views import SessionView
from ui.theme import fonts
from ui.theme.controls import PushButton, Text, Theme


class ConnectionBanner(QWidget):
    """Says how it stands with the locator, when it does not stand well."""

    use_here = Signal()
    change_password = Signal()

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
        self._use_here = PushButton(self.tr("Use here"), name="main.use_here")
        self._use_here.clicked.connect(self.use_here)
        self._change = PushButton(self.tr("Choose a password"), name="main.choose_password")
        self._change.clicked.connect(self.change_password)
        words = QHBoxLayout()
        words.setSpacing(10)
        words.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        words.addWidget(self._text, 1)
        inside = QVBoxLayout(ground)
        inside.setContentsMargins(12, 10, 12, 10)
        inside.setSpacing(8)
        inside.addLayout(words)
        for button in (self._use_here, self._change):
            inside.addWidget(button, 0, Qt.AlignmentFlag.AlignRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 4, 10, 10)
        layout.addWidget(ground)
        self.hide()

    def show_session(self, session: SessionView | None) -> None:
        """Appear or go."""
        if session is None or session.is_seen:
            self.hide()
            return
        icon, sentence = self._trouble(session)
        self._icon.setPixmap(self._theme.icons.pixmap(icon, self._theme.tokens.warning, 18, self.devicePixelRatioF()))
        self._text.setText(sentence)
        self._use_here.setVisible(session.superseded)
        self._change.setVisible(session.connected and session.must_change_password)
        self.show()

    def _trouble(self, session: SessionView) -> tuple[str, str]:
        """Return an icon and a sentence."""
        if session.superseded:
            return "monitor-smartphone", self.tr("You signed in on another device.")
        if session.must_sign_in:
            return "cloud-off", self.tr("The locator does not take this device any more. Log out and sign in again.")
        if not session.connected:
            return "cloud-off", self.tr("Offline: reconnecting. What you write is kept and sent later.")
        return "key-round", self.tr(
            "Choose your own password first: until then nobody sees you. What you write is kept and sent then."
        )
