"""Who comes into a group that has a long history: let in at once, and given each thing once."""

import asyncio
from collections import Counter

import pytest

from peer import limits as node_limits
from peer.links.link import Link
from peer.views import ConversationId
from protocol import limits
from protocol.link_messages import Entries
from protocol.registry import Message
from protocol.replication import count_numbers
from tests.harness.groups import group_of
from tests.harness.world import Person, World


async def a_long_history(world: World, each: int) -> tuple[ConversationId, list[Person], list[str]]:
    """Return a group of three in which each wrote so many messages, and Dan, who is a friend of Bo and not in it."""
    group, people = await group_of(world, "ana", "bo", "chen")
    texts = [f"{person.name} {number}" for number in range(each) for person in people]
    for text in texts:
        author = next(person for person in people if text.startswith(person.name))
        await author.node.send_text(group, text)
    for person in people:
        await world.shows(person, group, texts)
    dan = await world.registered("dan")
    await world.befriend(people[1], dan)
    return group, [*people, dan], texts


class SentTo:
    """Counts what is sent to somebody of a group, from now on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, user: str, group: ConversationId) -> None:
        self.headers: Counter[bytes] = Counter()
        self.bodies: Counter[bytes] = Counter()
        say = Link.send

        def count(link: Link, message: Message) -> None:
            if link.user == user and isinstance(message, Entries) and message.conversation == group:
                self.headers.update(wire.header for wire in message.entries)
                self.bodies.update(wire.header for wire in message.entries if wire.body is not None)
            say(link, message)

        monkeypatch.setattr(Link, "send", count)


async def test_who_is_added_after_a_long_history_is_let_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until they know that they belong here they take no content, and not even headers without end."""
    monkeypatch.setattr(limits, "HEADERS_OF_UNKNOWN_GROUP", 25)
    group, (ana, bo, chen, dan), texts = await a_long_history(world, 20)
    await ana.node.close()
    await chen.node.close()
    sent = SentTo(monkeypatch, "dan", group)
    await bo.node.add_to_group(group, "dan")
    await world.until(lambda: bool(dan.told("group_changed")))
    await world.shows(dan, group, texts)
    assert max(sent.bodies.values()) == 1
    assert sent.headers.total() <= len(texts) + 20 + 5, (
        "what of Bo came before the word that Dan is in, came without bodies"
    )
    assert not set(sent.headers) - set(sent.bodies)


async def test_a_group_that_is_not_ours_cannot_fill_the_disk_with_headers(
    world: World, monkeypatch: pytest.MonkeyPatch, expected_log: list[str]
) -> None:
    expected_log += ["too many entries of a group that is not ours", "a gap: "]
    monkeypatch.setattr(limits, "HEADERS_OF_UNKNOWN_GROUP", 15)
    monkeypatch.setattr(node_limits, "NEWCOMER_SECONDS", 0.0)
    group, (_, bo, _, dan), _ = await a_long_history(world, 20)
    await bo.node.add_to_group(group, "dan")
    session = dan.node._session
    assert session is not None
    await asyncio.sleep(60)
    unknown = session.conversations.get(group)
    assert unknown is not None
    assert unknown.group is not None
    assert "dan" not in unknown.group.members
    assert sum(count_numbers(feed.line.lacking) for feed in unknown.feeds.values()) == 15
