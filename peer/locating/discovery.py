"""Finds the locators that announce themselves on the local network, before anybody has signed in."""

import asyncio
import ipaddress
import logging
from typing import TYPE_CHECKING

from peer import limits
from peer.addresses import LocatorAddress, is_host
from peer.views import FoundLocator
from protocol.announcements import SERVICE_TYPE, decode_announcement
from protocol.errors import RemoteProtocolError

if TYPE_CHECKING:
    from zeroconf import ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

log = logging.getLogger(__name__)


class LocatorSearch:
    """Watches from `start` to `stop`; who waits in `changed` hears of each change.

    Anybody on the network can announce anything: what is kept has a limit, what cannot be read is dropped, and
    nothing here is trusted; the fingerprint is checked when somebody signs in.
    """

    def __init__(self) -> None:
        self._by_service: dict[str, FoundLocator] = {}
        self._questions: dict[str, asyncio.Task[None]] = {}
        self._waiting: set[asyncio.Future[None]] = set()
        self._zeroconf: AsyncZeroconf | None = None
        self._browser: AsyncServiceBrowser | None = None
        self._is_running = False

    def start(self) -> None:
        """Look; a network that will not let us is as good as one without locators."""
        from zeroconf import InterfaceChoice
        from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

        self._is_running = True
        try:
            self._zeroconf = AsyncZeroconf(interfaces=InterfaceChoice.All)
            self._browser = AsyncServiceBrowser(self._zeroconf.zeroconf, SERVICE_TYPE, handlers=[self._heard])
        except Exception as error:  # noqa: BLE001 - whatever the network's trouble, a person can type an address
            log.info("locators on this network cannot be looked for: %s", error)

    async def stop(self) -> None:
        """Look no more; everybody who waits gets None."""
        self._is_running = False
        for question in self._questions.values():
            question.cancel()
        if self._questions:
            await asyncio.wait(self._questions.values())
        browser, self._browser = self._browser, None
        zeroconf, self._zeroconf = self._zeroconf, None
        self._tell()
        if browser is not None:
            await browser.async_cancel()
        if zeroconf is not None:
            await zeroconf.async_close()

    def found(self) -> tuple[FoundLocator, ...]:
        """Return what is known now, by name; one locator heard over several services stands once."""
        by_link = {locator.link: locator for locator in self._by_service.values()}
        return tuple(sorted(by_link.values(), key=lambda locator: (locator.name.casefold(), locator.link)))

    async def changed(self, seen: tuple[FoundLocator, ...]) -> tuple[FoundLocator, ...] | None:
        """Return what is known once it differs from `seen`; None when the search has ended."""
        while self._is_running and self.found() == seen:
            change = asyncio.get_running_loop().create_future()
            self._waiting.add(change)
            try:
                await change
            finally:
                self._waiting.discard(change)
        return self.found() if self._is_running else None

    def _tell(self) -> None:
        for change in self._waiting:
            if not change.done():
                change.set_result(None)

    def _heard(self, zeroconf: "Zeroconf", service_type: str, name: str, state_change: "ServiceStateChange") -> None:
        from zeroconf import ServiceStateChange

        if state_change is ServiceStateChange.Removed:
            if self._by_service.pop(name, None) is not None:
                self._tell()
            return
        known = len(self._by_service.keys() | self._questions.keys())
        if name in self._questions or (name not in self._by_service and known >= limits.LOCATORS_FOUND):
            return
        question = asyncio.get_running_loop().create_task(self._ask_about(zeroconf, service_type, name))
        self._questions[name] = question
        question.add_done_callback(lambda _: self._questions.pop(name, None))

    async def _ask_about(self, zeroconf: "Zeroconf", service_type: str, name: str) -> None:
        from zeroconf.asyncio import AsyncServiceInfo

        try:
            service = AsyncServiceInfo(service_type, name)
            answered = await service.async_request(zeroconf, limits.LOCATOR_ANSWER_SECONDS * 1000)
            locator = read_service(service) if answered else None
        except Exception as error:  # noqa: BLE001 - the root of a task, and a stranger's records
            log.info("an announcement could not be read: %s", error)
            return
        if locator is None:
            self._by_service.pop(name, None)
        else:
            self._by_service[name] = locator
        self._tell()


def read_service(service: "AsyncServiceInfo") -> FoundLocator | None:
    """Return what a person may see of a service; None for one that nobody could sign in at."""
    try:
        announcement = decode_announcement(service.properties)
    except RemoteProtocolError:
        return None
    host = announcement.host if announcement.host and is_host(announcement.host) else _address(service)
    if host is None or not service.port or not 0 < service.port < 65536:
        return None
    address = LocatorAddress(host.strip("[]").lower(), service.port, announcement.realm)
    return FoundLocator(
        name=announcement.name or address.host,
        place=address.place,
        fingerprint=announcement.realm.hex(),
        link=address.link(announcement.realm),
    )


def _address(service: "AsyncServiceInfo") -> str | None:
    """Return the first address that can be dialled without saying over which interface."""
    for text in service.parsed_addresses():
        address = ipaddress.ip_address(text)
        if not (address.is_multicast or address.is_unspecified or (address.version == 6 and address.is_link_local)):
            return str(address)
    return None
