"""Frozen snapshots: all that a screen or a script may hold of the node.

A view is finished: whoever shows it asks nothing more to understand it. In JSON the names are these field
names, identifiers are hex, times ISO 8601 with zone.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from protocol.call_bodies import CallOutcome
from protocol.consent import Consent
from protocol.errors import RefusalCode
from protocol.identity import CallId, ConversationId, DeviceId, EntryId, UserId
from protocol.limits import GROUP_MEMBERS, MENTIONS
from protocol.transfer_states import TransferState

__all__ = [
    "GROUP_MEMBERS",
    "MENTIONS",
    "AccountView",
    "AttachmentView",
    "AudioChoice",
    "AudioDevices",
    "CallEntryView",
    "CallOutcome",
    "Consent",
    "ContactView",
    "ConversationId",
    "ConversationView",
    "DeviceId",
    "EntryId",
    "FoundLocator",
    "GroupView",
    "HolderView",
    "MemberHasView",
    "MemberView",
    "MembershipAct",
    "MembershipView",
    "MentionView",
    "MessageKind",
    "MessagePage",
    "MessagePlace",
    "MessageState",
    "MessageView",
    "PageAt",
    "PlaybackView",
    "QuoteView",
    "ReactionView",
    "RecordingView",
    "SecretPlace",
    "SessionView",
    "SharedAt",
    "Tone",
    "TransferState",
    "TypingView",
    "UserId",
    "View",
    "VoiceFile",
    "VoiceTrialView",
    "WhereaboutView",
    "WhoHasView",
]


class View(msgspec.Struct, frozen=True):
    """What all views are."""


class MessageKind(StrEnum):
    """What a message is made of."""

    TEXT = "text"
    FILE = "file"
    """A file, or a whole folder."""
    PICTURE = "picture"
    VOICE = "voice"
    """A voice message."""
    DELETED = "deleted"
    """It was taken back for everybody: only its place is left."""
    MEMBERSHIP = "membership"
    """No message of somebody, but what happened to the group: `MessageView.membership`. It never counts as unread."""
    CALL = "call"
    """No message of somebody, but how a call ended: `MessageView.call`. It counts as unread if we missed it."""


class MembershipAct(StrEnum):
    """What happened to a group."""

    CREATED = "created"
    ADDED = "added"
    EXCLUDED = "removed"
    LEFT = "left"
    RENAMED = "renamed"
    MANAGER_NAMED = "manager_named"
    MANAGER_DISMISSED = "manager_dismissed"
    DEVICE_CONFIRMED = "device_confirmed"


class MessageState(StrEnum):
    """How far a message has come."""

    STORED = "stored"
    """Safe on this device, with nobody else yet (clock)."""
    SENT = "sent"
    """At least one other device holds it (one tick)."""
    DELIVERED = "delivered"
    """Everybody it is for holds it (two ticks)."""
    READ = "read"
    """Everybody it is for has had it on the screen (two coloured ticks)."""
    ARRIVED = "arrived"
    """Somebody else's, not displayed here yet."""
    SEEN = "seen"
    """Somebody else's, displayed here."""


class HolderView(View, frozen=True):
    """How much of an attachment somebody else has, as far as they told."""

    user: UserId
    name: str
    done: int
    """Bytes."""


class AttachmentView(View, frozen=True):
    """What a message carries beside its text, and how far it has come here."""

    name: str
    """Safe to show and to write: no path, nothing that changes the direction of the text beside it."""
    size: int
    """Bytes."""
    files: int
    """How many files it is made of: 1 unless it is a folder."""
    state: TransferState
    done: int
    """Bytes here, verified."""
    files_done: int = 0
    """How many of its files are here whole."""
    speed: float = 0.0
    """Bytes a second: while loading, or, of our own, while it goes out to others."""
    seconds_left: float | None = None
    """None while it is not known."""
    path: str = ""
    """Where it is on this computer; empty unless it is here."""
    code: RefusalCode | None = None
    """Why it failed or waits, for programs."""
    reason: str = ""
    """The same as a sentence."""
    is_folder: bool = False
    risky: bool = False
    """Whether opening it would run a program: warn."""
    thumbnail: bytes = b""
    """Of a picture: a small JPEG as somebody else made it, at most 16 KiB; empty for none."""
    width: int = 0
    height: int = 0
    """Of a picture, in pixels; 0 where it is not known."""
    duration: float = 0.0
    """Of a voice message, in seconds."""
    waveform: bytes = b""
    """Of a voice message: its loudness over time, a byte a bar, at most 128."""
    holders: tuple[HolderView, ...] = ()
    """Who else has how much of it."""
    saving: int | None = None
    """Bytes that are there of a copy that is being put where somebody wants it; None while there is none."""


class QuoteView(View, frozen=True):
    """What a reply answers, as it is now."""

    entry: EntryId
    kind: MessageKind | None = None
    """None: that message is not here (yet). When it comes, the reply is told as changed."""
    author: UserId | None = None
    author_name: str = ""
    text: str = ""
    """Its first 200 characters; none when it was deleted."""


