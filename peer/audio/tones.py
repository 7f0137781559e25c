"""The program's own tones, computed when they are needed: to try a speaker, and to let a call ring."""

import array
import math
from typing import TYPE_CHECKING

from peer.audio.opus_codec import RATE
from peer.limits import RING_SECONDS
from peer.views import Tone

if TYPE_CHECKING:
    Samples = array.array[int]

_TRY_LOUDEST, _RING_LOUDEST, _RING_BACK_LOUDEST = 7_000, 5_000, 1_800
"""Of 32,767: a ring is to be noticed, and to frighten nobody; the other one is for who holds a headset to the ear."""
_TRY_NOTES = (660.0, 880.0)
_RING_NOTES = ((0.0, 659.26), (0.16, 830.61), (0.32, 987.77), (0.64, 830.61))
"""Seconds, and Hz: e, g sharp, b, g sharp."""
_RING_EVERY = 3.0
"""Seconds."""
_RING_BACK_NOTE, _RING_BACK_LASTS, _RING_BACK_EVERY = 440.0, 0.9, 4.0
_FADES_SECONDS = 0.22
"""After which a struck note is e times softer."""
_HEARD_SECONDS = 1.2
"""Then it is too soft to be heard."""
_OVERTONE, _OVERTONE_SHARE = 4.0, 0.18
"""Like that of a bar of wood."""


class ToneSound:
    """A tone that is repeated; silence before and after it."""

    def __init__(self, once: "Samples", samples: int) -> None:
        self._once = once
        self.samples = samples

    def read(self, start: int, stop: int) -> "Samples":
        """Return the samples from `start` to `stop`; silence where there is nothing."""
        found = array.array("h")
        at = start
        while at < stop:
            if at < 0 or at >= self.samples:
                end = min(stop, 0) if at < 0 else stop
                found.frombytes(bytes(2 * (end - at)))
            else:
                place = at % len(self._once)
                end = min(stop, self.samples, at + len(self._once) - place)
                found.extend(self._once[place : place + end - at])
            at = end
        return found


def tone_sound(tone: Tone) -> ToneSound:
    """Compute a tone."""
    match tone:
        case Tone.TEST:
            once = array.array("h")
            for note in _TRY_NOTES:
                once.extend(_swelling(note, 0.6, _TRY_LOUDEST))
            return ToneSound(once, len(once))
        case Tone.RING:
            return ToneSound(_ring(), RING_SECONDS * RATE)
        case Tone.RING_BACK:
            once = _swelling(_RING_BACK_NOTE, _RING_BACK_LASTS, _RING_BACK_LOUDEST)
            return ToneSound(_filled_up(once, _RING_BACK_EVERY), RING_SECONDS * RATE)


def _ring() -> "Samples":
    sums = [0.0] * int(_RING_EVERY * RATE)
    for seconds, note in _RING_NOTES:
        start = int(seconds * RATE)
        for frequency, share in ((note, 1.0), (_OVERTONE * note, _OVERTONE_SHARE)):
            for at, sample in enumerate(_struck(frequency, share), start):
                sums[at] += sample
    loudest = max(map(abs, sums))
    return array.array("h", (int(_RING_LOUDEST * sample / loudest) for sample in sums))


def _struck(frequency: float, share: float) -> list[float]:
    """Return a note that begins at once and fades: a resonator, which takes two products a sample and no sine."""
    fades = math.exp(-1 / (_FADES_SECONDS * RATE))
    turn = 2 * math.pi * frequency / RATE
    before, now = 0.0, share * fades * math.sin(turn)
    first, second = 2 * fades * math.cos(turn), fades * fades
    samples = [before]
    for _ in range(int(_HEARD_SECONDS * RATE)):
        samples.append(now)
        before, now = now, first * now - second * before
    return samples


def _swelling(frequency: float, seconds: float, loudest: int) -> "Samples":
    """Return a note that neither begins nor ends with a click."""
    length = int(seconds * RATE)
    turn = 2 * math.pi * frequency / RATE
    return array.array(
        "h", (int(loudest * math.sin(math.pi * at / length) * math.sin(turn * at)) for at in range(length))
    )


def _filled_up(sound: "Samples", seconds: float) -> "Samples":
    """Return the sound with silence behind it, so long together."""
    silence = int(seconds * RATE) - len(sound)
    return sound + array.array("h", bytes(2 * silence))
