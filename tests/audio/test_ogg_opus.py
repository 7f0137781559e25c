"""Ogg Opus files: ours are read elsewhere, those of others here, and hostile ones do no harm."""

import array
import contextlib
import io
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peer.audio.ogg_opus import BadAudioError, OggOpusWriter, _checksum, read_ogg_opus
from peer.audio.opus_codec import FRAME, RATE, Encoder, samples_of_packet
from peer.audio.playing import Sound
from peer.limits import VOICE_FILE_BYTES, VOICE_PACKETS
from tests.harness.speaking import find, sweep, tone

WORDS = sweep(0.5)


def _written(packets: list[bytes], samples: int, pre_skip: int = 312) -> bytes:
    file = io.BytesIO()
    writer = OggOpusWriter(file, 7, pre_skip)
    for packet in packets:
        writer.write(packet)
    writer.finish(samples)
    return file.getvalue()


def _encoded(sound: "array.array[int]") -> bytes:
    encoder = Encoder(24_000, variable=True)
    padded = sound.tobytes() + bytes(2 * encoder.delay)
    padded += bytes(-len(padded) % (2 * FRAME))
    frames = [padded[at : at + 2 * FRAME] for at in range(0, len(padded), 2 * FRAME)]
    return _written([encoder.encode(frame) for frame in frames], len(sound), encoder.delay)


def _decoded(content: bytes) -> "array.array[int]":
    sound = Sound(read_ogg_opus(content))
    return sound.read(0, sound.samples)


FILE = _encoded(WORDS)
PACKETS = st.lists(st.binary(min_size=2, max_size=600).map(lambda rest: b"\x08" + rest), min_size=1, max_size=200)


