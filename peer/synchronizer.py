"""Drives the reconciliation of feeds over links: compares, sends what the other lacks, takes what we lack.

One rule for everything: offline delivery, history for a late joiner and "delivered" are all the same comparison
of vectors. What is sent is read from committed state only.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from peer import limits as node_limits
from peer.conversation import Conversation
from peer.conversations import Conversations
from peer.errors import Refusal
from peer.intake import Happened
from peer.links.link import Link, LinkEnd
from peer.storage.feeds import FeedRow
from protocol import limits
from protocol.entries import WireEntry
from protocol.errors import RemoteProtocolError
from protocol.identity import ConversationId, FeedId, UserId
from protocol.link_messages import (
    Buckets,
    ConversationDigest,
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
    Gap,
    count_numbers,
    differing_buckets,
    digest_of,
    gaps,
    in_mask,
    last_agreement,
    probe_numbers,
    split_by_buckets,
)

log = logging.getLogger(__name__)
Farewell = Mapping[FeedId, int]
"""How far each feed still goes to somebody; those that are not named do not go at all."""


@dataclass(slots=True)
class _Neighbour:
    """What is known of one link's other side, about one conversation."""

    theirs: dict[FeedId, VectorLine] | None = None
    """How far they are; None until they told."""
    sent: dict[FeedId, int] = field(default_factory=dict)
    """How far we have sent since they last told everything."""
    bodies_sent: set[FeedId] = field(default_factory=set)
    """Feeds of which absent bodies were offered since then."""

    def take(self, theirs: dict[FeedId, VectorLine], lines: Iterable[VectorLine], conversation: Conversation) -> None:
        """Bring `theirs` up to date with what they told."""
        room = node_limits.UNKNOWN_LINES_KEPT - sum(name not in conversation.feeds for name in theirs)
        for line in lines:
            known = theirs.get(line.feed)
            if known is None and line.feed not in conversation.feeds:
                room -= 1
                if room < 0:
                    continue
            if known is not None and count_numbers(line.lacking) < count_numbers(known.lacking):
                # They took some of the absent bodies: offer the rest.
                self.bodies_sent.discard(line.feed)
            theirs[line.feed] = line


