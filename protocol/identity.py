"""Names that cannot be mistaken for each other: never a bare str or bytes for a user, a device or an entry."""

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Any, Self

from protocol import limits

USER_ID_PATTERN = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{limits.USER_ID_LENGTH - 1}}}\Z")


class UserId(str):
    """Who a person is at a locator: `[a-z0-9][a-z0-9._-]{0,31}`, lower case."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raise ValueError for anything but a canonical ID (see `parse` for what a person types)."""
        if not USER_ID_PATTERN.match(text):
            raise ValueError("a user ID has 1 to 32 of a-z, 0-9, dot, dash and underscore, first a letter or digit")
        return super().__new__(cls, text)

    @classmethod
    def parse(cls, typed: str) -> Self:
        """Read what a person typed: spaces around it and capitals are forgiven."""
        return cls(typed.strip().casefold())


class _FixedBytes(bytes):
    """Bytes of one exact length; the subclass is the meaning."""

    __slots__ = ()
    LENGTH = 32

    def __new__(cls, value: bytes) -> Self:
        if len(value) != cls.LENGTH:
            raise ValueError(f"{cls.__name__} has {cls.LENGTH} bytes, not {len(value)}")
        return super().__new__(cls, value)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """Read the form in which people and JSON see it; raise ValueError for another."""
        return cls(bytes.fromhex(text))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.hex()[:12]}…)"


class Realm(_FixedBytes):
    """Which locator's world: SHA-256 of the authority's public key (SPKI, DER)."""

    __slots__ = ()


class PublicKey(_FixedBytes):
    """A device's raw Ed25519 public key."""

    __slots__ = ()


class DeviceId(_FixedBytes):
    """Which device: SHA-256 of its public key."""

    __slots__ = ()

    @classmethod
    def of_key(cls, key: PublicKey) -> Self:
        """Return the ID of the device that holds this key."""
        return cls(hashlib.sha256(key).digest())


class EntryId(_FixedBytes):
    """Which entry, whatever feed it was written in: random, and the same when it is written again."""

    __slots__ = ()
    LENGTH = limits.ENTRY_ID_BYTES


class CallId(_FixedBytes):
    """Which call: random, drawn by who rings."""

    __slots__ = ()
    LENGTH = limits.CALL_ID_BYTES


class EntryHash(_FixedBytes):
    """SHA-256 of a header's bytes: the link of a feed's chain."""

    __slots__ = ()


class PieceHash(_FixedBytes):
    """BLAKE3 of a piece of an attachment, or of its piece table."""

    __slots__ = ()


NO_HASH = EntryHash(bytes(32))
"""What stands before the first entry of a feed."""


class FeedId(_FixedBytes):
    """Which log: the device (32 bytes) that writes it, then the incarnation (16 random bytes)."""

    __slots__ = ()
    LENGTH = 48

    @classmethod
    def of(cls, device: DeviceId, incarnation: bytes) -> Self:
        """Join a device and an incarnation."""
        return cls(device + incarnation)

    @property
    def device(self) -> DeviceId:
        """The device whose key signs this feed."""
        return DeviceId(self[:32])


class ConversationId(_FixedBytes):
    """Which conversation: of two people a hash of their names, of a group the hash of its creation header."""

    __slots__ = ()

    @classmethod
    def of_two(cls, realm: Realm, one: UserId, other: UserId) -> Self:
        """Return the one conversation of two people in a realm; both compute the same."""
        first, second = sorted((one, other))
        # User IDs hold no NUL, so the joined form is unambiguous.
        return cls(hashlib.sha256(b"hail direct\0" + realm + first.encode() + b"\0" + second.encode()).digest())


NO_CONVERSATION = ConversationId(bytes(32))
"""What stands in a group's first header: the group's name is the hash of that header."""

CUSTOM_TYPES: tuple[type, ...] = (
    UserId,
    Realm,
    PublicKey,
    DeviceId,
    EntryId,
    CallId,
    EntryHash,
    PieceHash,
    FeedId,
    ConversationId,
)


def to_builtin(value: object) -> bytes | str:
    """msgspec's encoding hook: our names travel as the plain bytes or text that they are."""
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"{type(value).__name__} has no form on the wire")


def from_builtin(wanted: type, value: Any) -> object:
    """msgspec's decoding hook: a name is built, and so checked, from what came."""
    if wanted is UserId and isinstance(value, str):
        return _user_id(value)
    if wanted in CUSTOM_TYPES:
        base = str if issubclass(wanted, str) else bytes
        if isinstance(value, base):
            return wanted(value)
    raise ValueError(f"expected {wanted.__name__}")


@lru_cache(maxsize=limits.USER_IDS_REMEMBERED)
def _user_id(text: str) -> UserId:
    """The same few people are asked for again and again: their IDs are checked once."""
    return UserId(text)


def clean_display_name(typed: str) -> str:
    """Return a name fit for one line anywhere; raise ValueError if nothing is left or it is too long.

    Control characters, those that change the writing direction and those that show nothing are dropped: a name
    must not be able to reorder the text beside it, nor to be an empty place that can be clicked.
    """
    kept = "".join(c for c in typed if unicodedata.category(c) not in _UNSEEN and c not in _BLANKS)
    name = " ".join(unicodedata.normalize("NFC", kept).split())
    if not any(unicodedata.category(c)[0] in "LNPS" for c in name):
        raise ValueError("a name has at least one visible character")
    if len(name) > limits.DISPLAY_NAME_LENGTH:
        raise ValueError(f"a name has at most {limits.DISPLAY_NAME_LENGTH} characters")
    return name


_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs by their category, but drawn as nothing: Hangul fillers and the empty Braille cell."""
