"""The thread on which the node lives: one asyncio loop, apart from any window's."""

import asyncio
import concurrent.futures
import sys
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")
_STOP_SECONDS = 5.0


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return the fastest loop that is safe here.

    On Windows that is the selector loop: on the proactor's one ICMP "port unreachable" can silence a UDP socket.
    """
    if sys.platform == "win32":
        return asyncio.SelectorEventLoop()
    try:
        import uvloop
    except ImportError:
        return asyncio.SelectorEventLoop()
    return uvloop.new_event_loop()


class NetworkThread:
    """Runs a loop in a thread of its own; other threads hand it coroutines."""

    def __init__(self) -> None:
        self._loop = new_event_loop()
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)

    def start(self) -> None:
        """Begin to run."""
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, Result]) -> concurrent.futures.Future[Result]:
        """Run a coroutine on the network thread; the future may be waited for anywhere but there."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """End the loop after cancelling what still runs, and wait for the thread (at most 5 s)."""
        if not self._thread.is_alive():
            self._loop.close()
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
