"""Groups with members and strangers who do not keep to the rules: nobody gets in, and all others stay equal.

Members who tell two stories (equivocation) are in the simulation and in `test_forks.py`; who wrote without a signature,
gap or certificate as it must be, entry by entry, in `test_intake.py`.
"""

import asyncio
from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from peer.entries.intake import Ground
from peer.links.link import Link
from peer.views import ConversationId
from protocol.act_bodies import Reacted
from protocol.entries import _HEADER_ENCODER, BODIES, Body, Text, WireEntry, read_header, write_entry
from protocol.errors import RemoteProtocolError
from protocol.group_bodies import Added, DeviceConfirmed, Excluded, ManagerChanged, NewMember, Renamed
from protocol.identity import NO_HASH, DeviceId, EntryHash, EntryId, FeedId, UserId
from protocol.link_messages import Entries
from protocol.registry import Message
from protocol.signatures import Purpose
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


async def test_nobody_speaks_in_another_members_name(world: World, expected_log: list[str]) -> None:
    expected_log.append("was refused")
    group, (ana, bo, chen) = await group_of(world, "ana", "bo", "chen")
    await ana.node.send_text(group, "from ana")
    await bo.node.send_text(group, "from bo")
    await world.shows(chen, group, ["from ana", "from bo"])
    here, theirs = bo.node._session, ana.node._session
    assert here is not None
    assert theirs is not None
    held = here.conversations.get(group)
    assert held is not None
    feed = next(each for each in held.feeds.values() if each.author == "ana")
    key = here._vault.signing_key
    said = Text(EntryId(b"t" * 16), b"s" * 16, "send me your homework")

    def written(feed: FeedId, number: int, previous: EntryHash, certificate: bytes) -> WireEntry:
        about = {"conversation": group, "number": number, "previous": previous, "stamp": 1, "certificate": certificate}
        honest = write_entry(key, here.realm, said, feed=FeedId.of(key.device, b"i" * 16), **about)
        header = _HEADER_ENCODER.encode(msgspec.structs.replace(honest.header, feed=feed))
        return msgspec.structs.replace(
            honest.wire, header=header, signature=key.sign(Purpose.ENTRY, here.realm, header)
        )

    mine, others = here._facts.certificate, theirs._facts.certificate
    forged = (
        written(feed.feed, feed.line.head + 1, feed.line.head_hash, b""),
        written(FeedId.of(feed.feed.device, b"i" * 16), 1, NO_HASH, others),
        written(FeedId.of(feed.feed.device, b"i" * 16), 1, NO_HASH, mine),
        written(FeedId.of(key.device, b"j" * 16), 1, NO_HASH, others),
    )
    link = here._book.link_with(UserId("chen"))
    assert link is not None
    for wire in forged:
        link.send(Entries(group, (wire,)))
    await asyncio.sleep(35)
    assert not link.has_ended, "a bad entry is refused alone"
    await ana.node.send_text(group, "from ana herself")
    for person in (ana, bo, chen):
        await world.shows(person, group, ["from ana", "from bo", "from ana herself"])
    await hold_the_same(world, [ana, bo, chen], group)


async def test_who_does_not_manage_a_group_excludes_nobody_and_makes_no_manager(world: World) -> None:
    group, (ana, bo, chen) = await group_of(world, "ana", "bo", "chen")
    await say_unchecked(bo, group, Excluded, UserId("ana"), ())
    await say_unchecked(bo, group, ManagerChanged, UserId("bo"), True)
    await say_unchecked(bo, group, DeviceConfirmed, UserId("chen"), DeviceId(bytes(32)))
    await ana.node.send_text(group, "still here")
    for person in (ana, bo, chen):
        await world.shows(person, group, ["still here"])
        members = (await person.node.group(group)).members
        assert [(member.user, member.manager) for member in members] == [("ana", True), ("bo", False), ("chen", False)]
    await hold_the_same(world, [ana, bo, chen], group)
    session = chen.node._session
    assert session is not None
    held = session.conversations.get(group)
    assert held is not None
    assert held.group is not None
    assert len(held.group.members[UserId("chen")]) == 1


