"""What a peer and a locator say to each other (ALPN `hail-locator/1`).

The locator speaks first (`Welcome`). Then the peer asks, each question with a `tag` of its own choice, and
each gets one answer with the same tag. `Moved`, `Superseded` and `Locators` come unasked.
"""

import hashlib
from typing import Annotated

import msgspec
from msgspec import Meta

from protocol import limits
from protocol.device_lists import SignedDeviceList
from protocol.identity import PublicKey, UserId
from protocol.registry import Message, Registry
from protocol.signatures import SIGNATURE_BYTES

ALPN = "hail-locator/1"
LOCATOR = Registry("locator", 0x0101, 0x01FF)
LOCATOR.reserve(range(0x8120, 0x8124), "class spaces")

Tag = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
Port = Annotated[int, Meta(ge=0, le=65535)]
SessionNumber = Annotated[int, Meta(ge=0, le=limits.LARGEST_NUMBER)]
Password = Annotated[str, Meta(max_length=limits.PASSWORD_LENGTH)]
TypedName = Annotated[str, Meta(max_length=4 * limits.DISPLAY_NAME_LENGTH)]
Users = Annotated[tuple[UserId, ...], Meta(max_length=limits.USERS_PER_QUESTION)]
Address = Annotated[str, Meta(max_length=limits.ADDRESS_LENGTH)]
Place = Annotated[str, Meta(max_length=limits.PLACE_LENGTH)]
Seconds = Annotated[float, Meta(ge=0, le=limits.LONGEST_WAIT_SECONDS)]
CertificateBytes = Annotated[bytes, Meta(max_length=limits.CERTIFICATE_BYTES)]


class Endpoint(msgspec.Struct, frozen=True, array_like=True):
    """Where a peer can be reached: its ports, and the interface addresses it knows of."""

    listen_port: Port
    voice_port: Port
    addresses: Annotated[tuple[Address, ...], Meta(max_length=limits.ADDRESSES_PER_USER)] = ()


class Whereabout(msgspec.Struct, frozen=True, array_like=True):
    """What the locator knows of one user. An unknown ID is simply not online."""

    user: UserId
    online: bool
    addresses: Annotated[tuple[Address, ...], Meta(max_length=limits.ADDRESSES_PER_USER)] = ()
    listen_port: Port = 0
    voice_port: Port = 0
    device_list: SignedDeviceList | None = None
    since: Annotated[int, Meta(ge=0, le=limits.LARGEST_NUMBER)] = 0
    """Milliseconds since 1970 at which the user came or went; 0 when the locator does not know."""
    known: bool = False
    """Whether the locator has an account of that ID."""


@LOCATOR.register(0x0101)
class Welcome(Message, frozen=True, array_like=True):
    """The locator's first words: who signs for it, and the nonce for a login by key."""

    authority: CertificateBytes
    nonce: Annotated[bytes, Meta(min_length=limits.CHALLENGE_BYTES, max_length=limits.CHALLENGE_BYTES)]
    registration_open: bool


@LOCATOR.register(0x0102)
class Register(Message, frozen=True, array_like=True):
    """Make an account and log in with it; asked again with the same password, it is a login."""

    tag: Tag
    user: UserId
    password: Password
    name: TypedName
    device_key: PublicKey
    endpoint: Endpoint


@LOCATOR.register(0x0103)
class LogIn(Message, frozen=True, array_like=True):
    """A person logs in with the password; the device becomes valid, the session is a new one."""

    tag: Tag
    user: UserId
    password: Password
    device_key: PublicKey
    endpoint: Endpoint


@LOCATOR.register(0x0104)
class LogInByKey(Message, frozen=True, array_like=True):
    """A valid device logs in by signing `login_challenge`.

    `resume` is the session to go on with, as an automatic reconnect does; 0 means that a person asked, and
    takes over whatever session there is.
    """

    tag: Tag
    user: UserId
    device_key: PublicKey
    signature: Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]
    resume: SessionNumber
    renew_certificate: bool
    endpoint: Endpoint


@LOCATOR.register(0x0105)
class LoggedIn(Message, frozen=True, array_like=True):
    """The session is there. `certificate` is empty where none was asked for."""

    tag: Tag
    user: UserId
    name: TypedName
    session: SessionNumber
    certificate: CertificateBytes
    device_list: SignedDeviceList
    lease_seconds: Seconds
    seen_address: Address
    must_change_password: bool = False
    """Whether nothing else is answered before `ChangePassword`."""


@LOCATOR.register(0x0106)
class LogOut(Message, frozen=True, array_like=True):
    """End the session now, instead of letting its lease run out."""

    tag: Tag


@LOCATOR.register(0x0107)
class Where(Message, frozen=True, array_like=True):
    """Ask where some users are; answered by `Whereabouts` in the same order."""

    tag: Tag
    users: Users


@LOCATOR.register(0x0108)
class Watch(Message, frozen=True, array_like=True):
    """Like `Where`, and tell every change with `Moved` from now on. Adds to what is watched."""

    tag: Tag
    users: Users


@LOCATOR.register(0x0109)
class Unwatch(Message, frozen=True, array_like=True):
    """Tell no more about these users."""

    tag: Tag
    users: Users


@LOCATOR.register(0x010A)
class KeepAlive(Message, frozen=True, array_like=True):
    """I am still here: renew my lease."""

    tag: Tag


@LOCATOR.register(0x010B)
class Done(Message, frozen=True, array_like=True):
    """What was asked is done, and there is nothing else to say."""

    tag: Tag


@LOCATOR.register(0x010C)
class Refused(Message, frozen=True, array_like=True):
    """What was asked was not done: a stable code, a plain sentence, and when to try again (0: no use)."""

    tag: Tag
    code: Annotated[str, Meta(max_length=64)]
    message: Annotated[str, Meta(max_length=500)]
    retry_after: Seconds = 0.0


@LOCATOR.register(0x010D)
class Whereabouts(Message, frozen=True, array_like=True):
    """The answer to `Where` and `Watch`."""

    tag: Tag
    about: Annotated[tuple[Whereabout, ...], Meta(max_length=limits.USERS_PER_QUESTION)]


@LOCATOR.register(0x010E)
class Moved(Message, frozen=True, array_like=True):
    """Somebody watched came, went, or changed devices."""

    about: Whereabout


@LOCATOR.register(0x010F)
class Superseded(Message, frozen=True, array_like=True):
    """This person logged in elsewhere: go offline, say so, wait for a click. The locator hangs up after it."""

    session: SessionNumber


@LOCATOR.register(0x0110)
class ChangePassword(Message, frozen=True, array_like=True):
    """Set a new password; every other device must log in with it again. Answered by `PasswordChanged`."""

    tag: Tag
    old: Password
    new: Password


@LOCATOR.register(0x0111)
class PasswordChanged(Message, frozen=True, array_like=True):
    """The new password holds; the list now names this device alone."""

    tag: Tag
    device_list: SignedDeviceList


@LOCATOR.register(0x8112)
class Locators(Message, frozen=True, array_like=True):
    """Which locators are one with this one: any of them takes the same logins, should this one be lost."""

    places: Annotated[tuple[Place, ...], Meta(max_length=limits.LOCATORS_AS_ONE)]


def login_challenge(nonce: bytes, locator_certificate: bytes, user: UserId) -> bytes:
    """Return what a device signs (purpose LOGIN) to log in.

    The locator's certificate (DER) of this very connection is part of it, so that one locator cannot pass a
    signature on to another.
    """
    return nonce + hashlib.sha256(locator_certificate).digest() + user.encode()
