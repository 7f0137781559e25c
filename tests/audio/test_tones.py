"""The tones of the program: quiet, without clicks, repeated as long as a call may ring."""

import array
from collections.abc import Sequence
from itertools import pairwise

import pytest

from peer.audio.opus_codec import RATE
from peer.audio.tones import ToneSound, tone_sound
from peer.limits import RING_SECONDS
from peer.views import Tone
from tests.harness.speaking import strength


def seconds(sound: ToneSound, start: float, stop: float) -> "array.array[int]":
    return sound.read(round(start * RATE), round(stop * RATE))


def loudest(samples: Sequence[int]) -> int:
    return max(map(abs, samples), default=0)


def test_the_ring_is_quieter_than_a_voice_and_the_other_one_quieter_still() -> None:
    loud = {tone: loudest(seconds(tone_sound(tone), 0, 4)) for tone in Tone}
    assert loud[Tone.RING_BACK] < loud[Tone.RING] < loud[Tone.TEST] < 8_000
    assert loud[Tone.RING_BACK] > 1_000


@pytest.mark.parametrize(("tone", "every"), [(Tone.RING, 3.0), (Tone.RING_BACK, 4.0)])
def test_a_ring_is_repeated_with_a_pause_for_longer_than_it_rings(tone: Tone, every: float) -> None:
    sound = tone_sound(tone)
    assert sound.samples == RING_SECONDS * RATE > 45 * RATE
    assert seconds(sound, 0, every) == seconds(sound, every, 2 * every) == seconds(sound, 9 * every, 10 * every)
    assert loudest(seconds(sound, every - 0.8, every)) < 100, "there is a pause"


@pytest.mark.parametrize("tone", list(Tone))
def test_no_tone_clicks(tone: Tone) -> None:
    once = seconds(tone_sound(tone), 0, 4)
    steps = [abs(after - before) for before, after in pairwise(once)]
    assert max(steps) < loudest(once) / 2
    assert abs(once[0]) < 50


def test_a_tone_is_read_in_any_pieces_and_is_silent_around_itself() -> None:
    sound = tone_sound(Tone.RING)
    whole = sound.read(0, 4 * RATE)
    pieces: array.array[int] = array.array("h")
    for at in range(0, 4 * RATE, 7_001):
        pieces.extend(sound.read(at, min(at + 7_001, 4 * RATE)))
    assert pieces == whole
    assert sound.read(-5, 5) == array.array("h", bytes(10)) + whole[:5]
    end = sound.samples
    assert sound.read(end - 3, end + 2) == sound.read(end - 3, end) + array.array("h", bytes(4))
    assert len(sound.read(end + 10, end + 30)) == 20


def test_the_first_note_of_the_ring_is_an_e() -> None:
    note = seconds(tone_sound(Tone.RING), 0.02, 0.14)
    assert strength(note, 659.26) > 0.8
