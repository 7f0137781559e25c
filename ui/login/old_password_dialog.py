"""The password is right, but this profile is still locked with the former one: unlock it, or begin as a new device."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from ui.login.form_field import PasswordField
from ui.theme import fonts
from ui.theme.controls import PushButton, Text, Theme

_WIDTH = 400


class OldPasswordDialog(QDialog):
    """Asks for the former password, or for leave to set the old profile aside."""

    unlocked = Signal(str)
    """The former password."""
    set_aside = Signal()

    def __init__(self, theme: Theme, sentence: str, parent: QWidget) -> None:
        """`sentence` is what is shown beside the field; empty at the first time."""
        super().__init__(parent)
        self.setObjectName("old_password")
        self.setWindowTitle(self.tr("Former password"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(min(_WIDTH, max(300, parent.width() - 32)))
        self._password = PasswordField(theme, self.tr("Former password"), name="old_password.password")
        self._password.submitted.connect(self._unlock)
        unlock = PushButton(self.tr("Unlock with the former password"), name="old_password.unlock", kind="primary")
        unlock.clicked.connect(self._unlock)
        aside = PushButton(self.tr("I do not know it: begin as a new device"), name="old_password.aside")
        aside.clicked.connect(self._set_aside)
        cancel = PushButton(self.tr("Cancel"), name="old_password.cancel", kind="quiet")
        cancel.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(12)
        layout.addWidget(Text(self.tr("Your password was changed"), face=fonts.bold(fonts.TITLE), wrap=True))
        hint = self.tr("The new one is right, but what is kept on this device is still locked with the one before.")
        layout.addWidget(Text(hint, role="secondary", wrap=True, face=fonts.font(fonts.CAPTION)))
        layout.addWidget(self._password)
        layout.addSpacing(4)
        layout.addWidget(unlock)
        layout.addWidget(aside)
        about = self.tr(
            "As a new device you get contacts and messages back from your friends, once they confirm the device. The "
            "old profile stays on this computer, unopened."
        )
        layout.addWidget(Text(about, role="secondary", wrap=True, face=fonts.font(fonts.CAPTION)))
        layout.addWidget(cancel, 0, Qt.AlignmentFlag.AlignRight)
        if sentence:
            self._password.show_error(sentence)
        self._password.setFocus()

    def _unlock(self) -> None:
        if not self._password.text():
            self._password.show_error(self.tr("Fill this in."))
            return
        self.unlocked.emit(self._password.text())
        self.accept()

    def _set_aside(self) -> None:
        self.set_aside.emit()
        self.accept()
