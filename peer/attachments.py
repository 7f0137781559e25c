"""Files, folders, pictures and voice messages of one account: sent, wanted, declined, and how far each has come.

This is the part that decides and tells, on the loop. Bytes are moved by `peer.transfers`, on threads of its own.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from peer import limits
from peer.attachment_views import attachment_view
from peer.conversation import Conversation
from peer.conversations import Conversations, check_sendable
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import TransferFailed, TransferProgressed
from peer.pictures.picture_service import Pictures
from peer.pictures.tasks import PreparedPicture
from peer.safe_paths import safe_name
from peer.storage import attachments, messages
from peer.storage.attachments import AttachmentRow, HolderRow
from peer.storage.database import Connection, Database
from peer.storage.messages import BEHIND_ALL, MessageRow
from peer.storage.settings import get_setting, put_setting
from peer.transfers.preparing import Prepared, keep_copy, prepare
from peer.transfers.speed import SpeedMeter
from peer.views import AttachmentView, EntryId, HolderView, MessageKind, MessageState, MessageView
from protocol.consent import Consent
from protocol.entries import Attachment
from protocol.identity import DeviceId, UserId
from protocol.limits import CAPTION_LENGTH, WAVEFORM_BARS
from protocol.transfer_states import TransferEvent, TransferState, next_state

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
        self._sending: dict[EntryId, _Sending] = {}
        self._holders: dict[EntryId, dict[DeviceId, HolderRow]] = {}
        self._auto_fetch = limits.AUTO_FETCH_BYTES
        self._tasks: set[asyncio.Task[None]] = set()
        conversations.on_attachment = self._attachment_came
        conversations.show_attachment = self._show

    async def load(self) -> None:
        """Read what is kept into memory, and go on with what was under way."""

        def job(connection: Connection) -> tuple[dict[EntryId, dict[DeviceId, HolderRow]], bytes | None, bytes | None]:
            holders = attachments.all_piece_holders(connection)
            return holders, get_setting(connection, "auto_fetch"), get_setting(connection, "downloads")

        self._holders, auto_fetch, downloads = await self._database.read(job)
        if auto_fetch is not None:
            self._auto_fetch = int.from_bytes(auto_fetch, "big")
        if downloads is not None:
            self._downloads = Path(downloads.decode())

    async def close(self) -> None:
        """Stop everything; what has come is kept."""
        for sending in self._sending.values():
            sending.is_cancelled = True
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._reading.shutdown(wait=False)

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
                sending.size = await loop.run_in_executor(None, _size_for_show, sending.outgoing.path)
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
        message = await self._find(entry)
        wanted = "" if path is None else os.path.abspath(path)  # noqa: ASYNC240, PTH100 - asks no disk
        return await self._command(message, TransferEvent.WANTED, path=wanted)

    async def decline(self, entry: EntryId) -> MessageView:
        """Do not want it."""
        return await self._command(await self._find(entry), TransferEvent.DECLINED)

    async def pause(self, entry: EntryId) -> MessageView:
        """Hold it up; what has come is kept."""
        return await self._command(await self._find(entry), TransferEvent.PAUSED)

    async def resume(self, entry: EntryId) -> MessageView:
        """Go on, from where it stood."""
        return await self._command(await self._find(entry), TransferEvent.WANTED)

    async def cancel(self, entry: EntryId) -> MessageView:
        """Forget what has come; or do not send what is still being read."""
        sending = self._sending.get(entry)
        if sending is not None:
            sending.is_cancelled = True
            return self._view_of_sending(sending)
        return await self._command(await self._find(entry), TransferEvent.CANCELLED)

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

    async def _command(self, message: MessageRow, event: TransferEvent, path: str = "") -> MessageView:
        assert message.attachment is not None
        row = message.attachment
        state = next_state(row.state, event)
        if state is None:
            if event is TransferEvent.WANTED:
                return self._view(message)  # it is here, or on its way: nothing to ask for
            raise Refusal(RefusalCode.BAD_REQUEST, f"This file is {row.state}: there is nothing to do that to.")
        fresh = replace(row, state=state, code="", reason="", path=path or row.path)
        if state in {TransferState.OFFERED, TransferState.DECLINED}:
            fresh = replace(fresh, path="", part="", pieces=b"")
        return await self._save(message, fresh)

    async def _save(self, message: MessageRow, row: AttachmentRow) -> MessageView:
        changed = replace(message, attachment=row)
        await self._database.write(lambda c: attachments.save(c, row), lambda _: self._remember(changed), own=True)
        return self._view(changed)

    def _remember(self, message: MessageRow) -> None:
        conversation = self._conversation_of(message)
        if conversation.last is not None and conversation.last.entry == message.entry:
            conversation.last = message
        self._events.tell(TransferProgressed(self._view(message)))

    # --- what comes --------------------------------------------------------------------------

    def _attachment_came(self, conversation: Conversation, message: MessageRow) -> None:
        if message.mine or conversation.standing.state is not Consent.FRIENDS:
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

    def _show(self, row: AttachmentRow) -> AttachmentView:
        return attachment_view(row, self._holders_of(row.entry))

    def _holders_of(self, entry: EntryId) -> tuple[HolderView, ...]:
        best: dict[UserId, int] = {}
        for holder in self._holders.get(entry, {}).values():
            best[holder.user] = max(best.get(holder.user, 0), holder.done)
        return tuple(HolderView(user, self._name_of(user), done) for user, done in sorted(best.items()))

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


def _size_for_show(path: Path) -> int:
    try:
        if path.is_dir():
            return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
        return path.stat().st_size
    except OSError:
        return 0
