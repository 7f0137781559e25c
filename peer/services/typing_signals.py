"""Who is writing at this moment: said on links, shown, and forgotten. Nothing of it is ever stored."""

import asyncio
from collections.abc import Callable, Iterable

from peer import limits as node_limits
from peer.entries.conversation import Conversation
from peer.event_stream import EventStream
from peer.events import Typing
from peer.links.link import Link
from peer.services.conversations import Conversations
from peer.views import TypingView
from protocol import limits, link_messages
from protocol.identity import ConversationId, UserId


class TypingSignals:
    """Tells neighbours that we are writing, and the screen that they are."""

    def __init__(
        self,
        conversations: Conversations,
        events: EventStream,
        links: Callable[[], Iterable[Link]],
        may_share: Callable[[Link, Conversation], bool],
    ) -> None:
        """`may_share` decides whether a link may know anything of a conversation."""
        self._conversations = conversations
        self._events = events
        self._links = links
        self._may_share = may_share
        self._said: dict[ConversationId, float] = {}
        self._heard: dict[tuple[ConversationId, UserId], float] = {}
        conversations.on_said = self._stopped

    def say(self, conversation: Conversation) -> None:
        """Tell who is linked that we are writing: at most every 3 s, however often this is called."""
        now = asyncio.get_running_loop().time()
        recently = now - limits.TYPING_SECONDS
        if self._said.get(conversation.id, recently) > recently or not self._conversations.may_write(conversation):
            return
        self._said = {name: at for name, at in self._said.items() if at > recently} | {conversation.id: now}
        for link in self._links():
            if self._may_share(link, conversation):
                link.send(link_messages.Typing(conversation.id))

    def handle(self, link: Link, message: link_messages.Typing) -> None:
        """Tell the screen that somebody is writing, no more than once a second."""
        conversation = self._conversations.get(message.conversation)
        if conversation is None or not self._may_share(link, conversation):
            return
        assert link.user is not None
        now = asyncio.get_running_loop().time()
        recently, shown = now - node_limits.TYPING_TAKEN_SECONDS, now - node_limits.TYPING_SHOWN_SECONDS
        key = (conversation.id, link.user)
        if self._heard.get(key, recently) > recently or not self._conversations.may_write(conversation):
            return
        self._heard = {name: at for name, at in self._heard.items() if at > shown} | {key: now}
        self._tell(conversation, link.user, writing=True)

    def _stopped(self, conversation: Conversation, users: Iterable[UserId]) -> None:
        """What some wrote or changed is here: they are writing no more, until they say so again."""
        for user in users:
            if self._heard.pop((conversation.id, user), None) is not None:
                self._tell(conversation, user, writing=False)

    def _tell(self, conversation: Conversation, user: UserId, *, writing: bool) -> None:
        name = self._conversations.name_in(conversation, user)
        self._events.tell(Typing(TypingView(conversation.id, user, name, writing)))
