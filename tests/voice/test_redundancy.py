"""What is sent twice, by what is reported lost: up at once, down after a while, and not back and forth."""

import random
from dataclasses import replace

import pytest

from peer.voice.reception import Reception
from peer.voice.redundancy import Redundancy, RedundancyChoice
from protocol.voice_packets import VoiceFrame, VoicePacket, VoiceReport

NOTHING_LOST = VoiceReport(1, 1, 0.0, 0.0, 0.0, 10.0, 20.0, 1, 1, 0)


def lost(share: float, burst: float = 1.0) -> VoiceReport:
    return replace(NOTHING_LOST, lost=share, burst=burst if share else 0.0)


@pytest.mark.parametrize(
    ("share", "burst", "wanted"),
    [
        (0.0, 0.0, Redundancy.NONE),
        (0.01, 1.0, Redundancy.IN_BAND),
        (0.04, 1.05, Redundancy.ONE_COPY),
        (0.12, 1.1, Redundancy.TWO_COPIES),
        (0.2, 1.25, Redundancy.TWO_COPIES),
        (0.1, 2.0, Redundancy.SPREAD_COPIES),
    ],
)
def test_each_loss_has_its_step(share: float, burst: float, wanted: Redundancy) -> None:
    choice = RedundancyChoice()
    for _ in range(20):
        choice.heard(lost(share, burst))
    assert choice.now is wanted


def test_a_sudden_loss_is_met_at_once_and_forgotten_slowly() -> None:
    choice = RedundancyChoice()
    choice.heard(NOTHING_LOST)
    choice.heard(lost(0.2))
    assert choice.now is Redundancy.TWO_COPIES
    steps = []
    for _ in range(40):
        choice.heard(NOTHING_LOST)
        steps.append(choice.now)
    assert steps[4] is Redundancy.TWO_COPIES
    assert steps[-1] is Redundancy.NONE


def test_chance_alone_does_not_make_it_go_back_and_forth() -> None:
    chance, choice, changes = random.Random(1), RedundancyChoice(), 0
    for _ in range(300):
        before = choice.now
        choice.heard(lost(sum(chance.random() < 0.05 for _ in range(50)) / 50))
        changes += choice.now is not before
    assert changes <= 12


def test_no_step_sends_more_than_is_promised() -> None:
    for step in Redundancy:
        assert step.value.bitrate * (1 + len(step.value.copies)) <= 100_000


def packets(numbers: list[int]) -> list[VoicePacket]:
    return [VoicePacket(1, number % 2**16, VoiceFrame(0, b"x")) for number in numbers]


def test_losses_are_counted_across_the_end_of_the_numbers() -> None:
    reception, first = Reception(), 2**16 - 50
    missing = {10, 11, 12, 60, 70, 71}
    for packet in packets([first + number for number in range(120) if number not in missing]):
        reception.heard(packet)
    share, burst = reception.losses()
    assert share == pytest.approx(6 / 109, abs=0.01)
    assert burst == pytest.approx(2.0)
    assert reception.losses() == (0.0, 0.0)


def test_packets_that_come_late_or_twice_are_not_lost() -> None:
    reception, numbers = Reception(), list(range(1, 101))
    for place in range(0, 98, 4):
        numbers[place], numbers[place + 2] = numbers[place + 2], numbers[place]
    for packet in packets([number for number in numbers for _ in range(2)]):
        reception.heard(packet)
    assert reception.losses()[0] == 0.0


def test_a_jump_of_the_numbers_is_a_new_beginning_and_no_loss() -> None:
    reception = Reception()
    for packet in packets([*range(1, 50), *range(20_000, 20_050)]):
        reception.heard(packet)
    assert reception.losses()[0] == 0.0
