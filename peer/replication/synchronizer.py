"""Drives the reconciliation of feeds over links: compares, sends what the other lacks, takes what we lack.

One rule for everything: offline delivery, history for a late joiner and "delivered" are all the same comparison
of vectors. What is sent is read from committed state only.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence

from peer.entries.conversation import Conversation
from peer.entries.settling import Settling
from peer.errors import Refusal
from peer.links.link import Link
from peer.replication.filling import Filling
from peer.replication.link_sync import Farewell, IsNeighbour, LinkSync
from peer.services.conversations import Conversations
from peer.storage.feeds import FeedRow
from protocol import limits
from protocol.entries import WireEntry
from protocol.errors import RemoteProtocolError
from protocol.identity import ConversationId, FeedId, UserId
from protocol.link_messages import (
    Buckets,
    Digests,
    Entries,
    Equivocation,
    ForkPoint,
    ForkPoints,
    Lines,
    ReadLine,
    Reads,
    VectorLine,
)
from protocol.registry import Message
from protocol.replication import (
    ALL_BUCKETS,
    NO_BUCKETS,
    differing_buckets,
    digest_of,
    gaps,
    last_agreement,
    mask_of,
    probe_numbers,
    split_by_buckets,
)

log = logging.getLogger(__name__)


class Synchronizer:
    """All links of the node, kept in step."""

    def __init__(
        self,
        conversations: Conversations,
        may_share: Callable[[Link, Conversation], bool],
        may_begin: Callable[[Link], bool],
        may_be_brought: Callable[[Sequence[WireEntry]], bool],
        farewell: Callable[[Link, Conversation], Farewell | None],
        is_neighbour: IsNeighbour,
        chance: random.Random,
    ) -> None:
        """`may_share` decides whether a link may see a conversation: by consent or membership, and by the device.

        `may_begin` decides whether somebody may make a group known to us, `may_be_brought` by its first entries whether
        anybody may, `farewell` how far each feed of a group still goes to somebody who is in it no more,
        `is_neighbour` to whom new entries go at once.
        """
        self._conversations = conversations
        self._may_share = may_share
        self._may_begin = may_begin
        self._may_be_brought = may_be_brought
        self._farewell = farewell
        self._is_neighbour = is_neighbour
        self._chance = chance
        self._settling = Settling()
        self._filling = Filling(self._compare_one, self._lacking)
        self.on_own_news: Callable[[Conversation], None] = lambda _: None
        """Called when we hold more of a conversation, or more of it was displayed here."""
        self._links: dict[Link, LinkSync] = {}
        conversations.on_growth = self._grew
        conversations.receipts.on_displayed = self._displayed
        self._comparing = asyncio.create_task(self._compare_now_and_then(), name="comparing digests")

    def add(self, link: Link) -> None:
        """A link came up: compare everything that is shared on it."""
        sync = LinkSync(link, self._conversations, self._farewell, self._is_neighbour, self._settling)
        self._links[link] = sync
        assert link.user is not None
        sync.brings_news = {c.id for c in self._shared(link) if self._is_neighbour(c, link.user)}
        self._compare(sync)
        for conversation in self._shared(link):
            _tell_reads(link, conversation, self._conversations.receipts.displayed_here(conversation))

    def remove(self, link: Link) -> None:
        """A link went down."""
        sync = self._links.pop(link, None)
        if sync is not None:
            sync.task.cancel()
        self._filling.gone(link)

    def neighbours_changed(self) -> None:
        """Others were chosen: send them what came since they were compared with."""
        for link, sync in tuple(self._links.items()):
            assert link.user is not None
            chosen = [c for c in self._shared(link) if self._is_neighbour(c, link.user)]
            fresh = [c for c in chosen if c.id not in sync.brings_news]
            sync.brings_news = {c.id for c in chosen}
            for conversation in fresh:
                # What they told is old by now: they have had the news from others.
                sync.forget_told(conversation)
            sync.tell_digests(fresh)

    def bid_farewell(self, conversation: Conversation, user: UserId) -> None:
        """Somebody is in a group no more: let them know, by what they may still have."""
        for link, sync in self._links.items():
            if link.user == user:
                sync.kick(conversation.id)

    def sharing_changed(self, user: UserId) -> None:
        """What may be shown to a user changed: compare again."""
        for link, sync in tuple(self._links.items()):
            if link.user == user:
                self._compare(sync)

    async def close(self) -> None:
        """Stop all sending."""
        tasks = [self._comparing, *(sync.task for sync in self._links.values())]
        self._links.clear()
        self._filling.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def handle(self, link: Link, message: Message) -> None:
        """Take one message of a link; raise RemoteProtocolError if it breaks the rules."""
        sync = self._links.get(link)
        if sync is None:
            return
        match message:
            case Digests():
                await self._answer_digests(sync, message)
            case Buckets():
                self._answer_buckets(sync, message)
            case Lines():
                await self._take_lines(sync, message)
            case Entries():
                await self._take_entries(sync, message)
            case Reads():
                await self._take_reads(link, message)
            case ForkPoints():
                await self._answer_fork(sync, message)
            case Equivocation():
                await self._take_proof(sync, message)
            case _:
                raise RemoteProtocolError(f"{type(message).__name__} at this place")

    # --- comparing ---------------------------------------------------------------------------

    def _compare(self, sync: LinkSync) -> None:
        """Compare everything that is shared on a link."""
        link = sync.link
        sync.tell_digests(self._shared(link))
        for conversation in self._conversations.all():
            if self._farewell(link, conversation) is not None:
                self._tell_former(sync, conversation, ())

    async def _compare_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(limits.RESYNC_SECONDS)
            for sync in self._links.values():
                sync.forget_forks()
            try:
                self._compare_each_with_one()
            except Exception:
                # The next time must not miss its comparison.
                log.exception("comparing failed")

    def _compare_each_with_one(self) -> None:
        """Compare each conversation with one of those who share it, chosen by lot; so nothing stays a hole for long."""
        chosen: dict[Link, list[Conversation]] = {}
        for conversation in self._conversations.all():
            links = [link for link in self._links if self._may_share(link, conversation)]
            # Who has not answered yet could not begin it, perhaps: a new device whose friends are not back yet.
            one = self._chance.choice(links) if links else None
            for link in links:
                if link is one or not self._links[link].has_told(conversation):
                    chosen.setdefault(link, []).append(conversation)
            for link, sync in self._links.items():
                if self._farewell(link, conversation) is not None:
                    self._tell_former(sync, conversation, ())
        for link, conversations in chosen.items():
            self._links[link].tell_digests(conversations)

    def _compare_one(self, link: Link, name: ConversationId) -> bool:
        """Compare one conversation with somebody, if it is shared still."""
        sync, conversation = self._links.get(link), self._visible(link, name)
        if sync is None or conversation is None:
            return False
        sync.tell_digests([conversation])
        return True

    def _lacking(self, link: Link, name: ConversationId) -> int:
        """Return how many entries of a conversation somebody told to hold that we lack."""
        sync, conversation = self._links.get(link), self._conversations.get(name)
        theirs = sync.lines_told(name) if sync is not None else {}
        mine = conversation.told_lines() if conversation is not None else {}
        return sum(gap.last - gap.first + 1 for gap in gaps(theirs, mine))

    async def _answer_digests(self, sync: LinkSync, message: Digests) -> None:
        user, device = sync.link.user, sync.link.device
        assert user is not None
        assert device is not None
        for name, root in {told.conversation: told.root for told in message.digests}.items():
            if self._is_hidden(sync.link, name) and not self._was_shared(sync.link, name):
                continue
            conversation = self._conversations.get(name)
            mine = conversation.digest() if conversation else digest_of(())
            if root != mine.root:
                if conversation is not None:
                    sync.ask(conversation)
                sync.link.send(Buckets(name, mine.buckets))
            elif conversation is not None:
                # Taken once: entries that come in during the wait are none that the digest spoke of.
                lines = tuple(conversation.told_lines().values())
                sync.link.send(Lines(name, NO_BUCKETS, (), answer=False))
                await self._conversations.receipts.note_held(conversation, user, device, lines)
                sync.told(conversation, lines, ALL_BUCKETS)

    def _answer_buckets(self, sync: LinkSync, message: Buckets) -> None:
        if conversation := self._visible(sync.link, message.conversation):
            mask = differing_buckets(conversation.digest().buckets, message.hashes)
            if mask == NO_BUCKETS:
                self._filling.told(sync.link, conversation.id)
            elif self._filling.may_tell(sync.link, conversation.id):
                sync.ask(conversation)
                _tell_lines(sync.link, conversation, conversation.told_lines(), mask, answer=True)

    async def _take_lines(self, sync: LinkSync, message: Lines) -> None:
        link = sync.link
        assert link.user is not None
        assert link.device is not None
        conversation = self._conversations.get(message.conversation)
        if self._was_shared(link, message.conversation):
            assert conversation is not None
            sync.told(conversation, message.lines, message.mask)
            if message.answer:
                self._tell_former(sync, conversation, message.lines)
            return
        if self._is_hidden(link, message.conversation):
            return
        if conversation is None:
            if message.answer and self._filling.may_tell(link, message.conversation):
                link.send(Lines(message.conversation, message.mask, (), answer=False))
            return
        if message.mask == NO_BUCKETS and not message.lines:
            # They hold just what the digest spoke of that we told them last.
            told = sync.lines_of_digest(conversation)
            await self._conversations.receipts.note_held(conversation, link.user, link.device, told)
            sync.told(conversation, told, ALL_BUCKETS)
            self._filling.told(link, conversation.id)
            return
        agreed = [line for line in message.lines if await self._agrees(sync, conversation, line)]
        await self._conversations.receipts.note_held(conversation, link.user, link.device, agreed)
        sync.told(conversation, message.lines, message.mask)
        if message.answer and (
            not self._filling.has_much(link, conversation.id) or self._filling.may_tell(link, conversation.id)
        ):
            _tell_lines(link, conversation, conversation.told_lines(), message.mask, answer=False)
        if message.mask != NO_BUCKETS:
            self._filling.told(link, conversation.id)

    def _tell_former(self, sync: LinkSync, conversation: Conversation, told: Iterable[VectorLine]) -> None:
        """Tell somebody who is in a group no more how far we hold their own feeds, and nothing of anything newer.

        What they said of membership before they heard of it must reach us: their going may come to count for nothing.
        """
        link, heard = sync.link, self._farewell(sync.link, conversation) or {}
        neighbour = sync.neighbours.get(conversation.id)
        theirs = dict(neighbour.theirs) if neighbour is not None and neighbour.theirs is not None else {}
        theirs |= {line.feed: line for line in told}
        own = {name for name in (*theirs, *conversation.feeds) if name.device == link.device}
        # Of feeds that went on without them they hear what they said themselves, so that they do not send them again.
        lines = {name: line for name, line in theirs.items() if name not in own} | {
            name: line
            for name, line in conversation.told_lines().items()
            if name in own or line.head <= heard.get(name, 0)
        }
        if own:
            _tell_lines(link, conversation, lines, mask_of(own), answer=False)

    async def _agrees(self, sync: LinkSync, conversation: Conversation, line: VectorLine) -> bool:
        """Tell whether a line speaks of the same feed that we hold; if not, find out where the two part."""
        feed = conversation.feeds.get(line.feed)
        if feed is None:
            return False
        mine = feed.line
        if mine.closed != line.closed or (mine.closed and mine.head_hash != line.head_hash):
            if mine.closed and sync.may_prove(feed.feed):
                await self._send_proof(sync.link, conversation, feed)
            await self._ask_fork(sync, conversation, feed)
            return False
        if line.head > mine.head:
            return False
        held = mine.head_hash
        if line.head < mine.head:
            held = (await self._conversations.hashes(feed, [line.head])).get(line.head, held)
        if held != line.head_hash:
            await self._ask_fork(sync, conversation, feed)
            return False
        return True

    # --- entries -----------------------------------------------------------------------------

    async def _take_entries(self, sync: LinkSync, message: Entries) -> None:
        link = sync.link
        is_former = self._was_shared(link, message.conversation)
        is_brought = self._conversations.get(message.conversation) is None and self._may_be_brought(message.entries)
        if self._is_hidden(link, message.conversation) and not is_former and not is_brought:
            return
        self._filling.began_taking(link, message.conversation)
        try:
            happened = await self._conversations.take_in(
                message.conversation, link.user, message.entries, sync.note_sender_holds
            )
        except Refusal as error:
            log.warning("entries of %s were not taken: %s", link.user, error)
            return
        finally:
            self._filling.has_taken(link, message.conversation)
        conversation = self._conversations.get(message.conversation)
        if conversation is None:
            return
        # Also what was held already: they may have missed our word about it, on a link that is gone.
        named = (name for name in happened.named if name.device == link.device or not is_former)
        touched = tuple(line for name in named if (line := conversation.told_lines().get(name)))
        if touched:
            link.send(Lines(conversation.id, NO_BUCKETS, touched, answer=False))
        for name in happened.parted:
            await self._ask_fork(sync, conversation, conversation.feeds[name])
        if happened.group is not None:
            # Entries of people who were added by what has just come were refused before: let them be offered again.
            self._compare(sync)

    async def _take_reads(self, link: Link, message: Reads) -> None:
        if conversation := self._visible(link, message.conversation):
            assert link.user is not None
            await self._conversations.receipts.note_displayed(conversation, link.user, message.reads)

    # --- forks -------------------------------------------------------------------------------

    async def _ask_fork(self, sync: LinkSync, conversation: Conversation, feed: FeedRow) -> None:
        if feed.feed in sync.forks_asked:
            return
        sync.forks_asked.add(feed.feed)
        held = await self._conversations.hashes(feed, probe_numbers(feed.line.head))
        points = tuple(ForkPoint(number, held[number]) for number in sorted(held, reverse=True))
        sync.link.send(ForkPoints(conversation.id, feed.feed, points))

    async def _answer_fork(self, sync: LinkSync, message: ForkPoints) -> None:
        conversation = self._visible(sync.link, message.conversation)
        feed = conversation.feeds.get(message.feed) if conversation else None
        if conversation is None or feed is None or not sync.may_answer_fork(feed.feed):
            return
        mine = await self._conversations.hashes(feed, [point.number for point in message.points])
        agreed = last_agreement(message.points, mine)
        if feed.line.closed:
            await self._send_proof(sync.link, conversation, feed)
        await sync.send_entries(conversation, feed, agreed + 1, feed.line.head)
        if sync.link.device == feed.feed.device:
            await sync.send_wires(conversation, await self._conversations.orphans(feed, limits.ENTRIES_PER_BATCH))

    async def _take_proof(self, sync: LinkSync, message: Equivocation) -> None:
        link = sync.link
        if conversation := self._visible(link, message.conversation):
            happened = await self._conversations.take_proof(conversation, link.user, message.first, message.second)
            for name in happened.parted:
                await self._ask_fork(sync, conversation, conversation.feeds[name])
            # No lines at all would say that we hold just what they told last.
            told = conversation.told_lines()
            if lines := tuple(told[name] for name in happened.feeds if name in told):
                link.send(Lines(conversation.id, NO_BUCKETS, lines, answer=False))

    async def _send_proof(self, link: Link, conversation: Conversation, feed: FeedRow) -> None:
        proof = await self._conversations.proof(feed)
        if proof is not None:
            link.send(Equivocation(conversation.id, *proof))

    # --- inside ------------------------------------------------------------------------------

    def _grew(self, conversation: Conversation) -> None:
        self._settling.grew(conversation)
        self.on_own_news(conversation)
        for sync in self._links.values():
            assert sync.link.user is not None
            if self._is_neighbour(conversation, sync.link.user) and self._may_share(sync.link, conversation):
                if not sync.has_told(conversation) and not sync.is_digest_told(conversation):
                    sync.tell_digests([conversation])
                sync.kick(conversation.id, conversation.grown_from)

    def _displayed(self, conversation: Conversation, reads: tuple[ReadLine, ...]) -> None:
        self.on_own_news(conversation)
        for link in self._links:
            assert link.user is not None
            if self._is_neighbour(conversation, link.user) and self._may_share(link, conversation):
                _tell_reads(link, conversation, reads)

    def _shared(self, link: Link) -> list[Conversation]:
        return [c for c in self._conversations.all() if self._may_share(link, c)]

    def _visible(self, link: Link, name: ConversationId) -> Conversation | None:
        conversation = self._conversations.get(name)
        return conversation if conversation is not None and self._may_share(link, conversation) else None

    def _was_shared(self, link: Link, name: ConversationId) -> bool:
        """Tell whether a conversation is of no concern any more to somebody, but for the word that it is so."""
        conversation = self._conversations.get(name)
        return conversation is not None and self._farewell(link, conversation) is not None

    def _is_hidden(self, link: Link, name: ConversationId) -> bool:
        """Unknown conversations and those of other people get silence; a stranger may begin the one with us.

        A group that is not known here may be one that a friend has just added us to.
        """
        conversation = self._conversations.get(name)
        if conversation is not None:
            return not self._may_share(link, conversation)
        if link.user is None:
            return True
        return name != self._conversations.id_with(link.user) and not self._may_begin(link)


def _tell_lines(
    link: Link, conversation: Conversation, told: Mapping[FeedId, VectorLine], mask: bytes, *, answer: bool
) -> None:
    """Tell those lines that are in the buckets of `mask`, in frames below the limit."""
    for some, lines in split_by_buckets(told, mask, limits.ENTRY_BATCH_BYTES):
        link.send(Lines(conversation.id, some, lines, answer=answer))


def _tell_reads(link: Link, conversation: Conversation, reads: tuple[ReadLine, ...]) -> None:
    """Tell what was displayed here, in frames below the limit."""
    for start in range(0, len(reads), limits.READ_LINES_PER_MESSAGE):
        link.send(Reads(conversation.id, reads[start : start + limits.READ_LINES_PER_MESSAGE]))
