"""Sixty digits that two people read to each other: they are the same only if nobody stands between their devices."""

import hashlib

from protocol.identity import PublicKey, Realm, UserId

_PURPOSE = b"hail safety number 1\0"
_GROUPS_OF_ONE = 6
_GROUP_BYTES = 5
_GROUP_DIGITS = 5


def safety_number(realm: Realm, one: tuple[UserId, PublicKey], other: tuple[UserId, PublicKey]) -> str:
    """Return the number of a pair of devices, in 12 groups of 5 digits: the same on both, whoever comes first.

    Each half stands for one person and the key of one device of theirs (specification, "Safety numbers").
    """
    return " ".join(_half(realm, user, key) for user, key in sorted((one, other)))


def is_same_number(one: str, other: str) -> bool:
    """Tell whether two numbers are the same, however they were typed."""
    return _digits(one) == _digits(other) != ""


def _half(realm: Realm, user: UserId, key: PublicKey) -> str:
    # Lengths are fixed but for the ID, which comes last: no two people give the same bytes.
    digest = hashlib.sha512(_PURPOSE + realm + key + user.encode()).digest()
    groups = (digest[n * _GROUP_BYTES : (n + 1) * _GROUP_BYTES] for n in range(_GROUPS_OF_ONE))
    return " ".join(f"{int.from_bytes(group, 'big') % 10**_GROUP_DIGITS:0{_GROUP_DIGITS}}" for group in groups)


def _digits(typed: str) -> str:
    return "".join(sign for sign in typed if sign in "0123456789")
