"""Turns frames that come when they come into sound that goes on without a break: late, but as little as possible.

Pure: time is handed in, and sound is made when it is asked for. Its rules, for the moment a frame should be decoded:

* It is there: decode it. If frames wait much longer than they need to, one period of the voice is left out, if much
  shorter, one is put in (`time_scaling`).
* It is not there, but the one after tells of it (Opus' in-band redundancy): take that.
* It is not there, and it has been waited for as long as is worth it (`delays`): it counts as lost, the decoder invents
  what it may have been, and time goes on.
* It is not there, and it may still come: the decoder invents as well, but the frame keeps its turn. If it comes, all
  that follows is later by that much, and catches up in time; if one behind it comes instead, it was lost after all.
"""

import contextlib
import math
from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from peer.audio.opus_codec import OpusError, holds_frame_before
from peer.voice.delays import Delays
from peer.voice.limits import VOICE_FRAMES_WAITING
from peer.voice.time_scaling import Samples, lengthen, shorten
from protocol.voice_packets import CLOCK_RATE, FRAME_TICKS

PULL = 480
"""Samples asked for at a time: 10 ms."""
_FRAME_MS = 1000 * FRAME_TICKS / CLOCK_RATE
_PULL_MS = 1000 * PULL / CLOCK_RATE
_TOO_LONG_MS, _TOO_SHORT_MS = 15.0, 5.0
"""By how much more or less than needed frames may wait before anything is left out or put in."""
_MUCH_TOO_LONG_MS = 60.0
"""From here on it is left out even where it may be heard."""
_FADE_FROM_MS, _FADE_MS = 80.0, 60.0
"""What is invented is believed so long, then it fades away."""
_NEW_STREAM_MS = 2_000.0
"""Frames so far from what is expected are a new beginning."""
_SILENT_FROM_MS = 1_000.0
"""When nothing came for so long, whatever comes next is a new beginning, too: the other computer may have slept."""
_STOOD_STILL_MS = 300.0
"""When nobody asked for sound for so long, the computer slept or a device hung: what was said meanwhile is over."""


class FrameDecoder(Protocol):
    """What turns frames into samples; `peer.audio.opus_codec.Decoder` is one."""

    def decode(self, packet: bytes) -> bytes:
        """Return the samples of a packet; raise OpusError if it is damaged."""

    def recover(self, packet: bytes) -> bytes:
        """Return the frame before a packet that tells of it."""

    def conceal(self, samples: int) -> bytes:
        """Invent so many samples that go on from the last ones."""


@dataclass(slots=True)
class Played:
    """What became of the frames, counted."""

    decoded: int = 0
    recovered: int = 0
    """Roughly, from the frame behind."""
    lost: int = 0
    """Invented altogether."""
    late: int = 0
    """Came when their time was over."""
    waited: int = 0
    """Pieces of 10 ms invented while a frame might still come."""
    shortened: int = 0
    lengthened: int = 0


