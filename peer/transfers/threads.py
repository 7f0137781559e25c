"""The threads `transfer-n`: one blocking connection each, at most so many."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class TransferThreads:
    """Starts threads that the end of the program does not wait for; used on the loop only."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: dict[int, threading.Thread] = {}

    @property
    def has_room(self) -> bool:
        """Whether another one may be started."""
        return len(self._alive()) < self._most

    def start(self, work: Callable[[], None]) -> bool:
        """Run `work` on a thread of its own; return False where all are busy."""
        running = self._alive()
        if len(running) >= self._most:
            return False
        number = next(n for n in range(self._most) if n not in running)
        self._running[number] = thread = threading.Thread(
            target=_logged, args=(work,), name=f"transfer-{number + 1}", daemon=True
        )
        thread.start()
        return True

    def _alive(self) -> dict[int, threading.Thread]:
        self._running = {number: thread for number, thread in self._running.items() if thread.is_alive()}
        return self._running


def _logged(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        log.exception("a transfer thread failed")
