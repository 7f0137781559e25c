"""Where a call stands on this device, and how it ended: one table of what may happen in which state."""

from enum import StrEnum, auto


class CallState(StrEnum):
    """How far a call has come, for us or for one person in it. The values are public: never renamed."""

    CALLING = "calling"
    """We rang, nothing came back yet."""
    RINGING = "ringing"
    """It rings: here, or at the other side."""
    CONNECTING = "connecting"
    """Answered, and nobody is heard."""
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


class CallEvent(StrEnum):
    """What may happen to a call, or to one person in it."""

    RUNG = auto()
    """Somebody rings us in a call of which we knew already."""
    RANG = auto()
    """It rings at the other side."""
    ANSWERED = auto()
    """By us or by them: keys were exchanged."""
    JOINED = auto()
    """We go into a group's call that goes on."""
    HEARD = auto()
    """The first voice."""
    ALONE = auto()
    """Of a group's call all others left who were in it; somebody may still come."""
    LEFT = auto()
    """We are out of a group's call that goes on."""
    OVER = auto()
    """For everybody, or as far as we can know."""


_S, _E = CallState, CallEvent
NEXT: dict[tuple[CallState, CallEvent], CallState] = {
    (_S.CALLING, _E.RANG): _S.RINGING,
    (_S.CALLING, _E.ANSWERED): _S.CONNECTING,
    (_S.CALLING, _E.LEFT): _S.AVAILABLE,
    (_S.CALLING, _E.OVER): _S.ENDED,
    (_S.RINGING, _E.ANSWERED): _S.CONNECTING,
    (_S.RINGING, _E.LEFT): _S.AVAILABLE,
    (_S.RINGING, _E.OVER): _S.ENDED,
    (_S.CONNECTING, _E.HEARD): _S.ACTIVE,
    (_S.CONNECTING, _E.LEFT): _S.AVAILABLE,
    (_S.CONNECTING, _E.OVER): _S.ENDED,
    (_S.ACTIVE, _E.ALONE): _S.CONNECTING,
    (_S.ACTIVE, _E.LEFT): _S.AVAILABLE,
    (_S.ACTIVE, _E.OVER): _S.ENDED,
    (_S.AVAILABLE, _E.RUNG): _S.RINGING,
    (_S.AVAILABLE, _E.JOINED): _S.CONNECTING,
    (_S.AVAILABLE, _E.OVER): _S.ENDED,
}

FIRST = (CallState.CALLING, CallState.RINGING, CallState.AVAILABLE)
"""How a call begins: we ring, it rings here, or we hear that it goes on."""


def next_state(state: CallState, event: CallEvent) -> CallState | None:
    """Return the state after an event; None where it does not fit, and nothing changes."""
    return NEXT.get((state, event))


def diagram() -> str:
    """Return the table as the specification draws it (Mermaid)."""
    lines = [f"    [*] --> {state}" for state in FIRST]
    lines += [f"    {before} --> {after}: {event}" for (before, event), after in NEXT.items()]
    return "\n".join(["stateDiagram-v2", *lines, f"    {CallState.ENDED} --> [*]"])
