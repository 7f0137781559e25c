"""What stands in place of the composer, or above the messages, when a person has to decide something first."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from peer.views import Consent, ContactView
from ui.theme import fonts
from ui.theme.controls import Avatar, PushButton, Text, Theme


class RequestCard(QWidget):
    """Somebody wants to be our contact: their words, and three answers."""

    accepted = Signal()
    declined = Signal()
    blocked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._avatar = Avatar(theme, 64, "card")
        self._title = Text(face=fonts.bold(fonts.TITLE), wrap=True)
        self._user = Text(role="secondary", face=fonts.font(fonts.CAPTION))
        self._note = Text(wrap=True)
        for text in (self._title, self._user, self._note):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        accept = PushButton(self.tr("Accept"), name="request.accept", kind="primary")
        decline = PushButton(self.tr("Decline"), name="request.decline")
        block = PushButton(self.tr("Block"), name="request.block", kind="danger")
        accept.clicked.connect(self.accepted)
        decline.clicked.connect(self.declined)
        block.clicked.connect(self.blocked)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (accept, decline, block):
            buttons.addWidget(button)
        card = QFrame()
        card.setProperty("role", "card")
        card.setMaximumWidth(400)
        card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(24, 24, 24, 24)
        inside.setSpacing(8)
        inside.addWidget(self._avatar, 0, Qt.AlignmentFlag.AlignHCenter)
        for text in (self._title, self._user, self._note):
            inside.addWidget(text)
        inside.addSpacing(8)
        inside.addLayout(buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.addWidget(card)

    def show_contact(self, contact: ContactView) -> None:
        """Show who asks, and what they wrote."""
        self._avatar.show_person(contact.user, contact.name)
        self._title.setText(self.tr("%1 wants to be your contact").replace("%1", contact.name))
        self._user.setText(contact.user)
        self._note.setText(contact.note)
        self._note.setVisible(bool(contact.note))


class NoWritingNotice(QWidget):
    """Why nothing can be written here, and what can be done about it."""

    asked_again = Signal()
    unblocked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("conversation.notice")
        self.setProperty("role", "footer")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._text = Text(role="secondary", wrap=True)
        self._text.setObjectName("conversation.notice.text")
        self._ask = PushButton(self.tr("Ask to be contacts"), name="conversation.ask")
        self._unblock = PushButton(self.tr("Unblock"), name="conversation.unblock")
        self._ask.clicked.connect(self.asked_again)
        self._unblock.clicked.connect(self.unblocked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(12)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._ask)
        layout.addWidget(self._unblock)

    def show_group_left(self) -> None:
        """Say that we belong to this group no more."""
        self._unblock.hide()
        self._ask.hide()
        self._text.setText(self.tr("You are not in this group any more. What was written stays readable here."))

    def show_reason(self, contact: ContactView | None, title: str) -> None:
        """Say why, in one sentence that ends in what to do."""
        blocked = contact is not None and contact.blocked
        state = Consent.STRANGERS if contact is None else contact.state
        self._unblock.setVisible(blocked)
        self._ask.setVisible(not blocked and state in {Consent.STRANGERS, Consent.DECLINED, Consent.REMOVED})
        self._text.setText((self._blocked() if blocked else self._reason(state)).replace("%1", title))

    def _blocked(self) -> str:
        return self.tr("You blocked %1. Unblock them to write to each other.")

    def _reason(self, state: Consent) -> str:
        return {
            Consent.ASKED_BY_ME: self.tr("You asked %1 to be contacts. You can write as soon as they accept."),
            Consent.ASKED_BY_THEM: self.tr("%1 wants to be your contact. Accept the request to write."),
            Consent.DECLINED: self.tr("The request was declined. You can ask %1 again."),
            Consent.REMOVED: self.tr("You and %1 are no longer contacts. Ask again to write."),
            Consent.STRANGERS: self.tr("You and %1 are not contacts yet. Ask first, then write."),
            Consent.FRIENDS: self.tr("%1 is getting ready. You can write in a moment."),
        }[state]
