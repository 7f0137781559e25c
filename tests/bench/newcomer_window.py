"""The real program of a newcomer, measured from inside while a group's long history comes.

`python -m tests.bench.newcomer_window`: somebody reads and scrolls in another conversation meanwhile. The benchmark
that started this one adds the newcomer to the group when asked by a line on standard output.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QTimer

from tests.bench.window_process import Bench, Ticks, resident_megabytes
from ui.models.roles import Role

SYNC_SECONDS = 300.0
"""The history is waited for no longer than this."""
_FRAME_MS = 16
_FRAMES_ONE_WAY = 120
_PIXELS = 60


class Arrival(Bench):
    """A newcomer who scrolls in the conversation with Ana, who adds them to the group."""

    def sync(self, wanted: int) -> dict[str, Any]:
        """Be added, and let the window run until the whole history is there."""
        self.open()
        self.settle()
        conversations = self.window._state.conversations
        known = conversations.unread
        frames = 0

        def scroll() -> None:
            nonlocal frames
            self.wheel(_PIXELS if frames // _FRAMES_ONE_WAY % 2 == 0 else -_PIXELS)
            frames += 1

        scrolling = QTimer(interval=_FRAME_MS)
        scrolling.timeout.connect(scroll)
        scrolling.start()
        self.others.ask(add="new")
        began, worked = time.perf_counter(), time.process_time()
        with Ticks() as ticks:
            while conversations.unread < known + wanted and time.perf_counter() - began < SYNC_SECONDS:
                self.application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        seconds, held = time.perf_counter() - began, conversations.unread - known
        scrolling.stop()
        return {
            "seconds": seconds,
            "held": held,
            "processor_seconds": time.process_time() - worked,
            "late": sorted(ticks.late),
            "frames": frames,
            "resident_mb": resident_megabytes(),
            "open": self._open_group(),
        }

    def _open_group(self) -> float:
        """Open the group at its first message; return the seconds until it is painted."""
        model = self.window._state.conversations
        views = [model.index(row, 0).data(Role.VIEW) for row in range(model.rowCount())]
        (group,) = (view for view in views if view.user is None)
        self.settle()

        def is_painted() -> bool:
            rows = self.model.rowCount()
            last = self.model.message(rows - 1) if rows else None
            return last is not None and last.conversation == group.conversation and last.entry == self.paints.newest

        began = time.perf_counter()
        self.window.chat.open(group)
        self.until(is_painted)
        return self.paints.newest_at - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", type=Path)
    parser.add_argument("result", type=Path, help="the file for what was found, as JSON")
    parser.add_argument("wanted", type=int, help="messages of the group's history")
    options = parser.parse_args()
    arrival = Arrival(options.profile)
    try:
        result = arrival.sync(options.wanted)
    finally:
        arrival.close()
    options.result.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
