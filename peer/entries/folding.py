"""What the screen shows, folded from entries as they are kept. Runs on the storage thread, in the same write job."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from peer.entries.act_folding import ActFolder
from peer.entries.deleting import DeletionFolder
from peer.entries.happened import Author, Happened, incarnation
from peer.storage import acts, feeds, groups, messages
from peer.storage.acts import Matter
from peer.storage.database import Connection
from peer.storage.feeds import FeedRow
from peer.storage.hiding import hide_fallen, show_up_to
from protocol.act_bodies import Deleted, Edited, Reacted
from protocol.call_bodies import Called
from protocol.entries import CONSENT_BODIES, Accepted, Asked, Attachment, Entry, Text, read_entry
from protocol.group_bodies import MembershipBody
from protocol.identity import FeedId, clean_display_name
from protocol.membership import Membership

log = logging.getLogger(__name__)


def fold_in(connection: Connection, author: Author, happened: Happened, feed: FeedRow, entry: Entry) -> None:
    """Bring what the screen shows up to date with an entry that was just kept; `finish` must follow."""
    conversation, mine = happened.conversation, feed.author == author.user
    deleting = DeletionFolder(connection, author, happened)
    if deleting.has_gone(feed, entry):
        return
    _note_writer(happened, feed, entry, mine=mine)
    match entry.body:
        case Text() | Attachment():
            deleting.revive(entry.body.entry_id, feed.author)
            _show(connection, author, happened, feed, entry, entry.body)
        case Called():
            _show(connection, author, happened, feed, entry, entry.body)
        case Edited() | Reacted() as body:
            ActFolder(connection, conversation.row, happened.acted_upon).take_act(feed, entry, body)
        case Deleted() as body:
            deleting.take_deletion(feed, entry, body)
        case body if isinstance(body, CONSENT_BODIES):
            if messages.add_consent(connection, conversation.row, entry, body, feed.stamp, by_me=mine):
                happened.said = messages.consent_in(connection, conversation.row)
                if isinstance(body, Asked | Accepted) and not mine:
                    happened.names[feed.author] = _fit_to_show(body.name)
        case MembershipBody() if conversation.user is None:
            groups.add_act(connection, feed, entry)
            _show(connection, author, happened, feed, entry, entry.body)
            _fold_group(connection, author, happened)
        case _:
            log.debug("an entry of kind %#06x has nothing for the screen", entry.header.kind)


def _note_writer(happened: Happened, feed: FeedRow, entry: Entry, *, mine: bool) -> None:
    if isinstance(entry.body, Text | Attachment | Edited) and not mine:
        happened.writers.add(feed.author)


def _show(
    connection: Connection,
    author: Author,
    happened: Happened,
    feed: FeedRow,
    entry: Entry,
    body: Text | Attachment | MembershipBody | Called,
) -> None:
    row = happened.conversation.row
    found = messages.add_message(connection, row, feed.row, entry, body, feed.author, feed.stamp, author.user)
    if found is None:
        return
    message, is_new = found
    if happened.fallen.pop(message.entry, None) is not None or not is_new:
        # It is known on the screen: nobody was told that it had gone, or it is another one's turn to count.
        happened.acted_upon[message.entry] = None
    else:
        happened.messages.append(message)
    ActFolder(connection, row, happened.acted_upon).take_message(message)


def _fold_group(connection: Connection, author: Author, happened: Happened) -> None:
    """Find out who belongs to a group, and let feeds of those who went end where they end, for good; ours, too."""
    conversation = happened.conversation
    group = happened.group = happened.known_group = groups.membership_in(connection, conversation.row)
    ends = {
        row.row: end
        for row in feeds.feeds_of(connection, conversation.row)
        if (end := group.end_of(row.author, row.feed)) is not None
    }
    hidden, shown = show_up_to(connection, conversation.row, ends)
    gone, never_told = {row.entry for row in hidden}, {row.entry for row in happened.messages}
    happened.messages = [row for row in happened.messages if row.entry not in gone] + shown
    happened.hidden += [row for row in hidden if row.entry not in never_told]
    happened.is_reordered |= bool(hidden or shown)
    mine = feeds.find_feed(connection, conversation.row, FeedId.of(author.key.device, conversation.incarnation))
    if mine is not None and mine.row in ends:
        renew(connection, happened)


def renew(connection: Connection, happened: Happened) -> None:
    """Write our own entries of this conversation to a new feed from now on."""
    fresh = incarnation()
    feeds.set_incarnation(connection, happened.conversation.row, fresh)
    happened.conversation = replace(happened.conversation, incarnation=fresh)


def fall_out(connection: Connection, author: Author, happened: Happened, feed: FeedRow, number: int) -> None:
    """Let go what stood in a feed from a number on: it was closed there. What stands elsewhere, too, stays shown."""
    fallen = hide_fallen(connection, feed.row, number)
    happened.fallen |= {row.entry: row for row in fallen}
    happened.is_reordered = True
    matters = acts.matters_beyond(connection, feed.row, number - 1)
    acts.forget_acts(connection, feed.row, number)
    ActFolder(connection, happened.conversation.row, happened.acted_upon).find_last(matters)
    DeletionFolder(connection, author, happened).fall_out(feed, number)
    conversation = happened.conversation.row
    if groups.forget_acts(connection, feed.row, number):
        _fold_group(connection, author, happened)
    names = [row.entry for row in fallen]
    for name, place in feeds.places_of(connection, conversation, feed.author, names) if names else ():
        there = feeds.find_feed(connection, conversation, name)
        assert there is not None
        fold_in(connection, author, happened, there, read_entry(feeds.wire_entry_at(connection, there, place)))


def finish(connection: Connection, author: Author, happened: Happened) -> Happened:
    """Return what happened, with all messages as they are at the end of the write."""
    folder = ActFolder(connection, happened.conversation.row, happened.acted_upon)
    if happened.group is not None:
        _end_acts(connection, author, happened, happened.group, folder)
    if happened.must_judge_again:
        DeletionFolder(connection, author, happened).judge_again()
    never_told = {row.entry for row in happened.messages} & happened.fallen.keys()
    happened.messages = [row for row in happened.messages if row.entry not in never_told]
    happened.hidden += [row for entry, row in happened.fallen.items() if entry not in never_told]
    new = {row.entry for row in happened.messages}
    happened.messages = [folder.find(row.entry) or row if _is_more(row, happened) else row for row in happened.messages]
    happened.changed = [row for entry in happened.acted_upon if entry not in new and (row := folder.find(entry))]
    if happened.is_reordered:
        happened.newest = messages.newest_in(connection, happened.conversation.row, author.user)
    return happened


def _end_acts(connection: Connection, author: Author, happened: Happened, group: Membership, folder: ActFolder) -> None:
    """Remember where feeds end now, and who managed the group: other words may be the last, other deletions count.

    What was deleted also has other places to be shown at, if other content is ours to see.
    """
    matters: set[Matter] = set()
    before = happened.group_before or Membership()
    happened.must_judge_again |= before.managed != group.managed
    happened.must_judge_again |= _may_see(before, author) != _may_see(group, author)
    for feed, known in feeds.ends_in(connection, happened.conversation.row):
        end = group.end_of(feed.author, feed.feed)
        if end != known:
            feeds.put_end(connection, feed.row, end)
            matters |= acts.matters_beyond(connection, feed.row, min(each for each in (end, known) if each is not None))
            happened.must_judge_again = True
    folder.find_last(matters)


def _may_see(group: Membership, author: Author) -> tuple[bool, Mapping[FeedId, int] | None]:
    """Return whether we are in a group, and what is withheld from us there."""
    return author.user in group.members, group.withheld.get(author.user)


def _is_more(row: messages.MessageRow, happened: Happened) -> bool:
    """Tell whether a new message shows more than what its own entry says."""
    return row.reply_to is not None or row.entry in happened.acted_upon


def _fit_to_show(name: str) -> str:
    """Return a friend's name without what could reorder the text beside it; nothing if nothing is left."""
    try:
        return clean_display_name(name)
    except ValueError:
        return ""
