"""What comes by itself: small files and what is meant to be seen or heard at once, of friends."""

import logging

from peer import limits
from peer.attachments.file_settings import FileSettings
from peer.attachments.records import Tasks
from peer.attachments.wanted import Wanted
from peer.entries.conversation import Conversation
from peer.errors import Refusal
from peer.services.conversations import Conversations
from peer.storage.messages import MessageRow
from peer.views import EntryId
from protocol.consent import Consent

log = logging.getLogger(__name__)


class Unasked:
    """Wants, as a person would, what a person would always want."""

    def __init__(self, wanted: Wanted, conversations: Conversations, settings: FileSettings, tasks: Tasks) -> None:
        self._wanted = wanted
        self._conversations = conversations
        self._settings = settings
        self._tasks = tasks
        self._beginning = 0

    def attachment_came(self, conversation: Conversation, message: MessageRow) -> None:
        """Fetch it, unless it is large, of nobody we know, or one of a flood."""
        is_friend = self._conversations.standing_with(message.author).state is Consent.FRIENDS
        if message.mine or not is_friend or not self._conversations.may_write(conversation):
            return
        has_room = self._wanted.count + self._beginning < limits.UNASKED_FETCHES
        if has_room and self._settings.comes_by_itself(message):
            self._beginning += 1
            self._tasks.keep(self._fetch(message.entry))

    async def _fetch(self, entry: EntryId) -> None:
        try:
            await self._wanted.fetch(entry)
        except Refusal as refusal:
            log.warning("a file could not be fetched by itself: %s", refusal)
        finally:
            self._beginning -= 1
