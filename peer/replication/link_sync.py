"""One link: how far its other side is, conversation by conversation, and the task that sends what it lacks."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from peer import limits as node_limits
from peer.entries.conversation import Conversation
from peer.entries.happened import Happened
from peer.entries.settling import Settling
from peer.links.link import Link, LinkEnd
from peer.services.conversations import Conversations
from peer.storage.feeds import FeedRow
from protocol import limits
from protocol.act_bodies import NEVER_WITHHELD
from protocol.entries import WireEntry, read_header
from protocol.identity import ConversationId, FeedId, UserId
from protocol.link_messages import ConversationDigest, Digests, Entries, Range, VectorLine
from protocol.replication import NO_BUCKETS, Gap, covers, gaps, in_mask

log = logging.getLogger(__name__)
Farewell = Mapping[FeedId, int]
"""How far each feed still goes to somebody; those that are not named do not go at all."""
IsNeighbour = Callable[[Conversation, UserId], bool]
"""Tells whether somebody is one of the few to whom new entries of a conversation go at once."""


class _Sent(NamedTuple):
    entries: dict[FeedId, int]
    bodies: dict[FeedId, int]


@dataclass(slots=True)
class Neighbour:
    """What is known of one link's other side, about one conversation."""

    theirs: dict[FeedId, VectorLine] | None = None
    """How far they are; None until they told."""
    sent: dict[FeedId, int] = field(default_factory=dict)
    """How far we have sent since they last told everything."""
    bodies_sent: dict[FeedId, int] = field(default_factory=dict)
    """How far absent bodies were offered since then."""
    when_asked: "_Sent | None" = None
    """Both as they were when we asked them first since then: what was sent after that cannot be in their answer."""
    new_since: float | None = None
    """Since when (loop time, s) they are only sent what lets them know that they belong to the group."""
    goal: dict[FeedId, int] = field(default_factory=dict)
    """How far we were when they last told everything: so far they are sent what they lack, whoever they are."""

    def forget_answered(self, mask: bytes) -> None:
        """Forget what was sent before they were asked: they have answered for the buckets of `mask`."""
        if self.when_asked is not None:
            self.sent = _sent_since(self.sent, self.when_asked.entries, mask)
            self.bodies_sent = _sent_since(self.bodies_sent, self.when_asked.bodies, mask)
            self.when_asked = None

    def take(self, theirs: dict[FeedId, VectorLine], lines: Iterable[VectorLine], conversation: Conversation) -> None:
        """Bring `theirs` up to date with what they told."""
        room = node_limits.UNKNOWN_LINES_KEPT - sum(name not in conversation.feeds for name in theirs)
        for line in lines:
            known = theirs.get(line.feed)
            if known is None and line.feed not in conversation.feeds:
                room -= 1
                if room < 0:
                    continue
            theirs[line.feed] = line


