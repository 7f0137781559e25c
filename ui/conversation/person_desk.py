"""What is done about the person of a conversation: answer a request, remove, block."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from peer.views import ConversationView
from ui.contacts.actions import ContactActions
from ui.contacts.confirm_dialog import ConfirmDialog
from ui.conversation.header import ConversationHeader
from ui.conversation.notices import NoWritingNotice, RequestCard


class PersonDesk(QObject):
    """One for a pane, whichever conversation is open in it; in a group there is nothing for it to do."""

    def __init__(self, actions: ContactActions, pane: QWidget) -> None:
        super().__init__(pane)
        self._actions = actions
        self._pane = pane
        self._shown: ConversationView | None = None

    def show_conversation(self, conversation: ConversationView | None) -> None:
        """Another one is open, or none."""
        self._shown = conversation

    def serve(self, header: ConversationHeader, request: RequestCard, notice: NoWritingNotice) -> None:
        """Do what is asked for there."""
        request.accepted.connect(lambda: self._with_user(self._actions.accept))
        request.declined.connect(lambda: self._with_user(self._actions.decline))
        request.blocked.connect(lambda: self._with_user(self._actions.block))
        notice.asked_again.connect(lambda: self._with_user(self._actions.ask))
        notice.unblocked.connect(lambda: self._with_user(self._actions.unblock))
        header.removal_wanted.connect(lambda: self._ask_first(self._removal_question(), self._actions.remove))
        header.block_wanted.connect(lambda: self._ask_first(self._block_question(), self._actions.block))

    def _removal_question(self) -> tuple[str, str]:
        return self.tr("Remove %1?"), self.tr("Remove")

    def _block_question(self) -> tuple[str, str]:
        return self.tr("Block %1? They are not told."), self.tr("Block")

    def _ask_first(self, question: tuple[str, str], act: Callable[[str], None]) -> None:
        """Do what cannot be taken back with a click only after a second one."""
        if self._shown is None:
            return
        words, button = question
        confirm = ConfirmDialog(words.replace("%1", self._shown.title), button, self._pane.window())
        confirm.accepted.connect(lambda: self._with_user(act))
        confirm.open()

    def _with_user(self, act: Callable[[str], None]) -> None:
        if self._shown is not None and self._shown.user is not None:
            act(self._shown.user)
