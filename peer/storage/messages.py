"""What the screen shows: messages folded from entries, and the consent entries friendship is folded from."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple, cast

import msgspec

from peer.errors import Refusal, RefusalCode
from peer.limits import REPLIES_TOLD
from peer.storage.attachments import COLUMNS as ATTACHMENT_COLUMNS
from peer.storage.attachments import AttachmentRow, add_attachment, attachment_of, put_other_attachment
from peer.storage.database import Connection, Row, Value
from peer.storage.feeds import is_in_feed_before
from peer.storage.groups import COLUMN_COUNT as ACT_COLUMN_COUNT
from peer.storage.groups import COLUMNS as ACT_COLUMNS
from peer.storage.groups import ActRow, act_of
from protocol import limits
from protocol.act_bodies import REACTED
from protocol.acts import Reaction, Shown, fitting, in_order
from protocol.call_bodies import Called
from protocol.consent import Consent, Said, fold_consent
from protocol.entries import BODIES, Attachment, Body, ConsentBody, Entry, Mention, Text
from protocol.group_bodies import MembershipBody
from protocol.identity import EntryId, FeedId, UserId, from_builtin, to_builtin
from protocol.link_messages import Range
from protocol.replication import union

Place = tuple[int, int]
"""Where a message stands among the others of its conversation: (display stamp in ms, arrival)."""


@dataclass(frozen=True, slots=True)
class QuotedRow:
    """The message that a reply answers, as far as it is shown above the reply."""

    author: UserId
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as kept; its place in a feed is what "delivered" and "read" are computed from."""

    arrival: int
    entry: EntryId
    conversation: int
    feed: FeedId
    number: int
    author: UserId
    mine: bool
    kind: str
    text: str
    reply_to: EntryId | None
    stamp: int
    seen: bool
    mentions: tuple[Mention, ...] = ()
    edited: int | None = None
    quoted: QuotedRow | None = None
    """None where nothing is answered, and where what is answered is not here."""
    reactions: tuple[Shown, ...] = ()
    deleted_by: UserId | None = None
    attachment: AttachmentRow | None = None
    act: ActRow | None = None
    """What happened to the group, where this is no message of somebody but a line about that."""
    call: Called | None = None
    """How a call ended, where this is a line about that."""

    @property
    def is_event(self) -> bool:
        """Whether this is a line about what happened, and no message: nobody answers, edits or deletes it."""
        return self.act is not None or self.call is not None

    @property
    def place(self) -> Place:
        """Where it stands on the screen."""
        return (self.stamp, self.arrival)


_REACTIONS_OF_MESSAGE = (
    "SELECT json_group_array(json_array(act.author, act.emoji, act.stamp, hex(act.entry))) FROM act"  # noqa: S608
    f" WHERE act.conversation = message.conversation AND act.target = message.entry AND act.kind = {REACTED}"
    " AND act.is_last = 1"
)
_COLUMNS = (
    "message.arrival, message.entry, message.conversation, feed.feed, message.number, message.author, message.mine,"
    " message.kind, message.text, message.reply_to, message.stamp, message.seen, message.mentions, message.edited,"
    " message.deleted_by, message.call,"
    f" quoted.author, quoted.kind, substr(quoted.text, 1, {limits.QUOTE_LENGTH}),"
    f" ({_REACTIONS_OF_MESSAGE}), {ACT_COLUMNS}, {ATTACHMENT_COLUMNS}"
)
_SHOWN = "message.conversation = ? AND message.hidden = 0"
_FROM = (
    "FROM message JOIN feed ON feed.id = message.feed LEFT JOIN attachment ON attachment.entry = message.entry"
    " AND message.kind <> 'deleted'"
    " LEFT JOIN message AS quoted ON quoted.entry = message.reply_to AND quoted.conversation = message.conversation"
    " AND quoted.hidden = 0"
    " LEFT JOIN group_act ON message.kind = 'membership' AND group_act.feed = message.feed"
    " AND group_act.number = message.number"
)
FALLEN_OUT = 4
"""The bit of `message.hidden` for what stood in a feed beyond where it was closed, until it was written again."""
DELETED = "deleted"
NO_EVENTS = "kind NOT IN ('membership', 'call')"
"""Lines about what happened are no messages."""
_CALLED = BODIES.number_of(Called)
ATTACHMENT_KINDS = frozenset({"file", "picture", "voice"})
_MENTIONS = msgspec.msgpack.Decoder(tuple[Mention, ...], dec_hook=from_builtin)
_REACTIONS = msgspec.json.Decoder(list[tuple[str, str, int, str]])
_NO_REACTIONS = "[]"
BEFORE_ALL: Place = (-(2**63), -(2**63))
LOOKED_AT_FOR_NAMES = 1_000
"""Messages not displayed yet: in so many of the newest it is looked for our name."""
BEHIND_ALL: Place = (2**63 - 1, 2**63 - 1)


