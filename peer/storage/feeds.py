"""Feeds and their entries, what others hold of them, and what people were shown."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import cast

import msgspec

from peer.storage.database import Connection, Row, Value
from protocol import limits
from protocol.entries import Entry, WireEntry
from protocol.identity import ConversationId, DeviceId, EntryHash, EntryId, FeedId, PublicKey, UserId
from protocol.link_messages import Range, SignedHeader, VectorLine
from protocol.replication import add_number, at_most


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation as kept."""

    row: int
    conversation: ConversationId
    user: UserId | None
    incarnation: bytes


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed as kept: who writes it, and how far it is held."""

    row: int
    conversation: int
    author: UserId
    key: PublicKey
    certificate: bytes
    stamp: int
    line: VectorLine

    @property
    def feed(self) -> FeedId:
        """The feed's name on the wire."""
        return self.line.feed


_RANGES = msgspec.msgpack.Decoder(tuple[Range, ...])
_FEED_COLUMNS = "id, conversation, feed, author, key, certificate, head, head_hash, stamp, closed, lacking"


def pack_ranges(ranges: tuple[Range, ...]) -> bytes:
    """Return ranges as they are kept."""
    return msgspec.msgpack.encode(ranges)


def unpack_ranges(packed: Value) -> tuple[Range, ...]:
    """Return ranges as they were packed."""
    return _RANGES.decode(cast("bytes", packed))


# --- conversations ---------------------------------------------------------------------------


def all_conversations(connection: Connection) -> list[ConversationRow]:
    """Return every conversation of the account."""
    rows = connection.execute("SELECT id, conversation, user, incarnation FROM conversation")
    return [_conversation(row) for row in rows]


def find_conversation(connection: Connection, conversation: ConversationId) -> ConversationRow | None:
    """Return a conversation by its name on the wire."""
    sql = "SELECT id, conversation, user, incarnation FROM conversation WHERE conversation = ?"
    row = connection.execute(sql, (bytes(conversation),)).fetchone()
    return _conversation(row) if row else None


def ensure_conversation(
    connection: Connection, conversation: ConversationId, user: UserId | None, incarnation: bytes
) -> ConversationRow:
    """Return the conversation, made with this incarnation of our own feed if it was not there."""
    connection.execute(
        "INSERT INTO conversation (conversation, user, incarnation) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (bytes(conversation), user and str(user), incarnation),
    )
    found = find_conversation(connection, conversation)
    assert found is not None
    return found


def set_incarnation(connection: Connection, conversation: int, incarnation: bytes) -> None:
    """Write our own entries to a new feed from now on."""
    connection.execute("UPDATE conversation SET incarnation = ? WHERE id = ?", (incarnation, conversation))


def draft_of(connection: Connection, conversation: int) -> str:
    """Return what was being written here."""
    row = connection.execute("SELECT draft FROM conversation WHERE id = ?", (conversation,)).fetchone()
    return cast("str", row[0]) if row else ""


def put_draft(connection: Connection, conversation: int, draft: str) -> None:
    """Keep what is being written here; empty for nothing."""
    connection.execute("UPDATE conversation SET draft = ? WHERE id = ?", (draft, conversation))


def _conversation(row: Row) -> ConversationRow:
    number, conversation, user, incarnation = row
    return ConversationRow(
        row=cast("int", number),
        conversation=ConversationId(cast("bytes", conversation)),
        user=None if user is None else UserId(cast("str", user)),
        incarnation=cast("bytes", incarnation),
    )


# --- feeds -----------------------------------------------------------------------------------


def feeds_of(connection: Connection, conversation: int) -> list[FeedRow]:
    """Return the feeds of a conversation."""
    sql = f"SELECT {_FEED_COLUMNS} FROM feed WHERE conversation = ?"  # noqa: S608 - a constant list of columns
    return [_feed(row) for row in connection.execute(sql, (conversation,))]


def authors_in(connection: Connection, conversation: int) -> list[tuple[FeedId, UserId]]:
    """Return the feeds of a conversation and whose they are, and no more of them."""
    rows = connection.execute("SELECT feed, author FROM feed WHERE conversation = ?", (conversation,))
    return [(FeedId(cast("bytes", feed)), UserId(cast("str", author))) for feed, author in rows]


def find_feed(connection: Connection, conversation: int, feed: FeedId) -> FeedRow | None:
    """Return one feed of a conversation."""
    sql = f"SELECT {_FEED_COLUMNS} FROM feed WHERE conversation = ? AND feed = ?"  # noqa: S608 - as above
    row = connection.execute(sql, (conversation, bytes(feed))).fetchone()
    return _feed(row) if row else None


def name_of(connection: Connection, feed: int) -> FeedId:
    """Return a feed's name on the wire."""
    row = connection.execute("SELECT feed FROM feed WHERE id = ?", (feed,)).fetchone()
    assert row is not None
    return FeedId(cast("bytes", row[0]))


