"""What a person can do about a group, as calls that any dialog may make."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from peer.errors import RefusalCode
from peer.views import ConversationId, ConversationView, GroupView
from ui.models.chat_state import ChatState
from ui.peer_bridge import PeerBridge

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from peer.node import PeerNode

Refused = Callable[[RefusalCode, str], None]
Done = Callable[[GroupView], None]


class GroupActions(QObject):
    """Asks the node, and shows at once what came of it; `done` or `refused` is called while `owner` lives."""

    def __init__(self, bridge: PeerBridge, state: ChatState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._state = state

    def find(
        self,
        owner: QObject,
        users: Sequence[str],
        done: Callable[[ConversationView | None], None],
        refused: Refused,
    ) -> None:
        """Look for a group of ourselves and exactly these people."""
        self._bridge.ask(owner, lambda node: node.group_with(users), done, refused)

    def create(
        self,
        owner: QObject,
        name: str,
        users: Sequence[str],
        done: Callable[[ConversationView], None],
        refused: Refused,
    ) -> None:
        """Make a group of ourselves and these friends."""

        def made(view: ConversationView) -> None:
            self._state.conversations.take(view)
            done(view)

        self._bridge.ask(owner, lambda node: node.create_group(name, users), made, refused)

    def add(
        self,
        owner: QObject,
        group: ConversationId,
        users: Sequence[str],
        done: Done,
        refused: Refused,
        *,
        from_now_on: bool,
    ) -> None:
        """Add friends, one after the other; those before one that is refused are in."""

        async def add_all(node: "PeerNode") -> GroupView:
            for user in users:
                await node.add_to_group(group, user, from_now_on=from_now_on)
            return await node.group(group)

        self._do(owner, add_all, done, refused)

    def remove(self, owner: QObject, group: ConversationId, user: str, done: Done, refused: Refused) -> None:
        """Let somebody belong to a group no more."""
        self._do(owner, lambda node: node.remove_from_group(group, user), done, refused)

    def leave(self, owner: QObject, group: ConversationId, done: Done, refused: Refused) -> None:
        """Belong to a group no more."""
        self._do(owner, lambda node: node.leave_group(group), done, refused)

    def rename(self, owner: QObject, group: ConversationId, name: str, done: Done, refused: Refused) -> None:
        """Give a group another name."""
        self._do(owner, lambda node: node.rename_group(group, name), done, refused)

    def set_manager(
        self, owner: QObject, group: ConversationId, user: str, done: Done, refused: Refused, *, is_manager: bool
    ) -> None:
        """Let somebody manage a group, or no more."""
        self._do(owner, lambda node: node.set_group_manager(group, user, is_manager=is_manager), done, refused)

    def confirm_device(self, owner: QObject, group: ConversationId, user: str, done: Done, refused: Refused) -> None:
        """Say that a member's new device really is theirs."""
        self._do(owner, lambda node: node.confirm_member_device(group, user), done, refused)

    def _do(
        self, owner: QObject, work: "Callable[[PeerNode], Coroutine[Any, Any, GroupView]]", done: Done, refused: Refused
    ) -> None:
        def show(group: GroupView) -> None:
            self._state.groups.take(group)
            done(group)

        self._bridge.ask(owner, work, show, refused)
