"""Load from a process of its own: many connections at once, each answer checked, and what the server paid for it.

What is said on the connections is a `Talk` (`talks.py`). The functions that a process pool runs are `ask_for_a_while`,
`ask_to_the_end`, `ask_now_and_then` and `gather`; they take and return values only.
"""

import asyncio
import itertools
import ssl
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import uvloop

from tests.bench.reference_server import Place
from tests.bench.server_cost import processor_seconds, resident_bytes

WARM_UP_SECONDS = 0.4
CONNECTING_AT_ONCE = 200
"""So that nobody's handshake runs into a time limit while our own processor works through the others'."""
ADDRESSES = 50
"""All of 127.0.0.0/8 is this machine (Linux)."""
ANSWER_SECONDS = 20.0
PAUSE_SECONDS = 0.005
"""Between two questions that are asked now and then: so seldom that they are no load."""
SETTLE_SECONDS = 1.0
CLOSING_SECONDS = 0.05
Result = TypeVar("Result")


class WrongAnswerError(Exception):
    """A server did not say what it had to say."""


class Exchange(Protocol):
    """A question, and what its answer is."""

    request: bytes

    def is_right(self, got: bytes) -> bool | None:
        """Tell whether these bytes are the right answer; None while they may become it."""


@dataclass(frozen=True, slots=True)
class Exactly:
    """The answer is known to the last bit."""

    request: bytes
    answer: bytes

    def is_right(self, got: bytes) -> bool | None:
        return got == self.answer if len(got) >= len(self.answer) else None


class Line(asyncio.Protocol):
    """One connection. First it is spoken on by hand (`say`, `hear`), then it asks one question after the other."""

    def __init__(self, tally: "Tally") -> None:
        self._tally = tally
        self._got = b""
        self._waiting: asyncio.Future[bytes] | None = None
        self._exchanges: Iterator[Exchange] | None = None
        self._exchange: Exchange | None = None
        self._asked_at = 0.0
        self._transport: asyncio.Transport
        self._is_closed = False
        self._is_lost = False

    @property
    def server_certificate(self) -> bytes:
        return self._transport.get_extra_info("ssl_object").getpeercert(binary_form=True)

    def say(self, data: bytes) -> None:
        self._transport.write(data)

    async def hear(self) -> bytes:
        """Return what came since the last call, at least one byte."""
        if not self._got:
            if self._is_lost:
                raise WrongAnswerError("a server hung up")
            self._waiting = asyncio.get_running_loop().create_future()
            await asyncio.wait_for(self._waiting, ANSWER_SECONDS)
        got, self._got = self._got, b""
        return got

    async def ask(self, exchange: Exchange) -> None:
        """Ask one question by hand, and check the answer."""
        self.say(exchange.request)
        got = b""
        while (is_right := exchange.is_right(got := got + await self.hear())) is None:
            pass
        if not is_right:
            raise WrongAnswerError(f"to {exchange.request!r} came {got!r}")

    def ask_on(self, exchanges: Iterator[Exchange]) -> None:
        """Ask all these questions, each as soon as the one before is answered."""
        self._exchanges = exchanges
        self._ask_next()

    def close(self) -> None:
        self._is_closed = True
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._tally.lines.append(self)

    def data_received(self, data: bytes) -> None:
        self._got = self._got + data if self._got else data
        if self._exchange is not None:
            self._judge(self._exchange)
        elif self._exchanges is not None:
            self._tally.fail(f"nothing was asked, and {self._got!r} came")
        elif self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._is_lost = True
        if not self._is_closed:
            self._tally.fail(f"a server hung up: {error}")
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_exception(WrongAnswerError(f"a server hung up: {error}"))

    def _judge(self, exchange: Exchange) -> None:
        is_right = exchange.is_right(self._got)
        if is_right is None:
            return
        if not is_right:
            self._tally.fail(f"to {exchange.request!r} came {self._got!r}")
            return
        self._tally.taken.append(time.perf_counter() - self._asked_at)
        self._got = b""
        self._ask_next()

    def _ask_next(self) -> None:
        assert self._exchanges is not None
        self._exchange = None if self._tally.is_over else next(self._exchanges, None)
        if self._exchange is None:
            self._tally.one_finished()
        else:
            self._asked_at = time.perf_counter()
            self._transport.write(self._exchange.request)


class Tally:
    """All lines of a load, and what they have done together. Leaving it closes them."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.taken: list[float] = []
        """Seconds of each answer."""
        self.is_over = False
        """Whether lines shall stop after the answer they wait for."""
        self._trouble: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._all_finished = asyncio.Event()
        self._running = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for line in self.lines:
            line.close()
        if self._trouble.done():
            self._trouble.exception()  # it was raised by whoever watched; nobody else need hear of it
        await asyncio.sleep(CLOSING_SECONDS)

    def begin(self, lines: int) -> None:
        self._running = lines

    def one_finished(self) -> None:
        self._running -= 1
        if not self._running:
            self._all_finished.set()

    def fail(self, what: str) -> None:
        if not self._trouble.done():
            self._trouble.set_exception(WrongAnswerError(what))

    async def watch(self, work: Coroutine[Any, Any, Any], seconds: float) -> bool:
        """Wait for some work; raise what went wrong with any line meanwhile. Tell whether the work ended in time."""
        task = asyncio.ensure_future(work)
        await asyncio.wait({task, self._trouble}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self._trouble.done():
            task.cancel()
            self._trouble.result()
        if not task.done():
            task.cancel()
            return False
        task.result()
        return True

    async def finish(self, seconds: float) -> None:
        """Wait until every line has the answer it waits for."""
        if not await self.watch(self._all_finished.wait(), seconds):
            raise WrongAnswerError(f"{self._running} questions were not answered within {seconds:.0f} s")


class Talk(Protocol):
    """What is said with one kind of server. It travels to the process that makes the load."""

    place: Place
    alpn: str | None
    """None: not over TLS."""

    async def get_ready(self, line: Line, number: int) -> None:
        """Say on one line whatever comes before the first question."""

    async def exchanges(self, lines: list[Line]) -> list[list[Exchange]]:
        """Return what each line asks, when all of them are ready."""


class Answered(NamedTuple):
    """What came of asking for a while, or to the end."""

    answers: int
    seconds: float
    server_seconds: float
    p50: float
    p99: float
    worst: float

    @property
    def per_server_second(self) -> float:
        return self.answers / self.server_seconds


class Gathered(NamedTuple):
    """What it took to have many connections ready."""

    connections: int
    seconds: float
    server_seconds: float
    server_bytes: int
    """How much the server's memory grew, all of them being idle."""

    @property
    def per_server_second(self) -> float:
        return self.connections / self.server_seconds


