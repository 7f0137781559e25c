"""Two friends compare safety numbers: the same on both sides, and gone as soon as a device changes."""

import pytest

from peer.errors import Refusal, RefusalCode
from tests.harness.world import LinkedPeers, Person, World


async def is_verified(person: Person, other: str) -> bool:
    return (await person.node.contact(other)).verified


async def test_both_see_the_same_number_and_verifying_is_kept(world: World, linked_peers: LinkedPeers) -> None:
    ana, bo, _ = await linked_peers()
    number = await ana.node.safety_number("bo")
    assert await bo.node.safety_number("ana") == number
    assert not await is_verified(ana, "bo")
    view = await ana.node.verify("bo", number.replace(" ", ""))
    assert view.verified
    assert not await is_verified(bo, "ana"), "each person says it for themselves"
    await ana.node.log_out()
    ana = await world.returns("ana")
    assert await is_verified(ana, "bo")
    assert await ana.node.safety_number("bo") == number


async def test_a_wrong_number_is_refused_and_verifies_nothing(world: World, linked_peers: LinkedPeers) -> None:
    ana, _, _ = await linked_peers()
    number = await ana.node.safety_number("bo")
    for wrong in ("", "1", number[:-1], number[::-1]):
        with pytest.raises(Refusal) as refusal:
            await ana.node.verify("bo", wrong)
        assert refusal.value.code is RefusalCode.SAFETY_NUMBER_MISMATCH
    assert not await is_verified(ana, "bo")


async def test_a_device_that_is_confirmed_later_has_to_be_compared_again(
    world: World, linked_peers: LinkedPeers, expected_log: list[str]
) -> None:
    expected_log.append("never seen|not taken|refused")
    ana, bo, _ = await linked_peers()
    before = await bo.node.safety_number("ana")
    await bo.node.verify("ana", before)
    await ana.node.log_out()
    laptop = await world.returns("ana", profile="laptop")
    await world.until(lambda: any(event.contact.new_device for event in bo.told("contact_changed")))
    assert await is_verified(bo, "ana"), "of the device that still is the only one trusted"
    number = await bo.node.safety_number("ana")
    assert number != before, "offered for the device that waits to be confirmed"
    await bo.node.confirm_device("ana")
    assert not await is_verified(bo, "ana")
    assert await laptop.node.safety_number("bo") == number
    assert (await bo.node.verify("ana", number)).verified


async def test_comparing_numbers_confirms_the_new_device(
    world: World, linked_peers: LinkedPeers, expected_log: list[str]
) -> None:
    expected_log.append("never seen|not taken|refused")
    ana, bo, conversation = await linked_peers()
    await ana.node.send_text(conversation, "hello")
    await world.shows(bo, conversation, ["hello"])
    await ana.node.log_out()
    laptop = await world.returns("ana", profile="laptop")
    await world.until(lambda: any(event.contact.new_device for event in bo.told("contact_changed")))
    view = await bo.node.verify("ana", await laptop.node.safety_number("bo"))
    assert (view.verified, view.new_device) == (True, False)
    await world.until(lambda: bool(laptop.told("contact_accepted")))
    await world.shows(laptop, conversation, ["hello"])


async def test_back_on_a_device_never_compared_the_mark_does_not_show(
    world: World, linked_peers: LinkedPeers, expected_log: list[str]
) -> None:
    expected_log.append("never seen|not taken|refused")
    ana, bo, _ = await linked_peers()
    await ana.node.log_out()
    laptop = await world.returns("ana", profile="laptop")
    await world.until(lambda: any(event.contact.new_device for event in bo.told("contact_changed")))
    await bo.node.verify("ana", await laptop.node.safety_number("bo"))
    await laptop.node.log_out()
    bo.events.clear()
    ana = await world.returns("ana")
    await world.until(lambda: any(event.contact.linked for event in bo.told("presence_changed")))
    assert not await is_verified(bo, "ana")
    assert await bo.node.safety_number("ana") == await ana.node.safety_number("bo")


async def test_before_the_first_link_there_is_no_number(world: World) -> None:
    await world.start_locator()
    ana = await world.registered("ana")
    for user, code in (("bo", RefusalCode.NO_DEVICE), ("ana", RefusalCode.YOURSELF)):
        with pytest.raises(Refusal) as refusal:
            await ana.node.safety_number(user)
        assert refusal.value.code is code
