"""Where a call stands on this device, and how it ended."""

from enum import StrEnum


class CallState(StrEnum):
    """How far a call has come, for us or for one person in it. The values are public: never renamed."""

    CALLING = "calling"
    """We rang, nothing came back yet."""
    RINGING = "ringing"
    """It rings: here, or at the other side."""
    CONNECTING = "connecting"
    """Answered, no voice heard yet."""
    ACTIVE = "active"
    """Voices pass; in a group's call those of at least one other."""
    AVAILABLE = "available"
    """A group's call that goes on without us; it can be joined."""
    ENDED = "ended"


class CallEnd(StrEnum):
    """Why a call is over. The values are public: never renamed."""

    HUNG_UP = "hung_up"
    DECLINED = "declined"
    BUSY = "busy"
    """The other side is in another call."""
    NO_ANSWER = "no_answer"
    """It rang there for 45 s."""
    MISSED = "missed"
    """It rang here for 45 s."""
    WITHDRAWN = "withdrawn"
    """Who called gave up before there was an answer."""
    UNREACHABLE = "unreachable"
    """No device of theirs could be told."""
    LOST = "lost"
    """Nothing was heard for 15 s."""
    VOICE_FAILED = "voice_failed"
    """The sound system of this computer broke down."""
    ELSEWHERE = "elsewhere"
    """It was answered on another device."""
