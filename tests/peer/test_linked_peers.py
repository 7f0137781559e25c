"""Two linked nodes in virtual time: what the network does to them must not show in what people see."""

import asyncio
from datetime import timedelta

import pytest

from peer.errors import Refusal
from peer.links.link import Link
from peer.views import ConversationId, MessageState
from protocol.consent import Consent, Standing
from protocol.identity import UserId
from protocol.link_messages import Entries
from protocol.registry import Message
from tests.harness.world import LinkedPeers, Person, World


async def test_a_text_arrives_and_its_states_follow(world: World, linked_peers: LinkedPeers) -> None:
    ana, bo, conversation = await linked_peers()
    sent = await ana.node.send_text(conversation, "hello")
    assert sent.state is MessageState.STORED
    await world.until(lambda: bool(ana.told("message_delivered")))
    (arrived,) = bo.told("message_arrived")
    assert (arrived.message.text, arrived.message.state) == ("hello", MessageState.ARRIVED)
    await bo.node.mark_read(conversation, [sent.entry])
    await world.until(lambda: bool(ana.told("message_read")))
    assert [m.state for m in await ana.node.messages(conversation)] == [MessageState.READ]
    assert [m.state for m in await bo.node.messages(conversation)] == [MessageState.SEEN]


async def test_what_came_from_a_neighbour_is_not_sent_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, _, conversation = await world.linked_peers()
    sent: list[tuple[str, int]] = []
    really_send = Link.send

    def send(link: Link, message: Message) -> None:
        if isinstance(message, Entries):
            sent.append((str(link.user), len(message.entries)))
        really_send(link, message)

    monkeypatch.setattr(Link, "send", send)
    for number in range(20):
        await ana.node.send_text(conversation, f"{number}")
    await world.until(lambda: len(ana.told("message_delivered")) == 20)
    await asyncio.sleep(1)
    assert {to for to, _ in sent} == {"bo"}
    assert sum(count for _, count in sent) == 20


@pytest.mark.parametrize("crumb", [1, 7, 100])
async def test_a_stream_cut_into_crumbs_gives_the_same_messages(world: World, crumb: int) -> None:
    world.network.crumb = crumb
    ana, bo, conversation = await world.linked_peers()
    texts = [f"text {number}" for number in range(5)]
    for text in texts:
        await ana.node.send_text(conversation, text)
    await world.shows(bo, conversation, texts)


async def test_a_slow_network_only_delays(world: World) -> None:
    world.network.delay = 0.7
    ana, bo, conversation = await world.linked_peers()
    await asyncio.gather(*(ana.node.send_text(conversation, f"a{n}") for n in range(50)))
    await asyncio.gather(*(bo.node.send_text(conversation, f"b{n}") for n in range(50)))
    texts = [f"{who}{n}" for who in "ab" for n in range(50)]
    await world.shows(ana, conversation, texts)
    await world.shows(bo, conversation, texts)


async def test_a_dead_link_is_noticed_within_ten_seconds(world: World) -> None:
    ana, bo, _ = await world.linked_peers()
    loop = asyncio.get_running_loop()
    ana.events.clear()
    world.network.unplugged.add(world.host("bo"))
    start = loop.time()
    await world.until(lambda: any(not e.contact.linked for e in ana.told("presence_changed")))
    assert loop.time() - start <= 10
    world.network.unplugged.clear()
    await world.until(lambda: bool(ana.told("presence_changed")) and ana.told("presence_changed")[-1].contact.linked)
    assert (await bo.node.session()).links == 1  # type: ignore[union-attr]


