"""Making a group: a name, and friends from the list."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from peer.errors import RefusalCode
from peer.views import GROUP_MEMBERS, ConversationView
from ui.groups.actions import GroupActions
from ui.groups.friend_picker import FriendPicker
from ui.login.form_field import FormField
from ui.models.contact_book import ContactBook
from ui.theme.controls import PushButton, Text, Theme
from ui.theme.dialogs import CardDialog
from ui.translations.refusals import refusal_text

_WIDTH = 440


class NewGroupDialog(CardDialog):
    """What is wrong stands below what it is about. Who chose the members of a group that exists is told so."""

    made = Signal(object)
    """The conversation, new or found."""

    def __init__(self, theme: Theme, contacts: ContactBook, actions: GroupActions, parent: QWidget) -> None:
        super().__init__(parent, name="new_group", width=_WIDTH)
        self._actions = actions
        self._found: ConversationView | None = None
        self._name = FormField(self.tr("Name"), name="new_group.name", placeholder=self.tr("for example Lab 3"))
        self._picker = FriendPicker(theme, contacts, name="new_group.friends", most=GROUP_MEMBERS - 1)
        self._offer = self._make_offer()
        self._submit = PushButton(self.tr("Create group"), name="new_group.submit", kind="primary")
        cancel = PushButton(self.tr("Cancel"), name="new_group.cancel")
        self._submit.clicked.connect(self._create)
        cancel.clicked.connect(self.reject)
        self._name.submitted.connect(self._go_on)
        self._name.error_changed.connect(self.fit)
        self._picker.changed.connect(self._withdraw_offer)
        self.begin(self.tr("New group"))
        self.content.addWidget(self._name)
        self.content.addWidget(self._picker, 1)
        self.content.addWidget(self._offer)
        self.end(cancel, self._submit)
        self._offer.hide()
        self._name.setFocus()
        self.resize(self.minimumWidth(), self.height())
        self.fit()

    def _make_offer(self) -> QFrame:
        card = QFrame()
        card.setObjectName("new_group.offer")
        card.setProperty("role", "inset")
        self._offer_text = Text(wrap=True)
        self._offer_text.setObjectName("new_group.offer.text")
        self._open = PushButton(self.tr("Open it"), name="new_group.open", kind="primary")
        another = PushButton(self.tr("Make another"), name="new_group.another")
        self._open.clicked.connect(self._open_found)
        another.clicked.connect(self._make)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._open)
        buttons.addWidget(another)
        buttons.addStretch()
        inside = QVBoxLayout(card)
        inside.setContentsMargins(16, 12, 16, 12)
        inside.setSpacing(10)
        inside.addWidget(self._offer_text)
        inside.addLayout(buttons)
        return card

    def _go_on(self) -> None:
        """Enter in the name: the friends are next, or all is said."""
        if self._picker.chosen():
            self._create()
        else:
            self._picker.search.setFocus()

    def _create(self) -> None:
        """Check what is here, and look whether there is such a group."""
        if not self._submit.isEnabled():
            return
        self._name.clear_error()
        self._picker.clear_error()
        if not self._picker.chosen():
            self._picker.show_error(self.tr("Choose at least one contact."))
            self._picker.search.setFocus()
        if not self._name.text().strip():
            self._name.show_error(self.tr("Give the group a name."))
        if self._name.error() or self._picker.error():
            return
        self._set_busy(busy=True)
        self._actions.find(self, self._picker.chosen(), self._looked, self._refused)

    def _looked(self, found: ConversationView | None) -> None:
        if found is None:
            self._make()
            return
        self._set_busy(busy=False)
        self._found = found
        sentence = self.tr("You have a group of exactly these members: %1.")
        self._offer_text.setText(sentence.replace("%1", found.title))
        self._offer.show()
        self._submit.hide()
        self.fit()
        self._open.setFocus()

    def _withdraw_offer(self) -> None:
        """Others are chosen now."""
        if not self._offer.isHidden():
            self._offer.hide()
            self._submit.show()
            self.fit()

    def _open_found(self) -> None:
        self.made.emit(self._found)
        self.accept()

    def _make(self) -> None:
        self._set_busy(busy=True)
        self._actions.create(self, self._name.text().strip(), self._picker.chosen(), self._done, self._refused)

    def _done(self, view: ConversationView) -> None:
        self.made.emit(view)
        self.accept()

    def _refused(self, code: RefusalCode, message: str) -> None:
        self._set_busy(busy=False)
        self._withdraw_offer()
        if code is RefusalCode.BAD_NAME:
            self._name.show_error(refusal_text(code, message))
        else:
            self._picker.show_error(message)

    def _set_busy(self, *, busy: bool) -> None:
        self._submit.setText(self.tr("Creating…") if busy else self.tr("Create group"))
        for widget in (self._submit, self._name, self._picker, self._offer):
            widget.setEnabled(not busy)
