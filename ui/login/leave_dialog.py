"""What becomes of the locator hosted here when the window closes."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from ui.theme import fonts
from ui.theme.controls import PushButton, Text

_WIDTH = 360


class LeaveDialog(QDialog):
    """Asks before anybody loses the locator they rely on."""

    stop = Signal()
    keep = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("leave")
        self.setWindowTitle(self.tr("Quit Hail"))
        self.setModal(True)
        self.setFixedWidth(min(_WIDTH, max(300, parent.width() - 32)))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(10)
        layout.addWidget(Text(self.tr("This computer hosts the locator"), face=fonts.bold(fonts.TITLE), wrap=True))
        sentence = self.tr(
            "Without it nobody can sign in, and friends who come back do not find each other. Messages are not lost."
        )
        layout.addWidget(Text(sentence, role="secondary", wrap=True))
        layout.addSpacing(8)
        keep = PushButton(self.tr("Keep hosting in the background"), name="leave.keep", kind="primary")
        stop = PushButton(self.tr("Stop hosting and quit"), name="leave.stop", kind="danger")
        cancel = PushButton(self.tr("Cancel"), name="leave.cancel")
        for button, chosen in ((keep, self.keep), (stop, self.stop), (cancel, self.reject)):
            layout.addWidget(button)
            button.clicked.connect(chosen)
        keep.setFocus()
