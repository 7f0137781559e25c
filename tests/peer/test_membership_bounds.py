"""What somebody may have of a group who came later or went: earlier content withheld, feeds that end, for all alike."""

import asyncio

from peer.storage.database import Connection
from peer.views import ConversationId
from tests.harness.groups import group_of, have_members, hold_the_same
from tests.harness.world import Person, World


async def bodies_of(person: Person, group: ConversationId) -> int:
    """Return how many entries of a group are on somebody's disk with their content."""
    session = person.node._session
    assert session is not None
    row = session.conversations.get(group).kept.row  # type: ignore[union-attr]

    def job(connection: Connection) -> int:
        sql = "SELECT count(body) FROM entry JOIN feed ON feed.id = entry.feed WHERE feed.conversation = ?"
        (count,) = connection.execute(sql, (row,)).fetchone() or (0,)
        assert isinstance(count, int)
        return count

    return await session._database.read(job)


async def test_who_is_added_from_now_on_gets_no_earlier_content_from_anybody(world: World) -> None:
    group, (ana, bo, chen) = await group_of(world, "ana", "bo", "chen")
    dan = await world.registered("dan")
    await world.befriend(ana, dan)
    for person in (ana, bo, chen):
        await person.node.send_text(group, f"{person.name} before")
    before = [f"{person.name} before" for person in (ana, bo, chen)]
    await hold_the_same(world, [ana, bo, chen], group)
    await bo.node.rename_group(group, "Lab 3")
    await hold_the_same(world, [ana, bo, chen], group)
    await ana.node.add_to_group(group, "dan", from_now_on=True)
    await have_members(world, [ana, bo, chen, dan], group, "ana", "bo", "chen", "dan")
    await ana.node.close()
    await chen.node.send_text(group, "after")
    await world.shows(dan, group, ["after"])
    await world.shows(bo, group, [*before, "after"])
    await hold_the_same(world, [bo, chen, dan], group)
    await asyncio.sleep(90)
    assert await dan.texts(group) == ["after"]
    assert (await dan.node.group(group)).name == "Lab 3"
    assert await bodies_of(dan, group) == 4, "created, renamed, added, and the text after it"
    states = {m.text: m.state for m in await chen.node.messages(group)}
    assert (states["chen before"], states["after"]) == ("delivered", "sent"), "dan is not waited for, ana is"
    await dan.node.close()
    ana, dan = await world.returns("ana"), await world.returns("dan")
    await hold_the_same(world, [ana, bo, chen, dan], group)
    assert await dan.texts(group) == ["after"]


async def test_feeds_of_the_removed_end_alike_for_all_and_back_dated_words_do_not_come_in(world: World) -> None:
    group, (ana, bo, chen, dan) = await group_of(world, "ana", "bo", "chen", "dan")
    await bo.node.send_text(group, "one")
    for person in (ana, chen, dan):
        await world.shows(person, group, ["one"])
    world.network.unplugged.add(world.host("ana"))
    await asyncio.sleep(15)
    await bo.node.send_text(group, "two")
    await world.shows(chen, group, ["one", "two"])
    await ana.node.remove_from_group(group, "bo")
    world.network.unplugged.clear()
    await have_members(world, [ana, bo, chen, dan], group, "ana", "chen", "dan")
    for person in (ana, bo, chen, dan):
        await world.shows(person, group, ["one"])
    await hold_the_same(world, [ana, chen, dan], group)
    assert any(event.message.text == "two" for event in chen.told("message_hidden"))
    assert all(view.unread == 1 for view in await chen.node.conversations() if view.conversation == group)
    await chen.node.send_text(group, "without bo")
    await world.shows(dan, group, ["one", "without bo"])

    await ana.node.add_to_group(group, "bo")
    await have_members(world, [ana, bo, chen, dan], group, "ana", "bo", "chen", "dan")
    await bo.node.send_text(group, "three")
    for person in (ana, bo, chen, dan):
        await world.shows(person, group, ["one", "without bo", "three"])
    await hold_the_same(world, [ana, bo, chen, dan], group)
    await bo.node.close()
    bo = await world.returns("bo")
    assert sorted(await bo.texts(group)) == ["one", "three", "without bo"]


async def test_of_two_who_remove_each_other_at_once_the_senior_stays_for_all(world: World) -> None:
    group, (ana, bo, chen) = await group_of(world, "ana", "bo", "chen")
    await ana.node.set_group_manager(group, "bo", is_manager=True)
    await world.until(lambda: bool(bo.told("group_changed")[-1].group.members[1].manager))
    await hold_the_same(world, [ana, bo, chen], group)
    world.network.unplugged.add(world.host("ana"))
    await asyncio.sleep(15)
    await bo.node.remove_from_group(group, "ana")
    await bo.node.send_text(group, "ana is gone")
    await have_members(world, [bo, chen], group, "bo", "chen")
    await ana.node.send_text(group, "bo goes")
    await ana.node.remove_from_group(group, "bo")
    world.network.unplugged.clear()
    await have_members(world, [ana, bo, chen], group, "ana", "chen")
    await world.shows(ana, group, ["bo goes"])
    await world.shows(chen, group, ["bo goes"])
    await hold_the_same(world, [ana, chen], group)


async def test_two_alone_who_remove_each_other_at_once_agree(world: World) -> None:
    group, (ana, bo) = await group_of(world, "ana", "bo")
    await ana.node.set_group_manager(group, "bo", is_manager=True)
    await world.until(lambda: bool(bo.told("group_changed")[-1].group.members[1].manager))
    world.network.unplugged.add(world.host("ana"))
    await asyncio.sleep(15)
    await bo.node.remove_from_group(group, "ana")
    await ana.node.remove_from_group(group, "bo")
    world.network.unplugged.clear()
    await have_members(world, [ana, bo], group, "ana")
