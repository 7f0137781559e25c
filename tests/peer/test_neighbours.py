"""With whom of a group one keeps a link: few, by lot, the same for groups of the same people, and changed slowly."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from peer.entries.conversation import Conversation
from peer.limits import NEIGHBOURS_PER_GROUP
from peer.links.link import Link
from peer.replication.neighbour_choice import NeighbourChoice
from peer.storage.feeds import ConversationRow
from protocol.identity import ConversationId, UserId
from protocol.link_messages import Entries
from protocol.membership import Membership
from protocol.registry import Message
from tests.harness.groups import group_of, hold_the_same
from tests.harness.world import World

ME = UserId("me")
CLASS = [UserId(f"user{number:03}") for number in range(100)]


def group(number: int, users: list[UserId], me: UserId = ME) -> Conversation:
    row = ConversationRow(number, ConversationId(number.to_bytes(32, "big")), None, bytes(16))
    return Conversation(row, me, group=Membership(members={user: set() for user in (me, *users)}))


def chosen(choice: NeighbourChoice, of: Conversation, users: list[UserId]) -> set[UserId]:
    return {user for user in users if choice.is_neighbour(of, user)}


def test_of_seven_everybody_who_is_there_is_a_neighbour_and_of_more_six() -> None:
    there = set(CLASS)
    choice = NeighbourChoice(ME, random.Random(1), there.__contains__)
    small, large = group(1, CLASS[:6]), group(2, CLASS)
    choice.choose([small, large])
    assert chosen(choice, small, CLASS) == set(CLASS[:6])
    assert len(chosen(choice, large, CLASS)) == NEIGHBOURS_PER_GROUP == 6
    gone = chosen(choice, large, CLASS)
    there -= gone
    choice.choose([small, large])
    assert len(chosen(choice, large, CLASS)) == 6
    assert not chosen(choice, large, CLASS) & gone
    assert chosen(choice, small, CLASS) == set(CLASS[:6]) - gone
    assert not choice.is_neighbour(large, ME)


def test_groups_of_the_same_people_share_their_links() -> None:
    choice = NeighbourChoice(ME, random.Random(2), lambda _: True)
    groups = [group(number, CLASS) for number in range(1, 51)]
    choice.choose(groups)
    assert len(choice.everybody()) == 6
    choice.choose([*groups, group(99, CLASS[50:])])
    assert len(choice.everybody()) <= 12


def test_neighbours_change_one_at_a_time_and_all_have_their_turn() -> None:
    choice = NeighbourChoice(ME, random.Random(3), lambda _: True)
    large = group(1, CLASS)
    choice.choose([large])
    turns: Counter[UserId] = Counter()
    for _ in range(200):
        before = chosen(choice, large, CLASS)
        choice.change_one()
        choice.choose([large])
        now = chosen(choice, large, CLASS)
        assert len(before - now) <= 1
        turns.update(now)
    assert len(turns) == 100, "nobody is left out for ever"


def test_who_cannot_be_reached_gives_way() -> None:
    choice = NeighbourChoice(ME, random.Random(4), lambda _: True)
    large = group(1, CLASS)
    reachable, reached = set(CLASS[:20]), set()
    for _ in range(60):
        choice.choose([large])
        reached = chosen(choice, large, CLASS) & reachable
        if len(reached) == 6:
            break
        choice.give_up(choice.everybody() - reachable)
    assert len(reached) == 6


def test_between_two_people_everything_goes_at_once() -> None:
    row = ConversationRow(1, ConversationId(bytes(32)), UserId("bo"), bytes(16))
    assert NeighbourChoice(ME, random.Random(5), lambda _: False).is_neighbour(Conversation(row, ME), UserId("bo"))


@pytest.mark.parametrize("size", [8, 14, 100])
def test_nobody_is_chosen_by_none(size: int) -> None:
    """By lot alone it happened to some, and they got what the others wrote half a minute later."""
    users = CLASS[:size]
    for seed in range(20):
        chosen_by: Counter[UserId] = Counter()
        for me in users:
            choice = NeighbourChoice(me, random.Random(f"{me} {seed}"), lambda _: True)
            choice.choose([group(1, users, me)])
            chosen_by.update(choice.everybody())
        assert min(chosen_by[user] for user in users) >= 2
        assert sum(chosen_by.values()) == size * NEIGHBOURS_PER_GROUP


def test_who_is_not_reached_in_the_circle_gives_way_to_the_next_until_they_move() -> None:
    choices = [NeighbourChoice(ME, random.Random(seed), lambda _: True) for seed in range(10)]

    def beside_me() -> frozenset[UserId]:
        for choice in choices:
            choice.choose([group(1, CLASS)])
        return frozenset.intersection(*(choice.everybody() for choice in choices))

    before = beside_me()
    gone = min(before)
    for choice in choices:
        choice.give_up([gone])
    after = beside_me()
    assert len(before) == len(after) == 2
    assert len(before & after) == 1
    for choice in choices:
        choice.try_again(gone)
    assert beside_me() == before


async def test_a_group_of_fourteen_hears_everything_and_nobody_sends_an_entry_more_than_six_times(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = ["ana", *(f"s{number:02}" for number in range(13))]
    group, people = await group_of(world, *names)
    await hold_the_same(world, people, group)
    await asyncio.sleep(60)
    owners = {person.node._session._book: person.name for person in people}  # type: ignore[union-attr]
    sent: Counter[tuple[str, bytes]] = Counter()
    say = Link.send

    def count(link: Link, message: Message) -> None:
        if isinstance(message, Entries) and message.conversation == group:
            sender = next(name for book, name in owners.items() if link in book.links)
            sent.update((sender, entry.header) for entry in message.entries)
        say(link, message)

    monkeypatch.setattr(Link, "send", count)
    for person in people:
        await person.node.send_text(group, person.name)
    for person in people:
        await world.shows(person, group, names, 20)
    await asyncio.sleep(120)
    assert len({header for _, header in sent}) == len(names)
    assert max(sent.values()) <= 6

    async def all_delivered() -> bool:
        shown = [m for person in people for m in await person.node.messages(group) if m.mine and m.membership is None]
        return len(shown) == len(people) and all(m.state == "delivered" for m in shown)

    await world.until(all_delivered)

    author = people[1]
    linked = {link.user for link in author.node._session._book.links}  # type: ignore[union-attr]
    wants = next(person for person in people[2:] if UserId(person.name) not in linked)
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(2 * 1024 * 1024))
    entry = (await author.node.send_file(group, file)).entry
    await world.until(lambda: any(e.message.entry == entry for e in wants.told("message_arrived")))
    assert UserId(wants.name) not in {link.user for link in author.node._session._book.links}  # type: ignore[union-attr]
    await wants.node.fetch_file(entry)
    await world.until(lambda: wants.name in {link.user for link in author.node._session._book.links}, 5)  # type: ignore[union-attr]

    links = [person.node._session.view().links for person in people]  # type: ignore[union-attr]
    assert links[0] == 13, "friends keep their links"
    assert sum(links[1:]) < 12 * 13, "strangers do not all link with each other"
