"""One question before something that cannot be taken back with a click."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from ui.theme.controls import PushButton
from ui.theme.dialogs import CardDialog

_WIDTH = 360


class ConfirmDialog(CardDialog):
    """A sentence, the act, and the way out, which has the focus."""

    def __init__(self, question: str, act: str, parent: QWidget) -> None:
        super().__init__(parent, name="confirm", width=_WIDTH)
        yes = PushButton(act, name="confirm.yes", kind="danger")
        no = PushButton(self.tr("Cancel"), name="confirm.no")
        yes.clicked.connect(self.accept)
        no.clicked.connect(self.reject)
        self.begin(question)
        self.setWindowTitle(act)  # A title bar has no room for the question.
        self.end(yes, no)
        no.setFocus(Qt.FocusReason.OtherFocusReason)