class ReactionView(View, frozen=True):
    """One emoji below a message."""

    emoji: str
    users: tuple[UserId, ...]
    """Who chose it, the first one first; everybody has at most one below a message."""
    names: tuple[str, ...]
    mine: bool


class MentionView(View, frozen=True):
    """Somebody named in a text: the code points from `start` on."""

    user: UserId
    start: int
    length: int


class TypingView(View, frozen=True):
    """Somebody who is writing at this moment, or has stopped because what they wrote is here."""

    conversation: ConversationId
    user: UserId
    name: str
    writing: bool = True


class MembershipView(View, frozen=True):
    """What happened to a group; the author of the message did it."""

    act: MembershipAct
    user: UserId
    """Whom it concerns: who was added, removed, named manager …; of any other act, its author."""
    user_name: str
    group_name: str = ""
    """Of CREATED and RENAMED: what it is called from then on."""
    from_now_on: bool = False
    """Of ADDED: whether what was written before is not given to them."""
    counts: bool = True
    """False if it changed nothing, because its author was removed meanwhile, say."""


class CallEntryView(View, frozen=True):
    """How a call ended; the author of the message had begun it."""

    call: CallId
    outcome: CallOutcome
    seconds: int
    """How long its author was in it."""
    is_missed: bool
    """Whether it rang us in vain."""
    people: tuple[UserId, ...]
    """Who else was in it."""
    names: tuple[str, ...]
    """What they are called."""


MessagePlace = tuple[datetime, int]
"""Where a message stands in its conversation: when it was written, then in order of arrival."""


class MessageView(View, frozen=True):
    """One message of a conversation."""

    entry: EntryId
    conversation: ConversationId
    author: UserId
    author_name: str
    mine: bool
    kind: MessageKind
    text: str
    written_at: datetime
    """When it was written, as far as the author's clock can be believed: the order of the screen."""
    state: MessageState
    arrival: int
    """Grows with each message that came to be known on this device: the place to go on from."""
    reply_to: EntryId | None = None
    attachment: AttachmentView | None = None
    """Of a file, picture or voice message; then `text` is the caption."""
    membership: MembershipView | None = None
    """Of what happened to the group; then `text` is the same as an English sentence."""
    call: CallEntryView | None = None
    """Of a call that is over; then `text` is the same as an English sentence."""
    edited_at: datetime | None = None
    deleted_by: UserId | None = None
    """Of a deleted message: its author, or who manages the group."""
    quoted: QuoteView | None = None
    """Of a reply."""
    reactions: tuple[ReactionView, ...] = ()
    """In the order of their first use."""
    mentions: tuple[MentionView, ...] = ()
    """Without overlaps, in the order of the text."""
    mentions_me: bool = False

    @property
    def is_event(self) -> bool:
        """Whether it is no message of somebody, but tells what happened: to a group, or that there was a call."""
        return self.membership is not None or self.call is not None

    @property
    def place(self) -> MessagePlace:
        """Where it stands among the others."""
        return (self.written_at, self.arrival)


class MessagePage(View, frozen=True):
    """Messages of a conversation without gaps, oldest first."""

    messages: list[MessageView]
    has_older: bool
    has_newer: bool


class PageAt(View, frozen=True):
    """Where a page is: at the end of the conversation if nothing is said."""

    before: EntryId | None = None
    """It ends just above this message."""
    after: EntryId | None = None
    """It begins just below this message."""
    at_unread: bool = False
    """It is around the first message that was not displayed yet, if there is one."""
    around: EntryId | None = None
    """This message is in its middle."""


class SharedAt(View, frozen=True):
    """Which part of a conversation's shared files: the newest if nothing is said."""

    before: EntryId | None = None
    """Those just above this message."""
    after: EntryId | None = None
    """Those just below this message."""
    kinds: frozenset[MessageKind] = frozenset()
    """Of these kinds only; of all, if none is named."""
    words: str = ""
    """In the name, the caption, or the name of who shared it, in whatever case."""


class ContactView(View, frozen=True):
    """A person we know, or who wants to be known."""

    user: UserId
    name: str
    state: Consent
    note: str
    """What stood beside the request."""
    online: bool
    since: datetime | None
    """When they came or went, as the locator saw it."""
    linked: bool
    """Whether one of their devices is connected to this one now."""
    verified: bool
    blocked: bool
    new_device: bool
    """Whether a device of theirs waits for us to say that it really is theirs."""
    conversation: ConversationId
    asked_at: datetime | None = None


class ConversationView(View, frozen=True):
    """One row of the conversation list."""

    conversation: ConversationId
    title: str
    user: UserId | None
    """The other person; None in a group."""
    members: tuple[UserId, ...]
    unread: int
    """Messages of others that were not on the screen yet."""
    last_entry: MessageView | None
    online: bool
    can_write: bool
    """False while the other person is no friend: texts are kept back until both said yes."""
    draft: str = ""
    """What was being written here, on this device, and not sent yet."""
    first_unread: MessagePlace | None = None
    names_me: bool = False
    """Whether something of it that is unread names us."""


