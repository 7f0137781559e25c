"""Makes a few milliseconds of speech shorter or longer by one period of its voice, so that nobody hears it.

This is how a jitter buffer changes its delay while somebody talks (as in NetEQ): where a wave looks like itself one
period later, one period is blended away, or in.
"""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

_SHORTEST, _LONGEST = 120, 600
"""Samples of a period: voices of 400 to 80 Hz."""
_THIN = 4
"""Likeness is looked for on every fourth sample first."""
_WINDOW = 480
"""Samples that are compared: 10 ms."""
_QUIET = 100.0
"""Mean amplitude (of 32,768) below which any place will do: silence has no period."""
ALIKE_ENOUGH = 0.8
"""Correlation from which on a cut is not heard."""


def shorten(sound: Samples, alike: float = ALIKE_ENOUGH) -> Samples:
    """Return the sound without one period; the same if no period is found in it."""
    lag = _period(sound, alike)
    if not lag:
        return sound
    blended = _blend(sound[:lag], sound[lag : 2 * lag])
    return np.concatenate((blended, sound[2 * lag :]))


def lengthen(sound: Samples, alike: float = ALIKE_ENOUGH) -> Samples:
    """Return the sound with one period more; the same if no period is found in it."""
    lag = _period(sound, alike)
    if not lag:
        return sound
    blended = _blend(sound[lag : 2 * lag], sound[:lag])
    return np.concatenate((sound[:lag], blended, sound[lag:]))


def _period(sound: Samples, alike: float) -> int:
    """Return after how many samples a sound begins again; 0 if it does not within half its length."""
    longest = min(_LONGEST, len(sound) // 2)
    if longest <= _SHORTEST:
        return 0
    wave = sound.astype(np.float32)
    if float(np.abs(wave).mean()) < _QUIET:
        return longest
    thin = wave[::_THIN]
    rough, _ = _best_lag(thin, range(_SHORTEST // _THIN, longest // _THIN), _WINDOW // _THIN)
    near = range(max(_SHORTEST, (rough - 1) * _THIN), min(longest, (rough + 1) * _THIN) + 1)
    lag, likeness = _best_lag(wave, near, _WINDOW)
    return lag if likeness >= alike else 0


def _best_lag(wave: npt.NDArray[np.float32], lags: range, window: int) -> tuple[int, float]:
    window = min(window, len(wave) - lags[-1])
    first = wave[:window]
    shifted = np.lib.stride_tricks.sliding_window_view(wave, window)[lags.start : lags.stop]
    powers = np.einsum("ij,ij->i", shifted, shifted) * float(first @ first)
    likeness = (shifted @ first) / np.sqrt(powers + 1.0)
    best = int(likeness.argmax())
    return lags[best], float(likeness[best])


def _blend(leaving: Samples, coming: Samples) -> Samples:
    weight = (np.arange(len(leaving), dtype=np.float32) + 0.5) / len(leaving)
    return (leaving + (coming.astype(np.float32) - leaving) * weight).astype(np.int16)
