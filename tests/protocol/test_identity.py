"""Names are what they claim to be, and no name can deceive the eye."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import limits
from protocol.identity import (
    CUSTOM_TYPES,
    ConversationId,
    DeviceId,
    EntryHash,
    EntryId,
    FeedId,
    PublicKey,
    Realm,
    UserId,
    clean_display_name,
    from_builtin,
    to_builtin,
)
from tests.protocol.strategies import USER_IDS

REALM = Realm(bytes(range(32)))


@pytest.mark.parametrize("text", ["a", "7", "ann", "ann.b-c_d", "0" * 32])
def test_a_canonical_user_id_is_taken(text: str) -> None:
    assert UserId(text) == text


@pytest.mark.parametrize("text", ["", "Ann", ".ann", "-a", "_a", "a b", "a\n", "ann\x00", "é", "a/b", "..", "a" * 33])
def test_another_form_of_a_user_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="user ID"):
        UserId(text)


@pytest.mark.parametrize(("typed", "meant"), [("  Ann ", "ann"), ("BOB.7", "bob.7"), ("x\n", "x")])
def test_spaces_and_capitals_that_a_person_types_are_forgiven(typed: str, meant: str) -> None:
    assert UserId.parse(typed) == UserId(meant)


@pytest.mark.parametrize("cls", [Realm, PublicKey, DeviceId, EntryHash, ConversationId, EntryId, FeedId])
def test_a_name_of_bytes_has_one_exact_length(cls: type[Realm]) -> None:
    assert cls(bytes(cls.LENGTH)) == bytes(cls.LENGTH)
    for length in (0, cls.LENGTH - 1, cls.LENGTH + 1):
        with pytest.raises(ValueError, match="bytes"):
            cls(bytes(length))


def test_a_name_of_bytes_shows_its_meaning_and_its_beginning() -> None:
    assert repr(REALM) == "Realm(000102030405…)"
    assert Realm.from_hex(REALM.hex()) == REALM
    with pytest.raises(ValueError, match="hex"):
        Realm.from_hex("xyz")


def test_a_device_is_named_by_the_hash_of_its_key() -> None:
    key = PublicKey(b"k" * 32)
    assert DeviceId.of_key(key) == hashlib.sha256(key).digest()


def test_a_feed_names_its_device_and_its_incarnation() -> None:
    device = DeviceId(b"d" * 32)
    feed = FeedId.of(device, b"i" * 16)
    assert feed == b"d" * 32 + b"i" * 16
    assert feed.device == device
    with pytest.raises(ValueError, match="FeedId"):
        FeedId.of(device, b"short")


@given(USER_IDS, USER_IDS)
def test_both_people_compute_the_same_conversation(one: UserId, other: UserId) -> None:
    assert ConversationId.of_two(REALM, one, other) == ConversationId.of_two(REALM, other, one)


@given(*[USER_IDS] * 4)
def test_two_pairs_of_people_have_two_conversations(a: UserId, b: UserId, c: UserId, d: UserId) -> None:
    same_pair = sorted((a, b)) == sorted((c, d))
    assert (ConversationId.of_two(REALM, a, b) == ConversationId.of_two(REALM, c, d)) == same_pair


def test_the_same_two_ids_in_another_realm_have_another_conversation() -> None:
    ann, bob = UserId("ann"), UserId("bob")
    assert ConversationId.of_two(REALM, ann, bob) != ConversationId.of_two(Realm(bytes(32)), ann, bob)


@pytest.mark.parametrize("cls", CUSTOM_TYPES)
def test_a_name_travels_as_plain_bytes_or_text_and_is_checked_when_it_comes(cls: type) -> None:
    name = UserId("ann") if cls is UserId else cls(bytes(cls.LENGTH))  # type: ignore[attr-defined]
    plain = to_builtin(name)
    assert type(plain) in {str, bytes}
    assert from_builtin(cls, plain) == name
    for wrong in (b"ann" if cls is UserId else "text", 7, None, b"", "", []):
        with pytest.raises(ValueError):
            from_builtin(cls, wrong)


def test_values_that_have_no_form_on_the_wire_are_not_sent() -> None:
    with pytest.raises(TypeError):
        to_builtin(object())
    with pytest.raises(ValueError):
        from_builtin(int, 7)


# --- display names ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Ann", "Ann"),
        ("  Ann \t  B.\n", "Ann B."),
        ("王小明", "王小明"),
        ("שלום", "שלום"),
        ("Ann\u202egnp.exe", "Anngnp.exe"),
        ("\u2066Ann\u2069\u200f\u061c", "Ann"),
        ("An\u200bn\u00ad", "Ann"),
        ("A\x00n\x1b[31mn", "An[31mn"),
        ("Ann\u2028Bob", "AnnBob"),
        ("e\u0301", "é"),
        ("e\u200d\u0301", "é"),
        ("Ann\u3164", "Ann"),
        ("😀", "😀"),
    ],
)
def test_a_display_name_is_made_fit_for_one_line(typed: str, shown: str) -> None:
    assert clean_display_name(typed) == shown


@pytest.mark.parametrize(
    "typed", ["", "   ", "\u202e", "\u200b\u2060\ufeff", "\n\t", "\u3164", "\u2800\u2800", "\u0301", "\ufe0f", "\ue000"]
)
def test_a_name_with_nothing_visible_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="visible"):
        clean_display_name(typed)


def test_the_longest_name_is_taken_and_a_longer_one_refused() -> None:
    assert clean_display_name("x" * limits.DISPLAY_NAME_LENGTH) == "x" * 64
    for length in (65, 10_000):
        with pytest.raises(ValueError, match="at most 64"):
            clean_display_name("x" * length)


def test_ten_thousand_invisible_characters_around_a_name_do_not_count() -> None:
    assert clean_display_name("\u200b" * 10_000 + "Ann") == "Ann"


@given(st.text(max_size=90))
def test_a_cleaned_name_is_short_visible_on_one_line_and_stays_as_it_is(typed: str) -> None:
    try:
        name = clean_display_name(typed)
    except ValueError:
        return
    assert 1 <= len(name) <= limits.DISPLAY_NAME_LENGTH
    assert name == name.strip() == " ".join(name.split())
    assert not {unicodedata.category(c) for c in name} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert clean_display_name(name) == name
