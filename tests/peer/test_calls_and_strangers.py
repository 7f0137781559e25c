"""Calls of those who may not, who do it too often, or who say what is not theirs to say; in virtual time."""

import asyncio

from peer.call_views import CallId, CallState
from peer.links.link import Link
from protocol import call_messages as said
from protocol.call_messages import CallLeg, CallOffer
from protocol.identity import ConversationId
from protocol.registry import Message
from tests.harness.calls import call_of, calls_of, has_state, nobody_calls, talking
from tests.harness.groups import group_of
from tests.harness.world import Person, World

LEG = CallLeg(7, bytes(44), 7501, ("10.0.0.9",))


def link_to(person: Person, other: str) -> Link:
    session = person.node._session
    assert session is not None
    (link,) = (link for link in session._book.links if link.user == other)
    return link


def answers_to(person: Person) -> list[Message]:
    """Return what a person is told about calls from now on; nothing of it is acted on."""
    session = person.node._session
    assert session is not None
    heard: list[Message] = []
    session.calls.handle = lambda _, message: heard.append(message)  # type: ignore[method-assign]
    return heard


def offer(number: int, conversation: ConversationId) -> CallOffer:
    return CallOffer(CallId(number.to_bytes(16, "big")), conversation, LEG, rings=True, rung_ms=0)


async def test_a_hundred_calls_a_minute_ring_a_few_times_and_can_be_blocked(
    world: World, expected_log: list[str]
) -> None:
    expected_log.append("a link with somebody who is blocked")
    ana, bo, conversation = await world.linked_peers()
    heard, link = answers_to(ana), link_to(ana, "bo")
    for number in range(100):
        link.send(offer(number, conversation))
        await asyncio.sleep(0.3)
        link.send(said.CallOver(offer(number, conversation).call, "withdrawn"))
        await asyncio.sleep(0.3)
    assert 5 <= len(bo.told("call_ringing")) <= 9
    refused = [each for each in heard if isinstance(each, said.CallOver) and each.reason == "rate_limited"]
    assert len(refused) == 100 - len(bo.told("call_ringing"))
    await bo.node.block("ana")
    before = len(bo.told("call_ringing"))
    await asyncio.sleep(60)
    link.send(offer(200, conversation))
    await asyncio.sleep(5)
    assert len(bo.told("call_ringing")) == before


async def test_who_is_no_friend_gets_no_answer_at_all(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    link = link_to(ana, "bo")
    await bo.node.remove("ana")
    await world.until(lambda: any(event.contact.state == "removed" for event in ana.told("contact_changed")))
    heard = answers_to(ana)
    link.send(offer(1, conversation))
    await asyncio.sleep(2)
    assert not heard
    assert not bo.told("call_ringing")


async def test_who_is_not_in_a_group_cannot_ring_it_nor_say_who_is_in_its_call(world: World) -> None:
    group, (ana, bo, cy) = await group_of(world, "ana", "bo", "cy")
    await ana.node.remove_from_group(group, "cy")
    await world.until(lambda: bool(cy.told("group_changed")))
    await world.until(lambda: all("cy" not in members(person, group) for person in (ana, bo, cy)))
    heard, link = answers_to(cy), link_to(cy, "ana")
    link.send(offer(1, group))
    session = cy.node._session
    assert session is not None
    link.send(said.CallPeople(offer(1, group).call, group, (said.CallPerson(session.user, session._vault.device),)))
    await asyncio.sleep(2)
    assert not heard
    assert not ana.told("call_ringing")
    assert not ana.told("call_changed")


def members(person: Person, group: ConversationId) -> list[str]:
    session = person.node._session
    assert session is not None
    found = session.conversations.get(group)
    return [] if found is None or found.group is None else [str(user) for user in found.group.members]


async def test_a_friend_who_is_not_in_the_call_can_neither_end_it_nor_answer_in_it(world: World) -> None:
    ana, bo = await talking(world)
    cy = await world.registered("cy")
    await world.befriend(cy, bo)
    link, call = link_to(cy, "bo"), call_of(bo).call
    before = call_of(bo).people
    for message in (
        said.CallOver(call, "hung_up"),
        said.CallAnswer(call, LEG),
        said.CallRings(call),
        said.CallStatus(call, True, False, False, 1, ()),
    ):
        link.send(message)
        await asyncio.sleep(2)
        assert call_of(bo).state is CallState.ACTIVE
    assert [person.user for person in call_of(bo).people] == ["ana"]
    assert call_of(bo).people[0].is_muted == before[0].is_muted
    assert call_of(ana).state is CallState.ACTIVE


async def test_an_answer_that_comes_twice_or_with_other_keys_changes_nothing(world: World) -> None:
    ana, bo = await talking(world)
    voice = world.voices.of(world.host("ana"))
    before = dict(voice.legs)
    link = link_to(bo, "ana")
    link.send(said.CallAnswer(call_of(ana).call, LEG))
    await asyncio.sleep(2)
    assert voice.legs == before
    assert call_of(ana).state is CallState.ACTIVE


async def test_what_is_said_of_a_call_that_ended_long_ago_is_answered_and_changes_nothing(world: World) -> None:
    ana, bo = await talking(world)
    call, conversation = call_of(ana).call, call_of(ana).conversation
    await ana.node.calls.hang_up(call)
    await nobody_calls(world, ana, bo)
    heard, link = answers_to(ana), link_to(ana, "bo")
    link.send(CallOffer(call, conversation, LEG, rings=True, rung_ms=0))
    link.send(said.CallAnswer(call, LEG))
    await asyncio.sleep(2)
    assert [type(each) for each in heard] == [said.CallOver, said.CallOver]
    assert not calls_of(bo)
    assert len(bo.told("call_ringing")) == 1


async def test_a_member_who_speaks_under_the_number_of_another_one_is_refused(world: World) -> None:
    group, (ana, bo, cy) = await group_of(world, "ana", "bo", "cy")
    call = (await ana.node.calls.start(group)).call
    await bo.node.calls.answer((await has_state(world, bo, CallState.RINGING)).call)
    await has_state(world, ana, CallState.ACTIVE)
    voice = world.voices.of(world.host("ana"))
    (ssrc,) = voice.legs
    heard, link = answers_to(cy), link_to(cy, "ana")
    leg = CallLeg(ssrc, bytes(44), 7501, ("10.0.0.9",))
    link.send(CallOffer(call, group, leg, rings=False, rung_ms=0))
    await asyncio.sleep(3)
    over = [each for each in heard if isinstance(each, said.CallOver)]
    assert [(each.reason, each.leg) for each in over] == [("gone", ssrc)]
    assert list(voice.legs) == [ssrc]
    assert voice.hears(ssrc)
    assert call_of(bo).state is CallState.ACTIVE


async def test_words_that_mean_nothing_here_end_no_link(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    link = link_to(ana, "bo")
    for message in (
        said.CallRings(CallId(bytes(16))),
        said.CallOverHeard(CallId(bytes(16))),
        said.CallOver(CallId(bytes(16)), "a word of a later version"),
        said.CallStatus(CallId(bytes(16)), False, True, True, 1, ()),
        said.CallPeople(CallId(bytes(16)), conversation, ()),
    ):
        link.send(message)
    await asyncio.sleep(2)
    assert link_to(ana, "bo") is link
    assert not bo.told("call_changed")
    assert not calls_of(bo)
