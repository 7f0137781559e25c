"""A loop on which programs can be killed: nothing of a killed one ever runs again, and nothing of it is flushed."""

import asyncio
import itertools
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any

from tests.harness.virtual_time import VirtualTimeLoop

_killed: "list[Process]" = []


class Process:
    """One life of a program: everything that it starts carries its mark."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_alive = True
        self.at_end: list[Callable[[], object]] = []
        """What the operating system does when a process is gone: close its files."""
        self.tasks: set[asyncio.Task[Any]] = set()
        """Kept for good: what a killed process was about to do must not be finished by whoever clears memory."""
        self.died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._context = copy_context()
        self._context.run(_process.set, self)

    def start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run something as a part of this process."""
        return asyncio.get_running_loop().create_task(work, context=self._context.copy())

    def kill(self) -> None:
        """End it here and now: what was not committed is lost."""
        if not self.is_alive:
            return
        self.is_alive = False
        _killed.append(self)
        for close in reversed(self.at_end):
            close()
        self.died.set_result(None)


_process: ContextVar[Process | None] = ContextVar("_process", default=None)


def current_process() -> Process:
    """Return whose code is running."""
    process = _process.get()
    assert process is not None, "only a simulated program does this"
    return process


class _Jump(selectors.BaseSelector):
    """There are no sockets here: instead of waiting, the clock moves."""

    def __init__(self) -> None:
        self.clock = 0.0
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self._keys[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen again: everybody waits for somebody")
        self.clock += max(timeout, 0.0)
        return []

    def get_map(self) -> dict[Any, selectors.SelectorKey]:
        return self._keys


class SimulatedLoop(VirtualTimeLoop):
    """Virtual time, and callbacks that run only as long as the process lives that they belong to."""

    def __init__(self) -> None:
        self._jump = _Jump()
        asyncio.SelectorEventLoop.__init__(self, self._jump)
        self.set_task_factory(_make_task)

    def time(self) -> float:
        return self._jump.clock

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle:
        return super().call_soon(*_guarded(callback, args, context), context=context)

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        return super().call_at(when, *_guarded(callback, args, context), context=context)


def _guarded(callback: Any, args: tuple[Any, ...], context: Context | None) -> tuple[Any, ...]:
    process = _process.get() if context is None else context.get(_process)
    return (callback, *args) if process is None else (_run_if_alive, process, callback, *args)


def _run_if_alive(process: Process, callback: Any, *args: Any) -> None:
    if process.is_alive:
        callback(*args)


_numbers = itertools.count(1)


class _Task(asyncio.Task[Any]):
    """A task whose place in a set does not depend on where it lies in memory."""

    def __init__(self, work: Any, **options: Any) -> None:
        self._number = next(_numbers)
        super().__init__(work, **options)

    def __hash__(self) -> int:
        return self._number


def _make_task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> "asyncio.Task[Any]":
    task: asyncio.Task[Any] = _Task(work, loop=loop, **options)
    context = options.get("context")
    process = _process.get() if context is None else context.get(_process)
    if process is not None:
        process.tasks.add(task)
        task.add_done_callback(process.tasks.discard)
    return task


class SimulatedThread(Executor):
    """A thread that does one job after the other, each in a little virtual time; it dies with its process.

    A job's work is done at the end of its time, at once: what is killed before has done nothing, which is what a
    transaction cut off looks like afterwards.
    """

    def __init__(self, chance: Random, longest: float, around: Callable[[Callable[[], Any]], Any]) -> None:
        """A job takes up to `longest` seconds; `around` runs it, and may end the process before or after."""
        self._chance = chance
        self._longest = longest
        self._around = around
        self._free_at = 0.0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        loop = asyncio.get_running_loop()
        self._free_at = max(loop.time(), self._free_at) + self._chance.uniform(0.0001, self._longest)
        loop.call_at(self._free_at, self._work, future, lambda: fn(*args, **kwargs))
        return future

    def _work(self, future: "Future[Any]", job: Callable[[], Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = self._around(job)
        except BaseException as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        else:
            future.set_result(result)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing to do: the jobs that wait come to their end."""
