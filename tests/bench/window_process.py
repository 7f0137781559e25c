"""One start of the real program on a filled profile, measured from inside: `python -m tests.bench.window_process`.

What other people write comes from other processes; the benchmark that started this one lets them write when asked
by a line on standard output.
"""

import argparse
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before anything of Qt is imported: no screen is needed.
if sys.platform == "linux" and not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QEventLoop, QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from peer.events import Event, MessageArrived
from peer.node import PeerNode
from peer.views import EntryId
from ui.application import SWITCH_SECONDS, build
from ui.conversation.message_view import MessageView as MessageListView

SCROLL_FRAMES = 600
APPENDED = 100
RESIZES = 20
FLOOD_SECONDS = 10.0
_TICK_MS = 2
_WAIT_SECONDS = 30.0
_SIZE = (1180, 800)


class Others:
    """Whoever started this process, and lets other people write."""

    def __init__(self) -> None:
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self._answers.put(json.loads(line))

    def ask(self, **request: Any) -> None:
        print(json.dumps(request), flush=True)

    @property
    def have_answered(self) -> bool:
        return not self._answers.empty()

    def last_written(self) -> EntryId:
        """Return the last message that was written for the latest request."""
        return EntryId(bytes.fromhex(self._answers.get()["entry"]))


class Paints(QObject):
    """Counts how often the list was painted, and knows what its newest message was then."""

    def __init__(self, view: MessageListView) -> None:
        super().__init__()
        self._view = view
        self.count = 0
        self.newest: EntryId | None = None
        self.newest_at = 0.0
        view.viewport().installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.Paint:
            # Afterwards: the filter is asked before the view paints.
            QTimer.singleShot(0, self._note)
        return False

    def _note(self) -> None:
        self.count += 1
        model = self._view.model()
        rows = 0 if model is None else model.rowCount()
        self.newest = model.message(rows - 1).entry if rows else None  # type: ignore[attr-defined]
        self.newest_at = time.perf_counter()


