"""A person comes back on another device: friends and history return, and nobody else gets in unnoticed."""

import pytest

from locator.accounts import hash_password
from locator.stores.interface import SetPassword
from peer.errors import Refusal, RefusalCode
from protocol.identity import UserId
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


# --- safety numbers ----------------------------------------------------------------------------


async def test_both_see_the_same_digits_and_verify_each_other(world: World) -> None:
    ana, bo, _ = await world.linked_peers()
    number = await ana.node.safety_number("bo")
    assert await bo.node.safety_number("ana") == number
    assert (await ana.node.verify("bo", number.replace(" ", ""))).verified
    assert not (await bo.node.contacts())[0].verified, "each says it for themselves"


async def test_other_digits_are_refused_and_verify_nobody(world: World) -> None:
    ana, _, _ = await world.linked_peers()
    number = await ana.node.safety_number("bo")
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    with pytest.raises(Refusal, match="not the digits") as refused:
        await ana.node.verify("bo", wrong)
    assert refused.value.code is RefusalCode.SAFETY_NUMBER_MISMATCH
    assert not (await ana.node.contacts())[0].verified


async def test_somebody_never_met_has_no_digits(world: World) -> None:
    ana, _, _ = await world.linked_peers()
    with pytest.raises(Refusal, match="No device of theirs"):
        await ana.node.safety_number("carol")


async def test_a_new_device_is_verified_by_its_digits_or_ends_what_was_verified(
    world: World, expected_log: list[str]
) -> None:
    expected_log.append("never seen|not taken|refused")
    ana, bo, _ = await world.linked_peers()
    await bo.node.verify("ana", await ana.node.safety_number("bo"))
    await ana.node.log_out()
    laptop = await world.returns("ana", profile="laptop")
    await _bo_confirms(world, bo)
    assert not (await bo.node.contacts())[0].verified, "another device than the one compared"
    await world.until(lambda: bool(laptop.told("contact_accepted")))
    assert (await bo.node.verify("ana", await laptop.node.safety_number("bo"))).verified


async def test_comparing_digits_confirms_the_new_device(world: World, expected_log: list[str]) -> None:
    expected_log.append("never seen|not taken|refused")
    ana, bo, _ = await world.linked_peers()
    await ana.node.log_out()
    laptop = await world.returns("ana", profile="laptop")
    await world.until(lambda: any(e.contact.new_device for e in bo.told("contact_changed")))
    await bo.node.verify("ana", await laptop.node.safety_number("bo"))
    await world.until(lambda: bool(laptop.told("contact_accepted")))
    (contact,) = await bo.node.contacts()
    assert (contact.new_device, contact.verified) == (False, True)
