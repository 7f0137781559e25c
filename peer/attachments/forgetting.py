"""What belonged to messages that were deleted for everybody leaves this computer, but for what somebody saved."""

import asyncio
import contextlib
import logging
import shutil
from pathlib import Path

from peer.attachments.given import Given
from peer.attachments.here import Here
from peer.attachments.holdings import Holdings
from peer.attachments.records import Records
from peer.attachments.wanted import Wanted
from peer.errors import Refusal
from peer.pictures.picture_service import Pictures
from peer.storage import attachments
from peer.storage.attachments import AttachmentRow
from peer.storage.database import Connection
from peer.transfers import landing
from peer.views import EntryId
from protocol.manifests import PieceTable, read_table
from protocol.transfer_states import TransferState

log = logging.getLogger(__name__)


class Forgetting:
    """Removes files, pieces and records; what a crash leaves of that is done at the next start."""

    def __init__(
        self,
        records: Records,
        wanted: Wanted,
        given: Given,
        here: Here,
        holdings: Holdings,
        pictures: Pictures,
        copies: Path,
    ) -> None:
        """`copies` is the profile's folder for what is sent from here."""
        self._records = records
        self._wanted = wanted
        self._given = given
        self._here = here
        self._holdings = holdings
        self._pictures = pictures
        self._copies = copies
        self._one_at_a_time = asyncio.Lock()

    async def forget_deleted(self) -> None:
        """Let go of everything whose message was deleted."""
        async with self._one_at_a_time:
            for row in await self._records.database.read(attachments.rows_of_deleted):
                await self._wanted.drop(row.entry)
                await self._forget(row.entry)

    async def _forget(self, entry: EntryId) -> None:
        def read(connection: Connection) -> tuple[AttachmentRow | None, bytes | None]:
            # Read anew: it may have landed while it was being stopped.
            row = next((row for row in attachments.rows_of_deleted(connection) if row.entry == entry), None)
            return row, None if row is None else attachments.table_of(connection, row.entry)

        row, encoded = await self._records.database.read(read)
        if row is None:
            return
        table = None if encoded is None else await self._records.on_disk(read_table, row.body, encoded)
        await self._records.on_disk(_remove, row, table, self._copies / row.entry.hex())
        with contextlib.suppress(Refusal):
            await self._pictures.forget(row.entry.hex())
        self._given.forget(row.entry)
        self._here.forget(row.entry)
        self._holdings.forget(row.entry)
        await self._records.database.write(lambda c: attachments.forget(c, row.entry), own=True)
        self._records.database.wipe_soon()
        log.info("an attachment left this computer, because its message was deleted")


def _remove(row: AttachmentRow, table: PieceTable | None, copy: Path) -> None:
    """Remove what the program put somewhere by itself; what was sent from where it lay stays there."""
    if copy.exists():
        shutil.rmtree(copy, ignore_errors=True)
        return
    if row.part:
        landing.throw_away(Path(row.part))
    was_fetched = bool(row.pieces) or not row.body.size
    if row.state is TransferState.HERE and was_fetched and not row.is_chosen and table is not None:
        landing.erase(Path(row.path), row.body, table, row.mark)
