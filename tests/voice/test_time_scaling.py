"""Speech made shorter and longer: by whole periods, without a click, and silence by anything."""

import numpy as np
import pytest

from peer.audio.opus_codec import RATE
from peer.voice.time_scaling import lengthen, shorten
from tests.voice.voices import voice


def tone(pitch: float, samples: int = 960) -> np.ndarray:
    return (8_000 * np.sin(2 * np.pi * pitch * np.arange(samples) / RATE)).astype(np.int16)


@pytest.mark.parametrize("pitch", [110.0, 150.0, 230.0, 380.0])
def test_whole_periods_are_taken_and_given(pitch: float) -> None:
    period = RATE / pitch
    for change in (shorten, lengthen):
        sound = tone(pitch)
        scaled = change(sound)
        periods = abs(len(scaled) - len(sound)) / period
        assert periods == pytest.approx(round(periods), abs=0.1)
        assert round(periods) >= 1
        assert np.abs(np.diff(scaled.astype(int))).max() <= 1.3 * np.abs(np.diff(sound.astype(int))).max(), "a click"


def test_both_ends_stay_as_they_are_so_that_it_fits_to_what_is_around() -> None:
    sound = voice(1, seed=4)[9_600:10_560]
    for change in (shorten, lengthen):
        scaled = change(sound, alike=-1)
        assert len(scaled) != len(sound)
        assert abs(int(scaled[0]) - int(sound[0])) <= 100
        assert scaled[-1] == sound[-1]


def test_silence_is_scaled_anywhere() -> None:
    assert len(shorten(np.zeros(960, np.int16))) < 960 < len(lengthen(np.zeros(960, np.int16)))


def test_noise_has_no_period_and_is_left_alone() -> None:
    noise = np.random.default_rng(1).normal(0, 3_000, 960).astype(np.int16)
    assert shorten(noise) is noise
    assert lengthen(noise) is noise


def test_what_is_too_short_is_left_alone() -> None:
    sound = tone(200, 200)
    assert shorten(sound) is sound
