"""A virtual screen with a window manager, and the hand that types and clicks on it."""

import os
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from PIL import Image

SEAT_WIDTH, HEIGHT = 1088, 800
"""Pixels of the part of the screen that one person has."""
_BESIDE, _ABOVE = 4, 24
"""Where in it the window stands: its frame needs room."""
_NEEDED = ("Xvfb", "openbox", "xdotool", "import", "dbus-run-session")
_START_SECONDS = 10.0
_PASSED_ON = ("PATH", "PYTHONPATH", "HOME", "TMPDIR", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
"""Neither the desktop, nor the language, nor the scale of whoever starts the tour is to be seen on it."""


class Screen:
    """Xvfb and openbox on a free display, with a seat for each of so many people; ends with `close`."""

    def __init__(self, folder: Path, seats: int) -> None:
        missing = [program for program in _NEEDED if shutil.which(program) is None]
        if missing:
            raise SystemExit(f"The tour needs {', '.join(missing)}: run `make setup` first.")
        self._log = (folder / "screen.log").open("wb")
        reading, writing = os.pipe()
        width = seats * SEAT_WIDTH
        size = f"{width}x{HEIGHT}x24"
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-dpi", "96"]
        self._programs = [subprocess.Popen(command, pass_fds=[writing], stderr=self._log)]
        os.close(writing)
        with os.fdopen(reading) as told:
            self.display = f":{told.readline().strip()}"
        self.environment = {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "DISPLAY": self.display,
            "LANG": "C.UTF-8",
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
        }
        self._programs.append(subprocess.Popen(["openbox"], env=self.environment, stdout=self._log, stderr=self._log))
        self._wait_for_window_manager()
        self._corner = (str(width - 1), str(HEIGHT - 1))
        self.point_at_nothing()

    def run(self, *command: str) -> str:
        """Run a program on this screen; return what it prints."""
        done = subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True, timeout=30)
        return done.stdout.strip()

    def click(self, x: int, y: int) -> None:
        """Press and release the left button at a place."""
        self.run("xdotool", "mousemove", str(x), str(y), "click", "1")

    def point_at_nothing(self) -> None:
        """Move the pointer into the corner, where it hovers over nothing in the pictures."""
        self.run("xdotool", "mousemove", *self._corner)

    def type(self, text: str) -> None:
        """Type a text by key events; signs that no key has get one for the moment, as an input method does."""
        # The program needs a moment to hear of a borrowed key before the next one is borrowed.
        delay = "20" if text.isascii() else "120"
        self.run("xdotool", "type", "--delay", delay, "--", text)

    def press(self, *keys: str) -> None:
        """Press keys, such as `Return` or `ctrl+a`."""
        self.run("xdotool", "key", "--delay", "25", *keys)

    def place(self, process: int, seat: int) -> None:
        """Put the windows of a process at a seat."""
        left = seat * SEAT_WIDTH + _BESIDE
        for window in self.run("xdotool", "search", "--onlyvisible", "--pid", str(process)).split():
            self.run("xdotool", "windowmove", window, str(left), str(_ABOVE))

    def count_windows(self, process: int) -> int:
        """Return how many windows of a process are on the screen, menus among them."""
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--pid", str(process)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,  # 1: none
        )
        return len(found.stdout.split())

    def minimize(self, process: int) -> None:
        """Put the windows of a process away."""
        for window in self.run("xdotool", "search", "--onlyvisible", "--pid", str(process)).split():
            self.run("xdotool", "windowminimize", "--sync", window)

    def picture(self, file: Path, seat: int) -> None:
        """Save what is at a seat as PNG."""
        self._save(file, seat * SEAT_WIDTH, 0, SEAT_WIDTH, HEIGHT)

    def colours(self, x: int, y: int, width: int, height: int) -> Counter[str]:
        """Return how many pixels of a part of the screen have which colour (#RRGGBB)."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "part.png"
            self._save(file, x, y, width, height)
            with Image.open(file) as part:
                found = part.convert("RGB").getcolors(width * height) or []
        return Counter({f"#{red:02X}{green:02X}{blue:02X}": count for count, (red, green, blue) in found})

    def _save(self, file: Path, x: int, y: int, width: int, height: int) -> None:
        self.run("import", "-window", "root", "-crop", f"{width}x{height}+{x}+{y}", "+repage", str(file))

    def close(self) -> None:
        for program in reversed(self._programs):
            program.terminate()
            program.wait(10)
        self._log.close()

    def _wait_for_window_manager(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while subprocess.run(
            ["xdotool", "get_num_desktops"], env=self.environment, capture_output=True, check=False
        ).returncode:
            if time.monotonic() > deadline:
                raise SystemExit("The window manager did not start; see screen.log.")
            time.sleep(0.05)
