"""The digits are the same on both sides, and nowhere else."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import protocol
from protocol.identity import PublicKey, Realm, UserId
from protocol.safety_numbers import is_same_number, safety_number

REALM = Realm(b"\x01" * 32)
ANA, BO = (UserId("ana"), PublicKey(b"\x02" * 32)), (UserId("bo"), PublicKey(b"\x03" * 32))
KEYS = st.binary(min_size=32, max_size=32).map(PublicKey)
USERS = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,31}", fullmatch=True).map(UserId)


def test_the_number_is_the_one_of_the_specification() -> None:
    number = safety_number(REALM, ANA, BO)
    specification = Path(protocol.__file__).with_name("SPECIFICATION.md").read_text(encoding="utf-8")
    assert f"```text\n{number}\n```" in specification
    assert [len(group) for group in number.split(" ")] == [5] * 12
    assert number.replace(" ", "").isdigit()


@given(USERS, KEYS, USERS, KEYS)
def test_both_sides_read_the_same(one: UserId, one_key: PublicKey, other: UserId, other_key: PublicKey) -> None:
    pair = (one, one_key), (other, other_key)
    assert safety_number(REALM, *pair) == safety_number(REALM, *reversed(pair))


def test_another_key_user_or_realm_gives_another_number() -> None:
    number = safety_number(REALM, ANA, BO)
    others = [
        safety_number(REALM, ANA, (BO[0], PublicKey(b"\x04" * 32))),
        safety_number(REALM, (UserId("anb"), ANA[1]), BO),
        safety_number(Realm(b"\x05" * 32), ANA, BO),
        safety_number(REALM, (ANA[0], BO[1]), (BO[0], ANA[1])),
    ]
    assert len({number, *others}) == 5


def test_digits_are_compared_however_they_were_typed() -> None:
    number = safety_number(REALM, ANA, BO)
    assert is_same_number(number, number.replace(" ", ""))
    assert is_same_number(number, "\n".join(number.split()) + ".")
    assert not is_same_number(number, number[:-1])
    assert not is_same_number("", "")
    assert not is_same_number("abc", "\u0663")
