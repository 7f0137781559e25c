"""A profile that was copied, or restored from a backup: nothing is lost, nothing shows twice, all agree."""

import asyncio
import shutil
from collections import Counter
from pathlib import Path

import pytest

from peer.accounts import accounts
from peer.limits import FORK_ANSWERS
from peer.links.link import Link
from peer.storage import feeds
from peer.views import ConversationId
from protocol import limits
from protocol.entries import Text, read_header, write_entry
from protocol.identity import EntryHash, EntryId
from protocol.link_messages import (
    Entries,
    Equivocation,
    ForkPoint,
    ForkPoints,
    Lines,
    SignedHeader,
    VectorLine,
)
from protocol.registry import Message
from protocol.replication import NO_BUCKETS
from tests.harness.world import Person, World


def _account(world: World, name: str) -> Path:
    (folder,) = (world.folder / name / "accounts").iterdir()
    return folder


async def _all_agree(world: World, one: Person, other: Person, conversation: ConversationId, texts: list[str]) -> None:
    """Both show just these texts, each once, and both hold the same entries."""
    await world.shows(one, conversation, texts)
    await world.shows(other, conversation, texts)
    digests = []

    async def same_digest() -> bool:
        digests[:] = [
            person.node._session.conversations.get(conversation).digest()
            for person in (one, other)  # type: ignore[union-attr]
        ]
        return digests[0] == digests[1]

    await world.until(same_digest)


@pytest.fixture
def _in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a restored profile look as if it had never moved: the file systems that keep an inode do just that."""
    monkeypatch.setattr(accounts.AccountFolder, "home_mark", lambda _: b"always here")


async def _back_up_and_write_on(world: World) -> tuple[Person, Person, ConversationId]:
    """Ana is backed up after two texts, then writes two more that reach Bo, then loses them to the backup."""
    ana, bo, conversation = await world.linked_peers()
    for text in ("one", "two"):
        await ana.node.send_text(conversation, text)
    await world.shows(bo, conversation, ["one", "two"])
    await ana.node.log_out()
    backup = world.folder / "backup"
    shutil.copytree(_account(world, "ana"), backup)
    ana = await world.returns("ana")
    for text in ("three", "four"):
        await ana.node.send_text(conversation, text)
    await world.shows(bo, conversation, ["one", "two", "three", "four"])
    await ana.node.log_out()
    for file in backup.iterdir():
        shutil.copy(file, _account(world, "ana") / file.name)
    return ana, bo, conversation


@pytest.mark.usefixtures("_in_place")
async def test_a_restored_backup_adopts_what_friends_hold(world: World) -> None:
    _, bo, conversation = await _back_up_and_write_on(world)
    ana = await world.returns("ana")
    await _all_agree(world, ana, bo, conversation, ["one", "two", "three", "four"])
    await ana.node.send_text(conversation, "five")
    await _all_agree(world, ana, bo, conversation, ["one", "two", "three", "four", "five"])
    assert await bo.texts(conversation) == ["one", "two", "three", "four", "five"]


@pytest.mark.usefixtures("_in_place")
@pytest.mark.parametrize("count", [1, 2, 5])
async def test_numbers_written_twice_after_a_restore_are_written_again(
    world: World, expected_log: list[str], count: int
) -> None:
    expected_log += ["two versions of a feed", "a gap"]
    _, bo, conversation = await _back_up_and_write_on(world)
    world.network.unplugged.add(world.host("bo"))
    ana = await world.returns("ana")
    again = [f"again {number}" for number in range(count)]
    for text in again:
        await ana.node.send_text(conversation, text)
    await bo.node.send_text(conversation, "meanwhile")
    await asyncio.sleep(15)
    world.network.unplugged.clear()
    texts = ["one", "two", "three", "four", "meanwhile", *again]
    await _all_agree(world, ana, bo, conversation, texts)
    await ana.node.send_text(conversation, "and on")
    await _all_agree(world, ana, bo, conversation, [*texts, "and on"])
    await world.until(lambda: any(e.message.text == "and on" for e in ana.told("message_delivered")))
    await ana.node.log_out()
    ana = await world.returns("ana")
    await _all_agree(world, ana, bo, conversation, [*texts, "and on"])
    await world.until(lambda: _all_delivered(ana, conversation))


async def _all_delivered(person: Person, conversation: ConversationId) -> bool:
    return all(m.state == "delivered" for m in await person.node.messages(conversation) if m.mine)


async def test_a_copied_profile_begins_a_feed_of_its_own(world: World, expected_log: list[str]) -> None:
    expected_log += ["copied or restored"]
    ana, bo, conversation = await world.linked_peers()
    await ana.node.send_text(conversation, "before")
    await world.shows(bo, conversation, ["before"])
    await ana.node.log_out()
    shutil.copytree(world.folder / "ana", world.folder / "copy")
    ana = await world.returns("ana", profile="copy")
    await ana.node.send_text(conversation, "from the copy")
    await world.shows(bo, conversation, ["before", "from the copy"])
    await ana.node.log_out()
    ana = await world.returns("ana")
    await ana.node.send_text(conversation, "from the original")
    await _all_agree(world, ana, bo, conversation, ["before", "from the copy", "from the original"])


def _other_version(person: Person, conversation: ConversationId) -> tuple[SignedHeader, SignedHeader]:
    """Return two headers of somebody's last entry, each signed, and each saying something else."""
    session = person.node._session
    assert session is not None
    known = session.conversations.get(conversation)
    assert known is not None
    feed = known.feeds[session.conversations.own_feed(known)]
    assert session._database._reading is not None
    held = feeds.wire_entry_at(session._database._reading, feed, feed.line.head)
    header = read_header(held.header)
    body = Text(EntryId(bytes(16)), bytes(16), "otherwise")
    other = write_entry(
        session._vault.signing_key,
        session.realm,
        body,
        conversation=conversation,
        feed=feed.feed,
        number=header.number,
        previous=header.previous,
        stamp=header.stamp,
        certificate=b"",
    )
    return SignedHeader(held.header, held.signature), SignedHeader(other.wire.header, other.wire.signature)


