"""An event loop whose clock jumps to the next timer: hours pass in milliseconds, and every run is the same."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta
from typing import Any


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Instead of waiting, moves the clock."""

    clock = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("nothing will ever happen again: everybody waits for somebody")
            self.clock += max(timeout, 0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Time stands still while code runs, and jumps while everybody waits."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.clock


class InlineExecutor(Executor):
    """Runs each job at once, in the caller's thread: no race is left to chance."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


class HeldExecutor(InlineExecutor):
    """Runs no job until a test releases it: a thread that takes as long as it is wanted to."""

    def __init__(self) -> None:
        self._is_held = True
        self._jobs: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        if not self._is_held:
            return super().submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        self._jobs.append((future, lambda: fn(*args, **kwargs)))
        return future

    def release(self) -> None:
        """Run what waits, one after the other, and from now on everything at once."""
        self._is_held = False
        while self._jobs:
            future, job = self._jobs.pop(0)
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 - as an executor does
                future.set_exception(error)


class Clock:
    """A wall clock that follows the loop, and may be wrong."""

    def __init__(self, loop: asyncio.AbstractEventLoop, error: timedelta = timedelta(0)) -> None:
        self._loop = loop
        self.error = error

    def __call__(self) -> datetime:
        return datetime(2026, 11, 3, 9, 0, tzinfo=UTC) + timedelta(seconds=self._loop.time()) + self.error
