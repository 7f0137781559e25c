"""Speech for benchmarks: espeak-ng's voices, so that nobody's recording is needed; and how good what arrives is."""

import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np

from peer.audio.opus_codec import RATE
from peer.voice.time_scaling import Samples

_VOICES = ("en-us+m3", "en-gb+f2", "en-us+m7", "en-gb+f4")
_SENTENCES = (
    "The boat was painted blue last week. Bring me some of the small green apples. "
    "He told us where the old bridge had been. Nobody in the village remembers that winter."
)
PESQ_RATE = 16_000


def speech(folder: Path, seconds: float) -> Samples:
    """Return four voices one after the other, for so long."""
    program = shutil.which("espeak-ng")
    assert program is not None, "espeak-ng is missing: `make bench` installs it"
    pieces = []
    for number, name in enumerate(_VOICES):
        path = folder / f"voice-{number}.wav"
        subprocess.run([program, "-v", name, "-s", "150", "-w", str(path), _SENTENCES], check=True)
        pieces.append(_read(path))
    whole = np.concatenate(pieces)
    loud = whole / np.abs(whole).max() * 23_000
    return np.tile(loud, 1 + int(seconds * RATE / len(loud)))[: int(seconds * RATE)].astype(np.int16)


def delay(said: Samples, heard: Samples) -> float:
    """Return by how many ms what was heard is later, where both fit best."""
    size = 1 << (len(said) + len(heard)).bit_length()
    cross = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size)), size)
    return 1000 * int(cross[: len(heard)].argmax()) / RATE


def quality(said: Samples, heard: Samples) -> float:
    """Return PESQ (ITU-T P.862.2, wide band) of what was heard: 1 is bad, 4.64 the same sound.

    Voices of a computer score lower than people: compare rows with each other, and do not read them as opinions.
    """
    from pesq import pesq

    late = int(delay(said, heard) * RATE / 1000)
    there = heard[late : late + len(said)]
    return float(pesq(PESQ_RATE, _thinned(said[: len(there)]), _thinned(there), "wb"))


def _thinned(sound: Samples) -> Samples:
    """Return it at a third of the rate."""
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(sound.astype(np.float64), PESQ_RATE, RATE), np.int16)


def _read(path: Path) -> np.ndarray:
    from scipy.signal import resample_poly

    with wave.open(str(path)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return np.asarray(resample_poly(sound.astype(np.float64), RATE, file.getframerate()))
