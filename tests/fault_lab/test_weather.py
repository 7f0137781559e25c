"""The fates of packets, counted without a network."""

import random

import pytest

from tests.fault_lab.weather import CUT, QUEUE_BYTES, Path, Weather


def sent(weather: Weather, count: int = 10_000, seed: int = 1, apart: float = 0.02) -> list[float | None]:
    path = Path(random.Random(seed))
    path.weather = weather
    return [path.due(100, number * apart) for number in range(count)]


def bursts(due: list[float | None]) -> list[int]:
    lengths, length = [], 0
    for each in due:
        if each is None:
            length += 1
        elif length:
            lengths.append(length)
            length = 0
    return lengths


def test_the_same_seed_loses_the_same_packets() -> None:
    weather = Weather(loss=0.1, burst_begins=0.01, burst_ends=0.3, jitter=0.03)
    assert sent(weather) == sent(weather)
    assert sent(weather) != sent(weather, seed=2)


def test_so_many_are_lost_as_was_said() -> None:
    assert sum(due is None for due in sent(Weather(loss=0.05))) in range(420, 580)
    assert all(due is None for due in sent(CUT))
    assert None not in sent(Weather())


def test_bursts_are_as_long_as_was_said() -> None:
    lengths = bursts(sent(Weather(burst_begins=0.02, burst_ends=0.25)))
    assert 3.3 < sum(lengths) / len(lengths) < 4.7, "four on average"
    assert max(lengths) > 8
    assert max(bursts(sent(Weather(loss=0.07)))) < 8, "as many lost, each for itself"


def test_packets_keep_their_order_whatever_the_jitter() -> None:
    due = [each for each in sent(Weather(delay=0.05, jitter=0.1)) if each is not None]
    assert due == sorted(due)
    assert min(each - number * 0.02 for number, each in enumerate(due)) >= 0.05


def test_a_throttled_path_takes_its_time_and_drops_what_does_not_fit() -> None:
    weather = Weather(bytes_a_second=10_000)
    due = sent(weather, count=100, apart=0)
    assert due[-1] == pytest.approx(1.0), "100 packets of 100 bytes"
    many = sent(weather, count=5_000, apart=0)
    kept = [each for each in many if each is not None]
    assert QUEUE_BYTES - 200 <= len(kept) * 100 <= QUEUE_BYTES + 200
