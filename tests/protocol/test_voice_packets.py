"""Voice packets: what is written is read again, and nothing else is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.limits import VOICE_FRAME_BYTES, VOICE_PACKET_BYTES
from protocol.voice_packets import (
    FRAME_TICKS,
    VoiceFrame,
    VoicePacket,
    VoiceReport,
    is_report,
    read_packet,
    read_report,
    ssrc_of,
    write_packet,
    write_report,
)

word = st.integers(0, 2**32 - 1)
payloads = st.binary(min_size=1, max_size=VOICE_FRAME_BYTES)


@given(word, st.integers(0, 2**16 - 1), word, st.lists(payloads, min_size=1, max_size=3), st.randoms())
def test_a_packet_is_read_as_it_was_written(ssrc: int, number: int, time: int, sounds: list[bytes], chance) -> None:  # type: ignore[no-untyped-def]
    back = sorted(chance.sample(range(1, 5), len(sounds) - 1), reverse=True)
    copies = tuple(
        VoiceFrame(time - far * FRAME_TICKS & 0xFFFF_FFFF, sound) for far, sound in zip(back, sounds[1:], strict=True)
    )
    packet = VoicePacket(ssrc, number, VoiceFrame(time, sounds[0]), copies)
    data = write_packet(packet)
    assert read_packet(data) == packet
    assert ssrc_of(data) == ssrc
    assert not is_report(data)


def test_the_bytes_are_those_of_the_specification() -> None:
    plain = VoicePacket(0x01020304, 0x0506, VoiceFrame(0x07080900, b"abc"))
    assert write_packet(plain).hex() == "806005060708090001020304616263"
    doubled = VoicePacket(0x01020304, 0x0506, VoiceFrame(0x07080900, b"abc"), (VoiceFrame(0x07080540, b"xy"),))
    assert write_packet(doubled).hex() == "8061050607080900" + "01020304" + "e00f0002" + "60" + "7879" + "616263"
    report = VoiceReport(0x01020304, 0x10005, 0.5, 0.25, 1.5, 20, 35, sent=1000, echo=2000, held=30)
    assert write_report(report).hex() == (
        "80cc000801020304" + "4841494c" + "00010005" + "80004000" + "01800014" + "0023001e" + "000003e8" + "000007d0"
    )


@given(word, st.floats(0, 1), st.floats(0, 255), st.floats(0, 60_000), word, word, st.integers(0, 0xFFFF))
def test_a_report_is_read_as_it_was_written(
    ssrc: int, share: float, burst: float, wait: float, sent: int, echo: int, held: int
) -> None:
    report = VoiceReport(ssrc, 77, share, share / 2, burst, wait, wait, sent=sent, echo=echo, held=held)
    data = write_report(report)
    back = read_report(data)
    told = replace(report, by_udp=True)
    assert read_report(write_report(told)).by_udp is not back.by_udp
    assert ssrc_of(write_report(told)) == ssrc
    assert (back.ssrc, back.sent, back.echo, back.held) == (ssrc, sent, echo, held)
    assert back.lost == pytest.approx(share, abs=1e-4)
    assert back.burst == pytest.approx(burst, abs=0.01)
    assert back.jitter == pytest.approx(wait, abs=0.5)
    assert ssrc_of(data) == ssrc
    assert is_report(data)


def test_the_round_trip_is_told_by_ones_own_clock_alone_even_where_it_runs_over() -> None:
    report = VoiceReport(1, 1, 0, 0, 0, 0, 0, sent=5, echo=2**32 - 100, held=30)
    assert report.round_trip(2**32 - 20) == 50
    assert report.round_trip(20) == 90
    assert report.round_trip(2**32 - 90) == 0, "held is rounded"
    assert VoiceReport(1, 1, 0, 0, 0, 0, 0, sent=5, echo=0, held=0).round_trip(7) is None


@given(st.binary(max_size=VOICE_PACKET_BYTES + 10))
def test_anything_is_read_or_refused(data: bytes) -> None:
    for read in (read_packet, read_report):
        try:
            read(data)
        except RemoteProtocolError:
            continue
    ssrc_of(data)


@given(st.binary(min_size=1, max_size=200), st.integers(0, 3))
def test_anything_behind_a_good_header_is_read_or_refused(rest: bytes, copies: int) -> None:
    header = bytes.fromhex("8061050607080900") + bytes.fromhex("01020304") + b"\xe0\x0f\x00\x02" * copies
    try:
        packet = read_packet(header + rest)
    except RemoteProtocolError:
        return
    assert all(0 < len(frame.payload) <= VOICE_FRAME_BYTES for frame in (packet.frame, *packet.copies))


@pytest.mark.parametrize(
    "data",
    [
        "806005060708090001020304",
        "406005060708090001020304616263",
        "906005060708090001020304616263",
        "80e005060708090001020304616263",
        "80610506070809000102030460",
        "8061050607080900010203046",
        "806105060708090001020304e00f00ff60" + "61" * 20,
        "806105060708090001020304e000000260" + "61" * 20,
        "806105060708090001020304e00f0402" + "61" * 20,
        "806105060708090001020304" + "e00f0002" * 5 + "60" + "61" * 20,
    ],
)
def test_what_is_not_written_is_not_read(data: str) -> None:
    with pytest.raises(RemoteProtocolError):
        read_packet(bytes.fromhex(data + "0" * (len(data) % 2)))


def test_a_frame_that_is_too_large_is_our_own_fault() -> None:
    for size in (0, VOICE_FRAME_BYTES + 1):
        with pytest.raises(LocalProtocolError):
            write_packet(VoicePacket(1, 1, VoiceFrame(1, bytes(size))))
