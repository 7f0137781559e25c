"""What a person can do about a contact, as calls that any part of the window may make."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from peer.errors import RefusalCode
from peer.views import ContactView
from ui.models.chat_state import ChatState
from ui.peer_bridge import PeerBridge
from ui.translations.refusals import refusal_text

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from peer.node import PeerNode

Refused = Callable[[RefusalCode, str], None]


class ContactActions(QObject):
    """Asks the node, and shows at once what came of it."""

    def __init__(self, bridge: PeerBridge, state: ChatState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._state = state

    def ask(
        self,
        user: str,
        note: str = "",
        done: Callable[[ContactView], None] | None = None,
        refused: Refused | None = None,
        *,
        owner: QObject | None = None,
    ) -> None:
        """Ask somebody to be a contact; `done` or `refused` is called while `owner` lives."""
        self._do(lambda node: node.ask(user, note), done, refused, owner)

    def accept(self, user: str) -> None:
        """Say yes to a request."""
        self._do(lambda node: node.accept(user))

    def decline(self, user: str) -> None:
        """Say no to a request."""
        self._do(lambda node: node.decline(user))

    def remove(self, user: str) -> None:
        """End a contact, or take a request of our own back."""
        self._do(lambda node: node.remove(user))

    def block(self, user: str) -> None:
        """Hear nothing more of somebody."""
        self._do(lambda node: node.block(user))

    def unblock(self, user: str) -> None:
        """Let somebody be heard again."""
        self._do(lambda node: node.unblock(user))

    def confirm_device(self, user: str) -> None:
        """Believe that a contact's new device is theirs."""
        self._do(lambda node: node.confirm_device(user))

    def verify(
        self, user: str, safety_number: str, done: Callable[[ContactView], None], refused: Refused, *, owner: QObject
    ) -> None:
        """Take a person's word that the safety number is the same on the other side."""
        self._do(lambda node: node.verify(user, safety_number), done, refused, owner)

    def _do(
        self,
        work: "Callable[[PeerNode], Coroutine[Any, Any, ContactView]]",
        done: Callable[[ContactView], None] | None = None,
        refused: Refused | None = None,
        owner: QObject | None = None,
    ) -> None:
        def show(contact: ContactView) -> None:
            self._state.contacts.take(contact)
            if done is not None:
                done(contact)

        self._bridge.ask(owner or self, work, show, refused or self._warn)

    def _warn(self, code: RefusalCode, message: str) -> None:
        self._state.warned.emit(refusal_text(code, message))
