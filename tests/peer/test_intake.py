"""What gets into the store, and what is refused: each bad entry alone, the rest of its batch is taken."""

import contextlib
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from peer.entries import intake
from peer.entries.intake import Author, Happened
from peer.errors import Refusal
from peer.storage import feeds, messages, people
from peer.storage.database import Connection, Database, _open_and_migrate
from peer.storage.feeds import ConversationRow
from protocol import limits
from protocol.certificates import Role, create_authority_certificate, issue_certificate, realm_of
from protocol.consent import Consent
from protocol.entries import Accepted, Asked, Body, Declined, Entry, Removed, Text, WireEntry, read_entry, write_entry
from protocol.identity import NO_HASH, ConversationId, EntryHash, EntryId, FeedId, Realm, UserId, to_builtin
from protocol.registry import OPTIONAL_KIND
from protocol.replication import bucket_of
from protocol.signatures import Purpose, SigningKey
from tests.harness.virtual_time import InlineExecutor

NOW = datetime(2026, 11, 3, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
AUTHORITY = SigningKey(b"a" * 32)
AUTHORITY_DER = create_authority_certificate(AUTHORITY, NOW)
REALM = realm_of(AUTHORITY_DER)


def author(user: str, role: Role = Role.USER, seed: bytes | None = None) -> Author:
    key = SigningKey(seed or user.encode().ljust(32, b"."))
    name = UserId(user) if role is Role.USER else None
    certificate = issue_certificate(AUTHORITY, AUTHORITY_DER, key.public, role, name, NOW)
    return Author(REALM, UserId(user), key, certificate, AUTHORITY_DER)


@dataclass
class Writer:
    """Somebody who writes to Ana, honestly or not."""

    author: Author
    conversation: ConversationId
    feed: FeedId
    entries: list[Entry] = field(default_factory=list)

    def write(self, body: Body, **changes: object) -> WireEntry:
        last = self.entries[-1] if self.entries else None
        fields = {
            "conversation": self.conversation,
            "feed": self.feed,
            "number": last.header.number + 1 if last else 1,
            "previous": last.hash if last else NO_HASH,
            "stamp": NOW_MS,
            "certificate": self.author.certificate,
        }
        entry = write_entry(self.author.key, REALM, body, **(fields | changes))  # type: ignore[arg-type]
        self.entries.append(entry)
        return entry.wire


class Desk:
    """Ana's database, and a way to hand entries in."""

    def __init__(self, path: Path) -> None:
        self.connection: Connection = _open_and_migrate(path / "ana.db", b"k" * 32)
        self.ana = author("ana")

    def writer(self, user: str, **who: object) -> Writer:
        someone = author(user, **who)  # type: ignore[arg-type]
        conversation = ConversationId.of_two(REALM, UserId("ana"), UserId(user))
        return Writer(someone, conversation, FeedId.of(someone.key.device, secrets.token_bytes(16)))

    def take(self, user: str, *wires: WireEntry) -> Happened:
        conversation = ConversationId.of_two(REALM, UserId("ana"), UserId(user))
        row = feeds.find_conversation(self.connection, conversation)
        row = row or ConversationRow(0, conversation, UserId(user), b"i" * 16)
        return intake.take_entries(self.connection, self.ana, row, wires, NOW_MS)

    def befriend(self, user: str) -> Writer:
        writer = self.writer(user)
        row = self.take(user, writer.write(asked())).conversation
        intake.write_body(
            self.connection, self.ana, row, lambda _, entry, salt: Accepted(entry, salt, 1, "Ana"), NOW_MS, 0
        )
        assert self.standing(user) is Consent.FRIENDS
        return writer

    def standing(self, user: str) -> Consent:
        conversation = ConversationId.of_two(REALM, UserId("ana"), UserId(user))
        row = feeds.find_conversation(self.connection, conversation)
        return intake.standing_in(self.connection, row.row).state if row else Consent.STRANGERS

    def texts(self, user: str) -> list[str]:
        conversation = ConversationId.of_two(REALM, UserId("ana"), UserId(user))
        row = feeds.find_conversation(self.connection, conversation)
        return [m.text for m in messages.newest_messages(self.connection, row.row, 100)] if row else []


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.connection.close()


def text(words: str, entry: bytes | None = None) -> Text:
    return Text(EntryId(entry or secrets.token_bytes(16)), b"s" * 16, words)


def asked(round_number: int = 1, name: str = "Bo") -> Asked:
    return Asked(EntryId(secrets.token_bytes(16)), b"s" * 16, round_number, name, "hello")


def test_a_bad_signature_is_refused_and_the_rest_is_taken(desk: Desk) -> None:
    bo = desk.befriend("bo")
    good = [bo.write(text("one")), bo.write(text("two"))]
    forged = WireEntry(good[1].header, bytes(64), good[1].body)
    happened = desk.take("bo", good[0], forged, good[1])
    assert desk.texts("bo") == ["one", "two"]
    assert happened.refused == ["an entry with a bad signature"]


def test_a_gap_is_refused_until_it_is_filled(desk: Desk) -> None:
    bo = desk.befriend("bo")
    one, two = bo.write(text("one")), bo.write(text("two"))
    assert "a gap" in desk.take("bo", two).refused[0]
    assert desk.texts("bo") == []
    desk.take("bo", one, two)
    assert desk.texts("bo") == ["one", "two"]


def test_taking_twice_changes_nothing(desk: Desk) -> None:
    bo = desk.befriend("bo")
    one = bo.write(text("one"))
    desk.take("bo", one, one)
    assert not desk.take("bo", one).feeds
    assert desk.texts("bo") == ["one"]


def test_a_second_entry_with_the_same_id_shows_once(desk: Desk) -> None:
    bo = desk.befriend("bo")
    desk.take("bo", bo.write(text("one", b"x" * 16)), bo.write(text("one, again", b"x" * 16)))
    assert desk.texts("bo") == ["one"]


def test_nobody_can_take_over_anothers_entry_id(desk: Desk) -> None:
    bo, eve = desk.befriend("bo"), desk.befriend("eve")
    desk.take("bo", bo.write(text("mine", b"x" * 16)))
    desk.take("eve", eve.write(text("stolen", b"x" * 16)))
    assert desk.texts("bo") == ["mine"]


def test_an_entry_of_another_conversation_is_refused(desk: Desk) -> None:
    bo, eve = desk.befriend("bo"), desk.befriend("eve")
    happened = desk.take("bo", eve.write(text("wrong door")))
    assert happened.refused == ["an entry of another conversation"]
    misplaced = bo.write(text("x"), conversation=eve.conversation)
    assert desk.take("bo", misplaced).refused == ["an entry of another conversation"]
    assert desk.texts("bo") == []


@pytest.mark.parametrize("kind", ["locator's certificate", "somebody else's certificate", "no member"])
def test_a_feed_begins_with_its_writers_certificate_or_not_at_all(desk: Desk, kind: str) -> None:
    bo = desk.befriend("bo")
    eve = replace(desk.writer("eve"), conversation=bo.conversation)
    match kind:
        case "locator's certificate":
            wire = eve.write(text("x"), certificate=author("eve", Role.LOCATOR).certificate)
        case "somebody else's certificate":
            wire = eve.write(text("x"), certificate=bo.author.certificate)
        case _:
            wire = eve.write(text("x"))
    happened = desk.take("bo", wire)
    assert len(happened.refused) == 1
    assert desk.texts("bo") == []


def test_a_friends_new_device_waits_to_be_confirmed(desk: Desk) -> None:
    desk.befriend("bo")
    laptop = desk.writer("bo", seed=b"l" * 32)
    assert "nobody has confirmed" in desk.take("bo", laptop.write(text("it is me"))).refused[0]
    assert desk.texts("bo") == []


def test_a_stranger_leaves_a_request_and_nothing_else(desk: Desk) -> None:
    eve = desk.writer("eve")
    request, spam = eve.write(asked()), eve.write(text("buy this"))
    happened = desk.take("eve", request, spam)
    assert desk.standing("eve") is Consent.ASKED_BY_THEM
    assert happened.refused == ["an entry of somebody who is no friend"]
    assert desk.texts("eve") == []


def test_a_stranger_who_begins_with_spam_leaves_no_trace(desk: Desk) -> None:
    eve = desk.writer("eve")
    with pytest.raises(Refusal):
        desk.take("eve", eve.write(text("buy this")))


def test_one_stranger_cannot_ask_forever(desk: Desk) -> None:
    eve = desk.writer("eve")
    wires = [
        eve.write(body)
        for n in range(1, limits.CONSENT_ENTRIES_PER_STRANGER)
        for body in (asked(n), Removed(EntryId(secrets.token_bytes(16)), b"s" * 16, n))
    ]
    happened = desk.take("eve", *wires)
    assert "too many requests of one person" in happened.refused
    row = happened.conversation.row
    assert len(messages.consent_in(desk.connection, row)) == limits.CONSENT_ENTRIES_PER_STRANGER


def test_many_strangers_cannot_fill_the_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PENDING_REQUESTS", 3)
    for number in range(3):
        desk.take(f"s{number}", desk.writer(f"s{number}").write(asked()))
    with pytest.raises(Refusal, match="waiting for an answer"):
        desk.take("s3", desk.writer("s3").write(asked()))


def test_what_a_former_friend_writes_waits_without_its_text(desk: Desk) -> None:
    bo = desk.befriend("bo")
    row = desk.take("bo", bo.write(text("before"))).conversation
    intake.write_body(desk.connection, desk.ana, row, lambda _, e, s: Removed(e, s, 1), NOW_MS, 0)
    late, again = bo.write(text("did not know yet")), bo.write(asked(2))
    desk.take("bo", late, again)
    assert desk.standing("bo") is Consent.ASKED_BY_THEM
    assert desk.texts("bo") == ["before"]
    intake.write_body(desk.connection, desk.ana, row, lambda _, e, s: Accepted(e, s, 2, "Ana"), NOW_MS, 0)
    happened = desk.take("bo", late)
    assert desk.texts("bo") == ["before", "did not know yet"]
    assert happened.feeds[bo.feed].line.lacking == ()


def test_a_name_cannot_reorder_the_text_beside_it(desk: Desk) -> None:
    eve = desk.writer("eve")
    happened = desk.take("eve", eve.write(asked(name="Eve\u202e\u200b mit")))
    assert happened.names == {"eve": "Eve mit"}


def test_two_versions_of_a_number_end_the_feed_with_the_lower_hash(desk: Desk, expected_log: list[str]) -> None:
    expected_log.append("two versions of a feed")
    bo = desk.befriend("bo")
    fork = replace(bo, entries=list(bo.entries))
    one, other = bo.write(text("one")), fork.write(text("other"))
    desk.take("bo", one)
    happened = desk.take("bo", other)
    line = happened.feeds[bo.feed].line
    assert line.closed
    assert line.head_hash == min(bo.entries[-1].hash, fork.entries[-1].hash)
    assert desk.take("bo", bo.write(text("more"))).feeds == {}, "nothing counts after a proof of two versions"


def test_friends_by_crossed_requests_can_ask_again_after_a_removal(desk: Desk) -> None:
    bo = desk.writer("bo")
    row = desk.take("bo", bo.write(asked())).conversation
    intake.write_body(desk.connection, desk.ana, row, lambda _, e, s: Asked(e, s, 1, "Ana"), NOW_MS, 0)
    assert desk.standing("bo") is Consent.FRIENDS
    intake.write_body(desk.connection, desk.ana, row, lambda _, e, s: Removed(e, s, 1), NOW_MS, 0)
    desk.take("bo", bo.write(text("did not know yet")), bo.write(asked(2)))
    assert desk.standing("bo") is Consent.ASKED_BY_THEM


def _count(connection: Connection, table: str) -> object:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return row[0] if row else None


async def test_a_refused_stranger_leaves_no_row_in_any_table(tmp_path: Path, desk: Desk) -> None:
    eve = desk.writer("eve")
    spam = eve.write(text("buy this"))
    row = ConversationRow(0, eve.conversation, UserId("eve"), b"i" * 16)
    database = Database(tmp_path / "real.db", InlineExecutor(), InlineExecutor())
    await database.open(b"k" * 32)
    with pytest.raises(Refusal, match="no friend"):
        await database.write(lambda c: intake.take_entries(c, desk.ana, row, (spam,), NOW_MS))
    assert database._reading is not None
    tables = database._reading.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert {str(name): _count(database._reading, str(name)) for (name,) in tables} == {
        str(name): 0 for (name,) in tables
    }
    await database.close()


def test_a_stranger_who_says_yes_alone_gets_nothing_stored_either(desk: Desk) -> None:
    eve = desk.writer("eve")
    yes = Accepted(EntryId(secrets.token_bytes(16)), b"s" * 16, 1, "Eve")
    happened = desk.take("eve", eve.write(yes), eve.write(text("buy this")))
    assert happened.refused == ["an entry of somebody who is no friend"]
    assert _count(desk.connection, "entry") == 1


def test_one_who_was_declined_stays_outside(desk: Desk) -> None:
    eve = desk.writer("eve")
    row = desk.take("eve", eve.write(asked())).conversation
    intake.write_body(desk.connection, desk.ana, row, lambda _, e, s: Declined(e, s, 1), NOW_MS, 0)
    assert desk.take("eve", eve.write(text("please"))).refused == ["an entry of somebody who is no friend"]
    assert desk.standing("eve") is Consent.DECLINED
    assert desk.texts("eve") == []


def test_a_body_that_was_exchanged_is_refused_and_the_rest_is_taken(desk: Desk) -> None:
    bo = desk.befriend("bo")
    one, two = bo.write(text("one")), bo.write(text("two"))
    happened = desk.take("bo", WireEntry(one.header, one.signature, two.body), one, two)
    assert happened.refused == ["an entry's body does not match its hash"]
    assert desk.texts("bo") == ["one", "two"]


def test_a_signature_for_another_purpose_or_realm_is_no_signature(desk: Desk) -> None:
    bo = desk.befriend("bo")
    wire = bo.write(text("one"))
    for purpose, realm in ((Purpose.LOGIN, REALM), (Purpose.ENTRY, Realm(b"o" * 32))):
        forged = WireEntry(wire.header, bo.author.key.sign(purpose, realm, wire.header), wire.body)
        assert desk.take("bo", forged).refused == ["an entry with a bad signature"]
    assert desk.texts("bo") == []


def test_a_device_that_was_confirmed_may_write(desk: Desk) -> None:
    desk.befriend("bo")
    laptop = desk.writer("bo", seed=b"l" * 32)
    wire = laptop.write(text("it is me"))
    desk.take("bo", wire)
    people.confirm_devices(desk.connection, UserId("bo"), [laptop.author.key.device])
    desk.take("bo", wire)
    assert desk.texts("bo") == ["it is me"]


def test_what_a_former_friend_writes_is_not_on_the_disk(desk: Desk) -> None:
    bo = desk.befriend("bo")
    row = desk.take("bo", bo.write(text("before"))).conversation
    intake.write_body(desk.connection, desk.ana, row, lambda _, e, s: Removed(e, s, 1), NOW_MS, 0)
    happened = desk.take("bo", bo.write(text("after")))
    number = bo.entries[-1].header.number
    assert happened.feeds[bo.feed].line.lacking == ((number, number),)
    assert desk.connection.execute("SELECT body FROM entry WHERE number = ?", (number,)).fetchall() == [(None,)]


def test_a_former_friend_cannot_fill_the_disk_with_headers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WITHHELD_HEADERS", 3)
    bo = desk.befriend("bo")
    row = desk.take("bo", bo.write(text("before"))).conversation
    intake.write_body(desk.connection, desk.ana, row, lambda _, e, s: Removed(e, s, 1), NOW_MS, 0)
    before = _count(desk.connection, "entry")
    happened = desk.take("bo", *(bo.write(text(str(n))) for n in range(5)))
    assert happened.refused[0] == "too many entries whose time has not come"
    assert _count(desk.connection, "entry") == before + 3  # type: ignore[operator]


@pytest.mark.parametrize("optional", [True, False])
def test_an_optional_kind_of_a_later_version_is_kept_another_is_waited_for(desk: Desk, *, optional: bool) -> None:
    bo = desk.befriend("bo")
    header = _header_after(bo.entries[-1], kind=0x0377 | (OPTIONAL_KIND if optional else 0))
    later = WireEntry(header, bo.author.key.sign(Purpose.ENTRY, REALM, header), b"from the future")
    bo.entries.append(read_entry(msgspec.structs.replace(later, body=None)))
    happened = desk.take("bo", later, bo.write(text("what follows")))
    assert desk.texts("bo") == (["what follows"] if optional else [])
    assert ["unknown kind" in reason or "a gap" in reason for reason in happened.refused] == (
        [] if optional else [True, True]
    )


def _header_after(last: Entry, kind: int) -> bytes:
    """Return the header of an entry after `last`, of any kind, with the body b"from the future"."""
    header = msgspec.structs.replace(
        last.header,
        number=last.header.number + 1,
        previous=last.hash,
        kind=kind,
        body_hash=EntryHash(hashlib.sha256(b"from the future").digest()),
    )
    return msgspec.msgpack.encode(header, enc_hook=to_builtin)


@pytest.mark.parametrize("name", ["", " ", "\u202e\u200b", "\u3164", "\x00\n"])
def test_a_name_with_nothing_to_see_is_no_name(desk: Desk, name: str) -> None:
    eve = desk.writer("eve")
    assert desk.take("eve", eve.write(asked(name=name))).names == {"eve": ""}


def removed(round_number: int) -> Removed:
    return Removed(EntryId(secrets.token_bytes(16)), b"s" * 16, round_number)


def test_nobody_says_yes_beforehand_to_rounds_that_are_to_come(desk: Desk) -> None:
    bo = desk.befriend("bo")
    early = [bo.write(asked(number)) for number in range(2, 6)]
    row = desk.take("bo", *early, bo.write(text("hello"))).conversation
    assert desk.texts("bo") == ["hello"], "the feed goes on behind them"
    intake.write_body(desk.connection, desk.ana, row, lambda _, e, s: Removed(e, s, 1), NOW_MS, 0)
    assert desk.standing("bo") is Consent.REMOVED
    assert _bodies_held(desk, early) == 0
    desk.take("bo", *early)
    assert desk.standing("bo") is Consent.ASKED_BY_THEM
    assert _bodies_held(desk, early) == 1, "only the one whose round has come"


def _bodies_held(desk: Desk, wires: list[WireEntry]) -> int:
    rows = desk.connection.execute("SELECT header FROM entry WHERE body IS NOT NULL").fetchall()
    return len({wire.header for wire in wires} & {row[0] for row in rows})


def test_a_stranger_who_asked_too_often_is_heard_again_when_asked(desk: Desk) -> None:
    eve = desk.writer("eve")
    spam = [eve.write(body) for n in range(1, limits.CONSENT_ENTRIES_PER_STRANGER) for body in (asked(n), removed(n))]
    row = desk.take("eve", *spam).conversation
    intake.write_body(
        desk.connection,
        desk.ana,
        row,
        lambda ground, e, s: Asked(e, s, ground.standing().round_to_ask, "Ana"),
        NOW_MS,
        0,
    )
    assert desk.standing("eve") is Consent.ASKED_BY_ME
    desk.take("eve", *spam[limits.CONSENT_ENTRIES_PER_STRANGER :])
    assert desk.standing("eve") is not Consent.ASKED_BY_ME


def test_the_same_word_said_often_counts_once(desk: Desk) -> None:
    bo = desk.befriend("bo")
    row = desk.take("bo", *(bo.write(asked(1)) for _ in range(50))).conversation
    assert len(messages.consent_in(desk.connection, row.row)) == 2


def test_requests_that_were_taken_back_leave_room_for_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PENDING_REQUESTS", 1)
    eve = desk.writer("eve")
    desk.take("eve", eve.write(asked()), eve.write(removed(1)))
    desk.take("mallory", desk.writer("mallory").write(asked()))
    assert desk.standing("mallory") is Consent.ASKED_BY_THEM


# --- other devices of our own ----------------------------------------------------------------


def _other_device_of_ana(desk: Desk, friend: str) -> Writer:
    """Return one who writes as Ana, with her certificate, on a device of a seed of its own."""
    key_holder = author("ana", seed=b"l" * 32)
    conversation = ConversationId.of_two(REALM, UserId("ana"), UserId(friend))
    return Writer(key_holder, conversation, FeedId.of(key_holder.key.device, b"i" * 16))


def _vouch_for(desk: Desk, *writers: Writer) -> None:
    devices = [writer.author.key.device for writer in writers]
    people.keep_own_devices(desk.connection, devices, vouched=True)


def test_a_minted_device_of_ours_makes_no_friends(desk: Desk) -> None:
    eve, minted = desk.writer("eve"), _other_device_of_ana(desk, "eve")
    yes = Accepted(EntryId(secrets.token_bytes(16)), b"s" * 16, 1, "Ana")
    happened = desk.take("eve", eve.write(asked()), minted.write(yes), minted.write(text("you said it")))
    assert happened.refused == []
    assert desk.standing("eve") is Consent.ASKED_BY_THEM
    assert desk.texts("eve") == []


def test_a_stranger_cannot_begin_with_words_of_ours(desk: Desk) -> None:
    minted = _other_device_of_ana(desk, "eve")
    with pytest.raises(Refusal, match="a device of ours that is not known"):
        desk.take("eve", minted.write(asked(name="Ana")))


def test_a_minted_device_does_not_renew_a_friendship_that_we_ended(desk: Desk) -> None:
    bo, minted = desk.befriend("bo"), _other_device_of_ana(desk, "bo")
    row = desk.take("bo", bo.write(text("hello"))).conversation
    desk.take("bo", minted.write(asked(2)))
    intake.write_body(desk.connection, desk.ana, row, lambda _, e, s: Removed(e, s, 1), NOW_MS, 0)
    desk.take("bo", bo.write(asked(2)), minted.write(asked(2)))
    assert desk.standing("bo") is Consent.ASKED_BY_THEM


def test_an_old_device_that_was_vouched_for_brings_friends_and_texts_back(desk: Desk) -> None:
    bo, old = desk.writer("bo"), _other_device_of_ana(desk, "bo")
    _vouch_for(desk, old)
    yes = Accepted(EntryId(secrets.token_bytes(16)), b"s" * 16, 1, "Ana")
    entries = [old.write(yes), old.write(text("mine")), bo.write(asked()), bo.write(text("theirs"))]
    assert desk.take("bo", *entries).refused == []
    assert desk.standing("bo") is Consent.FRIENDS
    assert sorted(desk.texts("bo")) == ["mine", "theirs"]


def test_after_a_reset_old_texts_come_back_when_a_person_says_yes_again(desk: Desk) -> None:
    """The locator's list was emptied: the old device cannot be vouched for, but friends still hold its words."""
    bo, old = desk.writer("bo"), _other_device_of_ana(desk, "bo")
    # Friends, then no friends, then friends again: the new device has to find the round.
    history = [old.write(body) for body in (asked(1, "Ana"), text("first"), removed(1), asked(2, "Ana"), text("then"))]
    theirs = [bo.write(body) for body in (asked(1), text("hello"), asked(2), text("again"))]
    for _ in range(3):  # as a neighbour offers again and again what we lack
        with contextlib.suppress(Refusal):
            desk.take("bo", *history, *theirs)
    assert desk.standing("bo") is Consent.ASKED_BY_THEM
    row = desk.take("bo", *theirs).conversation
    intake.write_body(
        desk.connection, desk.ana, row, lambda ground, e, s: Accepted(e, s, ground.standing().round, "Ana"), NOW_MS, 0
    )
    desk.take("bo", *history, *theirs)
    standing = intake.standing_in(desk.connection, row.row)
    assert (standing.state, standing.round) == (Consent.FRIENDS, 2)
    assert sorted(desk.texts("bo")) == ["again", "first", "hello", "then"]


def test_a_device_that_fell_off_the_list_says_nothing_more_in_our_name(desk: Desk) -> None:
    stolen, eve = _other_device_of_ana(desk, "eve"), desk.writer("eve")
    _vouch_for(desk, stolen)
    people.keep_own_devices(desk.connection, [desk.ana.key.device], vouched=False)
    yes = Accepted(EntryId(secrets.token_bytes(16)), b"s" * 16, 1, "Ana")
    desk.take("eve", eve.write(asked()), stolen.write(yes))
    assert desk.standing("eve") is Consent.ASKED_BY_THEM


def test_a_list_alone_vouches_for_nothing(desk: Desk) -> None:
    minted = _other_device_of_ana(desk, "eve")
    people.keep_own_devices(desk.connection, [minted.author.key.device], vouched=False)
    assert people.own_devices(desk.connection) == set()


# --- how many feeds --------------------------------------------------------------------------


def test_one_person_cannot_fill_a_conversation_with_feeds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FEEDS_OF_ONE_AUTHOR_PER_BUCKET", 2)
    bo = desk.befriend("bo")
    places = (FeedId.of(bo.author.key.device, number.to_bytes(16, "big")) for number in range(1_000))
    elsewhere = (bucket_of(bo.feed) + 1) % limits.DIGEST_BUCKETS
    same_bucket = [place for place in places if bucket_of(place) == elsewhere][:3]
    wires = [Writer(bo.author, bo.conversation, place).write(text(str(n))) for n, place in enumerate(same_bucket)]
    happened = desk.take("bo", *wires)
    assert happened.refused == ["too many feeds in one conversation"]
    assert desk.texts("bo") == ["0", "1"]


def test_asking_again_waits_in_the_same_queue(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PENDING_REQUESTS", 1)
    eve, mallory = desk.writer("eve"), desk.writer("mallory")
    desk.take("eve", eve.write(asked()), eve.write(removed(1)))
    desk.take("mallory", mallory.write(asked()))
    assert "waiting for an answer" in desk.take("eve", eve.write(asked(2))).refused[0]
    assert desk.standing("eve") is Consent.REMOVED
