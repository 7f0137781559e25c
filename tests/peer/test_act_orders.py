"""Whatever order entries come in, everybody has the same messages: those that the pure fold makes of all that counts.

Histories are random: texts, replies, edits, reactions and deletions, also of what one may not touch, by three members
of a group, of whom some become managers, are demoted or excluded meanwhile. Each reader takes them in its own order.
"""

import random
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from peer.entries import intake
from peer.entries.conversation import load_conversations
from peer.entries.happened import Happened
from peer.storage import feeds, messages
from peer.storage.database import Connection, _open_and_migrate
from peer.storage.feeds import ConversationRow
from protocol.act_bodies import Deleted, Edited, Reacted
from protocol.acts import Act, Original, Present, Shown, fold_acts
from protocol.entries import Body, Entry, Mention, Text, WireEntry, write_entry
from protocol.group_bodies import Created, Excluded, ManagerChanged, MembershipBody, NewMember, Seen
from protocol.identity import NO_CONVERSATION, NO_HASH, ConversationId, EntryId, FeedId, UserId
from protocol.membership import Act as MembershipAct
from protocol.membership import Membership, fold_membership
from tests.peer.test_intake import NOW_MS, REALM, author

NAMES = ("ana", "bo", "chen")
READER = "dora"
AUTHORS = {name: author(name) for name in (*NAMES, READER)}
FEEDS = {name: FeedId.of(AUTHORS[name].key.device, bytes(16)) for name in NAMES}

OPERATIONS = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(["text", "reply", "edit", "edit", "react", "react", "delete", "delete", "exclude", "manager"]),
    st.integers(0, 30),
    st.sampled_from(["👍", "❤️", "", "no emoji"]),
    st.booleans(),
)


@dataclass
class History:
    """What three people wrote, each in one feed."""

    entries: dict[str, list[Entry]] = field(default_factory=lambda: {name: [] for name in NAMES})
    names: int = 0
    group: ConversationId = NO_CONVERSATION

    def fresh(self) -> tuple[EntryId, bytes]:
        self.names += 1
        return EntryId(random.Random(self.names).randbytes(16)), bytes(16)

    def write(self, name: str, body: Body) -> Entry:
        mine = self.entries[name]
        entry = write_entry(
            AUTHORS[name].key,
            REALM,
            body,
            conversation=self.group,
            feed=FEEDS[name],
            number=len(mine) + 1,
            previous=mine[-1].hash if mine else NO_HASH,
            stamp=NOW_MS + self.names,
            certificate=AUTHORS[name].certificate,
        )
        mine.append(entry)
        return entry

    def seen(self, but: str) -> tuple[Seen, ...]:
        held = (each[-1] for name, each in self.entries.items() if each and name != but)
        return tuple(Seen(each.header.feed, each.header.number, each.hash) for each in held)

    def all(self) -> list[tuple[str, Entry]]:
        return [(name, entry) for name, mine in self.entries.items() for entry in mine]

    def texts(self) -> list[tuple[str, Entry]]:
        return [(name, entry) for name, entry in self.all() if isinstance(entry.body, Text)]

    def do(self, name: str, what: str, which: int, emoji: str, flag: bool) -> None:
        others = [other for other in NAMES if other != name]
        if what == "exclude":
            target = UserId(others[which % 2])
            theirs = tuple(each for each in self.seen(name) if each.feed == FEEDS[target])
            self.write(name, Excluded(*self.fresh(), self.seen(name), target, theirs))
        elif what == "manager":
            user = UserId(others[which % 2])
            self.write(name, ManagerChanged(*self.fresh(), self.seen(name), user, is_manager=flag))
        elif what == "text" or not self.texts():
            self.write(name, Text(*self.fresh(), f"text {self.names} of {name}"))
        else:
            _, target_entry = self.texts()[which % len(self.texts())]
            self.write(name, self.about(name, what, target_entry, emoji, knows_edits=flag))

    def about(self, name: str, what: str, target: Entry, emoji: str, *, knows_edits: bool) -> Body:
        assert target.body is not None
        of_target = [e for _, e in self.all() if isinstance(e.body, Edited) and e.body.target == target.body.entry_id]
        revision = self.names % 5 + 1
        match what:
            case "reply":
                return Text(*self.fresh(), f"answer {self.names}", target.body.entry_id)
            case "edit":
                return Edited(*self.fresh(), target.body.entry_id, revision, f"edit {self.names}" if emoji else " ")
            case "react":
                return Reacted(*self.fresh(), target.body.entry_id, revision, emoji)
            case _:
                edits = [e for e in of_target if e.header.feed == target.header.feed] if knows_edits else []
                return Deleted(*self.fresh(), target.body.entry_id, _place(target), tuple(map(_place, edits)))

    def membership(self) -> Membership:
        return fold_membership(
            MembershipAct(UserId(name), entry.header.feed, entry.header.number, entry.hash, entry.body)
            for name, entry in self.all()
            if isinstance(entry.body, MembershipBody)
        )

    def folded(self) -> dict[EntryId, tuple[str, Present]]:
        """Return what the pure fold makes of all that counts."""
        group = self.membership()

        def counts(name: str, entry: Entry) -> bool:
            return group.counts(UserId(name), entry.header.feed, entry.header.number)

        folded = {}
        for name, entry in self.texts():
            if not counts(name, entry):
                continue
            assert isinstance(entry.body, Text)
            acts = [
                Act(
                    UserId(who),
                    each.header.stamp,
                    each.body,
                    by_manager=group.manages(UserId(who), each.header.feed, each.header.number),
                )
                for who, each in self.all()
                if isinstance(each.body, Edited | Reacted | Deleted)
                and each.body.target == entry.body.entry_id
                and counts(who, each)
            ]
            original = Original(UserId(name), entry.body.text, (), is_text=True)
            folded[entry.body.entry_id] = (name, fold_acts(original, acts))
        return folded


