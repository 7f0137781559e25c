"""One thing that is to be sent: what somebody chose, how far it is, and how it looks until it has an entry."""

import asyncio
import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from peer.entries.conversation import Conversation
from peer.errors import Refusal, RefusalCode
from peer.pictures.tasks import PreparedPicture
from peer.safe_paths import safe_name
from peer.storage.sendings import SendingRow
from peer.transfers.preparing import Prepared
from peer.transfers.speed import SpeedMeter
from peer.views import AttachmentView, EntryId, MessageKind, MessageState, MessageView
from protocol.entries import Attachment
from protocol.identity import UserId
from protocol.limits import WAVEFORM_BARS
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

    @property
    def looks_like_picture(self) -> bool:
        """Whether to try to send it as a picture."""
        return self.kind is MessageKind.PICTURE or (self.kind is None and self.path.suffix.casefold() in _PICTURES)


class Extent(NamedTuple):
    """How large something on the disk is."""

    size: int
    files: int
    """0 where it is one file."""


@dataclass(slots=True, eq=False)
class Sending:
    """Something of ours before it has an entry."""

    entry: EntryId
    conversation: Conversation
    outgoing: Outgoing
    written_at: int
    """ms; where it stands in the conversation until then."""
    answer: "asyncio.Future[MessageView] | None" = None
    """Whoever waits for it; None after a restart."""
    copy: Path | None = None
    """What is read instead, since it was copied before a restart."""
    is_resumed: bool = False
    """Whether an earlier start of the program may have left something of it."""
    extent: Extent = field(default_factory=lambda: Extent(0, 0))
    done: int = 0
    is_cancelled: bool = False
    refusal: Refusal | None = None
    """Why it could not be sent."""
    turn: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when all that stands before it in its conversation is written."""
    meter: SpeedMeter = field(default_factory=SpeedMeter)

    @classmethod
    def from_row(cls, row: SendingRow, conversation: Conversation, copies: Path) -> "Sending":
        """Return what was kept; `copies` is the folder where its copy would be."""
        path, kind = Path(os.fsdecode(row.path)), MessageKind(row.kind) if row.kind else None
        return cls(
            row.entry,
            conversation,
            Outgoing(path, row.caption, kind, row.duration, row.waveform),
            row.written_at,
            copy=path if path.parent == copies else None,
            is_resumed=True,
            refusal=Refusal(RefusalCode.from_wire(row.code), row.reason) if row.code else None,
        )

    def to_row(self) -> SendingRow:
        """Return what is to be kept."""
        outgoing = self.outgoing
        return SendingRow(
            self.entry,
            self.conversation.kept.row,
            os.fsencode(outgoing.path),
            outgoing.caption,
            "" if outgoing.kind is None else outgoing.kind.value,
            outgoing.duration,
            outgoing.waveform,
            self.written_at,
        )

    @property
    def has_caller(self) -> bool:
        """Whether somebody waits to be told what becomes of it."""
        return self.answer is not None and not self.answer.done()

    def refuse(self, refusal: Refusal) -> None:
        """Tell whoever waits."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(refusal)

    def view(self, me: UserId, my_name: str) -> MessageView:
        """Return how it looks in its conversation."""
        outgoing, speed, extent, refusal = self.outgoing, self.meter.bytes_per_second, self.extent, self.refusal
        return MessageView(
            entry=self.entry,
            conversation=self.conversation.id,
            author=me,
            author_name=my_name,
            mine=True,
            kind=outgoing.kind or (MessageKind.PICTURE if outgoing.looks_like_picture else MessageKind.FILE),
            text=outgoing.caption,
            written_at=datetime.fromtimestamp(self.written_at / 1000, UTC),
            state=MessageState.STORED,
            arrival=0,
            attachment=AttachmentView(
                name=safe_name(outgoing.path.name),
                size=extent.size,
                files=max(extent.files, 1),
                state=TransferState.FAILED if refusal else TransferState.PREPARING,
                done=self.done,
                speed=speed,
                seconds_left=(extent.size - self.done) / speed if speed else None,
                code=refusal.code if refusal else None,
                reason=refusal.message if refusal else "",
                is_folder=extent.files > 0,
                duration=outgoing.duration,
                waveform=outgoing.waveform,
            ),
        )

    def body(self, prepared: Prepared, picture: PreparedPicture | None) -> Attachment:
        """Return what its entry says."""
        outgoing, kind = self.outgoing, MessageKind.FILE
        if not prepared.files:
            kind = MessageKind.PICTURE if picture is not None else outgoing.kind or MessageKind.FILE
        return Attachment(
            self.entry,
            secrets.token_bytes(16),
            kind=kind.value,
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


def extent_of(path: Path) -> Extent:
    """Return how large a file or folder is, as far as it can be told; for showing only."""
    try:
        if path.is_dir():
            sizes = [each.stat().st_size for each in path.rglob("*") if each.is_file()]
            return Extent(sum(sizes), len(sizes))
        return Extent(path.stat().st_size, 0)
    except OSError:
        return Extent(0, 0)
