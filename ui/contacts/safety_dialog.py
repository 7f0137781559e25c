"""Comparing a safety number: two people read the same digits, and nobody stands between them."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QWidget

from peer.errors import RefusalCode
from peer.views import ContactView
from ui.contacts.actions import ContactActions
from ui.peer_bridge import PeerBridge
from ui.theme import fonts
from ui.theme.controls import PushButton, Text
from ui.theme.dialogs import CardDialog
from ui.translations.refusals import refusal_text

_WIDTH = 420
_GROUP = 5
_COLUMNS = 4


class SafetyDialog(CardDialog):
    """Shows the digits, and takes the person's word that they are the same on the other side."""

    verified = Signal(object)
    """The contact."""

    def __init__(self, bridge: PeerBridge, actions: ContactActions, contact: ContactView, parent: QWidget) -> None:
        super().__init__(parent, name="safety", width=_WIDTH)
        self._actions = actions
        self._contact = contact
        self._number = ""
        self._digits = QGridLayout()
        self._digits.setHorizontalSpacing(22)
        self._digits.setVerticalSpacing(8)
        card = QFrame()
        card.setObjectName("safety.number")
        card.setProperty("role", "inset")
        inside = QHBoxLayout(card)
        inside.setContentsMargins(16, 14, 16, 14)
        inside.addStretch()
        inside.addLayout(self._digits)
        inside.addStretch()
        self._card = card
        self._error = Text(role="error", face=fonts.font(fonts.CAPTION), wrap=True)
        self._error.hide()
        self._match = PushButton(self.tr("They are the same"), name="safety.match", kind="primary")
        self._match.setEnabled(False)
        self._match.clicked.connect(self._verify)
        close = PushButton(self.tr("Close"), name="safety.close")
        close.clicked.connect(self.reject)
        hint = self.tr("Meet or call %1 and compare these digits. If they are the same, nobody reads what you write.")
        self.begin(self.tr("Safety number with %1").replace("%1", contact.name), hint.replace("%1", contact.name))
        self.content.addWidget(card)
        self.content.addWidget(self._error)
        self.end(close, self._match)
        user = contact.user
        bridge.ask(self, lambda node: node.safety_number(user), self._show_number, self._refused)

    def _show_number(self, number: str) -> None:
        self._number = number
        digits = "".join(number.split())
        face = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        face.setPixelSize(fonts.TITLE)
        face.setWeight(QFont.Weight.DemiBold)
        for place, start in enumerate(range(0, len(digits), _GROUP)):
            group = Text(digits[start : start + _GROUP], face=face)
            self._digits.addWidget(group, place // _COLUMNS, place % _COLUMNS)
        self._card.setAccessibleName(" ".join(digits[n : n + _GROUP] for n in range(0, len(digits), _GROUP)))
        self._match.setEnabled(not self._contact.verified)
        if self._contact.verified:
            self._match.setText(self.tr("Compared already"))
        self.fit()

    def _verify(self) -> None:
        self._match.setEnabled(False)
        self._actions.verify(self._contact.user, self._number, self._done, self._refused, owner=self)

    def _done(self, contact: ContactView) -> None:
        self.verified.emit(contact)
        self.accept()

    def _refused(self, code: RefusalCode, message: str) -> None:
        self._error.setText(refusal_text(code, message))
        self._error.show()
        self.fit()
