"""What was ever shared in a conversation: found page by page, by kind and by words."""

from collections.abc import Callable, Mapping
from functools import partial

from peer.storage import messages
from peer.storage.database import Database
from peer.storage.messages import ATTACHMENT_KINDS, BEFORE_ALL, BEHIND_ALL, MessageRow, Place
from peer.views import EntryId, SharedAt
from protocol.identity import UserId


async def find_shared(
    database: Database,
    conversation: int,
    where: SharedAt,
    limit: int,
    place_of: Callable[[EntryId], Place | None],
    names: Mapping[UserId, str],
) -> tuple[list[MessageRow], Place, Place]:
    """Return what is found, and the two places, the lower one first, between which all of it is found.

    `place_of` knows messages that are not kept, `names` who shared something. Raises Refusal for an unknown message.
    """
    is_later, beside = where.after is not None, where.after or where.before
    start = BEHIND_ALL if beside is None else place_of(beside)
    if start is None:
        assert beside is not None
        start = await database.read(partial(messages.place_in, conversation=conversation, entry=beside))
    place: Place = start
    look = partial(
        messages.attachments_beside,
        conversation=conversation,
        limit=limit,
        later=is_later,
        kinds=where.kinds or ATTACHMENT_KINDS,
    )
    found: list[MessageRow] = []
    is_end = False
    while len(found) < limit and not is_end:
        # Page by page: nobody who wants to read something else waits for the whole search.
        rows = await database.read(partial(look, place=place))
        found += [row for row in rows if _fits(row, where, names)]
        is_end = len(rows) < limit
        place = rows[-1].place if rows else place
    found, is_end = found[:limit], is_end and len(found) <= limit
    if is_later:
        return found, start, BEHIND_ALL if is_end else found[-1].place
    return found, BEFORE_ALL if is_end else found[-1].place, start


def _fits(row: MessageRow, where: SharedAt, names: Mapping[UserId, str]) -> bool:
    name = row.attachment.body.name if row.attachment is not None else ""
    return has_words(where.words, name, row.text, names.get(row.author, ""))


def has_words(words: str, *texts: str) -> bool:
    """Tell whether the words, such as they were typed, are in one of the texts."""
    sought = words.strip().casefold()
    return any(sought in text.casefold() for text in texts)
