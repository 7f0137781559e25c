"""The only place that knows that there are two threads: the screen's, and the one on which the node lives.

To the node: `ask` starts a coroutine there. From the node: answers and events share one deque, so that they keep
their order, and one queued signal wakes the screen for as many as have gathered. The screen takes them in slices
of a few milliseconds, so that a flood of messages cannot freeze it.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal, Slot
from shiboken6 import isValid

from peer.errors import Refusal, RefusalCode
from peer.events import Event
from peer.network_thread import NetworkThread

if TYPE_CHECKING:
    from peer.node import PeerNode

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Work = Callable[["PeerNode"], Coroutine[Any, Any, Answer]]
Refused = Callable[[RefusalCode, str], None]

BUDGET_SECONDS = 0.004
"""How long the screen takes deliveries in one go before it paints and listens to the keyboard again."""
GATHER_MS = 6
"""Deliveries that follow others more closely than this are taken together: in a flood each go has its own cost."""
EVENTS_PER_SLICE = 64
"""Events handed over at once; the clock is read between slices."""
WORKERS = 1
"""Threads that work beside the two, such as on pictures."""
CLOSE_SECONDS = 4.0
"""How long the node may take to close before the program ends without waiting for it."""


class _Settled(NamedTuple):
    """An answer of the node that waits to be told on the Qt thread."""

    owner: QObject
    future: "Future[Any]"
    done: Callable[[Any], None] | None
    refused: Refused | None


class PeerBridge(QObject):
    """Owns the node and its thread. Everything here is called on the Qt thread unless it says otherwise."""

    events_arrived = Signal(list)
    """Some of the node's events, in their order."""
    refused = Signal(str)
    """A sentence for the person: something was refused, and whoever asked had no better place to show it."""
    _wake = Signal()

    def __init__(self, make_node: Callable[[Path], "PeerNode"], profile: Path) -> None:
        """`make_node` is called on the network thread, when the first question comes."""
        super().__init__()
        self._make_node = make_node
        self._profile = profile
        self._node: PeerNode | None = None
        self._thread = NetworkThread()
        self._workers: ThreadPoolExecutor | None = None
        self._deliveries: deque[Event | _Settled] = deque()
        self._wake_is_pending = False
        self._closed = False
        self._wake.connect(self._take, Qt.ConnectionType.QueuedConnection)
        # A timer, not a signal posted again: Qt would serve that before it paints.
        self._rest = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._rest.timeout.connect(self._take_rest)
        self._since_taken = QElapsedTimer()

    def start(self) -> None:
        """Let the network thread run."""
        self._thread.start()

    def ask(
        self,
        owner: QObject,
        work: "Work[Answer]",
        done: Callable[[Answer], None] | None = None,
        refused: Refused | None = None,
    ) -> None:
        """Run `work(node)` on the network thread; `done` or `refused` is called here, while `owner` lives."""
        if self._closed:
            return
        future = self._thread.submit(self._work(work))
        future.add_done_callback(partial(self._settle, owner, done, refused))

    def compute(
        self, owner: QObject, work: Callable[[], Answer], done: Callable[[Answer], None], refused: Refused | None = None
    ) -> None:
        """Run `work()` beside both threads, for what takes a while and needs no node; `done` is called here."""
        if self._closed:
            return
        if self._workers is None:
            # Python's threads: QThreadPool lets go of a Python function without the interpreter's lock.
            self._workers = ThreadPoolExecutor(WORKERS, "work")
        self._workers.submit(work).add_done_callback(partial(self._settle, owner, done, refused))

    def close(self) -> None:
        """Close the node, then its thread. Waits a few seconds at most: call it when the window is gone."""
        if self._closed:
            return
        self._closed = True
        self._rest.stop()
        if self._workers is not None:
            self._workers.shutdown(wait=False, cancel_futures=True)
        future = self._thread.submit(self._close_node())
        try:
            future.result(CLOSE_SECONDS)
        except TimeoutError:
            log.exception("the node did not close within %s s", CLOSE_SECONDS)
        except Exception:
            log.exception("the node did not close cleanly")
        self._thread.stop()
        self._deliveries.clear()

    async def _work(self, work: "Work[Answer]") -> Answer:
        return await work(self._ready_node())

    def _ready_node(self) -> "PeerNode":
        """Return the node, made at the first question. On the network thread."""
        if self._node is None:
            self._node = self._make_node(self._profile)
            self._node.subscribe(self._deliver)
        return self._node

    async def _close_node(self) -> None:
        if self._node is not None:
            await self._node.close()

    def _settle(
        self,
        owner: QObject,
        done: Callable[[Answer], None] | None,
        refused: Refused | None,
        future: "Future[Answer]",
    ) -> None:
        """Queue the answer. On the thread that has it."""
        self._deliver(_Settled(owner, future, done, refused))

    def _deliver(self, delivery: Event | _Settled) -> None:
        """Queue a delivery and wake the screen unless a wake-up is on its way. On any thread but the screen's."""
        if self._closed:
            return
        self._deliveries.append(delivery)
        if not self._wake_is_pending:
            self._wake_is_pending = True
            self._wake.emit()

    @Slot()
    def _take(self) -> None:
        # The flag first, then the deque. The other order loses the wake-up of what comes in between.
        self._wake_is_pending = False
        if self._rest.isActive():
            # The rest of the last batch is due after the next paint; two batches in a row would delay that.
            return
        passed = self._since_taken.elapsed() if self._since_taken.isValid() else GATHER_MS
        if passed < GATHER_MS:
            self._rest.start(GATHER_MS - passed)
            return
        until = time.monotonic() + BUDGET_SECONDS
        try:
            while self._deliveries and not self._closed and time.monotonic() < until:
                self._take_slice()
        finally:
            self._since_taken.start()
            if self._deliveries and not self._closed:
                self._rest.start(0)

    @Slot()
    def _take_rest(self) -> None:
        self._since_taken.invalidate()
        self._take()

    def _take_slice(self) -> None:
        events: list[Event] = []
        while self._deliveries and len(events) < EVENTS_PER_SLICE:
            delivery = self._deliveries.popleft()
            if isinstance(delivery, _Settled):
                self._tell_events(events)
                self._tell_answer(delivery)
                return
            events.append(delivery)
        self._tell_events(events)

    def _tell_events(self, events: list[Event]) -> None:
        if events:
            self.events_arrived.emit(events)

    def _tell_answer(self, settled: _Settled) -> None:
        try:
            answer = settled.future.result()
        except CancelledError:
            return
        except Refusal as refusal:
            self._tell_refusal(settled, refusal.code, refusal.message)
        except Exception:
            log.exception("the node failed")
            self._tell_refusal(
                settled,
                RefusalCode.REFUSED,
                self.tr("Something went wrong inside Hail. Try again; details are in the log."),
            )
        else:
            if settled.done is not None and isValid(settled.owner):
                settled.done(answer)

    def _tell_refusal(self, settled: _Settled, code: RefusalCode, message: str) -> None:
        if settled.refused is None:
            self.refused.emit(message)
        elif isValid(settled.owner):
            settled.refused(code, message)