async def test_texts_written_while_apart_cross_and_arrive_on_both_sides(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    world.network.unplugged.add(world.host("bo"))
    await asyncio.sleep(15)
    await ana.node.send_text(conversation, "from ana")
    await bo.node.send_text(conversation, "from bo")
    world.network.unplugged.clear()
    for person in (ana, bo):
        await world.shows(person, conversation, ["from ana", "from bo"])


async def test_both_dialling_at_once_leaves_one_link(world: World) -> None:
    ana, bo, _ = await world.linked_peers()
    for _ in range(20):
        world.network.hang_up(world.host("ana"))
        await asyncio.sleep(3)
        views = [await person.node.session() for person in (ana, bo)]
        assert [view.links for view in views if view] == [1, 1]
        session = ana.node._session
        assert session is not None
        assert session.contacts._linked == {"bo": 1}
        assert len(session._synchronizer._links) == 1


async def test_ten_thousand_entries_written_apart_are_caught_up(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    await bo.node.log_out()
    for _ in range(10):
        await asyncio.gather(*(ana.node.send_text(conversation, "x") for _ in range(300)))
    bo = await world.returns("bo")
    await world.until(lambda: len(bo.told("message_arrived")) == 3000)
    await world.until(lambda: len(ana.told("message_delivered")) == 3000)


async def test_a_clock_days_ahead_drags_nobody(world: World) -> None:
    await world.start_locator()
    ana, bo, conversation = await world.linked_peers()
    ana.clock.error = timedelta(days=3)
    await ana.node.send_text(conversation, "from the future")
    await world.until(lambda: bool(bo.told("message_arrived")))
    await bo.node.send_text(conversation, "from now")
    await world.until(lambda: bool(ana.told("message_arrived")))
    assert await bo.texts(conversation) == ["from the future", "from now"]
    (arrived,) = bo.told("message_arrived")
    assert arrived.message.written_at <= bo.clock()
    for text in ("one", "two", "three"):
        await bo.node.send_text(conversation, text)
    assert (await bo.texts(conversation))[-3:] == ["one", "two", "three"]


async def test_a_friend_who_was_removed_gets_and_gives_no_more_texts(world: World, expected_log: list[str]) -> None:
    expected_log.append("was refused")
    ana, bo, conversation = await world.linked_peers()
    world.network.unplugged.add(world.host("bo"))
    await asyncio.sleep(15)
    await bo.node.send_text(conversation, "written before bo knew")
    await ana.node.remove("bo")
    world.network.unplugged.clear()
    await world.until(lambda: any(e.contact.state == "removed" for e in bo.told("contact_changed")))
    with pytest.raises(Refusal, match="both have said yes"):
        await bo.node.send_text(conversation, "after")
    assert await ana.texts(conversation) == []
    await bo.node.ask("ana", "sorry")
    await world.until(lambda: bool(ana.told("contact_asked")))
    await ana.node.accept("bo")
    await world.shows(ana, conversation, ["written before bo knew"])


async def test_reading_is_told_after_a_time_apart(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    sent = await ana.node.send_text(conversation, "read me")
    await world.until(lambda: bool(bo.told("message_arrived")))
    await ana.node.log_out()
    await bo.node.mark_read(conversation, [sent.entry])
    ana = await world.returns("ana")
    await world.until(lambda: bool(ana.told("message_read")))


async def _draft(person: Person, conversation: ConversationId) -> str:
    (view,) = [view for view in await person.node.conversations() if view.conversation == conversation]
    return view.draft


async def test_a_draft_is_there_after_a_restart_and_gone_once_sent(world: World) -> None:
    ana, _, conversation = await world.linked_peers()
    await ana.node.keep_draft(conversation, "half a thou\ud83dght 好")
    await ana.node.log_out()
    ana = await world.returns("ana")
    assert await _draft(ana, conversation) == "half a thou?ght 好"
    await ana.node.send_text(conversation, "something else")
    assert await _draft(ana, conversation) == "half a thou?ght 好"
    await ana.node.send_text(conversation, "half a thou?ght 好")
    assert await _draft(ana, conversation) == ""


async def test_a_draft_far_too_long_is_refused_and_the_one_before_stays(world: World) -> None:
    ana, _, conversation = await world.linked_peers()
    await ana.node.keep_draft(conversation, "before")
    with pytest.raises(Refusal, match="too long"):
        await ana.node.keep_draft(conversation, "x" * 300_000)
    assert await _draft(ana, conversation) == "before"


async def test_what_was_held_already_is_confirmed_again(world: World) -> None:
    """The word about it may have gone to a link that a newer one replaced at that very moment."""
    ana, _, conversation = await world.linked_peers()
    await ana.node.send_text(conversation, "hello")
    await world.until(lambda: bool(ana.told("message_delivered")))
    session = ana.node._session
    assert session is not None
    known = session.conversations.get(conversation)
    assert known is not None
    known.held.clear()
    ana.events.clear()
    (sync,) = session._synchronizer._links.values()
    feed = known.feeds[session.conversations.own_feed(known)]
    await sync.send_entries(known, feed, 1, feed.line.head)
    await world.until(lambda: bool(ana.told("message_delivered")), seconds=5)


async def test_a_name_that_comes_late_does_not_unblock_anybody(world: World) -> None:
    ana, _, _ = await world.linked_peers()
    session = ana.node._session
    assert session is not None
    session.contacts._consent_changed(UserId("bo"), Standing(Consent.FRIENDS, 1), {UserId("bo"): "Bo the Second"})
    await ana.node.block("bo")
    await ana.node.log_out()
    ana = await world.returns("ana")
    (contact,) = await ana.node.contacts()
    assert (contact.blocked, contact.name) == (True, "Bo the Second")
