"""`python -m tests.tour`: plays the story with the real windows on a virtual screen; pictures in `.run/tour`."""

import os
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.harness.sound_card import SoundCard
from tests.tour.accessibility import Reader
from tests.tour.screen import Screen
from tests.tour.story import PEOPLE, STEPS, Step
from tests.tour.window import Window

FOLDER = Path(".run") / "tour"
_SETTLE_SECONDS = 0.4
Say = Callable[[str], None]


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
        failures = _play(say)
        for failure in failures:
            say(f"FAILED: {failure}")
        say("the tour failed; see .run/tour" if failures else f"all {len(STEPS)} steps passed; pictures in .run/tour")
        return int(bool(failures))
    finally:
        (FOLDER / "transcript.txt").write_text("\n".join(lines) + "\n", "utf-8")
        shutil.rmtree(os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)


def _play(say: Say) -> list[str]:
    """Return what went wrong."""
    screen = Screen(FOLDER, len(PEOPLE))
    os.environ.update({"DISPLAY": screen.display})
    sound_card = SoundCard(*PEOPLE)
    reader = Reader()
    windows = {name: Window(screen, reader, sound_card, name, FOLDER, seat) for seat, name in enumerate(PEOPLE)}
    begun = time.monotonic()
    try:
        failures = _walk(windows, screen, say)
        codes = {name: window.close() for name, window in windows.items()}
        if not failures and any(codes.values()):
            failures.append(f"the windows ended with {codes}")
        for window in windows.values():
            if not window.hosts_nothing():
                window.stop_hosting()
                failures.append(f"{window.name}'s locator was left running")
        say(f"{time.monotonic() - begun:6.1f} s  everybody has gone")
        return failures
    finally:
        reader.close()
        sound_card.close()
        screen.close()


def _walk(windows: dict[str, Window], screen: Screen, say: Say) -> list[str]:
    """Take one step after the other, until one fails."""
    begun = time.monotonic()
    for number, step in enumerate(STEPS, start=1):
        start = time.monotonic()
        those = [windows[name] for name in step.people]
        failures: list[str] = []
        found: str | None = None
        try:
            found = step.act(*those)
        except Exception:  # noqa: BLE001 - told in the transcript, with what was on the screen
            failures.append(f"{step.title}\n{traceback.format_exc()}")
        now = time.monotonic()
        say(f"{now - begun:6.1f} s  {number:2}. {step.title} ({now - start:.1f} s)" + (f": {found}" if found else ""))
        _pictures(screen, number, step, those)
        if failures:
            return failures
    return []


def _pictures(screen: Screen, number: int, step: Step, windows: Iterable[Window]) -> None:
    time.sleep(_SETTLE_SECONDS)  # let the last frame be painted
    slug = re.sub(r"[^a-z0-9]+", "-", step.title.lower()).strip("-")
    for window in windows:
        screen.picture(FOLDER / f"{number:02}-{slug}-{window.name}.png", window.seat)


if __name__ == "__main__":
    sys.exit(main())
