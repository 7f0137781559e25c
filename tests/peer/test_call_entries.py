"""The line that a call leaves: one for each call, written by who rang, whatever becomes of their program."""

import asyncio
from typing import Any

import pytest

from peer.calls.call_entries import CallEntries
from peer.entries.conversation import Conversation
from peer.entries.intake import Ground
from peer.errors import Refusal, RefusalCode
from peer.views import CallOutcome, ConversationId, MessageKind, MessageView
from protocol.act_bodies import Deleted, Edited
from protocol.call_bodies import Called
from protocol.identity import CallId, EntryId, UserId
from tests.harness.world import LinkedPeers, Person, World

CALL, OTHER_CALL = CallId(bytes(16)), CallId(bytes([1] * 16))
ANA, BO, CY = (UserId(name) for name in ("ana", "bo", "cy"))


def entries_of(person: Person) -> CallEntries:
    return person.node._need_session().call_entries


def conversation_of(person: Person, conversation: ConversationId) -> Conversation:
    return person.node._find(conversation)[1]


async def lines(person: Person, conversation: ConversationId) -> list[MessageView]:
    shown = await person.node.messages(conversation, limit=100)
    return [message for message in shown if message.kind is MessageKind.CALL]


async def has_line(world: World, person: Person, conversation: ConversationId) -> MessageView:
    async def has() -> bool:
        return bool(await lines(person, conversation))

    await world.until(has)
    (line,) = await lines(person, conversation)
    return line


async def ring(person: Person, conversation: ConversationId, *rung: UserId) -> CallEntries:
    entries = entries_of(person)
    await entries.rang(conversation_of(person, conversation), CALL, rung)
    return entries


async def unread(person: Person, conversation: ConversationId) -> int:
    (row,) = (each for each in await person.node.conversations() if each.conversation == conversation)
    return row.unread


async def test_a_talk_leaves_one_line_that_says_how_long(world: World, linked_peers: LinkedPeers) -> None:
    ana, bo, talk = await linked_peers()
    entries = await ring(ana, talk, BO)
    await asyncio.sleep(5)
    entries.joined(BO)
    await asyncio.sleep(192)
    await entries.write_call(CALL, CallOutcome.ANSWERED)
    await entries.write_call(CALL, CallOutcome.FAILED)
    here, there = await has_line(world, ana, talk), await has_line(world, bo, talk)
    assert here.call is not None
    assert there.call is not None
    assert (here.text, there.text) == ("You called Bo: 3 min 12 s.", "Ana called: 3 min 12 s.")
    assert (there.call.outcome, there.call.seconds, there.call.people) == (CallOutcome.ANSWERED, 192, (BO,))
    assert (there.call.is_missed, there.author, await unread(bo, talk)) == (False, ANA, 0)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (CallOutcome.NO_ANSWER, "no answer"),
        (CallOutcome.WITHDRAWN, "cancelled"),
        (CallOutcome.BUSY, "busy"),
        (CallOutcome.UNREACHABLE, "not reachable"),
        (CallOutcome.FAILED, "no voice got through"),
    ],
)
async def test_a_missed_call_is_unread_until_it_was_seen(
    world: World, linked_peers: LinkedPeers, outcome: CallOutcome, said: str
) -> None:
    ana, bo, talk = await linked_peers()
    await (await ring(ana, talk, BO)).write_call(CALL, outcome)
    line = await has_line(world, bo, talk)
    assert line.call is not None
    assert (line.text, line.call.is_missed, line.call.outcome) == ("Missed call from Ana.", True, outcome)
    assert [event.message for event in bo.told("message_arrived") if event.message.call] == [line]
    assert await unread(bo, talk) == 1
    (row,) = await bo.node.conversations()
    assert row.last_entry == line
    await bo.node.mark_read(talk, [line.entry])
    assert await unread(bo, talk) == 0
    mine = await has_line(world, ana, talk)
    assert (mine.text, await unread(ana, talk)) == (f"You called Bo: {said}.", 0)


async def test_who_declined_missed_nothing(world: World, linked_peers: LinkedPeers) -> None:
    ana, bo, talk = await linked_peers()
    await (await ring(ana, talk, BO)).write_call(CALL, CallOutcome.DECLINED)
    line = await has_line(world, bo, talk)
    assert line.call is not None
    assert (line.text, line.call.is_missed, await unread(bo, talk)) == ("Ana called: declined.", False, 0)


