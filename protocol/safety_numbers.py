"""What two people read to each other to be sure that nobody stands between them: 60 digits from both devices' keys."""

import hashlib
from collections.abc import Collection

from protocol.identity import PublicKey, Realm, UserId

GROUPS = 12
DIGITS_PER_GROUP = 5
_BYTES_PER_GROUP = 5
_PURPOSE = b"hail safety number 1\0"

Person = tuple[UserId, Collection[PublicKey]]
"""Somebody, and the keys that are to speak for them."""


def safety_number(realm: Realm, one: Person, other: Person) -> str:
    """Return 12 groups of 5 digits; the order of the two, and of their keys, makes no difference."""
    digest = hashlib.sha512(_PURPOSE + realm)
    for user, keys in sorted((one, other), key=lambda person: person[0].encode()):
        digest.update(user.encode() + b"\0" + bytes([len(keys)]) + b"".join(sorted(keys)))
    hashed = digest.digest()
    starts = range(0, GROUPS * _BYTES_PER_GROUP, _BYTES_PER_GROUP)
    numbers = (int.from_bytes(hashed[start : start + _BYTES_PER_GROUP], "big") for start in starts)
    return " ".join(f"{number % 10**DIGITS_PER_GROUP:0{DIGITS_PER_GROUP}}" for number in numbers)


def is_same_number(read: str, computed: str) -> bool:
    """Whether what a person read or typed is this number, however they grouped its digits."""
    return "".join(read.split()) == "".join(computed.split())
