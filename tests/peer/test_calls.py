"""A call between two friends, in virtual time: from ringing to its end, whoever ends it."""

import pytest

from peer.call_views import CallEnd, CallId, CallState
from peer.errors import Refusal, RefusalCode
from protocol.call_bodies import CallOutcome
from tests.harness.calls import call_of, ended, has_state, leaves_the_line, nobody_calls, states, talking
from tests.harness.world import World


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
    await leaves_the_line(world, ana, bo, CallOutcome.ANSWERED, missed=False)


async def test_the_caller_is_told_that_it_rings_and_the_called_one_rings_once(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await ana.node.calls.start(conversation)
    await has_state(world, bo, CallState.RINGING)
    await has_state(world, ana, CallState.RINGING)
    assert len(ana.told("call_ringing")) == len(bo.told("call_ringing")) == 1
    assert not world.voices.of(world.host("ana")).legs, "nothing is sent before there is an answer"


async def test_a_call_in_which_nobody_is_heard_yet_has_statistics_without_figures(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    call = await ana.node.calls.start(conversation)
    await has_state(world, ana, CallState.RINGING)
    figures = await ana.node.calls.statistics(call.call)
    assert (figures.call, figures.path, figures.redundancy) == (call.call, "", "")
    assert (figures.delay_ms, figures.round_trip_ms, figures.loss, figures.jitter_ms) == (None, None, 0.0, 0.0)
    (bo_seen,) = figures.people
    assert (bo_seen.user, bo_seen.state, bo_seen.path, bo_seen.quality) == ("bo", CallState.RINGING, "", 0)
    assert (await bo.node.calls.statistics(call.call)).path == ""
    await bo.node.calls.decline(call.call)
    with pytest.raises(Refusal) as refusal:
        await bo.node.calls.statistics(call.call)
    assert refusal.value.code is RefusalCode.CALL_OVER


async def test_who_declines_is_not_called_any_more(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await ana.node.calls.start(conversation)
    ringing = await has_state(world, bo, CallState.RINGING)
    declined = await bo.node.calls.decline(ringing.call)
    assert declined.reason is CallEnd.DECLINED
    await nobody_calls(world, ana, bo)
    assert (ended(ana).reason, ended(ana).message) == (CallEnd.DECLINED, "Bo declined the call.")
    await leaves_the_line(world, ana, bo, CallOutcome.DECLINED, missed=False)


async def test_nobody_answers_for_45_seconds(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await ana.node.calls.start(conversation)
    await has_state(world, bo, CallState.RINGING)
    began = ended_at = ana.clock()
    await nobody_calls(world, ana, bo)
    ended_at = ana.clock()
    assert 44 <= (ended_at - began).total_seconds() <= 48
    assert (ended(ana).reason, ended(bo).reason) == (CallEnd.NO_ANSWER, CallEnd.MISSED)
    await leaves_the_line(world, ana, bo, CallOutcome.NO_ANSWER, missed=True)


async def test_who_gives_up_leaves_a_missed_call(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    call = await ana.node.calls.start(conversation)
    await has_state(world, bo, CallState.RINGING)
    await ana.node.calls.hang_up(call.call)
    await nobody_calls(world, ana, bo)
    assert (ended(bo).reason, ended(bo).message) == (CallEnd.WITHDRAWN, "You missed a call from Ana.")
    await leaves_the_line(world, ana, bo, CallOutcome.WITHDRAWN, missed=True)


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
    await leaves_the_line(world, cy, bo, CallOutcome.BUSY, missed=True)
    with pytest.raises(Refusal) as refusal:
        await bo.node.calls.start(conversation)
    assert refusal.value.code is RefusalCode.BUSY_HERE


@pytest.mark.parametrize("verb", ["answer", "decline", "hang_up"])
async def test_a_call_that_ended_and_one_that_never_was_are_told_apart(world: World, verb: str) -> None:
    ana, bo = await talking(world)
    call = call_of(ana).call
    await ana.node.calls.hang_up(call)
    await nobody_calls(world, ana, bo)
    for name, code in ((call, RefusalCode.CALL_OVER), (CallId(bytes(16)), RefusalCode.NO_SUCH_CALL)):
        with pytest.raises(Refusal) as refusal:
            await getattr(bo.node.calls, verb)(name)
        assert refusal.value.code is code


async def test_who_is_no_friend_and_who_is_not_there_cannot_be_called(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await bo.node.log_out()
    await world.until(lambda: not ana.told("presence_changed")[-1].contact.online)
    with pytest.raises(Refusal) as refusal:
        await ana.node.calls.start(conversation)
    assert refusal.value.code is RefusalCode.OFFLINE
    await ana.node.remove("bo")
    with pytest.raises(Refusal) as refusal:
        await ana.node.calls.start(conversation)
    assert refusal.value.code is RefusalCode.NOT_A_FRIEND
    assert not ana.told("call_changed")


async def test_who_calls_and_calls_is_asked_to_wait(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    for _ in range(10):
        call = await ana.node.calls.start(conversation)
        await ana.node.calls.hang_up(call.call)
    with pytest.raises(Refusal) as refusal:
        await ana.node.calls.start(conversation)
    assert (refusal.value.code, refusal.value.retry_after > 0) == (RefusalCode.RATE_LIMITED, True)
    assert bo


async def test_who_mutes_while_it_rings_is_muted_from_the_first_word_on(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await ana.node.calls.start(conversation)
    ringing = await has_state(world, bo, CallState.RINGING)
    await bo.node.calls.mute(ringing.call, True)
    await bo.node.calls.answer(ringing.call)
    active = await has_state(world, ana, CallState.ACTIVE)
    assert active.people[0].is_muted
    assert world.voices.of(world.host("bo")).is_muted
