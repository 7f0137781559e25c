"""What is wanted here: asked for, held up, declined, and put in its place when all of it has come."""

import asyncio
import contextlib
import logging
import os
import random
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from peer import limits
from peer.attachments.door import FileDoor
from peer.attachments.file_settings import FileSettings
from peer.attachments.here import Here, pieces_kept
from peer.attachments.holdings import Holdings
from peer.attachments.records import Records, Tasks, path_as_text
from peer.attachments.whole_files import WholeFiles
from peer.entries.conversation import Conversation
from peer.errors import Refusal, RefusalCode
from peer.events import TransferFailed, TransferFinished, TransferProgressed
from peer.links.link import Link
from peer.links.link_book import Caller
from peer.safe_paths import safe_name
from peer.services.conversations import Conversations
from peer.storage import attachments
from peer.storage.attachments import AttachmentRow
from peer.storage.database import Connection
from peer.storage.messages import MessageRow
from peer.transfers import landing
from peer.transfers.download import Download
from peer.transfers.fetching import Fetch
from peer.transfers.threads import TransferThreads
from peer.views import EntryId, MessageView
from protocol.identity import DeviceId, UserId
from protocol.limits import RESYNC_SECONDS
from protocol.manifests import PieceTable, read_table
from protocol.piece_sets import PieceSet
from protocol.transfer_states import UNDER_WAY, TransferEvent, TransferState, next_state

log = logging.getLogger(__name__)


