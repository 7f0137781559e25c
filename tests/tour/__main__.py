"""`python -m tests.tour`: plays the story with the real windows on a virtual screen; pictures in `.run/tour`."""

import os
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.tour.accessibility import Reader
from tests.tour.screen import WIDTH, Screen
from tests.tour.story import STEPS
from tests.tour.window import Window

FOLDER = Path(".run") / "tour"
_HALF = WIDTH // 2
_SETTLE_SECONDS = 0.4


def main() -> int:
    """Return 0 if every step showed what it promises, else 1."""
    if os.environ.get("HAIL_TOUR_BUS") != "1":
        # A bus of its own: the tour must neither see nor disturb the programs of whoever starts it.
        os.environ["HAIL_TOUR_BUS"] = "1"
        # The accessibility bus has its socket here: two tours at once would take it from each other.
        os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="hail-tour-")
        os.execvp("dbus-run-session", ["dbus-run-session", "--", sys.executable, "-m", "tests.tour"])
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    lines: list[str] = []

    def say(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    try:
        return _play(say)
    finally:
        (FOLDER / "transcript.txt").write_text("\n".join(lines) + "\n", "utf-8")
        shutil.rmtree(os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)


def _play(say: Callable[[str], None]) -> int:
    screen = Screen(FOLDER)
    os.environ.update({"DISPLAY": screen.display})
    reader = Reader()
    ana, bo = (Window(screen, reader, name, FOLDER / name, left) for name, left in (("ana", 4), ("bo", _HALF + 4)))
    failed = False
    begun = time.monotonic()
    try:
        ana.open()
        bo.open()
        say(f"{time.monotonic() - begun:6.1f} s  both windows are open")
        _pictures(screen, 0, "windows")
        for number, (title, step) in enumerate(STEPS, start=1):
            start = time.monotonic()
            try:
                step(ana, bo)
            except Exception:  # noqa: BLE001 - told in the transcript, with what was on the screen
                failed = True
                say(f"FAILED: {title}\n{traceback.format_exc()}")
            say(f"{time.monotonic() - begun:6.1f} s  {number}. {title} ({time.monotonic() - start:.1f} s)")
            _pictures(screen, number, title)
            if failed:
                break
        codes = [window.close() for window in (ana, bo)]
        if not failed and any(codes):
            failed = True
            say(f"FAILED: the windows ended with {codes}")
        if not ana.hosts_nothing():
            failed = True
            say("FAILED: a locator was left running")
    finally:
        reader.close()
        screen.close()
    say("the tour failed; see .run/tour" if failed else f"all {len(STEPS)} steps passed; pictures in .run/tour")
    return int(failed)


def _pictures(screen: Screen, number: int, title: str) -> None:
    time.sleep(_SETTLE_SECONDS)  # let the last frame be painted
    slug = re.sub(r"[^a-z]+", "-", title.lower()).strip("-")
    for name, left in (("ana", 0), ("bo", _HALF)):
        screen.picture(FOLDER / f"{number}-{slug}-{name}.png", left, _HALF)


if __name__ == "__main__":
    sys.exit(main())
