"""Which piece is asked of whom: everything comes, nothing is asked of who lacks it."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from peer import limits
from peer.transfers.schedule import Schedule
from protocol.piece_sets import PieceSet

PIECE = 256 * 1024


def some(size: int, pieces: set[int]) -> PieceSet:
    held = PieceSet(size)
    for piece in pieces:
        held.add(piece)
    return held


@given(st.integers(1, 60), st.integers(1, 5), st.data())
def test_whatever_sources_have_and_however_they_fail_everything_comes(
    count: int, sources: int, data: st.DataObject
) -> None:
    size = count * PIECE
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    schedule = Schedule(PieceSet(size), chance)
    holds = {number: {piece for piece in range(count) if chance.random() < 0.5} for number in range(sources)}
    holds[0] |= set(range(count)) - set().union(*holds.values())
    for number, pieces in holds.items():
        schedule.set_source(number, some(size, pieces))
    for _ in range(10_000):
        source = chance.randrange(sources)
        run = schedule.take(source, 0.0)
        assert set(run) <= holds[source]
        assert not set(run) & set(schedule.have)
        assert len(run) * PIECE <= limits.REQUEST_BYTES
        if chance.random() < 0.2:
            schedule.release(source)  # it hung up in the middle of its answer
            run = run[: len(run) // 2]
        for piece in run:
            schedule.came(piece)
        if schedule.have.is_complete:
            return
    raise AssertionError("it never ended")


def test_a_single_source_is_asked_from_the_beginning_on() -> None:
    schedule = Schedule(PieceSet(100 * PIECE), random.Random(1))
    schedule.set_source("ana", PieceSet.complete(100 * PIECE))
    assert schedule.take("ana", 0.0) == range(64)
    assert schedule.take("ana", 0.0) == range(64, 100)
    assert schedule.take("ana", 0.0) == range(0)


def test_the_rarest_piece_comes_first() -> None:
    size = 20 * PIECE
    schedule = Schedule(PieceSet(size), random.Random(1))
    schedule.set_source("ana", PieceSet.complete(size))
    schedule.set_source("bo", some(size, set(range(20)) - {7}))
    assert schedule.take("ana", 0.0)[0] == 7


def test_no_piece_is_asked_for_twice_before_the_end() -> None:
    size = 40 * PIECE
    schedule = Schedule(PieceSet(size), random.Random(1))
    for source in ("ana", "bo", "cy"):
        schedule.set_source(source, PieceSet.complete(size))
    asked = Counter(piece for source in ("ana", "bo", "cy") for piece in schedule.take(source, 0.0))
    assert max(asked.values()) == 1


def test_at_the_end_a_faster_source_steps_in_for_a_slow_one() -> None:
    size = 4 * PIECE
    schedule = Schedule(PieceSet(size), random.Random(1))
    schedule.set_source("slow", PieceSet.complete(size))
    assert set(schedule.take("slow", 0.0)) == {0, 1, 2, 3}
    schedule.set_source("fast", PieceSet.complete(size))
    assert not schedule.take("fast", 0.9 * limits.LATE_PIECE_SECONDS), "it is on its way"
    (piece,) = schedule.take("fast", limits.LATE_PIECE_SECONDS)
    assert schedule.came(piece)
    assert not schedule.came(piece), "the second copy is no news"


def slow_and_fast() -> Schedule:
    """Return a schedule whose last large pieces a slow source was asked for before a fast one was there."""
    size = 8 * 2**30
    held = PieceSet.complete(size)
    schedule = Schedule(some(size, {piece for piece in held if piece >= 12}), random.Random(1))
    schedule.set_source("slow", PieceSet.complete(size))
    while schedule.take("slow", 0.0):
        pass
    schedule.set_source("fast", PieceSet.complete(size))
    return schedule


def test_two_sources_never_write_one_large_piece_at_once() -> None:
    schedule = slow_and_fast()
    assert schedule.may_write("slow", 7)
    for _ in range(11):
        (piece,) = schedule.take("fast", limits.LATE_PIECE_SECONDS)
        assert schedule.may_write("fast", piece)
        assert not schedule.may_write("slow", piece)
        assert schedule.came(piece)
        assert not schedule.may_write("slow", piece), "it is here"
    assert not schedule.take("fast", limits.LATE_PIECE_SECONDS)
    assert schedule.can_step_in("fast", schedule.asked_of("slow"))
    schedule.release("slow")
    assert schedule.take("fast", limits.LATE_PIECE_SECONDS) == range(7, 8)


def test_a_large_piece_that_was_not_written_is_asked_for_again() -> None:
    schedule = slow_and_fast()
    (piece,) = schedule.take("fast", limits.LATE_PIECE_SECONDS)
    assert schedule.may_write("fast", piece)
    assert not schedule.may_write("slow", piece)
    schedule.release("fast")  # it hung up
    schedule.passed_by("slow", piece)
    assert schedule.take("fast", limits.LATE_PIECE_SECONDS) == range(piece, piece + 1)
    assert schedule.may_write("fast", piece)


def test_what_a_lost_source_was_asked_for_is_free_for_others() -> None:
    size = 4 * PIECE
    schedule = Schedule(PieceSet(size), random.Random(1))
    schedule.set_source("ana", PieceSet.complete(size))
    schedule.take("ana", 0.0)
    schedule.drop_source("ana")
    schedule.set_source("bo", PieceSet.complete(size))
    assert schedule.asked_of("ana") == {0, 1, 2, 3}, "what is on its way may still be written"
    schedule.release("ana")
    assert schedule.take("bo", 0.0) == range(4)


def test_twenty_receivers_take_far_less_than_twenty_copies_from_the_sender() -> None:
    """A class fetches one file: each in turn asks a random neighbour, as many at a time as there are connections."""
    count, receivers, chance = 160, 20, random.Random(7)
    size = count * PIECE
    sender = PieceSet.complete(size)
    held = [PieceSet(size) for _ in range(receivers)]
    schedules = [Schedule(have, random.Random(number)) for number, have in enumerate(held)]
    given_by_sender = 0
    while not all(have.is_complete for have in held):
        for number in chance.sample(range(receivers), receivers):
            neighbours = [n for n in range(receivers) if n != number and held[n].count]
            chosen = chance.sample(neighbours, min(3, len(neighbours)))
            for source in ("sender", *chosen):
                pieces = sender if source == "sender" else PieceSet(size, held[source].to_bytes())  # type: ignore[index]
                schedules[number].set_source(source, pieces)
            for source in (*chosen, "sender"):
                run = schedules[number].take(source, 0.0)
                given_by_sender += len(run) if source == "sender" else 0
                for piece in run:
                    schedules[number].came(piece)
            for source in ("sender", *chosen):
                schedules[number].drop_source(source)
    assert given_by_sender / (receivers * count) <= 0.5