class _LinkSync:
    """One link: what was compared, and the task that sends."""

    def __init__(
        self, link: Link, conversations: Conversations, farewell: Callable[[Link, Conversation], Farewell | None]
    ) -> None:
        self.link = link
        self._farewell = farewell
        self._conversations = conversations
        self.neighbours: dict[ConversationId, _Neighbour] = {}
        self.forks_asked: set[FeedId] = set()
        """Feeds whose fork was asked about since the last comparison: two who disagree must not chase each other."""
        self._to_send: set[ConversationId] = set()
        self._wake = asyncio.Event()
        self.task = asyncio.create_task(self._send_all(), name=f"sending to {link.user}")

    def kick(self, conversation: ConversationId) -> None:
        """Send what they lack of this conversation, soon."""
        self._to_send.add(conversation)
        self._wake.set()

    def told(self, conversation: Conversation, lines: Iterable[VectorLine], mask: bytes) -> None:
        """They told how far they are: everything in the buckets of `mask`, or news of single feeds."""
        neighbour = self.neighbours.setdefault(conversation.id, _Neighbour())
        theirs = neighbour.theirs
        if mask != NO_BUCKETS:
            kept = {name: line for name, line in (theirs or {}).items() if not in_mask(mask, name)}
            outside = theirs is None
            theirs = neighbour.theirs = kept
            if outside:
                # Buckets that did not differ hold just what ours do.
                theirs |= {n: line for n, line in conversation.lines().items() if not in_mask(mask, n)}
            neighbour.sent = {n: s for n, s in neighbour.sent.items() if not in_mask(mask, n)}
            neighbour.bodies_sent.clear()
        if theirs is not None:
            neighbour.take(theirs, lines, conversation)
        self.kick(conversation.id)

    def note_sender_holds(self, conversation: Conversation, happened: Happened) -> None:
        """What they just sent us they hold: nothing to send back."""
        neighbour = self.neighbours.setdefault(conversation.id, _Neighbour())
        for name, number in happened.named.items():
            feed = conversation.feeds.get(name)
            if neighbour.theirs is None or feed is None or name == self._conversations.own_feed(conversation):
                continue
            known = neighbour.theirs.get(name)
            if number < feed.line.head:
                # Of what others brought us beyond it they may know nothing.
                neighbour.sent[name] = max(neighbour.sent.get(name, 0), number)
            elif known is None or known.head < feed.line.head:
                neighbour.theirs[name] = feed.line

    async def _send_all(self) -> None:
        try:
            while not self.link.has_ended:
                self._wake.clear()
                while self._to_send:
                    conversation = self._conversations.get(self._to_send.pop())
                    if conversation is not None:
                        await self._send_missing(conversation)
                await self._wake.wait()
        except Exception:
            # A link on which nothing is sent any more must not look alive: the next one begins anew.
            log.exception("sending to %s failed", self.link.user)
            self.link.close(LinkEnd.LEAVING)

    async def _send_missing(self, conversation: Conversation) -> None:
        neighbour = self.neighbours.get(conversation.id)
        if neighbour is None or neighbour.theirs is None:
            return
        lines, farewell = conversation.lines(), self._farewell(self.link, conversation)
        if farewell is not None:
            lines = {
                name: msgspec.structs.replace(line, head=min(line.head, farewell[name]))
                for name, line in lines.items()
                if name in farewell
            }
        for gap in sorted(gaps(lines, neighbour.theirs), key=lambda gap: gap.feed != conversation.root):
            feed = conversation.feeds[gap.feed]
            window = self._window(neighbour, gap)
            if window is not None:
                await self.send_entries(conversation, feed, *window)

    def _window(self, neighbour: _Neighbour, gap: Gap) -> tuple[int, int] | None:
        """Return which part of a gap to send now: not sent yet, and not too far ahead of what they confirmed."""
        assert neighbour.theirs is not None
        line = neighbour.theirs.get(gap.feed)
        held = line.head if line else 0
        if gap.first <= held:
            # Absent bodies: offered once between two comparisons.
            if gap.feed in neighbour.bodies_sent:
                return None
            neighbour.bodies_sent.add(gap.feed)
            return gap.first, min(gap.last, gap.first + node_limits.ENTRIES_IN_FLIGHT)
        first = max(gap.first, neighbour.sent.get(gap.feed, 0) + 1)
        last = min(gap.last, held + node_limits.ENTRIES_IN_FLIGHT)
        if first > last:
            return None
        neighbour.sent[gap.feed] = last
        return first, last

    async def send_entries(self, conversation: Conversation, feed: FeedRow, first: int, last: int) -> None:
        """Send entries of a feed, frame by frame, as fast as the other side takes them."""
        while first <= last and not self.link.has_ended:
            wires = await self._conversations.entries(feed, first, last, limits.ENTRIES_PER_BATCH)
            if not wires:
                return
            first += len(wires)
            await self.send_wires(conversation, wires)

    async def send_wires(self, conversation: Conversation, wires: list[WireEntry]) -> None:
        """Send entries in frames below the limit."""
        frame: list[WireEntry] = []
        size = 0
        for wire in wires:
            weight = len(wire.header) + len(wire.body or b"") + len(wire.certificate) + 128
            if frame and size + weight > limits.ENTRY_BATCH_BYTES:
                self.link.send(Entries(conversation.id, tuple(frame)))
                frame, size = [], 0
            frame.append(wire)
            size += weight
        if frame:
            self.link.send(Entries(conversation.id, tuple(frame)))
        await self.link.room_to_write()


