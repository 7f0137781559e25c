"""Files, folders, pictures and voice messages of one account: sent, wanted, declined, and how far each has come.

This is the part that decides and tells, on the loop. Bytes are moved by `peer.transfers`, on threads of its own.
"""

import asyncio
import contextlib
import logging
import os
import random
import secrets
import socket
import ssl
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from peer import limits
from peer.attachment_views import attachment_view
from peer.conversation import Conversation
from peer.conversations import Conversations, check_sendable
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import Event, TransferFailed, TransferFinished, TransferProgressed
from peer.holdings import Holdings
from peer.links.link import Link
from peer.links.link_book import Caller
from peer.pictures.picture_service import Pictures
from peer.pictures.tasks import PreparedPicture
from peer.safe_paths import safe_name
from peer.storage import attachments, messages
from peer.storage.attachments import AttachmentRow
from peer.storage.database import Connection, Database
from peer.storage.messages import BEHIND_ALL, MessageRow
from peer.storage.settings import get_setting, put_setting
from peer.transfers import landing
from peer.transfers.content import Part
from peer.transfers.download import Download
from peer.transfers.fetching import Fetch
from peer.transfers.preparing import Prepared, keep_copy, prepare
from peer.transfers.serving import Served
from peer.transfers.speed import SpeedMeter
from peer.transfers.threads import TransferThreads
from peer.views import AttachmentView, ConversationId, EntryId, MessageKind, MessageState, MessageView
from protocol.consent import Consent
from protocol.entries import Attachment
from protocol.identity import DeviceId, UserId
from protocol.limits import CAPTION_LENGTH, RESYNC_SECONDS, WAVEFORM_BARS
from protocol.manifests import PieceTable, read_table
from protocol.piece_sets import PieceSet
from protocol.transfer_states import TransferEvent, TransferState, next_state

Result = TypeVar("Result")
log = logging.getLogger(__name__)
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp"})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What somebody wants to send."""

    path: Path
    caption: str = ""
    kind: MessageKind | None = None
    """None: by the file's name."""
    duration: float = 0.0
    waveform: bytes = b""


@dataclass(slots=True, eq=False)
class _Sending:
    """Something of ours that is being read, before it has an entry."""

    entry: EntryId
    conversation: Conversation
    outgoing: Outgoing
    written_at: datetime
    size: int
    done: int = 0
    is_cancelled: bool = False
    meter: SpeedMeter = field(default_factory=SpeedMeter)


class FileDoor(Protocol):
    """Who may come in for files, and how to reach others for theirs."""

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        """Return who it is; raise RemoteProtocolError for anybody who gets no files here."""

    def dial_for_files(self, user: UserId) -> Callable[[], socket.socket]:
        """Return how to connect to somebody's port, on a thread."""

    def may_share(self, user: UserId, device: DeviceId, conversation: Conversation) -> bool:
        """Tell whether a device is one of a member of a conversation, and may see what is in it."""


