"""One page of a conversation: from its end, from a message up or down, around one, or around the first unread one."""

from typing import NamedTuple

from peer.storage import messages
from peer.storage.database import Connection
from peer.storage.messages import MessageRow, Place
from peer.views import PageAt


class Page(NamedTuple):
    """Messages without gaps, oldest first."""

    rows: list[MessageRow]
    has_older: bool
    has_newer: bool


def read_page(connection: Connection, conversation: int, where: PageAt, limit: int) -> Page:
    """Return a page of at most `limit` messages; raise Refusal for a message that is not there."""
    if where.before is not None:
        place = messages.place_in(connection, conversation, where.before)
        rows = messages.messages_before(connection, conversation, place, limit + 1)
        return Page(rows[-limit:], has_older=len(rows) > limit, has_newer=True)
    if where.after is not None:
        stamp, arrival = messages.place_in(connection, conversation, where.after)
        rows = messages.messages_from(connection, conversation, (stamp, arrival + 1), limit + 1)
        return Page(rows[:limit], has_older=True, has_newer=len(rows) > limit)
    if where.around is not None:
        return _around(connection, conversation, messages.place_in(connection, conversation, where.around), limit, 2)
    unread = messages.first_unseen(connection, conversation) if where.at_unread else None
    if unread is not None:
        # Most of it below: that is where somebody reads on.
        return _around(connection, conversation, unread, limit, 4)
    rows = messages.newest_messages(connection, conversation, limit + 1)
    return Page(rows[-limit:], has_older=len(rows) > limit, has_newer=False)


def _around(connection: Connection, conversation: int, place: Place, limit: int, parts: int) -> Page:
    """Return a page of which one part in so many stands above a message."""
    above = limit // parts
    older = messages.messages_before(connection, conversation, place, above + 1)
    newer = messages.messages_from(connection, conversation, place, limit - above + 1)
    rows = older[-above:] + newer[: limit - above] if above else newer[:limit]
    return Page(rows, has_older=len(older) > above, has_newer=len(newer) > limit - above)
