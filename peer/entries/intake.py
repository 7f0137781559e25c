"""How entries get into the store: our own are signed and appended, others' are verified and appended.

Everything here runs on the storage thread, inside one write job, and decides by what the database holds in that
very transaction. What it returns is announced after the commit.
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from peer.entries.admission import Admission, without_body
from peer.entries.folding import fall_out, finish, fold_in, renew
from peer.entries.group_admission import GroupAdmission
from peer.entries.happened import Author, Happened, incarnation
from peer.errors import Refusal, RefusalCode
from peer.storage import acts, feeds, groups, messages, people
from peer.storage.acts import Matter
from peer.storage.database import Connection
from peer.storage.feeds import ConversationRow, FeedRow
from peer.storage.messages import MessageRow
from protocol import limits
from protocol.act_bodies import NEVER_WITHHELD
from protocol.certificates import Role, read_certificate
from protocol.consent import Standing, fold_consent
from protocol.entries import (
    CONSENT_BODIES,
    Body,
    Entry,
    WireEntry,
    conversation_of,
    hash_of_header,
    is_signed_by_author,
    read_entry,
    read_header,
    write_entry,
)
from protocol.errors import RemoteProtocolError
from protocol.group_bodies import MembershipBody, Seen
from protocol.identity import (
    NO_CONVERSATION,
    NO_HASH,
    ConversationId,
    EntryId,
    FeedId,
    PublicKey,
    UserId,
)
from protocol.link_messages import SignedHeader
from protocol.membership import Membership
from protocol.replication import bucket_of, counted_header, covers, subtract
from protocol.stamps import display_stamp, stamp_to_write

log = logging.getLogger(__name__)

MakeBody = Callable[["Ground", EntryId, bytes], Body]
"""Given what is known in this very transaction, a fresh entry ID and a salt: what to write. May raise Refusal."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a new entry can be decided by, as the database holds it while it is being written."""

    _connection: Connection
    _author: Author
    _conversation: ConversationRow

    def standing(self) -> Standing:
        """Return how the two people of a direct conversation stand."""
        return standing_in(self._connection, self._conversation.row)

    def membership(self) -> Membership:
        """Return who belongs to a group."""
        return groups.membership_in(self._connection, self._conversation.row)

    def message(self, entry: EntryId) -> MessageRow | None:
        """Return a message of this conversation."""
        row = messages.find_message(self._connection, entry)
        return row if row is not None and row.conversation == self._conversation.row else None

    def last_revision(self, target: EntryId, kind: int) -> int:
        """Return the revision of our own last word, of one kind, about a message; 0 if there was none."""
        matter = Matter(target, kind, self._author.user)
        return acts.last_revision(self._connection, self._conversation.row, matter)

    def place_of(self, message: MessageRow) -> Seen:
        """Return where a message stands."""
        feed = feeds.find_feed(self._connection, self._conversation.row, message.feed)
        assert feed is not None
        header = feeds.hash_at(self._connection, feed.row, message.number)
        assert header is not None
        return Seen(message.feed, message.number, header)

    def edits_of(self, message: MessageRow) -> tuple[Seen, ...]:
        """Return where the edits of a message stand, the newest first."""
        found = acts.edits_of(self._connection, self._conversation.row, message.entry, message.author)
        return tuple(Seen(each.feed, each.number, each.hash) for each in found)

    def seen(self) -> tuple[Seen, ...]:
        """Return the last entry held of every feed but the one that is written here; the newest, if they are many."""
        mine = FeedId.of(self._author.key.device, self._conversation.incarnation)
        rows = [row for row in feeds.feeds_of(self._connection, self._conversation.row) if row.feed != mine]
        newest = sorted(rows, key=lambda row: row.stamp, reverse=True)[: limits.SEEN_FEEDS]
        return tuple(Seen(row.feed, row.line.head, row.line.head_hash) for row in newest)


