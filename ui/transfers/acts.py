"""What can be done with an attachment or a call that is over: for the card, the menu and the keyboard alike."""

from enum import Enum, auto

from PySide6.QtCore import QCoreApplication

from peer.views import MessageKind, MessageView, TransferState


class Act(Enum):
    """One thing that a click does."""

    ACCEPT = auto()
    DECLINE = auto()
    SAVE_AS = auto()
    PAUSE = auto()
    RESUME = auto()
    CANCEL = auto()
    RETRY = auto()
    OPEN = auto()
    SHOW_IN_FOLDER = auto()
    WHO_HAS = auto()
    VIEW = auto()
    """Look at a picture."""
    PLAY = auto()
    """Play a voice message, or pause it."""
    SEEK = auto()
    """Play on from another place."""
    SPEED = auto()
    """Play at the next speed."""
    CALL = auto()
    """Call again those of a call that is over."""


_OF_OTHERS: dict[TransferState, tuple[Act, ...]] = {
    TransferState.PREPARING: (),
    TransferState.OFFERED: (Act.ACCEPT, Act.SAVE_AS, Act.DECLINE),
    TransferState.WAITING: (Act.CANCEL,),
    TransferState.LOADING: (Act.PAUSE, Act.CANCEL),
    TransferState.PAUSED: (Act.RESUME, Act.CANCEL),
    TransferState.DECLINED: (Act.ACCEPT, Act.SAVE_AS),
    TransferState.FAILED: (Act.RETRY, Act.SAVE_AS),
    TransferState.HERE: (Act.OPEN, Act.SHOW_IN_FOLDER, Act.SAVE_AS),
    TransferState.GONE: (Act.RETRY, Act.SAVE_AS),
}
_OF_MINE: dict[TransferState, tuple[Act, ...]] = _OF_OTHERS | {
    TransferState.PREPARING: (Act.CANCEL,),
}


def acts(message: MessageView) -> tuple[Act, ...]:
    """Return what can be done now, the most likely first."""
    if message.call is not None:
        return (Act.CALL,)
    if message.attachment is None:
        return ()
    of_state = (_OF_MINE if message.mine else _OF_OTHERS)[message.attachment.state]
    if message.mine and message.attachment.state is TransferState.FAILED and not message.arrival:
        # It was never written: nobody else knows of it.
        return (Act.RETRY, Act.CANCEL)
    if message.attachment.state is TransferState.HERE:
        match message.kind:
            case MessageKind.PICTURE:
                of_state = (Act.VIEW, *of_state)
            case MessageKind.VOICE:
                of_state = (Act.PLAY, Act.SPEED, Act.SHOW_IN_FOLDER, Act.SAVE_AS)
    return (*of_state, Act.WHO_HAS) if message.mine and message.attachment.holders else of_state


def label(act: Act) -> str:
    """Return what a button or a line of a menu says."""
    return {
        Act.ACCEPT: QCoreApplication.translate("Act", "Download"),
        Act.DECLINE: QCoreApplication.translate("Act", "Decline"),
        Act.SAVE_AS: QCoreApplication.translate("Act", "Save as…"),
        Act.PAUSE: QCoreApplication.translate("Act", "Pause"),
        Act.RESUME: QCoreApplication.translate("Act", "Resume"),
        Act.CANCEL: QCoreApplication.translate("Act", "Cancel"),
        Act.RETRY: QCoreApplication.translate("Act", "Try again"),
        Act.OPEN: QCoreApplication.translate("Act", "Open"),
        Act.SHOW_IN_FOLDER: QCoreApplication.translate("Act", "Show in folder"),
        Act.WHO_HAS: QCoreApplication.translate("Act", "Who has it"),
        Act.VIEW: QCoreApplication.translate("Act", "View"),
        Act.PLAY: QCoreApplication.translate("Act", "Play or pause"),
        Act.SEEK: QCoreApplication.translate("Act", "Play from here"),
        Act.SPEED: QCoreApplication.translate("Act", "Change speed"),
        Act.CALL: QCoreApplication.translate("Act", "Call"),
    }[act]


ICONS: dict[Act, str] = {
    Act.ACCEPT: "arrow-down",
    Act.PAUSE: "pause",
    Act.RESUME: "arrow-down",
    Act.CANCEL: "x",
    Act.RETRY: "refresh-cw",
    Act.PLAY: "play",
}
"""What the round button of a card shows for an act."""
