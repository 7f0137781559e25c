"""The link of the locator hosted on this computer, to be handed out."""

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.login.hosting import LocatorHost
from ui.theme import fonts
from ui.theme.controls import ElidedText, IconButton, Text, Theme


class ShareLine(QWidget):
    """The link of the locator hosted here, to be handed out."""

    def __init__(self, theme: Theme, host: LocatorHost, introduction: str) -> None:
        super().__init__()
        self._introduction = introduction
        self._host = host
        self._words = Text(role="secondary", face=fonts.font(fonts.SMALL), wrap=True)
        self._link = ElidedText(face=fonts.font(fonts.CAPTION))
        self._link.setObjectName("locator.link")
        self.copy = IconButton(theme, "copy", self.tr("Copy the link"), name="locator.copy", size=16, area=32)
        self.copy.clicked.connect(self._copy)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self._link, 1)
        row.addWidget(self.copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._words)
        layout.addLayout(row)
        host.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        self._words.setText(self._introduction)
        self._link.set_whole(self._host.link)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._host.link)
        self._words.setText(self.tr("Copied. Hand it to your friends."))
