"""A locator's address, however people write it: what is taken can be dialled and handed on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.addresses import LocatorAddress, parse_locator_address
from peer.errors import Refusal, RefusalCode
from protocol.identity import Realm

FINGERPRINT = "ab" * 32
PIECES = ["h", "a.b", ".", "-", "x" * 63, "x" * 64, ":", "[", "]", "::1", "[::1]", "7400", "0", "65535", "#", "/"]
PIECES += ["hail://", FINGERPRINT, " ", "%", "@", "é", "陈", "７", "\u202e", "\n", "\0", "?", "_"]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("h", LocatorAddress("h", 7400, None)),
        ("h:65535", LocatorAddress("h", 65535, None)),
        ("a-b.example.org.:80", LocatorAddress("a-b.example.org.", 80, None)),
        ("[2001:DB8::1]", LocatorAddress("2001:db8::1", 7400, None)),
        ("[::ffff:10.0.0.1]:9", LocatorAddress("::ffff:10.0.0.1", 9, None)),
        (f"hail://[::1]:7401#{FINGERPRINT}", LocatorAddress("::1", 7401, Realm.from_hex(FINGERPRINT))),
        (f"  hail://h#{FINGERPRINT}\n", LocatorAddress("h", 7400, Realm.from_hex(FINGERPRINT))),
        (f"h:1#{FINGERPRINT.upper()}", LocatorAddress("h", 1, Realm.from_hex(FINGERPRINT))),
        ("x" * 63 + ":1", LocatorAddress("x" * 63, 1, None)),
    ],
)
def test_it_is_read_as_people_write_it(typed: str, wanted: LocatorAddress) -> None:
    assert parse_locator_address(typed) == wanted


@pytest.mark.parametrize(
    "typed",
    [
        ".",
        "a..b",
        ".a",
        "x" * 64,
        ".".join(["x" * 63] * 5),
        "::1",
        "::1:7400",
        "[::1",
        "::1]",
        "[]",
        "[..]",
        "[1.2.3.4]",
        "[h]",
        "[::1]7400",
        "[::1]:",
        "[::1]:0",
        "[fe80::1%eth0]",
        "h:",
        "h:+1",
        "h:-1",
        "h:1.5",
        "h:７４００",
        "h:00000000000000000000065536",
        "h:" + "1" * 10_000,
        "h:1:2",
        "user@h:1",
        "h:1?x=1",
        "http://h:1",
        "hail://hail://h:1",
        "例え.jp",
        "h\n:1",
        "h\0",
        f"h:1#{FINGERPRINT}junk",
        f"h:1#{FINGERPRINT}/",
        f"h:1#{FINGERPRINT}ab",
        f"h:1#{FINGERPRINT[:-1]}",
        f"h:1##{FINGERPRINT}",
        f"h:1#{'ab ' * 31}",
        f"#{FINGERPRINT}",
        f"h:1#{'ａｂ' * 32}",
        "[" * 10_000,
        "a." * 5_000,
        ":" * 10_000,
    ],
    ids=lambda typed: repr(typed[:30]),
)
def test_anything_else_is_refused_in_words(typed: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_locator_address(typed)
    assert refusal.value.code is RefusalCode.BAD_ADDRESS
    assert len(refusal.value.message) < 200, "what was typed is not repeated"


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text())
def test_what_is_taken_can_be_looked_up_and_handed_on(typed: str) -> None:
    try:
        address = parse_locator_address(typed)
    except Refusal as refusal:
        assert refusal.code is RefusalCode.BAD_ADDRESS
        return
    # As the resolver does, with a UnicodeError that nobody expects from it.
    address.host.encode("idna")
    realm = Realm(b"r" * 32)
    assert parse_locator_address(address.link(realm)) == LocatorAddress(address.host, address.port, realm)
    assert parse_locator_address(address.place).port == address.port