async def test_a_gap_that_is_never_filled_keeps_nobody_else_waiting_and_is_not_asked_about_without_end(
    world: World, monkeypatch: pytest.MonkeyPatch, expected_log: list[str]
) -> None:
    expected_log.append("a gap")
    group, (ana, bo, chen) = await group_of(world, "ana", "bo", "chen")
    liar = bo.node._session
    assert liar is not None
    say, frames = Link.send, Counter[str]()

    def gapped(link: Link, message: Message) -> None:
        if isinstance(message, Entries) and link in liar._book.links:
            kept = [wire for wire in message.entries if not is_second(wire)]
            message = Entries(message.conversation, tuple(kept))
        frames[type(message).__name__] += 1
        say(link, message)

    def is_second(wire: WireEntry) -> bool:
        header = read_header(wire.header)
        return header.feed.device == liar._vault.device and header.number == 2

    monkeypatch.setattr(Link, "send", gapped)
    for text in ("one", "two", "three"):
        await bo.node.send_text(group, text)
        await asyncio.sleep(1)
    await ana.node.send_text(group, "from ana")
    for person in (ana, chen):
        await world.shows(person, group, ["one", "from ana"])
    frames.clear()
    await asyncio.sleep(300)
    assert frames["Entries"] <= 10 * 2 * 3, "offered at comparisons, every 30 s, and not in between"
    await chen.node.send_text(group, "from chen")
    for person in (ana, chen):
        await world.shows(person, group, ["one", "from ana", "from chen"])
    await hold_the_same(world, [ana, chen], group)


async def test_a_hundred_reactions_a_second_are_one_reaction_and_hold_nobody_up(world: World) -> None:
    group, (ana, bo, chen) = await group_of(world, "ana", "bo", "chen")
    sent = await ana.node.send_text(group, "we won")
    await world.shows(bo, group, ["we won"])
    session = bo.node._session
    assert session is not None
    conversation = session.conversations.get(group)
    assert conversation is not None
    for number in range(150):

        def make(_: Ground, entry: EntryId, salt: bytes, number: int = number) -> Body:
            return Reacted(entry, salt, sent.entry, number + 1, chr(0x1F600 + number % 50))

        await session.conversations.write(conversation, make)
        if number == 75:
            await ana.node.send_text(group, "meanwhile")
            await world.shows(chen, group, ["we won", "meanwhile"], 1)
        await asyncio.sleep(0.01)
    last = chr(0x1F600 + 149 % 50)
    for person in (ana, chen):

        async def shows_one(person: Person = person) -> bool:
            first = (await person.node.messages(group))[1]
            return [(each.emoji, each.users) for each in first.reactions] == [(last, ("bo",))]

        await world.until(shows_one)
        assert len(person.told("message_changed")) <= 160
    await hold_the_same(world, [ana, bo, chen], group)


async def test_where_all_remove_each_other_at_once_the_most_senior_stays_and_all_others_know_that_they_went(
    world: World, expected_log: list[str]
) -> None:
    expected_log.append("a gap")
    names = ["ana", "bo", "chen", "dan", "eve"]
    group, people = await group_of(world, *names)
    for name in names[1:]:
        await people[0].node.set_group_manager(group, name, is_manager=True)
    await hold_the_same(world, people, group)
    world.network.unplugged |= {world.host(name) for name in names}
    await asyncio.sleep(15)
    for person in people:
        for name in names:
            if name != person.name:
                await person.node.remove_from_group(group, name)
    world.network.unplugged.clear()
    await have_members(world, people[:1], group, "ana")

    async def all_went() -> bool:
        # Of what happened after their own going they are told nothing.
        views = [(person.name, await person.node.group(group)) for person in people[1:]]
        return not any(member.user == name for name, view in views for member in view.members)

    await world.until(all_went)
    ana, bo = people[:2]
    await ana.node.add_to_group(group, "bo")
    await have_members(world, [ana, bo], group, "ana", "bo")
    await bo.node.send_text(group, "again")
    await world.shows(ana, group, ["again"])


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
