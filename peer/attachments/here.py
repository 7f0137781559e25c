"""What is on this computer of attachments: where their files are, and whether they still are what they were."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from peer import limits
from peer.attachments.holdings import Holdings
from peer.attachments.records import Records
from peer.errors import Refusal, RefusalCode
from peer.events import TransferProgressed
from peer.storage import attachments
from peer.storage.attachments import AttachmentRow
from peer.storage.database import Connection
from peer.storage.messages import MessageRow
from peer.transfers import landing
from peer.transfers.content import Part
from peer.transfers.saving import SourceChangedError, save_copy
from peer.transfers.serving import Served
from peer.views import EntryId
from protocol.entries import Attachment
from protocol.manifests import PieceTable, read_table
from protocol.piece_sets import PieceSet
from protocol.transfer_states import TransferEvent, TransferState, next_state


class Here:
    """Looks after files that came, that were sent, or of which some pieces came."""

    def __init__(self, records: Records, holdings: Holdings, worker: Callable[[str], Executor]) -> None:
        self._records = records
        self._holdings = holdings
        self._saving = worker("saving")
        self._tables: dict[bytes, tuple[bytes, PieceTable]] = {}
        self._is_closing = False
        self._saved: dict[EntryId, int] = {}
        """Bytes that are there of copies that are being made."""

    def close(self) -> None:
        """Give up what is being copied."""
        self._is_closing = True
        self._saving.shutdown(wait=False)

    async def table_of(self, body: Attachment) -> tuple[bytes, PieceTable]:
        """Return the piece table of something that is, or comes, here: as it travels, and read."""
        if body.entry_id not in self._tables:

            def job(connection: Connection) -> tuple[bytes, PieceTable]:
                encoded = attachments.table_of(connection, body.entry_id)
                assert encoded is not None
                return encoded, read_table(body, encoded)

            self._tables[body.entry_id] = await self._records.database.read(job)
            if len(self._tables) > limits.TABLES_AT_HAND:
                self._tables.pop(next(iter(self._tables)))
        return self._tables[body.entry_id]

    def forget(self, entry: EntryId) -> None:
        """Nothing of it is here any more."""
        self._tables.pop(entry, None)

    async def served(self, row: AttachmentRow) -> Served | None:
        """Return what can be given of something that is not being fetched at this moment; None for nothing."""
        pieces = pieces_kept(row)
        if pieces is None:
            return None
        encoded, table = await self.table_of(row.body)
        mark = row.mark if row.state is TransferState.HERE else 0
        return Served(_parts_of(row, table), pieces, encoded, table, mark)

    async def is_as_it_was(self, row: AttachmentRow) -> bool:
        """Tell whether the file still is there and was not written to, as far as a glance tells."""
        is_folder = row.body.files > 0 and not _is_copy_of_folder(row)
        mark = await self._records.on_disk(landing.mark_of, Path(row.path), is_folder=is_folder)
        return mark is not None and (not row.mark or mark == row.mark)

    async def look_for_vanished(self) -> None:
        """Notice what was here and is no more, or is another file by now."""
        for entry in await self._records.database.read(attachments.entries_here):
            try:
                message = await self._records.find(entry)
            except Refusal:
                continue  # it was deleted meanwhile
            assert message.attachment is not None
            if not await self.is_as_it_was(message.attachment):
                await self.vanished(message)

    async def changed(self, message: MessageRow, served: Served) -> None:
        """What was given is not what it was."""
        row = message.attachment
        assert row is not None
        if pieces_kept(row) is not None and _parts_of(row, served.table) == served.parts:
            await self.vanished(message)

    async def vanished(self, message: MessageRow) -> MessageRow:
        """Keep and tell that the file is no more; of pieces that were gathered only that there are none."""
        row = message.attachment
        assert row is not None
        state = next_state(row.state, TransferEvent.VANISHED)
        if state is None:
            row = replace(row, pieces=b"", files_done=0)
        else:
            row = replace(
                row,
                state=state,
                code=RefusalCode.FILE_CHANGED.value,
                reason="This file was changed or removed since. "
                "Others can fetch it no more; send it again if they should.",
            )
        message = await self._records.save(message, row)
        self._holdings.tell(self._records.conversation_of(message), message.entry, None)
        self._records.tell(TransferProgressed, message)
        return message

    def saved_of(self, entry: EntryId) -> int | None:
        """Return how many bytes of a copy are there while it is being made."""
        return self._saved.get(entry)

    async def save_copy(self, message: MessageRow, wanted: Path) -> Path | None:
        """Copy something that is here; return where the copy is, None if it is not here any more after all.

        Raises Refusal where the disk does not take it.
        """
        row = message.attachment
        assert row is not None
        _, table = await self.table_of(row.body)
        path = await self._records.on_disk(landing.choose_place, row.body, wanted)

        def went_on(done: int) -> bool:
            if not self._is_closing:
                self._saved[row.entry] = done
            return not self._is_closing

        telling = asyncio.create_task(self._tell_now_and_then(message), name="telling of a copy")
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._saving, save_copy, _parts_of(row, table), row.body, table, path, went_on
            )
        except SourceChangedError:
            await self.vanished(message)
            return None
        finally:
            telling.cancel()
            if self._saved.pop(row.entry, None) is not None and not self._is_closing:
                self._tell(message)

    async def _tell_now_and_then(self, message: MessageRow) -> None:
        """Tell how far a copy is; a small one is there before anything is told."""
        while True:
            await asyncio.sleep(limits.TRANSFER_TELL_SECONDS)
            self._tell(message)

    def _tell(self, message: MessageRow) -> None:
        self._records.tell(TransferProgressed, message)


def pieces_kept(row: AttachmentRow) -> PieceSet | None:
    """Return the pieces of something that is not being fetched at this moment; None for nothing."""
    if row.state is TransferState.HERE:
        return PieceSet.complete(row.body.size)
    return PieceSet(row.body.size, row.pieces) if row.part and row.pieces else None


def _parts_of(row: AttachmentRow, table: PieceTable) -> tuple[Part, ...]:
    """Return the files of an attachment: copied, as it was chosen for sending, as it was fetched, or so far."""
    if row.state is not TransferState.HERE:
        return tuple(landing.parts_at(Path(row.part), row.body, table))
    path = Path(row.path)
    if _is_copy_of_folder(row):
        return ((path, row.body.size),)
    if row.body.files and not row.pieces:
        return tuple((path / line.path, line.size) for line in table.files)
    return tuple(landing.parts_at(path, row.body, table))


def _is_copy_of_folder(row: AttachmentRow) -> bool:
    return row.body.files > 0 and not row.pieces and Path(row.path).parent.name == row.entry.hex()
