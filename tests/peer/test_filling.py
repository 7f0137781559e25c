"""Who lacks much is filled by one neighbour at a time, whatever that one does or leaves undone."""

import asyncio
from collections import Counter
from typing import cast

import pytest

from peer import limits
from peer.links.link import Link
from peer.replication.filling import Filling
from peer.replication.synchronizer import Synchronizer
from peer.views import ConversationId
from protocol.link_messages import Entries
from protocol.registry import Message
from tests.harness.groups import group_of, hold_the_same
from tests.harness.world import Person, World

NAME = ConversationId(bytes(32))


class Neighbours:
    """Three who are compared with, and how much each holds that is lacking here."""

    def __init__(self) -> None:
        self.one, self.two, self.three = (cast("Link", f"link {number}") for number in range(3))
        self.lacking = dict.fromkeys((self.one, self.two, self.three), 10_000)
        self.compared: list[Link] = []
        self.filling = Filling(self._compare, lambda link, _: self.lacking[link])

    def _compare(self, link: Link, _: ConversationId) -> bool:
        self.compared.append(link)
        return link in self.lacking

    def answer(self, link: Link) -> bool:
        """Return whether somebody who was compared with is told how far we are; if so, they tell it, too."""
        may_tell = self.filling.may_tell(link, NAME)
        if may_tell:
            self.filling.told(link, NAME)
        return may_tell

    async def bring(self, link: Link, seconds: float, every: float = 1.0) -> None:
        for _ in range(round(seconds / every)):
            self.filling.began_taking(link, NAME)
            await asyncio.sleep(every)
            self.filling.has_taken(link, NAME)


async def test_the_others_are_told_when_the_first_has_brought_everything() -> None:
    these = Neighbours()
    assert these.answer(these.one)
    assert not these.answer(these.two)
    assert not these.answer(these.three)
    await these.bring(these.one, 20)
    assert these.compared == []
    these.lacking = dict.fromkeys(these.lacking, 0)
    await asyncio.sleep(2 * limits.FILLING_LOOK_SECONDS)
    assert these.compared == [these.two]
    assert these.answer(these.two)
    assert these.compared == [these.two, these.three]
    assert these.answer(these.three)
    assert these.answer(these.one), "whoever has nothing much is told at once"


async def test_who_falls_silent_gives_way_and_is_not_waited_for_again() -> None:
    these = Neighbours()
    assert these.answer(these.one)
    assert not these.answer(these.two)
    await asyncio.sleep(limits.FILLING_SILENT_SECONDS + limits.FILLING_LOOK_SECONDS)
    assert these.compared == [these.two]
    assert these.answer(these.two)
    assert these.answer(these.one)
    assert not these.answer(these.three)
    these.filling.close()


async def test_who_never_answers_gives_way() -> None:
    these = Neighbours()
    assert these.filling.may_tell(these.one, NAME)
    assert not these.filling.may_tell(these.two, NAME)
    await asyncio.sleep(limits.FILLING_SILENT_SECONDS + limits.FILLING_LOOK_SECONDS)
    assert these.compared == [these.two]
    these.filling.close()


async def test_who_brings_a_little_now_and_then_has_no_longer_than_the_longest_turn() -> None:
    these = Neighbours()
    assert these.answer(these.one)
    assert not these.answer(these.two)
    await these.bring(these.one, limits.FILLING_TURN_SECONDS - 1)
    assert these.compared == []
    await these.bring(these.one, 2)
    assert these.compared == [these.two]
    these.filling.close()


async def test_what_a_slow_disk_takes_is_nobodys_silence() -> None:
    these = Neighbours()
    assert these.answer(these.one)
    assert not these.answer(these.two)
    await these.bring(these.one, 30, every=10)
    assert these.compared == []
    these.filling.close()


async def test_who_goes_or_is_of_no_concern_any_more_is_passed_over() -> None:
    these = Neighbours()
    for link in (these.one, these.two, these.three):
        these.answer(link)
    del these.lacking[these.two]
    these.filling.gone(these.one)
    assert these.compared == [these.two, these.three]
    these.filling.gone(these.three)
    assert these.answer(these.one)
    these.filling.close()


def count_taken(monkeypatch: pytest.MonkeyPatch, group: ConversationId) -> Counter[bytes]:
    """Return how often each entry of a group comes to anybody, from now on."""
    taken: Counter[bytes] = Counter()
    handle = Synchronizer.handle

    async def count(synchronizer: Synchronizer, link: Link, message: Message) -> None:
        if isinstance(message, Entries) and message.conversation == group:
            taken.update(wire.header for wire in message.entries)
        await handle(synchronizer, link, message)

    monkeypatch.setattr(Synchronizer, "handle", count)
    return taken


def hold_back(monkeypatch: pytest.MonkeyPatch, people: list[Person]) -> None:
    """Let some send no entries at all any more."""
    books = [person.node._session._book for person in people]  # type: ignore[union-attr]
    say = Link.send

    def censored(link: Link, message: Message) -> None:
        if not (isinstance(message, Entries) and any(link in book.links for book in books)):
            say(link, message)

    monkeypatch.setattr(Link, "send", censored)


async def away_while_others_write(world: World) -> tuple[ConversationId, list[Person], list[str]]:
    group, people = await group_of(world, "ana", "bo", "chen", "dan")
    *others, dan = people
    await dan.node.close()
    texts = [f"{person.name} {number}" for number in range(15) for person in others]
    for text in texts:
        await next(person for person in others if text.startswith(person.name)).node.send_text(group, text)
    await hold_the_same(world, others, group)
    return group, others, texts


async def test_who_comes_back_gets_what_was_missed_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FILLING_ENTRIES", 10)
    group, others, texts = await away_while_others_write(world)
    taken = count_taken(monkeypatch, group)
    dan = await world.returns("dan")
    await world.shows(dan, group, texts, 10)
    await hold_the_same(world, [*others, dan], group)
    await asyncio.sleep(60)
    assert len(taken) >= len(texts)
    assert max(taken.values()) == 1


async def test_neighbours_who_bring_nothing_do_not_stop_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FILLING_ENTRIES", 10)
    group, others, texts = await away_while_others_write(world)
    hold_back(monkeypatch, others[:2])
    dan = await world.returns("dan")
    # Each of the two may have one turn.
    await world.shows(dan, group, texts, 2 * limits.FILLING_SILENT_SECONDS + 5)