def add_message(
    connection: Connection,
    conversation: int,
    feed: int,
    entry: Entry,
    body: Text | Attachment | MembershipBody | Called,
    author: UserId,
    stamp: int,
    me: UserId,
) -> tuple[MessageRow, bool] | None:
    """Keep what the screen shows; return it and whether it is new here. None: it is known, and stays as it is.

    What happened to a group never counts as unread, and of calls those alone do that we missed.
    """
    mine = author == me
    is_seen = mine or isinstance(body, MembershipBody) or (isinstance(body, Called) and me not in body.missed)
    called = BODIES.encode_body(body) if isinstance(body, Called) else None
    if isinstance(body, Text):
        kind, text, reply_to, mentions = "text", body.text, body.reply_to, fitting(body.mentions, body.text)
    elif isinstance(body, MembershipBody):
        # What it says stays where the fold finds it.
        kind, text, reply_to, mentions = "membership", "", None, ()
    elif isinstance(body, Called):
        kind, text, reply_to, mentions = "call", "", None, ()
    else:
        kind, text = body.kind if body.kind in ATTACHMENT_KINDS else "file", body.caption
        reply_to, mentions = None, ()
    cursor = connection.execute(
        "INSERT INTO message"
        " (entry, conversation, feed, number, author, mine, kind, text, reply_to, stamp, seen, mentions, call)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            bytes(body.entry_id),
            conversation,
            feed,
            entry.header.number,
            str(author),
            mine,
            kind,
            text,
            reply_to and bytes(reply_to),
            stamp,
            is_seen,
            _pack_mentions(mentions),
            called,
        ),
    )
    if not cursor.rowcount:
        content = (kind, text, reply_to and bytes(reply_to), _pack_mentions(mentions), called)
        return _meet_again(connection, feed, entry, body, author, content)
    row = MessageRow(
        arrival=cursor.lastrowid,
        entry=body.entry_id,
        conversation=conversation,
        feed=entry.header.feed,
        number=entry.header.number,
        author=author,
        mine=mine,
        kind=kind,
        text=text,
        reply_to=reply_to,
        stamp=stamp,
        seen=is_seen,
        mentions=mentions,
        attachment=add_attachment(connection, conversation, body) if isinstance(body, Attachment) else None,
        act=ActRow(entry.hash, body) if isinstance(body, MembershipBody) else None,
        call=body if isinstance(body, Called) else None,
    )
    return row, True


def _meet_again(
    connection: Connection, feed: int, entry: Entry, body: Body, author: UserId, content: tuple[Value, ...]
) -> tuple[MessageRow, bool] | None:
    """Let a message that is known stand where it counts and say what is said there, in whatever order entries came.

    Of a feed that is the first, of several feeds the one of the lowest hash. Returns it if it moved; one that had
    fallen out of a closed feed is new here again.
    """
    name = body.entry_id
    known = connection.execute(
        "SELECT message.hidden, entry.hash FROM message"
        " LEFT JOIN entry ON entry.feed = message.feed AND entry.number = message.number"
        " WHERE message.entry = ? AND message.author = ?",
        (bytes(name), str(author)),
    ).fetchone()
    if known is None:
        return None
    is_back = bool(cast("int", known[0]) & FALLEN_OUT)
    if not is_back and known[1] is not None and cast("bytes", known[1]) <= bytes(entry.hash):
        return None
    if is_in_feed_before(connection, feed, entry.header.number, name):
        return None
    connection.execute(
        "UPDATE message SET feed = ?, number = ?, kind = ?, text = ?, reply_to = ?, mentions = ?, call = ?,"
        " edited = NULL, hidden = hidden & ~? WHERE entry = ? AND author = ?",
        (feed, entry.header.number, *content, FALLEN_OUT, bytes(name), str(author)),
    )
    if isinstance(body, Attachment):
        put_other_attachment(connection, body)
    row = find_message(connection, name)
    return None if row is None else (row, is_back)