def add_feed(
    connection: Connection,
    conversation: int,
    author: UserId,
    key: PublicKey,
    certificate: bytes,
    entry: Entry,
    shown: int,
) -> FeedRow:
    """Begin a feed with its first entry, and return it."""
    feed, line = entry.header.feed, _line_after(entry, lacking=())
    cursor = connection.execute(
        "INSERT INTO feed (conversation, feed, author, key, certificate, head, head_hash, stamp, lacking)"
        " VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?)",
        (
            conversation,
            bytes(feed),
            str(author),
            bytes(key),
            certificate,
            bytes(entry.hash),
            shown,
            pack_ranges(line.lacking),
        ),
    )
    row = cursor.lastrowid
    _insert_entry(connection, row, entry)
    return FeedRow(row, conversation, author, key, certificate, shown, line)


def count_entries_of(connection: Connection, conversation: int, author: UserId) -> int:
    """Return how many entries of one person are held, in all their feeds of a conversation."""
    row = connection.execute(
        "SELECT count(*) FROM entry JOIN feed ON feed.id = entry.feed WHERE feed.conversation = ? AND feed.author = ?",
        (conversation, str(author)),
    ).fetchone()
    assert row is not None
    return cast("int", row[0])


def append_entry(connection: Connection, feed: FeedRow, entry: Entry, shown: int) -> FeedRow:
    """Add the next entry of a feed, and return the feed as it is now; `save_head` must follow."""
    _insert_entry(connection, feed.row, entry)
    return _moved(feed, _line_after(entry, lacking=feed.line.lacking), shown)


def save_head(connection: Connection, feed: FeedRow) -> None:
    """Keep how far a feed is held, after one or many entries were appended."""
    line = feed.line
    connection.execute(
        "UPDATE feed SET head = ?, head_hash = ?, stamp = ?, lacking = ? WHERE id = ?",
        (line.head, bytes(line.head_hash), feed.stamp, pack_ranges(line.lacking), feed.row),
    )


def add_body(connection: Connection, feed: FeedRow, entry: Entry, lacking: tuple[Range, ...]) -> FeedRow:
    """Fill in a body that was absent; `lacking` is what is absent after it."""
    connection.execute(
        "UPDATE entry SET body = ?, entry = ? WHERE feed = ? AND number = ?",
        (entry.wire.body, _entry_id(entry), feed.row, entry.header.number),
    )
    connection.execute("UPDATE feed SET lacking = ? WHERE id = ?", (pack_ranges(lacking), feed.row))
    return _moved(feed, msgspec.structs.replace(feed.line, lacking=lacking), feed.stamp)


def close_feed(connection: Connection, feed: FeedRow, winner: Entry, loser: Entry) -> FeedRow:
    """End a feed at the number of two contradicting headers, with the one that counts; keep the proof.

    What stood in the feed from that number on becomes orphaned; the author writes it again, under the same entry IDs,
    in a new feed.
    """
    number = winner.header.number
    connection.execute(
        "INSERT INTO orphan (feed, hash, number, header, signature, body)"
        " SELECT feed, hash, number, header, signature, body FROM entry WHERE feed = ? AND number >= ? AND hash <> ?"
        " ON CONFLICT DO NOTHING",
        (feed.row, number, bytes(winner.hash)),
    )
    connection.execute("DELETE FROM entry WHERE feed = ? AND number >= ?", (feed.row, number))
    connection.execute(
        "INSERT INTO entry (feed, number, hash, header, signature, body, entry) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            feed.row,
            number,
            bytes(winner.hash),
            winner.wire.header,
            winner.wire.signature,
            winner.wire.body,
            _entry_id(winner),
        ),
    )
    lacking = tuple((first, min(last, number - 1)) for first, last in feed.line.lacking if first < number)
    if winner.wire.body is None:
        lacking = add_number(lacking, number)
    connection.execute(
        "UPDATE feed SET head = ?, head_hash = ?, closed = 1, lacking = ? WHERE id = ?",
        (number, bytes(winner.hash), pack_ranges(lacking), feed.row),
    )
    connection.execute(
        "INSERT OR REPLACE INTO equivocation VALUES (?, ?, ?, ?, ?)",
        (feed.row, winner.wire.header, winner.wire.signature, loser.wire.header, loser.wire.signature),
    )
    line = VectorLine(feed.feed, 1, number, winner.hash, closed=True, lacking=lacking)
    return _moved(feed, line, feed.stamp)


def without_head_body(connection: Connection, feed: FeedRow) -> FeedRow:
    """Let the body of a feed's last entry be absent, if it is not yet, and return the feed as it is now."""
    connection.execute(
        "UPDATE entry SET body = NULL, entry = NULL WHERE feed = ? AND number = ?", (feed.row, feed.line.head)
    )
    stripped = with_lacking(feed, add_number(feed.line.lacking, feed.line.head))
    save_head(connection, stripped)
    return stripped


