"""Messages that are deleted: what is left of them, where, and for whom. In virtual time."""

import asyncio

import pytest

from peer.errors import Refusal, RefusalCode
from peer.views import ConversationId, MessageKind, MessageView, QuoteView
from tests.harness.disk_pages import pages_of
from tests.harness.world import Person, World
from tests.peer.test_groups import group_of_three
from tests.peer.test_message_acts import NOWHERE, seen_by, sees

SECRET = "the password is fnord"


def is_deleted(message: MessageView) -> bool:
    return message.kind is MessageKind.DELETED


def lines_of(person: Person, conversation: ConversationId) -> dict[bytes, object]:
    """Return how far somebody tells to hold each feed."""
    session = person.node._session
    assert session is not None
    found = session.conversations.get(conversation)
    assert found is not None
    return dict(found.told_lines())


async def on_disk(world: World, person: Person, text: str) -> bool:
    """Tell whether a text stands on any page of somebody's database, or in its log."""
    session = person.node._session
    assert session is not None
    database = session._database
    key = session._vault._secrets.database_key
    return text.encode() in pages_of(database._path, key)


async def test_a_deleted_message_leaves_every_disk_and_its_place_stays(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    first = await bo.node.send_text(group, "first")
    sent = await ana.node.send_text(group, SECRET)
    await world.shows(chen, group, ["first", SECRET])
    await world.shows(bo, group, ["first", SECRET])
    await bo.node.react(sent.entry, "👍")
    assert await on_disk(world, bo, SECRET)
    deleted = await ana.node.delete_message(sent.entry, for_all=True)
    assert (deleted.kind, deleted.text, deleted.deleted_by, deleted.place) == ("deleted", "", "ana", sent.place)
    for person in (ana, bo, chen):
        message = await sees(world, person, group, sent.entry, is_deleted)
        assert (message.text, message.deleted_by, message.reactions) == ("", "ana", ())
        assert is_deleted(person.told("message_changed")[-1].message)
    await asyncio.sleep(5)
    for person in (ana, bo, chen):
        assert not await on_disk(world, person, SECRET), person.name
        assert (await seen_by(person, group, first.entry)).text == "first"
    assert lines_of(ana, group) == lines_of(bo, group) == lines_of(chen, group)


async def test_its_edits_go_with_it(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    long = f"{SECRET}. " * 1000  # on pages of its own, which become free ones
    sent = await ana.node.send_text(conversation, long)
    for number in range(3):
        await ana.node.edit_message(sent.entry, f"{long} {number}")
    await sees(world, bo, conversation, sent.entry, lambda message: message.text.endswith("2"))
    await ana.node.delete_message(sent.entry, for_all=True)
    await sees(world, bo, conversation, sent.entry, is_deleted)
    await asyncio.sleep(5)
    for person in (ana, bo):
        assert not await on_disk(world, person, SECRET)
    assert lines_of(ana, conversation) == lines_of(bo, conversation)


async def test_who_comes_later_gets_the_deletion_and_never_asks_for_the_content(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await bo.node.close()
    sent = await ana.node.send_text(conversation, SECRET)
    await ana.node.edit_message(sent.entry, f"{SECRET}!")
    await ana.node.delete_message(sent.entry, for_all=True)
    last = await ana.node.send_text(conversation, "last")
    bo = await world.returns("bo")
    await world.shows(bo, conversation, ["", "last"])
    message = await seen_by(bo, conversation, sent.entry)
    assert (message.kind, message.deleted_by, message.state) == ("deleted", "ana", "seen")
    assert not bo.told("message_arrived") or bo.told("message_arrived")[0].message.entry == last.entry
    assert (await bo.node.conversations())[0].unread == 1
    await asyncio.sleep(90)
    assert all(not line.lacking for line in lines_of(bo, conversation).values())  # type: ignore[attr-defined]
    assert lines_of(ana, conversation) == lines_of(bo, conversation)
    assert {m.state for m in await ana.node.messages(conversation)} == {"delivered"}


async def test_what_is_deleted_counts_as_unread_no_more(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    sent = await ana.node.send_text(conversation, "oops")
    await world.shows(bo, conversation, ["oops"])
    assert (await bo.node.conversations())[0].unread == 1
    await ana.node.delete_message(sent.entry, for_all=True)
    await sees(world, bo, conversation, sent.entry, is_deleted)
    row = (await bo.node.conversations())[0]
    assert (row.unread, row.first_unread) == (0, None)
    assert row.last_entry is not None
    assert is_deleted(row.last_entry)


async def test_only_its_author_and_managers_delete_for_all(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    of_bo = await bo.node.send_text(group, "of bo")
    of_ana = await ana.node.send_text(group, "of ana")
    await world.shows(chen, group, ["of bo", "of ana"])
    await world.shows(ana, group, ["of bo", "of ana"])
    created = next(each for each in await ana.node.messages(group) if each.kind is MessageKind.MEMBERSHIP)
    for person, entry, code in (
        (chen, of_bo.entry, RefusalCode.NOT_YOURS),
        (ana, created.entry, RefusalCode.BAD_REQUEST),
        (ana, NOWHERE, RefusalCode.UNKNOWN_ENTRY),
    ):
        with pytest.raises(Refusal) as refused:
            await person.node.delete_message(entry, for_all=True)
        assert refused.value.code is code
    await ana.node.delete_message(of_bo.entry, for_all=True)
    for person in (ana, bo, chen):
        assert (await sees(world, person, group, of_bo.entry, is_deleted)).deleted_by == "ana"
    await ana.node.set_group_manager(group, "chen", is_manager=True)

    async def may() -> bool:
        return any(member.manager for member in (await chen.node.group(group)).members if member.user == "chen")

    await world.until(may)
    await chen.node.delete_message(of_ana.entry, for_all=True)
    for person in (ana, bo, chen):
        assert (await sees(world, person, group, of_ana.entry, is_deleted)).deleted_by == "chen"


async def test_nothing_can_be_said_about_what_was_deleted(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    sent = await ana.node.send_text(conversation, "oops")
    await world.shows(bo, conversation, ["oops"])
    answer = await bo.node.send_text(conversation, "what?", sent.entry)
    deleted = await ana.node.delete_message(sent.entry, for_all=True)
    assert await ana.node.delete_message(sent.entry, for_all=True) == deleted
    for act in (ana.node.edit_message(sent.entry, "again"), ana.node.react(sent.entry, "👍")):
        with pytest.raises(Refusal) as refused:
            await act
        assert refused.value.code is RefusalCode.BAD_REQUEST

    def quotes_nothing(message: MessageView) -> bool:
        return message.quoted is not None and message.quoted.kind is MessageKind.DELETED

    for person in (ana, bo):
        reply = await sees(world, person, conversation, answer.entry, quotes_nothing)
        assert reply.quoted is not None
        assert (reply.quoted.text, reply.quoted.author) == ("", "ana")


async def test_hidden_on_this_device_is_in_no_list_here_and_in_every_list_elsewhere(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    sent = await ana.node.send_text(conversation, "one")
    await ana.node.send_text(conversation, "two", sent.entry)
    await world.shows(bo, conversation, ["one", "two"])
    await bo.node.delete_message(sent.entry)
    assert [event.message.entry for event in bo.told("message_hidden")] == [sent.entry]
    assert bo.told("message_changed")[-1].message.quoted == QuoteView(sent.entry), "its quote is not shown either"
    assert await bo.texts(conversation) == ["two"]
    assert (await bo.node.conversations())[0].unread == 1
    await ana.node.edit_message(sent.entry, "one more time")
    await ana.node.react(sent.entry, "👍")
    await asyncio.sleep(5)
    assert await bo.texts(conversation) == ["two"]
    assert [each.text for each in await bo.node.messages_after(conversation, 0)] == ["two"]
    with pytest.raises(Refusal) as refused:
        await bo.node.react(sent.entry, "👍")
    assert refused.value.code is RefusalCode.UNKNOWN_ENTRY
    await bo.node.close()
    bo = await world.returns("bo")
    assert await bo.texts(conversation) == ["two"]
    assert await ana.texts(conversation) == ["one more time", "two"]
    await ana.node.delete_message(sent.entry, for_all=True)
    await asyncio.sleep(5)
    assert not await on_disk(world, bo, "one more time"), "hidden or not"


async def test_what_somebody_who_was_away_edits_meanwhile_stays_deleted(world: World) -> None:
    """An edit that its deleter had not seen is gone all the same, wherever it is."""
    ana, bo, chen, group = await group_of_three(world)
    sent = await bo.node.send_text(group, "of bo")
    for person in (ana, chen):
        await world.shows(person, group, ["of bo"])
    world.network.unplugged.add(world.host("bo"))
    await asyncio.sleep(15)
    await bo.node.edit_message(sent.entry, SECRET)
    await ana.node.delete_message(sent.entry, for_all=True)
    await sees(world, chen, group, sent.entry, is_deleted)
    world.network.unplugged.clear()
    for person in (ana, bo, chen):
        await sees(world, person, group, sent.entry, is_deleted)
    await asyncio.sleep(60)
    for person in (ana, bo, chen):
        assert not await on_disk(world, person, SECRET), person.name
    assert lines_of(ana, group) == lines_of(bo, group) == lines_of(chen, group)
