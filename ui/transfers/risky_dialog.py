"""Asks before something that was received is run: a program does what it likes."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from peer.views import AttachmentView
from ui.theme import fonts
from ui.theme.controls import PushButton, Text, Theme
from ui.theme.dialogs import CardDialog

_WIDTH = 420
_ICON = 24


class RiskyDialog(CardDialog):
    """Shows the whole name, because its end may be hidden elsewhere; the way out has the focus."""

    def __init__(self, theme: Theme, attachment: AttachmentView, parent: QWidget) -> None:
        super().__init__(parent, name="risky", width=_WIDTH)
        self.begin(
            self.tr("Open this program?"),
            self.tr("It can change or send away anything on this computer. Open it only if you expected it."),
        )
        picture = QLabel()
        theme.put_picture(picture, "triangle-alert", _ICON, colour="warning")
        name = Text(breakable(attachment.name), face=fonts.bold(), wrap=True)
        name.setObjectName("risky.name")
        name.setAccessibleName(attachment.name)
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(name, 1)
        self.content.addLayout(line)
        yes = PushButton(self.tr("Open anyway"), name="risky.yes", kind="danger")
        no = PushButton(self.tr("Cancel"), name="risky.no")
        yes.clicked.connect(self.accept)
        no.clicked.connect(self.reject)
        self.end(yes, no)
        no.setFocus(Qt.FocusReason.OtherFocusReason)


def breakable(name: str) -> str:
    """Return a name that a label can break anywhere: a long one has no spaces."""
    return "\u200b".join(name)
