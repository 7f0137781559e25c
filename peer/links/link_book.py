"""All links of the node: who may link, which of several links with one device stays, and who hears of it.

Both sides greet; the side with the lower DeviceId keeps the newest link whose greeting completed and closes the
others as duplicates. Nothing else flows before.
"""

import asyncio
import logging
from typing import NamedTuple, Protocol

from peer.errors import Refusal
from peer.links.link import Link, LinkEnd, exchange_greetings, wait_for_keep
from protocol.errors import RemoteProtocolError
from protocol.identity import DeviceId, UserId
from protocol.link_messages import Greeting, Keep
from protocol.registry import Message

log = logging.getLogger(__name__)


class Caller(NamedTuple):
    """Who is on the other side of a link, as proven."""

    user: UserId
    device: DeviceId


class Doorkeeper(Protocol):
    """Decides who may link; asked after each handshake, before a byte is said."""

    async def admit(self, certificate: bytes, expected: UserId | None) -> Caller:
        """Return who it is; raise RemoteProtocolError for anybody who may not link."""

    def is_still_welcome(self, caller: Caller) -> bool:
        """Tell whether what held at admission holds still, after the greetings took their time."""


class LinkListener(Protocol):
    """Hears of links and their messages."""

    def link_came_up(self, link: Link) -> None:
        """A link with a device is there: the only one with it."""

    async def message_came(self, link: Link, message: Message) -> None:
        """Handle one message; the next one of this link comes when this is done."""

    def link_went_down(self, link: Link) -> None:
        """The device has no link now."""


class LinkBook:
    """One live link per device."""

    def __init__(self, me: DeviceId, greeting: Greeting, doorkeeper: Doorkeeper, listener: LinkListener) -> None:
        self._me = me
        self._greeting = greeting
        self._doorkeeper = doorkeeper
        self._listener = listener
        self._up: dict[DeviceId, Link] = {}
        self._all: dict[Link, asyncio.Task[None] | None] = {}

    def new_link(self) -> Link:
        """Make the protocol object for a connection that is being made; `greet` takes it from there."""
        return Link(self._ended)

    @property
    def links(self) -> tuple[Link, ...]:
        """The links that are up."""
        return tuple(self._up.values())

    def link_with(self, user: UserId) -> Link | None:
        """Return a link with one of the user's devices."""
        return next((link for link in self._up.values() if link.user == user), None)

    async def greet(self, link: Link, expected: UserId | None) -> bool:
        """Take a fresh connection through admission and greeting; return whether its link came up.

        From then on the book runs it in a task of its own. Raises nothing but cancellation.
        """
        self._all[link] = None
        link.is_ours = expected is not None
        try:
            caller = await self._doorkeeper.admit(link.peer_certificate(), expected)
            link.user, link.device = caller
            await exchange_greetings(link, self._greeting)
            is_kept = self._keep_newest(link) if self._me < caller.device else await wait_for_keep(link)
        except RemoteProtocolError as error:
            log.warning("a link%s was refused: %s", f" with {link.user}" if link.user else "", error)
            link.close(LinkEnd.NOT_VALID)
            return False
        except (TimeoutError, ConnectionResetError, Refusal) as error:
            log.info("a link with %s came to nothing: %s", link.user, str(error) or "no greeting in time")
            link.close(LinkEnd.DEAD)
            return False
        except Exception:
            # One caller's misfortune must not end the dialling or listening of this node.
            log.exception("a link with %s failed", link.user)
            link.abort()
            return False
        except BaseException:
            link.abort()
            raise
        if not is_kept or link.has_ended:
            return False
        if not self._doorkeeper.is_still_welcome(caller):
            link.close(LinkEnd.NOT_VALID)
            return False
        self._come_up(link)
        return True

    async def close_all(self, reason: LinkEnd) -> None:
        """End every link, and wait until their tasks are done."""
        tasks = [task for task in self._all.values() if task is not None]
        for link in tuple(self._all):
            link.close(reason)
        await asyncio.gather(*tasks, return_exceptions=True)

    def close_every(self, reason: LinkEnd) -> None:
        """End every link, those still being greeted too."""
        for link in tuple(self._all):
            link.close(reason)

    def close_user(self, user: UserId, reason: LinkEnd, *, but: frozenset[DeviceId] = frozenset()) -> None:
        """End the links with a user's devices, but for those named."""
        for link in tuple(self._all):
            if link.user == user and link.device not in but:
                link.close(reason)

    def _keep_newest(self, link: Link) -> bool:
        if link.has_ended:
            return False
        link.send(Keep())
        return True

    def _come_up(self, link: Link) -> None:
        assert link.device is not None
        older = self._up.get(link.device)
        if older is not None:
            # While the book still holds it: whoever heard of its coming must hear of its end.
            older.close(LinkEnd.DUPLICATE)
        self._up[link.device] = link
        link.is_up = True
        self._all[link] = asyncio.create_task(self._run(link), name=f"link with {link.user}")
        self._listener.link_came_up(link)

    async def _run(self, link: Link) -> None:
        while (message := await link.next_message()) is not None:
            try:
                await self._listener.message_came(link, message)
            except RemoteProtocolError as error:
                log.warning("link with %s refused: %s", link.user, error)
                link.close(LinkEnd.BROKEN_RULES)
            except Exception:
                # One bad moment with one neighbour must not take the node down; the next link-up syncs again.
                log.exception("a message of %s could not be handled", link.user)
                link.close(LinkEnd.LEAVING)
        self._all.pop(link, None)

    def _ended(self, link: Link) -> None:
        if self._all.get(link) is None:
            self._all.pop(link, None)
        if link.device is not None and self._up.get(link.device) is link:
            del self._up[link.device]
            self._listener.link_went_down(link)
