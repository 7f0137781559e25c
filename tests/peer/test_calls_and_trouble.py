"""Calls when something is lost: links, voices, the process that brings them, people who leave; in virtual time."""

import asyncio

import pytest

from peer.call_views import CallEnd, CallState
from peer.errors import Refusal, RefusalCode
from peer.links.link import Link
from peer.views import ConversationId
from peer.voice.process_messages import Place, SoundChanged
from tests.harness.calls import (
    call_of,
    calls_of,
    ended,
    forget_the_call,
    has_state,
    lines_of,
    nobody_calls,
    states,
    talking,
)
from tests.harness.world import PASSWORD, Person, World


def links_of(person: Person) -> list[Link]:
    session = person.node._session
    assert session is not None
    return list(session._book.links)


def is_friend_on(person: Person, conversation: ConversationId) -> bool:
    """Tell whether a device, perhaps a new one, knows already that it may write in a conversation."""
    session = person.node._session
    assert session is not None
    found = session.conversations.get(conversation)
    return found is not None and session.conversations.may_write(found)


def hosts(world: World, *people: Person) -> set[str]:
    return {world.host(person.name) for person in people}


async def test_a_voice_that_is_not_heard_for_15_seconds_ends_the_call_on_both_sides(world: World) -> None:
    ana, bo = await talking(world)
    world.voices.silent = hosts(world, bo)
    at = ana.clock()
    await nobody_calls(world, ana, bo)
    assert 14 <= (ana.clock() - at).total_seconds() <= 18
    assert (ended(ana).reason, ended(bo).reason) == (CallEnd.LOST, CallEnd.LOST)
    assert ended(ana).message == "The connection to Bo was lost."


