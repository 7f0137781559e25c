"""How a call ended, as an entry of its conversation.

An optional kind: who does not know it keeps it, passes it on, and shows nothing.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from protocol import limits
from protocol.entries import BODIES, Body
from protocol.identity import CallId, UserId


class CallOutcome(StrEnum):
    """What became of a call. The values are public: never renamed."""

    ANSWERED = "answered"
    """There was a talk: in a group, with at least one other."""
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    BUSY = "busy"
    """The other side was in another call."""
    WITHDRAWN = "withdrawn"
    """Who rang gave up before there was an answer, or their program ended."""
    UNREACHABLE = "unreachable"
    """No device of theirs was there to be told."""
    FAILED = "failed"
    """It was answered, and no voice got through."""

    @classmethod
    def from_wire(cls, word: str) -> "CallOutcome":
        """Read a word from the other side; one this version does not know says that there was no talk."""
        try:
            return cls(word)
        except ValueError:
            return cls.NO_ANSWER


People = Annotated[tuple[UserId, ...], Meta(max_length=limits.GROUP_MEMBERS)]


@BODIES.register(0x8315)
class Called(Body, frozen=True, array_like=True):
    """A call is over, for whoever wrote this: the one who rang, and nobody else."""

    call: CallId
    outcome: Annotated[str, Meta(max_length=limits.CALL_OUTCOME_LENGTH)]
    """A `CallOutcome`."""
    seconds: Annotated[int, Meta(ge=0, le=limits.CALL_SECONDS)]
    """How long its author was in it."""
    people: People
    """Who else was in it, as far as its author knows."""
    missed: People
    """Whom it rang, and who neither came nor declined."""
