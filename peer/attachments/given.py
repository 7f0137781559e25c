"""What is given from here: to whom, whether it still is what was sent, and how fast it goes out."""

import asyncio

from peer import limits
from peer.attachments.door import FileDoor, Readers
from peer.attachments.here import Here, pieces_kept
from peer.attachments.holdings import Holdings
from peer.attachments.records import Records, Tasks
from peer.attachments.wanted import Wanted
from peer.errors import RefusalCode
from peer.events import TransferProgressed
from peer.links.link_book import Caller
from peer.services.conversations import Conversations
from peer.storage import messages
from peer.storage.messages import MessageRow
from peer.transfers.serving import Served
from peer.transfers.speed import SpeedMeter
from peer.views import ConversationId, EntryId
from protocol.identity import DeviceId, UserId
from protocol.transfer_states import TransferState


class Given:
    """Judges who may have what of it; see `Judge`."""

    def __init__(
        self,
        records: Records,
        conversations: Conversations,
        holdings: Holdings,
        here: Here,
        wanted: Wanted,
        tasks: Tasks,
        *,
        door: FileDoor,
        readers: Readers,
    ) -> None:
        self._records = records
        self._conversations = conversations
        self._holdings = holdings
        self._here = here
        self._wanted = wanted
        self._tasks = tasks
        self._door = door
        self._readers = readers
        self._meters: dict[EntryId, SpeedMeter] = {}
        """What goes out at this moment, and how fast."""

    def pieces_of(self, message: MessageRow) -> bytes | None:
        """Return what we would give of an attachment; None for nothing, not even its table."""
        assert message.attachment is not None
        fetch = self._wanted.fetch_of(message.entry)
        if fetch is not None:
            return fetch.download.held().to_bytes() if fetch.download is not None else None
        pieces = pieces_kept(message.attachment)
        return None if pieces is None else pieces.to_bytes()

    def speed_of(self, entry: EntryId) -> float:
        """Return how fast it goes out at this moment, bytes a second."""
        meter = self._meters.get(entry)
        return meter.bytes_per_second if meter else 0.0

    def forget(self, entry: EntryId) -> None:
        """Nothing of it is here any more."""
        self._meters.pop(entry, None)

    def note_given(self, message: MessageRow) -> None:
        """Others have more of it: let the board be told soon, once for all that is told at this moment."""
        meter = self._meters.get(message.entry)
        if meter is None:
            meter = self._meters[message.entry] = SpeedMeter()
            self._tasks.keep(self._tell_board(message.entry))
        meter.note(asyncio.get_running_loop().time(), self._holdings.given(message.entry))

    async def _tell_board(self, entry: EntryId) -> None:
        """Tell while something is going out, and once when nothing does any more."""
        told, meter = -1.0, self._meters[entry]
        while meter.last != told:
            told = meter.last
            self._records.tell(TransferProgressed, await self._records.find(entry))
            await asyncio.sleep(limits.TRANSFER_TELL_SECONDS)
            if meter.last == told:
                await asyncio.sleep(limits.GIVEN_QUIET_SECONDS)
        self._meters.pop(entry, None)
        self._records.tell(TransferProgressed, await self._records.find(entry))

    # --- who asks --------------------------------------------------------------------------------

    async def served(self, caller: Caller, conversation: ConversationId, entry: EntryId) -> Served | RefusalCode:
        """See `Judge.served`."""
        found = self._conversations.get(conversation)
        if found is None or not self._readers.may_fetch(caller, found):
            return RefusalCode.UNKNOWN_ENTRY
        message = await self._records.database.read(lambda c: messages.find_message(c, entry))
        if message is None or message.attachment is None or message.conversation != found.kept.row:
            return RefusalCode.UNKNOWN_ENTRY
        if found.group is not None and not found.group.may_have(caller.user, message.feed, message.number):
            return RefusalCode.UNKNOWN_ENTRY
        fetch = self._wanted.fetch_of(entry)
        if fetch is not None and fetch.conversation == conversation and fetch.download is not None:
            encoded, table = await self._here.table_of(fetch.body)
            return Served(fetch.download.parts, fetch.download.held(), encoded, table, 0)
        message = await self._records.database.read(lambda c: messages.find_message(c, entry))
        if message is None or message.attachment is None or message.conversation != found.kept.row:
            return RefusalCode.UNKNOWN_ENTRY
        if message.attachment.state is TransferState.GONE:
            return RefusalCode.FILE_CHANGED
        return await self._here.served(message.attachment) or RefusalCode.NOBODY_HAS_IT

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        """See `Judge.admit_for_files`."""
        return self._door.admit_for_files(certificate, expected)

    def content_changed(self, entry: EntryId, served: Served) -> None:
        """See `Judge.content_changed`."""
        self._tasks.keep(self._note_change(entry, served))

    async def _note_change(self, entry: EntryId, served: Served) -> None:
        if self._wanted.fetch_of(entry) is None:
            await self._here.changed(await self._records.find(entry), served)
