"""How soon a group's members know who has what they wrote, and what telling it costs: in virtual time, by count."""

import asyncio
from collections import Counter

import pytest

from peer.limits import NEIGHBOURS_PER_GROUP
from peer.links.link import Link
from peer.views import ConversationId
from protocol.identity import EntryId
from protocol.link_messages import Statements
from protocol.registry import Message
from tests.harness.groups import group_of, hold_the_same
from tests.harness.world import Person, World


async def state_of(person: Person, group: ConversationId, entry: EntryId) -> str:
    return next(shown.state for shown in await person.node.messages(group) if shown.entry == entry)


@pytest.mark.parametrize("size", [8, 20])
async def test_ticks_turn_within_seconds_and_cost_a_member_no_more_messages_in_a_larger_group(
    world: World, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    group, people = await group_of(world, "ana", *(f"s{number:02}" for number in range(size - 1)))
    await hold_the_same(world, people, group)
    await asyncio.sleep(60)
    owners = {person.node._session._book: person.name for person in people}  # type: ignore[union-attr]
    told: Counter[str] = Counter()
    made: set[bytes] = set()
    say = Link.send

    def count(link: Link, message: Message) -> None:
        if isinstance(message, Statements):
            told[next(name for book, name in owners.items() if link in book.links)] += 1
            made.update(bytes(statement.payload) for statement in message.statements)
        say(link, message)

    monkeypatch.setattr(Link, "send", count)

    async def delivered(author: Person, entry: EntryId, seconds: float) -> None:
        async def is_delivered() -> bool:
            return await state_of(author, group, entry) == "delivered"

        await world.until(is_delivered, seconds)

    entry = (await people[1].node.send_text(group, "quiet until now")).entry
    await delivered(people[1], entry, 3)
    await asyncio.sleep(20)
    assert len(made) == size, "each says it once"
    # Of others' words as many bundles as the group has steps, not one for each member.
    assert max(told.values()) <= 4 * NEIGHBOURS_PER_GROUP

    made.clear()
    for number in range(20):
        last = await people[number % size].node.send_text(group, f"{number}")
        await asyncio.sleep(0.5)
    await delivered(people[19 % size], last.entry, 6)
    assert len(made) <= 7 * 16, "some seven statements a second, however many speak"
