"""Who holds and who was shown what: the facts behind "delivered" and "read", kept and told as they come in."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from peer import limits
from peer.entries.conversation import Conversation
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import MessageChanged, MessageDelivered, MessageRead
from peer.storage import feeds, messages
from peer.storage.database import Connection, Database
from peer.storage.feeds import FeedRow
from peer.storage.messages import MessageRow, Place, SeenNumbers
from peer.views import MessageState, MessageView
from protocol.identity import DeviceId, EntryId, FeedId, UserId
from protocol.limits import READ_RANGES
from protocol.link_messages import Range, ReadLine, VectorLine
from protocol.replication import latest, subtract, union

log = logging.getLogger(__name__)


class _NewlyRead(NamedTuple):
    """What a report of messages on the screen changed."""

    displayed: dict[FeedId, tuple[Range, ...]]
    """All that was displayed of the feeds concerned."""
    rows: list[MessageRow]
    size: int
    """How many messages it concerned."""
    first_unseen: Place | None
    first_naming_us: Place | None


class Receipts:
    """What neighbours told of themselves, and what was shown here."""

    def __init__(
        self,
        database: Database,
        events: EventStream,
        me: UserId,
        view: Callable[[Conversation, MessageRow], MessageView],
        tell_row_soon: Callable[[Conversation], None],
    ) -> None:
        """`view` makes a message ready for the screen; `tell_row_soon` says that a conversation's row changed."""
        self._database = database
        self._events = events
        self._me = me
        self._view = view
        self._tell_row_soon = tell_row_soon
        self._holders_to_keep: dict[tuple[int, DeviceId], tuple[UserId, VectorLine]] = {}
        self._keeping_holders: asyncio.Task[None] | None = None
        self.on_displayed: Callable[[Conversation, tuple[ReadLine, ...]], None] = lambda *_: None
        """Called when something was shown here for the first time."""

    async def note_held(
        self, conversation: Conversation, user: UserId, device: DeviceId, lines: Iterable[VectorLine]
    ) -> None:
        """Remember how far a neighbour holds our feeds; tell of what was delivered by it."""
        before = conversation.held.get(device, {})
        news: list[tuple[FeedRow, VectorLine, tuple[Range, ...]]] = []
        for line in lines:
            feed = conversation.feeds.get(line.feed)
            if feed is None or before.get(line.feed) == line:
                continue
            fresh = _newly_held(before.get(line.feed), line) if feed.author == self._me else ()
            news.append((feed, line, fresh))
        if not news:
            return

        conversation.held.setdefault(device, {}).update((line.feed, line) for _, line, _ in news)
        conversation.owner_of_device[device] = user
        for feed, line, _ in news:
            self._holders_to_keep[feed.row, device] = (user, line)
        if self._keeping_holders is None:
            self._keeping_holders = asyncio.create_task(self._keep_holders_soon(), name="keeping who holds what")
        places = [(feed.row, fresh) for feed, _, fresh in news if fresh]
        if not places:
            return
        delivered = await self._database.read(
            lambda c: [row for number, fresh in places for row in messages.messages_at(c, number, fresh)]
        )
        for row in delivered:
            view = self._view(conversation, row)
            has_reached_all = view.state in {MessageState.DELIVERED, MessageState.READ}
            self._events.tell(MessageDelivered(view) if has_reached_all else MessageChanged(view))
        if delivered:
            self._tell_row_soon(conversation)

    async def _keep_holders_soon(self) -> None:
        """Keep what neighbours told to hold, a moment later and together.

        After a crash they tell it again at the next link-up; a commit for each would only slow down messages.
        """
        await asyncio.sleep(limits.HOLDERS_KEPT_SECONDS)
        self._keeping_holders = None
        await self.keep_holders()

    async def keep_holders(self) -> None:
        """Keep at once what neighbours told to hold."""
        news, self._holders_to_keep = self._holders_to_keep, {}

        def job(connection: Connection) -> None:
            for (feed, device), (user, line) in news.items():
                feeds.put_holder(connection, feed, device, user, line)

        if news:
            try:
                await self._database.write(job)
            except Refusal as refusal:
                log.warning("who holds what could not be kept: %s", refusal)

    async def close(self) -> None:
        """Keep what was not kept yet."""
        if self._keeping_holders is not None:
            self._keeping_holders.cancel()
        await self.keep_holders()

    async def note_displayed(self, conversation: Conversation, user: UserId, reads: Iterable[ReadLine]) -> None:
        """Remember what a person was shown; tell of what was read by it."""
        before = conversation.displayed.setdefault(user, {})
        told = [(conversation.feeds[read.feed], read.ranges) for read in reads if read.feed in conversation.feeds]
        fresh = {feed: subtract(_up_to(ranges, feed.line.head), before.get(feed.feed, ())) for feed, ranges in told}
        news = [(feed, union(before.get(feed.feed, ()), ranges), ranges) for feed, ranges in fresh.items() if ranges]
        if not news:
            return

        def job(connection: Connection) -> list[MessageRow]:
            for feed, ranges, _ in news:
                feeds.put_displayed(connection, feed.row, user, ranges)
            return [row for feed, _, fresh in news for row in messages.messages_at(connection, feed.row, fresh)]

        def announce(shown: list[MessageRow]) -> None:
            before.update((feed.feed, ranges) for feed, ranges, _ in news)
            for row in shown:
                if row.mine:
                    view = self._view(conversation, row)
                    is_read = view.state is MessageState.READ
                    self._events.tell(MessageRead(view) if is_read else MessageChanged(view))
            if any(row.mine for row in shown):
                self._tell_row_soon(conversation)

        await self._database.write(job, announce)

    async def mark_read(self, conversation: Conversation, entries: Sequence[EntryId]) -> None:
        """These messages were on the screen, and no others."""
        if len(entries) > limits.MESSAGES_PER_PAGE:
            raise Refusal(RefusalCode.TOO_MANY, f"At most {limits.MESSAGES_PER_PAGE} messages are read at once.")
        await self._mark_read(conversation, lambda c: messages.mark_seen(c, conversation.kept.row, entries))

    async def mark_read_up_to(self, conversation: Conversation, entry: EntryId) -> None:
        """A message and all above it were on the screen."""

        def mark(connection: Connection) -> SeenNumbers:
            place = messages.place_in(connection, conversation.kept.row, entry)
            return messages.mark_seen_up_to(connection, conversation.kept.row, place)

        await self._mark_read(conversation, mark)

    async def dismiss_unread(self, conversation: Conversation) -> None:
        """Let nothing count as new any more; nobody is told that they were on the screen, because they were not."""
        row = conversation.kept.row
        await self._mark_read(
            conversation, lambda c: messages.mark_seen_up_to(c, row, messages.BEHIND_ALL), displayed=False
        )

    async def _mark_read(
        self, conversation: Conversation, mark: Callable[[Connection], SeenNumbers], *, displayed: bool = True
    ) -> None:
        def job(connection: Connection) -> _NewlyRead:
            told, rows, size = {}, [], 0
            for feed, ranges in mark(connection).items():
                if displayed:
                    # From the database: another reader's marks may be in this very transaction.
                    all_displayed = union(feeds.displayed_of(connection, feed, self._me), ranges)
                    feeds.put_displayed(connection, feed, self._me, all_displayed)
                    told[feeds.name_of(connection, feed)] = all_displayed
                size += sum(last - first + 1 for first, last in ranges)
                rows += messages.messages_at(connection, feed, latest(ranges, limits.MESSAGES_PER_PAGE))
            row = conversation.kept.row
            naming = messages.first_naming(connection, row, self._me) if conversation.first_naming_us else None
            return _NewlyRead(told, rows, size, messages.first_unseen(connection, row), naming)

        def announce(read: _NewlyRead) -> None:
            if not read.size:
                return
            conversation.displayed.setdefault(self._me, {}).update(read.displayed)
            conversation.unseen -= read.size
            conversation.first_unseen = read.first_unseen
            conversation.first_naming_us = read.first_naming_us
            for row in read.rows[-limits.MESSAGES_PER_PAGE :]:
                self._events.tell(MessageChanged(self._view(conversation, row)))
            self._tell_row_soon(conversation)
            if displayed:
                self.on_displayed(conversation, _read_lines(read.displayed))

        await self._database.write(job, announce, own=True)

    def displayed_here(self, conversation: Conversation) -> tuple[ReadLine, ...]:
        """Return all that was shown here of others' feeds."""
        mine = conversation.displayed.get(self._me, {})
        return _read_lines(mine)


def _newly_held(before: VectorLine | None, now: VectorLine) -> tuple[Range, ...]:
    held = subtract(((now.floor, now.head),), now.lacking)
    if before is None:
        return held
    return subtract(held, subtract(((before.floor, before.head),), before.lacking))


def _read_lines(displayed: dict[FeedId, tuple[Range, ...]]) -> tuple[ReadLine, ...]:
    """Return what to tell; of very scattered numbers only the latest, so that nothing is told that was not shown."""
    return tuple(ReadLine(name, ranges[-READ_RANGES:]) for name, ranges in displayed.items())


def _up_to(ranges: Iterable[Range], head: int) -> tuple[Range, ...]:
    return tuple((first, min(last, head)) for first, last in ranges if first <= head)
