"""The microphone and speaker of a call, which may come and go: the call's time goes on without them.

A device that is missing, breaks off or hangs is replaced by the system's choice, and that by silence at the pace of a
clock, so that the others hear that somebody is there, and what they say is not piled up.
"""

import contextlib
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from peer.audio.devices import BUFFER, Side, Stream
from peer.audio.opus_codec import RATE
from peer.errors import Refusal
from peer.voice.limits import VOICE_BUFFERS_WAITING, VOICE_DEVICE_LOST_SECONDS, VOICE_DEVICE_RETRY_SECONDS
from peer.voice.time_scaling import Samples

_PACE = BUFFER / RATE
_SILENCE = np.zeros(BUFFER, np.int16)
_CATCH_UP_EVERY = 50


class Device(ABC):
    """One of the two, and a thread that looks after it."""

    def __init__(self, side: Side, name: str, on_change: Callable[[], None]) -> None:
        """`on_change` is called on its thread whenever there is a device, or none any more."""
        self._side, self._name = side, name
        self._on_change = on_change
        self._stream: Stream | None = None
        self._worked_at = 0.0
        self._tried_at = -VOICE_DEVICE_RETRY_SECONDS
        self._is_closed = False
        self._is_changed = False
        self.reason = ""
        """A sentence, while it is not the device that was chosen."""
        self._thread = threading.Thread(target=self._run, name=side, daemon=True)
        self._opening: threading.Thread | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is a device."""
        return self._stream is not None

    def start(self) -> None:
        """Open it, and begin."""
        self._open()
        self._thread.start()

    def choose(self, name: str) -> None:
        """Use another one from now on."""
        self._name, self._is_changed = name, True

    def close(self) -> None:
        """Give it back. A device that hangs is left behind."""
        self._is_closed = True
        self._thread.join(VOICE_DEVICE_LOST_SECONDS)
        self._close_stream()

    def _open(self) -> None:
        try:
            self._stream = Stream(self._side, self._name, self._exchange)
            self._worked_at = time.monotonic()
            chosen = "microphone" if self._side == "input" else "speaker"
            stands_in = self._stream.stands_in
            self.reason = f"The {chosen} “{self._name}” is not here; the system's choice is used." if stands_in else ""
        except Refusal as refusal:
            self._stream, self.reason = None, refusal.message
        self._tried_at = time.monotonic()

    def _close_stream(self) -> None:
        stream, self._stream = self._stream, None
        _close(stream)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._is_closed:
            self._look_after()
            if self._stream is not None:
                self._step()
                due = time.monotonic()
                continue
            due += _PACE
            time.sleep(max(0.0, due - time.monotonic()))
            self._stand_in()

    def _look_after(self) -> None:
        if self._opening is not None and self._opening.is_alive():
            return
        now = time.monotonic()
        is_lost = self.is_there and now - self._worked_at > VOICE_DEVICE_LOST_SECONDS
        is_due = not self.is_there and now - self._tried_at > VOICE_DEVICE_RETRY_SECONDS
        if self._is_changed or is_lost or is_due:
            words = self._stream, self._is_changed or is_lost
            self._stream, self._is_changed = None, False
            self._opening = threading.Thread(
                target=self._open_anew, args=words, name=f"opening {self._side}", daemon=True
            )
            self._opening.start()

    def _open_anew(self, before: Stream | None, is_news: bool) -> None:
        """On a thread of its own: a sound system that hangs must not hold up the call's time."""
        _close(before)
        self._open()
        if self._is_closed:
            self._close_stream()
        elif is_news or self.is_there:
            self._on_change()

    @abstractmethod
    def _exchange(self, heard: bytes | None, samples: int) -> bytes | None:
        """Take or give a piece of sound. On PortAudio's thread."""

    @abstractmethod
    def _step(self) -> None:
        """Do what there is to do while there is a device; return within a tenth of a second."""

    @abstractmethod
    def _stand_in(self) -> None:
        """Do what a device would have done with 10 ms of silence."""


class Microphone(Device):
    """Hands on what it hears on a thread of its own: PortAudio's must not wait for a codec."""

    def __init__(self, name: str, on_sound: Callable[[Samples], None], on_change: Callable[[], None]) -> None:
        super().__init__("input", name, on_change)
        self._on_sound = on_sound
        self._heard: queue.Queue[bytes] = queue.Queue(VOICE_BUFFERS_WAITING)
        self._waiting, self._steps = VOICE_BUFFERS_WAITING, 0
        """The fewest that waited since so many steps."""

    def _exchange(self, heard: bytes | None, samples: int) -> bytes | None:
        self._worked_at = time.monotonic()
        if heard and samples == BUFFER:
            with contextlib.suppress(queue.Full):
                self._heard.put_nowait(heard)
        return None

    def _step(self) -> None:
        with contextlib.suppress(queue.Empty):
            self._on_sound(np.frombuffer(self._heard.get(timeout=0.1), np.int16))
            self._catch_up()

    def _catch_up(self) -> None:
        """Leave out what waits all the time: a device that begins with a burst would delay everything after it."""
        self._waiting = min(self._waiting, self._heard.qsize())
        self._steps += 1
        if self._steps >= _CATCH_UP_EVERY:
            for _ in range(self._waiting):
                self._heard.get_nowait()
            self._waiting, self._steps = VOICE_BUFFERS_WAITING, 0

    def _stand_in(self) -> None:
        self._on_sound(_SILENCE)


class Speaker(Device):
    """Asks for sound at the very moment at which it is needed."""

    def __init__(self, name: str, sound: Callable[[], Samples], on_change: Callable[[], None]) -> None:
        super().__init__("output", name, on_change)
        self._sound = sound

    def _exchange(self, _heard: bytes | None, samples: int) -> bytes | None:
        self._worked_at = time.monotonic()
        pieces = [self._sound() for _ in range(-(-samples // BUFFER))]
        return b"".join(piece.tobytes() for piece in pieces)[: 2 * samples]

    def _step(self) -> None:
        time.sleep(0.05)

    def _stand_in(self) -> None:
        self._sound()


def _close(stream: Stream | None) -> None:
    if stream is not None:
        with contextlib.suppress(Refusal, OSError):
            stream.close()