class LinkSync:
    """One link: what was compared, and the task that sends."""

    def __init__(
        self,
        link: Link,
        conversations: Conversations,
        farewell: Callable[[Link, Conversation], Farewell | None],
        is_neighbour: IsNeighbour,
        settling: Settling,
    ) -> None:
        self.link = link
        self._settling = settling
        self._digested: dict[ConversationId, Mapping[FeedId, VectorLine]] = {}
        """What we told to hold when they were last told its digest."""
        self._digests_to_tell: dict[ConversationId, Conversation] = {}
        self._is_neighbour = is_neighbour
        self._farewell = farewell
        self._conversations = conversations
        self.neighbours: dict[ConversationId, Neighbour] = {}
        self.brings_news: set[ConversationId] = set()
        """Conversations of which they get new entries at once."""
        self.forks_asked: set[FeedId] = set()
        """Feeds whose fork was asked about since the last comparison: two who disagree must not chase each other."""
        self._proofs_told: set[FeedId] = set()
        self._forks_answered: Counter[FeedId] = Counter()
        """What was said of forks since then: who goes on asserting or asking is not answered for ever."""
        self._to_send: dict[ConversationId, set[FeedId] | None] = {}
        """What they may lack: of which conversations, and of which feeds; None: of any."""
        self._begun: set[ConversationId] = set()
        """Groups of which they told nothing yet, and were given the first entry."""
        self._wake = asyncio.Event()
        self.task = asyncio.create_task(self._send_all(), name=f"sending to {link.user}")

    def kick(self, conversation: ConversationId, feeds: Iterable[FeedId] | None = None) -> None:
        """Send what they lack of this conversation, or of some of its feeds, soon."""
        waiting = self._to_send.get(conversation, set())
        self._to_send[conversation] = None if waiting is None or feeds is None else waiting.union(feeds)
        self._wake.set()

    def tell_digests(self, conversations: Sequence[Conversation]) -> None:
        """Tell what we hold of conversations, each in one hash: once, whatever asks for it at this moment."""
        if conversations and not self._digests_to_tell:
            asyncio.get_running_loop().call_soon(self._tell_digests)
        self._digests_to_tell |= {each.id: each for each in conversations}

    def _tell_digests(self) -> None:
        conversations, self._digests_to_tell = list(self._digests_to_tell.values()), {}
        told = [ConversationDigest(each.id, each.digest().root) for each in conversations]
        for each in conversations:
            self.ask(each)
            self._digested[each.id] = dict(each.told_lines())
            if each.group is not None and each.id not in self.neighbours:
                self.kick(each.id)
        for start in range(0, len(told), limits.CONVERSATIONS_PER_MESSAGE):
            self.link.send(Digests(tuple(told[start : start + limits.CONVERSATIONS_PER_MESSAGE])))

    def ask(self, conversation: Conversation) -> None:
        """Something is being said that they will answer with all that they hold."""
        neighbour = self.neighbours.get(conversation.id)
        if neighbour is not None and neighbour.when_asked is None:
            neighbour.when_asked = _Sent(dict(neighbour.sent), dict(neighbour.bodies_sent))

    def has_told(self, conversation: Conversation) -> bool:
        """Tell whether it is known how far they are."""
        neighbour = self.neighbours.get(conversation.id)
        return neighbour is not None and neighbour.theirs is not None

    def lines_told(self, name: ConversationId) -> Mapping[FeedId, VectorLine]:
        """Return how far they told to be."""
        neighbour = self.neighbours.get(name)
        return {} if neighbour is None or neighbour.theirs is None else neighbour.theirs

    def forget_told(self, conversation: Conversation) -> None:
        """Forget how far they are; not what was just sent, which may still be on its way."""
        if conversation.id in self.neighbours:
            self.neighbours[conversation.id].theirs = None

    def forget_forks(self) -> None:
        """The next comparison begins: forks may be asked about, proven and told again."""
        self.forks_asked.clear()
        self._proofs_told.clear()
        self._forks_answered.clear()

    def may_prove(self, feed: FeedId) -> bool:
        """Tell whether they have yet to be told in this comparison why a feed is closed; it counts as told now."""
        is_news = feed not in self._proofs_told
        self._proofs_told.add(feed)
        return is_news

    def may_answer_fork(self, feed: FeedId) -> bool:
        """Tell whether a question about a fork is answered still; it counts as answered now."""
        self._forks_answered[feed] += 1
        return self._forks_answered[feed] <= node_limits.FORK_ANSWERS

    def is_digest_told(self, conversation: Conversation) -> bool:
        """Tell whether they were told a digest of a conversation, or are in a moment, and will answer."""
        return conversation.id in self._digested or conversation.id in self._digests_to_tell

    def lines_of_digest(self, conversation: Conversation) -> tuple[VectorLine, ...]:
        """Return what the digest spoke of that they were told last."""
        return tuple(self._digested.get(conversation.id, {}).values())

    def told(self, conversation: Conversation, lines: Collection[VectorLine], mask: bytes) -> None:
        """They told how far they are: everything in the buckets of `mask`, or news of single feeds."""
        neighbour = self.neighbours.setdefault(conversation.id, Neighbour())
        theirs = neighbour.theirs
        if mask != NO_BUCKETS:
            kept = {name: line for name, line in (theirs or {}).items() if not in_mask(mask, name)}
            outside = theirs is None
            theirs = neighbour.theirs = kept
            if outside:
                # Buckets that did not differ hold just what ours do.
                theirs |= {n: line for n, line in conversation.told_lines().items() if not in_mask(mask, n)}
            neighbour.forget_answered(mask)
        if theirs is not None:
            neighbour.take(theirs, lines, conversation)
            if mask != NO_BUCKETS:
                # Who knows nothing of a group yet has no neighbours there who could bring it.
                is_begun = conversation.root is None or conversation.root in theirs
                neighbour.goal = self._settling.heads(conversation, but_fresh=is_begun)
        is_all = mask != NO_BUCKETS or neighbour.new_since is not None
        self.kick(conversation.id, None if is_all else [line.feed for line in lines])

    def note_sender_holds(self, conversation: Conversation, happened: Happened) -> None:
        """What they just sent us they hold: nothing to send back."""
        neighbour = self.neighbours.setdefault(conversation.id, Neighbour())
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
                    name, feeds = self._to_send.popitem()
                    conversation = self._conversations.get(name)
                    if conversation is not None:
                        await self._send_missing(conversation, feeds)
                await self._wake.wait()
        except Exception:
            # A link on which nothing is sent any more must not look alive: the next one begins anew.
            log.exception("sending to %s failed", self.link.user)
            self.link.close(LinkEnd.LEAVING)

    async def _send_missing(self, conversation: Conversation, feeds: set[FeedId] | None) -> None:
        neighbour = self.neighbours.get(conversation.id)
        if neighbour is None or neighbour.theirs is None:
            await self._begin(conversation)
            return
        assert self.link.user is not None
        lines, farewell = conversation.held_lines(feeds), self._farewell(self.link, conversation)
        if farewell is not None:
            lines = _up_to(lines, farewell)
        elif not self._is_neighbour(conversation, self.link.user):
            # Others bring them what came after: here only holes are filled.
            lines = _up_to(lines, neighbour.goal)
        is_new = self._is_new_here(conversation, neighbour)
        if is_new:
            # Whatever else came before they know that they belong here would have to be sent again.
            assert conversation.group is not None
            lines = _up_to(lines, conversation.group.last_act)
        for gap in sorted(gaps(lines, neighbour.theirs), key=lambda gap: gap.feed != conversation.root):
            feed = conversation.feeds[gap.feed]
            window = self._window(neighbour, gap, with_bodies=not is_new)
            if window is not None:
                await self.send_entries(conversation, feed, *window, headers_only=is_new)

    def _is_new_here(self, conversation: Conversation, neighbour: Neighbour) -> bool:
        """Tell whether they do not hold yet what makes them a member; who never takes it is not waited for."""
        assert neighbour.theirs is not None
        group, user = conversation.group, self.link.user
        place = None if group is None or user is None else group.admitted_at.get(user)
        line = None if place is None else neighbour.theirs.get(place[0])
        if place is None or (line is not None and line.head >= place[1]):
            neighbour.new_since = None
            return False
        now = asyncio.get_running_loop().time()
        if neighbour.new_since is None:
            neighbour.new_since = now
        return now < neighbour.new_since + node_limits.NEWCOMER_SECONDS

    async def _begin(self, conversation: Conversation) -> None:
        """Give the first entry of a group to a member who never told to hold any of it, once.

        Who does not know us keeps silent about a group that is unknown there; but if a friend of theirs made it, this
        entry, signed by that friend, makes it known.
        """
        root = None if conversation.root is None else conversation.feeds.get(conversation.root)
        is_known_there = self.link.device in conversation.held or conversation.id in self._begun
        if root is None or is_known_there or self._farewell(self.link, conversation) is not None:
            return
        self._begun.add(conversation.id)
        await self.send_entries(conversation, root, 1, 1)

    def _window(self, neighbour: Neighbour, gap: Gap, *, with_bodies: bool) -> tuple[int, int] | None:
        """Return which part of a gap to send now: not sent yet, and not too far ahead of what they confirmed."""
        assert neighbour.theirs is not None
        line = neighbour.theirs.get(gap.feed)
        held = line.head if line else 0
        if gap.first <= held:
            # Absent bodies: offered once between two comparisons, and not before they would be taken. Or others were
            # quicker, a moment ago.
            if line is None or not with_bodies or not covers(line.lacking, gap.first):
                return None
            first = max(gap.first, neighbour.bodies_sent.get(gap.feed, 0) + 1)
            last = min(gap.last, gap.first + node_limits.ENTRIES_IN_FLIGHT)
            if first > last:
                return None
            neighbour.bodies_sent[gap.feed] = last
            return first, last
        first = max(gap.first, neighbour.sent.get(gap.feed, 0) + 1)
        last = min(gap.last, held + node_limits.ENTRIES_IN_FLIGHT)
        if first > last:
            return None
        neighbour.sent[gap.feed] = last
        return first, last

    async def send_entries(
        self, conversation: Conversation, feed: FeedRow, first: int, last: int, *, headers_only: bool = False
    ) -> None:
        """Send entries of a feed, frame by frame, as fast as the other side takes them.

        With `headers_only`, bodies go along only where they are about membership.
        """
        while first <= last and not self.link.has_ended:
            wires = await self._conversations.entries(feed, first, last, limits.ENTRIES_PER_BATCH)
            if not wires:
                return
            assert self.link.user is not None
            withheld = ((first, last),) if headers_only else conversation.withheld_from(self.link.user, feed)
            if withheld:
                wires = [_as_given(wire, first + place, withheld) for place, wire in enumerate(wires)]
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


def _sent_since(sent: Mapping[FeedId, int], asked: Mapping[FeedId, int], mask: bytes) -> dict[FeedId, int]:
    return {name: last for name, last in sent.items() if not in_mask(mask, name) or last > asked.get(name, 0)}


def _up_to(lines: Mapping[FeedId, VectorLine], ends: Mapping[FeedId, int]) -> dict[FeedId, VectorLine]:
    """Return the lines no further than these numbers; feeds that have none are left out."""
    return {
        name: line if line.head <= ends[name] else msgspec.structs.replace(line, head=ends[name])
        for name, line in lines.items()
        if name in ends
    }


def _as_given(wire: WireEntry, number: int, withheld: tuple[Range, ...]) -> WireEntry:
    """Return an entry as it is given to somebody from whom the content of these numbers is withheld."""
    if wire.body is None or not covers(withheld, number) or read_header(wire.header).kind in NEVER_WITHHELD:
        return wire
    return msgspec.structs.replace(wire, body=None)
