"""An entry is what its author signed, byte for byte, at its place in its feed."""

import hashlib
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import limits
from protocol.entries import (
    BODIES,
    CONSENT_KINDS,
    Asked,
    Body,
    Entry,
    Header,
    Text,
    WireEntry,
    hash_of_header,
    is_signed_by_author,
    read_entry,
    write_entry,
)
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.identity import NO_HASH, ConversationId, EntryHash, EntryId, FeedId, to_builtin
from protocol.registry import Message
from tests.protocol.realms import ANN, ANN_DER, ANN_KEY, BOB, BOB_KEY, OTHER_REALM, REALM
from tests.protocol.strategies import encode_struct, values_of

FEED = FeedId.of(ANN_KEY.device, b"i" * 16)
CONVERSATION = ConversationId.of_two(REALM, ANN, BOB)
ENTRY_ID, SALT = EntryId(b"e" * 16), b"s" * 16
HELLO = Text(ENTRY_ID, SALT, "hello")


def entry_of(body: Body, number: int = 1, previous: EntryHash = NO_HASH) -> Entry:
    return write_entry(
        ANN_KEY,
        REALM,
        body,
        conversation=CONVERSATION,
        feed=FEED,
        number=number,
        previous=previous,
        stamp=1_700_000_000_000,
        certificate=ANN_DER,
    )


FIRST = entry_of(HELLO)
SECOND = entry_of(HELLO, 2, FIRST.hash)


def header_with(**changed: object) -> bytes:
    return encode_struct(msgspec.structs.replace(FIRST.header, **changed))


def test_an_entry_is_read_as_it_was_written() -> None:
    for entry in (FIRST, SECOND):
        assert read_entry(entry.wire) == entry
        assert entry.body == HELLO


def test_a_feed_is_a_chain_of_hashes() -> None:
    assert FIRST.hash == hashlib.sha256(FIRST.wire.header).digest() == hash_of_header(FIRST.wire.header)
    assert SECOND.header.previous == FIRST.hash


def test_the_author_signed_it_in_this_realm_and_nobody_else_did() -> None:
    assert is_signed_by_author(FIRST, ANN_KEY.public, REALM)
    assert not is_signed_by_author(FIRST, BOB_KEY.public, REALM)
    assert not is_signed_by_author(FIRST, ANN_KEY.public, OTHER_REALM)
    tampered = replace(FIRST, wire=msgspec.structs.replace(FIRST.wire, header=header_with(stamp=1)))
    assert not is_signed_by_author(tampered, ANN_KEY.public, REALM)


def test_a_feed_is_written_by_its_own_device_only() -> None:
    with pytest.raises(LocalProtocolError):
        write_entry(
            BOB_KEY,
            REALM,
            HELLO,
            conversation=CONVERSATION,
            feed=FEED,
            number=1,
            previous=NO_HASH,
            stamp=0,
            certificate=ANN_DER,
        )


def test_the_bytes_that_came_are_hashed_and_not_an_encoding_of_ours() -> None:
    # The same header with its number in nine bytes instead of one.
    longer = FIRST.wire.header.replace(FEED + b"\x01", FEED + b"\xcf" + bytes(7) + b"\x01", 1)
    read = read_entry(msgspec.structs.replace(FIRST.wire, header=longer))
    assert read.header == FIRST.header
    assert read.hash == hashlib.sha256(longer).digest() != FIRST.hash


def test_a_body_that_does_not_match_its_hash_is_refused() -> None:
    other = BODIES.encode_body(Text(ENTRY_ID, SALT, "hallo"))
    with pytest.raises(RemoteProtocolError, match="hash"):
        read_entry(msgspec.structs.replace(FIRST.wire, body=other))


def test_an_entry_without_its_body_keeps_its_place() -> None:
    read = read_entry(msgspec.structs.replace(FIRST.wire, body=None))
    assert read.body is None
    assert (read.hash, read.header) == (FIRST.hash, FIRST.header)


def test_the_same_text_twice_has_two_hashes() -> None:
    again = entry_of(Text(ENTRY_ID, b"t" * 16, "hello"))
    assert again.header.body_hash != FIRST.header.body_hash


def test_the_certificate_is_on_the_first_entry_only() -> None:
    assert FIRST.wire.certificate == ANN_DER
    assert SECOND.wire.certificate == b""
    for wire, certificate in ((FIRST.wire, b""), (SECOND.wire, ANN_DER)):
        with pytest.raises(RemoteProtocolError, match="certificate"):
            read_entry(msgspec.structs.replace(wire, certificate=certificate))


def test_only_the_first_entry_has_nothing_before_it() -> None:
    for wire, header in (
        (FIRST.wire, header_with(previous=FIRST.hash)),
        (SECOND.wire, header_with(number=2)),
    ):
        with pytest.raises(RemoteProtocolError, match="nothing before it"):
            read_entry(msgspec.structs.replace(wire, header=header))


@pytest.mark.parametrize(
    "changed",
    [
        {"number": 0},
        {"number": 2**53},
        {"number": -1},
        {"stamp": -1},
        {"stamp": 2**53},
        {"kind": 0x0300},
        {"kind": 0x10000},
        {"feed": b"short"},
        {"conversation": b""},
        {"previous": None},
        {"body_hash": "text" * 8},
    ],
)
def test_a_header_out_of_bounds_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(RemoteProtocolError, match="header"):
        read_entry(msgspec.structs.replace(FIRST.wire, header=header_with(**changed)))


