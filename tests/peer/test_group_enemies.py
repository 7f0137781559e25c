"""Groups with members and strangers who do not keep to the rules: nobody gets in, and all others stay equal."""

import asyncio
from datetime import timedelta

import pytest

from peer.intake import Ground
from peer.links.link import Link
from peer.views import ConversationId
from protocol.entries import BODIES, Body
from protocol.errors import RemoteProtocolError
from protocol.group_bodies import Added, NewMember, Renamed
from protocol.identity import DeviceId, EntryId, UserId
from protocol.link_messages import Entries
from protocol.registry import Message
from tests.harness.groups import group_of, have_members, hold_the_same
from tests.harness.world import Person, World


async def say_unchecked(person: Person, group: ConversationId, body: type[Body], *what: object) -> None:
    """Write what an honest program would refuse to write."""
    session = person.node._session
    assert session is not None
    conversation = session.conversations.get(group)
    assert conversation is not None

    def make(ground: Ground, entry: EntryId, salt: bytes) -> Body:
        return body(entry, salt, ground.seen(), *what)

    await session.conversations.write(conversation, make)


async def test_who_was_removed_adds_nobody_and_renames_nothing(world: World, expected_log: list[str]) -> None:
    expected_log.append("refused")
    group, (ana, bo, chen) = await group_of(world, "ana", "bo", "chen")
    await ana.node.remove_from_group(group, "chen")
    await have_members(world, [ana, bo, chen], group, "ana", "bo")
    eve = NewMember(UserId("eve"), "Eve", (DeviceId(bytes(32)),))
    await say_unchecked(chen, group, Added, eve)
    await say_unchecked(chen, group, Renamed, "Chen's")
    await bo.node.send_text(group, "among us")
    await asyncio.sleep(60)
    for person in (ana, bo):
        view = await person.node.group(group)
        assert (view.name, [str(member.user) for member in view.members]) == ("Lab", ["ana", "bo"])
        assert await person.texts(group) == ["among us"]
    await hold_the_same(world, [ana, bo], group)


async def test_a_neighbour_that_passes_nothing_on_keeps_nothing_from_anybody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["ana", *(f"s{number}" for number in range(8))]
    group, people = await group_of(world, *names)
    censor = people[1].node._session
    assert censor is not None
    say = Link.send

    def censored(link: Link, message: Message) -> None:
        if not (isinstance(message, Entries) and link in censor._book.links):
            say(link, message)

    monkeypatch.setattr(Link, "send", censored)
    others = [people[0], *people[2:]]
    for person in others:
        await person.node.send_text(group, person.name)
    for person in people:
        await world.shows(person, group, [other.name for other in others])


async def test_a_member_whose_clock_is_a_week_ahead_drags_nobody_and_is_waited_for_by_nobody(world: World) -> None:
    await world.start_locator()
    ana, bo = await world.registered("ana"), await world.registered("bo", clock_error=timedelta(days=7))
    chen = await world.registered("chen")
    await world.befriend(ana, bo)
    await world.befriend(ana, chen)
    group = (await ana.node.create_group("Lab", ["bo", "chen"])).conversation
    await have_members(world, [ana, bo, chen], group, "ana", "bo", "chen")
    for person in (ana, bo, chen, ana):
        await person.node.send_text(group, f"from {person.name}")
        await asyncio.sleep(5)
    wanted = ["from ana", "from bo", "from chen", "from ana"]
    for person in (ana, bo, chen):
        await world.shows(person, group, wanted)
    for person in (ana, chen):
        assert await person.texts(group) == wanted, "in the order in which they were written"
    shown = [message.written_at for message in await ana.node.messages(group)]
    assert max(shown) <= ana.clock()
    await bo.node.rename_group(group, "Lab 3")
    await world.until(lambda: chen.told("group_changed")[-1].group.name == "Lab 3")
    await hold_the_same(world, [ana, bo, chen], group)


@pytest.mark.parametrize("length", [65, 10_000])
def test_a_name_that_is_far_too_long_is_no_entry(length: int) -> None:
    entry, salt = EntryId(bytes(16)), bytes(16)
    long = "x" * length
    for body in (Renamed(entry, salt, (), long), Added(entry, salt, (), NewMember(UserId("eve"), long, ()))):
        encoded = BODIES.encode_body(body)
        with pytest.raises(RemoteProtocolError, match="malformed"):
            BODIES.decode_body(BODIES.number_of(type(body)), encoded)
