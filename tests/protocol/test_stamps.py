"""A wrong clock moves nobody else's messages."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.limits import CLOCK_TOLERANCE_MS
from protocol.stamps import display_stamp, stamp_to_write

MS = st.integers(0, 2**45)
NOON = 1_700_000_000_000


def test_a_new_entry_is_stamped_by_the_wall_clock() -> None:
    assert stamp_to_write(NOON, NOON - 1_000) == NOON


def test_a_new_entry_stands_after_what_its_author_sees() -> None:
    assert stamp_to_write(NOON, NOON + 1_000) == NOON + 1_001


def test_a_clock_far_ahead_drags_a_new_entry_by_five_minutes_at_most() -> None:
    assert stamp_to_write(NOON, NOON + 10**9) == NOON + CLOCK_TOLERANCE_MS + 1


def test_an_entry_is_shown_by_its_stamp() -> None:
    assert display_stamp(NOON, NOON + 50, 0) == NOON


def test_an_entry_from_the_future_is_shown_when_it_came() -> None:
    assert display_stamp(NOON + 10**9, NOON, 0) == NOON


def test_a_clock_set_back_does_not_reorder_a_feed() -> None:
    assert display_stamp(NOON - 5_000, NOON, NOON) == NOON + 1


@given(MS, MS)
def test_a_written_stamp_is_never_behind_the_clock_nor_far_ahead_of_it(wall: int, last: int) -> None:
    stamp = stamp_to_write(wall, last)
    assert wall <= stamp <= wall + CLOCK_TOLERANCE_MS + 1
    assert stamp > min(last, wall + CLOCK_TOLERANCE_MS)


@given(st.lists(st.tuples(MS, MS)))
def test_within_a_feed_the_numbers_always_win(entries: list[tuple[int, int]]) -> None:
    shown = [0]
    for stamp, arrival in entries:
        shown.append(display_stamp(stamp, arrival, shown[-1]))
    assert shown == sorted(set(shown))
