"""What was on the screen and what was not: counted, found again, and told to the author exactly."""

import random

import pytest

from peer import limits
from peer.errors import Refusal
from peer.views import ConversationId, EntryId, MentionView, MessagePlace, MessageState, PageAt, UserId
from protocol.replication import latest
from tests.harness.world import Person, World


async def long_talk(world: World) -> tuple[Person, Person, ConversationId]:
    """Let Ana write "0" to "299", and Bo have them all."""
    ana, bo, conversation = await world.linked_peers()
    for number in range(300):
        await ana.node.send_text(conversation, str(number))
    await world.shows(bo, conversation, [str(number) for number in range(300)])
    return ana, bo, conversation


async def unread(person: Person) -> tuple[int, MessagePlace | None]:
    (view,) = await person.node.conversations()
    return view.unread, view.first_unread


async def entries(person: Person, conversation: ConversationId) -> list[EntryId]:
    return [message.entry for message in await person.node.messages(conversation, limit=1000)]


async def test_only_what_was_on_the_screen_is_told_as_read(world: World) -> None:
    ana, bo, conversation = await long_talk(world)
    there = await bo.node.messages(conversation, limit=1000)
    assert await unread(bo) == (300, there[0].place)
    shown = [there[number].entry for number in (0, 1, 2, 297, 298)]
    await bo.node.mark_read(conversation, shown)
    await world.until(lambda: len(ana.told("message_read")) == 5)
    read = [m.text for m in await ana.node.messages(conversation, limit=1000) if m.state is MessageState.READ]
    assert read == ["0", "1", "2", "297", "298"]
    assert await unread(bo) == (295, there[3].place)


async def test_a_report_again_changes_nothing(world: World) -> None:
    ana, bo, conversation = await long_talk(world)
    first = (await entries(bo, conversation))[:2]
    await bo.node.mark_read(conversation, first)
    await bo.node.mark_read(conversation, [*first, EntryId(bytes(16))])
    await world.until(lambda: len(ana.told("message_read")) == 2)
    assert (await unread(bo))[0] == 298


async def test_a_script_reads_up_to_a_message(world: World) -> None:
    ana, bo, conversation = await long_talk(world)
    there = await bo.node.messages(conversation, limit=1000)
    await bo.node.mark_read_up_to(conversation, there[250].entry)
    await world.until(lambda: len(ana.told("message_read")) == 251)
    assert await unread(bo) == (49, there[251].place)
    with pytest.raises(Refusal, match="no such message"):
        await bo.node.mark_read_up_to(conversation, EntryId(bytes(16)))


async def test_what_is_dismissed_counts_no_more_and_is_not_told_as_read(world: World) -> None:
    ana, bo, conversation = await long_talk(world)
    await bo.node.dismiss_unread(conversation)
    assert await unread(bo) == (0, None)
    assert {m.state for m in await bo.node.messages(conversation)} == {MessageState.SEEN}
    sent = await bo.node.send_text(conversation, "what did you say?")
    await world.until(lambda: any(e.message.entry == sent.entry for e in ana.told("message_arrived")))
    assert not ana.told("message_read")


async def test_what_is_unread_is_known_again_after_a_restart(world: World) -> None:
    _, bo, conversation = await long_talk(world)
    there = await bo.node.messages(conversation, limit=1000)
    await bo.node.mark_read(conversation, [there[0].entry, there[5].entry])
    await bo.node.close()
    bo = await world.returns("bo")
    assert await unread(bo) == (298, there[1].place)


async def names_me(person: Person) -> bool:
    (view,) = await person.node.conversations()
    return view.names_me


