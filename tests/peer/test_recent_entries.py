"""What is known to be no news: what is held with its body, in a feed that goes on, and nothing else."""

from collections import Counter

import msgspec
import pytest

from peer import limits
from peer.entries import intake
from peer.entries.happened import Happened
from peer.entries.recent_entries import RecentEntries
from peer.replication.synchronizer import Synchronizer
from peer.storage.feeds import ConversationRow, FeedRow
from protocol.entries import Entry, Text, read_entry, write_entry
from protocol.identity import NO_HASH, ConversationId, EntryHash, EntryId, FeedId, Realm, UserId
from protocol.link_messages import Entries, VectorLine
from protocol.signatures import SigningKey
from tests.harness.groups import group_of, hold_the_same
from tests.harness.world import World

KEY = SigningKey(b"b" * 32)
HERE = ConversationRow(1, ConversationId(b"c" * 32), None, bytes(16))
ELSEWHERE = ConversationId(b"e" * 32)
FEED = FeedId.of(KEY.device, bytes(16))
ROW = 7


def written(count: int) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(1, count + 1):
        entry = write_entry(
            KEY,
            Realm(bytes(32)),
            Text(EntryId(number.to_bytes(16, "big")), bytes(16), f"text {number}"),
            conversation=HERE.conversation,
            feed=FEED,
            number=number,
            previous=entries[-1].hash if entries else NO_HASH,
            stamp=number,
            certificate=b"certificate",
        )
        entries.append(entry)
    return entries


def stored(*entries: Entry, closed: bool = False) -> Happened:
    head = entries[-1].header.number if entries else 1
    line = VectorLine(FEED, 1, head, EntryHash(bytes(32)), closed=closed)
    feed = FeedRow(ROW, HERE.row, UserId("bo"), KEY.public, b"certificate", 0, line)
    return Happened(HERE, feeds={FEED: feed}, entries=list(entries))


def news_of(recent: RecentEntries, entries: list[Entry], conversation: ConversationId = HERE.conversation) -> list[int]:
    news, _ = recent.sift(conversation, [entry.wire for entry in entries])
    return [read_entry(wire).header.number for wire in news]


def without_body(entry: Entry) -> Entry:
    return read_entry(msgspec.structs.replace(entry.wire, body=None))


def test_what_was_stored_is_no_news_and_is_at_hand() -> None:
    recent, entries = RecentEntries(), written(4)
    recent.take(stored(*entries[:3]))
    news, named = recent.sift(HERE.conversation, [entry.wire for entry in entries])
    assert (list(news), named) == ([entries[3].wire], {FEED: 3})
    assert recent.between(ROW, 2, 3) == [entries[1].wire, entries[2].wire]
    assert recent.between(ROW, 2, 4) is None
    assert news_of(recent, entries[:1], ELSEWHERE) == [1]


def test_a_header_alone_is_not_all_there_is() -> None:
    recent, entries = RecentEntries(), written(2)
    headers = [without_body(entry) for entry in entries]
    recent.take(stored(*headers))
    assert news_of(recent, entries) == [1, 2]
    assert news_of(recent, headers) == []
    assert recent.between(ROW, 1, 2) is None
    recent.take(stored(entries[0]))
    assert news_of(recent, entries) == [2]


def test_what_was_erased_or_stands_in_a_closed_feed_is_asked_of_the_disk() -> None:
    recent, entries = RecentEntries(), written(3)
    recent.take(stored(*entries))
    happened = stored()
    happened.erased = [(ROW, 2)]
    recent.take(happened)
    assert news_of(recent, entries) == [2]
    assert recent.between(ROW, 1, 3) is None
    recent.take(stored(entries[2], closed=True))
    assert news_of(recent, entries) == [1, 2, 3]
    assert recent.between(ROW, 1, 1) is None


def test_no_more_is_remembered_than_the_limits_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECENT_ENTRIES", 2)
    monkeypatch.setattr(limits, "RECENT_HASHES", 4)
    recent, entries = RecentEntries(), written(6)
    recent.take(stored(*entries))
    assert news_of(recent, entries) == [1, 2]
    assert [recent.between(ROW, number, number) is not None for number in range(1, 7)] == [False] * 4 + [True] * 2


async def test_what_comes_from_every_neighbour_is_stored_once_and_asked_of_the_disk_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, people = await group_of(world, "ana", "bo", "chen", "dan", "eve")
    await hold_the_same(world, people, group)
    counts: Counter[str] = Counter()
    take, handle = intake.take_entries, Synchronizer.handle

    def count_jobs(*arguments: object) -> Happened:
        counts["stored"] += 1
        return take(*arguments)  # type: ignore[arg-type]

    async def count_frames(synchronizer: Synchronizer, link: object, message: object) -> None:
        counts["came"] += isinstance(message, Entries)
        await handle(synchronizer, link, message)  # type: ignore[arg-type]

    monkeypatch.setattr(intake, "take_entries", count_jobs)
    monkeypatch.setattr(Synchronizer, "handle", count_frames)
    await people[0].node.send_text(group, "hello")
    for person in people:
        await world.shows(person, group, ["hello"])
    await hold_the_same(world, people, group)
    assert counts["came"] > counts["stored"] == len(people) - 1
