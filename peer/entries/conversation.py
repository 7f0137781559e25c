"""One conversation as it is known in memory: how far each feed is held, here and elsewhere, and what was shown.

It is brought up to date after each commit, so what is told from it is never more than what is durable.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from peer.storage import feeds, groups, messages
from peer.storage.database import Connection
from peer.storage.feeds import ConversationRow, FeedRow
from peer.storage.messages import MessageRow, Newest, Place, SaidRow
from peer.views import MessageState
from protocol.consent import Consent, Standing, fold_consent
from protocol.identity import ConversationId, DeviceId, FeedId, UserId
from protocol.limits import LARGEST_NUMBER
from protocol.link_messages import Range, VectorLine
from protocol.membership import Membership
from protocol.replication import Digest, covers, digest_of, holds_entry, subtract, union


@dataclass(slots=True, eq=False)
class Conversation:
    """What is known of one conversation, as committed."""

    kept: ConversationRow
    me: UserId
    feeds: dict[FeedId, FeedRow] = field(default_factory=dict)
    held: dict[DeviceId, dict[FeedId, VectorLine]] = field(default_factory=dict)
    """How far other devices told to hold which feed."""
    owner_of_device: dict[DeviceId, UserId] = field(default_factory=dict)
    displayed: dict[UserId, dict[FeedId, tuple[Range, ...]]] = field(default_factory=dict)
    """Which numbers people were shown; our own among them."""
    said: list[SaidRow] = field(default_factory=list)
    standing: Standing = field(default_factory=lambda: Standing(Consent.STRANGERS, 0))
    group: Membership | None = None
    """Who belongs to it; None in a conversation of two."""
    draft: str = ""
    unseen: int = 0
    first_unseen: Place | None = None
    first_naming_us: Place | None = None
    """Of what was not displayed yet."""
    last: MessageRow | None = None
    grown_from: dict[FeedId, int] = field(default_factory=dict)
    """How far the feeds that changed last were held before that."""
    _told: dict[FeedId, VectorLine] | None = None
    _digest: Digest | None = None
    """What `told_lines` and `digest` return, until something changes."""

    @property
    def id(self) -> ConversationId:
        """Its name on the wire."""
        return self.kept.conversation

    @property
    def root(self) -> FeedId | None:
        """Return the feed in which a group begins: without its first entry nothing else of the group is taken."""
        return None if self.group is None else self.group.root

    @property
    def members(self) -> frozenset[UserId]:
        """Return whom it is for; of two people, the other one."""
        if self.group is not None:
            return frozenset(self.group.members)
        return frozenset() if self.kept.user is None else frozenset({self.kept.user})

    def note_message(self, row: MessageRow) -> None:
        """Take in a message that was stored."""
        if self.last is None or row.place > self.last.place:
            self.last = row
        if not row.seen:
            self.unseen += 1
            self.first_unseen = min(self.first_unseen or row.place, row.place)
        self._note_name(row)

    def _note_name(self, row: MessageRow) -> None:
        if not row.seen and any(mention.user == self.me for mention in row.mentions):
            self.first_naming_us = min(self.first_naming_us or row.place, row.place)

    def note_change(self, row: MessageRow) -> None:
        """Take in that a message is not as it was."""
        self._note_name(row)
        if self.last is not None and self.last.entry == row.entry:
            self.last = row

    def take_newest(self, newest: Newest) -> None:
        """Take in what the messages end with, where it did not only grow."""
        self.last, self.unseen, self.first_unseen, self.first_naming_us = newest

    def take_feeds(self, changed: Mapping[FeedId, FeedRow]) -> None:
        """Take in how feeds stand now."""
        self.grown_from = {name: self.feeds[name].line.head if name in self.feeds else 0 for name in changed}
        self.feeds |= changed
        if changed:
            self._digest = None
        if self._told is not None:
            self._told.update(self._told_of(changed))

    def take_group(self, group: Membership) -> None:
        """Take in who belongs to it now."""
        self.group = group
        self._told = self._digest = None

    def held_lines(self, names: Iterable[FeedId] | None = None) -> dict[FeedId, VectorLine]:
        """Return how far we hold each feed, or some, that is of any concern to others.

        One is of none whose device nobody names any more, since the entry that did so fell out of its feed.
        """
        told = self.told_lines()
        return {name: self.feeds[name].line for name in (told if names is None else names) if name in told}

    def told_lines(self) -> Mapping[FeedId, VectorLine]:
        """Return what others are told of that: bodies that nobody will give us are not said to be lacking.

        It moves with the feeds; whoever wants to remember it takes a copy.
        """
        if self._told is None:
            self._told = self._told_of(self.feeds)
        return self._told

    def _told_of(self, feeds: Mapping[FeedId, FeedRow]) -> dict[FeedId, VectorLine]:
        group = self.group
        return {
            name: self._told_line(feed)
            for name, feed in feeds.items()
            if group is None or group.knows(feed.author, name)
        }

    def digest(self) -> Digest:
        """Return one hash for all that we tell to hold: the same for all who hold what they may have."""
        if self._digest is None:
            self._digest = digest_of(self.told_lines().values())
        return self._digest

    def withheld_from(self, user: UserId, feed: FeedRow) -> tuple[Range, ...]:
        """Return the numbers of a feed whose content, membership aside, is not given to somebody."""
        if self.group is None:
            return ()
        before = self.group.withheld_from(user, feed.feed)
        end = self.group.end_of(feed.author, feed.feed)
        ranges = ((1, before),) if before else ()
        return ranges if end is None else union(ranges, ((end + 1, LARGEST_NUMBER),))

    def _told_line(self, feed: FeedRow) -> VectorLine:
        withheld = self.withheld_from(self.me, feed) if feed.line.lacking else ()
        if not withheld:
            return feed.line
        return msgspec.structs.replace(feed.line, lacking=subtract(feed.line.lacking, withheld))

    def state_of(self, row: MessageRow) -> MessageState:
        """Return how far a message has come, from what others told to hold and were shown."""
        if not row.mine:
            seen = row.seen or covers(self.displayed.get(self.me, {}).get(row.feed, ()), row.number)
            return MessageState.SEEN if seen else MessageState.ARRIVED
        others = self.is_for(row)
        if not others:
            return MessageState.STORED
        if others <= self.readers_of(row.feed, row.number):
            return MessageState.READ
        holders = self.holders_of(row.feed, row.number)
        if others <= holders:
            return MessageState.DELIVERED
        return MessageState.SENT if holders else MessageState.STORED

    def is_for(self, row: MessageRow) -> frozenset[UserId]:
        """Return everybody but its author who may have the content of a message."""
        if self.group is None:
            return (self.members | {self.me}) - {row.author}
        may_have = (user for user in self.group.members if self.group.may_have(user, row.feed, row.number))
        return frozenset(may_have) - {row.author}

    def readers_of(self, feed: FeedId, number: int) -> set[UserId]:
        """Return who was shown an entry, as far as they told."""
        return {user for user, shown in self.displayed.items() if covers(shown.get(feed, ()), number)}

    def holders_of(self, feed: FeedId, number: int) -> set[UserId]:
        """Return who else has an entry with its content on one of their devices, as far as they told."""
        return {
            self.owner_of_device[device]
            for device, lines in self.held.items()
            if feed in lines and holds_entry(lines[feed], number) and self._may_have(device, feed, number)
        }

    def _may_have(self, device: DeviceId, feed: FeedId, number: int) -> bool:
        """Tell whether what somebody told to hold can be more than a header."""
        return self.group is None or self.group.withheld_from(self.owner_of_device[device], feed) < number


def load_conversations(connection: Connection, me: UserId) -> list[Conversation]:
    """Return every conversation of the account."""
    return [_load(connection, row, me) for row in feeds.all_conversations(connection)]


def _load(connection: Connection, row: ConversationRow, me: UserId) -> Conversation:
    conversation = Conversation(row, me)
    conversation.feeds = {feed.feed: feed for feed in feeds.feeds_of(connection, row.row)}
    for user, device, line in feeds.holders_of(connection, row.row):
        conversation.held.setdefault(device, {})[line.feed] = line
        conversation.owner_of_device[device] = user
    for user, name, ranges in feeds.displayed_in(connection, row.row):
        conversation.displayed.setdefault(user, {})[name] = ranges
    conversation.said = messages.consent_in(connection, row.row)
    conversation.standing = fold_consent(each.said for each in conversation.said)
    if row.user is None:
        conversation.group = groups.membership_in(connection, row.row)
    conversation.draft = feeds.draft_of(connection, row.row)
    conversation.take_newest(messages.newest_in(connection, row.row, me))
    return conversation
