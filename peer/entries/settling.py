"""Which entries came so lately that they are still on their way to everybody: nobody counts as missing them yet."""

import asyncio
from collections import deque
from typing import NamedTuple

from peer import limits
from peer.entries.conversation import Conversation
from protocol.identity import ConversationId, FeedId


class _Growth(NamedTuple):
    at: float
    conversation: ConversationId
    feed: FeedId
    before: int
    """How far the feed was held until then."""


class Settling:
    """Remembers for a moment how far feeds were before they grew."""

    def __init__(self) -> None:
        self._fresh: deque[_Growth] = deque()
        self._loop = asyncio.get_running_loop()

    def grew(self, conversation: Conversation) -> None:
        """Entries were just committed."""
        now = self._loop.time()
        self._forget(now)
        self._fresh.extend(
            _Growth(now, conversation.id, feed, before) for feed, before in conversation.grown_from.items()
        )

    def heads(self, conversation: Conversation, *, but_fresh: bool) -> dict[FeedId, int]:
        """Return how far each feed of a conversation is, or was a moment ago."""
        self._forget(self._loop.time())
        heads = {name: feed.line.head for name, feed in conversation.feeds.items()}
        for growth in self._fresh if but_fresh else ():
            if growth.conversation == conversation.id and growth.feed in heads:
                heads[growth.feed] = min(heads[growth.feed], growth.before)
        return heads

    def _forget(self, now: float) -> None:
        while self._fresh and self._fresh[0].at <= now - limits.SETTLING_SECONDS:
            self._fresh.popleft()
