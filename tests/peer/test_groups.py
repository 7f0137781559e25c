"""Groups of three in virtual time: who is in them, who hears what, and that nothing needs its author to be there."""

import asyncio

import pytest

from peer.errors import Refusal, RefusalCode
from peer.views import ConversationId, EntryId, MembershipAct, MessageKind
from protocol.identity import UserId
from protocol.link_messages import Statements
from protocol.signatures import SigningKey
from protocol.statements import HeldLine, Statement, short_hash, short_name, sign_statement
from tests.harness.world import Person, World


async def three(world: World) -> tuple[Person, Person, Person]:
    """Return Ana, Bo and Chen; Ana is a friend of both, who do not know each other."""
    ana, bo, _ = await world.linked_peers("ana", "bo")
    chen = await world.registered("chen")
    await world.befriend(ana, chen)
    return ana, bo, chen


async def group_of_three(world: World) -> tuple[Person, Person, Person, ConversationId]:
    ana, bo, chen = await three(world)
    group = (await ana.node.create_group("Lab 3", ["bo", "chen"])).conversation
    for person in (bo, chen):
        await world.until(lambda person=person: bool(person.told("group_changed")))
    return ana, bo, chen, group


async def members(person: Person, group: ConversationId) -> list[str]:
    return [str(member.user) for member in (await person.node.group(group)).members]


async def states(person: Person, group: ConversationId) -> list[str]:
    return [m.state for m in await person.node.messages(group) if m.membership is None]


async def has_members(world: World, person: Person, group: ConversationId, wanted: list[str]) -> None:
    async def has_them() -> bool:
        return await members(person, group) == wanted

    await world.until(has_them)