class MemberView(View, frozen=True):
    """Somebody in a group."""

    user: UserId
    name: str
    manager: bool
    online: bool
    new_device: bool = False
    """Whether a device of theirs was met that does not speak for them in this group, and that we may confirm."""
    waiting_device: bool = False
    """Whether such a device was met, whoever may confirm it."""


class GroupView(View, frozen=True):
    """Who belongs to a group, in order of seniority."""

    conversation: ConversationId
    name: str
    creator: UserId
    members: tuple[MemberView, ...]


class MemberHasView(View, frozen=True):
    """Whether somebody has a message, as far as it is known here."""

    user: UserId
    name: str
    has: bool
    """One of their devices holds it, with its content, or knows that it was deleted."""
    read: bool
    """It was on their screen; then they have it, too."""


class WhoHasView(View, frozen=True):
    """Who has a message, of everybody but its author whom it is for: members who may have its content."""

    entry: EntryId
    conversation: ConversationId
    members: tuple[MemberHasView, ...]
    """In order of seniority."""


class SessionView(View, frozen=True):
    """Who is signed in on this profile, and how it stands with the locator."""

    user: UserId
    name: str
    device: DeviceId
    locator: str
    """`hail://HOST:PORT#FINGERPRINT`."""
    connected: bool
    superseded: bool
    """This person signed in on another device; a click on "sign in here" is awaited."""
    must_sign_in: bool
    """The locator takes this device no more (the password was changed, say) until somebody signs in again."""
    listen_port: int
    voice_port: int
    links: int
    other_devices: bool = False
    """Whether the locator counts other devices as this person's, too: what was said there comes back from friends."""
    must_change_password: bool = False
    """Whether the locator answers nothing before `change_password`: the one used was given out by its operator."""

    @property
    def is_seen(self) -> bool:
        """Whether the locator tells others that this person is here."""
        return self.connected and not self.superseded and not self.must_change_password


class SecretPlace(StrEnum):
    """Where the key lies that opens the profile of somebody who stays signed in."""

    KEYRING = "keyring"
    """The system's keyring, opened with the session of the person at this computer."""
    FILE = "file"
    """A file in the profile, readable by its owner's programs only."""


class AccountView(View, frozen=True):
    """An account that has been used on this profile."""

    user: UserId
    name: str
    locator: str


class FoundLocator(View, frozen=True):
    """A locator that announces itself on the local network; anybody may announce anything."""

    name: str
    place: str
    """`HOST:PORT`."""
    fingerprint: str
    link: str
    """`hail://HOST:PORT#FINGERPRINT`."""


class WhereaboutView(View, frozen=True):
    """Where the locator says a user is; an unknown ID is simply not online."""

    user: UserId
    online: bool
    addresses: tuple[str, ...]
    listen_port: int
    voice_port: int
    course: bool = False
    """Whether they are only on the locator's course port: there, but with no Hail to be dialled."""


class AudioDevices(View, frozen=True):
    """Microphones and speakers by name, and which of them the system would choose; none is a normal state."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    default_input: str
    default_output: str


class AudioChoice(View, frozen=True):
    """Which microphone and speaker a person wants, by name; empty for whatever the system chooses."""

    microphone: str = ""
    speaker: str = ""


class Tone(StrEnum):
    """The tones that the program has of its own."""

    TEST = "test"
    """To try a speaker."""
    RING = "ring"
    """Somebody calls."""
    RING_BACK = "ring_back"
    """It rings where we called."""


class VoiceFile(View, frozen=True):
    """A recorded voice message: an Ogg Opus file, ready to be listened to and sent."""

    path: str
    duration: float
    """In seconds."""
    waveform: bytes
    """Loudness, one byte a bar, at most 128: 0 is a quiet room, 255 as loud as can be."""
    size: int


class RecordingView(View, frozen=True):
    """A recording as it grows, and how it ended."""

    seconds: float
    level: int = 0
    """Loudness now, on the scale of a bar."""
    is_over: bool = False
    voice: VoiceFile | None = None
    """What there is of it when it is over; None if nothing was heard, or if it was cancelled."""
    reason: str = ""
    """A sentence, if it ended by itself: its length, the microphone, the disk."""


class VoiceTrialView(View, frozen=True):
    """Somebody tries how they sound in a call."""

    level: int = 0
    """Of the microphone now: 0 for a quiet room, 255 as loud as can be."""
    notice: str = ""
    """A sentence, while a device is not the chosen one, or echo and noise cannot be removed."""
    is_over: bool = False
    """All that was said was heard, or it broke off."""


class PlaybackView(View, frozen=True):
    """A voice message that is played, and how that ended."""

    path: str
    at: float
    """Seconds from the beginning, whatever the speed."""
    duration: float
    """In seconds, at speed 1."""
    speed: float
    is_over: bool = False
    reason: str = ""
    """A sentence, if it broke off."""
