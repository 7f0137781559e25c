"""An attachment, as kept, made ready for the screen."""

from pathlib import Path

from peer.safe_paths import is_risky, safe_name
from peer.storage.attachments import AttachmentRow
from peer.views import AttachmentView, HolderView
from protocol.errors import RefusalCode
from protocol.piece_sets import PieceSet
from protocol.transfer_states import TransferState


def attachment_view(
    row: AttachmentRow,
    holders: tuple[HolderView, ...] = (),
    *,
    done: int | None = None,
    files_done: int | None = None,
    speed: float = 0.0,
    left: int | None = None,
    reason: tuple[RefusalCode | None, str] | None = None,
    saving: int | None = None,
) -> AttachmentView:
    """Return the view; what is only known while it moves (`done`, `files_done`, `speed`, why it waits) is handed in.

    `left` is how much is to come at that speed, where that is not what is missing here.
    """
    body = row.body
    is_here = row.state is TransferState.HERE
    if done is None:
        done = body.size if is_here else PieceSet(body.size, row.pieces).bytes_held
    code, sentence = reason or (RefusalCode.from_wire(row.code) if row.code else None, row.reason)
    name = safe_name(Path(row.path).name if is_here else body.name)
    return AttachmentView(
        name=name,
        size=body.size,
        files=max(body.files, 1),
        state=row.state,
        done=done,
        files_done=max(body.files, 1) if is_here else row.files_done if files_done is None else files_done,
        speed=speed,
        seconds_left=(body.size - done if left is None else left) / speed if speed > 0 else None,
        path=row.path if is_here else "",
        code=code,
        reason=sentence,
        is_folder=body.files > 0,
        # Also what was given such a name only here, and what its author called a program.
        risky=not body.files and (is_risky(name) or is_risky(safe_name(body.name))),
        thumbnail=body.thumbnail,
        width=body.width,
        height=body.height,
        duration=body.duration_ms / 1000,
        waveform=body.waveform,
        holders=holders,
        saving=saving,
    )
