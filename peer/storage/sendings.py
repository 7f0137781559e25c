"""Files of ours that have no entry yet: what a restart goes on with."""

from dataclasses import dataclass
from typing import cast

from peer.storage.database import Connection
from protocol.identity import EntryId

_COLUMNS = "entry, conversation, path, caption, kind, duration, waveform, written_at, code, reason"


@dataclass(frozen=True, slots=True)
class SendingRow:
    """What somebody wanted to send, as kept."""

    entry: EntryId
    conversation: int
    path: bytes
    """As the file system has it."""
    caption: str
    kind: str
    """Empty: by the name."""
    duration: float
    waveform: bytes
    written_at: int
    """ms."""
    code: str = ""
    """Why it could not be sent; empty while it may still be."""
    reason: str = ""


def add_sending(connection: Connection, row: SendingRow) -> None:
    """Keep what somebody wants to send, behind all others."""
    connection.execute(
        f"INSERT INTO sending ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant list
        (
            bytes(row.entry),
            row.conversation,
            row.path,
            row.caption,
            row.kind,
            row.duration,
            row.waveform,
            row.written_at,
            row.code,
            row.reason,
        ),
    )


def remove_sending(connection: Connection, entry: EntryId) -> None:
    """Forget one: it is written, or is not to be."""
    connection.execute("DELETE FROM sending WHERE entry = ?", (bytes(entry),))


def put_path(connection: Connection, entry: EntryId, path: bytes) -> None:
    """Read it from elsewhere after a restart."""
    connection.execute("UPDATE sending SET path = ? WHERE entry = ?", (path, bytes(entry)))


def put_refusal(connection: Connection, entry: EntryId, code: str, reason: str) -> None:
    """Keep why it could not be sent; empty for that it may be by now."""
    connection.execute("UPDATE sending SET code = ?, reason = ? WHERE entry = ?", (code, reason, bytes(entry)))


def all_sendings(connection: Connection) -> list[SendingRow]:
    """Return what is to be sent, in its order."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM sending ORDER BY number")  # noqa: S608 - as above
    return [
        SendingRow(
            EntryId(cast("bytes", entry)),
            cast("int", conversation),
            cast("bytes", path),
            cast("str", caption),
            cast("str", kind),
            cast("float", duration),
            cast("bytes", waveform),
            cast("int", written_at),
            cast("str", code),
            cast("str", reason),
        )
        for entry, conversation, path, caption, kind, duration, waveform, written_at, code, reason in rows
    ]
