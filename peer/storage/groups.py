"""What membership of groups is folded from."""

from dataclasses import dataclass
from typing import cast

from peer.storage.database import Connection, Row
from peer.storage.feeds import FeedRow
from protocol.entries import BODIES, Entry
from protocol.group_bodies import MembershipBody
from protocol.identity import EntryHash, FeedId, UserId
from protocol.membership import Act, Membership, fold_membership

COLUMNS = "group_act.hash, group_act.kind, group_act.body"
COLUMN_COUNT = 3


@dataclass(frozen=True, slots=True)
class ActRow:
    """What an entry about membership says, as kept."""

    hash: EntryHash
    body: MembershipBody


def add_act(connection: Connection, feed: FeedRow, entry: Entry) -> None:
    """Keep an entry about membership."""
    connection.execute(
        "INSERT INTO group_act VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            bytes(entry.hash),
            feed.conversation,
            feed.row,
            entry.header.number,
            entry.header.kind,
            entry.wire.body,
        ),
    )


def forget_acts(connection: Connection, feed: int, number: int) -> bool:
    """Let go what fell out of a closed feed, from a number on; tell if there was any."""
    return bool(connection.execute("DELETE FROM group_act WHERE feed = ? AND number >= ?", (feed, number)).rowcount)


def membership_in(connection: Connection, conversation: int, known: Membership | None = None) -> Membership:
    """Return who belongs to a group; nobody where nothing of the group is held.

    `known` is who belonged to it a moment ago: as long as nothing is said about membership, that is the answer.
    """
    if known is not None:
        held = connection.execute("SELECT hash FROM group_act WHERE conversation = ?", (conversation,))
        if known.folded_from == {row[0] for row in held}:
            return known
    rows = connection.execute(
        "SELECT feed.author, feed.feed, group_act.number, group_act.hash, group_act.kind, group_act.body"
        " FROM group_act JOIN feed ON feed.id = group_act.feed WHERE group_act.conversation = ?",
        (conversation,),
    )
    acts = []
    for author, feed, number, name, kind, body in rows:
        act = act_of((name, kind, body))
        acts.append(
            Act(
                UserId(cast("str", author)),
                FeedId(cast("bytes", feed)),
                cast("int", number),
                act.hash,
                act.body,
            )
        )
    return fold_membership(acts)


def act_of(row: Row) -> ActRow:
    """Return what COLUMNS were read of an entry about membership."""
    name, kind, body = row
    decoded = BODIES.decode_body(cast("int", kind), cast("bytes", body))
    assert isinstance(decoded, MembershipBody)
    return ActRow(EntryHash(cast("bytes", name)), decoded)
