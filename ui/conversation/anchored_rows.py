"""Which rows of a long list are in sight, told from an anchor that stands still: a row and its hidden pixels."""

from collections.abc import Callable

from ui.conversation.row_heights import RowHeights


class AnchoredRows:
    """Keeps what is shown where it is while rows come, go and change above and below. Knows no widget."""

    def __init__(self, measure: Callable[[int], int], rows: int = 0) -> None:
        """`measure` returns the exact height of a row; it is asked only for rows that come into sight."""
        self._measure_row = measure
        self.heights = RowHeights(rows)
        self.top = 0
        """The first visible row."""
        self.hidden = 0
        """Its pixels above the edge; negative when few messages stand at the lower edge."""
        self.end = 0
        """The row after the last visible one."""
        self.follows = True
        """Whether the last row is in sight, and the next one will be too."""

    def __len__(self) -> int:
        return len(self.heights)

    @property
    def visible(self) -> range:
        """The rows in sight, if only in part."""
        return range(self.top, min(self.end, len(self.heights)))

    @property
    def offset(self) -> int:
        """How much is above the edge, as far as is known."""
        return self.heights.top_of(self.top) + self.hidden if len(self.heights) else 0

    def measure(self, row: int) -> int:
        """Return the exact height of a row."""
        if not self.heights.is_exact(row):
            self.heights.measured(row, self._measure_row(row))
        return self.heights.height(row)

    def place_of(self, row: int) -> int:
        """Return where a row's top is, from the upper edge; far away, roughly."""
        return self.heights.top_of(row) - self.heights.top_of(self.top) - self.hidden

    def row_at(self, place: int) -> int:
        """Return the visible row at so many pixels from the upper edge; -1 for none."""
        top = -self.hidden
        for row in self.visible:
            bottom = top + self.heights.height(row)
            if top <= place < bottom:
                return row
            top = bottom
        return -1

    # --- changes; `settle` follows each -------------------------------------------------------

    def inserted(self, row: int, count: int) -> None:
        """Take in new rows."""
        was_empty = len(self.heights) == 0
        self.heights.insert(row, count)
        if not was_empty and row <= self.top:
            self.top += count

    def removed(self, row: int, count: int) -> None:
        """Let rows go."""
        self.heights.remove(row, count)
        if row + count <= self.top:
            self.top -= count
        elif row <= self.top:
            self.anchor(max(0, min(row, len(self.heights) - 1)), 0, follows=self.follows)

    def changed(self, row: int) -> None:
        """Measure a row again; if it is the first visible one, its lower edge stays where it is."""
        was_exact, old = self.heights.is_exact(row), self.heights.height(row)
        self.heights.forget(row)
        if row == self.top and was_exact:
            self.hidden += self.measure(row) - old

    def anchor(self, row: int, hidden: int, *, follows: bool = False) -> None:
        """Stand at another place."""
        self.top, self.hidden, self.follows = row, hidden, follows

    def anchor_at(self, offset: int) -> None:
        """Stand at a place of the whole, as the scroll bar names it."""
        self.anchor(*self.heights.row_at(offset))

    def scroll(self, pixels: int) -> None:
        """Move on, or back when negative."""
        self.anchor(self.top, self.hidden + pixels)

    def settle(self, room: int) -> None:
        """Bring the anchor into its row and stop at both ends, in a view `room` pixels high."""
        if not len(self.heights):
            self.top = self.hidden = self.end = 0
            return
        if not self.follows:
            self._settle_at_anchor(room)
        if self.follows:
            self._settle_at_end(room)

    def _settle_at_anchor(self, room: int) -> None:
        rows = len(self.heights)
        self.top = min(self.top, rows - 1)
        while self.hidden < 0 and self.top > 0:
            self.top -= 1
            self.hidden += self.measure(self.top)
        while self.top < rows - 1 and self.hidden >= self.measure(self.top):
            self.hidden -= self.measure(self.top)
            self.top += 1
        self.hidden = max(self.hidden, 0)
        covered = -self.hidden
        self.end = self.top
        while self.end < rows and covered < room:
            covered += self.measure(self.end)
            self.end += 1
        self.follows = self.end == rows and covered <= room

    def _settle_at_end(self, room: int) -> None:
        row = len(self.heights) - 1
        covered = self.measure(row)
        while covered < room and row > 0:
            row -= 1
            covered += self.measure(row)
        self.top, self.end, self.hidden = row, len(self.heights), covered - room
