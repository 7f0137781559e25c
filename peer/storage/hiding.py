"""Messages that are kept and not shown: those of people who had gone by then, as long as they
count as gone, and those that somebody here wants to see no more.
"""

from collections.abc import Mapping
from typing import cast

from peer.storage import messages
from peer.storage.database import Connection
from peer.storage.messages import FALLEN_OUT, MessageRow

BEYOND_THE_END = 1
"""The bit of `message.hidden` for what stands in a feed beyond the end that a removal gave it."""
BY_PERSON = 2
"""The bit for what somebody here wanted to see no more."""
_PLACES = "SELECT feed, number FROM message WHERE conversation = ? AND "


def show_up_to(
    connection: Connection, conversation: int, ends: Mapping[int, int]
) -> tuple[list[MessageRow], list[MessageRow]]:
    """Hide what stands beyond the ends (feed row → last number that counts), and show all else again.

    Returns what was shown until now and what is shown from now on; it can be the other way round tomorrow.
    """
    hidden: list[MessageRow] = []
    for feed, end in ends.items():
        rows = messages.messages_at(connection, feed, ((end + 1, 2**53),))
        _mark(connection, [(feed, row.number) for row in rows], BEYOND_THE_END)
        hidden += rows
    places = connection.execute(f"{_PLACES} hidden & ? <> 0", (conversation, BEYOND_THE_END)).fetchall()
    back = [
        (feed, number)
        for feed, number in cast("list[tuple[int, int]]", places)
        if feed not in ends or number <= ends[feed]
    ]
    _mark(connection, back, 0)
    shown = [row for feed, number in back for row in messages.messages_at(connection, feed, ((number, number),))]
    return hidden, shown


def hide_fallen(connection: Connection, feed: int, number: int) -> list[MessageRow]:
    """Hide what stands in a feed from a number on, because it was closed there; return what was shown until now.

    Who sees the feed for the first time after that never gets it from there, and all must show the same.
    """
    rows = messages.messages_at(connection, feed, ((number, 2**53),))
    connection.execute(
        "UPDATE message SET hidden = hidden | ? WHERE feed = ? AND number >= ?", (FALLEN_OUT, feed, number)
    )
    return rows


def _mark(connection: Connection, places: list[tuple[int, int]], bit: int) -> None:
    connection.executemany(
        "UPDATE message SET hidden = (hidden & ~?) | ? WHERE feed = ? AND number = ?",
        [(BEYOND_THE_END, bit, feed, number) for feed, number in places],
    )