def with_lacking(feed: FeedRow, lacking: tuple[Range, ...]) -> FeedRow:
    """Return a feed of which other bodies are absent; `save_head` must follow."""
    return _moved(feed, msgspec.structs.replace(feed.line, lacking=lacking), feed.stamp)


def ends_in(connection: Connection, conversation: int) -> list[tuple[FeedRow, int | None]]:
    """Return the feeds of a conversation, and where they are known to have ended."""
    sql = f"SELECT {_FEED_COLUMNS}, ended FROM feed WHERE conversation = ?"  # noqa: S608 - as above
    rows = connection.execute(sql, (conversation,))
    return [(_feed(row[:-1]), cast("int | None", row[-1])) for row in rows]


def put_end(connection: Connection, feed: int, ended: int | None) -> None:
    """Remember where a feed has ended."""
    connection.execute("UPDATE feed SET ended = ? WHERE id = ?", (ended, feed))


def proof_of(connection: Connection, feed: int) -> tuple[SignedHeader, SignedHeader] | None:
    """Return the two headers that ended a feed."""
    row = connection.execute(
        "SELECT first_header, first_signature, second_header, second_signature FROM equivocation WHERE feed = ?",
        (feed,),
    ).fetchone()
    if row is None:
        return None
    parts = cast("tuple[bytes, bytes, bytes, bytes]", row)
    return SignedHeader(parts[0], parts[1]), SignedHeader(parts[2], parts[3])


def _moved(feed: FeedRow, line: VectorLine, stamp: int) -> FeedRow:
    return replace(feed, line=line, stamp=stamp)


def _line_after(entry: Entry, lacking: tuple[Range, ...]) -> VectorLine:
    number = entry.header.number
    if entry.wire.body is None:
        # Said to be lacking is what is asked for again; too much of it does no harm.
        lacking = at_most(add_number(lacking, number), limits.LACKING_RANGES)
    return VectorLine(entry.header.feed, 1, number, entry.hash, closed=False, lacking=lacking)


def _insert_entry(connection: Connection, feed: int, entry: Entry) -> None:
    wire = entry.wire
    connection.execute(
        "INSERT INTO entry (feed, number, hash, header, signature, body, entry) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (feed, entry.header.number, bytes(entry.hash), wire.header, wire.signature, wire.body, _entry_id(entry)),
    )


def _entry_id(entry: Entry) -> bytes | None:
    return None if entry.body is None else bytes(entry.body.entry_id)


def _feed(row: Row) -> FeedRow:
    number, conversation, feed, author, key, certificate, head, head_hash, stamp, closed, lacking = row
    line = VectorLine(
        feed=FeedId(cast("bytes", feed)),
        floor=1,
        head=cast("int", head),
        head_hash=EntryHash(cast("bytes", head_hash)),
        closed=bool(closed),
        lacking=unpack_ranges(lacking),
    )
    return FeedRow(
        row=cast("int", number),
        conversation=cast("int", conversation),
        author=UserId(cast("str", author)),
        key=PublicKey(cast("bytes", key)),
        certificate=cast("bytes", certificate),
        stamp=cast("int", stamp),
        line=line,
    )


# --- entries ---------------------------------------------------------------------------------


def entries_between(connection: Connection, feed: FeedRow, first: int, last: int, limit: int) -> list[WireEntry]:
    """Return entries of a feed as they go over the wire, at most `limit`, in order."""
    rows = connection.execute(
        "SELECT number, header, signature, body FROM entry WHERE feed = ? AND number BETWEEN ? AND ?"
        " ORDER BY number LIMIT ?",
        (feed.row, first, last, limit),
    )
    return _wire_entries(rows, feed)


def _wire_entries(rows: Iterable[Row], feed: FeedRow) -> list[WireEntry]:
    return [
        WireEntry(
            cast("bytes", header),
            cast("bytes", signature),
            cast("bytes | None", body),
            feed.certificate if number == 1 else b"",
        )
        for number, header, signature, body in rows
    ]


def orphans_of(connection: Connection, feed: FeedRow, limit: int) -> list[WireEntry]:
    """Return what fell out of a closed feed, in the order of its numbers."""
    rows = connection.execute(
        "SELECT number, header, signature, body FROM orphan WHERE feed = ? ORDER BY number LIMIT ?", (feed.row, limit)
    )
    return _wire_entries(rows, feed)


def is_in_a_feed(connection: Connection, entry: EntryId) -> bool:
    """Tell whether an entry with this ID stands in any feed that counts.

    Asked only when a fork is settled, so no index is paid for with every message.
    """
    return connection.execute("SELECT 1 FROM entry WHERE entry = ?", (bytes(entry),)).fetchone() is not None


