"""People who call, answer, leave and lose each other at random: whatever happened, in the end all agree."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from peer.call_views import CallState
from peer.errors import Refusal
from peer.views import ConversationId
from tests.harness.calls import calls_of
from tests.harness.groups import group_of
from tests.harness.world import Person, World

NAMES = ("ana", "bo", "cy", "dan", "eve")
STEPS = 60


class Trouble:
    """One course of events, from its seed."""

    def __init__(self, world: World, people: list[Person], conversations: list[ConversationId], seed: int) -> None:
        self.world, self.people, self.conversations = world, people, conversations
        self.chance = random.Random(seed)
        self.told: list[str] = []

    async def step(self) -> None:
        """Let something happen."""
        person = self.chance.choice(self.people)
        acts: list[Callable[[Person], Awaitable[object]]] = [self.start] * 3 + [self.answer] * 6
        acts += [self.decline, self.hang_up, self.mute, self.cut, self.silence, self.crash, self.mend, self.mend]
        act = self.chance.choice(acts)
        self.told.append(f"{person.clock():%M:%S.%f} {person.name} {act.__name__}")
        try:
            await act(person)
        except Refusal as refusal:
            self.told[-1] += f": {refusal.code}"
        await asyncio.sleep(self.chance.choice((0.0, 0.01, 0.05, 0.3, 2.0, 9.0)))

    async def start(self, person: Person) -> None:
        await person.node.calls.start(self.chance.choice(self.conversations))

    async def answer(self, person: Person) -> None:
        for call in calls_of(person)[:1]:
            await person.node.calls.answer(call.call)

    async def decline(self, person: Person) -> None:
        for call in calls_of(person)[:1]:
            await person.node.calls.decline(call.call)

    async def hang_up(self, person: Person) -> None:
        for call in calls_of(person)[:1]:
            await person.node.calls.hang_up(call.call)

    async def mute(self, person: Person) -> None:
        for call in calls_of(person)[:1]:
            await person.node.calls.mute(call.call, not call.is_muted)

    async def cut(self, person: Person) -> None:
        host = self.world.host(person.name)
        if self.chance.random() < 0.5:
            self.world.network.unplugged.add(host)
        else:
            self.world.network.hang_up(host)

    async def silence(self, person: Person) -> None:
        self.world.voices.silent.add(self.world.host(person.name))

    async def crash(self, person: Person) -> None:
        host = self.world.host(person.name)
        for voice in [voice for voice in self.world.voices.voices if voice.host == host]:
            voice.crash()

    async def mend(self, _: Person) -> None:
        self.world.network.unplugged.clear()
        self.world.voices.silent.clear()


SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(6, 60))]


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_happened_all_agree_in_the_end(world: World, seed: int, expected_log: list[str]) -> None:
    group, people = await group_of(world, *NAMES)
    conversations = [group, group, group]
    conversations += [(await people[0].node.open_conversation(other)).conversation for other in NAMES[1:3]]
    world.network.delay = 0.03
    trouble = Trouble(world, people, conversations, seed)
    for _ in range(STEPS):
        await trouble.step()
    story = "\n".join(trouble.told)
    await trouble.mend(people[0])
    await asyncio.sleep(90)
    for person in people:
        for call in calls_of(person):
            assert call.state in (CallState.ACTIVE, CallState.AVAILABLE), f"{person.name}: {call}\n{story}"
    active = {person.name: call for person in people for call in calls_of(person) if call.state is CallState.ACTIVE}
    for name, call in active.items():
        in_it = {other for other, its in active.items() if its.conversation == call.conversation}
        hears = {str(each.user) for each in call.people if each.state is CallState.ACTIVE}
        assert hears == in_it - {name}, f"{name} hears {hears} of {in_it}\n{story}"
    for person in people:
        for call in calls_of(person):
            if call.state is CallState.ACTIVE:
                await person.node.calls.hang_up(call.call)
    await asyncio.sleep(20)
    left = {person.name: calls_of(person) for person in people if calls_of(person)}
    assert not left, f"{left}\n{story}"
    assert not world.voices.voices, story
