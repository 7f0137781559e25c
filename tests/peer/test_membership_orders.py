"""Whatever order entries of a group come in, all who are offered the same hold the same, and agree who belongs to it.

Histories are random: people who were told different things at different times add, exclude and promote each other, go
and come again, on devices of which one was copied. Each reader is offered all of it in an order of its own.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count, permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from peer.entries import intake
from peer.entries.conversation import load_conversations
from peer.entries.happened import Happened
from peer.entries.intake import EntryTaker
from peer.storage import feeds, groups, messages
from peer.storage.database import Connection, _open_and_migrate
from peer.storage.feeds import ConversationRow
from protocol import limits
from protocol.act_bodies import Deleted, Edited, Reacted
from protocol.entries import Attachment, Body, Entry, Text, write_entry
from protocol.group_bodies import (
    Added,
    Created,
    Excluded,
    Left,
    ManagerChanged,
    MembershipBody,
    NewMember,
    Renamed,
    Seen,
)
from protocol.identity import NO_CONVERSATION, NO_HASH, ConversationId, EntryId, FeedId, PieceHash, UserId
from protocol.link_messages import SignedHeader, VectorLine
from protocol.membership import Act, Membership, fold_membership
from protocol.replication import subtract
from tests.peer.test_intake import NOW_MS, REALM, author

WRITERS = ("ana", "bo", "chen", "dan", "eve")
READERS = ("xena", "yann", "zoe")
"""They write nothing; the last is added by somebody."""
AUTHORS = {name: author(name) for name in (*WRITERS, *READERS)}
STEPS = 60
DEEDS = {"text": 4, "add": 3, "exclude": 3, "promote": 3, "rename": 1, "leave": 0.3, "delete": 1, "edit": 1, "react": 1}


@dataclass
class Writer:
    """Somebody on one device, and what they hold: of each feed so many entries."""

    name: str
    feed: FeedId
    held: dict[FeedId, list[Entry]] = field(default_factory=dict)

    def copied(self) -> "Writer":
        return replace(self, held=dict(self.held))

    def hear(self, other: "Writer") -> None:
        for feed, entries in other.held.items():
            mine = self.held.get(feed, [])
            if len(entries) > len(mine) and entries[: len(mine)] == mine:
                self.held[feed] = entries

    def group(self) -> Membership:
        return fold_membership(
            Act(UserId(OWNERS[feed]), feed, entry.header.number, entry.hash, entry.body)
            for feed, entries in self.held.items()
            for entry in entries
            if isinstance(entry.body, MembershipBody)
        )

    def seen(self) -> tuple[Seen, ...]:
        return tuple(
            Seen(feed, len(entries), entries[-1].hash) for feed, entries in self.held.items() if feed != self.feed
        )


OWNERS: dict[FeedId, str] = {}


class History:
    """What they wrote, knowing what."""

    def __init__(self, seed: int, steps: int = STEPS) -> None:
        self.chance = random.Random(seed)
        self.conversation: ConversationId = NO_CONVERSATION
        self.writers = [Writer(name, self.fresh_feed(name)) for name in WRITERS]
        first = self.writers[0]
        here = (*WRITERS[:3], *READERS[:2])
        created = self.write(first, Created(*self.names(), (), "Lab", tuple(map(new_member, here))))
        self.conversation = ConversationId(created.hash)
        for other in self.writers[1:3]:
            other.hear(first)
        for step in range(steps):
            self._do_something(self.chance.choice(self.writers))
            if step == steps // 2:
                self.writers.append(self.chance.choice(self.writers[1:]).copied())
        self.branches = [entries for writer in self.writers for entries in writer.held.values()]

    def fresh_feed(self, name: str) -> FeedId:
        feed = FeedId.of(AUTHORS[name].key.device, self.chance.randbytes(16))
        OWNERS[feed] = name
        return feed

    def names(self) -> tuple[EntryId, bytes]:
        return EntryId(self.chance.randbytes(16)), bytes(16)

    def write(self, writer: Writer, body: Body) -> Entry:
        mine = writer.held.get(writer.feed, [])
        entry = write_entry(
            AUTHORS[writer.name].key,
            REALM,
            body,
            conversation=self.conversation,
            feed=writer.feed,
            number=len(mine) + 1,
            previous=mine[-1].hash if mine else NO_HASH,
            stamp=NOW_MS,
            certificate=AUTHORS[writer.name].certificate,
        )
        writer.held[writer.feed] = [*mine, entry]
        return entry

    def _do_something(self, writer: Writer) -> None:
        group = writer.group()
        if self.chance.random() < 0.35 or writer.name not in group.members:
            writer.hear(self.chance.choice(self.writers))
            return
        if writer.feed in group.ended:
            writer.feed = self.fresh_feed(writer.name)
        body = self._body(writer, group)
        if body is not None:
            self.write(writer, body)

    def _body(self, writer: Writer, group: Membership) -> Body | None:
        chance, seen, names = self.chance, writer.seen(), self.names()
        others = [UserId(name) for name in group.members if name != writer.name]
        strangers = [name for name in (*WRITERS, READERS[-1]) if name not in group.members]
        may = writer.name in group.managers or chance.random() < 0.1
        texts = [entry for entries in writer.held.values() for entry in entries if isinstance(entry.body, Text)]
        target = chance.choice(texts) if texts else None
        assert target is None or isinstance(target.body, Text)
        match chance.choices(*zip(*DEEDS.items(), strict=True))[0]:
            case "delete" if target is not None and target.body is not None:
                place = Seen(target.header.feed, target.header.number, target.hash)
                return Deleted(*names, target.body.entry_id, place)
            case "edit" if target is not None and target.body is not None:
                return Edited(*names, target.body.entry_id, chance.randrange(1, 4), f"edited {chance.randrange(10**9)}")
            case "react" if target is not None and target.body is not None:
                return Reacted(*names, target.body.entry_id, chance.randrange(1, 4), chance.choice(("👍", "❤️", "")))
            case "add" if strangers:
                return Added(*names, seen, new_member(chance.choice(strangers)), chance.random() < 0.3)
            case "exclude" if others and may:
                user = chance.choice(others)
                theirs = tuple(each for each in seen if OWNERS[each.feed] == user)
                return Excluded(*names, seen, user, theirs)
            case "promote" if others and may:
                return ManagerChanged(*names, seen, chance.choice(others), chance.random() < 0.8)
            case "rename":
                return Renamed(*names, seen, f"Lab {chance.randrange(100)}")
            case "leave":
                return Left(*names, seen)
            case _:
                return Text(*names, f"{writer.name} {chance.randrange(10**9)}")


def new_member(name: str) -> NewMember:
    return NewMember(UserId(name), name, (AUTHORS[name].key.device,))


class Reader:
    """Takes entries in, and remembers what it was told of the group."""

    def __init__(self, user: str, group: ConversationId) -> None:
        self.user = UserId(user)
        self.connection: Connection = _open_and_migrate(Path(":memory:"), b"k" * 32)
        self.told = Membership()
        self._group = group

    def take(self, entries: list[Entry], sender: str = "") -> Happened:
        wires = tuple(entry.wire for entry in entries)
        given_by = UserId(sender) if sender else None
        return self._note(
            intake.take_entries(self.connection, AUTHORS[self.user], self._row(), wires, NOW_MS, given_by)
        )

    def prove(self, one: Entry, other: Entry) -> Happened:
        headers = (SignedHeader(each.wire.header, each.wire.signature) for each in (one, other))
        return self._note(EntryTaker(self.connection, AUTHORS[self.user], self._row(), NOW_MS).take_proof(*headers))

    def take_all(self, history: History, chance: random.Random) -> None:
        """Be offered everything, again and again, until nothing changes any more."""
        self.take(history.branches[0][:1])
        lines = None
        while lines != (lines := self.lines()):
            at = [0] * len(history.branches)
            while waiting := [n for n, entries in enumerate(history.branches) if at[n] < len(entries)]:
                number, count = chance.choice(waiting), chance.randint(1, 5)
                entries = history.branches[number]
                self.take(entries[at[number] : at[number] + count])
                at[number] += count
                if chance.random() < 0.1:
                    self._be_proven(history, chance)

    def _be_proven(self, history: History, chance: random.Random) -> None:
        one, other = chance.choice(history.branches), chance.choice(history.branches)
        place = next((n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0].hash != pair[1].hash), None)
        if place is not None and one[0].header.feed == other[0].header.feed:
            self.prove(one[place], other[place])

    def lines(self) -> dict[FeedId, VectorLine]:
        (conversation,) = load_conversations(self.connection, self.user)
        return dict(conversation.told_lines())

    def group(self) -> Membership:
        return groups.membership_in(self.connection, self._row().row)

    def held(self) -> dict[FeedId, VectorLine]:
        """Return the lines, but for bodies withheld from some: these do not know whether anybody still holds them."""
        return {
            name: msgspec.structs.replace(line, lacking=subtract(line.lacking, ((1, self._withheld_up_to(name)),)))
            for name, line in self.lines().items()
        }

    def _withheld_up_to(self, feed: FeedId) -> int:
        group = self.group()
        return max(group.withheld_from(UserId(name), feed) for name in READERS)

    def shown(self) -> dict[EntryId, tuple[Any, ...]]:
        found = messages.newest_messages(self.connection, self._row().row, 10_000)
        return {
            row.entry: (row.author, row.kind, row.text, row.reactions, row.deleted_by)
            for row in found
            if row.number > self._withheld_up_to(row.feed)
        }

    def _row(self) -> ConversationRow:
        known = feeds.find_conversation(self.connection, self._group)
        return known or ConversationRow(0, self._group, None, bytes(16))

    def _note(self, happened: Happened) -> Happened:
        if happened.group is not None:
            self.told = happened.group
        return happened


@pytest.mark.parametrize(
    "first", [*range(0, 40, 10), *(pytest.param(n, marks=pytest.mark.long) for n in range(40, 640, 10))]
)
def test_every_order_of_arrival_ends_alike(first: int, expected_log: list[str]) -> None:
    expected_log.append("two versions of a feed")
    for seed in range(first, first + 10):
        play(seed)


def play(seed: int) -> None:
    history = History(seed)
    readers = [Reader(name, history.conversation) for name in READERS]
    for number, reader in enumerate(readers):
        reader.take_all(history, random.Random(f"{seed} {number}"))
        assert reader.told == reader.group(), f"seed {seed}: what was told is not what is kept"
    # Some may still hold what fell out of everybody's sight; it is void.
    agreed = [replace(reader.group(), void=frozenset(), folded_from=frozenset()) for reader in readers]
    assert agreed[1:] == agreed[:-1], f"seed {seed}: they disagree on who belongs to the group"
    present = [reader for reader in readers if reader.user in agreed[0].members]
    for other in present[1:]:
        assert other.held() == present[0].held(), f"seed {seed}: they hold different things"
        assert other.shown() == present[0].shown(), f"seed {seed}: they show different things"
    for reader in readers:
        reader.connection.close()


def versions_of(history: History, writer: Writer, count: int) -> list[Entry]:
    """Return so many versions of somebody's next entry, those of lower hashes first."""
    before = dict(writer.held)
    found = []
    for number in range(count):
        writer.held = dict(before)
        found.append(history.write(writer, Renamed(*history.names(), writer.seen(), f"Lab {number}")))
    return sorted(found, key=lambda entry: entry.hash)


