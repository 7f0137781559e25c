"""A call between two friends, in virtual time: from ringing to its end, whoever ends it."""

from typing import Any

import pytest

from peer.call_views import CallEnd, CallState, CallView
from peer.errors import Refusal, RefusalCode
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
    return () if session is None else session.calls.current()


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


async def test_two_friends_talk_until_one_hangs_up(world: World) -> None:
    ana, bo = await talking(world)
    call = call_of(ana)
    assert (call.with_, call.title, call.is_incoming, call.is_group) == ("bo", "Bo", False, False)
    assert (call_of(bo).with_, call_of(bo).title, call_of(bo).is_incoming) == ("ana", "Ana", True)
    assert call_of(bo).call == call.call
    (bo_seen,) = call.people
    assert (bo_seen.user, bo_seen.state, bo_seen.path, bo_seen.quality) == ("bo", CallState.ACTIVE, "udp", 4)
    hung_up = await ana.node.calls.hang_up(call.call)
    assert (hung_up.state, hung_up.reason) == (CallState.ENDED, CallEnd.HUNG_UP)
    await nobody_calls(world, ana, bo)
    assert states(ana) == ["calling", "ringing", "connecting", "active", "ended"]
    assert states(bo) == ["ringing", "connecting", "active", "ended"]
    assert (ended(bo).reason, ended(ana).reason) == (CallEnd.HUNG_UP, CallEnd.HUNG_UP)
    assert all(len(person.told("call_started")) == len(person.told("call_ended")) == 1 for person in (ana, bo))


async def test_the_caller_is_told_that_it_rings_and_the_called_one_rings_once(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await ana.node.calls.start(conversation)
    await has_state(world, bo, CallState.RINGING)
    await has_state(world, ana, CallState.RINGING)
    assert len(ana.told("call_ringing")) == len(bo.told("call_ringing")) == 1
    assert not world.voices.of(world.host("ana")).legs, "nothing is sent before there is an answer"


async def test_who_declines_is_not_called_any_more(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await ana.node.calls.start(conversation)
    ringing = await has_state(world, bo, CallState.RINGING)
    declined = await bo.node.calls.decline(ringing.call)
    assert declined.reason is CallEnd.DECLINED
    await nobody_calls(world, ana, bo)
    assert (ended(ana).reason, ended(ana).message) == (CallEnd.DECLINED, "Bo declined the call.")


async def test_nobody_answers_for_45_seconds(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await ana.node.calls.start(conversation)
    await has_state(world, bo, CallState.RINGING)
    began = ended_at = ana.clock()
    await nobody_calls(world, ana, bo)
    ended_at = ana.clock()
    assert 44 <= (ended_at - began).total_seconds() <= 48
    assert (ended(ana).reason, ended(bo).reason) == (CallEnd.NO_ANSWER, CallEnd.MISSED)


async def test_who_gives_up_leaves_a_missed_call(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    call = await ana.node.calls.start(conversation)
    await has_state(world, bo, CallState.RINGING)
    await ana.node.calls.hang_up(call.call)
    await nobody_calls(world, ana, bo)
    assert (ended(bo).reason, ended(bo).message) == (CallEnd.WITHDRAWN, "You missed a call from Ana.")


async def test_two_who_call_each_other_at_the_same_moment_have_one_call(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    hers, his = await ana.node.calls.start(conversation), await bo.node.calls.start(conversation)
    assert hers.call != his.call
    for person, call in ((ana, hers), (bo, his)):
        active = await has_state(world, person, CallState.ACTIVE)
        assert active.call == call.call, "a call keeps its name on the device where it began"
        assert not person.told("call_ended")
    await bo.node.calls.hang_up(his.call)
    await nobody_calls(world, ana, bo)


async def test_who_talks_already_is_busy_and_sees_who_called(world: World) -> None:
    ana, bo = await talking(world)
    cy = await world.registered("cy")
    conversation = await world.befriend(cy, bo)
    await cy.node.calls.start(conversation)
    await world.until(lambda: bool(cy.told("call_ended")))
    assert (ended(cy).reason, ended(cy).message) == (CallEnd.BUSY, "Bo is in another call.")
    assert (ended(bo).reason, ended(bo).with_) == (CallEnd.MISSED, "cy")
    assert call_of(ana).state is call_of(bo).state is CallState.ACTIVE
    with pytest.raises(Refusal) as refusal:
        await bo.node.calls.start(conversation)
    assert refusal.value.code is RefusalCode.BUSY_HERE
