"""What was said about messages: of each person the last word, whether or not the message is there yet."""

from typing import cast

from peer.storage.database import Connection
from peer.storage.feeds import FeedRow
from protocol.act_bodies import EDITED, Edited, Reacted
from protocol.acts import Act, emoji_of
from protocol.entries import BODIES, Body, Entry, read_header
from protocol.identity import EntryId, FeedId, UserId


def put_act(connection: Connection, feed: FeedRow, entry: Entry, body: Edited | Reacted) -> bool:
    """Keep a word unless a later one of the same person is kept; tell whether it was news.

    The same rule as `protocol.acts.outdates`. An entry that its author wrote again only moves to its new place.
    """
    cursor = connection.execute(
        "INSERT INTO act VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (conversation, target, kind, author)"
        " DO UPDATE SET revision = excluded.revision, entry = excluded.entry, feed = excluded.feed,"
        " number = excluded.number, stamp = excluded.stamp, emoji = excluded.emoji"
        " WHERE (excluded.revision, excluded.entry) >= (act.revision, act.entry)",
        (
            feed.conversation,
            bytes(body.target),
            entry.header.kind,
            str(feed.author),
            body.revision,
            bytes(body.entry_id),
            feed.row,
            entry.header.number,
            entry.header.stamp,
            emoji_of(body) if isinstance(body, Reacted) else "",
        ),
    )
    return bool(cursor.rowcount)


def last_revision(connection: Connection, conversation: int, target: EntryId, kind: int, author: UserId) -> int:
    """Return the revision of somebody's last word about a message; 0 if there was none."""
    row = connection.execute(
        "SELECT revision FROM act WHERE conversation = ? AND target = ? AND kind = ? AND author = ?",
        (conversation, bytes(target), kind, str(author)),
    ).fetchone()
    return cast("int", row[0]) if row else 0


def edit_of(connection: Connection, conversation: int, target: EntryId, author: UserId) -> Act | None:
    """Return the last edit of a message by its author, if there is one and its entry is held."""
    row = connection.execute(
        "SELECT act.stamp, entry.body FROM act JOIN entry USING (feed, number)"
        " WHERE conversation = ? AND target = ? AND kind = ? AND author = ? AND entry.body IS NOT NULL",
        (conversation, bytes(target), EDITED, str(author)),
    ).fetchone()
    if row is None:
        return None
    body = BODIES.decode_body(EDITED, cast("bytes", row[1]))
    assert isinstance(body, Edited)
    return Act(author, cast("int", row[0]), body)


def is_acted_upon(connection: Connection, conversation: int, target: EntryId) -> bool:
    """Tell whether anything was said about a message."""
    sql = "SELECT 1 FROM act WHERE conversation = ? AND target = ? LIMIT 1"
    return connection.execute(sql, (conversation, bytes(target))).fetchone() is not None


def body_at(connection: Connection, conversation: int, feed: FeedId, number: int) -> Body | None:
    """Return the body at a place of a feed, if it is there."""
    row = connection.execute(
        "SELECT header, body FROM entry JOIN feed ON feed.id = entry.feed"
        " WHERE feed.conversation = ? AND feed.feed = ? AND number = ?",
        (conversation, bytes(feed), number),
    ).fetchone()
    if row is None or row[1] is None:
        return None
    body = BODIES.decode_body(read_header(cast("bytes", row[0])).kind, cast("bytes", row[1]))
    return body if isinstance(body, Body) else None