class Ticks:
    """A timer's ticks, while the window's thread does what it does."""

    def __init__(self) -> None:
        self.late: list[float] = []
        """How late each came, in s."""
        self.most_work = 0.0
        """The most that the window's thread itself did between two, in s."""
        self._timer = QTimer(interval=_TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def __enter__(self) -> "Ticks":
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        now, work = time.perf_counter(), time.thread_time()
        self.late.append(now - self._last - _TICK_MS / 1e3)
        self.most_work = max(self.most_work, work - self._worked)
        self._last, self._worked = now, work


class Bench:
    """The window as `hail` builds it, with somebody signed in, and the network thread's clock beside it."""

    def __init__(self, profile: Path) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        self.others = Others()
        self.told: dict[EntryId, float] = {}
        """When the network thread told of each new message."""
        program = build(profile)
        self.application, self.window, self._bridge = program
        self.window.resize(*_SIZE)
        self._bridge.ask(self.window, self._listen)
        self.view = self.window.chat.pane.view
        self.paints = Paints(self.view)
        contacts = self.window._state.contacts
        self.until(lambda: contacts.rowCount() == 1)
        (self.conversation,) = (self.window._state.conversations.with_user("ana"),)
        self.until(lambda: (ana := contacts.contact("ana")) is not None and ana.linked)
        self.settle(1.0)

    async def _listen(self, node: PeerNode) -> None:
        def heard(event: Event) -> None:
            if isinstance(event, MessageArrived):
                self.told[event.message.entry] = time.perf_counter()

        node.subscribe(heard)

    @property
    def model(self) -> Any:
        return self.view.model()

    def until(self, done: Callable[[], bool]) -> float:
        """Let the window run until something is so; return the seconds that took."""
        began = time.perf_counter()
        while not done():
            self.application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)
            if time.perf_counter() - began > _WAIT_SECONDS:
                raise TimeoutError("the window did not come to where the benchmark waits for it")
        return time.perf_counter() - began

    def settle(self, seconds: float = 0.3) -> None:
        """Let everything that is under way come to its end."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.application.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)
            time.sleep(0.001)

    def open(self) -> float:
        """Open the conversation; return the seconds until its messages are painted."""
        view = self.window._state.conversations.with_user("ana")
        assert view is not None
        self.paints.newest = None
        began = time.perf_counter()
        self.window.chat.open(view)
        self.until(lambda: self.paints.newest is not None)
        return self.paints.newest_at - began

    def wheel(self, pixels: int) -> None:
        place = QPointF(self.view.viewport().rect().center())
        above = self.view.viewport().mapToGlobal(place)
        none, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        phase = Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(place, above, QPoint(0, pixels), QPoint(), none, keys, phase, False)
        QApplication.sendEvent(self.view.viewport(), event)

    def frames(self, pixels: int, count: int) -> list[float]:
        """Scroll; return the seconds of each frame, with whatever arrives and is let go meanwhile."""
        taken = []
        for _ in range(count):
            time.sleep(0.004)
            began = time.perf_counter()
            self.wheel(pixels)
            self.application.processEvents()
            taken.append(time.perf_counter() - began)
        return taken

    def append(self) -> float:
        """Let one message arrive; return the seconds from the network thread's word until it is painted."""
        self.settle(0.02)
        self.others.ask(write=1)
        self.until(lambda: self.others.have_answered)
        entry = self.others.last_written()
        # The window may be quicker than the listener beside it.
        self.until(lambda: self.paints.newest == entry and entry in self.told)
        return self.paints.newest_at - self.told[entry]

    def resized(self, width: int) -> float:
        """Change the width of the window; return the seconds until it is painted."""
        painted = self.paints.count
        began = time.perf_counter()
        self.window.resize(width, _SIZE[1])
        self.until(lambda: self.paints.count > painted)
        return time.perf_counter() - began

    def stalls(self, *, flooded: bool) -> list[float]:
        """Let messages flood in, or nothing happen; return how late each tick of a timer came, in order of size."""
        loop = QEventLoop()
        # By default it might end half a second early.
        end = QTimer(interval=round(FLOOD_SECONDS * 1e3), singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        end.timeout.connect(loop.quit)
        known = len(self.told)
        if flooded:
            self.others.ask(flood=FLOOD_SECONDS)
        with Ticks() as ticks:
            end.start()
            loop.exec()
        print(f"most work of the window's thread itself in one go: {ticks.most_work * 1e3:.1f} ms", file=sys.stderr)
        if flooded:
            self._see_that_all_came(len(self.told) - known)
        return sorted(ticks.late)

    def _see_that_all_came(self, in_time: int) -> None:
        began = time.perf_counter()
        self.until(lambda: self.others.have_answered)
        newest = self.others.last_written()
        self.until(lambda: newest in self.told)
        if self.view.follows:
            self.until(lambda: self.paints.newest == newest)
        late = time.perf_counter() - began
        print(f"{in_time} came within {FLOOD_SECONDS:g} s, the last {late:.2f} s later", file=sys.stderr)

    def close(self) -> None:
        self.window.close()
        self._bridge.close()


def resident_megabytes() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", type=Path)
    parser.add_argument("result", type=Path, help="the file for what was found, as JSON")
    parser.add_argument("--whole-evening", action="store_true", help="scroll, append, resize and flood too")
    options = parser.parse_args()
    bench = Bench(options.profile)
    signed_in = resident_megabytes()
    try:
        result: dict[str, Any] = {"signed_in_mb": signed_in, "open": bench.open()}
        bench.settle(1.0)
        result["idle_mb"] = resident_megabytes()
        result["first_shown"] = bench.model.message(bench.view.visible_rows()[0]).text
        if options.whole_evening:
            result["frames"] = bench.frames(300, SCROLL_FRAMES) + bench.frames(-300, SCROLL_FRAMES)
            bench.view.follow()
            bench.settle()
            result["append"] = [bench.append() for _ in range(APPENDED)]
            result["resize"] = [bench.resized(width) for width in [1000, 1180, 900, 760] * (RESIZES // 4)]
            bench.settle()
            result["quiet"] = bench.stalls(flooded=False)
            result["following"] = bench.stalls(flooded=True)
            bench.settle()
            bench.frames(2_000, 3)
            result["above"] = bench.stalls(flooded=True)
            bench.settle(1.0)
            result["late_mb"] = resident_megabytes()
    finally:
        bench.close()
    options.result.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
