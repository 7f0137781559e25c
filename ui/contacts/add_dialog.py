"""Adding somebody by their ID, with a few words about who is asking."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from peer.errors import RefusalCode
from peer.views import ContactView
from ui.contacts.actions import ContactActions
from ui.login.form_field import FormField
from ui.theme.controls import PushButton
from ui.theme.dialogs import CardDialog
from ui.translations.refusals import refusal_text

_LONGEST_NOTE = 280
_WIDTH = 400


class AddContactDialog(CardDialog):
    """Asks for an ID; what is wrong with it stands below it."""

    asked = Signal(object)
    """The contact that was asked."""

    def __init__(self, actions: ContactActions, parent: QWidget) -> None:
        super().__init__(parent, name="add_contact")
        self._actions = actions
        self._user = FormField(self.tr("ID"), name="add_contact.user")
        self._user.input.setPlaceholderText(self.tr("for example li.wei"))
        self._note = FormField(self.tr("Note (optional)"), name="add_contact.note")
        self._note.input.setPlaceholderText(self.tr("Say who you are"))
        self._note.input.setMaxLength(_LONGEST_NOTE)
        self._submit = PushButton(self.tr("Send request"), name="add_contact.submit", kind="primary")
        cancel = PushButton(self.tr("Cancel"), name="add_contact.cancel")
        self._submit.clicked.connect(self._ask)
        cancel.clicked.connect(self.reject)
        for field in (self._user, self._note):
            field.submitted.connect(self._ask)
        hint = self.tr(
            "Ask your friend for their ID; yours is in the menu of your picture. They get a request to accept."
        )
        self.begin(self.tr("Add a contact"), hint)
        self.content.addWidget(self._user)
        self.content.addWidget(self._note)
        self.end(cancel, self._submit)
        self._user.error_changed.connect(self.fit)
        self._user.setFocus()

    def _ask(self) -> None:
        if not self._submit.isEnabled():
            return
        if not self._user.text().strip():
            self._user.show_error(self.tr("Type the ID of the person you want to add."))
            return
        self._user.clear_error()
        self._set_busy(busy=True)
        self._actions.ask(self._user.text().strip(), self._note.text().strip(), self._done, self._refused, owner=self)

    def _done(self, contact: ContactView) -> None:
        self.asked.emit(contact)
        self.accept()

    def _refused(self, code: RefusalCode, message: str) -> None:
        self._set_busy(busy=False)
        self._user.show_error(refusal_text(code, message))

    def _set_busy(self, *, busy: bool) -> None:
        self._submit.setText(self.tr("Sending…") if busy else self.tr("Send request"))
        for widget in (self._submit, self._user, self._note):
            widget.setEnabled(not busy)
