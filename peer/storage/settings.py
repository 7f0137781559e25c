"""The account's few single values."""

from peer.storage.database import Connection


def get_setting(connection: Connection, key: str) -> bytes | None:
    """Return a stored value, or None."""
    row = connection.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    assert isinstance(row[0], bytes)
    return row[0]


def put_setting(connection: Connection, key: str, value: bytes) -> None:
    """Store a value in the place of the last one."""
    connection.execute(
        "INSERT INTO setting VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
    )
