"""Speed without pitch, loudness as bytes, and the codec's own limits."""

import array
from collections.abc import Iterator

import pytest

from peer.audio import opus_codec
from peer.audio.loudness import Loudness
from peer.audio.opus_codec import Decoder, Encoder, OpusError, library, samples_of_packet
from peer.audio.time_stretch import HOP, TimeStretch
from peer.errors import Refusal, RefusalCode
from tests.harness.speaking import RATE, strength, tone


def _stretched(sound: "array.array[int]", speed: float) -> "array.array[int]":
    padded = array.array("h", bytes(2 * RATE)) + sound + array.array("h", bytes(2 * RATE))
    stretch = TimeStretch(lambda start, stop: padded[RATE + start : RATE + stop], 0, len(sound), speed)
    heard = array.array("h")
    while (piece := stretch.next()) is not None:
        assert len(piece) == HOP
        heard.extend(piece)
    return heard


@pytest.mark.parametrize("frequency", [110, 440, 997])
@pytest.mark.parametrize("speed", [1.0, 1.25, 1.5, 2.0])
def test_a_tone_keeps_its_pitch_and_gets_shorter(frequency: float, speed: float) -> None:
    heard = _stretched(tone(frequency, 1.0), speed)
    assert len(heard) == pytest.approx(RATE / speed, abs=HOP)
    assert strength(heard[:9600], frequency) > 0.9
    assert strength(heard[:9600], frequency * speed) < 0.05 or speed == 1


def test_at_its_own_speed_a_sound_is_not_changed() -> None:
    sound = tone(300, 0.1)
    assert _stretched(sound, 1.0) == sound


def test_loudness_goes_from_a_quiet_room_to_full_scale() -> None:
    loudness = Loudness()
    assert (loudness.level(3), loudness.waveform(128)) == (0, b"")
    for amplitude in (0, 30, 3_000, 32_767):
        loudness.take([amplitude, -amplitude] * 240)
        assert loudness.level(1) == loudness.waveform(128)[-1]
    bars = loudness.waveform(128)
    assert (bars[0], bars[1], bars[3]) == (0, 0, 255)
    assert bars[2] == pytest.approx(255 * (50 - 20.8) / 50, abs=2)
    assert len(loudness.waveform(2)) == 2


def test_packets_tell_their_length() -> None:
    assert samples_of_packet(Encoder(24_000, variable=True).encode(bytes(1920))) == 960
    assert samples_of_packet(b"\x03") == samples_of_packet(b"\x03\x00") == 0
    assert samples_of_packet(b"\x1b\x03") == 0  # 180 ms


def test_constant_bitrate_gives_packets_of_one_size() -> None:
    encoder = Encoder(32_000, variable=False)
    sizes = {len(encoder.encode(tone(200 * (n + 1), 0.02).tobytes())) for n in range(8)}
    assert sizes == {80}


def test_a_damaged_packet_is_told_in_words() -> None:
    with pytest.raises(OpusError, match="corrupted"):
        Decoder().decode(b"\x03")


@pytest.fixture
def other_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    library.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    library.cache_clear()


def test_the_library_of_the_system_serves_as_well(other_library: pytest.MonkeyPatch) -> None:
    other_library.setattr(opus_codec.importlib.util, "find_spec", lambda _: None)
    assert "libopus" in library()._name
    assert "opuslib_next" not in library()._name
    packet = Encoder(24_000, variable=True).encode(tone(440, 0.02).tobytes())
    assert len(Decoder().decode(packet)) == 1920


def test_without_any_library_that_is_said(other_library: pytest.MonkeyPatch) -> None:
    other_library.setattr(opus_codec, "_candidates", lambda: iter(["no-such-library"]))
    with pytest.raises(Refusal, match="Opus library is missing") as refused:
        Encoder(24_000, variable=True)
    assert refused.value.code is RefusalCode.AUDIO_FAILED
