"""How messages that were taken back leave this disk, whether they came before their deletion or come after it.

Everything here runs on the storage thread, inside the write job that stores the entry. A deletion names headers, so
whoever never had a body knows that none is to come; it also holds for the same message written again elsewhere.
"""

from collections.abc import Collection, Iterable

from peer.entries.happened import Author, Happened
from peer.storage import acts, burying, deletions, feeds, groups, messages
from peer.storage.database import Connection
from peer.storage.deletions import DeletionRow
from peer.storage.feeds import FeedRow
from protocol import limits
from protocol.act_bodies import EDITED, Deleted, Edited
from protocol.acts import may_delete, who_deleted
from protocol.entries import BODIES, Attachment, Entry, Text, read_header
from protocol.identity import EntryHash, EntryId, FeedId, UserId
from protocol.membership import Membership
from protocol.replication import add_number, at_most, subtract

_MESSAGES = frozenset({BODIES.number_of(Text), BODIES.number_of(Attachment)})
_CAN_GO = _MESSAGES | {EDITED}
"""What can be deleted; who is friends with whom and who belongs to a group cannot."""


class DeletionFolder:
    """Folds deletions into one conversation."""

    def __init__(self, connection: Connection, author: Author, happened: Happened) -> None:
        self._connection = connection
        self._me = author.user
        self._happened = happened
        self._conversation = happened.conversation.row

    def take_deletion(self, feed: FeedRow, entry: Entry, body: Deleted) -> None:
        """Keep a deletion, and let what it takes back be gone."""
        self._happened.has_deletions = True
        deletions.put_deletion(self._connection, feed, entry, body)
        for place in (body.message, *body.edits):
            self._settle(place.feed, place.number, place.hash)
        self._settle_messages((body.target,))

    def has_gone(self, feed: FeedRow, entry: Entry) -> bool:
        """Let the body of an entry that has just come be gone, if it was deleted before; tell whether it was."""
        if entry.header.kind not in _CAN_GO or not self._are_there():
            return False
        if self._settle(feed.feed, entry.header.number, entry.hash):
            return True
        match entry.body:
            case Text(entry_id=target) | Attachment(entry_id=target):
                deleters = self._deleters(target, feed.author)
                if deleters:
                    self._erase(feed.feed, entry.header.number, is_named=False)
                    self._bury(feed.feed, entry.header.number, target, deleters)
                return bool(deleters)
            case Edited(target=target):
                is_gone = bool(self._deleters(target, feed.author))
                if is_gone:
                    self._erase(feed.feed, entry.header.number, is_named=False)
                return is_gone
            case _:
                return False

    def revive(self, entry: EntryId, author: UserId) -> None:
        """Make room for a message whose deletion does not count any more: its content has come again."""
        if self._are_there():
            burying.unbury(self._connection, entry, author)

    def _are_there(self) -> bool:
        """Tell whether anything was ever deleted here; asked once for a whole batch."""
        if self._happened.has_deletions is None:
            self._happened.has_deletions = deletions.are_there(self._connection, self._conversation)
        return self._happened.has_deletions

    def fall_out(self, feed: FeedRow, number: int) -> None:
        """Let go the deletions that stood in a feed from a number on: it was closed there."""
        for place in deletions.forget_deletions(self._connection, feed.row, number):
            self._settle(place.feed, place.number, place.hash, was_named=True)
        self._happened.must_judge_again = True

    def judge_again(self) -> None:
        """Find out anew what is gone: who belongs to the group, or where a feed ends, is not what it was."""
        for place in deletions.all_places(self._connection, self._conversation):
            self._settle(place.feed, place.number, place.hash)
        self._settle_messages(deletions.all_targets(self._connection, self._conversation))

    def _settle(self, name: FeedId, number: int, header: EntryHash, *, was_named: bool = False) -> bool:
        """Let what stands at a place be gone, if a deletion that counts names it; tell whether one does."""
        feed = self._feed(name)
        if feed is None or number > feed.line.head:
            return False
        if feeds.hash_at(self._connection, feed.row, number) != header:
            return False
        held = feeds.wire_entry_at(self._connection, feed, number)
        kind = read_header(held.header).kind
        if kind not in _CAN_GO:
            return False
        rows = deletions.naming(self._connection, self._conversation, header)
        counting = [row for row in rows if self._counts(row, feed.author)]
        if not counting:
            if held.body is None and (rows or was_named):
                self._lack(feed, number, is_lacking=True)
            return False
        self._erase(name, number, is_named=True)
        of_message = [row for row in counting if row.is_of_message]
        if kind in _MESSAGES and of_message:
            target = min(row.target for row in of_message)
            self._bury(name, number, target, [row.author for row in of_message])
        return True

    def _settle_messages(self, targets: Collection[EntryId]) -> None:
        """Let messages be gone wherever they stand, and their edits, if a deletion of them counts."""
        if not targets:
            return
        for target in targets:
            self._settle_message(target)
        # Written again while the first writing still counted, a message stands twice; the first may fall out later.
        for target, place in burying.places_in_several_feeds(self._connection, self._conversation, targets):
            deleters = self._deleters(target, place.author)
            if deleters:
                self._erase_unnamed(place.feed, place.number)
                self._bury(place.feed, place.number, target, deleters)

    def _settle_message(self, target: EntryId) -> None:
        """Let a message be gone where it is shown, and its edits.

        Edits go also where the message is not known, since it is withheld, or was written anew elsewhere.
        """
        for editor in acts.editors_of(self._connection, self._conversation, target):
            if self._deleters(target, editor):
                for edit in acts.edits_of(self._connection, self._conversation, target, editor):
                    self._erase_unnamed(edit.feed, edit.number)
        place = burying.find_place(self._connection, self._conversation, target)
        if place is None:
            return
        deleters = self._deleters(target, place.author)
        if not deleters:
            return
        self._erase_unnamed(place.feed, place.number)
        self._bury(place.feed, place.number, target, deleters, counts=False)
        deletions.erase_orphans(self._connection, self._conversation, place.author, target)

    def _deleters(self, target: EntryId, owner: UserId) -> list[UserId]:
        rows = deletions.of_target(self._connection, self._conversation, target)
        return [row.author for row in rows if self._counts(row, owner)]

    def _counts(self, deletion: DeletionRow, owner: UserId) -> bool:
        """Tell whether a deletion counts for what `owner` wrote."""
        if deletion.ended is not None and deletion.number > deletion.ended:
            return False
        if may_delete(owner, deletion.author, by_manager=False):
            return True
        by_manager = self._happened.conversation.user is None and self._group().manages(
            deletion.author, deletion.feed, deletion.number
        )
        return may_delete(owner, deletion.author, by_manager=by_manager)

    # --- what goes ---------------------------------------------------------------------------

    def _erase_unnamed(self, name: FeedId, number: int) -> None:
        """Erase what no deletion names: one that was written by who had not seen it, or that names another place."""
        feed = self._feed(name)
        header = feeds.hash_at(self._connection, feed.row, number) if feed is not None else None
        if feed is not None and header is not None and not self._settle(name, number, header):
            self._erase(name, number, is_named=False)

    def _erase(self, name: FeedId, number: int, *, is_named: bool) -> None:
        feed = self._feed(name)
        assert feed is not None
        if deletions.erase_body(self._connection, feed.row, number):
            self._happened.erased.append((feed.row, number))
        self._lack(feed, number, is_lacking=not is_named)

    def _lack(self, feed: FeedRow, number: int, *, is_lacking: bool) -> None:
        """Say that a body is to come, or that none is."""
        if is_lacking:
            lacking = at_most(add_number(feed.line.lacking, number), limits.LACKING_RANGES)
        else:
            lacking = subtract(feed.line.lacking, ((number, number),))
        if lacking != feed.line.lacking:
            changed = feeds.with_lacking(feed, lacking)
            self._happened.feeds[feed.feed] = changed
            feeds.save_head(self._connection, changed)

    def _bury(
        self, name: FeedId, number: int, target: EntryId, deleters: Iterable[UserId], *, counts: bool = True
    ) -> None:
        """Leave nothing of a message but its place: this one, unless it is known only that it stood here once."""
        feed = self._feed(name)
        assert feed is not None
        by = who_deleted(feed.author, deleters)
        buried = burying.bury(self._connection, feed, number, target, by)
        row = self._place(feed, number, target, by, is_known=bool(buried)) if counts else None
        if row is not None:
            self._happened.messages.append(row)
        for entry in buried:
            self._happened.acted_upon[entry] = None
            for reply in messages.replies_to(self._connection, self._conversation, entry):
                self._happened.acted_upon[reply] = None
        # It may have counted as unread.
        self._happened.is_reordered |= bool(buried)

    def _place(
        self, feed: FeedRow, number: int, target: EntryId, by: UserId, *, is_known: bool
    ) -> messages.MessageRow | None:
        """Show where a buried message stood; None if that is shown already, or not to be."""
        if not self._is_for_us(feed, number):
            return None
        row = burying.bring_back(self._connection, feed, number, target)
        if row is not None or is_known:
            return row
        header = read_header(feeds.wire_entry_at(self._connection, feed, number).header)
        return burying.add_buried(self._connection, feed, number, target, by, header.stamp, self._me)

    def _is_for_us(self, feed: FeedRow, number: int) -> bool:
        if self._happened.conversation.user is not None:
            return True
        group = self._group()
        end = group.end_of(feed.author, feed.feed)
        return group.may_have(self._me, feed.feed, number) and (end is None or number <= end)

    def _feed(self, name: FeedId) -> FeedRow | None:
        known = self._happened.feeds.get(name)
        return known or feeds.find_feed(self._connection, self._conversation, name)

    def _group(self) -> Membership:
        if self._happened.known_group is None:
            self._happened.known_group = groups.membership_in(self._connection, self._conversation)
        return self._happened.known_group
