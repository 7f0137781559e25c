"""What is said in a group about the group itself: the entries that `membership.py` folds into who belongs to it.

Each names all that its author had seen when it was written, so that cause and effect are known without any clock.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from protocol import limits
from protocol.entries import BODIES, Body, DisplayName, Number
from protocol.identity import DeviceId, EntryHash, FeedId, UserId


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """How far an author had seen one feed: the last entry, by number and by hash."""

    feed: FeedId
    number: Number
    hash: EntryHash


class NewMember(msgspec.Struct, frozen=True, array_like=True):
    """A person who becomes a member, and the devices that may speak in their name from the start."""

    user: UserId
    name: DisplayName
    """What the adder calls them, for members who are no contacts of theirs."""
    devices: Annotated[tuple[DeviceId, ...], Meta(max_length=limits.DEVICES_PER_USER)]


AllSeen = Annotated[tuple[Seen, ...], Meta(max_length=limits.SEEN_FEEDS)]


class MembershipBody(Body, frozen=True, array_like=True):
    """What all entries about membership begin with."""

    seen: AllSeen
    """The last entry of each other feed that the author held."""


@BODIES.register(0x0320)
class Created(MembershipBody, frozen=True, array_like=True):
    """The first entry of a group, by its creator, who is its first member and manager.

    The hash of its header is the group's ConversationId; in this one header the field for it is all zeros.
    """

    name: DisplayName
    members: Annotated[tuple[NewMember, ...], Meta(max_length=limits.GROUP_MEMBERS)]
    """The first members, the creator's own devices among them."""


@BODIES.register(0x0321)
class Added(MembershipBody, frozen=True, array_like=True):
    """One more member. Any member may add."""

    member: NewMember
    from_now_on: bool = False
    """What was written before (by `seen`) is withheld from the new member: its content, not its headers."""


@BODIES.register(0x0322)
class Excluded(MembershipBody, frozen=True, array_like=True):
    """A member less. Managers may exclude."""

    user: UserId
    last: AllSeen
    """How far each feed of theirs counts; one that is not named does not count at all."""


@BODIES.register(0x0323)
class Left(MembershipBody, frozen=True, array_like=True):
    """The author belongs to the group no more; their words up to here stay."""


@BODIES.register(0x0324)
class Renamed(MembershipBody, frozen=True, array_like=True):
    """Another name for the group. Any member may give it."""

    name: DisplayName


@BODIES.register(0x0325)
class ManagerChanged(MembershipBody, frozen=True, array_like=True):
    """Somebody becomes a manager, or is one no more. Managers may say so."""

    user: UserId
    is_manager: bool


@BODIES.register(0x0326)
class DeviceConfirmed(MembershipBody, frozen=True, array_like=True):
    """One more device that speaks for a member: said by the member on another device, or by a manager."""

    user: UserId
    device: DeviceId


MEMBERSHIP_KINDS = frozenset(
    BODIES.number_of(body) for body in (Created, Added, Excluded, Left, Renamed, ManagerChanged, DeviceConfirmed)
)
"""What the fold of `membership.py` is made of."""
