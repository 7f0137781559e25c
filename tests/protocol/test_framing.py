"""A stream gives the same frames however the network cuts it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.framing import Frame, FrameReader, encode_frame

FRAMES = st.lists(st.builds(Frame, st.integers(1, 0xFFFF), st.binary(max_size=50)), max_size=8)


def test_a_frame_is_its_length_its_kind_and_its_body() -> None:
    assert encode_frame(0x0107, b"abc") == b"\x00\x00\x00\x03\x01\x07abc"


@pytest.mark.parametrize("kind", [0, -1, 0x10000])
def test_a_kind_that_does_not_fit_is_our_own_mistake(kind: int) -> None:
    with pytest.raises(LocalProtocolError):
        encode_frame(kind, b"")


def test_an_empty_body_is_a_whole_frame() -> None:
    assert FrameReader(10).receive(encode_frame(5, b"")) == [Frame(5, b"")]


def test_half_a_frame_waits_for_its_other_half() -> None:
    reader = FrameReader(10)
    whole = encode_frame(5, b"hello")
    assert reader.receive(whole[:8]) == []
    assert reader.waiting == 8
    assert reader.receive(whole[8:]) == [Frame(5, b"hello")]
    assert reader.waiting == 0


def test_the_longest_frame_allowed_is_taken() -> None:
    assert FrameReader(5).receive(encode_frame(5, b"hello")) == [Frame(5, b"hello")]


def test_a_frame_too_long_is_refused_before_its_body_came() -> None:
    with pytest.raises(RemoteProtocolError):
        FrameReader(4).receive(encode_frame(5, b"hello")[:6])


def test_frames_before_one_that_is_too_long_are_still_given() -> None:
    reader = FrameReader(4)
    reader.add(encode_frame(1, b"ok") + encode_frame(2, b"too long"))
    assert reader.next_frame() == Frame(1, b"ok")
    with pytest.raises(RemoteProtocolError):
        reader.next_frame()


def test_the_limit_may_grow_between_two_frames_that_came_together() -> None:
    reader = FrameReader(4)
    reader.add(encode_frame(1, b"hi") + encode_frame(2, b"longer"))
    reader.next_frame()
    reader.largest = 6
    assert reader.next_frame() == Frame(2, b"longer")


@given(FRAMES, st.lists(st.integers(0, 400), max_size=30))
def test_any_cut_of_the_stream_gives_the_same_frames(frames: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(encode_frame(frame.kind, frame.body) for frame in frames)
    reader, got, start = FrameReader(50), [], 0
    for end in [*sorted(cuts), len(stream)]:
        got += reader.receive(stream[start:end])
        start = max(start, end)
    assert got == frames
    assert reader.waiting == 0


@given(FRAMES)
def test_a_stream_that_comes_byte_by_byte_gives_the_same_frames(frames: list[Frame]) -> None:
    stream = b"".join(encode_frame(frame.kind, frame.body) for frame in frames)
    reader = FrameReader(50)
    assert [frame for byte in stream for frame in reader.receive(bytes([byte]))] == frames


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_garbage_gives_frames_or_a_protocol_error_and_never_keeps_more_than_a_frame(chunks: list[bytes]) -> None:
    reader = FrameReader(100)
    try:
        for chunk in chunks:
            reader.receive(chunk)
            assert reader.waiting < 6 + 100
    except RemoteProtocolError:
        pass
