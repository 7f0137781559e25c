"""Calls in virtual time: two who talk, and what they and the world have to show for it."""

from typing import Any

from peer.call_views import CallState, CallView
from peer.views import MessageKind, MessageView
from protocol.call_bodies import CallOutcome
from tests.harness.world import Person, World


def states(person: Person) -> list[str]:
    """Return the states that a person was told of, each once in a row."""
    told: list[str] = []
    for event in person.events:
        call = getattr(event, "call", None)
        if isinstance(call, CallView) and (not told or told[-1] != call.state):
            told.append(call.state)
    return told


def calls_of(person: Person) -> tuple[CallView, ...]:
    session = person.node._session
    return () if session is None else session.calls.verbs.current()


def call_of(person: Person) -> CallView:
    (call,) = calls_of(person)
    return call


def ended(person: Person) -> CallView:
    """Return how the last call of a person ended."""
    view: Any = person.told("call_ended")[-1].call
    assert isinstance(view, CallView)
    return view


async def has_state(world: World, person: Person, state: CallState, seconds: float = 60.0) -> CallView:
    await world.until(lambda: [call.state for call in calls_of(person)] == [state], seconds)
    return call_of(person)


async def talking(world: World) -> tuple[Person, Person]:
    """Return two friends who talk; Ana called."""
    ana, bo, conversation = await world.linked_peers()
    await ana.node.calls.start(conversation)
    await bo.node.calls.answer((await has_state(world, bo, CallState.RINGING)).call)
    for person in (ana, bo):
        await has_state(world, person, CallState.ACTIVE)
    return ana, bo


async def nobody_calls(world: World, *people: Person) -> None:
    """Make sure that nothing of a call is left: no view, no voice, no port in use."""
    await world.until(lambda: not any(calls_of(person) for person in people))
    await world.until(lambda: not world.voices.voices)


def lines_of(person: Person) -> list[MessageView]:
    """Return the lines about calls that a person sees among the messages, as they were told."""
    told = (*person.told("message_written"), *person.told("message_arrived"))
    return [event.message for event in told if event.message.kind is MessageKind.CALL]


async def leaves_the_line(world: World, caller: Person, called: Person, outcome: CallOutcome, *, missed: bool) -> None:
    """Make sure that one line tells both how the call ended."""
    await world.until(lambda: len(lines_of(caller)) == len(lines_of(called)) == 1)
    (hers,), (his,) = lines_of(caller), lines_of(called)
    assert hers.call is not None
    assert his.call is not None
    assert (hers.entry, hers.call.outcome) == (his.entry, outcome)
    assert (hers.mine, his.call.is_missed) == (True, missed)


def forget_the_call(world: World, person: Person) -> None:
    """Let a program know nothing of its call any more, as after it was killed and started again."""
    session = person.node._session
    assert session is not None
    engaged, session.calls.engaged = session.calls.engaged, None
    assert engaged is not None
    assert engaged.sound is not None
    world.voices.of(world.host(person.name)).stop()
    session.calls._keep(engaged.sound.end())