class Synchronizer:
    """All links of the node, kept in step."""

    def __init__(
        self,
        conversations: Conversations,
        may_share: Callable[[Link, Conversation], bool],
        may_begin: Callable[[Link], bool],
        farewell: Callable[[Link, Conversation], Farewell | None],
    ) -> None:
        """`may_share` decides whether a link may see a conversation: by consent or membership, and by the device.

        `may_begin` decides whether somebody may make a group known to us, `farewell` how far each feed of a group
        still goes to somebody who is in it no more.
        """
        self._conversations = conversations
        self._may_share = may_share
        self._may_begin = may_begin
        self._farewell = farewell
        self._links: dict[Link, _LinkSync] = {}
        conversations.on_growth = self._grew
        conversations.receipts.on_displayed = self._displayed
        self._comparing = asyncio.create_task(self._compare_now_and_then(), name="comparing digests")

    def add(self, link: Link) -> None:
        """A link came up: compare everything that is shared on it."""
        self._links[link] = _LinkSync(link, self._conversations, self._farewell)
        self._compare(link)
        for conversation in self._shared(link):
            _tell_reads(link, conversation, self._conversations.receipts.displayed_here(conversation))

    def remove(self, link: Link) -> None:
        """A link went down."""
        sync = self._links.pop(link, None)
        if sync is not None:
            sync.task.cancel()

    def bid_farewell(self, conversation: Conversation, user: UserId) -> None:
        """Somebody is in a group no more: let them know, by what they may still have."""
        for link, sync in self._links.items():
            if link.user == user:
                sync.kick(conversation.id)

    def sharing_changed(self, user: UserId) -> None:
        """What may be shown to a user changed: compare again."""
        for link in tuple(self._links):
            if link.user == user:
                self._compare(link)

    async def close(self) -> None:
        """Stop all sending."""
        tasks = [self._comparing, *(sync.task for sync in self._links.values())]
        self._links.clear()
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
                self._answer_buckets(link, message)
            case Lines():
                await self._take_lines(sync, message)
            case Entries():
                await self._take_entries(sync, message)
            case Reads():
                await self._take_reads(link, message)
            case ForkPoints():
                await self._answer_fork(sync, message)
            case Equivocation():
                await self._take_proof(link, message)
            case _:
                raise RemoteProtocolError(f"{type(message).__name__} at this place")

    # --- comparing ---------------------------------------------------------------------------

    def _compare(self, link: Link) -> None:
        shared = [ConversationDigest(c.id, c.digest().root) for c in self._shared(link)]
        for start in range(0, len(shared), limits.CONVERSATIONS_PER_MESSAGE):
            link.send(Digests(tuple(shared[start : start + limits.CONVERSATIONS_PER_MESSAGE])))

    async def _compare_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(limits.RESYNC_SECONDS)
            for link, sync in tuple(self._links.items()):
                sync.forks_asked.clear()
                try:
                    self._compare(link)
                except Exception:
                    # With one link; the others, and the next time, must not miss their comparison.
                    log.exception("comparing with %s failed", link.user)

    async def _answer_digests(self, sync: _LinkSync, message: Digests) -> None:
        user, device = sync.link.user, sync.link.device
        assert user is not None
        assert device is not None
        for name, root in {told.conversation: told.root for told in message.digests}.items():
            if self._is_hidden(sync.link, name) and not self._was_shared(sync.link, name):
                continue
            conversation = self._conversations.get(name)
            mine = conversation.digest() if conversation else digest_of(())
            if root != mine.root:
                sync.link.send(Buckets(name, mine.buckets))
            elif conversation is not None:
                # Taken once: entries that come in during the wait are none that the digest spoke of.
                lines = tuple(conversation.lines().values())
                await self._conversations.receipts.note_held(conversation, user, device, lines)
                sync.told(conversation, lines, ALL_BUCKETS)

    def _answer_buckets(self, link: Link, message: Buckets) -> None:
        if conversation := self._visible(link, message.conversation):
            mask = differing_buckets(conversation.digest().buckets, message.hashes)
            if mask != NO_BUCKETS:
                _tell_lines(link, conversation, mask, answer=True)

    async def _take_lines(self, sync: _LinkSync, message: Lines) -> None:
        link = sync.link
        conversation = self._conversations.get(message.conversation)
        if self._was_shared(link, message.conversation):
            assert conversation is not None
            sync.told(conversation, message.lines, message.mask)
            return
        if self._is_hidden(link, message.conversation):
            return
        if conversation is None:
            if message.answer:
                link.send(Lines(message.conversation, message.mask, (), answer=False))
            return
        agreed = [line for line in message.lines if await self._agrees(sync, conversation, line)]
        assert link.user is not None
        assert link.device is not None
        await self._conversations.receipts.note_held(conversation, link.user, link.device, agreed)
        if message.answer:
            _tell_lines(link, conversation, message.mask, answer=False)
        sync.told(conversation, message.lines, message.mask)

    async def _agrees(self, sync: _LinkSync, conversation: Conversation, line: VectorLine) -> bool:
        """Tell whether a line speaks of the same feed that we hold; if not, find out where the two part."""
        feed = conversation.feeds.get(line.feed)
        if feed is None:
            return False
        mine = feed.line
        if mine.closed != line.closed or (mine.closed and mine.head_hash != line.head_hash):
            if mine.closed:
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

    async def _take_entries(self, sync: _LinkSync, message: Entries) -> None:
        link = sync.link
        if self._is_hidden(link, message.conversation):
            return
        try:
            happened = await self._conversations.take_in(
                message.conversation, link.user, message.entries, sync.note_sender_holds
            )
        except Refusal as error:
            log.warning("entries of %s were not taken: %s", link.user, error)
            return
        conversation = self._conversations.get(message.conversation)
        if conversation is None:
            return
        # Also what was held already: they may have missed our word about it, on a link that is gone.
        touched = tuple(conversation.feeds[name].line for name in happened.named if name in conversation.feeds)
        if touched:
            link.send(Lines(conversation.id, NO_BUCKETS, touched, answer=False))
        for name in happened.parted:
            await self._ask_fork(sync, conversation, conversation.feeds[name])
        if happened.group is not None:
            # Entries of people who were added by what has just come were refused before: let them be offered again.
            self._compare(link)

    async def _take_reads(self, link: Link, message: Reads) -> None:
        if conversation := self._visible(link, message.conversation):
            assert link.user is not None
            await self._conversations.receipts.note_displayed(conversation, link.user, message.reads)

    # --- forks -------------------------------------------------------------------------------

    async def _ask_fork(self, sync: _LinkSync, conversation: Conversation, feed: FeedRow) -> None:
        if feed.feed in sync.forks_asked:
            return
        sync.forks_asked.add(feed.feed)
        held = await self._conversations.hashes(feed, probe_numbers(feed.line.head))
        points = tuple(ForkPoint(number, held[number]) for number in sorted(held, reverse=True))
        sync.link.send(ForkPoints(conversation.id, feed.feed, points))

    async def _answer_fork(self, sync: _LinkSync, message: ForkPoints) -> None:
        conversation = self._visible(sync.link, message.conversation)
        feed = conversation.feeds.get(message.feed) if conversation else None
        if conversation is None or feed is None:
            return
        mine = await self._conversations.hashes(feed, [point.number for point in message.points])
        agreed = last_agreement(message.points, mine)
        if feed.line.closed:
            await self._send_proof(sync.link, conversation, feed)
        await sync.send_entries(conversation, feed, agreed + 1, feed.line.head)
        if sync.link.device == feed.feed.device:
            await sync.send_wires(conversation, await self._conversations.orphans(feed, limits.ENTRIES_PER_BATCH))

    async def _take_proof(self, link: Link, message: Equivocation) -> None:
        if conversation := self._visible(link, message.conversation):
            happened = await self._conversations.take_proof(conversation, message.first, message.second)
            link.send(Lines(conversation.id, NO_BUCKETS, _lines_of(happened), answer=False))

    async def _send_proof(self, link: Link, conversation: Conversation, feed: FeedRow) -> None:
        proof = await self._conversations.proof(feed)
        if proof is not None:
            link.send(Equivocation(conversation.id, *proof))

    # --- inside ------------------------------------------------------------------------------

    def _grew(self, conversation: Conversation) -> None:
        for sync in self._links.values():
            if self._may_share(sync.link, conversation):
                if sync.neighbours.setdefault(conversation.id, _Neighbour()).theirs is None:
                    self._compare(sync.link)
                sync.kick(conversation.id)

    def _displayed(self, conversation: Conversation, reads: tuple[ReadLine, ...]) -> None:
        for link in self._links:
            if self._may_share(link, conversation):
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


def _lines_of(happened: Happened) -> tuple[VectorLine, ...]:
    return tuple(feed.line for feed in happened.feeds.values())


def _tell_lines(link: Link, conversation: Conversation, mask: bytes, *, answer: bool) -> None:
    """Tell our lines in the buckets of `mask`, in frames below the limit."""
    for some, lines in split_by_buckets(conversation.lines(), mask, limits.ENTRY_BATCH_BYTES):
        link.send(Lines(conversation.id, some, lines, answer=answer))


def _tell_reads(link: Link, conversation: Conversation, reads: tuple[ReadLine, ...]) -> None:
    """Tell what was displayed here, in frames below the limit."""
    for start in range(0, len(reads), limits.READ_LINES_PER_MESSAGE):
        link.send(Reads(conversation.id, reads[start : start + limits.READ_LINES_PER_MESSAGE]))
