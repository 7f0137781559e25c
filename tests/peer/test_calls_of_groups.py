"""Calls of groups, in virtual time: up to eight people, most of whom know each other by the group alone."""

import asyncio
from itertools import combinations

import pytest

from peer.call_views import CallEnd, CallState, CallView
from peer.errors import Refusal, RefusalCode
from peer.views import ConversationId
from tests.harness.calls import call_of, calls_of, ended, forget_the_call, has_state, nobody_calls, states
from tests.harness.groups import group_of
from tests.harness.world import Person, World

EIGHT = ("ana", "bo", "cy", "dan", "eve", "fay", "gus", "hal")


def hears(person: Person) -> set[str]:
    """Return whose voices a person hears."""
    views = [call for call in calls_of(person) if call.state is CallState.ACTIVE]
    return {str(each.user) for view in views for each in view.people if each.state is CallState.ACTIVE}


async def all_hear_each_other(world: World, people: list[Person], seconds: float = 30.0) -> None:
    names = {person.name for person in people}

    def agree() -> bool:
        return all(hears(person) == names - {person.name} for person in people)

    try:
        await world.until(agree, seconds)
    except AssertionError:
        raise AssertionError({person.name: hears(person) for person in people}) from None


async def rung(world: World, caller: Person, group: ConversationId, others: list[Person]) -> CallView:
    """Let somebody call a group; wait until it rings at all others."""
    call = await caller.node.calls.start(group)
    for person in others:
        await has_state(world, person, CallState.RINGING, 10)
    return call


async def talking_group(world: World, *names: str) -> tuple[ConversationId, list[Person]]:
    group, people = await group_of(world, *names)
    await rung(world, people[0], group, people[1:])
    await asyncio.gather(*(person.node.calls.answer(call_of(person).call) for person in people[1:]))
    await all_hear_each_other(world, people)
    return group, people


async def test_eight_people_answer_come_and_go_and_everybody_hears_everybody(world: World) -> None:
    group, people = await group_of(world, *EIGHT)
    ana, bo, *others = people
    call = await rung(world, ana, group, people[1:])
    assert (call.is_group, call.title, call.with_) == (True, "Lab", None)
    assert call_of(bo).with_ == "ana"
    for number, person in enumerate(people[1:], 2):
        await person.node.calls.answer(call_of(person).call)
        await all_hear_each_other(world, people[:number])
    assert len({call_of(person).call for person in people}) == 1
    assert sum(len(voice.legs) for voice in world.voices.voices) == 2 * len(list(combinations(people, 2)))

    left = await bo.node.calls.hang_up(call.call)
    assert left.state is CallState.AVAILABLE
    await all_hear_each_other(world, [ana, *others])
    assert (call_of(bo).state, len(call_of(bo).people)) == (CallState.AVAILABLE, 7)
    assert "bo" not in {person.user for person in call_of(ana).people if person.state is not CallState.ENDED}
    joined = await bo.node.calls.start(group)
    assert joined.call == call.call
    await all_hear_each_other(world, people)

    await ana.node.calls.hang_up(call.call)
    await all_hear_each_other(world, [bo, *others])
    for person in others:
        await person.node.calls.hang_up(call.call)
    await nobody_calls(world, *people)
    assert all(ended(person).reason is CallEnd.HUNG_UP for person in people)


async def test_all_answer_at_the_same_moment(world: World) -> None:
    group, people = await group_of(world, *EIGHT[:6])
    await rung(world, people[0], group, people[1:])
    world.network.delay = 0.08
    await asyncio.gather(*(person.node.calls.answer(call_of(person).call) for person in people[1:]))
    await all_hear_each_other(world, people)
    assert max(len(voice.legs) for voice in world.voices.voices) == 5