def create_group(connection: Connection, author: Author, make: MakeBody, now_ms: int) -> Happened:
    """Sign the first entry of a group, which names it, and begin our feed there with it."""
    fresh = incarnation()
    nowhere = ConversationRow(0, NO_CONVERSATION, None, fresh)
    ground = Ground(connection, author, nowhere)
    entry = write_entry(
        author.key,
        author.realm,
        make(ground, EntryId(secrets.token_bytes(16)), secrets.token_bytes(16)),
        conversation=NO_CONVERSATION,
        feed=FeedId.of(author.key.device, fresh),
        number=1,
        previous=NO_HASH,
        stamp=now_ms,
        certificate=author.certificate,
    )
    happened = Happened(feeds.ensure_conversation(connection, ConversationId(entry.hash), None, fresh))
    feed = feeds.add_feed(
        connection, happened.conversation.row, author.user, author.key.public, author.certificate, entry, now_ms
    )
    happened.feeds[feed.feed] = feed
    happened.entries.append(entry)
    fold_in(connection, author, happened, feed, entry)
    return finish(connection, author, happened)


def write_body(
    connection: Connection, author: Author, conversation: ConversationRow, make: MakeBody, now_ms: int, last_ms: int
) -> Happened:
    """Sign and append one entry to our own feed. `last_ms` is the newest stamp that its author sees above it."""
    happened = Happened(conversation)
    ground = Ground(connection, author, conversation)
    body = make(ground, EntryId(secrets.token_bytes(16)), secrets.token_bytes(16))
    _append_own(connection, author, happened, body, now_ms, last_ms)
    return finish(connection, author, happened)


def standing_in(connection: Connection, conversation: int) -> Standing:
    """Return how the two people of a direct conversation stand."""
    return fold_consent(row.said for row in messages.consent_in(connection, conversation))


def _append_own(
    connection: Connection, author: Author, happened: Happened, body: Body, now_ms: int, last_ms: int
) -> None:
    feed = _own_feed(connection, author, happened)
    name = FeedId.of(author.key.device, happened.conversation.incarnation)
    entry = write_entry(
        author.key,
        author.realm,
        body,
        conversation=happened.conversation.conversation,
        feed=name,
        number=feed.line.head + 1 if feed else 1,
        previous=feed.line.head_hash if feed else NO_HASH,
        stamp=stamp_to_write(now_ms, max(last_ms, feed.stamp if feed else 0)),
        certificate=author.certificate,
    )
    shown = display_stamp(entry.header.stamp, entry.header.stamp, feed.stamp if feed else 0)
    if feed is None:
        row = happened.conversation.row
        feed = feeds.add_feed(connection, row, author.user, author.key.public, author.certificate, entry, shown)
    else:
        feed = feeds.append_entry(connection, feed, entry, shown)
        feeds.save_head(connection, feed)
    happened.feeds[name] = feed
    happened.entries.append(entry)
    fold_in(connection, author, happened, feed, entry)


def _own_feed(connection: Connection, author: Author, happened: Happened) -> FeedRow | None:
    """Return the feed to write to; None where it has to be begun."""
    conversation = happened.conversation
    feed = feeds.find_feed(connection, conversation.row, FeedId.of(author.key.device, conversation.incarnation))
    if feed is not None and feed.line.closed:
        # A fork was settled a moment ago, in this very transaction: another incarnation is ours now.
        current = feeds.find_conversation(connection, conversation.conversation)
        assert current is not None
        assert current.incarnation != conversation.incarnation
        happened.conversation = current
        return _own_feed(connection, author, happened)
    return feed


# --- entries of others, and our own come back ------------------------------------------------


