"""A person comes back on another device: friends and history return, by the same sync, and nobody else gets in."""

import asyncio

import pytest

from locator.accounts import hash_password
from locator.stores.interface import SetPassword
from peer.errors import Refusal, RefusalCode
from protocol.identity import UserId
from tests.harness.groups import group_of, hold_the_same, known
from tests.harness.world import PASSWORD, Person, World


async def _friends_with_history(world: World) -> tuple[Person, Person, list[str]]:
    ana, bo, conversation = await world.linked_peers()
    texts = ["from ana", "from bo", "from ana again"]
    for text in texts:
        await (bo if text == "from bo" else ana).node.send_text(conversation, text)
    await world.shows(ana, conversation, texts)
    await world.shows(bo, conversation, texts)
    await ana.node.log_out()
    return ana, bo, texts


async def _bo_confirms(world: World, bo: Person) -> None:
    await world.until(lambda: any(e.contact.new_device for e in bo.told("contact_changed")))
    await bo.node.confirm_device("ana")


async def test_a_new_device_gets_friends_and_history_without_another_word(
    world: World, expected_log: list[str]
) -> None:
    expected_log.append("never seen|not taken|refused")
    _, bo, texts = await _friends_with_history(world)
    laptop = await world.returns("ana", profile="laptop")
    await _bo_confirms(world, bo)
    conversation = (await bo.node.open_conversation("ana")).conversation
    await world.until(lambda: bool(laptop.told("contact_accepted")))
    await world.shows(laptop, conversation, texts)
    mine = [message.text for message in await laptop.node.messages(conversation) if message.mine]
    assert mine == ["from ana", "from ana again"]
    await laptop.node.send_text(conversation, "from the laptop")
    await world.shows(bo, conversation, [*texts, "from the laptop"])


async def test_the_old_device_takes_over_and_has_what_the_new_one_wrote(world: World, expected_log: list[str]) -> None:
    expected_log.append("never seen|not taken|refused")
    _, bo, texts = await _friends_with_history(world)
    ana = await world.returns("ana")
    laptop = await world.returns("ana", profile="laptop", host="laptop")
    await world.until(lambda: bool(ana.told("superseded")))
    await _bo_confirms(world, bo)
    conversation = (await bo.node.open_conversation("ana")).conversation
    await world.until(lambda: bool(laptop.told("contact_accepted")))
    await laptop.node.send_text(conversation, "from the laptop")
    await world.shows(bo, conversation, [*texts, "from the laptop"])
    await ana.node.resume()
    await world.shows(ana, conversation, [*texts, "from the laptop"])


async def test_after_the_operator_reset_the_password_one_click_a_friend_brings_it_back(
    world: World, expected_log: list[str]
) -> None:
    expected_log.append("never seen|not taken|refused")
    _, bo, texts = await _friends_with_history(world)
    await world.server._store.make(SetPassword(UserId("ana"), hash_password(PASSWORD)))
    laptop = await world.returns("ana", profile="laptop")
    await _bo_confirms(world, bo)
    conversation = (await bo.node.open_conversation("ana")).conversation
    await world.until(lambda: bool(laptop.told("contact_asked")))
    await laptop.node.accept("bo")
    await world.shows(laptop, conversation, texts)
    await bo.node.send_text(conversation, "welcome back")
    await world.shows(laptop, conversation, [*texts, "welcome back"])


async def test_a_members_new_device_is_in_the_group_once_a_manager_said_so_and_not_before(
    world: World, expected_log: list[str]
) -> None:
    expected_log.append("never seen|not taken|refused")
    group, (ana, bo, chen) = await group_of(world, "ana", "bo", "chen")
    await world.befriend(bo, chen)
    await chen.node.send_text(group, "from chen")
    await ana.node.send_text(group, "from ana")
    for person in (ana, bo, chen):
        await world.shows(person, group, ["from chen", "from ana"])
    await chen.node.log_out()
    laptop = await world.returns("chen", profile="laptop")
    await world.until(lambda: any(m.new_device for e in ana.told("group_changed") for m in e.group.members))
    session = await laptop.node.session()
    assert session is not None
    assert session.other_devices
    seen_by_bo = (await bo.node.group(group)).members
    assert [m.user for m in seen_by_bo if m.waiting_device] == ["chen"]
    assert not any(m.new_device for m in seen_by_bo), "it is not Bo's to say"
    with pytest.raises(Refusal) as refused:
        await bo.node.confirm_member_device(group, "chen")
    assert refused.value.code is RefusalCode.NOT_A_MANAGER
    await bo.node.confirm_device("chen")
    await asyncio.sleep(60)
    assert not known(laptop, group), "what a friend says counts between the two"
    view = await ana.node.confirm_member_device(group, "chen")
    assert not any(member.new_device or member.waiting_device for member in view.members)
    await world.until(lambda: known(laptop, group))
    await world.shows(laptop, group, ["from chen", "from ana"])
    await laptop.node.send_text(group, "from the laptop")
    for person in (ana, bo, laptop):
        await world.shows(person, group, ["from chen", "from ana", "from the laptop"])
    await hold_the_same(world, [ana, bo, laptop], group)


async def test_who_alone_manages_a_group_comes_back_on_another_device(world: World, expected_log: list[str]) -> None:
    expected_log.append("never seen|not taken|refused")
    group, (ana, bo, _) = await group_of(world, "ana", "bo", "chen")
    await ana.node.send_text(group, "from ana")
    await world.shows(bo, group, ["from ana"])
    await ana.node.log_out()
    laptop = await world.returns("ana", profile="laptop")
    await _bo_confirms(world, bo)
    await world.until(lambda: known(laptop, group))
    await world.shows(laptop, group, ["from ana"])
    await laptop.node.rename_group(group, "managed still")
    await world.until(lambda: bo.told("group_changed")[-1].group.name == "managed still")
