"""Both people read the same digits, and any other key, person or realm gives others."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.identity import PublicKey, Realm, UserId
from protocol.safety_numbers import is_same_number, safety_number
from tests.protocol.examples import VALUES
from tests.protocol.test_specification import TEXT

REALM = Realm(b"r" * 32)
ANN, BOB = (UserId("ann"), [PublicKey(b"a" * 32)]), (UserId("bob"), [PublicKey(b"b" * 32)])
_KEYS = st.lists(st.binary(min_size=32, max_size=32).map(PublicKey), min_size=1, max_size=3)


@given(_KEYS, _KEYS, st.randoms())
def test_the_order_of_people_and_keys_makes_no_difference(anns: list[PublicKey], bobs: list[PublicKey], mix) -> None:
    number = safety_number(REALM, (ANN[0], anns), (BOB[0], bobs))
    assert re.fullmatch(r"(\d{5} ){11}\d{5}", number)
    shuffled = [*anns]
    mix.shuffle(shuffled)
    assert safety_number(REALM, (BOB[0], bobs), (ANN[0], shuffled)) == number


@pytest.mark.parametrize(
    ("realm", "one", "other"),
    [
        (Realm(b"s" * 32), ANN, BOB),
        (REALM, (UserId("anna"), ANN[1]), BOB),
        (REALM, (UserId("ann"), BOB[1]), (UserId("bob"), ANN[1])),
        (REALM, ANN, (UserId("bob"), [PublicKey(b"c" * 32)])),
        (REALM, ANN, (UserId("bob"), [*BOB[1], PublicKey(b"c" * 32)])),
    ],
)
def test_anything_else_gives_another_number(realm: Realm, one, other) -> None:
    assert safety_number(realm, one, other) != safety_number(REALM, ANN, BOB)


def test_however_the_digits_are_grouped_they_are_the_same() -> None:
    number = safety_number(REALM, ANN, BOB)
    assert is_same_number(number.replace(" ", ""), number)
    assert is_same_number(f"\n {number.replace(' ', '  ')}", number)
    assert not is_same_number(number[:-1], number)
    assert not is_same_number("", number)


def test_the_specification_shows_the_promised_digits() -> None:
    assert f"`{VALUES['safety_number'].decode()}`" in TEXT