def reader_of(history: History) -> Reader:
    reader = Reader(READERS[0], history.conversation)
    for branch in history.branches:
        reader.take(branch)
    return reader


def test_a_closed_feed_is_proven_by_what_ended_it_last(expected_log: list[str]) -> None:
    expected_log.append("two versions of a feed")
    history = History(0, steps=0)
    lowest, low, high = versions_of(history, history.writers[1], 3)
    reader = reader_of(history)
    reader.take([low, high])
    reader.prove(lowest, high)
    reader.take([lowest])
    feed = history.writers[1].feed
    (line,) = [line for name, line in reader.lines().items() if name == feed]
    assert (line.closed, line.head_hash) == (True, lowest.hash)
    row = feeds.find_feed(reader.connection, 1, feed)
    assert row is not None
    proof = feeds.proof_of(reader.connection, row.row)
    assert proof is not None
    assert lowest.wire.header in {each.header for each in proof}, "with the first proof nobody else ends it there"
    reader.connection.close()


def test_what_all_judge_by_is_not_taken_without_what_it_says(expected_log: list[str]) -> None:
    expected_log.append("two versions of a feed")
    history = History(0, steps=0)
    low, high = versions_of(history, history.writers[1], 2)
    reader = reader_of(history)
    header_alone = msgspec.structs.replace(high.wire, body=None)
    happened = intake.take_entries(reader.connection, AUTHORS[reader.user], reader._row(), (header_alone,), NOW_MS)
    assert happened.refused
    reader.take([high])
    happened = reader.prove(low, high)
    assert happened.parted == {history.writers[1].feed}, "who proves it is asked for what it says"
    assert reader.group().name == high.body.name  # type: ignore[union-attr]
    reader.take([low])
    assert reader.group().name == low.body.name  # type: ignore[union-attr]
    reader.connection.close()


