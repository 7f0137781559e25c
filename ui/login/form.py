"""What both cards share: fields, a general line, the button, and which error belongs beside which field."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from peer.errors import RefusalCode
from ui.login.form_field import FormField
from ui.theme import fonts
from ui.theme.check_box import CheckBox
from ui.theme.controls import PushButton, Text, Theme
from ui.translations.refusals import refusal_text

USER, NAME, PASSWORD = "user", "name", "password"

_FIELD_OF_CODE: dict[RefusalCode, str] = {
    RefusalCode.BAD_USER_ID: USER,
    RefusalCode.NAME_TAKEN: USER,
    RefusalCode.UNKNOWN_USER: USER,
    RefusalCode.BAD_NAME: NAME,
    RefusalCode.WRONG_PASSWORD: PASSWORD,
    RefusalCode.WEAK_PASSWORD: PASSWORD,
    RefusalCode.VAULT_LOCKED: PASSWORD,
}


class Form(QWidget):
    """Fields under each other, whether to stay signed in, and two buttons: go on, or use the other form."""

    submitted = Signal()
    switched = Signal()

    def __init__(
        self,
        theme: Theme,
        check_first: Callable[[], bool],
        *,
        name: str,
        submit: str,
        busy: str,
        switch: str,
        switch_name: str,
    ) -> None:
        """`check_first` says what is wrong above this form, and tells whether all is well there."""
        super().__init__()
        self._check_first = check_first
        self._submit_text = submit
        self._busy_text = busy
        self._fields: dict[str, FormField] = {}
        self._general = Text(role="error", face=fonts.font(fonts.CAPTION), wrap=True)
        self._general.setObjectName(f"{name}.error")
        self._general.setContentsMargins(0, 0, 0, 12)
        self._general.hide()
        self._submit = PushButton(submit, name=f"{name}.submit", kind="primary")
        self._submit.clicked.connect(self._try_submit)
        self._switch = PushButton(switch, name=switch_name)
        self._switch.clicked.connect(self.switched)
        self.stay = CheckBox(theme, self.tr("Stay signed in on this device"), name=f"{name}.stay")
        self._about_staying = Text(role="secondary", face=fonts.font(fonts.SMALL), wrap=True)
        self._about_staying.setObjectName(f"{name}.about_staying")
        self._about_staying.hide()
        self.stay.toggled.connect(self._about_staying.hide)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(10)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._rows)
        layout.addSpacing(12)
        layout.addWidget(self.stay)
        layout.addWidget(self._about_staying)
        layout.addSpacing(12)
        layout.addWidget(self._general)
        layout.addWidget(self._submit)
        layout.addSpacing(10)
        layout.addWidget(self._switch)

    def add_field(self, key: str, field: FormField) -> FormField:
        """Put a field below the others."""
        self._fields[key] = field
        self._rows.addWidget(field)
        field.submitted.connect(self._try_submit)
        return field

    def tab_order(self) -> list[QWidget]:
        """Return what the Tab key walks through, top down."""
        return [*(field.input for field in self._fields.values()), self.stay, self._submit, self._switch]

    def field(self, key: str) -> FormField:
        """Return a field."""
        return self._fields[key]

    def check(self) -> bool:
        """Say beside each field what is missing, before anybody is asked; tell whether all is there."""
        for field in reversed(self._fields.values()):
            if not field.text().strip():
                field.show_error(self.tr("Fill this in."))
        return not any(field.error() for field in self._fields.values())

    def explain_staying(self, *, is_in_keyring: bool) -> None:
        """Say what staying signed in means where no keyring guards the key."""
        sentence = self.tr("This computer has no keyring: whoever uses it under your name can open Hail, too.")
        self._about_staying.setText(sentence)
        self._about_staying.setVisible(self.stay.isChecked() and not is_in_keyring)

    def focus_first_empty(self) -> None:
        """Put the cursor into the first field that is not filled in."""
        empty = (field for field in self._fields.values() if not field.text())
        next(empty, self._fields[PASSWORD]).setFocus(Qt.FocusReason.OtherFocusReason)

    def set_busy(self, *, busy: bool) -> None:
        """Wait for the answer: nothing can be typed or clicked, and the button says what goes on."""
        self._submit.setText(self._busy_text if busy else self._submit_text)
        for widget in (self.stay, self._submit, self._switch, *self._fields.values()):
            widget.setEnabled(not busy)

    def show_refusal(self, code: RefusalCode, message: str) -> None:
        """Show what was refused beside the field it is about, or above the button."""
        sentence = refusal_text(code, message)
        field = self._fields.get(_FIELD_OF_CODE.get(code, ""))
        if field is not None:
            field.show_error(sentence)
        else:
            self._general.setText(sentence)
            self._general.show()

    def clear_errors(self) -> None:
        """Take all errors back."""
        self._general.hide()
        for field in self._fields.values():
            field.clear_error()

    def _try_submit(self) -> None:
        if self._submit.isEnabled():
            self.clear_errors()
            # Bottom up: the cursor ends at the topmost of what is wrong.
            is_complete = self.check()
            if self._check_first() and is_complete:
                self.submitted.emit()
