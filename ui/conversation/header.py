"""The line above a conversation: who it is with, and who of them is there now."""

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from peer.views import Consent, ContactView, ConversationView, GroupView
from ui.theme import fonts
from ui.theme.controls import Avatar, ElidedText, IconButton, Theme
from ui.theme.tokens import HEADER_HEIGHT
from ui.translations import groups, people


class ConversationHeader(QWidget):
    """Picture, name, presence; and the way back when the window shows one column."""

    back = Signal()
    call_wanted = Signal()
    """Call them, or go back to the call with them."""
    files_wanted = Signal()
    """Show the files of this conversation, or hide them."""
    dismissal_wanted = Signal()
    """Nothing here is to count as new any more."""
    members_wanted = Signal()
    """Show who is in this group."""
    safety_wanted = Signal()
    removal_wanted = Signal()
    block_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "header")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEADER_HEIGHT)
        self._back = IconButton(theme, "arrow-left", self.tr("Back to the list"), name="conversation.back")
        self._back.clicked.connect(self.back)
        self._back.hide()
        self._avatar = Avatar(theme, 40, "side")
        self._name = ElidedText(face=fonts.bold(fonts.TITLE))
        self._name.setObjectName("conversation.name")
        self._presence = ElidedText(role="secondary", face=fonts.font(fonts.CAPTION))
        self._presence.setObjectName("conversation.presence")
        self._more = IconButton(theme, "ellipsis-vertical", self.tr("About this contact"), name="conversation.more")
        self._more.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self._contact_menu = self._make_menu(
            theme,
            ("shield-check", self.tr("Compare safety number…"), self.safety_wanted),
            ("check-check", self.tr("Dismiss new messages"), self.dismissal_wanted),
            ("x", self.tr("Remove this contact…"), self.removal_wanted),
            ("ban", self.tr("Block…"), self.block_wanted),
        )
        self._group_menu = self._make_menu(
            theme,
            ("users", self.tr("Members…"), self.members_wanted),
            ("check-check", self.tr("Dismiss new messages"), self.dismissal_wanted),
        )
        self._call = IconButton(theme, "phone", "", name="conversation.call")
        theme.put_icon(self._call, "phone", 20, disabled="faint")
        self._call.clicked.connect(self.call_wanted)
        self._members = IconButton(theme, "users", self.tr("Members"), name="conversation.members")
        self._members.clicked.connect(self.members_wanted)
        self._is_group = self._is_narrow = False
        self._members.hide()
        self._files = IconButton(theme, "folder", self.tr("Files"), name="conversation.files")
        self._files.clicked.connect(self.files_wanted)
        names = QVBoxLayout()
        names.setSpacing(1)
        names.addStretch()
        names.addWidget(self._name)
        names.addWidget(self._presence)
        names.addStretch()
        layout = self._line = QHBoxLayout(self)
        layout.setContentsMargins(16, 0, 16, 0)
        layout.setSpacing(12)
        layout.addWidget(self._back)
        layout.addWidget(self._avatar)
        layout.addLayout(names, 1)
        layout.addWidget(self._call)
        layout.addWidget(self._members)
        layout.addWidget(self._files)
        layout.addWidget(self._more)

    def show_back(self, *, shown: bool) -> None:
        """Offer the way back to the list."""
        self._back.setVisible(shown)
        self._is_narrow = shown
        self._fit()
        self._line.setContentsMargins(6 if shown else 16, 0, 16, 0)

    def show_call(self, label: str, why_not: str) -> None:
        """Offer to call, or say why that cannot be now."""
        self._call.setEnabled(not why_not)
        self._call.set_label(why_not or label)

    def show_conversation(self, conversation: ConversationView, contact: ContactView | None) -> None:
        """Show who this is and whether they are there."""
        is_friend = contact is not None and contact.state is Consent.FRIENDS and not contact.blocked
        person = conversation.user or conversation.conversation.hex()
        self._avatar.show_person(person, conversation.title, online=conversation.online if is_friend else None)
        self._name.set_whole(conversation.title)
        self._is_group = False
        self._fit()
        self._show_menu(self._contact_menu, self.tr("About this contact"))
        self._more.setVisible(is_friend)
        if contact is None:
            self._presence.set_whole("")
        elif is_friend:
            self._presence.set_whole(people.presence(contact))
        else:
            self._presence.set_whole(contact.user)
        self._presence.set_role("online" if is_friend and contact is not None and contact.online else "secondary")

    def show_group(self, conversation: ConversationView, group: GroupView | None) -> None:
        """Show which group this is, and how many are there; `group` is None until that is known."""
        self._avatar.show_person(conversation.conversation.hex(), conversation.title, is_group=True)
        self._name.set_whole(conversation.title)
        online = sum(member.online for member in group.members) if group is not None and conversation.can_write else 0
        self._presence.set_whole(groups.presence(len(conversation.members), online))
        self._presence.set_role("secondary")
        self._is_group = True
        self._fit()
        self._show_menu(self._group_menu, self.tr("About this group"))

    def _fit(self) -> None:
        """In one column the name needs the room: the members stand in the menu, too."""
        self._members.setVisible(self._is_group and not self._is_narrow)

    def _show_menu(self, menu: QMenu, label: str) -> None:
        self._more.setMenu(menu)
        self._more.set_label(label)
        self._more.show()

    def _make_menu(self, theme: Theme, *items: tuple[str, str, SignalInstance]) -> QMenu:
        menu = QMenu(self)
        for icon, words, signal in items:
            action = menu.addAction(words)
            action.triggered.connect(signal)
            theme.put_icon(action, icon, 16)
        return menu