async def test_who_declined_and_who_was_away_can_join_later(world: World) -> None:
    group, (ana, bo, cy, dan) = await group_of(world, "ana", "bo", "cy", "dan")
    await dan.node.log_out()
    await world.until(lambda: "dan" not in {str(u) for u in online(ana)})
    call = await rung(world, ana, group, [bo, cy])
    await bo.node.calls.answer(call.call)
    declined = await cy.node.calls.decline(call.call)
    assert declined.state is CallState.AVAILABLE
    await all_hear_each_other(world, [ana, bo])
    assert not cy.told("call_ended")
    await cy.node.calls.answer(call.call)
    await all_hear_each_other(world, [ana, bo, cy])
    dan = await world.returns("dan")
    assert (await has_state(world, dan, CallState.AVAILABLE)).call == call.call
    assert not dan.told("call_ringing"), "it rang before they came"
    await dan.node.calls.start(group)
    await all_hear_each_other(world, [ana, bo, cy, dan])


def online(person: Person) -> list[str]:
    session = person.node._session
    assert session is not None
    return [str(user) for user in session.conversations.fellow_members if session.contacts.is_online(user)]


async def test_members_of_a_large_group_who_come_later_hear_of_its_call(world: World) -> None:
    names = (*EIGHT, "ivy", "jon")
    group, people = await group_of(world, *names)
    ana, bo, *away = people
    for person in away:
        await person.node.log_out()
    await world.until(lambda: online(ana) == ["bo"])
    call = await rung(world, ana, group, [bo])
    await bo.node.calls.answer(call.call)
    await all_hear_each_other(world, [ana, bo])
    back = [await world.returns(person.name) for person in away]
    for person in back:
        assert (await has_state(world, person, CallState.AVAILABLE)).call == call.call
    assert all(len(call_of(person).people) == 2 for person in back)


async def test_the_ninth_is_refused(world: World) -> None:
    group, people = await group_of(world, *EIGHT, "ivy")
    *eight, ivy = people
    call = await rung(world, people[0], group, people[1:])
    for person in eight[1:]:
        await person.node.calls.answer(call.call)
    await all_hear_each_other(world, eight)
    await world.until(lambda: len(call_of(ivy).people) >= 1)
    with pytest.raises(Refusal) as refusal:
        await ivy.node.calls.answer(call.call)
    assert refusal.value.code is RefusalCode.CALL_FULL
    await world.until(lambda: call_of(ivy).state is CallState.AVAILABLE)
    with pytest.raises(Refusal) as refusal:
        await ivy.node.calls.start(group)
    assert refusal.value.code is RefusalCode.CALL_FULL
    await eight[3].node.calls.hang_up(call.call)
    await world.until(lambda: len(call_of(ivy).people) == 7)
    await ivy.node.calls.start(group)
    await all_hear_each_other(world, [*eight[:3], *eight[4:], ivy])


async def test_two_who_come_at_once_where_one_has_room_do_not_make_nine(world: World) -> None:
    group, people = await group_of(world, *EIGHT, "ivy")
    call = await rung(world, people[0], group, people[1:])
    for person in people[1:7]:
        await person.node.calls.answer(call.call)
    await all_hear_each_other(world, people[:7])
    world.network.delay = 0.05
    await asyncio.gather(*(person.node.calls.answer(call.call) for person in people[7:]), return_exceptions=True)
    await asyncio.sleep(10)
    in_it = [person for person in people if call_of(person).state is CallState.ACTIVE]
    assert 7 <= len(in_it) <= 8
    await all_hear_each_other(world, in_it)


async def test_who_is_removed_from_the_group_is_out_of_its_call(world: World) -> None:
    group, (ana, bo, cy, dan) = await talking_group(world, "ana", "bo", "cy", "dan")
    await ana.node.remove_from_group(group, "cy")
    await world.until(lambda: not calls_of(cy))
    await all_hear_each_other(world, [ana, bo, dan], 20)
    assert ended(cy).state is CallState.ENDED
    with pytest.raises(Refusal) as refusal:
        await cy.node.calls.start(group)
    assert refusal.value.code is RefusalCode.NOT_A_MEMBER
    await bo.node.leave_group(group)
    await world.until(lambda: not calls_of(bo))
    await all_hear_each_other(world, [ana, dan], 20)


