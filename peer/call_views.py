"""Frozen snapshots of calls: all that a screen or a script may hold of one."""

from datetime import datetime

import msgspec

from peer.views import AudioChoice, AudioDevices, View
from protocol.call_states import CallEnd, CallState
from protocol.identity import CallId, ConversationId, UserId
from protocol.limits import CALL_PEOPLE

__all__ = [
    "CALL_PEOPLE",
    "CallDevicesView",
    "CallEnd",
    "CallId",
    "CallLevel",
    "CallLevelsView",
    "CallPersonView",
    "CallState",
    "CallStatistics",
    "CallView",
]


class CallPersonView(View, frozen=True):
    """Somebody else in a call."""

    user: UserId
    name: str
    state: CallState
    """CALLING, RINGING, CONNECTING, ACTIVE or ENDED."""
    is_muted: bool = False
    has_microphone: bool = True
    has_speaker: bool = True
    volume: float = 1.0
    """As chosen here; 1 is as it comes."""
    path: str = ""
    """How their voice comes: `udp`, `tcp`, or nothing while it does not."""
    delay_ms: float | None = None
    """From their microphone to our speaker, as far as can be known."""
    loss: float = 0.0
    """The share of packets that are lost, 0 to 1."""
    jitter_ms: float = 0.0
    redundancy: str = ""
    """How what is lost is repaired: `none`, `fec`, `red1` or `red2`."""
    quality: int = 0
    """Bars: 0 while nothing is known, 1 is bad, 4 is good."""
    round_trip_ms: float | None = None


class CallView(View, frozen=True):
    """A call as it stands."""

    call: CallId
    conversation: ConversationId
    with_: UserId | None = msgspec.field(name="with")
    """The other of a direct call; of a group's call who rang, None if we did."""
    title: str
    """What a screen shows: the friend's name, or the group's."""
    is_group: bool
    is_incoming: bool
    state: CallState
    reason: CallEnd | None
    """Why it ended."""
    message: str
    """One sentence, when something is to be said."""
    rang_at: datetime
    started_at: datetime | None = None
    """When the first voice was heard."""
    ended_at: datetime | None = None
    is_muted: bool = False
    has_microphone: bool = True
    has_speaker: bool = True
    sound_notice: str = ""
    """A sentence about our own microphone or speaker; nothing when all is well."""
    people: tuple[CallPersonView, ...] = ()
    """The others in it, also those whom it rings."""


class CallLevel(View, frozen=True):
    """How loud somebody is at this moment."""

    user: UserId
    level: int
    """0 for a quiet room, 255 as loud as can be."""
    speaks: bool


class CallLevelsView(View, frozen=True):
    """The meters of a call; told 20 times a second at most."""

    call: CallId
    level: int
    """Our own: 0 for a quiet room, 255 as loud as can be."""
    speaks: bool
    people: tuple[CallLevel, ...]


class CallStatistics(View, frozen=True):
    """How well a call gets through: of the worst of its ways, and of each person's.

    While nobody is heard `path` and `redundancy` are empty, `delay_ms` and `round_trip_ms` None, and the rest is 0.
    """

    call: CallId
    delay_ms: float | None
    loss: float
    jitter_ms: float
    redundancy: str
    path: str
    round_trip_ms: float | None
    people: tuple[CallPersonView, ...]


class CallDevicesView(View, frozen=True):
    """What calls are spoken and heard with, and what there is to choose from."""

    chosen: AudioChoice
    devices: AudioDevices
    echo: bool = True
    """Whether the echo of our speaker is removed."""
    noise: bool = True
    """Whether the noise of our room is removed."""
    gain: bool = True
    """Whether our voice is brought to an even loudness."""