def set_text(
    connection: Connection, entry: EntryId, text: str, mentions: tuple[Mention, ...], edited: int | None
) -> None:
    """Let a message read as it does now; `edited` says when, in ms."""
    connection.execute(
        "UPDATE message SET text = ?, mentions = ?, edited = ? WHERE entry = ?",
        (text, _pack_mentions(mentions), edited, bytes(entry)),
    )


def replies_to(connection: Connection, conversation: int, entry: EntryId) -> list[EntryId]:
    """Return the newest messages that answer one."""
    sql = "SELECT entry FROM message WHERE reply_to = ? AND conversation = ? ORDER BY arrival DESC LIMIT ?"
    rows = connection.execute(sql, (bytes(entry), conversation, REPLIES_TOLD))
    return [EntryId(cast("bytes", row[0])) for row in rows]


def find_message(connection: Connection, entry: EntryId) -> MessageRow | None:
    """Return one message."""
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE message.entry = ? AND message.hidden = 0"
    row = connection.execute(sql, (bytes(entry),)).fetchone()
    return _message(row) if row else None


def newest_messages(connection: Connection, conversation: int, limit: int) -> list[MessageRow]:
    """Return the last messages, oldest first."""
    return messages_before(connection, conversation, BEHIND_ALL, limit)


def messages_before(connection: Connection, conversation: int, place: Place, limit: int) -> list[MessageRow]:
    """Return the messages just before a place, oldest first."""
    sql = (
        f"SELECT {_COLUMNS} {_FROM} WHERE {_SHOWN} AND (message.stamp, message.arrival) < (?, ?)"
        " ORDER BY message.stamp DESC, message.arrival DESC LIMIT ?"
    )
    return [_message(row) for row in reversed(connection.execute(sql, (conversation, *place, limit)).fetchall())]


def messages_from(connection: Connection, conversation: int, place: Place, limit: int) -> list[MessageRow]:
    """Return the message at a place and those just after it, oldest first."""
    sql = (
        f"SELECT {_COLUMNS} {_FROM} WHERE {_SHOWN} AND (message.stamp, message.arrival) >= (?, ?)"
        " ORDER BY message.stamp, message.arrival LIMIT ?"
    )
    return [_message(row) for row in connection.execute(sql, (conversation, *place, limit))]


def attachments_beside(
    connection: Connection,
    conversation: int,
    place: Place,
    limit: int,
    *,
    later: bool = False,
    kinds: Collection[str] = ATTACHMENT_KINDS,
) -> list[MessageRow]:
    """Return the messages with attachments of these kinds next to a place: the nearest first."""
    side, order = (">", "") if later else ("<", " DESC")
    sql = (
        f"SELECT {_COLUMNS} {_FROM} WHERE {_SHOWN} AND (message.stamp, message.arrival) {side} (?, ?)"
        # As in the index `message_shared`, or it would not be used: texts are not looked through.
        " AND message.kind IN ('file', 'picture', 'voice')"
        f" AND message.kind IN ({', '.join('?' * len(kinds))}) AND attachment.entry IS NOT NULL"
        f" ORDER BY message.stamp{order}, message.arrival{order} LIMIT ?"
    )
    return [_message(row) for row in connection.execute(sql, (conversation, *place, *kinds, limit))]


def place_in(connection: Connection, conversation: int, entry: EntryId) -> Place:
    """Return where a message of a conversation stands; raise Refusal if it has none of this name."""
    sql = "SELECT stamp, arrival FROM message WHERE entry = ? AND conversation = ? AND hidden = 0"
    row = connection.execute(sql, (bytes(entry), conversation)).fetchone()
    if row is None:
        raise Refusal(RefusalCode.UNKNOWN_ENTRY, "There is no such message in this conversation.")
    return cast("Place", row)


