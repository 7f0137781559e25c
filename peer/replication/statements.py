"""Who holds and has read what, in groups where not everybody is linked with everybody: signed words, passed on.

A device says now and then how far it is; its neighbours pass it on, each to its own. The larger a group, the more
seldom everybody speaks, so that what a member hears of it in a second does not grow with the group.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from datetime import datetime

from peer import limits as node_limits
from peer.entries.conversation import Conversation
from peer.entries.happened import Author
from peer.links.link import Link
from peer.replication.link_sync import IsNeighbour
from peer.services.conversations import Conversations
from peer.storage.database import Connection, Database
from peer.storage.feeds import FeedRow
from peer.storage.statements import Kept, all_statements, put_statement
from protocol import limits, link_messages
from protocol.identity import ConversationId, DeviceId, EntryHash, UserId
from protocol.link_messages import ReadLine, SignedStatement, VectorLine
from protocol.replication import at_most, count_numbers
from protocol.statements import (
    HeldLine,
    Statement,
    open_statement,
    read_statement,
    short_hash,
    short_name,
    sign_statement,
)

log = logging.getLogger(__name__)
Place = tuple[ConversationId, DeviceId]


class Statements:
    """Makes our own statements, takes those of others, and passes them on."""

    def __init__(
        self,
        database: Database,
        conversations: Conversations,
        author: Author,
        links: Callable[[], Iterable[Link]],
        may_share: Callable[[Link, Conversation], bool],
        is_neighbour: IsNeighbour,
        clock: Callable[[], datetime],
        chance: random.Random,
    ) -> None:
        """`may_share` and `is_neighbour` decide to whom statements go: as for new entries."""
        self._database = database
        self._conversations = conversations
        self._author = author
        self._links = links
        self._may_share = may_share
        self._is_neighbour = is_neighbour
        self._clock = clock
        self._chance = chance
        self._kept: dict[ConversationId, dict[DeviceId, Kept]] = {}
        self._changed: dict[ConversationId, float] = {}
        """Groups of which we hold more than we said, and when it may be said."""
        self._spoke: dict[ConversationId, float] = {}
        self._news: dict[Place, set[Link]] = {}
        """Statements not passed on yet, and on which links they came."""
        self._told: set[tuple[Link, ConversationId]] = set()
        """Who was told the latest when they became a neighbour."""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read what is kept, and begin to speak."""
        kept = await self._database.read(all_statements)
        groups = {each.kept.row: each.id for each in self._conversations.all() if each.group is not None}
        self._kept = {groups[row]: words for row, words in kept.items() if row in groups}
        self._task = asyncio.create_task(self._speak_now_and_then(), name="stating what is held")

    async def close(self) -> None:
        """Stop; what was not passed on comes again with the next word of its device."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def changed(self, conversation: Conversation) -> None:
        """We hold more of a conversation, or more of it was displayed here."""
        if conversation.group is None or conversation.id in self._changed:
            return
        pause = max(node_limits.STATEMENT_SECONDS, len(conversation.members) * node_limits.STATEMENT_SECONDS_PER_MEMBER)
        spoke = self._spoke.get(conversation.id, -pause)
        soon = asyncio.get_running_loop().time() + node_limits.STATEMENT_SOON_SECONDS
        self._changed[conversation.id] = max(soon, spoke + pause)

    def neighbours_changed(self) -> None:
        """Tell those who are neighbours since a moment ago the latest that was said before."""
        told, self._told = self._told, set()
        for link in self._links():
            for name, kept in self._kept.items():
                conversation = self._conversations.get(name)
                if conversation is None or not self._hears(link, conversation):
                    continue
                self._told.add((link, name))
                if (link, name) not in told:
                    latest = sorted(kept.values(), key=lambda each: each[0], reverse=True)
                    _say(link, [signed for _, signed in latest[: node_limits.STATEMENTS_AT_ONCE]])

    async def handle(self, link: Link, message: link_messages.Statements) -> None:
        """Take what others said; raise RemoteProtocolError for what nobody said."""
        for signed in message.statements:
            await self._take(link, signed)

    async def _take(self, link: Link, signed: SignedStatement) -> None:
        statement = read_statement(signed)
        conversation = self._conversations.get(statement.conversation)
        if conversation is None or conversation.group is None or not self._may_share(link, conversation):
            return
        device = statement.device
        user = next((user for user, devices in conversation.group.members.items() if device in devices), None)
        known = self._kept.setdefault(conversation.id, {})
        latest, place = known[device][0] if device in known else 0, (conversation.id, device)
        if device not in known or known[device][1] != signed:
            # Each neighbour passes the same on: it was looked at when the first did.
            open_statement(self._author.realm, signed)
        if user is None or user == self._author.user or latest >= statement.number:
            if latest == statement.number and place in self._news:
                self._news[place].add(link)
            return
        known[device] = (statement.number, signed)
        self._news[place] = {link}
        await self._believe(conversation, user, device, statement)

    async def _believe(self, conversation: Conversation, user: UserId, device: DeviceId, statement: Statement) -> None:
        """Note what somebody holds and has read. What they told on a link of their own may be more."""
        named = {short_name(name): feed for name, feed in conversation.feeds.items()}
        lines: list[VectorLine] = []
        reads: list[ReadLine] = []
        for line in statement.lines:
            feed = named.get(line.feed)
            if feed is None or line.head > feed.line.head or not await self._agrees(feed, line):
                continue
            lines.append(VectorLine(feed.feed, 1, line.head, feed.line.head_hash, lacking=line.lacking))
            if line.read:
                reads.append(ReadLine(feed.feed, line.read))
        before = conversation.held.get(device, {})
        news = [line for line in lines if _says_more(line, before.get(line.feed))]
        await self._conversations.receipts.note_held(conversation, user, device, news)
        await self._conversations.receipts.note_displayed(conversation, user, reads)

    async def _agrees(self, feed: FeedRow, line: HeldLine) -> bool:
        """Tell whether it speaks of the same entries that we hold."""
        held: EntryHash | None = feed.line.head_hash
        if line.head < feed.line.head:
            held = (await self._conversations.hashes(feed, [line.head])).get(line.head)
        return held is not None and short_hash(held) == line.head_hash

    # --- our own word ------------------------------------------------------------------------

    async def _speak_now_and_then(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(node_limits.STATEMENTS_PASSED_SECONDS)
            try:
                due = [name for name, when in self._changed.items() if when <= loop.time()]
                for name in due:
                    del self._changed[name]
                    self._spoke[name] = loop.time()
                    self._state(name)
                await self._pass_on()
            except Exception:
                # One bad moment; what was not said is said with the next change.
                log.exception("stating what is held failed")

    def _state(self, name: ConversationId) -> None:
        conversation = self._conversations.get(name)
        if conversation is None or not self._conversations.is_ours(conversation):
            return
        linked = {link.user for link in self._links()}
        is_small = len(conversation.members) <= node_limits.NEIGHBOURS_PER_GROUP + 1
        if is_small and conversation.members <= linked | {self._author.user}:
            return  # all are neighbours of all, and hear it from ourselves
        mine = self._author.key.device
        known = self._kept.setdefault(name, {})
        number = max(int(self._clock().timestamp() * 1000), known[mine][0] + 1 if mine in known else 1)
        lines = [self._line(conversation, feed) for feed in self._feeds_to_name(conversation)]
        signed = _seal(self._author, conversation.id, number, lines)
        known[mine] = (number, signed)
        self._news[name, mine] = set()

    def _feeds_to_name(self, conversation: Conversation) -> list[FeedRow]:
        """Return those that moved last, and some of the others by lot: in the end all have been named."""
        told = (conversation.feeds[name] for name in conversation.told_lines())
        moved = sorted(told, key=lambda feed: feed.stamp, reverse=True)
        latest, others = moved[: limits.STATED_FEEDS * 3 // 4], moved[limits.STATED_FEEDS * 3 // 4 :]
        return latest + self._chance.sample(others, min(len(others), limits.STATED_FEEDS - len(latest)))

    def _line(self, conversation: Conversation, feed: FeedRow) -> HeldLine:
        line = conversation.told_lines()[feed.feed]
        shown = conversation.displayed.get(self._author.user, {}).get(feed.feed, ())
        return HeldLine(
            feed=short_name(feed.feed),
            head=line.head,
            head_hash=short_hash(line.head_hash),
            lacking=at_most(line.lacking, limits.STATED_RANGES),
            read=shown[-limits.STATED_RANGES :],
        )

    # --- passing on --------------------------------------------------------------------------

    async def _pass_on(self) -> None:
        news, self._news = self._news, {}
        if not news:
            return
        for link in self._links():
            _say(link, self._words_for(link, news))
        rows = [
            (conversation.kept.row, device, self._kept[name][device])
            for name, device in news
            if (conversation := self._conversations.get(name)) is not None
        ]

        def job(connection: Connection) -> None:
            for row, device, kept in rows:
                put_statement(connection, row, device, kept)

        await self._database.write(job)

    def _words_for(self, link: Link, news: dict[Place, set[Link]]) -> list[SignedStatement]:
        found = []
        for (name, device), came_on in news.items():
            conversation = self._conversations.get(name)
            is_known_there = link in came_on or device == link.device
            if conversation is not None and not is_known_there and self._hears(link, conversation):
                found.append(self._kept[name][device][1])
        return found

    def _hears(self, link: Link, conversation: Conversation) -> bool:
        return (
            link.user is not None
            and conversation.group is not None
            and self._is_neighbour(conversation, link.user)
            and self._may_share(link, conversation)
        )


def _seal(author: Author, name: ConversationId, number: int, lines: list[HeldLine]) -> SignedStatement:
    """Sign as many of the lines as fit; very scattered ranges make them long."""
    while True:
        signed = sign_statement(author.key, author.realm, Statement(name, author.key.public, number, tuple(lines)))
        if len(signed.payload) <= limits.STATEMENT_BYTES:
            return signed
        lines = lines[: len(lines) // 2]


def _says_more(line: VectorLine, known: VectorLine | None) -> bool:
    if known is None or line.head > known.head:
        return True
    return line.head == known.head and count_numbers(line.lacking) < count_numbers(known.lacking)


def _say(link: Link, words: list[SignedStatement]) -> None:
    for start in range(0, len(words), limits.STATEMENTS_PER_MESSAGE):
        link.send(link_messages.Statements(tuple(words[start : start + limits.STATEMENTS_PER_MESSAGE])))
