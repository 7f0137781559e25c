"""Something like speech, made of numbers: voiced syllables with gliding pitch and formants, and pauses."""

import numpy as np

from peer.audio.opus_codec import RATE
from peer.voice.time_scaling import Samples


def voice(seconds: float, pitch: float = 120.0, seed: int = 1) -> Samples:
    """Return samples of somebody with this pitch (Hz) who talks without sense."""
    chance = np.random.default_rng(seed)
    pieces, length = [], 0
    while length < seconds * RATE:
        syllable = _syllable(0.12 + 0.15 * chance.random(), pitch * (0.85 + 0.4 * chance.random()), chance)
        pause = np.zeros(int(RATE * (0.02 if chance.random() < 0.7 else 0.2)))
        pieces += [syllable, pause]
        length += len(syllable) + len(pause)
    return (np.concatenate(pieces)[: int(seconds * RATE)] * 9_000).astype(np.int16)


def similarity(said: Samples, heard: Samples) -> tuple[float, float]:
    """Return how alike two sounds are where they fit best (1: the same), and how much later the second is, in ms."""
    size = 1 << (len(said) + len(heard)).bit_length()
    one, other = said.astype(np.float64), heard.astype(np.float64)
    cross = np.fft.irfft(np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size)), size)[: len(heard)]
    late = int(cross.argmax())
    there = other[late : late + len(one)]
    return float(cross[late] / np.sqrt((one @ one) * (there @ there) + 1)), 1000 * late / RATE


def likeness(said: Samples, heard: Samples) -> float:
    """Return how alike two sounds are, half a second at a time: a delay that changes in between does not count."""
    late = int(similarity(said[:RATE], heard)[1] * RATE / 1000)
    found, half = [], RATE // 2
    for at in range(0, len(said) - half, half):
        piece = said[at : at + half]
        if np.abs(piece).max() > 1_000:
            begin = max(0, late + at - half // 2)
            found.append(similarity(piece, heard[begin : begin + 2 * half])[0])
    return float(np.mean(found))


def _syllable(seconds: float, pitch: float, chance: np.random.Generator) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * np.sin(2 * np.pi * 3 * time))) / RATE
    formants = chance.uniform((300, 900, 2200), (800, 2000, 3200))
    wave = np.zeros(len(time))
    for harmonic in range(1, 30):
        strength = sum(np.exp(-(((harmonic * pitch - formant) / 150) ** 2)) for formant in formants)
        wave += (strength + 0.02) * np.sin(harmonic * phase)
    return wave / np.abs(wave).max() * np.sin(np.pi * np.linspace(0, 1, len(time))) ** 0.5
