"""A virtual screen with a window manager, and the hand that types and clicks on it."""

import os
import shutil
import subprocess
import time
from pathlib import Path

WIDTH, HEIGHT = 2176, 800
_NEEDED = ("Xvfb", "openbox", "xdotool", "import", "dbus-run-session")
_START_SECONDS = 10.0


class Screen:
    """Xvfb and openbox on a free display; ends with `close`."""

    def __init__(self, folder: Path) -> None:
        missing = [program for program in _NEEDED if shutil.which(program) is None]
        if missing:
            raise SystemExit(f"The tour needs {', '.join(missing)}: run `make setup` first.")
        self._log = (folder / "screen.log").open("wb")
        reading, writing = os.pipe()
        size = f"{WIDTH}x{HEIGHT}x24"
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-dpi", "96"]
        self._programs = [subprocess.Popen(command, pass_fds=[writing], stderr=self._log)]
        os.close(writing)
        with os.fdopen(reading) as told:
            self.display = f":{told.readline().strip()}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in {"QT_QPA_PLATFORM", "WAYLAND_DISPLAY"}},
            "DISPLAY": self.display,
            "LANG": "C.UTF-8",
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
        }
        self._programs.append(subprocess.Popen(["openbox"], env=self.environment, stdout=self._log, stderr=self._log))
        self._wait_for_window_manager()
        # A pointer in the corner hovers over nothing in the pictures.
        self.run("xdotool", "mousemove", str(WIDTH - 1), str(HEIGHT - 1))

    def run(self, *command: str) -> str:
        """Run a program on this screen; return what it prints."""
        done = subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True, timeout=30)
        return done.stdout.strip()

    def click(self, x: int, y: int) -> None:
        """Press and release the left button at a place."""
        self.run("xdotool", "mousemove", str(x), str(y), "click", "1")

    def type(self, text: str) -> None:
        """Type a text by key events; signs that no key has get one for the moment, as an input method does."""
        # The program needs a moment to hear of a borrowed key before the next one is borrowed.
        delay = "20" if text.isascii() else "120"
        self.run("xdotool", "type", "--delay", delay, "--", text)

    def press(self, *keys: str) -> None:
        """Press keys, such as `Return` or `ctrl+a`."""
        self.run("xdotool", "key", "--delay", "25", *keys)

    def place(self, process: int, x: int) -> None:
        """Put the windows of a process at a place, 720 px high."""
        for window in self.run("xdotool", "search", "--onlyvisible", "--pid", str(process)).split():
            self.run("xdotool", "windowmove", window, str(x), "24")

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

    def picture(self, file: Path, left: int, width: int) -> None:
        """Save a part of the screen, full height, as PNG."""
        self.run("import", "-window", "root", "-crop", f"{width}x{HEIGHT}+{left}+0", "+repage", str(file))

    def colour_at(self, x: int, y: int) -> str:
        """Return the colour of a place, as #RRGGBB."""
        place = f"1x1+{x}+{y}"
        return self.run(
            "import", "-window", "root", "-crop", place, "-depth", "8", "-format", "#%[hex:p{0,0}]", "info:"
        )

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
