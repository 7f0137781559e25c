"""What of the settings may change while the locator runs: SIGHUP has them read again, and no connection is lost.

The ports for the course and for the metrics, and the announcement, begin and end here; the rest is the log, the link
that is handed out, and who may register. What cannot change is named in the log, and waits for the next start.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace

from locator import limits
from locator.announcing import Announcer, place_to_announce
from locator.configuration import ConfigurationError, Place, Registration, Settings, public_place
from locator.course_port import CoursePort
from locator.data_folder import DataFolder
from locator.event_log import FloodGate, set_up_logging, tell
from locator.listening import CannotServeError, listen
from locator.metrics import MetricsPort
from locator.requests import Requests
from protocol.identity import Realm

log = logging.getLogger("locator.events")
_Stop = Callable[[], Awaitable[None]]
_LIVE = frozenset({"public", "course_port", "registration", "announce", "metrics", "log_format", "log_level"})
"""Settings that a running locator takes over."""


class LiveSettings:
    """Keeps the running locator as its settings say."""

    def __init__(
        self,
        settings: Settings,
        folder: DataFolder,
        requests: Requests,
        realm: Realm,
        bound: tuple[str, int],
        make_course_port: Callable[[], CoursePort],
        make_metrics_port: Callable[[socket.socket], MetricsPort],
        gate: FloodGate,
    ) -> None:
        """`bound` is where the locator listens, `gate` what bounds its log."""
        self.settings = settings
        self._folder = folder
        self._requests = requests
        self._realm = realm
        self._bound = bound
        self._make_course_port = make_course_port
        self._make_metrics_port = make_metrics_port
        self._gate = gate
        self._live = _LIVE if settings.store is None else _LIVE - {"public"}  # the other locators know the place
        self._openers: dict[str, Callable[[Settings], Awaitable[_Stop | None]]] = {
            "course_port": self._open_course_port,
            "metrics": self._open_metrics,
            "announce": self._open_announcement,
        }
        self._open: dict[str, _Stop] = {}
        self._changing = asyncio.Lock()
        """One part at a time: SIGHUP may come while the announcement follows another address of this machine."""
        self._tasks = [asyncio.create_task(self._tell_sums()), asyncio.create_task(self._follow_own_address())]

    @property
    def link(self) -> str:
        """The link to hand out."""
        return f"hail://{public_place(self.settings, self._bound[1])}#{self._realm.hex()}"

    async def begin(self) -> None:
        """Open what the settings name; raise CannotServeError."""
        self._folder.keep(self._bound[1], self.link)
        for name in self._openers:
            await self._begin_one(name)

    async def follow(self, told_to_read: asyncio.Event, read_again: Callable[[], Settings]) -> None:
        """Read the settings again whenever it is asked for."""
        while True:
            await told_to_read.wait()
            told_to_read.clear()
            try:
                await self._change_to(read_again())
            except ConfigurationError as error:
                tell(log, logging.WARNING, "configuration_kept", reason=str(error))
            except Exception:
                log.exception("the settings could not be changed; the next SIGHUP tries again")

    async def close(self) -> None:
        """End everything that was opened here."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(self._open.pop(name)() for name in tuple(self._open)))
        self._gate.tell_sums(at_once=True)

    # --- inside ------------------------------------------------------------------------------

    async def _change_to(self, wanted: Settings) -> None:
        before = self.settings
        changed = [each.name for each in fields(Settings) if getattr(wanted, each.name) != getattr(before, each.name)]
        taken = [name for name in changed if name in self._live]
        self.settings = replace(before, **{name: getattr(wanted, name) for name in taken})
        self._requests.open_registration(is_open=self.settings.registration is Registration.OPEN)
        for name in self._openers:
            if name in taken or (name == "announce" and "public" in taken):
                await self._change_one(name, before)
        self._folder.keep(self._bound[1], self.link)
        told = [name for name in taken if getattr(self.settings, name) == getattr(wanted, name)]
        needs_restart = [name for name in changed if name not in self._live]
        tell(
            log,
            logging.INFO,
            "configuration_read",
            changed=",".join(told) or "nothing",
            needs_restart=",".join(needs_restart) or None,
        )
        if {"log_format", "log_level"} & set(taken):
            self._gate.tell_sums(at_once=True)
            self._gate = set_up_logging(self.settings.log_format, self.settings.log_level)

    async def _change_one(self, name: str, before: Settings) -> None:
        """Open a part anew; if that fails, as it was before."""
        async with self._changing:
            if name in self._open:
                await self._open.pop(name)()
            try:
                await self._begin_one(name)
            except CannotServeError as error:
                tell(log, logging.WARNING, "configuration_kept", setting=name, reason=str(error))
                self.settings = replace(self.settings, **{name: getattr(before, name)})
                await self._begin_one(name)

    async def _begin_one(self, name: str) -> None:
        stop = await self._openers[name](self.settings)
        if stop is not None:
            self._open[name] = stop

    async def _open_course_port(self, settings: Settings) -> _Stop | None:
        if settings.course_port is None:
            return None
        listener = listen(settings.course_port, None, "--course-port")
        course = self._make_course_port()
        await course.start(listener)
        tell(
            log,
            logging.INFO,
            "course_port_opened",
            place=str(Place(*listener.getsockname())),
            warning="it is unencrypted",
        )
        return course.stop

    async def _open_metrics(self, settings: Settings) -> _Stop | None:
        if settings.metrics is None:
            return None
        listener = listen(settings.metrics, None, "--metrics")
        metrics = self._make_metrics_port(listener)
        host, port, *_ = listener.getsockname()
        tell(log, logging.INFO, "metrics_opened", place=str(Place(host, port)))
        return metrics.stop

    async def _open_announcement(self, settings: Settings) -> _Stop | None:
        if not settings.announce:
            return None
        announcer = Announcer(place_to_announce(settings, self._bound), self._realm)
        announcer.start()
        return announcer.stop

    async def _follow_own_address(self) -> None:
        """Hand out another link when this machine has another address, as a laptop on another network has."""
        while "public" in self._live:
            await asyncio.sleep(limits.ADDRESS_LOOK_SECONDS)
            try:
                if self.link != self._folder.kept_link():
                    self._folder.keep(self._bound[1], self.link)
                    await self._change_one("announce", self.settings)
                    tell(log, logging.INFO, "address_changed", link=self.link)
            except Exception:
                log.exception("the new address could not be told; the next look tries again")

    async def _tell_sums(self) -> None:
        while True:
            await asyncio.sleep(limits.LOG_LOOK_SECONDS)
            self._gate.tell_sums()