def ask_for_a_while(talk: Talk, connections: int, seconds: float, server: int) -> Answered:
    """Ask on all connections at once, without a pause, and count what is answered."""
    return run(_ask_for_a_while(talk, connections, seconds, server))


def ask_to_the_end(talk: Talk, connections: int, server: int) -> Answered:
    """Ask on all connections at once whatever each has to ask; return when the last one is answered."""
    return run(_ask_to_the_end(talk, connections, server))


def ask_now_and_then(talk: Talk, seconds: float, gate: Any = None) -> list[float]:
    """Ask on one connection, with pauses, from when the gate (a barrier) opens; return the seconds of each answer."""
    return run(_ask_now_and_then(talk, seconds, gate))


def gather(talk: Talk, connections: int, server: int) -> Gathered:
    """Get all connections ready, as fast as they can be, and leave them idle."""
    return run(_gather(talk, connections, server))


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run what a load process does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def source_address(number: int) -> str:
    """Return where a connection comes from: a campus, not one machine, for servers limit what one machine may do."""
    return f"127.0.0.{1 + number % ADDRESSES}"


async def connect(talk: Talk, connections: int, tally: Tally) -> list[Line]:
    """Return lines that are ready."""
    free = asyncio.Semaphore(CONNECTING_AT_ONCE)
    context = None if talk.alpn is None else _context(talk.alpn)
    loop = asyncio.get_running_loop()

    async def connect_one(number: int) -> Line:
        async with free:
            _, line = await loop.create_connection(
                lambda: Line(tally), *talk.place, ssl=context, local_addr=(source_address(number), 0)
            )
            await talk.get_ready(line, number)
        return line

    return await asyncio.gather(*(connect_one(number) for number in range(connections)))


async def _ask_for_a_while(talk: Talk, connections: int, seconds: float, server: int) -> Answered:
    async with Tally() as tally:
        lines = await connect(talk, connections, tally)
        await _ask_on(talk, lines, tally, forever=True)
        await tally.watch(asyncio.sleep(WARM_UP_SECONDS), WARM_UP_SECONDS + 1)
        tally.taken.clear()
        began, cost = time.perf_counter(), processor_seconds(server)
        await tally.watch(asyncio.sleep(seconds), seconds + 1)
        answers = len(tally.taken)
        took, cost = time.perf_counter() - began, processor_seconds(server) - cost
        tally.is_over = True
        await tally.finish(ANSWER_SECONDS)
    return _answered(tally.taken, answers, took, cost)


async def _ask_to_the_end(talk: Talk, connections: int, server: int) -> Answered:
    async with Tally() as tally:
        lines = await connect(talk, connections, tally)
        began, cost = time.perf_counter(), processor_seconds(server)
        await _ask_on(talk, lines, tally, forever=False)
        await tally.finish(ANSWER_SECONDS)
        took, cost = time.perf_counter() - began, processor_seconds(server) - cost
    return _answered(tally.taken, len(tally.taken), took, cost)


async def _ask_now_and_then(talk: Talk, seconds: float, gate: Any) -> list[float]:
    taken = []
    async with Tally() as tally:
        lines = await connect(talk, 1, tally)
        exchanges = itertools.cycle((await talk.exchanges(lines))[0])
        if gate is not None:
            await asyncio.to_thread(gate.wait)
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            await lines[0].ask(next(exchanges))
            taken.append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE_SECONDS)
    return taken


async def _gather(talk: Talk, connections: int, server: int) -> Gathered:
    memory = resident_bytes(server)
    async with Tally() as tally:
        began, cost = time.perf_counter(), processor_seconds(server)
        await connect(talk, connections, tally)
        took, cost = time.perf_counter() - began, processor_seconds(server) - cost
        await tally.watch(asyncio.sleep(SETTLE_SECONDS), SETTLE_SECONDS + 1)
        grown = resident_bytes(server) - memory
    return Gathered(connections, took, cost, grown)


async def _ask_on(talk: Talk, lines: list[Line], tally: Tally, *, forever: bool) -> None:
    all_exchanges = await talk.exchanges(lines)
    tally.begin(len(lines))
    for line, exchanges in zip(lines, all_exchanges, strict=True):
        line.ask_on(itertools.cycle(exchanges) if forever else iter(exchanges))


def _answered(taken: list[float], answers: int, seconds: float, server_seconds: float) -> Answered:
    ordered = sorted(taken)
    return Answered(
        answers, seconds, server_seconds, ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], ordered[-1]
    )


def _context(alpn: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols([alpn])
    return context