async def test_a_conversation_in_which_we_are_named_says_so_until_it_was_on_the_screen(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    name = MentionView(UserId("bo"), 0, 3)
    await ana.node.send_text(conversation, "hello")
    await world.shows(bo, conversation, ["hello"])
    assert not await names_me(bo)
    await ana.node.send_text(conversation, "@bo look", mentions=(name,))
    await ana.node.send_text(conversation, "and you?", mentions=())
    await world.shows(bo, conversation, ["hello", "@bo look", "and you?"])
    assert await names_me(bo)
    assert not await names_me(ana)
    await bo.node.close()
    bo = await world.returns("bo")
    assert await names_me(bo)
    first, second, third = await entries(bo, conversation)
    await bo.node.mark_read(conversation, [first, third])
    assert await names_me(bo)
    await bo.node.mark_read(conversation, [second])
    assert not await names_me(bo)


async def test_an_edit_that_names_us_in_what_is_unread_counts(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    sent = await ana.node.send_text(conversation, "look")
    await world.shows(bo, conversation, ["look"])
    await ana.node.edit_message(sent.entry, "@bo look", (MentionView(UserId("bo"), 0, 3),))
    await world.shows(bo, conversation, ["@bo look"])
    assert await names_me(bo)


async def test_a_report_of_too_many_messages_is_refused(world: World) -> None:
    _, bo, conversation = await long_talk(world)
    with pytest.raises(Refusal, match="At most"):
        await bo.node.mark_read(conversation, [EntryId(bytes(16))] * (limits.MESSAGES_PER_PAGE + 1))


async def test_a_page_is_around_the_first_unread_message(world: World) -> None:
    _, bo, conversation = await long_talk(world)
    there = await entries(bo, conversation)
    await bo.node.mark_read_up_to(conversation, there[199])
    page = await bo.node.page(conversation, PageAt(at_unread=True), 40)
    assert [message.text for message in page.messages] == [str(number) for number in range(190, 230)]
    assert (page.has_older, page.has_newer) == (True, True)
    await bo.node.mark_read_up_to(conversation, there[-1])
    page = await bo.node.page(conversation, PageAt(at_unread=True), 40)
    assert [message.text for message in page.messages] == [str(number) for number in range(260, 300)]
    assert (page.has_older, page.has_newer) == (True, False)


async def test_a_page_is_around_a_message(world: World) -> None:
    _, bo, conversation = await long_talk(world)
    there = await entries(bo, conversation)
    for number, shown in ((150, range(130, 170)), (3, range(23)), (298, range(278, 300))):
        page = await bo.node.page(conversation, PageAt(around=there[number]), 40)
        assert [message.text for message in page.messages] == [str(each) for each in shown]
        assert (page.has_older, page.has_newer) == (shown[0] > 0, shown[-1] < 299)


@pytest.mark.parametrize("limit", [1, 3, 50, 299, 300, 301])
async def test_pages_up_and_down_meet_without_gap(world: World, limit: int) -> None:
    _, bo, conversation = await long_talk(world)
    there = await entries(bo, conversation)
    page = await bo.node.page(conversation, PageAt(), limit)
    up = list(page.messages)
    while page.has_older:
        page = await bo.node.page(conversation, PageAt(before=up[0].entry), limit)
        up[:0] = page.messages
    assert [message.entry for message in up] == there
    down = up[:1]
    has_newer = True
    while has_newer:
        page = await bo.node.page(conversation, PageAt(after=down[-1].entry), limit)
        down += page.messages
        has_newer = page.has_newer
    assert down == up


async def test_a_page_beside_a_message_that_is_not_there_is_refused(world: World) -> None:
    _, bo, conversation = await long_talk(world)
    nobody = EntryId(bytes(16))
    for where in (PageAt(before=nobody), PageAt(after=nobody), PageAt(around=nobody)):
        with pytest.raises(Refusal, match="no such message"):
            await bo.node.page(conversation, where)


def test_the_latest_numbers_of_ranges() -> None:
    chance = random.Random(3)
    for _ in range(200):
        numbers = sorted(chance.sample(range(60), chance.randrange(1, 40)))
        ranges = tuple((number, number) for number in numbers)
        most = chance.randrange(0, 45)
        assert [n for first, last in latest(ranges, most) for n in range(first, last + 1)] == numbers[-most:][:most]
    assert latest(((1, 10), (20, 30)), 13) == ((9, 10), (20, 30))