class EntryTaker:
    """Takes one batch of entries of one conversation in; each bad one is refused alone, with a reason."""

    def __init__(
        self,
        connection: Connection,
        author: Author,
        conversation: ConversationRow,
        now_ms: int,
        sender: UserId | None = None,
        group: Membership | None = None,
    ) -> None:
        """`sender` is who gave us the entries, `group` who belonged to it a moment ago, as far as that is known."""
        self._connection = connection
        self._author = author
        self._now_ms = now_ms
        self._feeds: dict[FeedId, FeedRow | None] = {}
        self._unsaved: set[FeedId] = set()
        self._admission: Admission | GroupAdmission
        if conversation.user is None:
            self._admission = GroupAdmission(connection, conversation, author.user, sender, group)
        else:
            self._admission = Admission(connection, conversation, author.user, author.key.device)
        self.happened = Happened(conversation)
        if isinstance(self._admission, GroupAdmission):
            self.happened.group_before = self._admission.membership

    def take(self, wires: tuple[WireEntry, ...]) -> Happened:
        """Take what can be taken, and return what changed."""
        for wire in wires:
            try:
                self._take_one(wire)
            except RemoteProtocolError as error:
                self.happened.refused.append(str(error))
        self._save_heads()
        return finish(self._connection, self._author, self.happened)

    def take_proof(self, first: SignedHeader, second: SignedHeader) -> Happened:
        """End a feed by a proof that its author wrote a number twice; raise RemoteProtocolError for a bad proof."""
        one, other = read_header(first.header), read_header(second.header)
        feed = self._feed(one.feed)
        hashes = hash_of_header(first.header), hash_of_header(second.header)
        same_place = (one.conversation, one.feed, one.number) == (other.conversation, other.feed, other.number)
        if not same_place or hashes[0] == hashes[1] or one.conversation != self.happened.conversation.conversation:
            raise RemoteProtocolError("no proof of anything: the two headers do not contradict each other")
        if feed is None:
            return self.happened
        entries = [_bodiless_entry(signed, feed) for signed in (first, second)]
        for entry in entries:
            self._check_signature(entry, feed.key)
        is_news = one.number < feed.line.head or not feed.line.closed or min(hashes) < feed.line.head_hash
        if is_news and one.number <= feed.line.head + (not feed.line.closed):
            self._close(feed, *entries)
        return finish(self._connection, self._author, self.happened)

    def _take_one(self, wire: WireEntry) -> None:
        entry = read_entry(wire)
        header = entry.header
        if conversation_of(entry) != self.happened.conversation.conversation:
            raise RemoteProtocolError("an entry of another conversation")
        self.happened.named[header.feed] = max(self.happened.named.get(header.feed, 0), header.number)
        feed = self._feed(header.feed)
        if self._is_half(entry):
            raise RemoteProtocolError("an entry that all must judge by, without what it says")
        if feed is None:
            self._begin_feed(entry)
        elif feed.line.closed and (header.number, entry.hash) > (feed.line.head, feed.line.head_hash):
            self._take_back(feed, entry)
        elif header.number <= feed.line.head:
            self._compare_with_held(feed, entry)
        elif header.number > feed.line.head + 1:
            raise RemoteProtocolError(f"a gap: entry {header.number} after {feed.line.head}")
        elif header.previous != feed.line.head_hash:
            self._check_signature(entry, feed.key)
            self.happened.parted.add(header.feed)
        else:
            self._check_signature(entry, feed.key)
            entry = self._as_allowed(feed, entry)
            shown = display_stamp(header.stamp, self._now_ms, feed.stamp)
            self._unsaved.add(header.feed)
            self._keep(feeds.append_entry(self._connection, feed, entry, shown), entry)

    def _begin_feed(self, entry: Entry) -> None:
        if entry.header.number != 1:
            raise RemoteProtocolError(f"a gap: entry {entry.header.number} of a feed that is not known")
        certificate = read_certificate(entry.wire.certificate, self._author.authority)
        if (
            certificate.role is not Role.USER
            or certificate.user is None
            or certificate.device != entry.header.feed.device
        ):
            raise RemoteProtocolError("a feed whose certificate is not its writer's")
        author = certificate.user
        is_group = self.happened.conversation.user is None
        if not is_group and author not in {self._author.user, self.happened.conversation.user}:
            raise RemoteProtocolError("an entry of somebody who is no member")
        self._check_signature(entry, certificate.key)
        self._check_room_for(entry.header.feed, author)
        if author != self._author.user:
            device = people.meet_device(self._connection, author, certificate.key, self._now_ms)
            if not device.confirmed and not is_group:
                raise RemoteProtocolError("an entry of a device that nobody has confirmed yet")
        entry = self._admission.as_allowed(author, entry, None)
        shown = display_stamp(entry.header.stamp, self._now_ms, 0)
        feed = feeds.add_feed(
            self._connection, self.happened.conversation.row, author, certificate.key, certificate.der, entry, shown
        )
        if isinstance(self._admission, GroupAdmission):
            # It may have ended before it began here.
            feeds.put_end(self._connection, feed.row, self._admission.membership.end_of(author, feed.feed))
        self._keep(feed, entry)

    def _check_room_for(self, name: FeedId, author: UserId) -> None:
        """Keep each bucket's lines below a frame, and what one person can fill of it below the whole."""
        known = feeds.authors_in(self._connection, self.happened.conversation.row)
        authors = [other for feed, other in known if bucket_of(feed) == bucket_of(name)]
        if len(authors) >= limits.FEEDS_PER_BUCKET or authors.count(author) >= limits.FEEDS_OF_ONE_AUTHOR_PER_BUCKET:
            raise RemoteProtocolError("too many feeds in one conversation")

    def _compare_with_held(self, feed: FeedRow, entry: Entry) -> None:
        number = entry.header.number
        if feeds.hash_at(self._connection, feed.row, number) == entry.hash:
            if entry.body is not None and covers(feed.line.lacking, number):
                allowed = self._as_allowed(feed, entry)
                if allowed.wire.body is not None:
                    rest = subtract(feed.line.lacking, ((number, number),))
                    self._keep(feeds.add_body(self._connection, feed, allowed, rest), allowed)
            return
        self._check_signature(entry, feed.key)
        held = read_entry(feeds.wire_entry_at(self._connection, feed, number))
        if held.header.previous != entry.header.previous:
            # They part before this number; the first entry after the fork will be the proof.
            self.happened.parted.add(feed.feed)
            return
        self._close(feed, held, entry)

    def _is_half(self, entry: Entry) -> bool:
        """Tell whether an entry of a group comes without the body by which all judge: none is ever held so."""
        is_group = self.happened.conversation.user is None
        return is_group and entry.body is None and entry.header.kind in NEVER_WITHHELD

    def _close(self, feed: FeedRow, one: Entry, other: Entry) -> None:
        """Two headers with one number: the feed ends with the lower; our own orphans are written again."""
        self._save_heads()
        number = one.header.number
        winner, loser = (one, other) if counted_header(one.hash, other.hash) == one.hash else (other, one)
        is_held = feeds.hash_at(self._connection, feed.row, number) == winner.hash
        if is_held:
            # A proof has headers only; what the winner says is held here, and goes on to count.
            winner = read_entry(feeds.wire_entry_at(self._connection, feed, number))
        if self._is_half(winner):
            # Who proves it holds what it says, and is asked for it.
            self.happened.parted.add(feed.feed)
            return
        log.warning("two versions of a feed of %s from number %d on: it is closed", feed.author, number)
        self.happened.feeds[feed.feed] = feeds.close_feed(self._connection, feed, winner, loser)
        fall_out(self._connection, self._author, self.happened, feed, number + 1 if is_held else number)
        closed = self.happened.feeds[feed.feed]
        self._admission.changed()
        if not is_held:
            # Judged by what is left: by what fell out it may have counted.
            allowed = self._as_held(closed, winner)
            self._keep(closed if allowed.body else feeds.without_head_body(self._connection, closed), allowed)
        if feed.feed.device != self._author.key.device:
            return
        if feed.feed == FeedId.of(self._author.key.device, self.happened.conversation.incarnation):
            renew(self._connection, self.happened)
        orphans = feeds.orphans_of(self._connection, closed, limits.LARGEST_NUMBER)
        apart = [winner, loser, *(read_entry(wire) for wire in orphans)]
        for entry in sorted(apart, key=lambda entry: entry.header.number):
            self._write_again(entry)

    def _take_back(self, feed: FeedRow, entry: Entry) -> None:
        """What others still hold of a closed feed of ours comes back to be written again; of others it is no news."""
        if feed.feed.device == self._author.key.device:
            self._check_signature(entry, feed.key)
            self._write_again(entry)

    def _write_again(self, entry: Entry) -> None:
        if entry.body is not None and not feeds.is_in_a_feed(self._connection, entry.body.entry_id):
            _append_own(self._connection, self._author, self.happened, entry.body, entry.header.stamp, 0)

    def _as_held(self, feed: FeedRow, entry: Entry) -> Entry:
        """Return an entry of a number that is held already, with or without its body."""
        try:
            return self._as_allowed(feed, entry)
        except RemoteProtocolError:
            return entry if entry.header.kind in NEVER_WITHHELD else without_body(entry)

    def _as_allowed(self, feed: FeedRow, entry: Entry) -> Entry:
        return self._admission.as_allowed(feed.author, entry, feed)

    def _keep(self, feed: FeedRow, entry: Entry) -> None:
        self.happened.feeds[feed.feed] = feed
        self.happened.entries.append(entry)
        if isinstance(entry.body, CONSENT_BODIES) and not self._admission.counts(feed.author, entry):
            return
        fold_in(self._connection, self._author, self.happened, feed, entry)
        if isinstance(entry.body, (*CONSENT_BODIES, MembershipBody)):
            self._admission.changed()

    def _check_signature(self, entry: Entry, key: PublicKey) -> None:
        if not is_signed_by_author(entry, key, self._author.realm):
            raise RemoteProtocolError("an entry with a bad signature")

    def _feed(self, name: FeedId) -> FeedRow | None:
        if name in self.happened.feeds:
            return self.happened.feeds[name]
        if name not in self._feeds:
            self._feeds[name] = feeds.find_feed(self._connection, self.happened.conversation.row, name)
        return self._feeds[name]

    def _save_heads(self) -> None:
        """Keep how far the feeds are held; once for a whole batch, not once an entry."""
        for name in self._unsaved:
            feeds.save_head(self._connection, self.happened.feeds[name])
        self._unsaved.clear()


