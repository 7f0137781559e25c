"""The locator's figures for Prometheus, over plain HTTP on a port of their own.

A thread of its own speaks HTTP and writes the text; the loop's thread only reads its numbers once a scrape. So look-ups
never wait for a client of this port, however slow.
"""

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from locator import limits
from locator.figures import LOGIN_SECONDS, Durations, Figures, Gauges
from protocol.registry import Message

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_MEANINGS = {
    "connections": "Connections now, those in their handshake too.",
    "sessions": "Connections on which somebody is logged in, or about to be.",
    "present_users": "Users whom `where` shows as online with Hail; of all locators that share a store.",
    "watched_users": "Users of whose coming and going somebody wants to hear.",
    "passwords_waiting": "Passwords waiting to be hashed.",
    "passwords_running": "Passwords being hashed.",
    "store_is_current": "1 while what the store knows is the newest there is, else 0.",
    "course_connections": "Connections to the course port now.",
    "course_users": "Users logged in on the course port.",
}


class MetricsPort:
    """Serves the figures on a bound socket, which is its own from the start."""

    def __init__(self, listener: socket.socket, figures: Figures, gauges: Gauges) -> None:
        """`gauges` are called on the running loop's thread."""
        from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

        registry = CollectorRegistry()
        registry.register(_Collector(asyncio.get_running_loop(), lambda: _metrics(figures, gauges)))
        ProcessCollector(registry=registry)
        self._server = _Server(listener)
        self._server.set_app(make_wsgi_app(registry))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(limits.METRICS_LOOK_SECONDS,), name="metrics", daemon=True
        )
        self._thread.start()

    async def stop(self) -> None:
        """Take no more questions; a client that hangs is not waited for."""
        with contextlib.suppress(OSError):  # not every system knows this of a listening socket
            self._server.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread: closing alone leaves it listening
        threading.Thread(target=self._server.shutdown, name="end of metrics", daemon=True).start()
        await asyncio.to_thread(self._thread.join, limits.METRICS_END_SECONDS)
        self._server.server_close()


class _Collector:
    """Has the numbers read by the thread that writes them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, read: Callable[[], "list[Metric]"]) -> None:
        self._loop = loop
        self._read = read

    def describe(self) -> "Iterable[Metric]":
        """Name nothing beforehand: registering must not read."""
        return ()

    def collect(self) -> "Iterable[Metric]":
        """Return the numbers of now."""
        answer: Future[list[Metric]] = Future()

        def read() -> None:
            try:
                answer.set_result(self._read())
            except Exception as error:  # noqa: BLE001 - it is the scrape's, which tells
                answer.set_exception(error)

        self._loop.call_soon_threadsafe(read)
        return answer.result(limits.METRICS_ANSWER_SECONDS)


class _Handler(WSGIRequestHandler):
    timeout = limits.METRICS_CLIENT_SECONDS

    def log_message(self, format: str, *words: object) -> None:  # noqa: A002 - the library's name
        """Write nothing: a scrape every few seconds is no event."""


class _Server(WSGIServer):
    """One question at a time: a scrape takes milliseconds, and nobody else is to ask."""

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_address = listener.getsockname()
        self.server_name, self.server_port = "hail-locator", listener.getsockname()[1]
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, or sat still for too long, is no event either."""


def _metrics(figures: Figures, gauges: Gauges) -> "list[Metric]":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    def counter(name: str, meaning: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], int]) -> "Metric":
        metric = CounterMetricFamily(f"hail_locator_{name}", meaning, labels=labels)
        for words, value in values.items():
            metric.add_metric(words, value)
        return metric

    def plain(name: str, meaning: str, value: int) -> "Metric":
        return counter(name, meaning, (), {(): value})

    logins = HistogramMetricFamily(
        "hail_locator_login_seconds", "From the request to the answer, of logins that succeeded.", labels=("asked",)
    )
    for kind, durations in figures.logins.items():
        logins.add_metric((name_of(kind),), *_buckets(durations))
    return [
        *(GaugeMetricFamily(f"hail_locator_{name}", _MEANINGS[name], value=read()) for name, read in gauges.items()),
        plain("connections_accepted", "Connections that were greeted.", figures.accepted),
        plain("connections_turned_away", "Connections that were not let in.", figures.turned_away),
        counter("requests", "Requests, by kind.", ("kind",), {(name_of(k),): n for k, n in figures.requests.items()}),
        counter(
            "refusals",
            "Requests that were refused, by kind and code.",
            ("kind", "code"),
            {(name_of(kind), code.value): number for (kind, code), number in figures.refusals.items()},
        ),
        logins,
        plain("sessions_taken_over", "Sessions ended because another device logged in.", figures.superseded),
        plain("changes_told", "Changes of presence told to watchers.", figures.told),
        plain("store_errors", "Changes that the store could not keep.", figures.store_errors),
        counter(
            "course_commands",
            "Commands on the course port.",
            ("command",),
            {(word,): number for word, number in figures.course_commands.items()},
        ),
        counter(
            "course_logins",
            "Logins on the course port, by outcome.",
            ("outcome",),
            {(word,): number for word, number in figures.course_logins.items()},
        ),
    ]


def _buckets(durations: Durations) -> tuple[list[tuple[str, float]], float]:
    """Return (upper bound, how many took at most that), and the sum."""
    buckets, so_far = [], 0
    for bound, count in zip((*map(str, LOGIN_SECONDS), "+Inf"), durations.counts, strict=True):
        so_far += count
        buckets.append((bound, float(so_far)))
    return buckets, durations.sum


def name_of(kind: type[Message]) -> str:
    """Return a message's name as labels are written: LogInByKey is log_in_by_key."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
