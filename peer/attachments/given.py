"""What is given from here: to whom, whether it still is what was sent, and how fast it goes out."""

import asyncio
from dataclasses import replace
from pathlib import Path

from peer import limits
from peer.attachments.door import FileDoor, Readers
from peer.attachments.holdings import Holdings
from peer.attachments.records import Records, Tasks
from peer.attachments.wanted import Wanted
from peer.conversations import Conversations
from peer.errors import RefusalCode
from peer.events import TransferProgressed
from peer.links.link_book import Caller
from peer.storage import attachments, messages
from peer.storage.attachments import AttachmentRow
from peer.storage.database import Connection
from peer.storage.messages import MessageRow
from peer.transfers import landing
from peer.transfers.content import Part
from peer.transfers.serving import Served
from peer.transfers.speed import SpeedMeter
from peer.views import ConversationId, EntryId
from protocol.entries import Attachment
from protocol.identity import DeviceId, UserId
from protocol.manifests import PieceTable, read_table
from protocol.piece_sets import PieceSet
from protocol.transfer_states import TransferEvent, TransferState, next_state


class Given:
    """Judges who may have what of it; see `Judge`."""

    def __init__(
        self,
        records: Records,
        conversations: Conversations,
        holdings: Holdings,
        wanted: Wanted,
        tasks: Tasks,
        *,
        door: FileDoor,
        readers: Readers,
    ) -> None:
        self._records = records
        self._conversations = conversations
        self._holdings = holdings
        self._wanted = wanted
        self._tasks = tasks
        self._door = door
        self._readers = readers
        self._meters: dict[EntryId, SpeedMeter] = {}
        """What goes out at this moment, and how fast."""
        self._tables: dict[EntryId, tuple[bytes, PieceTable]] = {}

    def start(self) -> None:
        """Look after what was here."""
        self._tasks.keep(self.look_for_vanished())

    def pieces_of(self, message: MessageRow) -> bytes | None:
        """Return what we would give of an attachment; None for nothing, not even its table."""
        row = message.attachment
        assert row is not None
        fetch = self._wanted.fetch_of(message.entry)
        if fetch is not None:
            return fetch.download.held().to_bytes() if fetch.download is not None else None
        return PieceSet.complete(row.body.size).to_bytes() if row.state is TransferState.HERE else None

    def speed_of(self, entry: EntryId) -> float:
        """Return how fast it goes out at this moment, bytes a second."""
        meter = self._meters.get(entry)
        return meter.bytes_per_second if meter else 0.0

    def note_given(self, message: MessageRow) -> None:
        """Others have more of it: let the board be told soon, once for all that is told at this moment."""
        meter = self._meters.get(message.entry)
        if meter is None:
            meter = self._meters[message.entry] = SpeedMeter()
            self._tasks.keep(self._tell_board(message.entry))
        given = sum(holder.done for holder in self._holdings.board(message.entry))
        meter.note(asyncio.get_running_loop().time(), given)

    async def _tell_board(self, entry: EntryId) -> None:
        """Tell while something is going out, and once when nothing does any more."""
        told = -1
        while self._meters[entry].last != told:
            told = self._meters[entry].last
            self._records.tell(TransferProgressed, await self._records.find(entry))
            await asyncio.sleep(limits.TRANSFER_TELL_SECONDS)
            if self._meters[entry].last == told:
                await asyncio.sleep(limits.GIVEN_QUIET_SECONDS)
        del self._meters[entry]
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
            encoded, table = await self._table_of(fetch.body)
            return Served(fetch.download.parts, fetch.download.held(), encoded, table, 0)
        row = message.attachment
        if row.state is TransferState.GONE:
            return RefusalCode.FILE_CHANGED
        if row.state is not TransferState.HERE:
            return RefusalCode.NOBODY_HAS_IT
        encoded, table = await self._table_of(row.body)
        return Served(_parts_here(row, table), PieceSet.complete(row.body.size), encoded, table, row.mark)

    async def _table_of(self, body: Attachment) -> tuple[bytes, PieceTable]:
        if body.entry_id not in self._tables:

            def job(connection: Connection) -> tuple[bytes, PieceTable]:
                encoded = attachments.table_of(connection, body.entry_id)
                assert encoded is not None
                return encoded, read_table(body, encoded)

            self._tables[body.entry_id] = await self._records.database.read(job)
            if len(self._tables) > limits.TABLES_AT_HAND:
                self._tables.pop(next(iter(self._tables)))
        return self._tables[body.entry_id]

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        """See `Judge.admit_for_files`."""
        return self._door.admit_for_files(certificate, expected)

    def content_changed(self, entry: EntryId, served: Served) -> None:
        """See `Judge.content_changed`."""
        self._tasks.keep(self._note_change(entry, served))

    async def _note_change(self, entry: EntryId, served: Served) -> None:
        message = await self._records.find(entry)
        assert message.attachment is not None
        row = message.attachment
        if row.state is TransferState.HERE and _parts_here(row, served.table) == served.parts:
            await self._vanished(message)

    async def _vanished(self, message: MessageRow) -> None:
        row = message.attachment
        assert row is not None
        state = next_state(row.state, TransferEvent.VANISHED)
        if state is None:
            return
        gone = replace(
            row,
            state=state,
            code=RefusalCode.FILE_CHANGED.value,
            reason="This file was changed or removed since. Others can fetch it no more; send it again if they should.",
        )
        message = await self._records.save(message, gone)
        self._holdings.tell(self._records.conversation_of(message), message.entry, None)
        self._records.tell(TransferProgressed, message)

    async def look_for_vanished(self) -> None:
        """Notice what was here and is no more, or is another file by now."""
        for entry in await self._records.database.read(attachments.entries_here):
            message = await self._records.find(entry)
            row = message.attachment
            assert row is not None
            is_folder = row.body.files > 0 and not _is_copy_of_folder(row)
            mark = await self._records.on_disk(landing.mark_of, Path(row.path), is_folder=is_folder)
            if mark is None or (row.mark and mark != row.mark):
                await self._vanished(message)


def _parts_here(row: AttachmentRow, table: PieceTable) -> tuple[Part, ...]:
    """Return the files of an attachment that is here: copied, as it was chosen for sending, or as it was fetched."""
    path = Path(row.path)
    if _is_copy_of_folder(row):
        return ((path, row.body.size),)
    if row.body.files and not row.pieces:
        return tuple((path / line.path, line.size) for line in table.files)
    return tuple(landing.parts_at(path, row.body, table))


def _is_copy_of_folder(row: AttachmentRow) -> bool:
    return row.body.files > 0 and not row.pieces and Path(row.path).parent.name == row.entry.hex()
