"""What was taken back for everybody, whether or not it is there, and the bodies that are gone by that."""

from dataclasses import dataclass
from typing import cast

from peer.storage.database import Connection, Row
from peer.storage.feeds import FeedRow
from protocol.act_bodies import Deleted, Edited
from protocol.entries import BODIES, Attachment, Entry, Text, read_header
from protocol.identity import EntryHash, EntryId, FeedId, UserId


@dataclass(frozen=True, slots=True)
class DeletionRow:
    """An entry that takes a message back: who wrote it, where it stands."""

    author: UserId
    feed: FeedId
    number: int
    ended: int | None
    """Where its feed has ended, if it has."""
    target: EntryId
    is_of_message: bool = True
    """Where it was found by a header that it names: whether that is the message, not one of its edits."""


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A header that a deletion names."""

    hash: EntryHash
    feed: FeedId
    number: int


_COLUMNS = "deletion.author, feed.feed, deletion.number, feed.ended, deletion.target"
_FROM = "FROM deletion JOIN feed ON feed.id = deletion.feed"


def put_deletion(connection: Connection, feed: FeedRow, entry: Entry, body: Deleted) -> None:
    """Keep a deletion, and what it names."""
    number = entry.header.number
    connection.execute(
        "INSERT INTO deletion VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (feed.row, number, feed.conversation, bytes(body.target), str(feed.author)),
    )
    connection.executemany(
        "INSERT INTO deleted_place VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (bytes(place.hash), feed.row, number, bytes(place.feed), place.number, place is body.message)
            for place in (body.message, *body.edits)
        ],
    )


def forget_deletions(connection: Connection, feed: int, number: int) -> list[NamedPlace]:
    """Let go what fell out of a closed feed, from a number on; return the headers that it named."""
    rows = connection.execute(
        "SELECT hash, named_feed, named_number FROM deleted_place WHERE feed = ? AND number >= ?", (feed, number)
    )
    named = [_named(row) for row in rows]
    connection.execute("DELETE FROM deleted_place WHERE feed = ? AND number >= ?", (feed, number))
    connection.execute("DELETE FROM deletion WHERE feed = ? AND number >= ?", (feed, number))
    return named


def are_there(connection: Connection, conversation: int) -> bool:
    """Tell whether anything was ever deleted in a conversation, or is shown as deleted."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM deletion WHERE conversation = ?)"
        " OR EXISTS (SELECT 1 FROM message WHERE kind = 'deleted')",
        (conversation,),
    ).fetchone()
    return row is not None and bool(row[0])


def naming(connection: Connection, conversation: int, header: EntryHash) -> list[DeletionRow]:
    """Return the deletions that name a header."""
    rows = connection.execute(
        f"SELECT {_COLUMNS}, deleted_place.is_message {_FROM} JOIN deleted_place USING (feed, number)"
        " WHERE deleted_place.hash = ? AND deletion.conversation = ?",
        (bytes(header), conversation),
    )
    return [_deletion(row[:-1], is_of_message=bool(row[-1])) for row in rows]


def of_target(connection: Connection, conversation: int, target: EntryId) -> list[DeletionRow]:
    """Return the deletions of a message."""
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE deletion.conversation = ? AND deletion.target = ?"
    return [_deletion(row) for row in connection.execute(sql, (conversation, bytes(target)))]


def all_targets(connection: Connection, conversation: int) -> list[EntryId]:
    """Return everything that somebody wanted deleted."""
    rows = connection.execute("SELECT DISTINCT target FROM deletion WHERE conversation = ?", (conversation,))
    return [EntryId(cast("bytes", row[0])) for row in rows]


def all_places(connection: Connection, conversation: int) -> list[NamedPlace]:
    """Return every header that a deletion names."""
    rows = connection.execute(
        "SELECT DISTINCT deleted_place.hash, named_feed, named_number FROM deleted_place"
        " JOIN deletion USING (feed, number) WHERE deletion.conversation = ?",
        (conversation,),
    )
    return [_named(row) for row in rows]


def erase_body(connection: Connection, feed: int, number: int) -> bool:
    """Let the body of an entry be gone; tell whether it was there."""
    sql = "UPDATE entry SET body = NULL WHERE feed = ? AND number = ? AND body IS NOT NULL"
    return bool(connection.execute(sql, (feed, number)).rowcount)


def erase_orphans(connection: Connection, conversation: int, author: UserId, target: EntryId) -> None:
    """Let the bodies of a message and its edits be gone from what fell out of closed feeds."""
    rows = connection.execute(
        "SELECT orphan.feed, orphan.hash, orphan.header, orphan.body FROM orphan JOIN feed ON feed.id = orphan.feed"
        " WHERE feed.conversation = ? AND feed.author = ? AND orphan.body IS NOT NULL",
        (conversation, str(author)),
    ).fetchall()
    for feed, name, header, content in rows:
        match BODIES.decode_body(read_header(cast("bytes", header)).kind, cast("bytes", content)):
            case Text(entry_id=entry) | Attachment(entry_id=entry) | Edited(target=entry) if entry == target:
                connection.execute("UPDATE orphan SET body = NULL WHERE feed = ? AND hash = ?", (feed, name))


def _named(row: Row) -> NamedPlace:
    name, feed, number = row
    return NamedPlace(EntryHash(cast("bytes", name)), FeedId(cast("bytes", feed)), cast("int", number))


def _deletion(row: Row, *, is_of_message: bool = True) -> DeletionRow:
    author, feed, number, ended, target = row
    return DeletionRow(
        author=UserId(cast("str", author)),
        feed=FeedId(cast("bytes", feed)),
        number=cast("int", number),
        ended=cast("int | None", ended),
        target=EntryId(cast("bytes", target)),
        is_of_message=is_of_message,
    )