def _place(entry: Entry) -> Seen:
    return Seen(entry.header.feed, entry.header.number, entry.hash)


def history_of(operations: list[tuple[Any, ...]]) -> History:
    history = History()
    members = tuple(NewMember(UserId(name), name, (AUTHORS[name].key.device,)) for name in AUTHORS)
    history.group = ConversationId(history.write("ana", Created(*history.fresh(), (), "Lab", members)).hash)
    for operation in operations:
        history.do(*operation)
    return history


class Reader:
    """A member who takes entries in."""

    def __init__(self, group: ConversationId) -> None:
        self.connection: Connection = _open_and_migrate(Path(":memory:"), b"k" * 32)
        self.group = group

    def close(self) -> None:
        self.connection.close()

    def take(self, wires: list[WireEntry]) -> Happened:
        known = feeds.find_conversation(self.connection, self.group)
        row = known or ConversationRow(0, self.group, None, bytes(16))
        return intake.take_entries(self.connection, AUTHORS[READER], row, tuple(wires), NOW_MS + 10_000)

    def take_all(self, offered: dict[str, list[WireEntry]], chance: random.Random) -> None:
        """Take what is offered, in an order of one's own, again and again until nothing changes any more."""
        self.take(offered["ana"][:1])
        told = None
        while told != (told := self.lines()):
            at = dict.fromkeys(NAMES, 0)
            while waiting := [name for name in NAMES if at[name] < len(offered[name])]:
                name, count = chance.choice(waiting), chance.randint(1, 6)
                self.take(offered[name][at[name] : at[name] + count])
                at[name] += count

    def lines(self) -> dict[Any, Any]:
        (conversation,) = load_conversations(self.connection, UserId(READER))
        return dict(conversation.told_lines())

    def shown(self) -> dict[EntryId, tuple[str, Present]]:
        row = feeds.all_conversations(self.connection)[0].row
        found = messages.newest_messages(self.connection, row, 1000)
        return {
            each.entry: (
                str(each.author),
                Present(each.text, each.mentions, each.edited, each.reactions, each.deleted_by),
            )
            for each in found
            if each.act is None
        }

    def offers(self) -> dict[str, list[WireEntry]]:
        """Return what is given to somebody who comes later: no bodies that were erased here."""
        row = feeds.all_conversations(self.connection)[0].row
        held = {str(feed.author): feed for feed in feeds.feeds_of(self.connection, row)}
        return {
            name: feeds.entries_between(self.connection, held[name], 1, 10_000, 10_000) if name in held else []
            for name in NAMES
        }


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(st.lists(OPERATIONS, min_size=4, max_size=40), st.randoms(use_true_random=False))
def test_every_order_of_arrival_gives_what_the_fold_gives(
    operations: list[tuple[Any, ...]], chance: random.Random
) -> None:
    history = history_of(operations)
    offered = {name: [entry.wire for entry in mine] for name, mine in history.entries.items()}
    readers = [Reader(history.group) for _ in range(3)]
    try:
        for reader in readers[:2]:
            reader.take_all(offered, chance)
        readers[2].take_all(readers[0].offers(), chance)  # who comes later, from one who holds what is left
        expected = history.folded()
        for reader in readers:
            assert reader.shown() == expected
        for one, other in pairwise(readers):
            assert one.lines() == other.lines()
    finally:
        for reader in readers:
            reader.close()


# --- who does not keep to the rules ----------------------------------------------------------


def read(history: History, *, batch: int = 200) -> Reader:
    """Return a reader who took everything, each feed after the other."""
    reader = Reader(history.group)
    for mine in history.entries.values():
        for start in range(0, len(mine), batch):
            reader.take([entry.wire for entry in mine[start : start + batch]])
    return reader