async def test_in_a_group_those_missed_it_whom_it_rang_in_vain(world: World) -> None:
    await world.start_locator()
    ana, bo, cy, di = [await world.registered(name) for name in ("ana", "bo", "cy", "di")]
    for other in (bo, cy, di):
        await world.befriend(ana, other)
    group = (await ana.node.create_group("Lab 3", ["bo", "cy", "di"])).conversation
    entries = await ring(ana, group, BO, CY, UserId("di"))
    entries.joined(BO)
    entries.joined(BO)
    entries.declined(UserId("di"))
    await asyncio.sleep(30)
    await entries.write_call(CALL, CallOutcome.ANSWERED)
    said = [await has_line(world, person, group) for person in (ana, bo, cy, di)]
    assert [line.text for line in said] == [
        "You began a call: 30 s.",
        "Ana called: 30 s.",
        "Missed call from Ana.",
        "Ana called: 30 s.",
    ]
    assert [await unread(person, group) for person in (ana, bo, cy, di)] == [0, 0, 1, 0]


@pytest.mark.parametrize(("answered", "lasted", "seconds"), [(True, 67, 60), (True, 1, 0), (False, 67, 0)])
async def test_a_program_that_ends_in_a_call_writes_the_line_when_it_starts_again(
    world: World, linked_peers: LinkedPeers, answered: bool, lasted: float, seconds: int
) -> None:
    ana, bo, talk = await linked_peers()
    entries = await ring(ana, talk, BO)
    await asyncio.sleep(7)
    if answered:
        entries.joined(BO)
    await asyncio.sleep(lasted)
    await ana.node.close()
    await asyncio.sleep(3_600)
    assert not await lines(bo, talk)
    for _ in range(2):
        ana = await world.returns("ana")
        line = await has_line(world, bo, talk)
        await ana.node.close()
    assert line.call is not None
    assert (line.call.outcome is CallOutcome.ANSWERED, line.call.is_missed) == (answered, not answered)
    assert seconds <= line.call.seconds <= seconds + 1


async def test_a_call_with_somebody_who_is_no_friend_any_more_leaves_no_line(
    world: World, linked_peers: LinkedPeers
) -> None:
    ana, bo, talk = await linked_peers()
    entries = await ring(ana, talk, BO)
    await ana.node.remove("bo")
    await entries.write_call(CALL, CallOutcome.WITHDRAWN)
    await ana.node.close()
    ana = await world.returns("ana")
    assert not await lines(ana, talk)
    assert not await lines(bo, talk)


async def test_another_call_than_the_one_that_rang_writes_nothing(world: World, linked_peers: LinkedPeers) -> None:
    ana, _, talk = await linked_peers()
    await (await ring(ana, talk, BO)).write_call(OTHER_CALL, CallOutcome.NO_ANSWER)
    assert not await lines(ana, talk)


async def test_nobody_answers_edits_or_takes_back_a_line(world: World, linked_peers: LinkedPeers) -> None:
    ana, bo, talk = await linked_peers()
    await (await ring(ana, talk, BO)).write_call(CALL, CallOutcome.NO_ANSWER)
    line = (await has_line(world, ana, talk)).entry
    for act in (
        ana.node.edit_message(line, "x"),
        ana.node.react(line, "👍"),
        ana.node.delete_message(line, for_all=True),
    ):
        with pytest.raises(Refusal) as refused:
            await act
        assert refused.value.code is RefusalCode.BAD_REQUEST

    def lie(body: type[Edited] | type[Deleted]) -> Any:
        def make(ground: Ground, entry: EntryId, salt: bytes) -> Edited | Deleted:
            row = ground.message(line)
            assert row is not None
            if body is Deleted:
                return Deleted(entry, salt, line, ground.place_of(row))
            return Edited(entry, salt, line, 1, "It never was.")

        return make

    conversations = ana.node._need_session().conversations
    for body in (Edited, Deleted):
        await conversations.write(conversation_of(ana, talk), lie(body))
    await ana.node.send_text(talk, "after that")
    await world.until(lambda: any(event.message.text == "after that" for event in bo.told("message_arrived")))
    assert (await has_line(world, bo, talk)).text == "Missed call from Ana."
    await bo.node.delete_message(line)
    assert not await lines(bo, talk)
    assert await unread(bo, talk) == 1


async def test_what_a_later_version_says_is_shown_as_no_answer(world: World, linked_peers: LinkedPeers) -> None:
    ana, bo, talk = await linked_peers()

    def make(_: Ground, entry: EntryId, salt: bytes) -> Called:
        return Called(entry, salt, CALL, "hologram", 0, (), ())

    await ana.node._need_session().conversations.write(conversation_of(ana, talk), make)
    line = await has_line(world, bo, talk)
    assert line.call is not None
    assert (line.call.outcome, line.call.is_missed) == (CallOutcome.NO_ANSWER, False)
