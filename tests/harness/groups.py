"""Groups in virtual time: made, agreed upon, and held the same by all."""

from peer.views import ConversationId
from tests.harness.world import Person, World


async def group_of(world: World, *names: str) -> tuple[ConversationId, list[Person]]:
    """Return a group made by the first, who is the friend of all others; they know each other by the group alone."""
    await world.start_locator()
    people = [await world.registered(name) for name in names]
    for other in people[1:]:
        await world.befriend(people[0], other)
    group = (await people[0].node.create_group("Lab", list(names[1:]))).conversation
    await have_members(world, people, group, *names)
    return group, people


async def have_members(world: World, people: list[Person], group: ConversationId, *names: str) -> None:
    async def agree() -> bool:
        views = [await person.node.group(group) for person in people if known(person, group)]
        return len(views) == len(people) and all([m.user for m in view.members] == list(names) for view in views)

    await world.until(agree)


def known(person: Person, group: ConversationId) -> bool:
    assert person.node._session is not None
    return person.node._session.conversations.get(group) is not None


async def hold_the_same(world: World, people: list[Person], group: ConversationId) -> None:
    """Wait until all tell to hold the same, and make sure that nothing of it is sent any more after that."""

    def digests() -> set[bytes]:
        conversations = [person.node._session.conversations.get(group) for person in people]  # type: ignore[union-attr]
        return {bytes(each.digest().root) for each in conversations if each is not None}

    await world.until(lambda: len(digests()) == 1)