def test_a_flood_of_reactions_is_one_reaction_and_one_change_a_batch() -> None:
    history = history_of([("ana", "text", 0, "", False)])
    (_, text) = history.texts()[0]
    assert isinstance(text.body, Text)
    reader = read(history)
    for number in range(1000):
        emoji = chr(0x1F600 + number % 50)
        history.write("bo", Reacted(*history.fresh(), text.body.entry_id, number + 1, emoji))
    wires = [entry.wire for entry in history.entries["bo"]]
    for start in range(0, len(wires), 200):
        happened = reader.take(wires[start : start + 200])
        assert [row.entry for row in happened.changed] == [text.body.entry_id]
        assert not happened.messages
    ((_, present),) = reader.shown().values()
    assert present.reactions == (Shown(chr(0x1F600 + 999 % 50), (UserId("bo"),)),)
    (last,) = reader.connection.execute("SELECT count(*) FROM act WHERE is_last = 1").fetchall()
    assert last == (1,)
    reader.close()


def test_who_names_one_message_and_the_place_of_another_deletes_only_their_own() -> None:
    history = history_of([("bo", "text", 0, "", False), ("chen", "text", 0, "", False)])
    of_bo, of_chen = (entry for _, entry in history.texts())
    assert isinstance(of_bo.body, Text)
    assert isinstance(of_chen.body, Text)
    history.write("chen", Deleted(*history.fresh(), of_bo.body.entry_id, _place(of_chen)))
    history.write("chen", Deleted(*history.fresh(), of_chen.body.entry_id, _place(of_bo)))
    reader = read(history)
    texts = {entry: present.text for entry, (_, present) in reader.shown().items()}
    assert texts == {of_bo.body.entry_id: of_bo.body.text, of_chen.body.entry_id: ""}
    reader.close()


def test_nobody_deletes_who_belongs_to_the_group() -> None:
    history = history_of([("bo", "manager", 0, "", True)])
    created = history.entries["ana"][0]
    assert created.body is not None
    history.write("ana", Deleted(*history.fresh(), created.body.entry_id, _place(created)))
    reader = read(history)
    (wire,) = [wire for wire in reader.offers()["ana"] if wire.header == created.wire.header]
    assert wire.body == created.wire.body
    assert all(not line.lacking for line in reader.lines().values())
    reader.close()


def test_what_is_said_about_nothing_says_nothing_until_it_is_there() -> None:
    history = history_of([("ana", "text", 0, "", False)])
    nowhere, salt = history.fresh()
    place = Seen(FEEDS["chen"], 77, _place(history.entries["ana"][0]).hash)
    for body in (
        Edited(*history.fresh(), nowhere, 1, "edited"),
        Reacted(*history.fresh(), nowhere, 1, "👍"),
        Deleted(*history.fresh(), nowhere, place),
    ):
        history.write("bo", body)
    reader = read(history)
    assert len(reader.shown()) == 1
    history.write("bo", Text(nowhere, salt, "here after all"))
    happened = reader.take([history.entries["bo"][-1].wire])
    assert [(row.kind, row.text, row.deleted_by) for row in happened.messages] == [("deleted", "", "bo")]
    reader.close()


def test_mentions_from_the_wire_that_lie_outside_or_over_each_other_are_passed_over() -> None:
    history = history_of([])
    mentions = (Mention(UserId("bo"), 0, 3), Mention(UserId("bo"), 1, 2), Mention(UserId("chen"), 3, 9))
    text = Text(*history.fresh(), "@bo!", None, mentions)
    history.write("ana", text)
    reader = read(history)
    ((_, present),) = reader.shown().values()
    assert present.mentions == mentions[:1]
    reader.close()


@pytest.mark.parametrize("first", [0, 1])
def test_of_a_feed_in_two_versions_what_fell_out_says_nothing(first: int, expected_log: list[str]) -> None:
    """Bo's device was copied: one copy edits and deletes, the other goes on otherwise."""
    expected_log += ["two versions of a feed"]
    base = history_of([("bo", "text", 0, "", False), ("ana", "text", 0, "", False)])
    texts = dict(base.texts())
    versions = []
    for number in range(2):
        version = History({name: list(mine) for name, mine in base.entries.items()}, 100 * (number + 1), base.group)
        of_bo, of_ana = texts["bo"].body, texts["ana"].body
        assert of_bo is not None
        assert of_ana is not None
        if number:
            version.write("bo", Reacted(*version.fresh(), of_ana.entry_id, 1, "❤️"))
        else:
            version.write("bo", Edited(*version.fresh(), of_bo.entry_id, 1, "edited"))
            version.write("bo", Reacted(*version.fresh(), of_ana.entry_id, 5, "👍"))
            version.write("bo", Deleted(*version.fresh(), of_bo.entry_id, _place(texts["bo"])))
        versions.append(version)
    apart = len(base.entries["bo"])
    winner = min(versions, key=lambda version: version.entries["bo"][apart].hash)
    counting = History({**base.entries, "bo": winner.entries["bo"][: apart + 1]}, 0, base.group)
    reader = read(versions[first])
    reader.take([entry.wire for entry in versions[1 - first].entries["bo"]])
    reader.take([entry.wire for entry in winner.entries["bo"]])
    for _ in range(2):  # bodies that were gone come back
        reader.take([entry.wire for entry in counting.entries["bo"]])
    assert reader.shown() == counting.folded()
    assert all(not line.lacking for line in reader.lines().values())
    reader.close()
