"""What two devices say to each other about a call, on their link: signals of the moment, never kept.

Every two devices in a call have a leg: each tells the other the key and the SSRC under which it sends its voice, and
where it is reached. Of a group's call each member has a leg with each other one.
"""

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from protocol import limits
from protocol.identity import CallId, ConversationId, DeviceId, UserId
from protocol.link_messages import LINK
from protocol.registry import Message

Addresses = Annotated[
    tuple[Annotated[str, Meta(max_length=limits.ADDRESS_LENGTH)], ...], Meta(max_length=limits.ADDRESSES_PER_USER)
]
Ssrc = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
Port = Annotated[int, Meta(ge=1, le=0xFFFF)]


class CallWord(StrEnum):
    """Why somebody ends a call, as it is said on the wire."""

    HUNG_UP = "hung_up"
    DECLINED = "declined"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    WITHDRAWN = "withdrawn"
    LOST = "lost"
    VOICE_FAILED = "voice_failed"
    ELSEWHERE = "elsewhere"
    FULL = "full"
    RATE_LIMITED = "rate_limited"
    GONE = "gone"

    @classmethod
    def from_wire(cls, text: str) -> "CallWord":
        """Read a word of the other side; one this version does not know is taken for `hung_up`."""
        try:
            return cls(text)
        except ValueError:
            return cls.HUNG_UP


class CallLeg(msgspec.Struct, frozen=True, array_like=True):
    """How one device sends its voice to one other, and where it is reached."""

    ssrc: Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]
    key: Annotated[bytes, Meta(min_length=limits.VOICE_KEY_BYTES, max_length=limits.VOICE_KEY_BYTES)]
    port: Port
    addresses: Addresses

    def __repr__(self) -> str:
        return f"CallLeg({self.ssrc:#010x})"  # never the key


class CallPerson(msgspec.Struct, frozen=True, array_like=True):
    """Somebody who is in a call, and with which device."""

    user: UserId
    device: DeviceId


@LINK.register(0x8230)
class CallOffer(Message, frozen=True, array_like=True):
    """Talk with me; answered by `CallRings` and later `CallAnswer`, or by `CallOver`."""

    call: CallId
    conversation: ConversationId
    leg: CallLeg
    rings: bool
    """Whether to ring whoever is not in the call; else they answer that they are not."""
    rung_ms: Annotated[int, Meta(ge=0, le=limits.LARGEST_NUMBER)]
    """How long it has been ringing already."""


@LINK.register(0x8231)
class CallRings(Message, frozen=True, array_like=True):
    """It rings here."""

    call: CallId


@LINK.register(0x8232)
class CallAnswer(Message, frozen=True, array_like=True):
    """I am in the call, and send to you so."""

    ADDED: ClassVar[int] = 1
    call: CallId
    leg: CallLeg
    to: Ssrc = 0
    """The SSRC of the offer that is answered."""


@LINK.register(0x8233)
class CallStatus(Message, frozen=True, array_like=True):
    """How I take part: told at the beginning, as it changes, and whenever the link comes up again."""

    call: CallId
    is_muted: bool
    has_microphone: bool
    has_speaker: bool
    port: Port
    addresses: Addresses


@LINK.register(0x8234)
class CallPeople(Message, frozen=True, array_like=True):
    """Who is in a group's call, the sender among them; nobody, if the sender is in it no more."""

    call: CallId
    conversation: ConversationId
    people: Annotated[tuple[CallPerson, ...], Meta(max_length=limits.CALL_PEOPLE)]


@LINK.register(0x8235)
class CallOver(Message, frozen=True, array_like=True):
    """Between us two this call is over, and why (`CallWord`); confirmed by `CallOverHeard`."""

    ADDED: ClassVar[int] = 1
    call: CallId
    reason: Annotated[str, Meta(max_length=64)]
    leg: Ssrc = 0
    """The SSRC of the receiver's leg or offer that ends; 0: none of it had come."""


@LINK.register(0x8236)
class CallOverHeard(Message, frozen=True, array_like=True):
    """I know that it is over."""

    call: CallId