class Wanted:
    """Every attachment that is being fetched, and what a person says to that."""

    def __init__(
        self,
        records: Records,
        conversations: Conversations,
        holdings: Holdings,
        here: Here,
        settings: FileSettings,
        tasks: Tasks,
        *,
        chance: random.Random,
        door: FileDoor,
    ) -> None:
        self._records = records
        self._conversations = conversations
        self._holdings = holdings
        self._here = here
        self._settings = settings
        self._tasks = tasks
        self._chance = chance
        self._door = door
        self._fetches: dict[EntryId, Fetch] = {}
        self._files: dict[EntryId, WholeFiles] = {}
        """The files of folders that are being fetched."""
        self._threads = TransferThreads(limits.PULLING_THREADS)
        self._commanding = asyncio.Lock()
        self._context: ssl.SSLContext | None = None

    async def start(self, context: ssl.SSLContext) -> None:
        """Go on with what was under way; `context` is for connections to those who have it."""
        self._context = context
        for entry in await self._records.database.read(attachments.entries_under_way):
            await self._begin_fetch(await self._records.find(entry))
        self._tasks.keep(self._ask_now_and_then())

    async def close(self) -> None:
        """Stop everything; what has come is kept."""
        for fetch in tuple(self._fetches.values()):
            await fetch.stop()
            with contextlib.suppress(Refusal):
                await self.keep_pieces(fetch)

    @property
    def count(self) -> int:
        """How many are being fetched."""
        return len(self._fetches)

    def fetch_of(self, entry: EntryId) -> Fetch | None:
        """Return what is being done to have an attachment here."""
        return self._fetches.get(entry)

    def warning_about(self, fetch: Fetch) -> tuple[RefusalCode, str] | None:
        """Return what a person should know of something that comes all the same."""
        conversation = self._records.conversation_of(fetch.message)
        names = sorted({self._conversations.name_in(conversation, user) for user in fetch.liars.values()})
        if not names:
            return None
        who = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        return (RefusalCode.WRONG_CONTENT, f"{who} gave something else than this file, and is not asked any more.")

    def files_done(self, fetch: Fetch) -> int:
        """Return how many files of a folder are here whole."""
        files = self._files.get(fetch.body.entry_id)
        return files.count(fetch.download.held()) if files is not None and fetch.download is not None else 0

    def entries_in(self, conversation: Conversation) -> list[EntryId]:
        """Return what is wanted of a conversation, and not complete."""
        return [entry for entry, fetch in self._fetches.items() if fetch.conversation == conversation.id]

    # --- what a person asks for --------------------------------------------------------------

    async def fetch(self, entry: EntryId, path: Path | None = None) -> MessageView:
        """Have it here: under `path`, in the folder `path`, or where the conversation's things land.

        What is on its way goes on to `path`; of what is here a copy is put there, and its `path` is in the answer.
        """
        wanted = None
        if path is not None:
            wanted = Path(os.path.abspath(path_as_text(path)))  # noqa: ASYNC240, PTH100 - asks no disk
        message = await self._records.find(entry)
        row = message.attachment
        assert row is not None
        if row.state is TransferState.HERE and not await self._here.is_as_it_was(row):
            await self._here.vanished(message)
        elif row.state is TransferState.HERE and wanted is not None:
            copy = await self._here.save_copy(message, wanted)
            if copy is not None:
                return self._view_at(message, copy)
        view = await self._commanded(entry, TransferEvent.WANTED, wanted)
        if wanted is not None and view.attachment is not None and view.attachment.state is TransferState.HERE:
            return await self.fetch(entry, wanted)  # it came to its former place just now
        return view

    async def decline(self, entry: EntryId) -> MessageView:
        """Do not want it."""
        return await self._commanded(entry, TransferEvent.DECLINED)

    async def pause(self, entry: EntryId) -> MessageView:
        """Hold it up; what has come is kept."""
        return await self._commanded(entry, TransferEvent.PAUSED)

    async def resume(self, entry: EntryId) -> MessageView:
        """Go on, from where it stood."""
        return await self._commanded(entry, TransferEvent.WANTED)

    async def cancel(self, entry: EntryId) -> MessageView:
        """Forget what has come."""
        return await self._commanded(entry, TransferEvent.CANCELLED)

    async def _commanded(self, entry: EntryId, event: TransferEvent, path: Path | None = None) -> MessageView:
        """One thing after the other: who pauses and resumes at once gets the last of the two."""
        async with self._commanding:
            return await self._command(await self._records.find(entry), event, path)

    async def _command(self, message: MessageRow, event: TransferEvent, path: Path | None = None) -> MessageView:
        assert message.attachment is not None
        row = message.attachment
        state = next_state(row.state, event)
        if state is None and path is not None and row.state in UNDER_WAY:
            state = TransferState.WAITING  # it goes on, to another place
        if state is None:
            if event is TransferEvent.WANTED:
                return self._records.view(message)  # it is here, or on its way: nothing to ask for
            raise Refusal(RefusalCode.BAD_REQUEST, f"This file is {row.state}: there is nothing to do that to.")
        fetch = self._fetches.pop(message.entry, None)
        if fetch is not None:
            await fetch.stop()
            with contextlib.suppress(Refusal):
                await self.keep_pieces(fetch)
            self._files.pop(message.entry, None)
            return await self._command(await self._records.find(message.entry), event, path)  # as it stands by now
        fresh = replace(row, state=state, code="", reason="")
        if row.state is TransferState.GONE:
            fresh = replace(fresh, path="", part="", pieces=b"", mark=0, is_chosen=False, files_done=0)
        if path is not None:
            place = await self._records.on_disk(landing.choose_place, row.body, path)
            fresh = replace(fresh, path=str(place), is_chosen=True)
        if state in {TransferState.OFFERED, TransferState.DECLINED}:
            fresh = await self._throw_away(message, fresh)
        changed = await self._records.save(message, fresh)
        if state is TransferState.WAITING:
            await self._begin_fetch(changed)
        self._records.tell(TransferProgressed, changed)
        return self._records.view(changed)

    def _view_at(self, message: MessageRow, path: Path) -> MessageView:
        view = self._records.view(message)
        assert view.attachment is not None
        return msgspec.structs.replace(view, attachment=msgspec.structs.replace(view.attachment, path=str(path)))

    async def _throw_away(self, message: MessageRow, row: AttachmentRow) -> AttachmentRow:
        if row.part:
            await self._records.on_disk(landing.throw_away, Path(row.part))
            self._holdings.tell(self._records.conversation_of(message), row.entry, None)
        return replace(row, path="", part="", pieces=b"", is_chosen=False, files_done=0)

    # --- fetching --------------------------------------------------------------------------------

    async def _begin_fetch(self, message: MessageRow) -> None:
        """Have pieces come, from now on."""
        if message.entry in self._fetches or self._context is None:
            return
        conversation = self._records.conversation_of(message)
        fetch = Fetch(message, conversation.id, self, self._threads, self._context, self._records.landing, self._chance)
        self._fetches[message.entry] = fetch
        table, encoded = None, await self._records.database.read(lambda c: attachments.table_of(c, message.entry))
        if encoded is not None:
            table = await self._records.on_disk(read_table, fetch.body, encoded)
        fetch.start(table, encoded or b"")
        self._door.seek(fetch.message.author)
        self._holdings.ask(conversation, message.entry)

    async def make_download(self, fetch: Fetch, table: PieceTable, encoded: bytes) -> Download:
        """See `Office.make_download`."""
        row = fetch.row
        path = Path(row.path) if row.path else await self._folder_of(fetch.message) / safe_name(row.body.name)
        place = landing.place_at(row.body, path)
        if row.part and row.part != str(place.part):
            await self._records.on_disk(landing.move_part, Path(row.part), place.part)
        row = fetch.row = replace(row, path=str(place.path), part=str(place.part))

        def keep(connection: Connection) -> None:
            attachments.put_table(connection, row.entry, encoded)
            attachments.save(connection, row)

        await self._records.database.write(keep, own=True)
        if fetch.body.files:
            self._files[row.entry] = await self._records.on_disk(WholeFiles, table)
        if await self._records.on_disk(landing.is_landed, place, row.body, table, row.pieces):
            parts, held = landing.parts_at(place.path, row.body, table), PieceSet.complete(row.body.size)
            fetch.has_landed = True
        else:
            parts, held = await self._records.on_disk(
                lambda: landing.gather_at(place.part, row.body, table, row.pieces)
            )
        return Download(table, parts, place.part, held, self._chance)

    async def keep_pieces(self, fetch: Fetch) -> None:
        """See `Office.keep_pieces`."""
        if fetch.download is not None:
            bits, files = fetch.download.held().to_bytes(), self.files_done(fetch)
            await self._records.database.write(lambda c: attachments.put_pieces(c, fetch.row.entry, bits, files))
            self._holdings.tell(self._records.conversation_of(fetch.message), fetch.row.entry, bits)

    async def all_came(self, fetch: Fetch) -> None:
        """See `Office.all_came`."""
        assert fetch.download is not None
        row, download, is_folder = fetch.row, fetch.download, fetch.body.files > 0
        row = replace(row, pieces=download.held().to_bytes())
        place = landing.Place(Path(row.path), Path(row.part))
        if fetch.has_landed:
            mark = await self._records.on_disk(landing.mark_of, place.path, is_folder=is_folder)
            landed = landing.Landed(place.path, mark or 0)
        else:
            parts = list(download.parts)
            await self._records.on_disk(landing.flush, parts, download.part, is_folder=is_folder)
            landed = await self._land(fetch, row, place)
        row = replace(row, state=TransferState.HERE, path=str(landed.path), part="", mark=landed.mark)
        self._fetches.pop(row.entry, None)
        self._files.pop(row.entry, None)
        fetch.is_over = True
        message = await self._records.save(fetch.message, row)
        self._holdings.tell(
            self._records.conversation_of(message), row.entry, PieceSet.complete(row.body.size).to_bytes()
        )
        self._records.tell(TransferFinished, message)

    async def _land(self, fetch: Fetch, row: AttachmentRow, wanted: landing.Place) -> landing.Landed:
        while True:
            path = await self._records.on_disk(landing.free_place, wanted.path)
            place = wanted._replace(path=path)
            # Kept first: after a crash just behind the next step it is known where to look.
            fetch.row = replace(row, path=str(path))
            await self._records.save(fetch.message, fetch.row)
            try:
                return await self._records.on_disk(landing.land, place, is_folder=fetch.body.files > 0)
            except FileExistsError:
                continue  # somebody was quicker with this name

    async def drop(self, entry: EntryId) -> None:
        """Stop fetching something whose message was deleted, is shown no more, or means other content."""
        async with self._commanding:
            fetch = self._fetches.pop(entry, None)
            self._files.pop(entry, None)
            if fetch is not None:
                fetch.is_dropped = True
                await fetch.stop()

    def message_changed(self, message: MessageRow) -> None:
        """Let what is told from now on be told of a message as it is now; of one that was deleted nothing is."""
        fetch = self._fetches.get(message.entry)
        if fetch is not None and message.attachment is None:
            fetch.is_dropped = True
        elif fetch is not None and message.attachment is not None and message.attachment.body != fetch.row.body:
            self._tasks.keep(self.drop(message.entry))
        elif fetch is not None:
            fetch.message = message

    def progressed(self, fetch: Fetch) -> None:
        """See `Office.progressed`."""
        if fetch.is_dropped:
            return
        self._records.tell(TransferProgressed, fetch.message)

    def failed(self, fetch: Fetch, refusal: Refusal) -> None:
        """See `Office.failed`."""
        self._tasks.keep(self._fail(fetch, refusal))

    async def _fail(self, fetch: Fetch, refusal: Refusal) -> None:
        await fetch.stop()
        if fetch.is_dropped:
            return
        self._fetches.pop(fetch.row.entry, None)
        files_done = self.files_done(fetch)
        self._files.pop(fetch.row.entry, None)
        pieces = fetch.download.held().to_bytes() if fetch.download else fetch.row.pieces
        row = replace(
            fetch.row,
            state=TransferState.FAILED,
            code=refusal.code.value,
            reason=refusal.message,
            pieces=pieces,
            files_done=files_done,
        )
        kept = pieces_kept(row)
        if kept is not None:
            self._holdings.tell(self._records.conversation_of(fetch.message), row.entry, kept.to_bytes())
        log.info("a file cannot be fetched: %s", refusal.message)
        try:
            message = await self._records.save(fetch.message, row)
        except Refusal as full:
            if full.code is RefusalCode.UNKNOWN_ENTRY:
                return  # its message was deleted meanwhile
            # The disk that did not take the file may not take this either; it is tried again after a restart.
            log.warning("that a transfer failed could not be kept: %s", full)
            message = replace(fetch.message, attachment=row)
        self._records.tell(TransferFailed, message)

    async def _ask_now_and_then(self) -> None:
        """Ask again for what nobody seems to have: an answer may have been lost, or not have been allowed yet."""
        while True:
            await asyncio.sleep(RESYNC_SECONDS)
            for fetch in tuple(self._fetches.values()):
                self._door.seek(fetch.message.author)
                if not fetch.has_sources:
                    self._holdings.ask(self._records.conversation_of(fetch.message), fetch.row.entry)

    async def _folder_of(self, message: MessageRow) -> Path:
        """Return where what belongs to a conversation lands."""
        conversation = self._records.conversation_of(message)
        return await self._settings.folder_for(conversation.id, self._conversations.view(conversation).title)

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        """See `Office.admit_for_files`."""
        return self._door.admit_for_files(certificate, expected)

    def dial_for_files(self, user: UserId) -> Callable[[], socket.socket]:
        """See `Office.dial_for_files`."""
        return self._door.dial_for_files(user)

    # --- what others tell ------------------------------------------------------------------------

    def holder_told(self, fetch: Fetch, user: UserId, device: DeviceId, pieces: PieceSet | None) -> None:
        """A device has these pieces of what is wanted; None: it has nothing."""
        if pieces is None:
            fetch.lost(device)
            if user == fetch.message.author:
                self._tasks.keep(self._give_up_if_gone(fetch, user))
        elif pieces.count or not pieces.pieces or fetch.download is None:
            fetch.heard(user, device, pieces)

    async def _give_up_if_gone(self, fetch: Fetch, user: UserId) -> None:
        """What its author has no more, and nobody else ever had, will not come by waiting."""
        await asyncio.sleep(limits.LAST_WORD_SECONDS)
        if not fetch.has_sources and not self._holdings.somebody_has_all(fetch.row.entry, fetch.body.size):
            name = self._conversations.name_in(self._records.conversation_of(fetch.message), user)
            fetch.fail(
                Refusal(
                    RefusalCode.FILE_CHANGED,
                    f"The file was changed or removed at {name}'s end. Ask {name} to send it again.",
                )
            )

    def link_went_down(self, link: Link) -> None:
        """A neighbour went."""
        for fetch in self._fetches.values():
            if link.device is not None:
                fetch.lost(link.device)
