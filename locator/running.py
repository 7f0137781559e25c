"""From settings to a running locator, and back to nothing: the one place that builds all parts."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial

from locator import limits
from locator.accounts import PasswordPool
from locator.configuration import Registration, Settings, public_place
from locator.course_port import CoursePort
from locator.data_folder import DataFolder, DataFolderInUseError
from locator.event_log import FloodGate, set_up_logging, tell
from locator.figures import Figures
from locator.listening import CannotServeError, listen
from locator.live_settings import LiveSettings
from locator.metrics import MetricsPort
from locator.opening_store import check_settings, open_store
from locator.requests import Requests
from locator.server import LocatorServer

log = logging.getLogger(__name__)


def serve(settings: Settings, when_ready: Callable[[str], None], read_again: Callable[[], Settings]) -> None:
    """Serve until SIGTERM or SIGINT; `when_ready` gets the link to hand out. Raises CannotServeError.

    `read_again` gives the settings as they are by then, when SIGHUP asks for it; it may raise ConfigurationError.
    """
    check_settings(settings)
    gate = set_up_logging(settings.log_format, settings.log_level)
    most_files = _allow_many_files()
    try:
        folder = DataFolder(settings.data)
        lock = folder.lock()
    except DataFolderInUseError:
        sentence = f"Another locator already serves from {settings.data}. Stop it first, or choose another --data."
        raise CannotServeError(sentence) from None
    except OSError as error:
        sentence = f"The data folder {settings.data} cannot be used: {error.strerror}. Choose another with --data."
        raise CannotServeError(sentence) from None
    folder.keep_process(os.getpid())
    sys.setswitchinterval(limits.THREAD_SWITCH_SECONDS)
    with lock, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, folder, when_ready, read_again, gate, most_connections(most_files)))


async def _serve(
    settings: Settings,
    folder: DataFolder,
    when_ready: Callable[[str], None],
    read_again: Callable[[], Settings],
    gate: FloodGate,
    most_connections: int,
) -> None:
    told_to_stop, told_to_read = asyncio.Event(), asyncio.Event()
    _on_signals(told_to_stop, told_to_read)
    figures = Figures()
    async with contextlib.AsyncExitStack() as opened:
        listener = listen(settings.listen, folder.kept_port())
        opened.callback(listener.close)
        place = public_place(settings, listener.getsockname()[1])
        authority, store = await open_store(settings, folder, place)
        opened.push_async_callback(store.close)
        passwords = PasswordPool()
        opened.callback(passwords.close)
        requests = Requests(store, authority, registration_open=settings.registration is Registration.OPEN)
        server = LocatorServer(
            requests, authority, passwords, store, figures=figures, most_connections=most_connections
        )
        course = partial(CoursePort, requests.course, passwords, store, server.tell, figures)
        gauges = {**server.gauges(), **requests.gauges(), **passwords.gauges()}
        gauges["store_is_current"] = lambda: float(store.is_current)
        gauges["course_connections"] = lambda: figures.course_connections
        metrics = partial(MetricsPort, figures=figures, gauges=gauges)
        bound = listener.getsockname()
        live = LiveSettings(settings, folder, requests, authority.realm, bound, course, metrics, gate)
        opened.push_async_callback(_stop_together, server.stop, live.close)
        await server.start(listener)
        await live.begin()
        opened.push_async_callback(_ended, asyncio.create_task(live.follow(told_to_read, read_again)))
        when_ready(live.link)
        tell(log, logging.INFO, "started", link=live.link)
        await told_to_stop.wait()
        tell(log, logging.INFO, "stopping")


async def _stop_together(*stops: Callable[[], Awaitable[None]]) -> None:
    """Each may wait for somebody who does not let go: not one after the other."""
    await asyncio.gather(*(stop() for stop in stops))


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


def _on_signals(told_to_stop: asyncio.Event, told_to_read: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(told_to_stop.set))
    else:
        for number, told in (
            (signal.SIGTERM, told_to_stop),
            (signal.SIGINT, told_to_stop),
            (signal.SIGHUP, told_to_read),
        ):
            loop.add_signal_handler(number, told.set)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.SelectorEventLoop
    return uvloop.new_event_loop


def most_connections(most_files: int) -> int:
    """Return how many connections there may be with so many open files, the course port's among them."""
    spare = limits.SPARE_FILES + limits.COURSE_CONNECTIONS
    return min(limits.CONNECTIONS, max(most_files - spare, most_files // 2))


def _allow_many_files() -> int:
    """Raise the number of open files to what the system lets us have, for the usual 1,024 are too few; return it."""
    if sys.platform == "win32":
        return limits.CONNECTIONS + limits.COURSE_CONNECTIONS + limits.SPARE_FILES  # it has no such limit
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS names a limit it does not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    now, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limits.CONNECTIONS * 2 if now == resource.RLIM_INFINITY else now