def test_what_was_written_is_heard_again_at_the_same_place() -> None:
    decoded = _decoded(FILE)
    assert len(decoded) == len(WORDS)
    at, likeness = find(WORDS, decoded + array.array("h", bytes(RATE // 10)))
    assert at == pytest.approx(0, abs=0.001)
    assert likeness > 0.9


@given(PACKETS, st.integers(1, 10**6))
def test_every_packet_comes_back(packets: list[bytes], samples: int) -> None:
    there = sum(map(samples_of_packet, packets))
    audio = read_ogg_opus(_written(packets, samples))
    assert audio.packets == packets
    before_last_page = sum(map(samples_of_packet, packets[: (len(packets) - 1) // 50 * 50]))
    assert max(before_last_page, 312 + audio.samples) >= min(there, 312 + samples)


def test_another_program_decodes_ours(tmp_path: Path) -> None:
    (tmp_path / "ours.opus").write_bytes(FILE)
    words = ["opusdec", "--quiet", "--rate", str(RATE), str(tmp_path / "ours.opus"), str(tmp_path / "ours.wav")]
    subprocess.run(words, check=True)
    heard = array.array("h", (tmp_path / "ours.wav").read_bytes()[44:])
    assert len(heard) == len(WORDS)
    assert find(WORDS, heard + array.array("h", bytes(RATE // 10)))[1] > 0.9


@pytest.mark.parametrize("options", [[], ["--framesize", "60"], ["--framesize", "2.5"], ["--max-delay", "0"]])
@pytest.mark.parametrize("channels", [1, 2])
def test_files_of_opusenc_are_read(tmp_path: Path, options: list[str], channels: int) -> None:
    raw = array.array("h", (sample for sample in WORDS for _ in range(channels)))
    (tmp_path / "theirs.raw").write_bytes(raw.tobytes())
    words = ["opusenc", "--quiet", "--raw", "--raw-chan", str(channels), *options]
    subprocess.run([*words, str(tmp_path / "theirs.raw"), str(tmp_path / "theirs.opus")], check=True)
    decoded = _decoded((tmp_path / "theirs.opus").read_bytes())
    assert len(decoded) == len(WORDS)
    assert find(WORDS, decoded + array.array("h", bytes(RATE // 10)))[1] > 0.9


def test_seeking_gives_the_same_sound() -> None:
    whole = _decoded(FILE)
    sound = Sound(read_ogg_opus(FILE))
    for at in (20_000, 3_000, 12_345, 0, 23_000):
        piece = sound.read(at, at + 960)
        assert piece == whole[at : at + 960] or find(piece, whole)[1] > 0.9
    assert sound.read(-100, 100)[:100] == array.array("h", bytes(200))
    assert sound.read(len(whole), len(whole) + 10) == array.array("h", bytes(20))


@given(st.integers(0, len(FILE)))
def test_a_file_cut_anywhere_is_heard_up_to_there(cut: int) -> None:
    whole = read_ogg_opus(FILE).packets
    try:
        assert read_ogg_opus(FILE[:cut]).packets == whole[: len(read_ogg_opus(FILE[:cut]).packets)]
    except BadAudioError:
        assert cut < len(FILE)


def test_a_recording_that_broke_off_loses_a_second_at_most() -> None:
    long = _encoded(tone(440, 4.5))
    audio = read_ogg_opus(long[: len(long) - 40])
    assert 3.5 < audio.seconds < 4.5


@given(st.binary(max_size=400))
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(BadAudioError):
        read_ogg_opus(garbage)


@settings(deadline=None)
@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_a_changed_byte_does_no_harm(place: int, change: int) -> None:
    content = bytearray(FILE)
    content[place] ^= change
    with contextlib.suppress(BadAudioError):
        _decoded(bytes(content))


PAGES = st.tuples(
    st.integers(0, 7),
    st.one_of(st.integers(0, 5_000), st.integers(0, 2**64 - 1)),
    st.sampled_from([7, 7, 7, 8]),
    st.lists(st.sampled_from([0, 1, 2, 19, 254, 255, 255]), max_size=20),
    st.binary(max_size=20),
)


@settings(deadline=None)
@given(st.lists(PAGES, max_size=12), st.integers(0, 2**16 - 1), st.integers(-(2**15), 2**15 - 1))
def test_pages_that_fit_nowhere_do_no_harm(
    pages: list[tuple[int, int, int, list[int], bytes]], pre_skip: int, gain: int
) -> None:
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 2, pre_skip, RATE, gain, 0)
    content = _page(2, 0, 7, [len(head)], head) + _page(0, 0, 7, [8], b"OpusTags")
    content += b"".join(_page(*page) for page in pages)
    with contextlib.suppress(BadAudioError):
        audio = read_ogg_opus(content)
        assert 0 < audio.samples <= sum(map(samples_of_packet, audio.packets))
        sound = Sound(audio)
        assert len(sound.read(-5, sound.samples + 5)) == sound.samples + 10


def _page(flags: int, granule: int, serial: int, lacing: list[int], body: bytes) -> bytes:
    """Return a page whose checksum is right, whatever else is."""
    header = struct.pack("<4sBBQIIIB", b"OggS", 0, flags, granule, serial, 0, 0, len(lacing)) + bytes(lacing)
    page = bytearray(header + (body * (sum(lacing) + 1))[: sum(lacing)].ljust(sum(lacing), b"\x08"))
    page[22:26] = struct.pack("<I", _checksum(page))
    return bytes(page)


@settings(deadline=None)
@given(PACKETS)
def test_damaged_packets_are_silence(packets: list[bytes]) -> None:
    audio = read_ogg_opus(_written(packets, 10**9, pre_skip=0))
    assert len(Sound(audio).read(0, audio.samples)) == sum(map(samples_of_packet, packets))


def test_what_would_take_hours_is_refused() -> None:
    with pytest.raises(BadAudioError, match="longer"):
        read_ogg_opus(_written([b"\x08\x00"] * (VOICE_PACKETS + 1), 1))
    with pytest.raises(BadAudioError, match="longer"):
        read_ogg_opus(bytes(VOICE_FILE_BYTES + 1))


def test_a_file_without_sound_is_refused() -> None:
    with pytest.raises(BadAudioError, match="nothing in it"):
        read_ogg_opus(_written([b"\x08\x00"], 0))