class JitterBuffer:
    """The frames of one speaker."""

    def __init__(self, decoder: FrameDecoder) -> None:
        self._decoder = decoder
        self._delays = Delays()
        self._frames: dict[int, bytes] = {}
        """By their time in ticks, which goes on growing here."""
        self._next = 0
        """The time of the frame that is decoded next."""
        self._newest = 0
        self._missed: deque[int] = deque(maxlen=VOICE_FRAMES_WAITING)
        """Frames that were invented, and may still come."""
        self._has_begun = False
        """Whether anything has been played since the stream began."""
        self._sound: Samples = np.zeros(0, np.int16)
        """Decoded, and not asked for yet."""
        self._invented_ms = 0.0
        """How much was invented without a break until now."""
        self._overdue_ms = 0.0
        """How much of it while the next frame might still come."""
        self._pulled_at, self._awake_from = math.inf, -math.inf
        """When sound was asked for last, and from when on that has been regular."""
        self.played = Played()

    @property
    def target(self) -> float:
        """How long frames should wait beyond the quickest, in ms."""
        return self._delays.target

    @property
    def is_silent(self) -> bool:
        """Whether nothing of this stream has been played yet."""
        return not self._has_begun

    def put(self, timestamp: int, payload: bytes, now: float, *, is_copy: bool = False) -> None:
        """Take a frame in; `now` is in ms of any clock that only grows."""
        time = self._unwrapped(timestamp)
        if time is None:
            if is_copy:
                return
            time = self._begin_anew(timestamp)
        if time in self._frames:
            return
        transit = now - 1000 * time / CLOCK_RATE
        if not is_copy:
            self._delays.heard(transit, now)
        if self._has_begun and time < self._next:
            if time not in self._missed:
                return  # most copies are of frames that came and were played long ago
            self._missed.remove(time)
            self.played.late += 1
        if self._awake_from <= now <= self._pulled_at + _STOOD_STILL_MS:  # else it waited here, not on its way
            self._delays.needed(transit - self._delays.base, repaired=is_copy)
        if not self._has_begun:
            self._next = min(self._next, time)
        if time >= self._next:
            self._keep(time, payload)

    def pull(self, now: float) -> Samples:
        """Return the next 10 ms."""
        if self._has_begun and now - self._pulled_at > _STOOD_STILL_MS:
            self._catch_up(now)
        self._pulled_at = now
        while len(self._sound) < PULL:
            self._sound = np.concatenate((self._sound, self._more(now)))
        sound, self._sound = self._sound[:PULL], self._sound[PULL:]
        return sound

    def delay(self, now: float) -> float:
        """Return how much later than the quickest frame would allow sound is played now, in ms."""
        waiting = 1000 * (len(self._sound) - self._next) / CLOCK_RATE
        return now + waiting - self._delays.base

    def _keep(self, time: int, payload: bytes) -> None:
        self._frames[time] = payload
        self._newest = max(self._newest, time)
        while len(self._frames) > VOICE_FRAMES_WAITING:
            del self._frames[min(self._frames)]
            self._next = max(self._next, min(self._frames))

    def _catch_up(self, now: float) -> None:
        """Leave out what should have been played while nobody asked for it."""
        self._awake_from = now + _STOOD_STILL_MS
        self._next += max(0, int((self.delay(now) - self.target) // _FRAME_MS)) * FRAME_TICKS
        self._frames = {time: frame for time, frame in self._frames.items() if time >= self._next}

    def _more(self, now: float) -> Samples:
        delay = self.delay(now)
        if not self._has_begun:
            if not self._frames or delay < self.target:
                return np.zeros(PULL, np.int16)
            self._has_begun = True
        if self._frames and self._next not in self._frames:
            self._skip_what_was_waited_for()
        payload = self._frames.pop(self._next, None)
        if payload is not None:
            return self._scaled(self._decoded(payload), delay)
        following = self._frames.get(self._next + FRAME_TICKS)
        if following is not None and holds_frame_before(following):
            self.played.recovered += 1
            self._goes_on()
            return _samples(self._decoder.recover(following))
        return self._invented(delay)

    def _decoded(self, payload: bytes) -> Samples:
        self._goes_on()
        with contextlib.suppress(OpusError):
            sound = _samples(self._decoder.decode(payload))
            if len(sound) == FRAME_TICKS:
                self.played.decoded += 1
                return sound
        self.played.lost += 1
        return _samples(self._decoder.conceal(FRAME_TICKS))

    def _goes_on(self) -> None:
        self._next += FRAME_TICKS
        self._invented_ms = self._overdue_ms = 0.0

    def _miss(self) -> None:
        self._missed.append(self._next)
        self._next += FRAME_TICKS
        self.played.lost += 1

    def _skip_what_was_waited_for(self) -> None:
        """A frame behind the one that was waited for came: what was invented meanwhile stood for the lost one."""
        while self._overdue_ms >= _FRAME_MS and self._next not in self._frames and self._frames:
            self._overdue_ms -= _FRAME_MS
            self._miss()

    def _invented(self, delay: float) -> Samples:
        if not self._frames and self._invented_ms >= _SILENT_FROM_MS:
            self._newest, self._has_begun = 0, False
        fade = max(0.0, min(1.0, 1 - (self._invented_ms - _FADE_FROM_MS) / _FADE_MS))
        self._invented_ms += _PULL_MS
        if delay < self.target + (0 if self._frames else _FRAME_MS):
            self._overdue_ms += _PULL_MS
            self.played.waited += 1
            sound = _samples(self._decoder.conceal(PULL))
        else:
            self._invented_ms += _FRAME_MS - _PULL_MS
            self._miss()
            sound = _samples(self._decoder.conceal(FRAME_TICKS))
        return (sound * fade).astype(np.int16) if fade < 1 else sound

    def _scaled(self, sound: Samples, delay: float) -> Samples:
        too_long = delay - self.target
        if too_long > _TOO_LONG_MS:
            scaled = shorten(sound) if too_long < _MUCH_TOO_LONG_MS else shorten(sound, alike=-1)
            self.played.shortened += len(scaled) < len(sound)
        elif too_long < -_TOO_SHORT_MS:
            scaled = lengthen(sound)
            self.played.lengthened += len(scaled) > len(sound)
        else:
            return sound
        return scaled

    def _unwrapped(self, timestamp: int) -> int | None:
        """Return a time that goes on growing; None if it is far from anything that could come next."""
        if not self._newest:
            return None
        ahead = (timestamp - self._newest + 2**31) % 2**32 - 2**31
        if abs(ahead) > _NEW_STREAM_MS * CLOCK_RATE / 1000 or ahead % FRAME_TICKS:
            return None
        return self._newest + ahead

    def _begin_anew(self, timestamp: int) -> int:
        time = 2**32 + timestamp
        self._frames.clear()
        self._delays.forget()
        self._next = self._newest = time
        self._has_begun = False
        self._invented_ms = self._overdue_ms = 0.0
        return time


def _samples(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, np.int16)
