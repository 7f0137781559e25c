"""Tells the local network that a locator is here (zeroconf), so that a newcomer need not type its address."""

import asyncio
import ipaddress
import logging
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from locator import limits
from locator.configuration import Settings, public_place
from locator.own_address import address_of_this_machine
from protocol.announcements import SERVICE_TYPE, Announcement, clean_locator_name, encode_announcement
from protocol.identity import Realm

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnnouncedPlace:
    """What is announced, and on which networks."""

    address: str
    port: int
    host: str | None
    """The host's name, where the operator gave one out instead of an address."""
    only_on: str | None
    """The one interface's address; None for all interfaces."""


def place_to_announce(settings: Settings, bound: tuple[Any, ...]) -> AnnouncedPlace:
    """Return what the link to hand out says; `bound` is the listening socket's own address.

    Who listens at one address only is announced there only: nobody else could reach it.
    """
    place = public_place(settings, bound[1])
    own = ipaddress.ip_address(str(bound[0]).partition("%")[0])
    only_on = None if own.is_unspecified else str(own)
    try:
        return AnnouncedPlace(str(ipaddress.ip_address(place.host)), place.port, None, only_on)
    except ValueError:
        address = only_on or address_of_this_machine(ipv6=own.version == 6)
        return AnnouncedPlace(address, place.port, place.host, only_on)


class Announcer:
    """Keeps one announcement alive. A network that will not have it costs a line in the log, nothing more."""

    def __init__(self, place: AnnouncedPlace, realm: Realm) -> None:
        self._place = place
        self._realm = realm
        self._task: asyncio.Task[None] | None = None
        self._zeroconf: AsyncZeroconf | None = None

    def start(self) -> None:
        """Begin; serving does not wait for it."""
        self._task = asyncio.create_task(self._announce())

    async def stop(self) -> None:
        """Take it back, so that it goes from everybody's screen at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is None:
            return
        try:
            async with asyncio.timeout(limits.ANNOUNCEMENT_FAREWELL_SECONDS):
                await zeroconf.async_unregister_all_services()
                await zeroconf.async_close()
        except Exception as error:  # noqa: BLE001 - the network's trouble never keeps a locator from ending
            log.info("the announcement could not be taken back: %s", error)

    async def _announce(self) -> None:
        try:
            from zeroconf import InterfaceChoice
            from zeroconf.asyncio import AsyncZeroconf

            only_on = self._place.only_on
            self._zeroconf = AsyncZeroconf(interfaces=InterfaceChoice.All if only_on is None else [only_on])
            await (await self._zeroconf.async_register_service(self._service(), allow_name_change=True))
        except Exception as error:  # noqa: BLE001 - the root of a task; without the network it serves all the same
            log.info("nobody on this network can find this locator by itself: %s", error)
        else:
            log.info("announced on this network")

    def _service(self) -> "AsyncServiceInfo":
        from zeroconf.asyncio import AsyncServiceInfo

        # The machine's name may hold anything; without the domain it is the one people know.
        name = clean_locator_name(platform.node().partition(".")[0])
        announcement = Announcement(self._realm, name, self._place.host)
        return AsyncServiceInfo(
            SERVICE_TYPE,
            announcement.instance,
            port=self._place.port,
            parsed_addresses=[self._place.address],
            properties=encode_announcement(announcement),
            server=f"{announcement.instance.partition('.')[0]}.local.",
        )
