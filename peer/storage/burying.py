"""Messages that were deleted for everybody: nothing is left of them but their places."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from peer.storage import messages
from peer.storage.database import Connection
from peer.storage.feeds import FeedRow
from peer.storage.hiding import BY_PERSON
from peer.storage.messages import MessageRow
from protocol.identity import EntryId, FeedId, UserId
from protocol.stamps import display_stamp


@dataclass(frozen=True, slots=True)
class MessagePlace:
    """Where a message stands, shown or not, and whose it is."""

    feed: FeedId
    number: int
    author: UserId


def find_place(connection: Connection, conversation: int, entry: EntryId) -> MessagePlace | None:
    """Return where a message of a conversation stands; what happened to a group, or that there was a call, is none."""
    row = connection.execute(
        "SELECT feed.feed, message.number, message.author FROM message JOIN feed ON feed.id = message.feed"  # noqa: S608
        f" WHERE message.entry = ? AND message.conversation = ? AND message.{messages.NO_EVENTS}",
        (bytes(entry), conversation),
    ).fetchone()
    if row is None:
        return None
    return MessagePlace(FeedId(cast("bytes", row[0])), cast("int", row[1]), UserId(cast("str", row[2])))


def places_in_several_feeds(
    connection: Connection, conversation: int, entries: Collection[EntryId]
) -> list[tuple[EntryId, MessagePlace]]:
    """Return where messages count whose authors have several feeds, those of lower hashes first.

    Only these can stand twice. It goes through all that they wrote: no index is paid for with every message.
    """
    wanted = {bytes(entry) for entry in entries}
    rows = connection.execute(
        "SELECT entry.entry, feed.feed, entry.number, feed.author FROM entry JOIN feed ON feed.id = entry.feed"
        " WHERE feed.conversation = ?1 AND entry.entry IS NOT NULL AND feed.author IN"
        " (SELECT author FROM feed WHERE conversation = ?1 GROUP BY author HAVING count(*) > 1) ORDER BY entry.hash",
        (conversation,),
    )
    found = cast("list[tuple[bytes, bytes, int, str]]", rows.fetchall())
    return [
        (EntryId(name), MessagePlace(FeedId(feed), number, UserId(author)))
        for name, feed, number, author in found
        if name in wanted
    ]


def bury(connection: Connection, feed: FeedRow, number: int, entry: EntryId, by: UserId) -> list[EntryId]:
    """Leave nothing of a message but its place; return what it was called here.

    It is found by its place and by its name: both are the same unless its author lied.
    """
    rows = connection.execute(
        "UPDATE message SET kind = ?, text = '', mentions = x'90', edited = NULL, reply_to = NULL, deleted_by = ?,"  # noqa: S608
        " seen = 1 WHERE conversation = ? AND author = ? AND (entry = ? OR (feed = ? AND number = ?))"
        f" AND {messages.NO_EVENTS} RETURNING entry",
        (messages.DELETED, str(by), feed.conversation, str(feed.author), bytes(entry), feed.row, number),
    ).fetchall()
    return [EntryId(cast("bytes", row[0])) for row in rows]


def add_buried(
    connection: Connection, feed: FeedRow, number: int, entry: EntryId, by: UserId, stamp: int, me: UserId
) -> MessageRow | None:
    """Keep the place of a message that was deleted before its content came; None if its name is another's."""
    before = connection.execute(
        "SELECT max(stamp) FROM message WHERE feed = ? AND number < ?", (feed.row, number)
    ).fetchone()
    shown = display_stamp(stamp, feed.stamp, cast("int", before[0]) if before and before[0] is not None else 0)
    connection.execute(
        "INSERT INTO message (entry, conversation, feed, number, author, mine, kind, text, stamp, seen, deleted_by)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, 1, ?) ON CONFLICT DO NOTHING",
        (
            bytes(entry),
            feed.conversation,
            feed.row,
            number,
            str(feed.author),
            feed.author == me,
            messages.DELETED,
            shown,
            str(by),
        ),
    )
    row = messages.find_message(connection, entry)
    return row if row is not None and row.author == feed.author else None


def bring_back(connection: Connection, feed: FeedRow, number: int, entry: EntryId) -> MessageRow | None:
    """Let the place of a message that fell out of a closed feed be here from now on; None if it did not fall out."""
    found = connection.execute(
        "UPDATE message SET feed = ?, number = ?, hidden = hidden & ~?"
        " WHERE entry = ? AND author = ? AND hidden & ? <> 0 RETURNING entry",
        (feed.row, number, messages.FALLEN_OUT, bytes(entry), str(feed.author), messages.FALLEN_OUT),
    ).fetchone()
    return messages.find_message(connection, entry) if found is not None else None


def unbury(connection: Connection, entry: EntryId, author: UserId) -> None:
    """Forget the place of a message whose deletion does not count any more: its content has come again."""
    connection.execute(
        "DELETE FROM message WHERE entry = ? AND author = ? AND kind = ?", (bytes(entry), str(author), messages.DELETED)
    )


def hide(connection: Connection, entry: EntryId) -> None:
    """Show a message no more on this device, whatever becomes of it."""
    connection.execute("UPDATE message SET hidden = hidden | ?, seen = 1 WHERE entry = ?", (BY_PERSON, bytes(entry)))
