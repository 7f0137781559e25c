import random

import pytest

from ui.conversation.anchored_rows import AnchoredRows
from ui.conversation.row_heights import BLOCK_ROWS, GUESS, RowHeights

ROOM = 500


class Rows:
    """Rows of known heights, and a list of which were measured."""

    def __init__(self, count: int) -> None:
        self.heights = [40 + (row * 37) % 90 for row in range(count)]
        self.measured: list[int] = []
        self.anchored = AnchoredRows(self._measure, count)
        self.anchored.settle(ROOM)

    def _measure(self, row: int) -> int:
        self.measured.append(row)
        return self.heights[row]

    def insert(self, row: int, heights: list[int]) -> None:
        self.heights[row:row] = heights
        self.anchored.inserted(row, len(heights))
        self.anchored.settle(ROOM)

    def place_of(self, height: int, row: int) -> int:
        assert self.heights[row] == height
        return self.anchored.place_of(row)


def test_sums_agree_with_the_heights() -> None:
    chance = random.Random(5)
    heights, plain = RowHeights(1000), [GUESS] * 1000
    for _ in range(300):
        row, count = chance.randrange(len(plain)), chance.randrange(1, 300)
        match chance.randrange(4):
            case 0:
                heights.insert(row, count)
                plain[row:row] = [GUESS] * count
            case 1:
                heights.insert(len(plain), count)
                plain.extend([GUESS] * count)
            case 2 if len(plain) > count + row:
                heights.remove(row, count)
                del plain[row : row + count]
            case _:
                heights.measured(row, count)
                plain[row] = count
    assert heights.total == sum(plain)
    assert [heights.top_of(row) for row in (0, 1, 777, len(plain) - 1)] == [
        sum(plain[:row]) for row in (0, 1, 777, len(plain) - 1)
    ]
    row, below = heights.row_at(sum(plain[:777]) + plain[777] - 1)
    assert (row, below) == (777, plain[777] - 1)


def test_a_place_beyond_the_end_is_in_the_last_row() -> None:
    heights = RowHeights(BLOCK_ROWS + 1)
    assert heights.row_at(10**9)[0] == BLOCK_ROWS
    assert heights.row_at(-5) == (0, 0)
    assert RowHeights(0).row_at(10) == (0, 10)


def test_the_newest_row_is_in_sight_at_first_and_only_what_is_in_sight_is_measured() -> None:
    rows = Rows(100_000)
    assert rows.anchored.visible[-1] == 99_999
    assert rows.anchored.place_of(99_999) + rows.heights[-1] == ROOM
    assert len(rows.measured) < 20


def test_few_rows_stand_at_the_lower_edge() -> None:
    rows = Rows(2)
    assert rows.anchored.place_of(1) + rows.heights[1] == ROOM
    assert rows.anchored.follows


def test_new_rows_are_followed_at_the_end() -> None:
    rows = Rows(100)
    rows.insert(100, [70, 70])
    assert rows.anchored.visible[-1] == 101
    assert rows.anchored.follows


@pytest.mark.parametrize("at", [0, 50, 100], ids=["above", "between", "below"])
def test_nothing_moves_when_rows_come_while_somebody_reads(at: int) -> None:
    rows = Rows(100)
    rows.anchored.scroll(-1500)
    rows.anchored.settle(ROOM)
    top = rows.anchored.top
    height, before = rows.heights[top], rows.anchored.place_of(top)
    rows.insert(at, [200, 33, 90])
    after = top + 3 if at <= top else top
    assert rows.place_of(height, after) == before
    assert not rows.anchored.follows


def test_a_row_that_grows_keeps_its_lower_edge() -> None:
    rows = Rows(100)
    rows.anchored.scroll(-1500)
    rows.anchored.settle(ROOM)
    top = rows.anchored.top
    below = rows.anchored.place_of(top + 1)
    rows.heights[top] += 44
    rows.anchored.changed(top)
    rows.anchored.settle(ROOM)
    assert rows.anchored.place_of(top + 1) == below


def test_scrolling_back_and_forth_returns_to_the_same_place() -> None:
    rows = Rows(1000)
    rows.anchored.scroll(-3000)
    rows.anchored.settle(ROOM)
    before = (rows.anchored.top, rows.anchored.hidden)
    for pixels in (-777, -13, 400, 390):
        rows.anchored.scroll(pixels)
        rows.anchored.settle(ROOM)
    assert (rows.anchored.top, rows.anchored.hidden) == before


def test_scrolling_stops_at_both_ends() -> None:
    rows = Rows(50)
    rows.anchored.scroll(-(10**6))
    rows.anchored.settle(ROOM)
    assert (rows.anchored.top, rows.anchored.hidden) == (0, 0)
    rows.anchored.scroll(10**6)
    rows.anchored.settle(ROOM)
    assert rows.anchored.follows
    assert rows.anchored.visible[-1] == 49


def test_removed_rows_leave_the_rest_in_order() -> None:
    rows = Rows(100)
    rows.anchored.scroll(-1500)
    rows.anchored.settle(ROOM)
    top = rows.anchored.top
    del rows.heights[:10]
    rows.anchored.removed(0, 10)
    rows.anchored.settle(ROOM)
    assert rows.anchored.top == top - 10
    rows.heights.clear()
    rows.anchored.removed(0, 90)
    rows.anchored.settle(ROOM)
    assert list(rows.anchored.visible) == []
