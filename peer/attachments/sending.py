"""What is sent from here: read and hashed once, then written as an entry."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from peer import limits
from peer.attachments.records import Tasks
from peer.conversation import Conversation
from peer.conversations import Conversations, check_sendable
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import TransferFailed, TransferProgressed
from peer.pictures.picture_service import Pictures
from peer.pictures.tasks import PreparedPicture
from peer.safe_paths import safe_name
from peer.storage import attachments
from peer.transfers.preparing import Prepared, keep_copy, prepare
from peer.transfers.speed import SpeedMeter
from peer.views import AttachmentView, EntryId, MessageKind, MessageState, MessageView
from protocol.entries import Attachment
from protocol.identity import UserId
from protocol.limits import CAPTION_LENGTH, WAVEFORM_BARS
from protocol.transfer_states import TransferState

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


class Sendings:
    """What is being read at this moment."""

    def __init__(
        self,
        conversations: Conversations,
        events: EventStream,
        tasks: Tasks,
        *,
        clock: Callable[[], datetime],
        reading: Executor,
        landing: Executor,
        me: UserId,
        name_of: Callable[[UserId], str],
        copies: Path,
        pictures: Pictures,
    ) -> None:
        """`reading` is the thread that hashes, one thing after the other; `copies` the folder for what is copied."""
        self._conversations = conversations
        self._events = events
        self._tasks = tasks
        self._clock = clock
        self._reading = reading
        self._landing = landing
        self._me = me
        self._name_of = name_of
        self._copies = copies
        self._pictures = pictures
        self._sending: dict[EntryId, _Sending] = {}

    def close(self) -> None:
        """Let what is being read come to an end."""
        for sending in self._sending.values():
            sending.is_cancelled = True

    def cancel(self, entry: EntryId) -> MessageView | None:
        """Do not send what is still being read; None for what is not."""
        sending = self._sending.get(entry)
        if sending is None:
            return None
        sending.is_cancelled = True
        return self._view_of_sending(sending)

    async def send(self, conversation: Conversation, outgoing: Outgoing) -> MessageView:
        """Read and hash, then write the entry; raise Refusal, and nothing was sent."""
        if len(outgoing.caption) > CAPTION_LENGTH:
            raise Refusal(RefusalCode.TOO_LARGE, f"Keep what you say beside a file to {CAPTION_LENGTH} characters.")
        check_sendable(conversation, self._me, outgoing.caption)
        entry = EntryId(secrets.token_bytes(16))
        sending = _Sending(entry, conversation, outgoing, self._clock(), 0)
        self._sending[entry] = sending
        telling = self._tasks.keep(self._tell_while_reading(sending))
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
                sending.size = await loop.run_in_executor(self._landing, _size_for_show, sending.outgoing.path)
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
