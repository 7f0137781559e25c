"""What devices last said to hold of groups, signed by them."""

from typing import cast

from peer.storage.database import Connection
from protocol.identity import DeviceId
from protocol.link_messages import SignedStatement

Kept = tuple[int, SignedStatement]
"""A statement with its number."""


def put_statement(connection: Connection, conversation: int, device: DeviceId, kept: Kept) -> None:
    """Keep a statement instead of the one before it."""
    number, signed = kept
    connection.execute(
        "INSERT INTO statement VALUES (?, ?, ?, ?, ?) ON CONFLICT (conversation, device) DO UPDATE"
        " SET number = excluded.number, payload = excluded.payload, signature = excluded.signature",
        (conversation, bytes(device), number, signed.payload, signed.signature),
    )


def all_statements(connection: Connection) -> dict[int, dict[DeviceId, Kept]]:
    """Return the last statement of every device, by conversation row."""
    found: dict[int, dict[DeviceId, Kept]] = {}
    for row in connection.execute("SELECT conversation, device, number, payload, signature FROM statement"):
        conversation, device, number, payload, signature = cast("tuple[int, bytes, int, bytes, bytes]", row)
        found.setdefault(conversation, {})[DeviceId(device)] = (number, SignedStatement(payload, signature))
    return found
