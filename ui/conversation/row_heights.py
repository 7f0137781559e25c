"""How tall each row of the message list is: known once it was painted, guessed until then."""

from itertools import repeat

GUESS = 62
"""Pixels of a row nobody has looked at: about one line in a bubble, now and then with a date above."""
BLOCK_ROWS = 256
"""Rows whose heights are summed up together, so that a place in 100,000 rows is found in a few steps."""


class RowHeights:
    """Heights in pixels, with sums by block. Appending and measuring cost the same however many rows there are."""

    def __init__(self, rows: int = 0) -> None:
        self._heights: list[int] = [GUESS] * rows
        self._is_exact = bytearray(rows)
        self._sums: list[int] = []
        self._sum_up()

    def __len__(self) -> int:
        return len(self._heights)

    @property
    def total(self) -> int:
        """Height of all rows."""
        return sum(self._sums)

    def height(self, row: int) -> int:
        """Return what is known or guessed."""
        return self._heights[row]

    def is_exact(self, row: int) -> bool:
        """Tell whether the height was measured at the present width."""
        return bool(self._is_exact[row])

    def measured(self, row: int, height: int) -> None:
        """Keep the exact height of a row."""
        self._sums[row // BLOCK_ROWS] += height - self._heights[row]
        self._heights[row] = height
        self._is_exact[row] = 1

    def forget(self, row: int) -> None:
        """Take the height of a row for a guess: what is in it has changed."""
        self._is_exact[row] = 0

    def forget_all(self) -> None:
        """Take all heights for guesses: the width has changed."""
        self._is_exact = bytearray(len(self._heights))

    def insert(self, row: int, count: int) -> None:
        """Make room for new rows."""
        if row == len(self._heights):
            self._append(count)
            return
        self._heights[row:row] = repeat(GUESS, count)
        self._is_exact[row:row] = bytes(count)
        self._sum_up()

    def remove(self, row: int, count: int) -> None:
        """Drop rows."""
        del self._heights[row : row + count]
        del self._is_exact[row : row + count]
        self._sum_up()

    def top_of(self, row: int) -> int:
        """Return the height of all rows above one."""
        block = row // BLOCK_ROWS
        return sum(self._sums[:block]) + sum(self._heights[block * BLOCK_ROWS : row])

    def row_at(self, place: int) -> tuple[int, int]:
        """Return the row that covers a place, and how far below the row's top that place is."""
        left = max(place, 0)
        block = 0
        while block < len(self._sums) - 1 and left >= self._sums[block]:
            left -= self._sums[block]
            block += 1
        row = block * BLOCK_ROWS
        while row < len(self._heights) - 1 and left >= self._heights[row]:
            left -= self._heights[row]
            row += 1
        return row, left

    def _append(self, count: int) -> None:
        for _ in range(count):
            if len(self._heights) % BLOCK_ROWS == 0:
                self._sums.append(0)
            self._heights.append(GUESS)
            self._sums[-1] += GUESS
        self._is_exact.extend(bytes(count))

    def _sum_up(self) -> None:
        starts = range(0, len(self._heights), BLOCK_ROWS)
        self._sums = [sum(self._heights[start : start + BLOCK_ROWS]) for start in starts]