def test_whom_a_void_entry_let_in_is_heard_for_what_they_say_may_undo_it() -> None:
    """Bo adds and promotes Dan, while Chen excludes Bo; Dan, who knows nothing of it, excludes Chen. That counts."""
    history = History(0, steps=0)
    ana, bo, chen, dan = history.writers[:4]
    for user in ("bo", "chen"):
        history.write(ana, ManagerChanged(*history.names(), ana.seen(), UserId(user), is_manager=True))
    for other in (bo, chen):
        other.hear(ana)
    history.write(bo, Added(*history.names(), bo.seen(), new_member("dan")))
    history.write(bo, ManagerChanged(*history.names(), bo.seen(), UserId("dan"), is_manager=True))
    dan.hear(bo)
    history.write(dan, Excluded(*history.names(), dan.seen(), UserId("chen"), ()))
    history.write(chen, Excluded(*history.names(), chen.seen(), UserId("bo"), ()))
    groups_of = []
    for order in ((ana, bo, dan, chen), (ana, chen, bo, dan)):
        reader = Reader(READERS[0], history.conversation)
        for writer in order:
            reader.take(writer.held[writer.feed])
        groups_of.append(reader.group())
        reader.connection.close()
    assert groups_of[0] == groups_of[1]
    assert list(groups_of[0].members) == ["ana", "bo", *READERS[:2], "dan"]


