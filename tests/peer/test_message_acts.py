"""Edits, replies, mentions and reactions between three nodes, in virtual time."""

import asyncio
from collections.abc import Callable

import pytest

from peer import limits
from peer.errors import Refusal, RefusalCode
from peer.views import ConversationId, EntryId, MentionView, MessageKind, MessageView, QuoteView
from protocol.limits import MENTIONS, TEXT_BYTES
from tests.harness.world import Person, World
from tests.peer.test_groups import group_of_three

NOWHERE = EntryId(bytes(16))


async def seen_by(person: Person, conversation: ConversationId, entry: EntryId) -> MessageView:
    """Return a message as somebody has it."""
    (message,) = [each for each in await person.node.messages(conversation, limit=1000) if each.entry == entry]
    return message


async def sees(
    world: World,
    person: Person,
    conversation: ConversationId,
    entry: EntryId,
    condition: Callable[[MessageView], bool],
) -> MessageView:
    async def holds() -> bool:
        found = [each for each in await person.node.messages(conversation) if each.entry == entry]
        return bool(found) and condition(found[0])

    await world.until(holds)
    return await seen_by(person, conversation, entry)


# --- edits ---------------------------------------------------------------------------------------


async def test_an_edited_text_reads_the_same_for_everybody_and_says_that_it_was_edited(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    sent = await ana.node.send_text(group, "at noon")
    await world.shows(chen, group, ["at noon"])
    await asyncio.sleep(60)
    edited = await ana.node.edit_message(sent.entry, "at one")
    assert (edited.text, edited.written_at, edited.place) == ("at one", sent.written_at, sent.place)
    assert edited.edited_at is not None
    assert edited.edited_at > sent.written_at
    for person in (bo, chen):
        message = await sees(world, person, group, sent.entry, lambda message: message.text == "at one")
        assert message.edited_at == edited.edited_at
        assert [event.message.text for event in person.told("message_changed")][-1] == "at one"
    assert (await ana.node.conversations())[0].last_entry == await seen_by(ana, group, sent.entry)


async def test_the_last_of_many_edits_counts_also_for_who_comes_later(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await bo.node.close()
    sent = await ana.node.send_text(conversation, "one")
    for text in ("two", "three", "four"):
        await ana.node.edit_message(sent.entry, text)
    bo = await world.returns("bo")
    message = await sees(world, bo, conversation, sent.entry, lambda message: message.text == "four")
    assert (message.state, len(await bo.texts(conversation))) == ("arrived", 1)
    assert (await bo.node.conversations())[0].unread == 1, "edits do not count"


async def test_an_edit_is_no_news_that_makes_a_message_unread(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    sent = await ana.node.send_text(conversation, "one")
    await world.shows(bo, conversation, ["one"])
    await bo.node.mark_read(conversation, [sent.entry])
    await ana.node.edit_message(sent.entry, "two")
    await ana.node.react(sent.entry, "👍")
    await sees(world, bo, conversation, sent.entry, lambda message: bool(message.reactions))
    assert (await bo.node.conversations())[0].unread == 0


async def test_only_who_wrote_it_can_edit_and_only_what_can_be_read(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    sent = await ana.node.send_text(group, "mine")
    await world.shows(bo, group, ["mine"])
    (created,) = [each for each in await ana.node.messages(group) if each.kind is MessageKind.MEMBERSHIP]
    for who, entry, text, code in (
        (bo, sent.entry, "yours", RefusalCode.NOT_YOURS),
        (ana, NOWHERE, "nothing", RefusalCode.UNKNOWN_ENTRY),
        (ana, sent.entry, " \n", RefusalCode.EMPTY_MESSAGE),
        (ana, sent.entry, "x" * 1_000_000, RefusalCode.TOO_LARGE),
        (ana, sent.entry, "half \ud83d", RefusalCode.BAD_REQUEST),
        (ana, created.entry, "never happened", RefusalCode.BAD_REQUEST),
    ):
        with pytest.raises(Refusal) as refused:
            await who.node.edit_message(entry, text)
        assert refused.value.code is code, text[:20]
    await ana.node.leave_group(group)
    with pytest.raises(Refusal) as refused:
        await ana.node.edit_message(sent.entry, "after all")
    assert refused.value.code is RefusalCode.NOT_A_MEMBER
    assert (await seen_by(chen, group, sent.entry)).text == "mine"


async def test_the_longest_text_can_be_edited_into_another_longest_one(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    sent = await ana.node.send_text(conversation, "é" * (TEXT_BYTES // 2))
    mentions = [MentionView(bo.name, 2 * place, 1) for place in range(MENTIONS)]  # type: ignore[arg-type]
    edited = await ana.node.edit_message(sent.entry, "ü" * (TEXT_BYTES // 2), mentions)
    message = await sees(world, bo, conversation, sent.entry, lambda message: message.text == edited.text)
    assert len(message.mentions) == MENTIONS


async def test_a_caption_can_be_edited_and_the_file_stays(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    path = world.folder / "slides.txt"
    path.write_text("content")
    sent = await ana.node.send_file(conversation, path, "for tomrrow")
    await ana.node.edit_message(sent.entry, "for tomorrow")
    message = await sees(world, bo, conversation, sent.entry, lambda message: message.text == "for tomorrow")
    assert message.attachment is not None
    assert (message.kind, message.attachment.name) == (MessageKind.FILE, "slides.txt")
    assert (await ana.node.edit_message(sent.entry, "")).text == ""
    await sees(world, bo, conversation, sent.entry, lambda message: not message.text)


# --- replies -------------------------------------------------------------------------------------


async def test_a_reply_quotes_what_it_answers_as_that_is_now(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    asked = await ana.node.send_text(conversation, "at noon?" + "!" * 1000)
    await world.until(lambda: bool(bo.told("message_arrived")))
    answer = await bo.node.send_text(conversation, "yes", asked.entry)
    quoted = QuoteView(asked.entry, MessageKind.TEXT, asked.author, "Ana", "at noon?" + "!" * 192)
    assert answer.quoted == quoted
    got = await sees(world, ana, conversation, answer.entry, lambda message: True)
    assert (got.reply_to, got.quoted) == (asked.entry, quoted)
    await ana.node.edit_message(asked.entry, "at one?")
    for person in (ana, bo):
        reply = await sees(
            world, person, conversation, answer.entry, lambda m: m.quoted is not None and m.quoted.text == "at one?"
        )
        assert reply in [event.message for event in person.told("message_changed")]


async def test_what_is_not_here_cannot_be_answered(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    chen = await world.registered("chen")
    elsewhere = await chen.node.send_text(await world.befriend(ana, chen), "another conversation")
    for entry in (NOWHERE, elsewhere.entry):
        with pytest.raises(Refusal) as refused:
            await ana.node.send_text(conversation, "answer", entry)
        assert refused.value.code is RefusalCode.UNKNOWN_ENTRY
    assert await bo.texts(conversation) == []


# --- mentions ------------------------------------------------------------------------------------


async def test_who_is_mentioned_knows_it(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    text = "👋 @Bo, @Ana"
    named = [MentionView(bo.name, 2, 3), MentionView(ana.name, 7, 4)]  # type: ignore[arg-type]
    sent = await ana.node.send_text(group, text, None, named)
    assert (list(sent.mentions), sent.mentions_me) == (named, False), "one's own name is no news"
    for person, is_me in ((bo, True), (chen, False)):
        message = await sees(world, person, group, sent.entry, lambda message: True)
        assert (list(message.mentions), message.mentions_me) == (named, is_me)
    await ana.node.edit_message(sent.entry, "@Chen", [MentionView(chen.name, 0, 5)])  # type: ignore[arg-type]
    assert (await sees(world, chen, group, sent.entry, lambda m: m.mentions_me)).text == "@Chen"
    await sees(world, bo, group, sent.entry, lambda m: not m.mentions_me)


@pytest.mark.parametrize(
    ("mentions", "code"),
    [
        ([("bo", 0, 4)], RefusalCode.BAD_REQUEST),
        ([("bo", -1, 2)], RefusalCode.BAD_REQUEST),
        ([("bo", 0, 0)], RefusalCode.BAD_REQUEST),
        ([("bo", 0, 2), ("bo", 1, 2)], RefusalCode.BAD_REQUEST),
        ([("zoe", 0, 2)], RefusalCode.NOT_A_MEMBER),
        ([("bo", 0, 1)] * (MENTIONS + 1), RefusalCode.TOO_MANY),
    ],
)
async def test_a_mention_is_in_the_text_and_of_a_member(
    world: World, mentions: list[tuple[str, int, int]], code: RefusalCode
) -> None:
    ana, _, conversation = await world.linked_peers()
    views = [MentionView(*mention) for mention in mentions]  # type: ignore[arg-type]
    with pytest.raises(Refusal) as refused:
        await ana.node.send_text(conversation, "@Bo", None, views)
    assert refused.value.code is code
    assert await ana.texts(conversation) == []


# --- reactions -----------------------------------------------------------------------------------


async def test_everybody_has_one_reaction_and_can_change_it_and_take_it_back(world: World) -> None:
    ana, bo, chen, group = await group_of_three(world)
    sent = await ana.node.send_text(group, "we won")
    for person in (bo, chen):
        await world.shows(person, group, ["we won"])
    await bo.node.react(sent.entry, "👍")
    await asyncio.sleep(1)
    await chen.node.react(sent.entry, "👍")
    await asyncio.sleep(1)
    mine = await ana.node.react(sent.entry, "🎉")
    assert [(each.emoji, each.users, each.names, each.mine) for each in mine.reactions] == [
        ("👍", ("bo", "chen"), ("Bo", "Chen"), False),
        ("🎉", ("ana",), ("Ana",), True),
    ]
    await asyncio.sleep(1)
    await bo.node.react(sent.entry, "🎉")
    await chen.node.react(sent.entry, "")
    for person in (ana, bo, chen):
        message = await sees(
            world,
            person,
            group,
            sent.entry,
            lambda message: [(each.emoji, each.users) for each in message.reactions] == [("🎉", ("ana", "bo"))],
        )
        assert [each.mine for each in message.reactions] == [person.name != "chen"]


async def test_the_same_reaction_again_is_no_entry(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    sent = await ana.node.send_text(conversation, "hello")
    await ana.node.react(sent.entry, "👍")
    await asyncio.sleep(1)
    told = len(bo.told("message_changed"))
    assert [each.emoji for each in (await ana.node.react(sent.entry, "👍")).reactions] == ["👍"]
    assert not (await ana.node.react((await ana.node.send_text(conversation, "x")).entry, "")).reactions
    await asyncio.sleep(5)
    assert len(bo.told("message_changed")) == told


@pytest.mark.parametrize("emoji", ["ok", "👍👍", "x" * 1000, "\u202e"])
async def test_a_reaction_is_one_emoji(world: World, emoji: str) -> None:
    ana, _, conversation = await world.linked_peers()
    sent = await ana.node.send_text(conversation, "hello")
    with pytest.raises(Refusal) as refused:
        await ana.node.react(sent.entry, emoji)
    assert refused.value.code is RefusalCode.BAD_REQUEST


async def test_who_reacts_a_hundred_times_a_second_is_asked_to_wait(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    sent = await ana.node.send_text(conversation, "hello")
    refusals = []
    for number in range(100):
        try:
            await ana.node.react(sent.entry, chr(0x1F600 + number % 50))
        except Refusal as refusal:
            refusals.append(refusal)
        await asyncio.sleep(0.01)
    taken = 100 - len(refusals)
    assert limits.ACTS_AT_ONCE <= taken <= limits.ACTS_AT_ONCE + limits.ACTS_A_SECOND + 1
    assert {refusal.code for refusal in refusals} == {RefusalCode.RATE_LIMITED}
    await asyncio.sleep(refusals[-1].retry_after)
    last = await ana.node.react(sent.entry, "🎉")
    message = await sees(world, bo, conversation, sent.entry, lambda message: message.reactions[0].emoji == "🎉")
    assert [(each.emoji, each.users) for each in message.reactions] == [("🎉", ("ana",))]
    assert last.reactions[0].mine
