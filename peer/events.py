"""What happened, in the past tense, with the finished view of it. Told at most once, after it was stored."""

from typing import ClassVar

import msgspec

from peer.call_views import CallLevelsView, CallView
from peer.views import (
    ContactView,
    ConversationView,
    GroupView,
    MessageView,
    PlaybackView,
    RecordingView,
    SessionView,
    TypingView,
    VoiceTrialView,
)
from protocol.errors import RefusalCode


class Event(msgspec.Struct, frozen=True):
    """What all events are; `type` is their name in JSON."""

    type: ClassVar[str]


class Connected(Event, frozen=True):
    """The locator knows us again."""

    type: ClassVar[str] = "connected"
    session: SessionView


class Disconnected(Event, frozen=True):
    """The locator is out of reach; `reason` is a sentence, the next try follows by itself."""

    type: ClassVar[str] = "disconnected"
    session: SessionView
    code: RefusalCode
    reason: str


class Superseded(Event, frozen=True):
    """This person signed in on another device; nothing happens here until a click."""

    type: ClassVar[str] = "superseded"
    session: SessionView


class PresenceChanged(Event, frozen=True):
    """A contact came, went, or a link to them did."""

    type: ClassVar[str] = "presence_changed"
    contact: ContactView


class ContactAsked(Event, frozen=True):
    """Somebody wants to be our friend."""

    type: ClassVar[str] = "contact_asked"
    contact: ContactView


class ContactAccepted(Event, frozen=True):
    """We are friends now."""

    type: ClassVar[str] = "contact_accepted"
    contact: ContactView


class ContactChanged(Event, frozen=True):
    """Anything else about a contact changed: declined, removed, blocked, a new device."""

    type: ClassVar[str] = "contact_changed"
    contact: ContactView


class ConversationChanged(Event, frozen=True):
    """A row of the conversation list changed: its last message, unread count, title or presence."""

    type: ClassVar[str] = "conversation_changed"
    conversation: ConversationView


class GroupChanged(Event, frozen=True):
    """A group has another name, other members or other managers."""

    type: ClassVar[str] = "group_changed"
    group: GroupView


class MessageWritten(Event, frozen=True):
    """A message of our own is stored, whichever window or script wrote it."""

    type: ClassVar[str] = "message_written"
    message: MessageView


class MessageArrived(Event, frozen=True):
    """A message of somebody else is stored."""

    type: ClassVar[str] = "message_arrived"
    message: MessageView


class MessageChanged(Event, frozen=True):
    """A message changed its content or its state in a way that has no event of its own."""

    type: ClassVar[str] = "message_changed"
    message: MessageView


class MessageHidden(Event, frozen=True):
    """A message was deleted on this device only: it is in no list any more."""

    type: ClassVar[str] = "message_hidden"
    message: MessageView


class MessageDelivered(Event, frozen=True):
    """A message of ours reached everybody it is for."""

    type: ClassVar[str] = "message_delivered"
    message: MessageView


class MessageRead(Event, frozen=True):
    """A message of ours was displayed to everybody it is for."""

    type: ClassVar[str] = "message_read"
    message: MessageView


class Typing(Event, frozen=True):
    """Somebody is writing; told every 3 s while it lasts. After 6 s without it they have stopped."""

    type: ClassVar[str] = "typing"
    typing: TypingView


class TransferProgressed(Event, frozen=True):
    """An attachment came further here, or changed its state, or somebody else has more of it."""

    type: ClassVar[str] = "transfer_progressed"
    message: MessageView


class TransferFinished(Event, frozen=True):
    """An attachment is here, complete and under its name."""

    type: ClassVar[str] = "transfer_finished"
    message: MessageView


class TransferFailed(Event, frozen=True):
    """An attachment cannot go on before somebody does something; `message.attachment.reason` says what."""

    type: ClassVar[str] = "transfer_failed"
    message: MessageView


class SendingWithdrawn(Event, frozen=True):
    """A file of ours that had no entry yet is in its conversation no more: taken back, or refused to who sent it."""

    type: ClassVar[str] = "transfer_withdrawn"
    message: MessageView


class RecordingChanged(Event, frozen=True):
    """The voice message that is being recorded grew, several times a second, or is over."""

    type: ClassVar[str] = "recording_changed"
    recording: RecordingView


class PlaybackChanged(Event, frozen=True):
    """The voice message that is played began, went on, several times a second, or is over."""

    type: ClassVar[str] = "playback_changed"
    playback: PlaybackView


class VoiceTried(Event, frozen=True):
    """Somebody tries how they sound, and how loud they are. It is for screens: no script is told."""

    type: ClassVar[str] = "voice_tried"
    trial: VoiceTrialView


class CallRinging(Event, frozen=True):
    """Somebody rings us, or it rings where we called."""

    type: ClassVar[str] = "call_ringing"
    call: CallView


class CallStarted(Event, frozen=True):
    """The first voice of a call was heard here."""

    type: ClassVar[str] = "call_started"
    call: CallView


class CallChanged(Event, frozen=True):
    """Anything else about a call changed: who is in it, who is muted, how well it gets through."""

    type: ClassVar[str] = "call_changed"
    call: CallView


class CallEnded(Event, frozen=True):
    """A call is over; `call.reason` says why, `call.message` as a sentence."""

    type: ClassVar[str] = "call_ended"
    call: CallView


class CallLevels(Event, frozen=True):
    """How loud everybody in a call is, 20 times a second at most. It is for screens: no script is told."""

    type: ClassVar[str] = "call_levels"
    levels: CallLevelsView


class Warned(Event, frozen=True):
    """Something that a person should know, and can do something about."""

    type: ClassVar[str] = "warning"
    code: RefusalCode
    message: str


EVENT_TYPES: tuple[type[Event], ...] = (
    Connected,
    Disconnected,
    Superseded,
    PresenceChanged,
    ContactAsked,
    ContactAccepted,
    ContactChanged,
    ConversationChanged,
    GroupChanged,
    MessageWritten,
    MessageArrived,
    MessageChanged,
    MessageHidden,
    MessageDelivered,
    MessageRead,
    Typing,
    TransferProgressed,
    TransferFinished,
    TransferFailed,
    SendingWithdrawn,
    RecordingChanged,
    PlaybackChanged,
    VoiceTried,
    CallRinging,
    CallStarted,
    CallChanged,
    CallEnded,
    CallLevels,
    Warned,
)