async def test_a_peer_that_answers_and_never_sends_a_voice_is_given_up(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    world.voices.silent = hosts(world, bo)
    await ana.node.calls.start(conversation)
    await bo.node.calls.answer((await has_state(world, bo, CallState.RINGING)).call)
    await has_state(world, ana, CallState.CONNECTING)
    await nobody_calls(world, ana, bo)
    assert states(ana)[-2:] == ["connecting", "ended"]
    assert ended(ana).reason is CallEnd.LOST


async def test_a_call_goes_on_without_a_link_as_long_as_voices_are_heard(world: World) -> None:
    ana, bo = await talking(world)
    world.network.unplugged = hosts(world, bo)
    await world.until(lambda: not links_of(ana) and not links_of(bo))
    await asyncio.sleep(60)
    assert call_of(ana).state is call_of(bo).state is CallState.ACTIVE
    await bo.node.calls.mute(call_of(bo).call, True)
    world.network.unplugged = set()
    await world.until(lambda: call_of(ana).people[0].is_muted)
    await ana.node.calls.hang_up(call_of(ana).call)
    await nobody_calls(world, ana, bo)
    assert ended(bo).reason is CallEnd.HUNG_UP


async def test_who_hangs_up_without_a_link_is_noticed_at_the_latest_when_the_voice_is_gone(world: World) -> None:
    ana, bo = await talking(world)
    world.network.unplugged = hosts(world, bo)
    await world.until(lambda: not links_of(ana) and not links_of(bo))
    await ana.node.calls.hang_up(call_of(ana).call)
    at = ana.clock()
    await nobody_calls(world, ana, bo)
    assert (ana.clock() - at).total_seconds() <= 18
    assert ended(bo).reason is CallEnd.LOST


async def test_a_hang_up_that_a_lost_link_swallowed_is_said_again_on_the_next_one(world: World) -> None:
    ana, bo = await talking(world)
    world.network.unplugged = hosts(world, bo)
    await ana.node.calls.hang_up(call_of(ana).call)
    session = ana.node._session
    assert session is not None
    assert session.calls.lines._unheard
    await asyncio.sleep(2)
    world.network.unplugged = set()
    world.network.hang_up(world.host("bo"))
    await world.until(lambda: bool(bo.told("call_ended")), 8)
    assert ended(bo).reason is CallEnd.HUNG_UP
    await world.until(lambda: not session.calls.lines._unheard)


async def test_an_answer_that_a_lost_link_swallowed_is_said_again_on_the_next_one(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await ana.node.calls.start(conversation)
    ringing = await has_state(world, bo, CallState.RINGING)
    world.network.unplugged = hosts(world, bo)
    await bo.node.calls.answer(ringing.call)
    await asyncio.sleep(2)
    world.network.unplugged = set()
    world.network.hang_up(world.host("bo"))
    for person in (ana, bo):
        await has_state(world, person, CallState.ACTIVE, 12)


async def test_a_ring_that_a_lost_link_swallowed_rings_on_the_next_one(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    world.network.unplugged = hosts(world, bo)
    await ana.node.calls.start(conversation)
    await asyncio.sleep(2)
    world.network.unplugged = set()
    world.network.hang_up(world.host("bo"))
    await has_state(world, bo, CallState.RINGING, 12)
    await has_state(world, ana, CallState.RINGING, 12)
    assert len(bo.told("call_ringing")) == 1


async def test_who_cannot_be_told_within_15_seconds_is_not_reachable(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    world.network.unplugged = hosts(world, bo)
    await ana.node.calls.start(conversation)
    await nobody_calls(world, ana)
    assert (ended(ana).reason, states(ana)) == (CallEnd.UNREACHABLE, ["calling", "ended"])
    assert not bo.told("call_ringing")


async def test_an_offer_that_lay_in_a_buffer_while_the_computer_slept_does_not_ring(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    (link,) = links_of(bo)
    link._heard_at -= 50  # as after 50 s of sleep: its own timers have not run yet
    await ana.node.calls.start(conversation)
    await world.until(lambda: bool(ana.told("call_ended")), 5)
    assert not bo.told("call_ringing")
    assert ended(ana).reason is CallEnd.NO_ANSWER


async def test_a_call_rings_here_no_longer_than_there(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    world.network.unplugged = hosts(world, bo)
    await ana.node.calls.start(conversation)
    await asyncio.sleep(12)
    world.network.unplugged = set()
    world.network.hang_up(world.host("bo"))
    await has_state(world, bo, CallState.RINGING, 3)
    at = bo.clock()
    await nobody_calls(world, ana, bo)
    assert 30 <= (bo.clock() - at).total_seconds() <= 36


async def test_a_voice_process_that_crashes_ends_the_call_with_a_sentence_and_nothing_else(world: World) -> None:
    ana, bo = await talking(world)
    world.voices.of(world.host("ana")).crash()
    await nobody_calls(world, ana, bo)
    assert (ended(ana).reason, ended(ana).message) == (CallEnd.VOICE_FAILED, "The voice of this call broke down.")
    assert (ended(bo).reason, ended(bo).message) == (CallEnd.HUNG_UP, "The sound system of Ana broke down.")
    conversation = ended(ana).conversation
    await ana.node.send_text(conversation, "Say it by text, then.")
    await world.until(lambda: bo.told("message_arrived")[-1].message.text == "Say it by text, then.")


async def test_a_voice_that_cannot_begin_rings_nobody_for_long_and_refuses_the_call(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    world.voices.fails = hosts(world, ana)
    with pytest.raises(Refusal) as refusal:
        await ana.node.calls.start(conversation)
    assert refusal.value.code is RefusalCode.VOICE_FAILED
    await nobody_calls(world, ana, bo)
    world.voices.fails = hosts(world, bo)
    await ana.node.calls.start(conversation)
    ringing = await has_state(world, bo, CallState.RINGING)
    with pytest.raises(Refusal) as refusal:
        await bo.node.calls.answer(ringing.call)
    assert refusal.value.code is RefusalCode.VOICE_FAILED
    await nobody_calls(world, ana, bo)


async def test_devices_that_come_and_go_are_told_to_the_other_side(world: World) -> None:
    ana, bo = await talking(world)
    voice = world.voices.of(world.host("bo"))
    voice.on_sound(SoundChanged(False, True, "The microphone was unplugged."))
    await world.until(lambda: not call_of(ana).people[0].has_microphone)
    assert (call_of(bo).has_microphone, call_of(bo).sound_notice) == (False, "The microphone was unplugged.")
    assert call_of(ana).people[0].has_speaker
    voice.on_sound(SoundChanged(True, True, ""))
    await world.until(lambda: call_of(ana).people[0].has_microphone)


async def test_mute_volume_and_devices_reach_the_voice_process(world: World) -> None:
    ana, bo = await talking(world)
    call, voice = call_of(ana).call, world.voices.of(world.host("ana"))
    await ana.node.calls.mute(call, True)
    await ana.node.calls.set_volume(call, call_of(ana).people[0].user, 0.5)
    await ana.node.calls.set_devices("Headset", "Speakers")
    await ana.node.calls.set_processing(False, True, False)
    await world.until(lambda: call_of(bo).people[0].is_muted)
    (leg,) = voice.legs.values()
    assert (voice.is_muted, leg.volume, call_of(ana).people[0].volume) == (True, 0.5, 0.5)
    assert (voice.choice.microphone, voice.choice.speaker, voice.switches.echo) == ("Headset", "Speakers", False)
    with pytest.raises(Refusal) as refusal:
        await ana.node.calls.set_volume(call, call_of(ana).people[0].user, 5)
    assert refusal.value.code is RefusalCode.BAD_REQUEST


async def test_how_loud_everybody_is_is_told_by_name(world: World) -> None:
    ana, bo = await talking(world)
    await asyncio.sleep(1)
    levels = ana.told("call_levels")[-1].levels
    assert (levels.call, levels.speaks) == (call_of(ana).call, True)
    assert [(each.user, each.speaks) for each in levels.people] == [("bo", True)]
    assert call_of(bo)


async def test_who_signs_out_hangs_up(world: World) -> None:
    ana, bo = await talking(world)
    await ana.node.log_out()
    await nobody_calls(world, ana, bo)
    assert ended(bo).reason is CallEnd.HUNG_UP
    await ana.node.log_in(world.link, "ana", PASSWORD)
    assert not calls_of(ana)


async def test_who_signs_in_elsewhere_is_out_of_the_call_here(world: World, expected_log: list[str]) -> None:
    expected_log.append("ana uses a device that was never seen")
    ana, bo = await talking(world)
    await world.returns("ana", host="laptop", profile="laptop")
    await world.until(lambda: bool(ana.told("superseded")))
    await nobody_calls(world, ana, bo)
    assert (ended(ana).reason, ended(bo).reason) == (CallEnd.ELSEWHERE, CallEnd.HUNG_UP)


async def test_a_friend_who_is_one_no_more_is_out_of_the_call(world: World) -> None:
    ana, bo = await talking(world)
    await ana.node.remove("bo")
    await nobody_calls(world, ana, bo)


async def test_who_is_blocked_is_out_of_the_call(world: World, expected_log: list[str]) -> None:
    expected_log.append("a link with somebody who is blocked")
    ana, bo = await talking(world)
    await ana.node.block("bo")
    await nobody_calls(world, ana, bo)


async def test_a_device_whose_address_changes_is_looked_for_where_it_is_now(world: World) -> None:
    ana, bo = await talking(world)
    (leg,) = world.voices.of(world.host("ana")).legs.values()
    old, new = world.host("bo"), "10.0.9.9"
    session = bo.node._session
    assert session is not None
    session._surroundings.wire._address = new  # type: ignore[attr-defined]
    world.voices.of(old).host = new
    world.network.hang_up(old)
    port = leg.places[0].port
    await world.until(lambda: Place(new, port) in leg.places, 20)
    assert call_of(ana).state is CallState.ACTIVE
    await asyncio.sleep(20)
    assert call_of(ana).state is call_of(bo).state is CallState.ACTIVE


async def test_a_program_that_died_in_a_call_is_given_up_and_can_be_called_again(world: World) -> None:
    ana, bo = await talking(world)
    conversation = call_of(ana).conversation
    forget_the_call(world, bo)
    world.network.hang_up(world.host("bo"))
    await bo.node.calls.start(conversation)
    ringing = await has_state(world, ana, CallState.RINGING, 10)
    assert ended(ana).reason is CallEnd.LOST
    await ana.node.calls.answer(ringing.call)
    for person in (ana, bo):
        await has_state(world, person, CallState.ACTIVE)


@pytest.mark.parametrize("delay", [0.0, 0.002, 0.05, 0.4])
async def test_calls_that_cross_at_any_moment_become_one(world: World, delay: float) -> None:
    ana, bo, conversation = await world.linked_peers()
    world.network.delay = 0.05
    await ana.node.calls.start(conversation)
    await asyncio.sleep(delay)
    await bo.node.calls.start(conversation)
    for person in (ana, bo):
        await has_state(world, person, CallState.ACTIVE)
        assert not person.told("call_ended")
    await ana.node.calls.hang_up(call_of(ana).call)
    await nobody_calls(world, ana, bo)
    await asyncio.sleep(1)
    assert len(lines_of(ana)) == 1, "one line, whoever writes it"


async def test_it_rings_not_much_longer_when_the_program_of_who_calls_is_gone(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await ana.node.calls.start(conversation)
    await has_state(world, bo, CallState.RINGING)
    world.network.unplugged = hosts(world, ana)
    at = bo.clock()
    await nobody_calls(world, bo, ana)
    assert (ended(bo).ended_at - at).total_seconds() <= 26
    assert ended(bo).reason is CallEnd.WITHDRAWN


async def test_a_call_goes_on_ringing_on_the_device_where_somebody_signs_in_meanwhile(
    world: World, expected_log: list[str]
) -> None:
    expected_log.append("bo uses a device that was never seen")
    ana, desktop, conversation = await world.linked_peers()
    laptop = await world.returns("bo", host="laptop", profile="laptop")
    await world.until(lambda: bool(desktop.told("superseded")))
    await world.until(lambda: bool(links_of(ana)) and ana.told("contact_changed")[-1].contact.new_device)
    await ana.node.confirm_device("bo")
    await desktop.node.resume()
    await world.until(lambda: bool(laptop.told("superseded")) and bool(links_of(desktop)))

    await ana.node.calls.start(conversation)
    await has_state(world, desktop, CallState.RINGING)
    await laptop.node.resume()
    ringing = await has_state(world, laptop, CallState.RINGING, 15)
    assert ended(desktop).reason is CallEnd.ELSEWHERE
    await laptop.node.calls.answer(ringing.call)
    for person in (ana, laptop):
        await has_state(world, person, CallState.ACTIVE)


async def test_a_person_is_active_on_one_device_so_a_call_rings_there_alone_and_cannot_be_answered_on_the_other(
    world: World, expected_log: list[str]
) -> None:
    expected_log.append("bo uses a device that was never seen")
    ana, desktop, conversation = await world.linked_peers()
    laptop = await world.returns("bo", host="laptop", profile="laptop")
    await world.until(lambda: bool(desktop.told("superseded")))
    await world.until(lambda: bool(links_of(ana)) and ana.told("contact_changed")[-1].contact.new_device)
    await ana.node.confirm_device("bo")
    await world.until(lambda: is_friend_on(laptop, conversation))
    call = await ana.node.calls.start(conversation)
    ringing = await has_state(world, laptop, CallState.RINGING)
    assert not desktop.told("call_ringing")
    with pytest.raises(Refusal) as refused:
        await desktop.node.calls.answer(call.call)
    assert refused.value.code is RefusalCode.NO_SUCH_CALL
    await laptop.node.calls.answer(ringing.call)
    for person in (ana, laptop):
        await has_state(world, person, CallState.ACTIVE)
    assert not calls_of(desktop)
    assert states(desktop) == []
