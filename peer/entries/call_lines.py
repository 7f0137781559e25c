"""How a call ended, made ready for the screen: a line among the messages."""

from collections.abc import Callable

from peer.views import CallEntryView
from protocol.call_bodies import Called, CallOutcome
from protocol.identity import UserId


def call_entry_view(body: Called, me: UserId, name_of: Callable[[UserId], str]) -> CallEntryView:
    """Return what an entry says about a call; `name_of` tells what people are called in its conversation."""
    people = tuple(dict.fromkeys(body.people))
    return CallEntryView(
        call=body.call,
        outcome=CallOutcome.from_wire(body.outcome),
        seconds=body.seconds,
        is_missed=me in body.missed,
        people=people,
        names=tuple(map(name_of, people)),
    )


def sentence(author_name: str, view: CallEntryView, *, mine: bool, callee: str) -> str:
    """Return it in English, for scripts; a screen says it in its own language.

    `callee` is the other person of a direct conversation where we rang, empty in a group.
    """
    if view.is_missed:
        return f"Missed call from {author_name}."
    who = f"You called {callee}" if mine and callee else "You began a call" if mine else f"{author_name} called"
    return f"{who}: {_ENDED[view.outcome] if view.outcome in _ENDED else _talk(view, callee)}."


def _talk(view: CallEntryView, callee: str) -> str:
    minutes, seconds = divmod(view.seconds, 60)
    lasted = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    return lasted if callee or len(view.names) < 2 else f"{lasted}, with {', '.join(view.names)}"


_ENDED = {
    CallOutcome.NO_ANSWER: "no answer",
    CallOutcome.DECLINED: "declined",
    CallOutcome.BUSY: "busy",
    CallOutcome.WITHDRAWN: "cancelled",
    CallOutcome.UNREACHABLE: "not reachable",
    CallOutcome.FAILED: "no voice got through",
}
