"""A class of twenty, all friends of all: what everybody does at once, and without the locator."""

from collections.abc import Awaitable, Callable

from protocol.consent import Consent
from tests.harness.world import Person, World

COUNT = 20


async def test_a_class_makes_friends_and_writes_on_without_the_locator(world: World) -> None:
    await world.start_locator()
    people = [await world.registered(f"s{number:02}") for number in range(COUNT)]
    for place, one in enumerate(people):
        for other in people[place + 1 :]:
            await one.node.ask(other.name)
    await world.until(_everybody(people, _stands(Consent.ASKED_BY_ME, Consent.ASKED_BY_THEM)))
    for place, one in enumerate(people):
        for other in people[:place]:
            await one.node.accept(other.name)
    await world.until(_everybody(people, _stands(Consent.FRIENDS)))
    world.stop_locator()
    for one in people:
        for conversation in await one.node.conversations():
            await one.node.send_text(conversation.conversation, f"from {one.name}")
    await world.until(_everybody(people, _has_a_text_of_each_side))


def _everybody(people: list[Person], holds: Callable[[Person], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        for person in people:
            if not await holds(person):
                return False
        return True

    return check


def _stands(*states: Consent) -> Callable[[Person], Awaitable[bool]]:
    async def check(person: Person) -> bool:
        return sum(contact.state in states for contact in await person.node.contacts()) == COUNT - 1

    return check


async def _has_a_text_of_each_side(person: Person) -> bool:
    for conversation in await person.node.conversations():
        assert conversation.user is not None
        texts = await person.texts(conversation.conversation)
        if sorted(texts) != sorted([f"from {person.name}", f"from {conversation.user}"]):
            return False
    return True
