"""Adding friends to a group, with what was written before or without it."""

from PySide6.QtWidgets import QWidget

from peer.errors import RefusalCode
from peer.views import GROUP_MEMBERS, GroupView
from ui.groups.actions import GroupActions
from ui.groups.friend_picker import FriendPicker
from ui.models.chat_state import ChatState
from ui.theme import fonts
from ui.theme.check_box import CheckBox
from ui.theme.controls import PushButton, Text, Theme
from ui.theme.dialogs import CardDialog

_WIDTH = 440


class AddMembersDialog(CardDialog):
    """Those who are in the group are not offered."""

    def __init__(
        self, theme: Theme, state: ChatState, actions: GroupActions, group: GroupView, parent: QWidget
    ) -> None:
        super().__init__(parent, name="add_members", width=_WIDTH)
        self._actions = actions
        self._conversation = group.conversation
        self._picker = FriendPicker(
            theme,
            state.contacts,
            name="add_members.friends",
            most=GROUP_MEMBERS - len(group.members),
            without=[member.user for member in group.members],
        )
        self._from_now_on = CheckBox(theme, self.tr("From now on only"), name="add_members.from_now_on")
        self._from_now_on.toggled.connect(self._explain)
        self._explained = Text(role="secondary", face=fonts.font(fonts.CAPTION), wrap=True)
        self._explained.setObjectName("add_members.explained")
        self._submit = PushButton(self.tr("Add"), name="add_members.submit", kind="primary")
        cancel = PushButton(self.tr("Cancel"), name="add_members.cancel")
        self._submit.clicked.connect(self._add)
        cancel.clicked.connect(self.reject)
        self._picker.changed.connect(self._chosen_changed)
        state.groups.changed.connect(self._group_changed)
        self.begin(self.tr("Add members"))
        self.content.addWidget(self._picker, 1)
        self.content.addWidget(self._from_now_on)
        self.content.addWidget(self._explained)
        self.end(cancel, self._submit)
        self._explain()
        self._chosen_changed()
        self._picker.search.setFocus()
        self.resize(self.minimumWidth(), self.height())
        self.fit()

    def _explain(self) -> None:
        self._explained.setText(
            self.tr("They see what is written after they were added, and nothing before.")
            if self._from_now_on.isChecked()
            else self.tr("They get everything that was ever written and shared in this group.")
        )

    def _chosen_changed(self) -> None:
        self._submit.setEnabled(bool(self._picker.chosen()))

    def _group_changed(self, group: GroupView) -> None:
        if group.conversation == self._conversation:
            self._picker.leave_out([member.user for member in group.members])

    def _add(self) -> None:
        self._submit.setEnabled(False)
        self._actions.add(
            self,
            self._conversation,
            self._picker.chosen(),
            self._done,
            self._refused,
            from_now_on=self._from_now_on.isChecked(),
        )

    def _done(self, _group: GroupView) -> None:
        self.accept()

    def _refused(self, _code: RefusalCode, message: str) -> None:
        self._chosen_changed()
        self._picker.show_error(message)