def test_beyond_the_end_a_stranger_is_heard_so_far_and_members_without_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "HEADERS_BEYOND_REMOVAL", 3)
    history = History(0, steps=0)
    ana, bo = history.writers[:2]
    history.write(ana, Excluded(*history.names(), ana.seen(), UserId("bo"), ()))
    for number in range(10):
        history.write(bo, Text(*history.names(), f"text {number}"))
    reader = Reader(READERS[0], history.conversation)
    reader.take(ana.held[ana.feed])
    for sender, taken in (("bo", 3), ("", 3), ("chen", 10)):
        reader.take(bo.held[bo.feed], sender)
        assert reader.lines()[bo.feed].head == taken
    assert not reader.shown().keys() & {entry.body.entry_id for entry in bo.held[bo.feed] if entry.body}
    reader.connection.close()


def test_one_name_for_two_contents_means_the_same_to_all() -> None:
    """Bo gives two files, and two texts of which one was edited, the same names in two feeds."""
    history = History(0, steps=0)
    bo = history.writers[1]
    names, text_names = history.names(), history.names()
    for number in range(2):
        root = PieceHash(bytes([number]) * 32)
        history.write(bo, Attachment(*names, "file", f"{number}.pdf", 10 + number, 0, root, 100, f"caption {number}"))
        history.write(bo, Text(*text_names, f"text {number}"))
        history.write(bo, Edited(*history.names(), text_names[0], 1 + number, f"edited {number}"))
        bo.feed = history.fresh_feed("bo")
    one, other = [entries for feed, entries in bo.held.items() if feed != history.writers[0].feed]
    counting = min(one[0], other[0], key=lambda entry: entry.hash).body
    assert isinstance(counting, Attachment)
    for order in ((one, other), (other, one)):
        reader = reader_of(history)
        happened = [reader.take(entries) for entries in order]
        shown = {row.entry: row for row in messages.newest_messages(reader.connection, 1, 10)}
        file, text = shown[names[0]], shown[text_names[0]]
        assert file.attachment is not None
        assert (file.attachment.body, file.text) == (counting, counting.caption)
        assert text.text == "edited 1"
        arrived = [row.entry for each in happened for row in each.messages]
        assert len(arrived) == len(set(arrived)), "nothing arrives twice"
        if order[0][0].body != counting:
            assert names[0] in [row.entry for row in happened[1].changed]
        reader.connection.close()


def test_the_place_of_a_deleted_message_moves_with_it_out_of_a_closed_feed(expected_log: list[str]) -> None:
    """Ana deletes what Bo wrote; that place falls out of Bo's feed, and Bo writes it again in another."""
    expected_log.append("two versions of a feed")
    history = History(0, steps=0)
    ana, bo = history.writers[:2]
    names, before, old_feed = history.names(), dict(bo.held), bo.feed
    written = history.write(bo, Text(*names, "once said"))
    other = next(found for found in _versions_without_end(history, bo, before) if found.hash < written.hash)
    bo.feed = history.fresh_feed("bo")
    again = history.write(bo, Text(*names, "once said"))
    history.write(ana, Deleted(*history.names(), names[0], Seen(old_feed, 1, written.hash)))
    arrivals = ([written], ana.held[ana.feed], [other], [again])
    for order in permutations(arrivals):
        reader = reader_of(history)
        for entries in order:
            reader.take(entries)
        reader.prove(written, other)
        row = reader.shown()[names[0]]
        assert (row[0], row[1], row[2], row[4]) == ("bo", messages.DELETED, "", "ana")
        (place,) = [found for found in messages.newest_messages(reader.connection, 1, 10) if found.entry == names[0]]
        assert place.feed == again.header.feed
        bodies = reader.connection.execute("SELECT body FROM entry UNION SELECT body FROM orphan").fetchall()
        assert not [body for (body,) in bodies if body is not None and b"once said" in body], "nowhere on the disk"
        reader.connection.close()


def _versions_without_end(history: History, writer: Writer, before: dict[FeedId, list[Entry]]) -> Iterator[Entry]:
    for number in count():
        writer.held = dict(before)
        yield history.write(writer, Text(*history.names(), f"instead {number}"))