def test_a_body_of_an_unknown_optional_kind_keeps_its_place_and_says_nothing() -> None:
    body = b"from the future"
    header = header_with(kind=0x83FF, body_hash=EntryHash(hashlib.sha256(body).digest()))
    read = read_entry(msgspec.structs.replace(FIRST.wire, header=header, body=body))
    assert read.body is None
    assert read.header.kind == 0x83FF


def test_a_body_of_an_unknown_required_kind_is_refused() -> None:
    body = b"\x90"
    header = header_with(kind=0x03FF, body_hash=EntryHash(hashlib.sha256(body).digest()))
    with pytest.raises(RemoteProtocolError, match="unknown kind"):
        read_entry(msgspec.structs.replace(FIRST.wire, header=header, body=body))


def test_a_malformed_body_is_refused_although_its_hash_is_right() -> None:
    body = b"\x93\xff"
    header = header_with(body_hash=EntryHash(hashlib.sha256(body).digest()))
    with pytest.raises(RemoteProtocolError, match="malformed"):
        read_entry(msgspec.structs.replace(FIRST.wire, header=header, body=body))


@given(st.binary(max_size=300), st.none() | st.binary(max_size=100), st.binary(max_size=40))
def test_garbage_is_refused(header: bytes, body: bytes | None, certificate: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_entry(WireEntry(header, bytes(64), body, certificate))


@pytest.mark.parametrize("header", [b"\x97" + b"\x91" * 4_000, b"\xdd\xff\xff\xff\xff", b"\x97\xa2\xff\xfe", b""])
def test_a_deep_or_boasting_or_unreadable_header_is_refused(header: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_entry(WireEntry(header, bytes(64), None, ANN_DER))


@given(st.data())
def test_a_header_with_a_changed_byte_is_never_taken_for_the_signed_one(data: st.DataObject) -> None:
    header = bytearray(FIRST.wire.header)
    header[data.draw(st.integers(0, len(header) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read = read_entry(msgspec.structs.replace(FIRST.wire, header=bytes(header)))
    except RemoteProtocolError:
        return
    assert not is_signed_by_author(read, ANN_KEY.public, REALM)
    assert read.hash != FIRST.hash


@given(values_of(Header))
def test_any_header_comes_back(header: Header) -> None:
    number, previous = header.number, header.previous
    wire = WireEntry(encode_struct(header), bytes(64), None, ANN_DER if number == 1 else b"")
    if (number == 1) == (previous == NO_HASH):
        assert read_entry(wire).header == header
    else:
        with pytest.raises(RemoteProtocolError):
            read_entry(wire)


def test_the_longest_text_is_taken_and_its_entry_fits_its_limits() -> None:
    body = Text(ENTRY_ID, SALT, "x" * limits.TEXT_BYTES, ENTRY_ID)
    entry = entry_of(body)
    assert read_entry(entry.wire).body == body
    assert entry.wire.body is not None
    assert len(entry.wire.body) <= limits.BODY_BYTES
    assert len(entry.wire.header) <= limits.HEADER_BYTES


@pytest.mark.parametrize("text", ["x" * (limits.TEXT_BYTES + 1), "王" * (limits.TEXT_BYTES // 3 + 1)])
def test_a_text_of_too_many_bytes_is_neither_made_nor_taken(text: str) -> None:
    with pytest.raises(ValueError, match="too long"):
        Text(ENTRY_ID, SALT, text)
    with pytest.raises(RemoteProtocolError):
        BODIES.decode_body(0x0310, msgspec.msgpack.encode([bytes(16), bytes(16), text]))


@pytest.mark.parametrize(("entry_id", "salt"), [(15, 16), (16, 15), (16, 17), (0, 0)])
def test_a_body_has_an_entry_id_and_a_salt_of_16_bytes(entry_id: int, salt: int) -> None:
    with pytest.raises(RemoteProtocolError):
        BODIES.decode_body(0x0310, msgspec.msgpack.encode([bytes(entry_id), bytes(salt), "hi"]))


def test_every_body_begins_with_its_entry_id_and_its_salt() -> None:
    for _, cls in BODIES:
        assert issubclass(cls, Body)
        assert cls.__struct_fields__[:2] == ("entry_id", "salt")


def test_consent_kinds_are_those_of_the_consent_bodies() -> None:
    assert sorted(CONSENT_KINDS) == [0x0301, 0x0302, 0x0303, 0x0304]


def test_a_note_of_more_than_280_characters_is_refused() -> None:
    longest = Asked(ENTRY_ID, SALT, 1, "Ann", "x" * limits.NOTE_LENGTH)
    assert BODIES.decode_body(0x0301, BODIES.encode_body(longest)) == longest
    too_long = msgspec.structs.replace(longest, note="x" * (limits.NOTE_LENGTH + 1))
    with pytest.raises(RemoteProtocolError):
        BODIES.decode_body(0x0301, BODIES.encode_body(too_long))


def test_a_message_that_is_no_body_is_not_written() -> None:
    class Stray(Message, frozen=True, array_like=True):
        entry_id: EntryId
        salt: bytes

    with pytest.raises(LocalProtocolError):
        BODIES.encode_body(Stray(ENTRY_ID, SALT))


def test_names_in_a_header_travel_as_plain_bytes() -> None:
    plain = msgspec.msgpack.decode(FIRST.wire.header)
    assert plain[:4] == [bytes(CONVERSATION), bytes(FEED), 1, bytes(32)]
    assert all(type(to_builtin(name)) is bytes for name in (FIRST.header.feed, FIRST.header.previous))