class Attachments:
    """What every attachment of the account is doing."""

    def __init__(
        self,
        database: Database,
        conversations: Conversations,
        events: EventStream,
        *,
        clock: Callable[[], datetime],
        worker: Callable[[str], Executor],
        me: UserId,
        name_of: Callable[[UserId], str],
        copies: Path,
        downloads: Path,
        pictures: Pictures,
        chance: random.Random,
        door: "FileDoor",
    ) -> None:
        """`copies` is the profile's folder for what is sent from here, `downloads` where others' things land."""
        self._database = database
        self._conversations = conversations
        self._events = events
        self._clock = clock
        self._me = me
        self._name_of = name_of
        self._copies = copies
        self._downloads = downloads
        self._pictures = pictures
        self._reading = worker("files")
        self._writing = worker("landing")
        self._chance = chance
        self._door = door
        self._sending: dict[EntryId, _Sending] = {}
        self._fetches: dict[EntryId, Fetch] = {}
        self._given: dict[EntryId, SpeedMeter] = {}
        """What goes out at this moment, and how fast."""
        self._tables: dict[EntryId, tuple[bytes, PieceTable]] = {}
        self._pulling_threads = TransferThreads(limits.PULLING_THREADS)
        self._commanding = asyncio.Lock()
        self._files_context: ssl.SSLContext | None = None
        self.holdings = Holdings(database, conversations, self._may_share, name_of, self)
        self._auto_fetch = limits.AUTO_FETCH_BYTES
        self._tasks: set[asyncio.Task[None]] = set()
        conversations.on_attachment = self._attachment_came
        conversations.show_attachment = self._show

    async def load(self) -> None:
        """Read what is kept into memory, and go on with what was under way."""

        def job(connection: Connection) -> tuple[bytes | None, bytes | None]:
            return get_setting(connection, "auto_fetch"), get_setting(connection, "downloads")

        await self.holdings.load()
        auto_fetch, downloads = await self._database.read(job)
        if auto_fetch is not None:
            self._auto_fetch = int.from_bytes(auto_fetch, "big")
        if downloads is not None:
            self._downloads = Path(downloads.decode())

    async def start(self, context: ssl.SSLContext) -> None:
        """Go on with what was under way; `context` is for connections to those who have it."""
        self._files_context = context
        for entry in await self._database.read(attachments.entries_under_way):
            await self._begin_fetch(await self._find(entry))
        self._keep(self.look_for_vanished())
        self._keep(self._ask_now_and_then())

    async def close(self) -> None:
        """Stop everything; what has come is kept."""
        for fetch in tuple(self._fetches.values()):
            await fetch.stop()
            with contextlib.suppress(Refusal):
                await self.keep_pieces(fetch)
        for sending in self._sending.values():
            sending.is_cancelled = True
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._reading.shutdown(wait=False)
        self._writing.shutdown(wait=False)

    # --- settings ----------------------------------------------------------------------------

    @property
    def auto_fetch(self) -> int:
        """Bytes up to which files of friends come by themselves; 0: nothing does."""
        return self._auto_fetch

    async def set_auto_fetch(self, size: int) -> None:
        """Choose which files come by themselves; pictures and voice messages do up to 10 MiB, or with 0 not either."""
        await self._database.write(lambda c: put_setting(c, "auto_fetch", size.to_bytes(8, "big")), own=True)
        self._auto_fetch = size

    @property
    def downloads(self) -> Path:
        """The folder in which each conversation has one of its own."""
        return self._downloads

    async def set_downloads(self, folder: Path) -> None:
        """Put what comes from now on into another folder."""
        await self._database.write(lambda c: put_setting(c, "downloads", str(folder).encode()), own=True)
        self._downloads = folder

    # --- sending -----------------------------------------------------------------------------

    async def send(self, conversation: Conversation, outgoing: Outgoing) -> MessageView:
        """Read and hash, then write the entry; raise Refusal, and nothing was sent."""
        if len(outgoing.caption) > CAPTION_LENGTH:
            raise Refusal(RefusalCode.TOO_LARGE, f"Keep what you say beside a file to {CAPTION_LENGTH} characters.")
        check_sendable(conversation, self._me, outgoing.caption)
        entry = EntryId(secrets.token_bytes(16))
        sending = _Sending(entry, conversation, outgoing, self._clock(), 0)
        self._sending[entry] = sending
        telling = self._keep(self._tell_while_reading(sending))
        loop = asyncio.get_running_loop()
        copies = self._copies / entry.hex()

        def progress(done: int) -> None:
            sending.done = done

        try:
            picture = await self._picture_of(outgoing)
            path, largest_copy = outgoing.path, limits.COPIED_BYTES
            if picture is not None:
                # What is sent is not what lies there, but the same pixels without the rest.
                path = await loop.run_in_executor(self._reading, keep_copy, copies, path, picture.content)
                largest_copy = 0
            if outgoing.kind is None:
                kind = MessageKind.FILE if picture is None else MessageKind.PICTURE
                sending.outgoing = outgoing = replace(outgoing, kind=kind)
            prepared = await loop.run_in_executor(
                self._reading, prepare, path, copies, lambda: sending.is_cancelled, progress, largest_copy
            )
            body = _body_of(entry, outgoing, prepared, picture)
            happened = await self._conversations.write(
                conversation,
                lambda *_: body,
                beside=lambda c: attachments.add_own(
                    c, conversation.kept.row, body, prepared.table, str(prepared.path), prepared.mark
                ),
            )
        except BaseException as error:
            sending.is_cancelled = True
            if sending.size and isinstance(error, Refusal):
                self._events.tell(TransferFailed(self._view_of_sending(sending, error)))
            raise
        finally:
            telling.cancel()
            del self._sending[entry]
        return self._conversations.message_view(conversation, happened.messages[0])

    async def _picture_of(self, outgoing: Outgoing) -> PreparedPicture | None:
        """Return what to send of a picture; None for what is sent as a file, such as a picture that none can show."""
        if outgoing.kind is not MessageKind.PICTURE and not _looks_like_picture(outgoing):
            return None
        try:
            return await self._pictures.prepare(outgoing.path)
        except Refusal:
            if outgoing.kind is MessageKind.PICTURE:
                raise
            return None

    async def _tell_while_reading(self, sending: _Sending) -> None:
        """Show what takes its time; a small file is written before anybody needs to see that it is read."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(limits.TRANSFER_TELL_SECONDS)
            if not sending.size:
                sending.size = await self._in_worker(lambda: _size_for_show(sending.outgoing.path))
            sending.meter.note(loop.time(), sending.done)
            self._events.tell(TransferProgressed(self._view_of_sending(sending)))

    def _view_of_sending(self, sending: _Sending, refusal: Refusal | None = None) -> MessageView:
        outgoing, speed = sending.outgoing, sending.meter.bytes_per_second
        view = AttachmentView(
            name=safe_name(outgoing.path.name),
            size=sending.size,
            files=1,
            state=TransferState.FAILED if refusal else TransferState.PREPARING,
            done=sending.done,
            speed=speed,
            seconds_left=(sending.size - sending.done) / speed if speed else None,
            code=refusal.code if refusal else None,
            reason=refusal.message if refusal else "",
        )
        return MessageView(
            entry=sending.entry,
            conversation=sending.conversation.id,
            author=self._me,
            author_name=self._name_of(self._me),
            mine=True,
            kind=outgoing.kind or (MessageKind.PICTURE if _looks_like_picture(outgoing) else MessageKind.FILE),
            text=outgoing.caption,
            written_at=sending.written_at,
            state=MessageState.STORED,
            arrival=0,
            attachment=view,
        )

    # --- what a person asks for --------------------------------------------------------------

    async def fetch(self, entry: EntryId, path: Path | None = None) -> MessageView:
        """Have it here: under `path`, in the folder `path`, or where the conversation's things land."""
        wanted = "" if path is None else os.path.abspath(path)  # noqa: ASYNC240, PTH100 - asks no disk
        return await self._commanded(entry, TransferEvent.WANTED, path=wanted)

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
        """Forget what has come; or do not send what is still being read."""
        sending = self._sending.get(entry)
        if sending is not None:
            sending.is_cancelled = True
            return self._view_of_sending(sending)
        return await self._commanded(entry, TransferEvent.CANCELLED)

    async def files(
        self, conversation: Conversation, before: EntryId | None = None, limit: int = 256
    ) -> list[MessageView]:
        """Return what was ever shared here, the newest first."""
        count = max(1, min(limit, limits.MESSAGES_PER_PAGE))
        number = conversation.kept.row

        def job(connection: Connection) -> list[MessageRow]:
            place = BEHIND_ALL if before is None else messages.place_in(connection, number, before)
            return messages.attachments_before(connection, number, place, count)

        rows = await self._database.read(job)
        return [self._conversations.message_view(conversation, row) for row in rows]

    async def place_of(self, entry: EntryId) -> Path:
        """Return where something lies that is here; raise Refusal for anything else."""
        row = (await self._find(entry)).attachment
        if row is None or row.state is not TransferState.HERE:
            raise Refusal(RefusalCode.REFUSED, "This file is not here. Download it first.")
        return Path(row.path)

    async def _commanded(self, entry: EntryId, event: TransferEvent, path: str = "") -> MessageView:
        """One thing after the other: who pauses and resumes at once gets the last of the two."""
        async with self._commanding:
            return await self._command(await self._find(entry), event, path)

    async def _command(self, message: MessageRow, event: TransferEvent, path: str = "") -> MessageView:
        assert message.attachment is not None
        row = message.attachment
        state = next_state(row.state, event)
        if state is None:
            if event is TransferEvent.WANTED:
                return self._view(message)  # it is here, or on its way: nothing to ask for
            raise Refusal(RefusalCode.BAD_REQUEST, f"This file is {row.state}: there is nothing to do that to.")
        fetch = self._fetches.pop(message.entry, None)
        if fetch is not None:
            await fetch.stop()
            with contextlib.suppress(Refusal):
                await self.keep_pieces(fetch)
            return await self._command(await self._find(message.entry), event, path)  # as it stands by now
        fresh = replace(row, state=state, code="", reason="")
        if row.state is TransferState.GONE:
            fresh = replace(fresh, path="", part="", pieces=b"", mark=0)
        if path and path != fresh.path:
            await self._throw_away(fresh)
            fresh = replace(fresh, path=path, part="", pieces=b"")
        if state in {TransferState.OFFERED, TransferState.DECLINED}:
            await self._throw_away(fresh)
            fresh = replace(fresh, path="", part="", pieces=b"")
        changed = await self._save(message, fresh)
        if state is TransferState.WAITING:
            await self._begin_fetch(changed)
        self._tell(TransferProgressed, changed)
        return self._view(changed)

    async def _throw_away(self, row: AttachmentRow) -> None:
        if row.part:
            await self._in_worker(lambda: landing.throw_away(Path(row.part)))

    async def _save(self, message: MessageRow, row: AttachmentRow) -> MessageRow:
        changed = replace(message, attachment=row)
        await self._database.write(lambda c: attachments.save(c, row), lambda _: self._remember(changed), own=True)
        return changed

    def _remember(self, message: MessageRow) -> None:
        conversation = self._conversation_of(message)
        if conversation.last is not None and conversation.last.entry == message.entry:
            conversation.last = message

    # --- fetching --------------------------------------------------------------------------------

    async def _begin_fetch(self, message: MessageRow) -> None:
        """Have pieces come, from now on."""
        if message.entry in self._fetches or self._files_context is None:
            return
        conversation = self._conversation_of(message)
        fetch = Fetch(
            message, conversation.id, self, self._pulling_threads, self._files_context, self._writing, self._chance
        )
        self._fetches[message.entry] = fetch
        table, encoded = None, await self._database.read(lambda c: attachments.table_of(c, message.entry))
        if encoded is not None:
            table = await self._in_worker(lambda: read_table(fetch.body, encoded))
        fetch.start(table, encoded or b"")
        self.holdings.ask(conversation, message.entry)

    async def make_download(self, fetch: Fetch, table: PieceTable, encoded: bytes) -> Download:
        """See `Office.make_download`."""
        row = fetch.row
        folder = self._folder_of(fetch.message)
        place = await self._in_worker(lambda: landing.choose_place(row.body, row.path, folder))
        if row.part:
            place = landing.Place(Path(row.path), Path(row.part))
        row = fetch.row = replace(row, path=str(place.path), part=str(place.part))

        def keep(connection: Connection) -> None:
            attachments.put_table(connection, row.entry, encoded)
            attachments.save(connection, row)

        await self._database.write(keep, own=True)
        if await self._in_worker(lambda: landing.is_landed(place, row.body, table, row.pieces)):
            parts, held = landing.parts_at(place.path, row.body, table), PieceSet.complete(row.body.size)
            fetch.has_landed = True
        else:
            parts, held = await self._in_worker(lambda: landing.gather_at(place.part, row.body, table, row.pieces))
        return Download(table, parts, place.part, held, self._chance)

    async def keep_pieces(self, fetch: Fetch) -> None:
        """See `Office.keep_pieces`."""
        if fetch.download is not None:
            bits = fetch.download.held().to_bytes()
            await self._database.write(lambda c: attachments.put_pieces(c, fetch.row.entry, bits))
            self.holdings.tell(self._conversation_of(fetch.message), fetch.row.entry, bits)

    async def all_came(self, fetch: Fetch) -> None:
        """See `Office.all_came`."""
        assert fetch.download is not None
        row, download, is_folder = fetch.row, fetch.download, fetch.body.files > 0
        row = replace(row, pieces=download.held().to_bytes())
        place = landing.Place(Path(row.path), Path(row.part))
        if fetch.has_landed:
            mark = await self._in_worker(lambda: landing.mark_of(place.path, is_folder=is_folder))
            landed = landing.Landed(place.path, mark or 0)
        else:
            parts = list(download.parts)
            await self._in_worker(lambda: landing.flush(parts, download.part, is_folder=is_folder))
            landed = await self._land(fetch, row, place)
        row = replace(row, state=TransferState.HERE, path=str(landed.path), part="", mark=landed.mark)
        self._fetches.pop(row.entry, None)
        fetch.is_over = True
        message = await self._save(fetch.message, row)
        self.holdings.tell(self._conversation_of(message), row.entry, self.pieces_here(message))
        self._tell(TransferFinished, message)

    async def _land(self, fetch: Fetch, row: AttachmentRow, wanted: landing.Place) -> landing.Landed:
        while True:
            path = await self._in_worker(lambda: landing.free_place(wanted.path))
            place = wanted._replace(path=path)
            # Kept first: after a crash just behind the next step it is known where to look.
            fetch.row = replace(row, path=str(path))
            await self._save(fetch.message, fetch.row)
            try:
                return await self._in_worker(lambda place=place: landing.land(place, is_folder=fetch.body.files > 0))  # type: ignore[misc]
            except FileExistsError:
                continue  # somebody was quicker with this name

    def progressed(self, fetch: Fetch) -> None:
        """See `Office.progressed`."""
        self._tell(TransferProgressed, fetch.message)

    def failed(self, fetch: Fetch, refusal: Refusal) -> None:
        """See `Office.failed`."""
        self._keep(self._fail(fetch, refusal))

    async def _fail(self, fetch: Fetch, refusal: Refusal) -> None:
        await fetch.stop()
        self._fetches.pop(fetch.row.entry, None)
        pieces = fetch.download.held().to_bytes() if fetch.download else fetch.row.pieces
        row = replace(
            fetch.row, state=TransferState.FAILED, code=refusal.code.value, reason=refusal.message, pieces=pieces
        )
        log.info("a file cannot be fetched: %s", refusal.message)
        try:
            message = await self._save(fetch.message, row)
        except Refusal as full:
            # The disk that did not take the file may not take this either; it is tried again after a restart.
            log.warning("that a transfer failed could not be kept: %s", full)
            message = replace(fetch.message, attachment=row)
        self._tell(TransferFailed, message)

    async def _ask_now_and_then(self) -> None:
        """Ask again for what nobody seems to have: an answer may have been lost, or not have been allowed yet."""
        while True:
            await asyncio.sleep(RESYNC_SECONDS)
            for fetch in tuple(self._fetches.values()):
                if not fetch.has_sources:
                    self.holdings.ask(self._conversation_of(fetch.message), fetch.row.entry)

    def _folder_of(self, message: MessageRow) -> Path:
        """Return where what belongs to a conversation lands."""
        title = self._conversations.view(self._conversation_of(message)).title
        return self._downloads / safe_name(title)

    # --- who has what ----------------------------------------------------------------------------

    def pieces_here(self, message: MessageRow) -> bytes | None:
        """See `Owner.pieces_here`."""
        row = message.attachment
        assert row is not None
        fetch = self._fetches.get(message.entry)
        if fetch is not None:
            return fetch.download.held().to_bytes() if fetch.download is not None else None
        return PieceSet.complete(row.body.size).to_bytes() if row.state is TransferState.HERE else None

    def wanted_in(self, conversation: Conversation) -> list[EntryId]:
        """See `Owner.wanted_in`."""
        return [entry for entry, fetch in self._fetches.items() if fetch.conversation == conversation.id]

    def holder_told(self, link: Link, message: MessageRow, pieces: PieceSet | None, *, is_news: bool) -> None:
        """See `Owner.holder_told`."""
        assert link.user is not None
        assert link.device is not None
        fetch = self._fetches.get(message.entry)
        if fetch is not None:
            if pieces is None:
                fetch.lost(link.device)
                self._give_up_if_gone(fetch, link.user)
            elif pieces.count or not pieces.pieces or fetch.download is None:
                fetch.heard(link.user, link.device, pieces)
        elif is_news:
            self._note_given(message)

    def _note_given(self, message: MessageRow) -> None:
        """Others have more of it: let the board be told soon, once for all that is told at this moment."""
        meter = self._given.get(message.entry)
        if meter is None:
            meter = self._given[message.entry] = SpeedMeter()
            self._keep(self._tell_board(message.entry))
        given = sum(holder.done for holder in self.holdings.board(message.entry))
        meter.note(asyncio.get_running_loop().time(), given)

    async def _tell_board(self, entry: EntryId) -> None:
        """Tell while something is going out, and once when nothing does any more."""
        told = -1
        while self._given[entry].last != told:
            told = self._given[entry].last
            self._tell(TransferProgressed, await self._find(entry))
            await asyncio.sleep(limits.TRANSFER_TELL_SECONDS)
            if self._given[entry].last == told:
                await asyncio.sleep(limits.GIVEN_QUIET_SECONDS)
        del self._given[entry]
        self._tell(TransferProgressed, await self._find(entry))

    def _give_up_if_gone(self, fetch: Fetch, user: UserId) -> None:
        """What its author has no more, and nobody else ever had, will not come by waiting."""
        if user != fetch.message.author or fetch.has_sources:
            return
        if not self.holdings.somebody_has_all(fetch.row.entry, fetch.body.size):
            name = self._name_of(user)
            fetch.fail(
                Refusal(
                    RefusalCode.FILE_CHANGED,
                    f"The file was changed or removed at {name}'s end. Ask {name} to send it again.",
                )
            )

    def link_came_up(self, link: Link) -> None:
        """A neighbour is there: ask what it has."""
        self._keep(self.holdings.link_came_up(link))

    def link_went_down(self, link: Link) -> None:
        """A neighbour went."""
        self.holdings.link_went_down(link)
        for fetch in self._fetches.values():
            if link.device is not None:
                fetch.lost(link.device)

    # --- giving ----------------------------------------------------------------------------------

    async def served(self, caller: Caller, conversation: ConversationId, entry: EntryId) -> Served | RefusalCode:
        """See `Judge.served`."""
        found = self._conversations.get(conversation)
        if found is None or not self._may_fetch(caller, found):
            return RefusalCode.UNKNOWN_ENTRY
        fetch = self._fetches.get(entry)
        if fetch is not None and fetch.conversation == conversation and fetch.download is not None:
            encoded, table = await self._table_of(fetch.body)
            return Served(fetch.download.parts, fetch.download.held(), encoded, table, 0)
        message = await self._database.read(lambda c: messages.find_message(c, entry))
        if message is None or message.attachment is None or message.conversation != found.kept.row:
            return RefusalCode.UNKNOWN_ENTRY
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

            self._tables[body.entry_id] = await self._database.read(job)
            if len(self._tables) > limits.TABLES_AT_HAND:
                self._tables.pop(next(iter(self._tables)))
        return self._tables[body.entry_id]

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        """See `Judge.admit_for_files`."""
        return self._door.admit_for_files(certificate, expected)

    def dial_for_files(self, user: UserId) -> Callable[[], socket.socket]:
        """See `Office.dial_for_files`."""
        return self._door.dial_for_files(user)

    def content_changed(self, entry: EntryId, served: Served) -> None:
        """See `Judge.content_changed`."""
        self._keep(self._note_change(entry, served))

    async def _note_change(self, entry: EntryId, served: Served) -> None:
        message = await self._find(entry)
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
        message = await self._save(message, gone)
        self.holdings.tell(self._conversation_of(message), message.entry, None)
        self._tell(TransferProgressed, message)

    async def look_for_vanished(self) -> None:
        """Notice what was here and is no more, or is another file by now."""
        for entry in await self._database.read(attachments.entries_here):
            message = await self._find(entry)
            row = message.attachment
            assert row is not None
            is_folder = row.body.files > 0 and not _is_copy_of_folder(row)
            path = Path(row.path)
            mark = await self._in_worker(lambda p=path, f=is_folder: landing.mark_of(p, is_folder=f))  # type: ignore[misc]
            if mark is None or (row.mark and mark != row.mark):
                await self._vanished(message)

    # --- what comes --------------------------------------------------------------------------

    def _attachment_came(self, conversation: Conversation, message: MessageRow) -> None:
        is_friend = self._conversations.standing_with(message.author).state is Consent.FRIENDS
        if message.mine or not is_friend or not self._conversations.may_write(conversation):
            return
        if self._comes_by_itself(message):
            self._keep(self._fetch_quietly(message.entry))

    def _comes_by_itself(self, message: MessageRow) -> bool:
        assert message.attachment is not None
        is_media = message.kind in {MessageKind.PICTURE, MessageKind.VOICE}
        most = max(self._auto_fetch, limits.AUTO_FETCH_MEDIA_BYTES) if is_media else self._auto_fetch
        return self._auto_fetch > 0 and message.attachment.body.size <= most

    async def _fetch_quietly(self, entry: EntryId) -> None:
        try:
            await self.fetch(entry)
        except Refusal as refusal:
            log.warning("a file could not be fetched by itself: %s", refusal)

    # --- inside ------------------------------------------------------------------------------

    async def _find(self, entry: EntryId) -> MessageRow:
        message = await self._database.read(lambda c: messages.find_message(c, entry))
        if message is None or message.attachment is None:
            raise Refusal(RefusalCode.UNKNOWN_ENTRY, "There is no such file.")
        return message

    def _conversation_of(self, message: MessageRow) -> Conversation:
        return next(c for c in self._conversations.all() if c.kept.row == message.conversation)

    def _view(self, message: MessageRow) -> MessageView:
        return self._conversations.message_view(self._conversation_of(message), message)

    def _tell(self, event: Callable[[MessageView], Event], message: MessageRow) -> None:
        self._events.tell(event(self._view(message)))

    def _show(self, row: AttachmentRow) -> AttachmentView:
        fetch = self._fetches.get(row.entry)
        board = self.holdings.board(row.entry)
        if fetch is None:
            meter = self._given.get(row.entry)
            left = sum(row.body.size - holder.done for holder in board)
            return attachment_view(row, board, speed=meter.bytes_per_second if meter and left else 0.0, left=left)
        state = TransferState.LOADING if fetch.is_loading else TransferState.WAITING
        return attachment_view(
            replace(row, state=state),
            board,
            done=fetch.done if fetch.download is not None else None,
            speed=fetch.meter.bytes_per_second,
            reason=fetch.waiting_for if state is TransferState.WAITING else None,
        )

    async def _in_worker(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._writing, work)

    def _may_share(self, link: Link, conversation: Conversation) -> bool:
        return (
            link.user is not None
            and link.device is not None
            and self._may_fetch(Caller(link.user, link.device), conversation)
        )

    def _may_fetch(self, caller: Caller, conversation: Conversation) -> bool:
        """The one place that says who gets files: the other of two friends, members of a group we are in."""
        return self._conversations.may_write(conversation) and self._door.may_share(*caller, conversation)

    def _keep(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _body_of(entry: EntryId, outgoing: Outgoing, prepared: Prepared, picture: PreparedPicture | None) -> Attachment:
    return Attachment(
        entry,
        secrets.token_bytes(16),
        kind=MessageKind.FILE.value if prepared.files or outgoing.kind is None else outgoing.kind.value,
        name=prepared.name,
        size=prepared.size,
        files=prepared.files,
        root=prepared.root,
        table_bytes=len(prepared.table),
        caption=outgoing.caption,
        width=picture.thumbnail.width if picture is not None else 0,
        height=picture.thumbnail.height if picture is not None else 0,
        thumbnail=picture.thumbnail.jpeg if picture is not None else b"",
        duration_ms=max(0, round(outgoing.duration * 1000)),
        waveform=outgoing.waveform[:WAVEFORM_BARS],
    )


def _looks_like_picture(outgoing: Outgoing) -> bool:
    return outgoing.kind is None and outgoing.path.suffix.casefold() in _PICTURES


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


def _size_for_show(path: Path) -> int:
    try:
        if path.is_dir():
            return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
        return path.stat().st_size
    except OSError:
        return 0
