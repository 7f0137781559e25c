"""Adding somebody by their ID, with a few words about who is asking."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from peer.errors import RefusalCode
from peer.views import ContactView
from ui.contacts.actions import ContactActions
from ui.login.form_field import FormField
from ui.theme import fonts
from ui.theme.controls import PushButton, Text
from ui.translations.refusals import refusal_text

_LONGEST_NOTE = 280
_WIDTH = 400


class AddContactDialog(QDialog):
    """Asks for an ID; what is wrong with it stands below it."""

    asked = Signal(object)
    """The contact that was asked."""

    def __init__(self, actions: ContactActions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("add_contact")
        self.setWindowTitle(self.tr("Add a contact"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(min(_WIDTH, max(300, parent.width() - 32)))
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
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch()
        buttons.addWidget(cancel)
        buttons.addWidget(self._submit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(14)
        layout.addWidget(Text(self.tr("Add a contact"), face=fonts.bold(fonts.TITLE)))
        hint = self.tr(
            "Ask your friend for their ID; yours is in the menu of your picture. They get a request to accept."
        )
        layout.addWidget(Text(hint, role="secondary", wrap=True, face=fonts.font(fonts.CAPTION)))
        layout.addWidget(self._user)
        layout.addWidget(self._note)
        layout.addSpacing(4)
        layout.addLayout(buttons)
        self._user.error_changed.connect(self._fit)
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

    def _fit(self) -> None:
        """Be as high as the texts are at this width: an error needs a line more."""
        layout = self.layout()
        assert layout is not None
        layout.activate()
        self.resize(self.width(), layout.totalHeightForWidth(self.width()))

    def _set_busy(self, *, busy: bool) -> None:
        self._submit.setText(self.tr("Sending…") if busy else self.tr("Send request"))
        for widget in (self._submit, self._user, self._note):
            widget.setEnabled(not busy)
