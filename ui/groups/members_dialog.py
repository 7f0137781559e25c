"""Who is in a group, and what can be done about it; what this person may not do is not offered."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QMenu, QScrollArea, QVBoxLayout, QWidget

from peer.errors import RefusalCode
from peer.views import GROUP_MEMBERS, Consent, ConversationId, GroupView, MemberView, UserId
from ui.contacts.actions import ContactActions
from ui.contacts.confirm_dialog import ConfirmDialog
from ui.groups.actions import GroupActions
from ui.groups.add_members_dialog import AddMembersDialog
from ui.groups.rename_dialog import RenameGroupDialog
from ui.models.chat_state import ChatState
from ui.theme import fonts
from ui.theme.controls import Avatar, ElidedText, IconButton, PushButton, Text, Theme
from ui.theme.search_field import SearchField
from ui.translations import groups, people
from ui.translations.refusals import refusal_text

_WIDTH, _HEIGHT = 440, 560
_SEARCHED_FROM = 10
"""So many members are found at a glance."""
_ROW, _BESIDE_ROWS = 50, 190
"""Pixels: a member's row, and all that is not rows."""


class MembersDialog(QDialog):
    """Keeps itself up to date while it is open."""

    write_wanted = Signal(str)
    """Open the conversation of two with this user ID."""

    def __init__(
        self,
        theme: Theme,
        state: ChatState,
        actions: GroupActions,
        contacts: ContactActions,
        conversation: ConversationId,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("members")
        self.setWindowTitle(self.tr("Members"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._state = state
        self._actions = actions
        self._contacts = contacts
        self._conversation = conversation
        self._me = state.session.user if state.session is not None else None
        self._rows: dict[UserId, tuple[object, QWidget]] = {}
        self._title = ElidedText(face=fonts.bold(fonts.TITLE))
        self._title.setObjectName("members.title")
        self._rename = IconButton(theme, "pencil", self.tr("Rename the group"), name="members.rename", size=18)
        self._rename.clicked.connect(self._ask_name)
        self._count = Text(role="secondary", face=fonts.font(fonts.CAPTION))
        self._count.setObjectName("members.count")
        self._error = Text(role="error", face=fonts.font(fonts.CAPTION), wrap=True)
        self._error.setObjectName("members.error")
        self._error.hide()
        self._search = SearchField(theme, self.tr("Search members"), name="members.search")
        self._search.textChanged.connect(self._show_found)
        self._add = PushButton(self.tr("Add members"), name="members.add")
        self._add.clicked.connect(self._add_members)
        self._leave = PushButton(self.tr("Leave group…"), name="members.leave", kind="danger")
        self._leave.clicked.connect(lambda: self.ask_leave(self))
        self._close = PushButton(self.tr("Close"), name="members.close")
        self._close.clicked.connect(self.accept)
        self._build()
        high = max(320, _ROW * len(self._members()) + _BESIDE_ROWS)
        self.resize(min(_WIDTH, parent.width() - 24), min(high, _HEIGHT, parent.height() - 24))
        self._close.setFocus()
        state.groups.changed.connect(self._group_changed)
        state.contacts.person_changed.connect(lambda _user: self._show())
        self._show()

    def _build(self) -> None:
        page = QWidget()
        page.setProperty("role", "clear")
        self._list = QVBoxLayout(page)
        self._list.setContentsMargins(0, 0, 8, 0)
        self._list.setSpacing(2)
        self._list.addStretch()
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self._title, 1)
        head.addWidget(self._rename)
        below = QHBoxLayout()
        below.addWidget(self._count, 1)
        below.addWidget(self._add)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._leave)
        buttons.addStretch()
        buttons.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 16, 20)
        layout.setSpacing(10)
        layout.addLayout(head)
        layout.addLayout(below)
        layout.addWidget(self._search)
        layout.addWidget(self._error)
        layout.addWidget(scroll, 1)
        layout.addLayout(buttons)

    # --- what is shown -------------------------------------------------------------------------

    def _group_changed(self, group: GroupView) -> None:
        if group.conversation == self._conversation:
            self._show()

    def _show(self) -> None:
        group = self._state.groups.group(self._conversation)
        if group is None:
            return
        am_in = self._myself(group) is not None
        self._title.set_whole(group.name)
        online = sum(member.online for member in group.members) if am_in else 0
        self._count.setText(groups.presence(len(group.members), online))
        self._rename.setVisible(am_in)
        self._leave.setVisible(am_in)
        self._add.setVisible(am_in and len(group.members) < GROUP_MEMBERS)
        focus: QWidget | None = self.focusWidget()
        focused = focus.objectName() if focus is not None else ""
        here = {member.user for member in group.members}
        for user in [user for user in self._rows if user not in here]:
            self._drop(user)
        for place, member in enumerate(group.members):
            shown = (member, self._can_do(group, member))
            known = self._rows.get(member.user)
            if known is None or known[0] != shown:
                self._drop(member.user)
                self._rows[member.user] = (shown, self._row(member, shown[1]))
            row = self._rows[member.user][1]
            self._list.insertWidget(place, row)
            row.setVisible(self._is_found(member))  # at once: what is not seen yet takes no focus
        self._search.setVisible(len(group.members) > _SEARCHED_FROM)
        if focus is not None and focus is not self.focusWidget():
            # The row that somebody acted on is another one now.
            (self.findChild(QWidget, focused) or self._close).setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_found(self) -> None:
        for member in self._members():
            self._rows[member.user][1].setVisible(self._is_found(member))

    def _is_found(self, member: MemberView) -> bool:
        """Tell whether every word of the search stands in a name or ID."""
        text = f"{member.name} {member.user}".casefold()
        return all(word in text for word in self._search.text().casefold().split())

    def _members(self) -> tuple[MemberView, ...]:
        group = self._state.groups.group(self._conversation)
        return () if group is None else group.members

    def _drop(self, user: UserId) -> None:
        known = self._rows.pop(user, None)
        if known is not None:
            known[1].hide()
            # It is not to be found any more under the name that the next one has.
            known[1].setParent(None)
            known[1].deleteLater()

    def _myself(self, group: GroupView) -> MemberView | None:
        return next((member for member in group.members if member.user == self._me), None)

    def _can_do(self, group: GroupView, member: MemberView) -> tuple[str, ...]:
        """Return what can be done about a member, by name."""
        if member.user == self._me:
            return ()
        contact = self._state.contacts.contact(member.user)
        state = Consent.STRANGERS if contact is None else contact.state
        acts = []
        if state is Consent.FRIENDS:
            acts.append("write")
        elif state in {Consent.STRANGERS, Consent.DECLINED, Consent.REMOVED} and not (contact and contact.blocked):
            acts.append("ask")
        myself = self._myself(group)
        if member.new_device:
            acts.append("confirm_device")
        if myself is not None and myself.manager:
            acts += ["unmake_manager" if member.manager else "make_manager", "remove"]
        return tuple(acts)

    def _row(self, member: MemberView, acts: tuple[str, ...]) -> QWidget:
        row = QWidget()
        row.setObjectName(f"members.row.{member.user}")
        name = people.short_name(member.name)
        row.setAccessibleName(name)
        avatar = Avatar(self._theme, 36, "card")
        avatar.show_person(member.user, name, online=member.online)
        shown = self.tr("%1 (you)").replace("%1", name) if member.user == self._me else name
        about = [self.tr("Manager")] if member.manager else []
        about += [self.tr("new device")] if member.waiting_device else []
        about += [self.tr("online") if member.online else self.tr("offline"), member.user]
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(ElidedText(shown, face=fonts.bold()))
        names.addWidget(ElidedText(" · ".join(about), role="secondary", face=fonts.font(fonts.SMALL)))
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 5, 0, 5)
        layout.setSpacing(12)
        layout.addWidget(avatar)
        layout.addLayout(names, 1)
        if acts:
            layout.addWidget(self._more(member, acts))
        return row

    def _more(self, member: MemberView, acts: tuple[str, ...]) -> IconButton:
        label = self.tr("What to do about %1").replace("%1", people.short_name(member.name))
        more = IconButton(self._theme, "ellipsis-vertical", label, name=f"members.more.{member.user}", size=18)
        menu = QMenu(more)
        for name in acts:
            icon, words, act = self._acts()[name]
            action = menu.addAction(words)
            action.setObjectName(f"members.{name}.{member.user}")
            action.triggered.connect(_caller(act, member))
            self._theme.put_icon(action, icon, 16)
        more.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        more.setMenu(menu)
        return more

    def _acts(self) -> dict[str, tuple[str, str, Callable[[MemberView], None]]]:
        return {
            "write": ("message-circle", self.tr("Write to them"), self._write),
            "ask": ("user-plus", self.tr("Add as a contact"), self._ask_contact),
            "confirm_device": ("monitor-smartphone", self.tr("Confirm their new device…"), self._ask_about_device),
            "make_manager": (
                "shield-check",
                self.tr("Make them a manager"),
                lambda member: self._set_manager(member, is_manager=True),
            ),
            "unmake_manager": (
                "shield-alert",
                self.tr("Manager no more"),
                lambda member: self._set_manager(member, is_manager=False),
            ),
            "remove": ("x", self.tr("Remove from the group…"), self._ask_removal),
        }

    # --- what is done --------------------------------------------------------------------------

    def _write(self, member: MemberView) -> None:
        self.accept()
        self.write_wanted.emit(member.user)

    def _ask_contact(self, member: MemberView) -> None:
        self._error.hide()
        self._contacts.ask(member.user, refused=self._refused, owner=self)

    def _set_manager(self, member: MemberView, *, is_manager: bool) -> None:
        self._error.hide()
        self._actions.set_manager(
            self, self._conversation, member.user, self._done, self._refused, is_manager=is_manager
        )

    def _ask_about_device(self, member: MemberView) -> None:
        self._error.hide()
        question = self.tr("Is the new device of %1 really theirs?").replace("%1", people.short_name(member.name))
        about = self.tr("Ask them in person or by phone. Then it gets this group's messages and may write here.")
        confirm = ConfirmDialog(question, self.tr("It is theirs"), self, about=about, kind="primary")
        confirm.accepted.connect(
            lambda: self._actions.confirm_device(self, self._conversation, member.user, self._done, self._refused)
        )
        confirm.open()

    def _ask_removal(self, member: MemberView) -> None:
        self._error.hide()
        question = self.tr("Remove %1 from the group?").replace("%1", people.short_name(member.name))
        about = self.tr("They keep what was written so far.")
        confirm = ConfirmDialog(question, self.tr("Remove"), self, about=about)
        confirm.accepted.connect(
            lambda: self._actions.remove(self, self._conversation, member.user, self._done, self._refused)
        )
        confirm.open()

    def ask_leave(self, parent: QWidget) -> None:
        """Leave after a second click; a group without its only manager has none."""
        group = self._state.groups.group(self._conversation)
        myself = self._myself(group) if group is not None else None
        if group is None or myself is None:
            return
        words = self.tr("What was written stays readable here.")
        if myself.manager and len(group.members) > 1 and sum(member.manager for member in group.members) == 1:
            words = self.tr(
                "You are its only manager: who has been in it longest will be one, unless you choose somebody first."
            )
        confirm = ConfirmDialog(self.tr("Leave this group?"), self.tr("Leave"), parent, about=words)
        confirm.accepted.connect(lambda: self._actions.leave(self, self._conversation, self._left, self._refused))
        confirm.open()

    def _left(self, _group: GroupView) -> None:
        self.accept()

    def _ask_name(self) -> None:
        group = self._state.groups.group(self._conversation)
        if group is not None:
            RenameGroupDialog(self._actions, group, self).open()

    def _add_members(self) -> None:
        group = self._state.groups.group(self._conversation)
        if group is not None:
            AddMembersDialog(self._theme, self._state, self._actions, group, self).open()

    def _done(self, _group: GroupView) -> None:
        self._error.hide()

    def _refused(self, code: RefusalCode, message: str) -> None:
        self._error.setText(refusal_text(code, message))
        self._error.show()


def _caller(act: Callable[[MemberView], None], member: MemberView) -> Callable[[], None]:
    return lambda: act(member)
