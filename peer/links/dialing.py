"""Calls the devices we want a link with, again and again, with growing waits, as long as they are wanted."""

import asyncio
import logging
import random
import ssl
from dataclasses import dataclass

from peer import limits as node_limits
from peer.links.link_book import LinkBook
from peer.links.wire import Wire
from protocol import limits
from protocol.identity import UserId
from protocol.link_messages import MAGIC

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a user is said to be."""

    addresses: tuple[str, ...]
    port: int


@dataclass(slots=True)
class _Wanted:
    place: Place
    wait: float = limits.FIRST_REDIAL_SECONDS
    task: asyncio.Task[None] | None = None
    is_moved: bool = False
    """Whether this place was not dialled yet, and the one before was another."""


class Dialer:
    """Keeps trying until a link is up. A link closed as a duplicate is none to be dialled again."""

    def __init__(self, wire: Wire, book: LinkBook, context: ssl.SSLContext, chance: random.Random) -> None:
        self._wire = wire
        self._book = book
        self._context = context
        self._chance = chance
        self._wanted: dict[UserId, _Wanted] = {}

    def want(self, user: UserId, place: Place) -> None:
        """Have a link with this user, who is at `place`; a new place is tried at once."""
        wanted = self._wanted.get(user)
        if wanted is None:
            self._wanted[user] = _Wanted(place)
        elif wanted.place != place:
            # Another device may be the active one now, so a link that is there does not count.
            self._wanted[user] = _Wanted(place, is_moved=True)
            if wanted.task is not None:
                wanted.task.cancel()
        self.link_may_be_missing(user)

    def forget(self, user: UserId) -> None:
        """Dial this user no more: offline, or no friend."""
        wanted = self._wanted.pop(user, None)
        if wanted is not None and wanted.task is not None:
            wanted.task.cancel()

    def is_wanted(self, user: UserId) -> bool:
        """Tell whether a link with this user is kept or sought."""
        return user in self._wanted

    def forget_all(self) -> None:
        """Dial nobody any more."""
        for user in tuple(self._wanted):
            self.forget(user)

    def link_may_be_missing(self, user: UserId, *, after_loss: bool = False) -> None:
        """Begin to dial if the user is wanted and there is no link; after a loss, first wait a little."""
        wanted = self._wanted.get(user)
        if wanted is None or (wanted.task is not None and not wanted.task.done()):
            return
        if wanted.is_moved or self._book.link_with(user) is None:
            wanted.task = asyncio.create_task(
                self._dial_until_linked(user, wanted, after_loss), name=f"dialling {user}"
            )

    async def close(self) -> None:
        """Stop all dialling."""
        tasks = [wanted.task for wanted in self._wanted.values() if wanted.task is not None]
        self._wanted.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _dial_until_linked(self, user: UserId, wanted: _Wanted, after_loss: bool) -> None:
        if after_loss:
            # A neighbour that takes links and drops them must not be dialled in a hot loop.
            await self._pause(wanted)
        while wanted.is_moved or self._book.link_with(user) is None:
            wanted.is_moved = False
            for address in wanted.place.addresses:
                if await self._dial(user, address, wanted.place.port):
                    wanted.wait = limits.FIRST_REDIAL_SECONDS
                    return
                if self._book.link_with(user) is not None:
                    return
            await self._pause(wanted)

    async def _pause(self, wanted: _Wanted) -> None:
        await asyncio.sleep(wanted.wait * self._chance.uniform(0.5, 1.0))
        wanted.wait = min(wanted.wait * 2, limits.LAST_REDIAL_SECONDS)

    async def _dial(self, user: UserId, address: str, port: int) -> bool:
        try:
            async with asyncio.timeout(node_limits.DIAL_SECONDS):
                link = await self._wire.dial(address, port, self._book.new_link, self._context, MAGIC)
        except (OSError, TimeoutError, ValueError) as error:
            # A ValueError is an address that no resolver can ask for; who declared it is asked again later.
            log.info("%s did not answer at %s port %d: %s", user, address, port, str(error) or type(error).__name__)
            return False
        return await self._book.greet(link, expected=user)
