"""Giving a group another name."""

from PySide6.QtWidgets import QWidget

from peer.errors import RefusalCode
from peer.views import GroupView
from ui.groups.actions import GroupActions
from ui.login.form_field import FormField
from ui.theme.controls import PushButton
from ui.theme.dialogs import CardDialog
from ui.translations.refusals import refusal_text

_WIDTH = 380


class RenameGroupDialog(CardDialog):
    """Everybody in the group sees the new name."""

    def __init__(self, actions: GroupActions, group: GroupView, parent: QWidget) -> None:
        super().__init__(parent, name="rename_group", width=_WIDTH)
        self._actions = actions
        self._group = group
        self._name = FormField(self.tr("Name"), name="rename_group.name")
        self._name.set_text(group.name)
        self._name.input.selectAll()
        self._submit = PushButton(self.tr("Rename"), name="rename_group.submit", kind="primary")
        cancel = PushButton(self.tr("Cancel"), name="rename_group.cancel")
        self._submit.clicked.connect(self._rename)
        self._name.submitted.connect(self._rename)
        self._name.error_changed.connect(self.fit)
        cancel.clicked.connect(self.reject)
        self.begin(self.tr("Rename the group"), self.tr("Everybody in the group sees the new name."))
        self.content.addWidget(self._name)
        self.end(cancel, self._submit)
        self._name.setFocus()

    def _rename(self) -> None:
        name = self._name.text().strip()
        if name == self._group.name:
            self.accept()
            return
        self._name.clear_error()
        self._actions.rename(self, self._group.conversation, name, self._done, self._refused)

    def _done(self, _group: GroupView) -> None:
        self.accept()

    def _refused(self, code: RefusalCode, message: str) -> None:
        self._name.show_error(refusal_text(code, message))
