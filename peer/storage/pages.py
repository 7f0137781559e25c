"""One page of a conversation: from its end, from a message up or down, around one, or around the first unread one."""

from collections.abc import Mapping
from typing import NamedTuple

from peer.storage import messages
from peer.storage.database import Connection
from peer.storage.messages import BEFORE_ALL, BEHIND_ALL, MessageRow, Place
from peer.views import PageAt
from protocol.identity import EntryId


class Page(NamedTuple):
    """Messages without gaps, oldest first."""

    rows: list[MessageRow]
    has_older: bool
    has_newer: bool
    first: Place
    last: Place
    """From where to where it reaches: what stands between belongs on it, also what is kept elsewhere."""


def read_page(
    connection: Connection, conversation: int, where: PageAt, limit: int, unwritten: Mapping[EntryId, Place]
) -> Page:
    """Return a page of at most `limit` messages; raise Refusal for a message that is not there.

    It may begin or end at one of the `unwritten`, which have a place but are no messages yet.
    """

    def place_of(entry: EntryId) -> Place:
        return unwritten.get(entry) or messages.place_in(connection, conversation, entry)

    if where.before is not None:
        stamp, arrival = place_of(where.before)
        rows = messages.messages_before(connection, conversation, (stamp, arrival), limit + 1)
        page = _page(rows[-limit:], has_older=len(rows) > limit, has_newer=True)
        return page._replace(last=(stamp, arrival - 1))
    if where.after is not None:
        stamp, arrival = place_of(where.after)
        rows = messages.messages_from(connection, conversation, (stamp, arrival + 1), limit + 1)
        page = _page(rows[:limit], has_older=True, has_newer=len(rows) > limit)
        return page._replace(first=(stamp, arrival + 1))
    if where.around is not None:
        return _around(connection, conversation, place_of(where.around), limit, 2)
    unread = messages.first_unseen(connection, conversation) if where.at_unread else None
    if unread is not None:
        # Most of it below: that is where somebody reads on.
        return _around(connection, conversation, unread, limit, 4)
    rows = messages.newest_messages(connection, conversation, limit + 1)
    return _page(rows[-limit:], has_older=len(rows) > limit, has_newer=False)


def _around(connection: Connection, conversation: int, place: Place, limit: int, parts: int) -> Page:
    """Return a page of which one part in so many stands above a message."""
    above = limit // parts
    older = messages.messages_before(connection, conversation, place, above + 1)
    newer = messages.messages_from(connection, conversation, place, limit - above + 1)
    rows = older[-above:] + newer[: limit - above] if above else newer[:limit]
    return _page(rows, has_older=len(older) > above, has_newer=len(newer) > limit - above)


def _page(rows: list[MessageRow], *, has_older: bool, has_newer: bool) -> Page:
    """Return a page that reaches as far as its rows, or to the end where nothing follows."""
    first = rows[0].place if rows and has_older else BEFORE_ALL
    last = rows[-1].place if rows and has_newer else BEHIND_ALL
    return Page(rows, has_older, has_newer, first, last)
