"""Somebody with an audio process, and what it takes to know a sound again."""

import array
import math
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from operator import mul
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from peer.audio.voice_messages import VoiceMessages
from peer.event_stream import EventStream
from peer.events import Event, PlaybackChanged, RecordingChanged
from peer.network_thread import NetworkThread
from peer.views import AudioChoice

PATIENCE = 20.0
RATE = 48_000
_THIN = 24
Result = TypeVar("Result")


class Speaker:
    """The recorder and player of one person, on a network thread as in the program."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chosen = AudioChoice()
        self.events: list[Event] = []
        self._more = threading.Condition()
        self._thread = NetworkThread()
        self._thread.start()
        self._voice = self._run(self._make())

    def do(self, work: Callable[[VoiceMessages], Coroutine[Any, Any, Result]]) -> Result:
        """Ask for something and wait for the answer."""
        return self._run(work(self._voice))

    def wait_for(self, wanted: Callable[[Event], bool]) -> Event:
        """Wait for an event, also an earlier one."""
        with self._more:
            assert self._more.wait_for(lambda: any(map(wanted, self.events)), PATIENCE), self.events[-3:]
        return next(filter(wanted, self.events))

    def record(self, seconds: float) -> None:
        """Begin to record, and wait until so much is."""
        self.do(lambda v: v.start_recording())
        self.wait_for(lambda e: isinstance(e, RecordingChanged) and e.recording.seconds >= seconds)

    def wait_until_played(self) -> PlaybackChanged:
        """Wait for the end of what is played."""
        event = self.wait_for(lambda e: isinstance(e, PlaybackChanged) and e.playback.is_over)
        assert isinstance(event, PlaybackChanged)
        return event

    def has_process(self) -> bool:
        """Tell whether there is an audio process now."""
        return self._voice._process.is_running

    def kill_process(self) -> None:
        """Let the audio process crash."""
        child = self._voice._process._child
        assert child is not None
        child.kill()

    def files(self) -> list[str]:
        """Return what lies in the folder of recordings."""
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    def close(self) -> None:
        """End the process and the thread."""
        self.do(lambda v: v.close())
        self._thread.stop()

    async def _make(self) -> VoiceMessages:
        events = EventStream()
        events.subscribe(self._take)
        return VoiceMessages(events, lambda: datetime.now(UTC), lambda: self.folder, lambda: self.chosen)

    def _take(self, event: Event) -> None:
        with self._more:
            self.events.append(event)
            self._more.notify_all()

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._thread.submit(work).result(PATIENCE)


def sweep(seconds: float, low: float = 200, high: float = 800) -> "array.array[int]":
    """Return a tone that rises: it is like itself at one place only."""
    rise = (high - low) / seconds / 2
    times = (number / RATE for number in range(int(seconds * RATE)))
    return array.array("h", (int(9000 * math.sin(2 * math.pi * (low + rise * t) * t)) for t in times))


def tone(frequency: float, seconds: float) -> "array.array[int]":
    """Return a steady tone."""
    step = 2 * math.pi * frequency / RATE
    return array.array("h", (int(9000 * math.sin(step * number)) for number in range(int(seconds * RATE))))


def strength(sound: Sequence[int], frequency: float) -> float:
    """Return how much of a sound is a tone of this frequency: 1 for nothing else (Goertzel)."""
    step = 2 * math.cos(2 * math.pi * frequency / RATE)
    before = last = 0.0
    for sample in sound:
        before, last = last, sample + step * last - before
    power = before**2 + last**2 - step * before * last
    return 2 * power / len(sound) / max(1, sum(map(mul, sound, sound)))


def usual_strength(sound: Sequence[int], frequency: float) -> float:
    """Return the same of the median piece of 20 ms, without silence: gaps do not count."""
    pieces = [sound[at : at + 960] for at in range(0, len(sound) - 960, 960)]
    return median(strength(piece, frequency) for piece in pieces if max(piece) > 1_000)


def best_strength(sound: Sequence[int], frequency: float) -> float:
    """Return the same of the piece of 20 ms that is most like it: on a busy machine there may be gaps."""
    return max(strength(sound[at : at + 960], frequency) for at in range(0, len(sound) - 960, 480))


def find(wanted: Sequence[int], heard: Sequence[int]) -> tuple[float, float]:
    """Return where in what was heard the wanted sound is (s), and how alike they are (1: the same), by correlation."""
    needle, hay = _thinned(wanted), _thinned(heard)
    own = math.sqrt(sum(map(mul, needle, needle)))

    def likeness(at: int) -> float:
        piece = hay[at : at + len(needle)]
        return sum(map(mul, needle, piece)) / own / math.sqrt(sum(map(mul, piece, piece)) + 1)

    best = max(range(len(hay) - len(needle)), key=likeness)
    return best * _THIN / RATE, likeness(best)


def _thinned(sound: Sequence[int]) -> list[float]:
    return [sum(sound[at : at + _THIN]) / _THIN for at in range(0, len(sound) - _THIN, _THIN)]


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for something that no event tells."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
