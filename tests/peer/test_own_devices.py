"""A person comes back on another device: friends and history return, by the same sync, and nobody else gets in."""

from locator.accounts import hash_password
from locator.stores.interface import SetPassword
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
