"""What of an entry of a group is taken, by who wrote it: all of it, its header alone, or nothing.

It stands where `Admission` stands for two people, with the same methods.
"""

from peer.entries.admission import without_body
from peer.storage import feeds, groups
from peer.storage.database import Connection
from peer.storage.feeds import ConversationRow, FeedRow
from protocol import limits
from protocol.act_bodies import NEVER_WITHHELD
from protocol.entries import Entry
from protocol.errors import RemoteProtocolError
from protocol.group_bodies import Created
from protocol.identity import UserId
from protocol.membership import Membership
from protocol.replication import count_numbers


class GroupAdmission:
    """Judges the entries of one group."""

    def __init__(
        self,
        connection: Connection,
        conversation: ConversationRow,
        me: UserId,
        sender: UserId | None,
        known: Membership | None,
    ) -> None:
        """`me` is who takes the entries in, `sender` who gave them; `known` is who belonged to it a moment ago."""
        self._connection = connection
        self._conversation = conversation
        self._me = me
        self._sender = sender
        self._without_body: int | None = None
        """How many headers are kept here without their bodies, once that was asked for."""
        self.membership = groups.membership_in(connection, conversation.row, known)

    def changed(self) -> None:
        """Another entry about membership is stored now: stand by what it says from here on."""
        self.membership = groups.membership_in(self._connection, self._conversation.row, self.membership)

    def as_allowed(self, author: UserId, entry: Entry, feed: FeedRow | None) -> Entry:
        """Return the entry with or without its body; raise RemoteProtocolError for one that is not taken at all.

        `feed` is the feed as held, None where this entry begins it.
        """
        if isinstance(entry.body, Created):
            return entry
        if not self.membership.counts(author, entry.header.feed, entry.header.number):
            return self._beyond_the_end(author, entry)
        if entry.header.kind in NEVER_WITHHELD or self._me in self.membership.members:
            return entry
        # Who added us is not known yet, or never will be: nobody fills our disk with what is not ours.
        if feed is None or entry.header.number > feed.line.head:
            self._make_room()
        return without_body(entry)

    def _make_room(self) -> None:
        """Count one more header without its body; raise RemoteProtocolError if there are too many."""
        if self._without_body is None:
            held = feeds.feeds_of(self._connection, self._conversation.row)
            self._without_body = sum(count_numbers(feed.line.lacking) for feed in held)
        if self._without_body >= limits.HEADERS_OF_UNKNOWN_GROUP:
            raise RemoteProtocolError("too many entries of a group that is not ours")
        self._without_body += 1

    def _beyond_the_end(self, author: UserId, entry: Entry) -> Entry:
        """Return what is taken of somebody who went: what was said of membership, for all must judge by the same.

        Of two who excluded each other, each went by the other's word, and one of these words will not count. What
        members hold is taken from them without a limit, or it would depend on the order who holds what.
        """
        if not self.membership.knows(author, entry.header.feed):
            raise RemoteProtocolError("an entry of somebody who is no member")
        end = self.membership.end_of(author, entry.header.feed) or 0
        is_far = entry.header.number > end + limits.HEADERS_BEYOND_REMOVAL
        if is_far and self._sender not in self.membership.members:
            raise RemoteProtocolError("too many entries of somebody who is a member no more")
        return entry if entry.header.kind in NEVER_WITHHELD else without_body(entry)

    def counts(self, author: UserId, entry: Entry) -> bool:  # noqa: ARG002 - as in `Admission`
        """Tell whether a stored entry has a say. All of a group have: the fold knows which are void."""
        return True
