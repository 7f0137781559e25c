"""Goals P2 to P6 and P10: the real window and bridge, over a node that hands out pages of 100,000 messages."""

import gc
import os
import statistics
import sys
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

import peer.node  # noqa: F401 - what the real program holds in memory is held here too
from peer import events
from peer.views import ConversationId, EntryId, MessageState, MessageView
from tests.bench.report import Row
from tests.ui.scripted_node import (
    ScriptedNode,
    conversation_id,
    entry_id,
    make_contact,
    make_conversation,
    make_message,
    make_session,
)
from ui.application import make_application
from ui.conversation.message_view import MessageView as MessageListView
from ui.main_window.window import MainWindow
from ui.main_window.window_memory import WindowMemory
from ui.peer_bridge import PeerBridge
from ui.theme.appearance import Appearance, Choice
from ui.theme.controls import Theme

MESSAGES = 100_000
SCROLL_FRAMES = 600
APPENDED = 100
RESIZES = 20
FLOOD_SECONDS = 10.0
FLOOD_PER_SECOND = 1_000
_TICK_MS = 2
_FLOOD_STEP = 0.005
_WAIT_SECONDS = 10.0
_TEXTS = (
    "ok",
    "Sure, let's meet at 10:30 and go through the plan; I have three open questions about the lab.",
    "新的深色主题，看看怎么样？请看 https://example.com/slides 然后告诉我。",
    "👍",
    "Two lines\nand a link: www.example.org/a_(b), with more words behind it so that the line has to be broken.",
    "see you",
)