def places_of(
    connection: Connection, conversation: int, author: UserId, names: Collection[EntryId]
) -> list[tuple[FeedId, int]]:
    """Return (feed, number) of where entries of these IDs count: of a feed the first, of several feeds the lowest hash.

    Asked only when a fork is settled, like `is_in_a_feed`: it goes through all that the author wrote.
    """
    wanted = {bytes(name) for name in names}
    rows = connection.execute(
        "SELECT entry.entry, feed.feed, entry.hash, entry.number FROM entry JOIN feed ON feed.id = entry.feed"
        " WHERE feed.conversation = ? AND feed.author = ? ORDER BY entry.number DESC",
        (conversation, str(author)),
    )
    first_in_feed = {(name, feed): (held, feed, number) for name, feed, held, number in rows if name in wanted}
    lowest: dict[Value, tuple[bytes, FeedId, int]] = {}
    for (name, _), (held, feed, number) in first_in_feed.items():
        place = (cast("bytes", held), FeedId(cast("bytes", feed)), cast("int", number))
        lowest[name] = min(lowest.get(name, place), place)
    return [(feed, number) for _, feed, number in lowest.values()]


def is_in_feed_before(connection: Connection, feed: int, number: int, entry: EntryId) -> bool:
    """Tell whether a feed has an entry of this ID below a number."""
    sql = "SELECT 1 FROM entry WHERE feed = ? AND number < ? AND entry = ?"
    return connection.execute(sql, (feed, number, bytes(entry))).fetchone() is not None


def wire_entry_at(connection: Connection, feed: FeedRow, number: int) -> WireEntry:
    """Return the entry held at a number that the feed's line covers."""
    (entry,) = entries_between(connection, feed, number, number, 1)
    return entry


def hash_at(connection: Connection, feed: int, number: int) -> EntryHash | None:
    """Return the hash held at a number of a feed."""
    row = connection.execute("SELECT hash FROM entry WHERE feed = ? AND number = ?", (feed, number)).fetchone()
    return EntryHash(cast("bytes", row[0])) if row else None


# --- what others hold, and what was displayed ------------------------------------------------


def put_holder(connection: Connection, feed: int, device: DeviceId, user: UserId, line: VectorLine) -> None:
    """Remember how far a device told to hold a feed."""
    connection.execute(
        "INSERT INTO holder (feed, device, user, floor, head, lacking) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (feed, device) DO UPDATE"
        " SET floor = excluded.floor, head = excluded.head, lacking = excluded.lacking",
        (feed, bytes(device), str(user), line.floor, line.head, pack_ranges(line.lacking)),
    )


def holders_of(connection: Connection, conversation: int) -> list[tuple[UserId, DeviceId, VectorLine]]:
    """Return (user, device, how far) of every feed of a conversation."""
    rows = connection.execute(
        "SELECT holder.user, holder.device, feed.feed, holder.floor, holder.head, holder.lacking"
        " FROM holder JOIN feed ON feed.id = holder.feed WHERE feed.conversation = ?",
        (conversation,),
    )
    return [
        (
            UserId(cast("str", user)),
            DeviceId(cast("bytes", device)),
            VectorLine(
                FeedId(cast("bytes", feed)),
                cast("int", floor),
                cast("int", head),
                EntryHash(bytes(32)),
                closed=False,
                lacking=unpack_ranges(lacking),
            ),
        )
        for user, device, feed, floor, head, lacking in rows
    ]


def put_displayed(connection: Connection, feed: int, user: UserId, ranges: tuple[Range, ...]) -> None:
    """Remember which numbers of a feed a person was shown."""
    connection.execute(
        "INSERT INTO displayed (feed, user, ranges) VALUES (?, ?, ?)"
        " ON CONFLICT (feed, user) DO UPDATE SET ranges = excluded.ranges",
        (feed, str(user), pack_ranges(ranges)),
    )


def displayed_of(connection: Connection, feed: int, user: UserId) -> tuple[Range, ...]:
    """Return which numbers of a feed a person was shown."""
    sql = "SELECT ranges FROM displayed WHERE feed = ? AND user = ?"
    row = connection.execute(sql, (feed, str(user))).fetchone()
    return unpack_ranges(row[0]) if row else ()


def displayed_in(connection: Connection, conversation: int) -> list[tuple[UserId, FeedId, tuple[Range, ...]]]:
    """Return (user, feed, numbers shown) for a conversation."""
    rows = connection.execute(
        "SELECT displayed.user, feed.feed, displayed.ranges"
        " FROM displayed JOIN feed ON feed.id = displayed.feed WHERE feed.conversation = ?",
        (conversation,),
    )
    return [
        (UserId(cast("str", user)), FeedId(cast("bytes", feed)), unpack_ranges(ranges)) for user, feed, ranges in rows
    ]
