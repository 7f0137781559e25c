"""Groups that become known by others than a friend: who made them went away at once, and members are strangers."""

import asyncio

from protocol.identity import UserId
from tests.harness.groups import known
from tests.harness.world import Person, World


async def friends_of_ana(world: World, *names: str) -> tuple[Person, ...]:
    """Return Ana and people who know nobody but her."""
    await world.start_locator()
    ana, *others = [await world.registered(name) for name in ("ana", *names)]
    for other in others:
        await world.befriend(ana, other)
    return (ana, *others)


async def test_who_was_away_gets_a_group_from_a_stranger_when_its_maker_has_gone(world: World) -> None:
    ana, bo, chen, dee = await friends_of_ana(world, "bo", "chen", "dee")
    await chen.node.close()
    await dee.node.close()
    group = (await ana.node.create_group("Lab", ["bo", "chen", "dee"])).conversation
    await ana.node.send_text(group, "tomorrow at ten")
    await world.until(lambda: known(bo, group))
    await world.shows(bo, group, ["tomorrow at ten"])
    await ana.node.close()
    await bo.node.send_text(group, "fine")
    chen = await world.returns("chen")
    await world.until(lambda: known(chen, group), 20)
    await world.shows(chen, group, ["tomorrow at ten", "fine"], 20)
    assert [member.user for member in (await chen.node.group(group)).members] == ["ana", "bo", "chen", "dee"]
    await bo.node.close()
    await chen.node.send_text(group, "me too")
    dee = await world.returns("dee")
    await world.until(lambda: known(dee, group), 20)
    await world.shows(dee, group, ["tomorrow at ten", "fine", "me too"], 20)
    await dee.node.send_text(group, "and me")
    await world.shows(chen, group, ["tomorrow at ten", "fine", "me too", "and me"], 20)
    ana = await world.returns("ana")
    await world.shows(ana, group, ["tomorrow at ten", "fine", "me too", "and me"], 20)


async def test_nobody_gets_a_group_from_a_stranger_that_no_friend_made(world: World) -> None:
    ana, bo, chen = await friends_of_ana(world, "bo", "chen")
    world.network.unplugged.add(world.host("chen"))
    await asyncio.sleep(15)
    await chen.node.remove("ana")
    group = (await ana.node.create_group("Lab", ["bo", "chen"])).conversation
    await world.until(lambda: known(bo, group))
    await ana.node.close()
    world.network.unplugged.clear()
    await asyncio.sleep(90)
    assert UserId("bo") in {link.user for link in chen.node._session._book.links}  # type: ignore[union-attr]
    assert not known(chen, group)


async def test_a_group_that_two_bring_at_once_is_taken_from_one_and_nothing_is_wrong(world: World) -> None:
    ana, bo, chen = await friends_of_ana(world, "bo", "chen")
    await world.befriend(bo, chen)
    await chen.node.close()
    group = (await ana.node.create_group("Lab", ["bo", "chen"])).conversation
    await world.until(lambda: known(bo, group))
    chen = await world.returns("chen")
    await world.until(lambda: known(chen, group), 20)
