"""From settings to a running locator, and back to nothing: the one place that builds all parts."""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable

from locator import limits
from locator.accounts import PasswordPool
from locator.announcing import Announcer, place_to_announce
from locator.configuration import Place, Registration, Settings, public_place
from locator.course_port import CoursePort
from locator.data_folder import DataFolder, DataFolderInUseError
from locator.opening_store import open_store
from locator.requests import Requests
from locator.server import LocatorServer

log = logging.getLogger(__name__)


class CannotServeError(Exception):
    """The locator cannot start; the sentence says why and what to do."""


def serve(settings: Settings, when_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `when_ready` gets the link to hand out. Raises CannotServeError."""
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
    with lock, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, folder, when_ready, most_connections(most_files)))


async def _serve(
    settings: Settings, folder: DataFolder, when_ready: Callable[[str], None], most_connections: int
) -> None:
    told_to_stop = asyncio.Event()
    _on_stop_signals(told_to_stop)
    async with contextlib.AsyncExitStack() as opened:
        listener = _listen(settings.listen, folder.kept_port())
        opened.callback(listener.close)
        place = public_place(settings, listener.getsockname()[1])
        authority, store = await open_store(settings, folder, place)
        opened.push_async_callback(store.close)
        passwords = PasswordPool()
        opened.callback(passwords.close)
        requests = Requests(store, authority, registration_open=settings.registration is Registration.OPEN)
        server = LocatorServer(requests, authority, passwords, store, most_connections=most_connections)
        opened.push_async_callback(server.stop)
        link = f"hail://{place}#{authority.realm.hex()}"
        folder.keep(listener.getsockname()[1], link)
        await server.start(listener)
        if settings.course_port is not None:
            course = CoursePort(requests.course, passwords, store, server.tell)
            opened.push_async_callback(course.stop)
            course_listener = _listen(settings.course_port, None, "--course-port")
            await course.start(course_listener)
            log.info("the course port is %s port %d, unencrypted", *course_listener.getsockname())
        if settings.announce:
            announcer = Announcer(place_to_announce(settings, listener.getsockname()), authority.realm)
            announcer.start()
            opened.push_async_callback(announcer.stop)
        when_ready(link)
        await told_to_stop.wait()
        log.info("stopping")


def _listen(place: Place, kept_port: int | None, flag: str = "--listen") -> socket.socket:
    """Return a bound socket. Port 0 means: the one kept from last time, or any if that is taken."""
    if place.port == 0 and kept_port is not None:
        with contextlib.suppress(OSError):
            return _bind(Place(place.host, kept_port))
    try:
        return _bind(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"Port {place.port} is in use by another program. Stop that, or choose another with {flag}."
        elif error.errno == errno.EACCES:
            reason = f"Port {place.port} needs more rights than you have. Choose one above 1023 with {flag}."
        else:
            reason = f"Nothing can listen on {place}: {error.strerror}. Give an address of this machine with {flag}."
        raise CannotServeError(reason) from None


def _bind(place: Place) -> socket.socket:
    (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
        place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # on Windows it would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and place.host == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.listen(limits.BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _on_stop_signals(told_to_stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(told_to_stop.set))
        else:
            loop.add_signal_handler(number, told_to_stop.set)


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
