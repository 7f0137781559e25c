"""Three nodes say, edit, react, delete and go away at random, in virtual time; in the end all have the same."""

import asyncio
import random
from typing import Any

import pytest

from peer.errors import Refusal
from peer.views import ConversationId, MessageKind, MessageView
from tests.harness.world import Person, World
from tests.peer.test_deleting import lines_of
from tests.peer.test_groups import group_of_three

SEEDS = [*range(2), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))]


def content(message: MessageView) -> tuple[Any, ...]:
    """Return what must be the same for everybody."""
    return (
        message.entry,
        message.author,
        message.kind,
        message.text if message.kind is not MessageKind.MEMBERSHIP else "",
        message.edited_at,
        message.deleted_by,
        message.reply_to,
        [(each.emoji, each.users) for each in message.reactions],
        message.mentions,
        message.quoted and (message.quoted.kind, message.quoted.text),
    )


async def contents(person: Person, group: ConversationId) -> list[tuple[Any, ...]]:
    return sorted((content(each) for each in await person.node.messages(group, limit=1000)), key=lambda each: each[0])


async def do_something(person: Person, group: ConversationId, chance: random.Random) -> None:
    shown = [each for each in await person.node.messages(group) if each.kind is not MessageKind.MEMBERSHIP]
    message = chance.choice(shown) if shown else None
    try:
        match chance.choice(["text", "reply", "edit", "react", "react", "delete"]) if message else "text":
            case "reply" if message:
                await person.node.send_text(group, f"answer {chance.random()}", message.entry)
            case "edit" if message:
                await person.node.edit_message(message.entry, f"edit {chance.random()}")
            case "react" if message:
                await person.node.react(message.entry, chance.choice(["👍", "❤️", ""]))
            case "delete" if message and chance.random() < 0.4:
                await person.node.delete_message(message.entry, for_all=True)
            case _:
                await person.node.send_text(group, f"text {chance.random()}")
    except Refusal:
        pass  # it was not theirs, or it was deleted


@pytest.mark.parametrize("seed", SEEDS)
async def test_all_have_the_same_in_the_end(world: World, seed: int) -> None:
    chance = random.Random(seed)
    *people, group = await group_of_three(world)
    for _ in range(60):
        await do_something(chance.choice(people), group, chance)
        if chance.random() < 0.1:
            world.network.unplugged ^= {world.host(chance.choice(people).name)}
        await asyncio.sleep(chance.choice([0, 0, 0.2, 5, 20]))
    world.network.unplugged.clear()

    async def agree() -> bool:
        first, *others = [(await contents(person, group), lines_of(person, group)) for person in people]
        return all(other == first for other in others)

    await world.until(agree, 300)
    assert len(await contents(people[0], group)) > 10
