"""One `hail` process, as a person with eyes (the accessibility tree) and hands (key and pointer events) uses it."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.tour.accessibility import NAMES_OF_ROLES, Reader, Thing, wait_until_there
from tests.tour.screen import Screen

WAIT_SECONDS = 20.0
_LOOK_AGAIN_SECONDS = 0.05
_TYPED_SECONDS = 1.5
_TYPING_TRIES = 3
_DOT = "●"
_NEAR_THE_BOTTOM = 720


class Window:
    """A window of the real application; nothing in it knows that it is being driven."""

    def __init__(self, screen: Screen, reader: Reader, name: str, profile: Path, left: int) -> None:
        self.name = name
        self._screen = screen
        self._reader = reader
        self._profile = profile
        self._left = left
        self._process: subprocess.Popen[bytes]
        self._bus_name = ""

    def open(self) -> None:
        """Start the program and wait until its window is there."""
        with (self._profile.parent / f"{self.name}.log").open("ab") as log:
            command = [str(Path(sys.executable).with_name("hail")), "--profile", str(self._profile)]
            self._process = subprocess.Popen(command, env=self._screen.environment, stdout=log, stderr=log)
        self._bus_name = wait_until_there(self._reader, self._process.pid, WAIT_SECONDS)
        self.see("window", "Hail")
        self._screen.place(self._process.pid, self._left)

    def start_again(self) -> int:
        """Start the program once more on the same profile; return how that ended."""
        command = [str(Path(sys.executable).with_name("hail")), "--profile", str(self._profile)]
        return subprocess.run(command, env=self._screen.environment, check=False, timeout=20).returncode

    def minimize(self) -> None:
        """Put the window away."""
        self._screen.minimize(self._process.pid)

    def hosts_nothing(self) -> bool:
        """Tell whether no locator runs for this window's profile."""
        command = [sys.executable, "-m", "locator", "status", "--data", str(self._profile / "locator")]
        return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 1

    def has_ended(self) -> bool:
        """Wait until the program is gone by itself; tell whether it left well."""
        return self._process.wait(10) == 0

    def kill(self) -> None:
        """End the process without a warning."""
        self._process.kill()
        self._process.wait(10)

    def close(self) -> int:
        """Close the window as the system does; return the exit code."""
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(10)

    # --- eyes --------------------------------------------------------------------------------

    def see(self, role: str, text: str, *, exactly: bool = False, wait: float = WAIT_SECONDS) -> Thing:
        """Wait for something on the screen whose name is or holds the text; return it."""
        roles = NAMES_OF_ROLES[role]

        def fits(thing: Thing) -> bool:
            return thing.role in roles and (thing.name == text if exactly else text in thing.name)

        return self._wait(fits, f"no {role} {text!r}", wait)

    def rows_of(self, name: str) -> list[str]:
        """Return the names of the rows of a list, top down."""
        inside = self.see("list", name)
        rows = [thing for thing in self._things() if thing.role in NAMES_OF_ROLES["row"] and thing.x >= inside.x]
        return [row.name for row in sorted(rows, key=lambda row: row.y)]

    def _wait(self, fits: Callable[[Thing], bool], otherwise: str, wait: float = WAIT_SECONDS) -> Thing:
        deadline = time.monotonic() + wait
        while True:
            assert self._process.poll() is None, f"{self.name}'s window is gone"
            # The last of several: what lies on top, such as a dialog, comes last.
            found = [thing for thing in self._things() if fits(thing)]
            if found:
                return found[-1]
            if time.monotonic() > deadline:
                there = [f"{thing.role} {thing.name!r}" for thing in self._things() if thing.name]
                raise AssertionError(f"{self.name}: {otherwise} within {wait:.0f} s; there is: {'; '.join(there)}")
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _things(self) -> list[Thing]:
        return list(self._reader.things(self._bus_name))

    # --- hands -------------------------------------------------------------------------------

    def click(self, role: str, text: str, *, exactly: bool = False) -> None:
        """Click the middle of something, once it is there and enabled."""
        roles = NAMES_OF_ROLES[role]

        def fits(thing: Thing) -> bool:
            return thing.is_enabled and thing.role in roles and (thing.name == text if exactly else text in thing.name)

        self._screen.click(*self._wait(fits, f"no {role} {text!r} to click").middle)

    def choose(self, menu: str, *keys: str) -> None:
        """Open a menu by its button, and press keys once it is there: before that they would go elsewhere."""
        before = self._screen.count_windows(self._process.pid)
        self.click("button", menu)
        deadline = time.monotonic() + WAIT_SECONDS
        while self._screen.count_windows(self._process.pid) <= before:
            assert time.monotonic() < deadline, f"{self.name}: {menu!r} opened no menu"
            time.sleep(_LOOK_AGAIN_SECONDS)
        self.press(*keys)

    def fill(self, field: str, text: str) -> None:
        """Click into a field and type in the place of what is there; look, and type again what went wrong."""
        self.click("text", field, exactly=True)
        # The window manager takes a moment to give the window the keyboard.
        there = self._wait(lambda thing: thing.is_focused and thing.name == field, f"no focus in {field!r}")
        for _ in range(_TYPING_TRIES):
            self._screen.press("ctrl+a")
            self._screen.type(text)
            if self._settled_text(there, text):
                return
        raise AssertionError(f"{self.name}: {field!r} holds {self._reader.text_of(there)!r}, not {text!r}")

    def _settled_text(self, field: Thing, wanted: str) -> bool:
        """Wait until a field shows the text, or as many dots where it is a password."""
        deadline = time.monotonic() + _TYPED_SECONDS
        while self._reader.text_of(field) not in {wanted, _DOT * len(wanted)}:
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_AGAIN_SECONDS)
        return True

    def text_in(self, field: str) -> str:
        """Return what stands in a field."""
        return self._reader.text_of(self.see("text", field, exactly=True))

    def labels(self, pattern: str) -> list[str]:
        """Return the labels that are just what a regular expression says, in their order."""
        return [thing.name for thing in self._things() if re.fullmatch(pattern, thing.name)]

    def turns(self, colour: str) -> bool:
        """Tell whether the ground, at the window's lower left corner, gets a colour (#RRGGBB) before long."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self._screen.colour_at(self._left + 12, _NEAR_THE_BOTTOM).upper() != colour:
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_AGAIN_SECONDS)
        return True

    def press(self, *keys: str) -> None:
        """Press keys, such as `Return`, wherever the focus is."""
        self._screen.press(*keys)

    def type(self, text: str) -> None:
        """Type wherever the focus is."""
        self._screen.type(text)

    def write(self, text: str) -> None:
        """Write a message and send it with Enter."""
        self.fill("Message", text)
        self._screen.press("Return")
