"""What was said about messages, whether or not the message is there: each word, and which is the last of its person."""

from collections.abc import Iterable
from typing import NamedTuple, cast

from peer.storage.database import Connection
from peer.storage.feeds import FeedRow
from protocol.act_bodies import EDITED, Edited, Reacted
from protocol.acts import Act, emoji_of
from protocol.entries import BODIES, Body, Entry, read_header
from protocol.identity import EntryHash, EntryId, FeedId, UserId

_WEIGHT = "act.revision, act.entry, act.hash"
"""The same order as `protocol.acts.outdates`; equal ones are told apart by their headers."""
_WEIGHT_DOWN = "act.revision DESC, act.entry DESC, act.hash DESC"
_MATTER = "WHERE act.conversation = ? AND act.target = ? AND act.kind = ? AND act.author = ?"
_LAST = f"FROM act {_MATTER} AND is_last = 1"
_WITH_FEEDS = f"FROM act JOIN feed ON feed.id = act.feed {_MATTER}"
_WITH_ENTRIES = f"FROM act JOIN entry USING (feed, number) {_MATTER}"


class Matter(NamedTuple):
    """What one person says, in one kind of entry, about one message."""

    target: EntryId
    kind: int
    author: UserId


class ActPlace(NamedTuple):
    """Where an entry about a message stands, in which feed row, and the same as it travels."""

    row: int
    feed: FeedId
    number: int
    hash: EntryHash


def put_act(connection: Connection, feed: FeedRow, entry: Entry, body: Edited | Reacted) -> bool:
    """Keep a word; tell whether it is the last of its person in this matter."""
    matter = Matter(body.target, entry.header.kind, feed.author)
    # It may have been kept before, and its body have been gone meanwhile.
    connection.execute("DELETE FROM act WHERE feed = ? AND number = ?", (feed.row, entry.header.number))
    last = connection.execute(f"SELECT {_WEIGHT} {_LAST}", (feed.conversation, *_kept(matter))).fetchone()
    weight = (body.revision, bytes(body.entry_id), bytes(entry.hash))
    is_last = last is None or weight > cast("tuple[int, bytes, bytes]", last)
    if is_last and last is not None:
        _forget_last(connection, feed.conversation, matter)
    connection.execute(
        "INSERT INTO act VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            feed.row,
            entry.header.number,
            feed.conversation,
            *_kept(matter),
            *weight,
            entry.header.stamp,
            emoji_of(body) if isinstance(body, Reacted) else "",
            is_last,
        ),
    )
    return is_last


def matters_beyond(connection: Connection, feed: int, number: int) -> set[Matter]:
    """Return what was said about messages in a feed after a number."""
    rows = connection.execute(
        "SELECT DISTINCT target, kind, author FROM act WHERE feed = ? AND number > ?", (feed, number)
    )
    return {
        Matter(EntryId(cast("bytes", target)), cast("int", kind), UserId(cast("str", author)))
        for target, kind, author in rows
    }


def forget_acts(connection: Connection, feed: int, number: int) -> None:
    """Let go what fell out of a closed feed, from a number on."""
    connection.execute("DELETE FROM act WHERE feed = ? AND number >= ?", (feed, number))


def find_last(connection: Connection, conversation: int, matter: Matter) -> None:
    """Find out anew which word is the last, because feeds ended, or do so no more."""
    _forget_last(connection, conversation, matter)
    row = connection.execute(
        f"SELECT act.feed, act.number {_WITH_FEEDS} AND (feed.ended IS NULL OR act.number <= feed.ended)"
        f" ORDER BY {_WEIGHT_DOWN} LIMIT 1",
        (conversation, *_kept(matter)),
    ).fetchone()
    if row is not None:
        connection.execute("UPDATE act SET is_last = 1 WHERE feed = ? AND number = ?", row)


def last_revision(connection: Connection, conversation: int, matter: Matter) -> int:
    """Return the revision of somebody's last word in a matter; 0 if there was none."""
    row = connection.execute(f"SELECT revision {_LAST}", (conversation, *_kept(matter))).fetchone()
    return cast("int", row[0]) if row else 0


def edit_of(connection: Connection, conversation: int, target: EntryId, author: UserId) -> Act | None:
    """Return the last edit of a message by its author, if there is one and its body is held."""
    row = connection.execute(
        f"SELECT act.stamp, entry.body {_WITH_ENTRIES} AND is_last = 1 AND entry.body IS NOT NULL",
        (conversation, *_kept(Matter(target, EDITED, author))),
    ).fetchone()
    if row is None:
        return None
    body = BODIES.decode_body(EDITED, cast("bytes", row[1]))
    assert isinstance(body, Edited)
    return Act(author, cast("int", row[0]), body)


def edits_of(connection: Connection, conversation: int, target: EntryId, author: UserId) -> list[ActPlace]:
    """Return where all edits of a message by its author stand, the newest first."""
    rows = connection.execute(
        f"SELECT act.feed, feed.feed, act.number, act.hash {_WITH_FEEDS} ORDER BY {_WEIGHT_DOWN}",
        (conversation, *_kept(Matter(target, EDITED, author))),
    )
    return [
        ActPlace(cast("int", row), FeedId(cast("bytes", feed)), cast("int", number), EntryHash(cast("bytes", name)))
        for row, feed, number, name in rows
    ]


def editors_of(connection: Connection, conversation: int, target: EntryId) -> list[UserId]:
    """Return who edited a message, or said so: only its author's edits count."""
    rows = connection.execute(
        "SELECT DISTINCT author FROM act WHERE conversation = ? AND target = ? AND kind = ?",
        (conversation, bytes(target), EDITED),
    )
    return [UserId(cast("str", row[0])) for row in rows]


def is_known_of(connection: Connection, conversation: int, entry: EntryId) -> tuple[bool, bool]:
    """Tell whether anything was said about a message, and whether anything answers it, in one question."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM act WHERE conversation = ? AND target = ?),"
        " EXISTS (SELECT 1 FROM message WHERE reply_to = ?)",
        (conversation, bytes(entry), bytes(entry)),
    ).fetchone()
    assert row is not None
    return bool(row[0]), bool(row[1])


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


def _kept(matter: Matter) -> Iterable[bytes | int | str]:
    return bytes(matter.target), matter.kind, str(matter.author)


def _forget_last(connection: Connection, conversation: int, matter: Matter) -> None:
    sql = "UPDATE act SET is_last = 0 WHERE conversation = ? AND target = ? AND is_last = 1 AND kind = ? AND author = ?"
    connection.execute(sql, (conversation, *_kept(matter)))
