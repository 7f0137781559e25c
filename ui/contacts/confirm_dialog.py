"""One question before something that cannot be taken back with a click."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from ui.theme.controls import PushButton
from ui.theme.dialogs import CardDialog

_WIDTH = 360


class ConfirmDialog(CardDialog):
    """A question, perhaps a sentence about it, the act, and the way out, which has the focus."""

    def __init__(self, question: str, act: str, parent: QWidget, *, about: str = "", kind: str = "danger") -> None:
        super().__init__(parent, name="confirm", width=_WIDTH)
        self.setFixedWidth(self.minimumWidth())  # A long question would like to be wider than a small window.
        yes = PushButton(act, name="confirm.yes", kind=kind)
        no = PushButton(self.tr("Cancel"), name="confirm.no")
        yes.clicked.connect(self.accept)
        no.clicked.connect(self.reject)
        self.begin(question, about)
        self.setWindowTitle(act)  # A title bar has no room for the question.
        self.end(yes, no)
        self.fit()
        no.setFocus(Qt.FocusReason.OtherFocusReason)