def take_entries(
    connection: Connection,
    author: Author,
    conversation: ConversationRow,
    wires: tuple[WireEntry, ...],
    now_ms: int,
    sender: UserId | None = None,
    group: Membership | None = None,
) -> Happened:
    """Take a batch in. A conversation that this very batch began is forgotten again if nothing was taken."""
    current = feeds.ensure_conversation(
        connection, conversation.conversation, conversation.user, conversation.incarnation
    )
    happened = EntryTaker(connection, author, current, now_ms, sender, group).take(wires)
    # Another batch, committed a moment ago, may have begun it: then it has another incarnation.
    is_begun_here = not conversation.row and current.incarnation == conversation.incarnation
    if not happened.feeds and not happened.parted and is_begun_here:
        raise Refusal(RefusalCode.REFUSED, "; ".join(happened.refused) or "nothing of use came")
    return happened


def _bodiless_entry(signed: SignedHeader, feed: FeedRow) -> Entry:
    number = read_header(signed.header).number
    return read_entry(WireEntry(signed.header, signed.signature, None, feed.certificate if number == 1 else b""))


def renew_incarnations(connection: Connection) -> None:
    """Begin a new feed everywhere: this profile is a copy, or was restored, and must not write a number twice."""
    for conversation in feeds.all_conversations(connection):
        feeds.set_incarnation(connection, conversation.row, incarnation())