class HistoryNode(ScriptedNode):
    """Makes the messages of a page when it is asked for, as the real node reads them: none is held here."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}

    def add_person(self, user: str, count: int) -> None:
        self.counts[user] = count
        self.people.append(make_contact(user))
        self.talks.append(make_conversation(user, last_entry=self.message(user, count)))

    def message(self, user: str, number: int) -> MessageView:
        mine = number % 3 == 0
        state = MessageState.READ if mine else MessageState.SEEN
        return make_message(number, f"{number} {_TEXTS[number % len(_TEXTS)]}", user=user, mine=mine, state=state)

    async def messages(
        self, conversation: ConversationId, *, before: EntryId | None = None, limit: int = 256
    ) -> list[MessageView]:
        user = next(user for user in self.counts if conversation_id(user) == conversation)
        end = self.counts[user] if before is None else int.from_bytes(bytes(before), "big") - 1
        return [self.message(user, number) for number in range(max(1, end - limit + 1), end + 1)]

    def arrive(self, user: str) -> None:
        """Store a new message and announce it as the real node does. On the network thread."""
        self.counts[user] += 1
        message = self.message(user, self.counts[user])
        self._tell(
            (
                events.MessageArrived(message),
                events.ConversationChanged(make_conversation(user, last_entry=message, unread=1)),
            )
        )

    def flood(self, user: str, seconds: float) -> None:
        """Let 1,000 messages a second arrive. Callable from any thread."""
        assert self.loop is not None
        loop, began, sent = self.loop, time.monotonic(), 0

        def step() -> None:
            nonlocal sent
            passed = min(time.monotonic() - began, seconds)
            while sent < passed * FLOOD_PER_SECOND:
                self.arrive(user)
                sent += 1
            if passed < seconds:
                loop.call_later(_FLOOD_STEP, step)

        loop.call_soon_threadsafe(step)


class Paints(QObject):
    """Counts how often the list was painted, and knows what was its newest message then."""

    def __init__(self, view: MessageListView) -> None:
        super().__init__()
        self._view = view
        self.count = 0
        self.newest: EntryId | None = None
        view.viewport().installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.Paint:
            self.count += 1
            model = self._view.model()
            rows = 0 if model is None else model.rowCount()
            self.newest = model.message(rows - 1).entry if rows else None  # type: ignore[attr-defined]
        return False


class Bench:
    """The window as `hail` builds it, with somebody signed in."""

    def __init__(self, folder: Path, users: list[str]) -> None:
        sys.setswitchinterval(0.001)
        self.application = QApplication.instance() or make_application()
        theme = Theme()
        appearance = Appearance(self.application, theme, Choice.LIGHT)  # type: ignore[arg-type]
        self.node = HistoryNode()
        for user in users:
            self.node.add_person(user, MESSAGES)
        self.bridge = PeerBridge(lambda _profile: self.node, folder)  # type: ignore[arg-type,return-value]
        self.bridge.start()
        self.window = MainWindow(theme, self.bridge, WindowMemory(folder), appearance)
        self.window.resize(1180, 800)
        self.window.show()
        gc.freeze()
        self.window.login.signed_in.emit(make_session())
        conversations = self.window._state.conversations
        self.until(lambda: conversations.rowCount() == len(users))
        self.pane = self.window.chat.pane
        self.view = self.pane.view
        self.paints = Paints(self.view)

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
        self.until(lambda: time.perf_counter() > end)

    def open(self, user: str) -> float:
        """Open a conversation; return the seconds until its newest message is painted."""
        began = time.perf_counter()
        self.window.chat.open(make_conversation(user))
        newest = entry_id(self.node.counts[user])
        self.paints.newest = None
        self.until(lambda: self.paints.newest == newest and self.model.conversation == conversation_id(user))
        return time.perf_counter() - began

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

    def append(self, user: str) -> float:
        """Let one message arrive, when the last frame is over; return the seconds until it is painted."""
        self.settle(0.02)
        assert self.node.loop is not None
        newest = entry_id(self.node.counts[user] + 1)
        began = time.perf_counter()
        self.node.loop.call_soon_threadsafe(self.node.arrive, user)
        self.until(lambda: self.paints.newest == newest)
        return time.perf_counter() - began

    def resized(self, width: int) -> float:
        """Change the width of the window; return the seconds until it is painted."""
        painted = self.paints.count
        began = time.perf_counter()
        self.window.resize(width, 800)
        self.until(lambda: self.paints.count > painted)
        return time.perf_counter() - began

    def stalls(self, user: str, seconds: float, *, flooded: bool = True) -> list[float]:
        """Let messages flood in, or nothing happen; return how late each tick of a timer came."""
        late: list[float] = []
        last, worked, most_work = time.perf_counter(), time.thread_time(), 0.0

        def tick() -> None:
            nonlocal last, worked, most_work
            now, work = time.perf_counter(), time.thread_time()
            late.append(now - last - _TICK_MS / 1e3)
            most_work = max(most_work, work - worked)
            last, worked = now, work

        timer = QTimer(interval=_TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        timer.timeout.connect(tick)
        loop = QEventLoop()
        # By default it might end half a second early.
        end = QTimer(interval=round(seconds * 1e3), singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        end.timeout.connect(loop.quit)
        last_of_all = self.node.counts[user] + round(seconds * FLOOD_PER_SECOND)
        if flooded:
            self.node.flood(user, seconds)
        last = time.perf_counter()
        timer.start()
        end.start()
        loop.exec()
        timer.stop()
        print(f"most work of the window itself between two ticks: {most_work * 1e3:.1f} ms", file=sys.stderr)
        if flooded:
            self.until(lambda: self.node.counts[user] >= last_of_all)
            self.settle()
        if flooded and self.view.follows:
            newest = entry_id(self.node.counts[user])
            self.until(lambda: self.paints.newest == newest)
        return sorted(late)

    def close(self) -> None:
        self.window.close()
        self.bridge.close()


def run(folder: Path, rounds: int) -> list[Row]:
    """Open, scroll, append, resize, flood; everything in one process, as a person would in one evening."""
    users = [f"user{number}" for number in range(max(rounds, 2))]
    bench = Bench(folder, users)
    try:
        bench.settle()
        opened = [bench.open(users[0])]
        bench.settle(1.0)
        idle = _resident_megabytes()
        opened += [bench.open(user) for user in users[1:]]
        user = users[-1]
        bench.settle()
        frames = sorted(bench.frames(300, SCROLL_FRAMES) + bench.frames(-300, SCROLL_FRAMES))
        bench.view.follow()
        bench.settle()
        appended = [bench.append(user) for _ in range(APPENDED)]
        resized = [bench.resized(width) for width in [1000, 1180, 900, 760] * (RESIZES // 4)]
        bench.settle()
        quiet = bench.stalls(user, FLOOD_SECONDS, flooded=False)
        followed = bench.stalls(user, FLOOD_SECONDS)
        bench.settle()
        bench.frames(2_000, 3)
        above = bench.stalls(user, FLOOD_SECONDS)
        bench.settle(1.0)
        late = _resident_megabytes()
    finally:
        bench.close()
    print(
        _more("idle", quiet),
        _more("P6", followed),
        _more("P6 above", above),
        _more("P3", frames),
        sep="\n",
        file=sys.stderr,
    )
    return [
        _goal("P2", f"open one of {MESSAGES:,} to its first paint, worst of {len(opened)}", max(opened), 100),
        _goal("P3", "scroll frame p50", statistics.median(frames), 6),
        _goal("P3", "scroll frame p99", _share(frames, 0.99), 16),
        _goal("P4", "append and paint p50, network thread to screen", statistics.median(appended), 10),
        _goal("P5", f"resize and paint, worst of {len(resized)}", max(resized), 50),
        _goal("P6", "worst stall at 1,000 messages/s for 10 s, following", followed[-1], 16, quiet[-1]),
        _goal("P6", "the same while reading further up", above[-1], 16, quiet[-1]),
        Row("P10", "resident, one conversation open, idle", idle, "MB", None, "", None, "< 180", "113", idle < 180),
        Row("P10", "resident after all of the above", late, "MB", None, "", None, "< 180", "113", late < 180),
    ]


def _goal(goal: str, what: str, seconds: float, most_ms: float, idle_seconds: float | None = None) -> Row:
    measured = seconds * 1e3
    idle = None if idle_seconds is None else idle_seconds * 1e3
    ratio = measured / idle if idle else None
    return Row(goal, what, measured, "ms", idle, "nothing happens", ratio, f"< {most_ms:g} ms", "", measured < most_ms)


def _share(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _more(what: str, ordered: list[float]) -> str:
    shares = ", ".join(f"p{share * 100:g} {_share(ordered, share) * 1e3:.1f}" for share in (0.5, 0.99, 0.999, 1.0))
    return f"{what}: {shares} ms of {len(ordered)}"


def _resident_megabytes() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
