"""What can be done with a message, and by whom: for the menu, the bar under the mouse and the keyboard alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QCoreApplication

from peer.views import MessageKind, MessageView, TransferState


class MessageAct(Enum):
    """One thing that a person does with a message."""

    REPLY = auto()
    REACT = auto()
    """With an emoji that is chosen first."""
    EDIT = auto()
    """Its text, or what is said beside a file."""
    FORWARD = auto()
    WHO_HAS = auto()
    DELETE_HERE = auto()
    DELETE_FOR_ALL = auto()


MOST_AT_ONCE = 200
"""Messages; with more that are selected nothing but copying is offered."""
WITH_SEVERAL = (MessageAct.FORWARD, MessageAct.DELETE_HERE, MessageAct.DELETE_FOR_ALL)
"""What can be done with several messages at once."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody may do in a conversation."""

    can_write: bool = False
    manages: bool = False
    """Whether they manage this group."""
    is_group: bool = False


def possible(message: MessageView, standing: Standing) -> frozenset[MessageAct]:
    """Return what can be done with a message."""
    if message.membership is not None or not message.arrival:
        # What happened to a group stays; and what is still being prepared was never written.
        return frozenset()
    acts = {MessageAct.DELETE_HERE}
    if message.kind is MessageKind.DELETED or message.call is not None:
        return frozenset(acts)
    if standing.can_write:
        acts |= {MessageAct.REPLY, MessageAct.REACT}
        if message.mine and message.text and message.kind is not MessageKind.VOICE:
            acts.add(MessageAct.EDIT)
        if message.mine or standing.manages:
            acts.add(MessageAct.DELETE_FOR_ALL)
    if message.attachment is None or message.attachment.state is TransferState.HERE:
        acts.add(MessageAct.FORWARD)
    if standing.is_group:
        acts.add(MessageAct.WHO_HAS)
    return frozenset(acts)


def possible_with_all(messages: Sequence[MessageView], standing: Standing) -> frozenset[MessageAct]:
    """Return what can be done with several messages at once."""
    if len(messages) > MOST_AT_ONCE:
        return frozenset()
    of_each = [possible(message, standing) for message in messages]
    return frozenset(act for act in WITH_SEVERAL if of_each and all(act in acts for acts in of_each))


def label(act: MessageAct, count: int = 1) -> str:
    """Return what a line of a menu says about one message, or several."""
    if count > 1:
        words = {
            MessageAct.FORWARD: QCoreApplication.translate("MessageAct", "Forward %1 messages…"),
            MessageAct.DELETE_HERE: QCoreApplication.translate("MessageAct", "Delete %1 messages for me"),
            MessageAct.DELETE_FOR_ALL: QCoreApplication.translate("MessageAct", "Delete %1 messages for everyone"),
        }[act]
        return words.replace("%1", str(count))
    return {
        MessageAct.REPLY: QCoreApplication.translate("MessageAct", "Reply"),
        MessageAct.REACT: QCoreApplication.translate("MessageAct", "React"),
        MessageAct.EDIT: QCoreApplication.translate("MessageAct", "Edit"),
        MessageAct.FORWARD: QCoreApplication.translate("MessageAct", "Forward…"),
        MessageAct.WHO_HAS: QCoreApplication.translate("MessageAct", "Who has it…"),
        MessageAct.DELETE_HERE: QCoreApplication.translate("MessageAct", "Delete for me"),
        MessageAct.DELETE_FOR_ALL: QCoreApplication.translate("MessageAct", "Delete for everyone"),
    }[act]
