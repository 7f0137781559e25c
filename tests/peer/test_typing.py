"""That somebody is writing, in virtual time: told to who is linked, never stored, never more often than it may be."""

import asyncio
from collections.abc import Awaitable

from peer.views import MessageView, TypingView
from protocol import link_messages
from tests.harness.world import World


async def test_the_other_hears_who_is_writing_and_where(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await ana.node.typing(conversation)
    await asyncio.sleep(1)
    assert [event.typing for event in bo.told("typing")] == [TypingView(conversation, "ana", "Ana")]
    assert not ana.told("typing")


async def test_every_key_may_say_so_but_it_is_told_every_three_seconds(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    for _ in range(100):
        await ana.node.typing(conversation)
        await asyncio.sleep(0.1)
    assert len(bo.told("typing")) == 4, "at 0, 3, 6 and 9 s"


async def test_who_says_it_all_the_time_is_heard_once_a_second(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    session = ana.node._session
    assert session is not None
    (link,) = session._book.links
    for _ in range(50):
        link.send(link_messages.Typing(conversation))
        await asyncio.sleep(0.1)
    assert 4 <= len(bo.told("typing")) <= 6


async def test_who_wrote_or_changed_what_they_were_writing_writes_no_more_and_that_is_told_first(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()

    async def told_when(act: Awaitable[MessageView], kind: str) -> list[str]:
        await ana.node.typing(conversation)
        await asyncio.sleep(1)
        bo.events.clear()
        await act
        await world.until(lambda: bool(bo.told(kind)))
        await asyncio.sleep(4)
        return [event.type for event in bo.events if event.type in {"typing", kind}]

    sent = ana.node.send_text(conversation, "hello")
    assert await told_when(sent, "message_arrived") == ["typing", "message_arrived"]
    assert [event.typing for event in bo.told("typing")] == [TypingView(conversation, "ana", "Ana", writing=False)]
    (message,) = await ana.node.messages(conversation)
    assert await told_when(ana.node.edit_message(message.entry, "hello!"), "message_changed") == [
        "typing",
        "message_changed",
    ]
    assert await told_when(ana.node.react(message.entry, "👍"), "message_changed") == ["message_changed"]
    for expected in ([False], []):
        bo.events.clear()
        await ana.node.send_text(conversation, "and again")
        await asyncio.sleep(1)
        assert [event.typing.writing for event in bo.told("typing")] == expected, "what has ended does not end again"


async def test_who_is_no_friend_any_more_is_not_told(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await bo.node.remove("ana")
    await world.until(lambda: any(event.contact.state == "removed" for event in ana.told("contact_changed")))
    await ana.node.typing(conversation)
    await asyncio.sleep(1)
    assert not bo.told("typing")