@pytest.mark.parametrize("delay", [0.0, 0.03, 0.2])
async def test_a_call_that_two_members_begin_at_the_same_time_becomes_one(world: World, delay: float) -> None:
    group, people = await group_of(world, "ana", "bo", "cy", "dan")
    world.network.delay = 0.05
    await people[1].node.calls.start(group)
    await asyncio.sleep(delay)
    await people[2].node.calls.start(group)
    for person in (people[0], people[3]):
        await has_state(world, person, CallState.RINGING, 10)
        await person.node.calls.answer(call_of(person).call)
    await all_hear_each_other(world, people)


async def test_whose_voice_is_gone_is_out_and_the_others_go_on(world: World) -> None:
    group, (ana, bo, cy) = await talking_group(world, "ana", "bo", "cy")
    world.voices.silent = {world.host("cy")}
    await world.until(lambda: hears(ana) == {"bo"} and hears(bo) == {"ana"}, 25)
    await world.until(lambda: [call.state for call in calls_of(cy)] != [CallState.ACTIVE], 25)
    world.voices.silent = set()
    await world.until(lambda: [call.state for call in calls_of(cy)] == [CallState.AVAILABLE], 25)
    await cy.node.calls.start(group)
    await all_hear_each_other(world, [ana, bo, cy])


async def test_a_group_nobody_answers_in_is_a_missed_call_for_all(world: World) -> None:
    group, (ana, bo, cy) = await group_of(world, "ana", "bo", "cy")
    await rung(world, ana, group, [bo, cy])
    await nobody_calls(world, ana, bo, cy)
    assert ended(ana).reason is CallEnd.NO_ANSWER
    assert group


async def test_who_comes_again_while_others_still_think_they_are_in_gets_new_keys(world: World) -> None:
    group, (ana, bo, cy) = await talking_group(world, "ana", "bo", "cy")
    forget_the_call(world, cy)
    await cy.node.calls.start(group)
    await all_hear_each_other(world, [ana, bo, cy], 8)
    assert not ana.told("call_ended")


@pytest.mark.parametrize("who_leaves", [0, 1], ids=["who rang", "who was rung"])
@pytest.mark.parametrize("names", [("ana", "bo"), ("ana", "bo", "cy")], ids=["all of a group", "two of three"])
async def test_of_two_in_a_groups_call_one_leaves_and_it_ends_in_one_step(
    world: World, names: tuple[str, ...], who_leaves: int
) -> None:
    group, (ana, bo, *others) = await group_of(world, *names)
    await rung(world, ana, group, [bo, *others])
    for other in others:
        await other.node.calls.decline(call_of(other).call)
    await bo.node.calls.answer(call_of(bo).call)
    await all_hear_each_other(world, [ana, bo])
    await asyncio.sleep(50)  # nobody is rung any more
    leaver = (ana, bo)[who_leaves]
    assert (await leaver.node.calls.hang_up(call_of(leaver).call)).state is CallState.ENDED
    assert not calls_of(leaver)
    await nobody_calls(world, ana, bo, *others)
    await asyncio.sleep(10)  # nobody says once more who is in it
    for person in (ana, bo):
        assert states(person)[-2:] == ["active", "ended"]
        assert len(person.told("call_ended")) == 1


async def test_who_leaves_while_it_rings_others_yet_may_come_back(world: World) -> None:
    group, (ana, bo, cy) = await group_of(world, "ana", "bo", "cy")
    await rung(world, ana, group, [bo, cy])
    await bo.node.calls.answer(call_of(bo).call)
    await all_hear_each_other(world, [ana, bo])
    assert (await bo.node.calls.hang_up(call_of(bo).call)).state is CallState.AVAILABLE
    await cy.node.calls.answer(call_of(cy).call)
    await bo.node.calls.start(group)
    await all_hear_each_other(world, [ana, bo, cy])


async def test_when_who_rang_leaves_nobody_is_rung_any_more_and_the_call_ends_in_one_step(world: World) -> None:
    group, (ana, bo, cy) = await group_of(world, "ana", "bo", "cy")
    await rung(world, ana, group, [bo, cy])
    await bo.node.calls.answer(call_of(bo).call)
    await all_hear_each_other(world, [ana, bo])
    assert (await ana.node.calls.hang_up(call_of(ana).call)).state is CallState.ENDED
    await nobody_calls(world, ana, bo, cy)
    assert states(ana)[-2:] == states(bo)[-2:] == ["active", "ended"]