async def test_who_asks_and_asserts_without_end_is_answered_so_often_between_two_comparisons(
    world: World, expected_log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected_log.append("two versions of a feed")
    ana, bo, conversation = await world.linked_peers()
    await bo.node.send_text(conversation, "one")
    await world.shows(ana, conversation, ["one"])
    of_ana, of_bo = ana.node._session._book.links[0], bo.node._session._book.links[0]  # type: ignore[union-attr]
    proof = Equivocation(conversation, *_other_version(bo, conversation))
    feed = read_header(proof.first.header).feed
    of_bo.send(proof)
    await asyncio.sleep(3 * limits.RESYNC_SECONDS)
    assert ana.node._session.conversations.get(conversation).feeds[feed].line.closed  # type: ignore[union-attr]
    said: list[Message] = []
    say = Link.send

    def listen(link: Link, message: Message) -> None:
        if link is of_ana:
            said.append(message)
            say(link, message)

    monkeypatch.setattr(Link, "send", listen)
    false = VectorLine(feed, 1, 2, EntryHash(b"x" * 32), closed=True, lacking=())
    points = ForkPoints(conversation, feed, (ForkPoint(1, EntryHash(b"x" * 32)),))
    for _ in range(100):
        for message in (proof, Lines(conversation, NO_BUCKETS, (false,), answer=False), points):
            say(of_bo, message)
        await asyncio.sleep(0.01)
    kinds = Counter(type(message) for message in said)
    assert kinds[Entries] <= 2 * FORK_ANSWERS
    assert kinds[Equivocation] <= 2 * (FORK_ANSWERS + 1)
    assert not [told for told in said if isinstance(told, Lines) and not told.lines], (
        "that would say: we hold just what you told last"
    )