def messages_after_arrival(connection: Connection, conversation: int, arrival: int, limit: int) -> list[MessageRow]:
    """Return what came to be known after a place, in order of arrival: how a script catches up."""
    sql = f"SELECT {_COLUMNS} {_FROM} WHERE {_SHOWN} AND message.arrival > ? ORDER BY message.arrival LIMIT ?"
    return [_message(row) for row in connection.execute(sql, (conversation, arrival, limit))]


def messages_at(connection: Connection, feed: int, ranges: tuple[Range, ...]) -> list[MessageRow]:
    """Return the messages at these places of a feed."""
    sql = (
        f"SELECT {_COLUMNS} {_FROM} WHERE message.feed = ? AND message.number BETWEEN ? AND ? AND message.hidden = 0"
        " ORDER BY message.number"
    )
    return [_message(row) for first, last in ranges for row in connection.execute(sql, (feed, first, last))]


def last_stamp(connection: Connection, conversation: int) -> int:
    """Return the newest display stamp of a conversation; 0 when it is empty."""
    sql = "SELECT max(stamp) FROM message WHERE conversation = ? AND hidden = 0"
    row = connection.execute(sql, (conversation,)).fetchone()
    return cast("int", row[0]) if row and row[0] is not None else 0


def count_unseen(connection: Connection, conversation: int) -> int:
    """Return how many messages of others were not displayed yet."""
    sql = "SELECT count(*) FROM message WHERE conversation = ? AND hidden = 0 AND seen = 0"
    row = connection.execute(sql, (conversation,)).fetchone()
    assert row is not None
    return cast("int", row[0])


def first_unseen(connection: Connection, conversation: int) -> Place | None:
    """Return where the first message stands that was not displayed yet."""
    sql = (
        "SELECT stamp, arrival FROM message WHERE conversation = ? AND hidden = 0 AND seen = 0"
        " ORDER BY stamp, arrival LIMIT 1"
    )
    return cast("Place | None", connection.execute(sql, (conversation,)).fetchone())


def first_naming(connection: Connection, conversation: int, user: UserId) -> Place | None:
    """Return where somebody is named first in what was not displayed yet; of very much the newest is looked at."""
    sql = (
        "SELECT stamp, arrival FROM (SELECT stamp, arrival, mentions FROM message"
        " WHERE conversation = ? AND hidden = 0 AND seen = 0 ORDER BY stamp DESC, arrival DESC LIMIT ?)"
        " WHERE instr(mentions, ?) ORDER BY stamp, arrival LIMIT 1"
    )
    # A user ID with its length before it is found nowhere else in the mentions.
    name = msgspec.msgpack.encode(str(user))
    return cast("Place | None", connection.execute(sql, (conversation, LOOKED_AT_FOR_NAMES, name)).fetchone())


class Newest(NamedTuple):
    """What the row of a conversation shows of its messages."""

    last: MessageRow | None
    unseen: int
    first_unseen: Place | None
    first_naming_us: Place | None
    """Of what was not displayed."""


def newest_in(connection: Connection, conversation: int, me: UserId) -> Newest:
    """Return the newest message, and what was not displayed yet."""
    newest = newest_messages(connection, conversation, 1)
    unseen = count_unseen(connection, conversation)
    first_unread = first_unseen(connection, conversation)
    naming = first_naming(connection, conversation, me) if unseen else None
    return Newest(newest[0] if newest else None, unseen, first_unread, naming)


SeenNumbers = dict[int, tuple[Range, ...]]
"""Numbers of entries that were not displayed until now, by feed row."""


def mark_seen(connection: Connection, conversation: int, entries: Iterable[EntryId]) -> SeenNumbers:
    """Mark these messages as displayed, and no others."""
    sql = "UPDATE message SET seen = 1 WHERE entry = ? AND conversation = ? AND seen = 0 RETURNING feed, number"
    return _by_feed(row for entry in entries for row in connection.execute(sql, (bytes(entry), conversation)))


def mark_seen_up_to(connection: Connection, conversation: int, place: Place) -> SeenNumbers:
    """Mark the message at a place and all unseen ones above it as displayed."""
    sql = (
        "UPDATE message SET seen = 1 WHERE conversation = ? AND seen = 0 AND hidden = 0 AND (stamp, arrival) <= (?, ?)"
        " RETURNING feed, number"
    )
    return _by_feed(connection.execute(sql, (conversation, *place)))