async def test_whoever_is_in_a_group_sees_what_anybody_writes(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    for person in (ana, bo, chen):
        view = await person.node.group(group)
        assert (view.name, view.creator) == ("Lab 3", "ana")
        assert [(m.user, m.manager) for m in view.members] == [("ana", True), ("bo", False), ("chen", False)]
    await ana.node.send_text(group, "from ana")
    await world.shows(chen, group, ["from ana"])
    await chen.node.send_text(group, "from chen")
    await world.shows(bo, group, ["from ana", "from chen"])
    await bo.node.send_text(group, "from bo")
    for person in (ana, bo, chen):
        await world.shows(person, group, ["from ana", "from chen", "from bo"])
    names = {message.author_name for message in await bo.node.messages(group)}
    assert names == {"Ana", "Bo", "Chen"}, "Bo knows Chen by the group alone"


async def test_delivered_and_read_are_when_everybody_has_and_has_read(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    world.network.unplugged.add(world.host("chen"))
    await asyncio.sleep(15)
    sent = await ana.node.send_text(group, "hello")
    await world.shows(bo, group, ["hello"])
    await asyncio.sleep(5)
    assert await states(ana, group) == ["sent"]
    world.network.unplugged.clear()
    await world.shows(chen, group, ["hello"])
    await asyncio.sleep(5)
    assert await states(ana, group) == ["delivered"]
    await bo.node.mark_read(group, [sent.entry])
    await asyncio.sleep(5)
    assert await states(ana, group) == ["delivered"]
    await chen.node.mark_read(group, [sent.entry])
    await asyncio.sleep(5)
    assert await states(ana, group) == ["read"]


async def test_who_was_away_gets_it_from_whoever_is_there(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    await chen.node.close()
    await ana.node.send_text(group, "one")
    await ana.node.send_text(group, "two")
    await world.shows(bo, group, ["one", "two"])
    await ana.node.close()
    chen = await world.returns("chen")
    await world.shows(chen, group, ["one", "two"])


async def test_who_is_added_gets_the_history_from_any_member(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    dan = await world.registered("dan")
    await world.befriend(bo, dan)
    await ana.node.send_text(group, "before dan")
    await world.shows(bo, group, ["before dan"])
    await ana.node.close()
    await bo.node.add_to_group(group, "dan")
    await world.until(lambda: bool(dan.told("group_changed")))
    await world.shows(dan, group, ["before dan"])
    await has_members(world, chen, group, ["ana", "bo", "chen", "dan"])
    await dan.node.send_text(group, "hello all")
    await world.shows(chen, group, ["before dan", "hello all"])
    ana = await world.returns("ana")
    await world.shows(ana, group, ["before dan", "hello all"])


async def test_who_was_removed_gets_nothing_more_and_cannot_speak(world: World, expected_log: list[str]) -> None:
    expected_log.append("was refused")
    ana, bo, chen, group = await group_of_three(world)
    await ana.node.send_text(group, "one")
    await world.shows(bo, group, ["one"])
    await ana.node.remove_from_group(group, "bo")
    await has_members(world, chen, group, ["ana", "chen"])
    await ana.node.send_text(group, "two")
    await world.shows(chen, group, ["one", "two"])
    await has_members(world, bo, group, ["ana", "chen"])
    with pytest.raises(Refusal) as refused:
        await bo.node.send_text(group, "still here?")
    assert refused.value.code is RefusalCode.NOT_A_MEMBER
    await asyncio.sleep(60)
    assert await bo.texts(group) == ["one"]


async def test_what_was_written_before_hearing_of_the_removal_does_not_count(
    world: World, expected_log: list[str]
) -> None:
    expected_log.append("was refused")
    ana, bo, chen, group = await group_of_three(world)
    world.network.unplugged.add(world.host("bo"))
    await asyncio.sleep(15)
    await bo.node.send_text(group, "back-dated")
    await ana.node.remove_from_group(group, "bo")
    await has_members(world, chen, group, ["ana", "chen"])
    world.network.unplugged.clear()
    await asyncio.sleep(90)
    assert await ana.texts(group) == await chen.texts(group) == []


async def test_who_leaves_stays_readable_and_hears_no_more(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    await bo.node.send_text(group, "bye")
    await world.shows(ana, group, ["bye"])
    await world.shows(chen, group, ["bye"])
    await bo.node.leave_group(group)
    await has_members(world, ana, group, ["ana", "chen"])
    await has_members(world, chen, group, ["ana", "chen"])
    await ana.node.send_text(group, "gone?")
    await world.shows(chen, group, ["bye", "gone?"])
    await asyncio.sleep(60)
    assert await bo.texts(group) == ["bye"]


@pytest.mark.parametrize("who_is_away", ["nobody", "the friend of both"])
async def test_who_leaves_is_known_to_be_gone_at_once(world: World, who_is_away: str) -> None:
    ana, bo, chen, group = await group_of_three(world)
    await bo.node.send_text(group, "bye")
    await world.shows(chen, group, ["bye"])
    if who_is_away != "nobody":
        await ana.node.log_out()
        await asyncio.sleep(1)
    await bo.node.leave_group(group)
    await asyncio.sleep(1)
    assert await members(chen, group) == ["ana", "chen"]


async def test_names_and_managers_change_for_all(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    await bo.node.rename_group(group, "  实验三  ")
    with pytest.raises(Refusal) as refused:
        await chen.node.remove_from_group(group, "bo")
    assert refused.value.code is RefusalCode.NOT_A_MANAGER
    await ana.node.set_group_manager(group, "chen", is_manager=True)
    await world.until(lambda: chen.told("group_changed")[-1].group.members[2].manager)
    await chen.node.remove_from_group(group, "bo")
    await has_members(world, ana, group, ["ana", "chen"])
    assert (await ana.node.group(group)).name == "实验三"
    (row,) = [view for view in await ana.node.conversations() if view.conversation == group]
    assert (row.title, row.user, row.can_write) == ("实验三", None, True)


async def test_a_group_is_known_again_after_a_restart(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    await ana.node.send_text(group, "kept")
    await world.shows(bo, group, ["kept"])
    await bo.node.close()
    bo = await world.returns("bo")
    assert await members(bo, group) == ["ana", "bo", "chen"]
    await bo.node.send_text(group, "back")
    await world.shows(chen, group, ["kept", "back"])


async def test_only_friends_are_added_and_nobody_twice(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    await world.registered("dan")
    for act, code in (
        (ana.node.add_to_group(group, "dan"), RefusalCode.NOT_A_FRIEND),
        (ana.node.add_to_group(group, "bo"), RefusalCode.ALREADY_MEMBER),
        (ana.node.create_group("", ["bo"]), RefusalCode.BAD_NAME),
        (ana.node.create_group("x" * 10_000, ["bo"]), RefusalCode.BAD_NAME),
        (ana.node.create_group("alone", []), RefusalCode.BAD_REQUEST),
        (ana.node.remove_from_group(group, "ana"), RefusalCode.YOURSELF),
        (ana.node.remove_from_group(group, "dan"), RefusalCode.NOT_A_MEMBER),
    ):
        with pytest.raises(Refusal) as refused:
            await act
        assert refused.value.code is code
    assert await members(chen, group) == await members(bo, group) == ["ana", "bo", "chen"]


async def test_a_stranger_makes_no_group_known_to_us(world: World) -> None:
    ana, bo, chen = await three(world)
    group = (await ana.node.create_group("Lab 3", ["bo", "chen"])).conversation
    await world.until(lambda: bool(bo.told("group_changed")))
    await chen.node.remove("ana")
    other = (await ana.node.create_group("Without consent", ["bo"])).conversation
    assert other != group
    await asyncio.sleep(60)
    assert {view.conversation for view in await chen.node.conversations()} <= {group}


async def test_a_group_of_exactly_these_members_is_found(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    found = await ana.node.group_with(["chen", "bo"])
    assert found is not None
    assert (found.conversation, found.title) == (group, "Lab 3")
    assert await ana.node.group_with(["bo"]) is None
    await chen.node.leave_group(group)
    await has_members(world, ana, group, ["ana", "bo"])
    assert await ana.node.group_with(["bo", "chen"]) is None
    found = await ana.node.group_with(["bo"])
    assert found is not None
    assert found.conversation == group
    await world.until(lambda: bool(bo.told("group_changed")))
    assert await chen.node.group_with(["ana", "bo"]) is None, "who left is not in it"


async def test_what_happened_to_the_group_stands_among_its_messages(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    await bo.node.rename_group(group, "实验三")
    await world.until(lambda: any(e.group.name == "实验三" for e in ana.told("group_changed")))
    await ana.node.send_text(group, "hello")
    await ana.node.set_group_manager(group, "bo", is_manager=True)
    await ana.node.remove_from_group(group, "chen")
    wanted = [
        ("ana", MembershipAct.CREATED, "ana", "Lab 3"),
        ("bo", MembershipAct.RENAMED, "bo", "实验三"),
        ("ana", None, None, None),
        ("ana", MembershipAct.MANAGER_NAMED, "bo", ""),
        ("ana", MembershipAct.EXCLUDED, "chen", ""),
    ]

    async def lines(person: Person) -> list[tuple[object, ...]]:
        shown = await person.node.messages(group)
        acts = [(m.author, m.membership) for m in shown]
        return [(who, a and a.act, a and a.user, a and a.group_name) for who, a in acts]

    for person in (ana, bo, chen):

        async def all_there(person: Person = person) -> bool:
            return await lines(person) == wanted

        await world.until(all_there)
    (row,) = [view for view in await bo.node.conversations() if view.conversation == group]
    assert row.unread == 1, "what happened to the group is nothing unread"
    assert row.last_entry is not None
    assert (row.last_entry.kind, row.last_entry.text) == (MessageKind.MEMBERSHIP, "Ana removed Chen.")
    assert await bo.node.files(group) == []
    await bo.node.close()
    bo = await world.returns("bo")
    assert await lines(bo) == wanted
    assert [len((await bo.node.page(group, limit=n)).messages) for n in (1, 4)] == [1, 4]


async def test_it_is_known_who_has_a_message_and_who_has_read_it(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    world.network.unplugged.add(world.host("chen"))
    await asyncio.sleep(15)
    sent = await ana.node.send_text(group, "hello")
    await world.shows(bo, group, ["hello"])

    async def who_has(person: Person) -> list[tuple[str, bool, bool]]:
        view = await person.node.who_has(sent.entry)
        assert (view.entry, view.conversation) == (sent.entry, group)
        return [(each.name, each.has, each.read) for each in view.members]

    def told_of(kind: str) -> bool:
        return any(event.message.entry == sent.entry for event in ana.told(kind))

    await asyncio.sleep(5)
    assert await who_has(ana) == [("Bo", True, False), ("Chen", False, False)]
    assert await who_has(bo) == [("Bo", True, False), ("Chen", False, False)]
    assert not told_of("message_delivered"), "not everybody has it"
    assert told_of("message_changed"), "but somebody more than before"
    await bo.node.mark_read(group, [sent.entry])
    world.network.unplugged.clear()
    await world.shows(chen, group, ["hello"])
    await world.until(lambda: told_of("message_delivered"))
    assert await who_has(ana) == [("Bo", True, True), ("Chen", True, False)]
    with pytest.raises(Refusal) as refused:
        await ana.node.who_has(EntryId(bytes(16)))
    assert refused.value.code is RefusalCode.UNKNOWN_ENTRY


async def test_who_has_a_message_is_known_also_of_those_one_never_meets(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    await chen.node.close()
    sent = await ana.node.send_text(group, "hello")
    await world.shows(bo, group, ["hello"])
    await ana.node.close()
    chen = await world.returns("chen")
    await world.shows(chen, group, ["hello"])
    await chen.node.mark_read(group, [sent.entry])
    await asyncio.sleep(30)
    await chen.node.close()
    await bo.node.close()
    bo = await world.returns("bo")
    ana = await world.returns("ana")

    async def who_has() -> dict[str, tuple[bool, bool]]:
        return {m.user: (m.has, m.read) for m in (await ana.node.who_has(sent.entry)).members}

    async def knows_of_chen() -> bool:
        return (await who_has())["chen"] == (True, True)

    await world.until(knows_of_chen)
    assert await states(ana, group) == ["delivered"]


async def test_nobody_can_say_in_anothers_name_that_they_have_a_message(world: World, expected_log: list[str]) -> None:
    ana, bo, chen, group = await group_of_three(world)
    await chen.node.close()
    sent = await ana.node.send_text(group, "hello")
    await world.shows(bo, group, ["hello"])
    session, other = bo.node._session, ana.node._session
    assert session is not None
    assert other is not None
    conversation = session.conversations.get(group)
    assert conversation is not None
    feed = conversation.feeds[next(name for name in conversation.feeds if name.device != session._vault.device)]
    line = HeldLine(short_name(feed.feed), feed.line.head, short_hash(feed.line.head_hash))
    stranger = SigningKey(bytes(32))
    key = next(row.key for row in other.contacts._devices.values() if row.user == "chen")
    by_stranger = sign_statement(stranger, session.realm, Statement(group, stranger.public, 2**52, (line,)))
    forged = sign_statement(stranger, session.realm, Statement(group, key, 2**52, (line,)))
    link = session._book.link_with(UserId("ana"))
    assert link is not None
    link.send(Statements((by_stranger,)))
    await asyncio.sleep(2)
    assert link.end is None, "a device that is nobody's is believed nothing"
    expected_log.append("did not sign")
    link.send(Statements((forged,)))
    await asyncio.sleep(2)
    assert link.end is not None
    assert [m.has for m in (await ana.node.who_has(sent.entry)).members] == [True, False]
