"""Time, chance, threads and the network, as handed to a node: tests hand in their own."""

import os
import random
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from peer.calls.call_voice import CallVoice
from peer.calls.sound import MakeVoice
from peer.links.wire import TcpWire, Wire

P = ParamSpec("P")
Result = TypeVar("Result")


def _now() -> datetime:
    return datetime.now(UTC)


def _downloads() -> Path:
    from platformdirs import user_downloads_dir

    return Path(os.environ.get("HAIL_DOWNLOADS") or user_downloads_dir())


def _one_thread(name: str) -> Executor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)


class AbandonableThreads(Executor):
    """A thread for each job, which the end of the program does not wait for: some jobs never end."""

    def __init__(self, name: str) -> None:
        self._name = name

    def submit(self, fn: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs) -> "Future[Result]":
        """See `Executor.submit`."""
        future: Future[Result] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - handed to whoever asked, as executors do
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=work, name=self._name, daemon=True).start()
        return future


@dataclass(frozen=True)
class Surroundings:
    """What a node takes from the world."""

    wire: Wire = field(default_factory=TcpWire)
    now: Callable[[], datetime] = _now
    """The wall clock, aware."""
    chance: random.Random = field(default_factory=random.Random)
    """For jitter only; secrets come from the operating system."""
    worker: Callable[[str], Executor] = _one_thread
    """Makes a thread of that name that does one thing at a time."""
    downloads: Callable[[], Path] = _downloads
    """Tells the folder for what others send; `HAIL_DOWNLOADS` names another one than the system's."""
    abandonable_worker: Callable[[str], Executor] = AbandonableThreads
    """Makes threads for what may hang for ever outside of this program."""
    call_voice: MakeVoice = CallVoice
    """Makes what brings the voices of a call, a process of its own."""
