"""Changing one's password, by choice or because it was given out; what is wrong stands beside its field."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from peer.errors import RefusalCode
from ui.login.form_field import PasswordField
from ui.peer_bridge import PeerBridge
from ui.theme.controls import PushButton, Theme
from ui.theme.dialogs import CardDialog
from ui.translations.refusals import refusal_text


class PasswordDialog(CardDialog):
    """Asks the node to change the password at the locator and of this profile."""

    changed = Signal()

    def __init__(self, theme: Theme, bridge: PeerBridge, parent: QWidget, *, is_wanted: bool = False) -> None:
        """`is_wanted`: by whoever runs the locator, before anything else."""
        super().__init__(parent, name="password")
        self._bridge = bridge
        now = self.tr("The password you were given") if is_wanted else self.tr("Password now")
        self._old = PasswordField(theme, now, name="password.old")
        self._new = PasswordField(theme, self.tr("New password"), name="password.new")
        self._repeat = PasswordField(theme, self.tr("New password again"), name="password.repeat")
        self._submit = PushButton(self.tr("Change password"), name="password.submit", kind="primary")
        cancel = PushButton(self.tr("Later") if is_wanted else self.tr("Cancel"), name="password.cancel")
        self._submit.clicked.connect(self._change)
        cancel.clicked.connect(self.reject)
        if is_wanted:
            why = self.tr(
                "The one you have was given out by whoever runs this locator. Until you choose your own, nobody sees "
                "you here and nothing is sent."
            )
            self.begin(self.tr("Choose your own password"), why)
        else:
            why = self.tr("Every other device of yours has to sign in with the new one.")
            self.begin(self.tr("Change password"), why)
        for field in (self._old, self._new, self._repeat):
            field.submitted.connect(self._change)
            field.error_changed.connect(self.fit)
            self.content.addWidget(field)
        self.end(cancel, self._submit)
        self._old.setFocus()

    def withdraw(self) -> None:
        """Close, because nothing has to be changed any more, unless its own change is on the way."""
        if self._submit.isEnabled():
            self.reject()

    def _change(self) -> None:
        if not self._submit.isEnabled():
            return
        if self._new.text() != self._repeat.text():
            self._repeat.show_error(self.tr("This is not the same password."))
            return
        self._submit.setEnabled(False)
        old, new = self._old.text(), self._new.text()
        self._bridge.ask(self, lambda node: node.change_password(old, new), self._done, self._refused)

    def _done(self, _nothing: None) -> None:
        self.changed.emit()
        self.accept()

    def _refused(self, code: RefusalCode, message: str) -> None:
        self._submit.setEnabled(True)
        if code is RefusalCode.WRONG_PASSWORD:
            self._old.show_error(self.tr("This is not your password now."))
        elif code is RefusalCode.WEAK_PASSWORD and self._new.text() == self._old.text():
            self._new.show_error(self.tr("Choose another one than before."))
        else:
            self._new.show_error(refusal_text(code, message))
