"""What calls ask of links: whom one may talk with, what is said to them, and what has to be said again."""

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple

from peer.calls.limits import CALL_OVER_SECONDS, CALLS_OVER_UNHEARD
from peer.entries.conversation import Conversation
from peer.links.link import Link
from protocol.call_messages import CallOver, CallWord
from protocol.identity import CallId, DeviceId, UserId
from protocol.limits import ADDRESSES_PER_USER
from protocol.registry import Message


class _Unheard(NamedTuple):
    """The end of a call that a device has not confirmed."""

    message: CallOver
    until: float


class CallLines:
    """The links of this node, as calls see them."""

    def __init__(
        self,
        me: UserId,
        device: DeviceId,
        links: Callable[[], Iterable[Link]],
        may_talk: Callable[[UserId, DeviceId, Conversation], bool],
        is_there: Callable[[UserId], bool],
        seek: Callable[[UserId], None],
        place: Callable[[], tuple[int, tuple[str, ...]]],
    ) -> None:
        """`place` returns our voice port and addresses; `seek` has a link made with somebody, for a while."""
        self.me, self.device = me, device
        self._links = links
        self.may_talk, self.is_there, self.seek = may_talk, is_there, seek
        self._place = place
        self._unheard: dict[tuple[DeviceId, CallId], _Unheard] = {}

    def now(self) -> float:
        """Return the time by the loop's clock, in s."""
        return asyncio.get_running_loop().time()

    def place(self) -> tuple[int, tuple[str, ...]]:
        """Return where our voice is reached now: port and addresses."""
        port, addresses = self._place()
        return port, addresses[:ADDRESSES_PER_USER]

    def all(self, conversation: Conversation) -> list[Link]:
        """Return the links with everybody whom a conversation is for."""
        return [link for link in self._links() if self.may_use(link, conversation)]

    def may_use(self, link: Link, conversation: Conversation) -> bool:
        """Tell whether a link may hear of calls in a conversation."""
        return link.user is not None and link.device is not None and self.may_talk(link.user, link.device, conversation)

    def with_user(self, user: UserId, conversation: Conversation) -> list[Link]:
        """Return the links with somebody's devices that may hear of it."""
        return [link for link in self.all(conversation) if link.user == user]

    def tell(self, device: DeviceId | None, message: Message) -> None:
        """Say something to a device, if there is a link."""
        for link in self._links():
            if link.device == device:
                link.send(message)

    def tell_over(self, device: DeviceId, call: CallId, reason: CallWord, leg: int = 0) -> None:
        """Say that a call is over; again, when a link comes up, until it is confirmed.

        `leg` is the SSRC of what they told of how they send, 0 if they told nothing.
        """
        message = CallOver(call, reason, leg)
        now = self.now()
        self._unheard = {key: each for key, each in self._unheard.items() if each.until > now}
        if len(self._unheard) < CALLS_OVER_UNHEARD:
            self._unheard[device, call] = _Unheard(message, now + CALL_OVER_SECONDS)
        self.tell(device, message)

    def heard_over(self, link: Link, call: CallId) -> None:
        """They confirmed it."""
        assert link.device is not None
        self._unheard.pop((link.device, call), None)

    def link_came_up(self, link: Link) -> None:
        """Say again what was not confirmed."""
        now = self.now()
        for (device, _), unheard in list(self._unheard.items()):
            if device == link.device and unheard.until > now:
                link.send(unheard.message)
