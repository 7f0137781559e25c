"""What is said of a file, a picture or a voice message: its size, how far it is, how long it takes."""

from PySide6.QtCore import QCoreApplication, QLocale

from peer.views import AttachmentView, HolderView, MessageKind, MessageView, TransferState

_MINUTE, _HOUR = 60, 3600
_HAVE_REASONS = frozenset({TransferState.WAITING, TransferState.LOADING, TransferState.FAILED, TransferState.GONE})
_COMING = frozenset({TransferState.LOADING, TransferState.PAUSED})


def size(count: int) -> str:
    """Return a number of bytes as it is read: 86.2 MB."""
    return QLocale().formattedDataSize(max(0, count), 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def speed(bytes_a_second: float) -> str:
    """Return how quickly bytes come: 2.1 MB/s."""
    return QCoreApplication.translate("Attachment", "%1/s").replace("%1", size(round(bytes_a_second)))


def share(done: int, whole: int) -> float:
    """Return how much is done, from 0 to 1; an empty file is done."""
    return 1.0 if whole <= 0 else min(1.0, max(0.0, done / whole))


def percent(done: int, whole: int) -> str:
    """Return how much is done: 42 %. It says 100 only when nothing is missing."""
    return f"{int(100 * share(done, whole))}\u00a0%"


def time_left(seconds: float) -> str:
    """Return how long something will take: 24 s left."""
    if seconds < _MINUTE:
        text, count = QCoreApplication.translate("Attachment", "%1 s left"), max(1, round(seconds))
    elif seconds < _HOUR:
        text, count = QCoreApplication.translate("Attachment", "%1 min left"), round(seconds / _MINUTE)
    else:
        text, count = QCoreApplication.translate("Attachment", "%1 h left"), round(seconds / _HOUR)
    return text.replace("%1", str(count))


def length(seconds: float) -> str:
    """Return how long a voice message is: 0:14."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02}"


def share_of_time(at: float, whole: float) -> float:
    """Return how much of a voice message was heard, from 0 to 1."""
    return 0.0 if whole <= 0 else min(1.0, max(0.0, at / whole))


def speed_of_sound(speed: float) -> str:
    """Return how fast something is played: 1.5×."""
    return f"{speed:g}×"


def extent(attachment: AttachmentView) -> str:
    """Return how large a file is, or how much a folder holds: 12 files, 86.2 MB; 3 of 12 files while it comes."""
    if not attachment.is_folder:
        return size(attachment.size)
    if attachment.state in _COMING:
        some = QCoreApplication.translate("Attachment", "%1 of %2 files")
        files = some.replace("%1", str(attachment.files_done)).replace("%2", str(attachment.files))
        return f"{files}, {size(attachment.size)}"
    files = QCoreApplication.translate("Attachment", "%n file(s)", "", attachment.files)
    # Without a translation Qt puts the number in and leaves the plural to us.
    return f"{files.replace('file(s)', 'files')}, {size(attachment.size)}"


def program() -> str:
    """Return what is said of a file that runs when it is opened."""
    return QCoreApplication.translate("Attachment", "program")


def state(message: MessageView) -> str:
    """Return how it stands with the content, in a word or a sentence."""
    attachment = message.attachment
    assert attachment is not None
    if attachment.saving is not None:
        return QCoreApplication.translate("Attachment", "Saving a copy")
    reason = attachment.reason if attachment.state in _HAVE_REASONS else ""
    return (
        reason
        or {
            TransferState.PREPARING: QCoreApplication.translate("Attachment", "Being prepared"),
            TransferState.OFFERED: QCoreApplication.translate("Attachment", "Not downloaded"),
            TransferState.WAITING: QCoreApplication.translate(
                "Attachment", "Waits until somebody who has it is online."
            ),
            TransferState.LOADING: QCoreApplication.translate("Attachment", "Downloading"),
            TransferState.PAUSED: QCoreApplication.translate("Attachment", "Paused"),
            TransferState.DECLINED: QCoreApplication.translate("Attachment", "Declined"),
            TransferState.FAILED: QCoreApplication.translate("Attachment", "This did not work. Try again."),
            TransferState.HERE: "",
            TransferState.GONE: QCoreApplication.translate(
                "Attachment", "The file on this device was moved or changed."
            ),
        }[attachment.state]
    )


def brief_state(message: MessageView) -> str:
    """Return how it stands with the content where there is room for a word only; the sentence is in the tooltip."""
    attachment = message.attachment
    assert attachment is not None
    short = {
        TransferState.LOADING: QCoreApplication.translate("Attachment", "Downloading"),
        TransferState.WAITING: QCoreApplication.translate("Attachment", "Waiting"),
        TransferState.FAILED: QCoreApplication.translate("Attachment", "Failed"),
        TransferState.GONE: QCoreApplication.translate("Attachment", "No longer here"),
    }
    return short.get(attachment.state) or state(message)


def board(attachment: AttachmentView) -> str:
    """Return who has it, for its sender: Alice has it; Alice: 42 %; 3 of 5 have it. Empty while nobody has any."""
    holders = attachment.holders
    if len(holders) == 1:
        return holder(holders[0], attachment.size) if _has_any(holders[0], attachment) else ""
    have = sum(each.done >= attachment.size for each in holders)
    if not holders or not any(_has_any(each, attachment) for each in holders):
        return ""
    text = QCoreApplication.translate("Attachment", "%1 of %2 have it")
    return text.replace("%1", str(have)).replace("%2", str(len(holders)))


def holder(view: HolderView, whole: int) -> str:
    """Return how much somebody has: Alice has it."""
    if view.done >= whole:
        return QCoreApplication.translate("Attachment", "%1 has it").replace("%1", view.name)
    return f"{view.name}: {percent(view.done, whole)}"


def kind(message: MessageView) -> str:
    """Return what it is: Picture, Voice message, Folder, File."""
    if message.kind is MessageKind.PICTURE:
        return QCoreApplication.translate("Attachment", "Picture")
    if message.kind is MessageKind.VOICE:
        return QCoreApplication.translate("Attachment", "Voice message")
    if message.attachment is not None and message.attachment.is_folder:
        return folder()
    return QCoreApplication.translate("Attachment", "File")


def folder() -> str:
    """Return what a folder is called."""
    return QCoreApplication.translate("Attachment", "Folder")


def summary(message: MessageView) -> str:
    """Return a message in one line: its text, or what it is when it has none."""
    text = " ".join(message.text.split())
    attachment = message.attachment
    if attachment is None:
        return text
    match message.kind:
        case MessageKind.VOICE:
            return f"🎤 {kind(message)} · {length(attachment.duration)}"
        case MessageKind.PICTURE:
            return f"🖼 {text or kind(message)}"
        case _:
            return f"📎 {text or attachment.name}"


def spoken(message: MessageView) -> str:
    """Return all that is seen of an attachment, for a screen reader."""
    attachment = message.attachment
    assert attachment is not None
    is_voice = message.kind is MessageKind.VOICE
    parts = [kind(message), length(attachment.duration) if is_voice else f"{attachment.name}, {extent(attachment)}"]
    if attachment.state in {TransferState.PREPARING, TransferState.LOADING, TransferState.PAUSED}:
        parts.append(f"{state(message)} {percent(attachment.done, attachment.size)}")
    elif attachment.state is not TransferState.HERE:
        parts.append(state(message).rstrip("."))
    if attachment.risky:
        parts.append(program())
    if message.mine and board(attachment):
        parts.append(board(attachment))
    return ", ".join(parts)


def _has_any(view: HolderView, attachment: AttachmentView) -> bool:
    # Of an empty file everybody who has heard of it has all.
    return view.done > 0 or attachment.size == 0
