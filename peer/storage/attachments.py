"""Attachments as kept: what their entries say, how far they have come here, and who else has them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from peer.storage.database import Connection, Row
from protocol.entries import BODIES, Attachment
from protocol.identity import DeviceId, EntryId, UserId
from protocol.transfer_states import UNDER_WAY, TransferState

_NUMBER = BODIES.number_of(Attachment)
COLUMNS = (
    "attachment.entry, attachment.body, attachment.state, attachment.pieces, attachment.path, attachment.part,"
    " attachment.mark, attachment.code, attachment.reason, attachment.chosen, attachment.files_done"
)
COLUMN_COUNT = 11


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """An attachment as kept."""

    entry: EntryId
    body: Attachment
    state: TransferState
    pieces: bytes
    path: str
    """Where it is, or will be once it is complete."""
    part: str
    """Where its pieces are gathered until then."""
    mark: int
    """When the file at `path` was last changed (ns); 0: not known."""
    code: str
    reason: str
    is_chosen: bool = False
    """Whether somebody here chose where it is saved."""
    files_done: int = 0
    """How many files of a folder are whole among the pieces."""


def add_attachment(connection: Connection, conversation: int, body: Attachment) -> AttachmentRow:
    """Keep what an entry tells; return how it stands (it may be known, because we have just made it)."""
    connection.execute(
        "INSERT INTO attachment (entry, conversation, body, state) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (bytes(body.entry_id), conversation, BODIES.encode_body(body), TransferState.OFFERED.value),
    )
    found = find_attachment(connection, body.entry_id)
    assert found is not None
    return found


def put_other_attachment(connection: Connection, body: Attachment) -> None:
    """Let an entry mean other content: its author gave one name to two, and this is the one that counts for all."""
    known = find_attachment(connection, body.entry_id)
    row = connection.execute("SELECT conversation FROM message WHERE entry = ?", (bytes(body.entry_id),)).fetchone()
    if row is not None and (known is None or known.body != body):
        forget(connection, body.entry_id)
        add_attachment(connection, cast("int", row[0]), body)


def add_own(connection: Connection, conversation: int, body: Attachment, table: bytes, path: str, mark: int) -> None:
    """Keep what is about to be sent from here: complete from the first moment."""
    connection.execute(
        "INSERT INTO attachment (entry, conversation, body, state, path, mark) VALUES (?, ?, ?, ?, ?, ?)",
        (bytes(body.entry_id), conversation, BODIES.encode_body(body), TransferState.HERE.value, path, mark),
    )
    put_table(connection, body.entry_id, table)


def find_attachment(connection: Connection, entry: EntryId) -> AttachmentRow | None:
    """Return one attachment."""
    sql = f"SELECT {COLUMNS} FROM attachment WHERE entry = ?"  # noqa: S608 - a constant list of columns
    row = connection.execute(sql, (bytes(entry),)).fetchone()
    return attachment_of(row) if row else None


def save(connection: Connection, row: AttachmentRow) -> None:
    """Keep how an attachment stands now."""
    connection.execute(
        "UPDATE attachment SET state = ?, pieces = ?, path = ?, part = ?, mark = ?, code = ?, reason = ?,"
        # Of content that the entry means no more nothing is kept.
        " chosen = ?, files_done = ? WHERE entry = ? AND body = ?",
        (
            row.state.value,
            row.pieces,
            row.path,
            row.part,
            row.mark,
            row.code,
            row.reason,
            row.is_chosen,
            row.files_done,
            bytes(row.entry),
            BODIES.encode_body(row.body),
        ),
    )


def put_pieces(connection: Connection, entry: EntryId, pieces: bytes, files_done: int) -> None:
    """Keep which pieces are here, and how many whole files they are: what a restart goes on from."""
    sql = "UPDATE attachment SET pieces = ?, files_done = ? WHERE entry = ?"
    connection.execute(sql, (pieces, files_done, bytes(entry)))


def put_table(connection: Connection, entry: EntryId, table: bytes) -> None:
    """Keep a piece table that was checked."""
    connection.execute("INSERT INTO piece_table VALUES (?, ?) ON CONFLICT DO NOTHING", (bytes(entry), table))


def table_of(connection: Connection, entry: EntryId) -> bytes | None:
    """Return the piece table, once it was fetched."""
    row = connection.execute("SELECT content FROM piece_table WHERE entry = ?", (bytes(entry),)).fetchone()
    return cast("bytes", row[0]) if row else None


def entries_under_way(connection: Connection) -> list[EntryId]:
    """Return what goes on by itself after a start."""
    return _entries_in(connection, UNDER_WAY)


def entries_here(connection: Connection) -> list[EntryId]:
    """Return what should be on this computer."""
    return _entries_in(connection, (TransferState.HERE,))


def _entries_in(connection: Connection, states: Iterable[TransferState]) -> list[EntryId]:
    sql = "SELECT attachment.entry FROM attachment JOIN message USING (entry) WHERE state = ?"
    sql += " AND message.hidden = 0 AND message.kind <> 'deleted' ORDER BY arrival"
    rows = (row for state in states for row in connection.execute(sql, (state.value,)))
    return [EntryId(cast("bytes", row[0])) for row in rows]


def rows_of_deleted(connection: Connection) -> list[AttachmentRow]:
    """Return what belonged to messages that were deleted for everybody."""
    sql = f"SELECT {COLUMNS} FROM attachment JOIN message USING (entry) WHERE message.kind = 'deleted'"  # noqa: S608 - constant
    return [attachment_of(row) for row in connection.execute(sql)]


def forget(connection: Connection, entry: EntryId) -> None:
    """Keep nothing of an attachment."""
    connection.execute("DELETE FROM piece_table WHERE entry = ?", (bytes(entry),))
    connection.execute("DELETE FROM piece_holder WHERE entry = ?", (bytes(entry),))
    connection.execute("DELETE FROM attachment WHERE entry = ?", (bytes(entry),))


def attachment_of(row: Row) -> AttachmentRow:
    """Read the columns named by `COLUMNS`."""
    entry, body, state, pieces, path, part, mark, code, reason, chosen, files_done = row
    decoded = BODIES.decode_body(_NUMBER, cast("bytes", body))
    assert isinstance(decoded, Attachment)
    return AttachmentRow(
        entry=EntryId(cast("bytes", entry)),
        body=decoded,
        state=TransferState(cast("str", state)),
        pieces=cast("bytes", pieces),
        path=cast("str", path),
        part=cast("str", part),
        mark=cast("int", mark),
        code=cast("str", code),
        reason=cast("str", reason),
        is_chosen=bool(chosen),
        files_done=cast("int", files_done),
    )


# --- who else has them -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HolderRow:
    """How much of an attachment a device told to have."""

    user: UserId
    done: int


def put_piece_holder(connection: Connection, entry: EntryId, device: DeviceId, holder: HolderRow) -> None:
    """Remember how much of an attachment a device told to have."""
    connection.execute(
        "INSERT INTO piece_holder VALUES (?, ?, ?, ?)"
        " ON CONFLICT (entry, device) DO UPDATE SET user = excluded.user, done = excluded.done",
        (bytes(entry), bytes(device), str(holder.user), holder.done),
    )


def all_piece_holders(connection: Connection) -> dict[EntryId, dict[DeviceId, HolderRow]]:
    """Return who told to have how much of what."""
    found: dict[EntryId, dict[DeviceId, HolderRow]] = {}
    for entry, device, user, done in connection.execute("SELECT entry, device, user, done FROM piece_holder"):
        row = HolderRow(UserId(cast("str", user)), cast("int", done))
        found.setdefault(EntryId(cast("bytes", entry)), {})[DeviceId(cast("bytes", device))] = row
    return found
