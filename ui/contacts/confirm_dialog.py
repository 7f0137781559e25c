"""One question before something that cannot be taken back with a click."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from ui.theme import fonts
from ui.theme.controls import PushButton, Text

_WIDTH = 360


class ConfirmDialog(QDialog):
    """A sentence, the act, and the way out, which has the focus."""

    def __init__(self, question: str, act: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("confirm")
        self.setWindowTitle("Hail")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(min(_WIDTH, max(280, parent.width() - 32)))
        yes = PushButton(act, name="confirm.yes", kind="danger")
        no = PushButton(self.tr("Cancel"), name="confirm.no")
        yes.clicked.connect(self.accept)
        no.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch()
        buttons.addWidget(yes)
        buttons.addWidget(no)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(18)
        layout.addWidget(Text(question, face=fonts.bold(), wrap=True))
        layout.addLayout(buttons)
        no.setFocus(Qt.FocusReason.OtherFocusReason)