def _by_feed(rows: Iterable[Row]) -> SeenNumbers:
    numbers: dict[int, list[Range]] = {}
    for feed, number in cast("Iterable[tuple[int, int]]", rows):
        numbers.setdefault(feed, []).append((number, number))
    return {feed: union((), ranges) for feed, ranges in numbers.items()}


def _message(row: Row) -> MessageRow:
    arrival, entry, conversation, feed, number, author, mine, kind, text, reply_to, stamp, seen, *more = row
    mentions, edited, deleted_by, call, quoted_author, quoted_kind, quoted_text, reactions, *rest = more
    act, attachment = rest[:ACT_COLUMN_COUNT], rest[ACT_COLUMN_COUNT:]
    return MessageRow(
        arrival=cast("int", arrival),
        entry=EntryId(cast("bytes", entry)),
        conversation=cast("int", conversation),
        feed=FeedId(cast("bytes", feed)),
        number=cast("int", number),
        author=UserId(cast("str", author)),
        mine=bool(mine),
        kind=cast("str", kind),
        text=cast("str", text),
        reply_to=None if reply_to is None else EntryId(cast("bytes", reply_to)),
        stamp=cast("int", stamp),
        seen=bool(seen),
        mentions=_MENTIONS.decode(cast("bytes", mentions)),
        edited=cast("int | None", edited),
        quoted=None
        if quoted_author is None
        else QuotedRow(UserId(cast("str", quoted_author)), cast("str", quoted_kind), cast("str", quoted_text)),
        reactions=() if kind == DELETED else _shown(cast("str", reactions)),
        deleted_by=None if deleted_by is None else UserId(cast("str", deleted_by)),
        attachment=None if attachment[0] is None else attachment_of(tuple(attachment)),
        act=None if act[0] is None else act_of(tuple(act)),
        call=None if call is None else _call(cast("bytes", call)),
    )


def _call(kept: bytes) -> Called:
    body = BODIES.decode_body(_CALLED, kept)
    assert isinstance(body, Called)
    return body


def _pack_mentions(mentions: tuple[Mention, ...]) -> bytes:
    return msgspec.msgpack.encode(mentions, enc_hook=to_builtin)


def _shown(reactions: str) -> tuple[Shown, ...]:
    if reactions == _NO_REACTIONS:
        return ()
    rows = _REACTIONS.decode(reactions)
    return in_order(Reaction(UserId(user), emoji, stamp, EntryId.from_hex(entry)) for user, emoji, stamp, entry in rows)


# --- consent ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SaidRow:
    """One consent entry as kept."""

    said: Said
    stamp: int


def add_consent(
    connection: Connection, conversation: int, entry: Entry, body: ConsentBody, stamp: int, *, by_me: bool
) -> bool:
    """Keep a consent entry; tell whether it was new. Of one person only the first of its kind in a round is."""
    known = (row.said for row in consent_in(connection, conversation) if row.said.by_me == by_me)
    if any(type(said.body) is type(body) and said.body.round == body.round for said in known):
        return False
    kind = BODIES.number_of(type(body))
    cursor = connection.execute(
        "INSERT INTO consent VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (bytes(body.entry_id), conversation, by_me, kind, entry.wire.body, stamp),
    )
    return bool(cursor.rowcount)


def consent_in(connection: Connection, conversation: int) -> list[SaidRow]:
    """Return all consent entries of a direct conversation."""
    rows = connection.execute("SELECT by_me, kind, body, stamp FROM consent WHERE conversation = ?", (conversation,))
    said = []
    for by_me, kind, body, stamp in rows:
        decoded = BODIES.decode_body(cast("int", kind), cast("bytes", body))
        assert isinstance(decoded, ConsentBody)
        said.append(SaidRow(Said(bool(by_me), decoded), cast("int", stamp)))
    return said


def count_open_requests(connection: Connection) -> int:
    """Return how many strangers' requests wait for an answer."""
    never_answered = connection.execute(
        "SELECT conversation FROM consent GROUP BY conversation HAVING max(by_me) = 0"
    ).fetchall()
    standings = (
        fold_consent(row.said for row in consent_in(connection, cast("int", conversation)))
        for (conversation,) in never_answered
    )
    return sum(standing.state is Consent.ASKED_BY_THEM for standing in standings)
