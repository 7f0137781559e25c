"""The requests: those that wait for our answer, and those of ours that wait for others."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from peer.views import ContactView
from ui.contacts.actions import ContactActions
from ui.models.contact_book import ContactBook
from ui.theme import fonts
from ui.theme.controls import Avatar, ElidedText, PushButton, Text, Theme
from ui.theme.empty_state import EmptyState
from ui.translations import moments

_WIDTH, _HEIGHT = 440, 480


class RequestsDialog(QDialog):
    """Keeps itself up to date while it is open."""

    def __init__(self, theme: Theme, contacts: ContactBook, actions: ContactActions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("requests")
        self.setWindowTitle(self.tr("Contact requests"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(min(_WIDTH, parent.width() - 24), min(_HEIGHT, parent.height() - 24))
        self._theme = theme
        self._contacts = contacts
        self._actions = actions
        self._shown: list[ContactView] = []
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll = scroll
        close = PushButton(self.tr("Close"), name="requests.close")
        close.clicked.connect(self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(12)
        layout.addWidget(Text(self.tr("Contact requests"), face=fonts.bold(fonts.TITLE)))
        layout.addWidget(scroll, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        contacts.person_changed.connect(self._rebuild)
        self._rebuild()

    def _rebuild(self) -> None:
        received, sent = self._contacts.received(), self._contacts.sent()
        if self._shown == received + sent and self._scroll.widget() is not None:
            return
        self._shown = received + sent
        page = QWidget()
        page.setProperty("role", "clear")
        rows = QVBoxLayout(page)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        if not received and not sent:
            rows.addWidget(self._empty())
        if received:
            rows.addWidget(_caption(self.tr("Received · %n", "", len(received))))
            for contact in received:
                rows.addWidget(self._received_row(contact))
        if sent:
            rows.addWidget(_caption(self.tr("Sent · %n", "", len(sent))))
            for contact in sent:
                rows.addWidget(self._sent_row(contact))
        rows.addStretch()
        self._scroll.setWidget(page)

    def _empty(self) -> EmptyState:
        return EmptyState(
            self._theme,
            "inbox",
            self.tr("No requests"),
            self.tr("Give your ID to your friends, or add them by theirs."),
            name="requests.empty",
        )

    def _received_row(self, contact: ContactView) -> QWidget:
        buttons = (
            (self.tr("Accept"), "accept", "primary", self._actions.accept),
            (self.tr("Decline"), "decline", "plain", self._actions.decline),
            (self.tr("Block"), "block", "danger", self._actions.block),
        )
        return _RequestRow(self._theme, contact, contact.note, buttons)

    def _sent_row(self, contact: ContactView) -> QWidget:
        waiting = self.tr("Waiting")
        if contact.asked_at is not None:
            waiting += " · " + self.tr("sent %1").replace("%1", moments.since(contact.asked_at))
        return _RequestRow(
            self._theme, contact, waiting, ((self.tr("Cancel"), "cancel", "plain", self._actions.remove),)
        )


_Button = tuple[str, str, str, Callable[[str], None]]
"""Its words, its name, its kind, and what it does to a user."""


class _RequestRow(QWidget):
    """A person, what is to be said about them, and what can be done."""

    def __init__(self, theme: Theme, contact: ContactView, line: str, buttons: tuple[_Button, ...]) -> None:
        super().__init__()
        self.setObjectName(f"requests.row.{contact.user}")
        self.setAccessibleName(contact.name)
        avatar = Avatar(theme, 40, "card")
        avatar.show_person(contact.user, contact.name)
        names = QVBoxLayout()
        names.setSpacing(1)
        names.addWidget(ElidedText(f"{contact.name} · {contact.user}", face=fonts.bold()))
        if line:
            about = Text(line, role="secondary", face=fonts.font(fonts.CAPTION), wrap=True)
            names.addWidget(about)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(avatar, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(names, 1)
        actions = QHBoxLayout()
        actions.setSpacing(8)
        actions.addSpacing(50)
        for text, name, kind, act in buttons:
            button = PushButton(text, name=f"requests.{name}.{contact.user}", kind=kind)
            button.setAccessibleName(f"{text} {contact.name}")
            button.clicked.connect(_caller(act, contact.user))
            actions.addWidget(button)
        actions.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 8, 8)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addLayout(actions)


def _caller(act: Callable[[str], None], user: str) -> Callable[[], None]:
    return lambda: act(user)


def _caption(text: str) -> Text:
    return Text(text, role="caption", face=fonts.bold(fonts.CAPTION))
