"""The jitter buffer on a clock handed in: what it plays, what it invents, and how long it lets one wait."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.voice.delays import LONGEST_MS, SHORTEST_MS, Delays
from peer.voice.jitter_buffer import PULL, JitterBuffer
from protocol.voice_packets import FRAME_TICKS

TELLS_OF_THE_ONE_BEFORE = 0x40


class Counting:
    """A decoder whose frames are their number, so that what was played can be read off; invented sound is -1."""

    def __init__(self) -> None:
        self.recovered: list[int] = []

    def decode(self, packet: bytes) -> bytes:
        return np.full(FRAME_TICKS, packet[2] << 8 | packet[3], np.int16).tobytes()

    def recover(self, packet: bytes) -> bytes:
        self.recovered.append((packet[2] << 8 | packet[3]) - 1)
        return np.full(FRAME_TICKS, self.recovered[-1], np.int16).tobytes()

    def conceal(self, samples: int) -> bytes:
        return np.full(samples, -1, np.int16).tobytes()


def frame(number: int, *, tells: bool = False) -> bytes:
    return bytes([0x48, TELLS_OF_THE_ONE_BEFORE if tells else 0, number >> 8, number & 0xFF])


def play(
    arrivals: list[tuple[float, int]], seconds: float, *, first: int = 0, tells: bool = False
) -> tuple[list[int], JitterBuffer, Counting]:
    """Let frames arrive at times (ms), and return what each 10 ms begin with."""
    decoder = Counting()
    buffer = JitterBuffer(decoder)
    waiting, heard, now = sorted(arrivals), [], 0.0
    while now < 1000 * seconds:
        while waiting and waiting[0][0] <= now:
            arrival, number = waiting.pop(0)
            buffer.put((first + number * FRAME_TICKS) % 2**32, frame(number, tells=tells), arrival)
        heard.append(int(buffer.pull(now)[0]))
        now += 10
    return heard, buffer, decoder


def in_time(count: int, *, without: set[int] = frozenset()) -> list[tuple[float, int]]:
    return [(20.0 * number, number) for number in range(1, count) if number not in without]


def numbers(heard: list[int]) -> list[int]:
    return list(dict.fromkeys(number for number in heard if number > 0))


def test_a_good_stream_is_played_whole_and_soon() -> None:
    heard, buffer, _ = play(in_time(300), 6)
    assert numbers(heard) == list(range(1, 300))
    assert buffer.played.lost == buffer.played.waited == 0
    assert heard.index(1) <= 4
    assert buffer.target == SHORTEST_MS


def test_the_time_of_packets_may_begin_anywhere_and_run_over() -> None:
    heard, *_ = play(in_time(300), 6, first=2**32 - 100 * FRAME_TICKS)
    assert numbers(heard) == list(range(1, 300))


def test_packets_that_overtake_each_other_are_put_in_order() -> None:
    chance = random.Random(3)
    heard, buffer, _ = play([(at + chance.uniform(0, 60), number) for at, number in in_time(900)], 18)
    missing = set(range(1, 900)) - set(numbers(heard))
    assert numbers(heard) == sorted(numbers(heard))
    assert len(missing) <= 9, "one in a hundred, while it learns"
    assert 50 <= buffer.target <= 80


def test_a_lost_frame_is_invented_and_time_goes_on() -> None:
    heard, buffer, _ = play(in_time(300, without={100, 150, 151}), 5.8)
    assert numbers(heard)[:280] == [number for number in range(1, 284) if number not in {100, 150, 151}]
    assert heard.count(-1) <= 2 * 3 + 2, "two pieces a lost frame, and one while it might still come"
    assert buffer.played.lost == 3
    assert buffer.delay(5_790.0) <= 35, "a lost frame delays nobody for long"


def test_a_lost_frame_of_which_the_next_tells_is_made_from_that() -> None:
    heard, _, decoder = play(in_time(200, without={100}), 4, tells=True)
    assert decoder.recovered in ([100], [])
    late = [(at + (40 if number > 20 else 0), number) for at, number in in_time(200, without={100})]
    heard, _, decoder = play(late, 4, tells=True)
    assert decoder.recovered == [100] or 100 not in heard


def test_copies_bring_back_what_was_lost_and_make_the_wait_as_long_as_that_takes() -> None:
    decoder, chance = Counting(), random.Random(5)
    buffer, heard = JitterBuffer(decoder), []
    for step in range(3_000):
        now = 10.0 * step
        if step % 2 == 0:
            number = step // 2 + 1
            if chance.random() >= 0.1:
                buffer.put((number - 1) * FRAME_TICKS, frame(number - 1), now, is_copy=True)
                buffer.put(number * FRAME_TICKS, frame(number), now)
        heard.append(int(buffer.pull(now)[0]))
    missing = [number for number in range(300, 1_490) if number not in set(heard)]
    assert len(missing) <= 25, "two in a row, which one copy cannot repair, are one in a hundred"
    assert 20 < buffer.target <= 30


def test_when_the_network_gets_slower_the_wait_grows_within_half_a_second_and_shrinks_within_five() -> None:
    chance = random.Random(1)

    def jitter(number: int) -> float:
        return chance.uniform(0, 100) if 400 <= number < 800 else 0.0

    decoder, targets = Counting(), {}
    buffer = JitterBuffer(decoder)
    waiting = sorted((20.0 * number + jitter(number), number) for number in range(1, 1_400))
    for step in range(2_800):
        now = 10.0 * step
        while waiting and waiting[0][0] <= now:
            at, number = waiting.pop(0)
            buffer.put(number * FRAME_TICKS, frame(number), at)
        buffer.pull(now)
        targets[now] = buffer.target
    begin, end = 8_000.0, 16_000.0
    assert min(now for now, target in targets.items() if now > begin and target >= 80) - begin <= 500
    assert min(now for now, target in targets.items() if now > end + 100 and target <= 30) - end <= 5_000


def test_a_path_that_becomes_longer_at_once_interrupts_for_no_longer_than_that() -> None:
    arrivals = [(at + (150 if number > 200 else 0), number) for at, number in in_time(600)]
    heard, buffer, _ = play(arrivals, 12)
    missing = set(range(1, 600)) - set(numbers(heard))
    assert len(missing) <= 20
    assert heard.count(-1) <= 60
    assert buffer.delay(11_990.0) >= 0


def test_after_a_pause_of_the_other_computer_it_goes_on() -> None:
    arrivals = [(at + (5_000 if number > 200 else 0), number) for at, number in in_time(400)]
    heard, *_ = play(arrivals, 14)
    assert set(range(260, 399)) <= set(heard)


def test_a_stream_that_begins_anew_is_followed() -> None:
    decoder = Counting()
    buffer = JitterBuffer(decoder)
    heard = []
    for step in range(800):
        number = step // 2 + 1
        begin = 0 if number < 200 else 3_000_000_000
        if step % 2 == 0:
            buffer.put(begin + number * FRAME_TICKS, frame(number), 10.0 * step)
        heard.append(int(buffer.pull(10.0 * step)[0]))
    assert set(range(205, 395)) <= set(heard)


def test_what_floods_it_is_bounded_and_the_newest_wins() -> None:
    decoder = Counting()
    buffer = JitterBuffer(decoder)
    for number in range(1, 90):
        buffer.put(number * FRAME_TICKS, frame(number), 0.0)
    heard = [int(buffer.pull(10.0 * step)[0]) for step in range(1, 300)]
    assert numbers(heard)[0] >= 39


def test_damaged_frames_are_invented() -> None:
    class Damaged(Counting):
        def decode(self, packet: bytes) -> bytes:
            return super().decode(packet)[:100] if packet[3] % 5 == 0 else super().decode(packet)

    buffer = JitterBuffer(Damaged())
    for number in range(1, 40):
        buffer.put(number * FRAME_TICKS, frame(number), 20.0 * number)
    heard = [buffer.pull(20.0 + 10 * step) for step in range(80)]
    assert all(len(sound) == PULL for sound in heard)
    assert buffer.played.lost == 7


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(0, 60_000), st.booleans()), max_size=60))
def test_whatever_comes_each_pull_is_ten_milliseconds(frames: list[tuple[int, float, bool]]) -> None:
    buffer, now = JitterBuffer(Counting()), 0.0
    for timestamp, at, is_copy in sorted(frames, key=lambda some: some[1]):
        now = max(now, at)
        buffer.put(timestamp, frame(1), now, is_copy=is_copy)
        assert len(buffer.pull(now)) == PULL


@pytest.mark.parametrize("moved", [-300.0, -50.0, 50.0, 300.0])
def test_what_was_learnt_of_delays_stays_true_when_the_quickest_is_another(moved: float) -> None:
    delays, chance = Delays(), random.Random(2)
    for number in range(2_000):
        transit = 1_000 + (moved if number >= 1_000 else 0) + chance.uniform(0, 40)
        delays.heard(transit, 20.0 * number)
        delays.needed(transit - delays.base, repaired=False)
    assert 35 <= delays.target <= 45 + (20 if moved > 0 else 0)
    assert delays.target <= LONGEST_MS
