"""One `hail` process, as a person uses it: eyes (the accessibility tree), hands (key and pointer events), ears."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.harness.recorder import Recorder
from tests.harness.sound_card import Listener, SoundCard
from tests.tour.accessibility import NAMES_OF_ROLES, Reader, Thing, wait_until_there
from tests.tour.screen import SEAT_WIDTH, Screen

Pattern = re.Pattern[str]

WAIT_SECONDS = 20.0
_LOOK_AGAIN_SECONDS = 0.05
_WATCH_AGAIN_SECONDS = 0.01
_TYPED_SECONDS = 1.5
_TYPING_TRIES = 3
_DOT = "●"
_NEAR_THE_LEFT, _NEAR_THE_BOTTOM = 16, 720
_BESIDE_BUBBLE = 8
_GOOD_PART = 20
"""One pixel in so many."""


class Window:
    """A window of the real application; nothing in it knows that it is being driven."""

    def __init__(
        self, screen: Screen, reader: Reader, sound_card: SoundCard, name: str, folder: Path, seat: int
    ) -> None:
        self.name = name
        self.seat = seat
        self.home = (folder / f"{name}-home").resolve()
        """Where file dialogs begin."""
        self.home.mkdir()
        self.downloads = self.home / "Downloads"
        self._screen = screen
        self._reader = reader
        self._sound_card = sound_card
        self._profile = folder / name
        self._environment = {
            **screen.environment,
            **sound_card.variables(name),
            "HOME": str(self.home),
        }
        self._started: subprocess.Popen[bytes] | None = None
        self._bus_name = ""

    def open(self) -> None:
        """Start the program and wait until its window is there."""
        with (self._profile.parent / f"{self.name}.log").open("ab") as log:
            self._started = subprocess.Popen(
                self._command(), env=self._environment, cwd=self.home, stdout=log, stderr=log
            )
        self._bus_name = wait_until_there(self._reader, self._process.pid, WAIT_SECONDS)
        self.see("window", "Hail")
        self._screen.place(self._process.pid, self.seat)

    def start_again(self) -> int:
        """Start the program once more on the same profile; return how that ended."""
        return subprocess.run(self._command(), env=self._environment, check=False, timeout=20).returncode

    def _command(self) -> list[str]:
        return [str(Path(sys.executable).with_name("hail")), "--profile", str(self._profile.resolve())]

    def stop_hosting(self) -> None:
        """End the locator of this window's profile, if there is one."""
        command = [sys.executable, "-m", "locator", "stop", "--data", str(self._profile / "locator")]
        subprocess.run(command, capture_output=True, check=False, timeout=20)

    def arrange(self) -> None:
        """Put all windows of this person at their seat."""
        self._screen.place(self._process.pid, self.seat)

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
        if self._started is None:
            return 0
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.returncode

    @property
    def _process(self) -> "subprocess.Popen[bytes]":
        assert self._started is not None, f"{self.name} has not opened Hail yet"
        return self._started

    # --- eyes --------------------------------------------------------------------------------

    def see(self, role: str, text: str | Pattern, *, exactly: bool = False, wait: float = WAIT_SECONDS) -> Thing:
        """Wait for something on the screen whose name is or holds the text, or fits the pattern; return it."""
        return self._wait(_sought(role, text, exactly=exactly), f"no {role} {text!r}", wait)

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

    # --- ears and mouth ----------------------------------------------------------------------

    def listen(self, seconds: float) -> Listener:
        """Begin to hear what comes out of this person's speaker, for so long at most."""
        return self._sound_card.listen(self.name, seconds)

    def record_mouth(self) -> Recorder:
        """Begin to record what this person's microphone hears."""
        return Recorder(self._sound_card, f"{self.name}_micfeed.monitor")

    def record_ear(self) -> Recorder:
        """Begin to record what this person hears."""
        return Recorder(self._sound_card, f"{self.name}_spk.monitor")

    def say(self, sound: Sequence[int]) -> None:
        """Let this person's microphone hear a sound, all of it."""
        self._sound_card.say(self.name, sound)

    # --- hands -------------------------------------------------------------------------------

    def click(self, role: str, text: str, *, exactly: bool = False) -> None:
        """Click the middle of something, once it is there and enabled."""
        sought = _sought(role, text, exactly=exactly)
        found = self._resting(lambda thing: thing.is_enabled and sought(thing), f"no {role} {text!r} to click")
        self._screen.click(*found.middle)

    def _resting(self, fits: Callable[[Thing], bool], otherwise: str) -> Thing:
        """Wait until something does not move any more: a card that grows takes what is on it from under the hand."""
        found = self._wait(fits, otherwise)
        while True:
            time.sleep(_LOOK_AGAIN_SECONDS)
            now = self._reader.look_again(found)
            if now == found:
                return found
            found = now if now is not None and fits(now) else self._wait(fits, otherwise)

    def pick(self, text: str | Pattern) -> Thing:
        """Make a message the current one, by a click beside its bubble; return its row."""
        row = self._resting(_sought("row", text), f"no message {text!r}")
        # The bubbles of others are at the left, one's own at the right.
        x = row.x + _BESIDE_BUBBLE if row.name.startswith("You, ") else row.x + row.width - _BESIDE_BUBBLE
        # A high row, such as a picture, may reach beyond the list at either end.
        shown = self.see("list", "Messages")
        top, bottom = max(row.y, shown.y), min(row.y + row.height, shown.y + shown.height)
        self._screen.click(x, (top + bottom) // 2)
        return self._wait(lambda thing: thing.path == row.path and thing.is_focused, f"no focus on {row.name!r}")

    def watch(self, row: Thing, pattern: str) -> Thing:
        """Look at nothing but a row, so often that little escapes, until its name fits; return how it is then."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            now = self._reader.look_again(row)
            if now is not None and re.search(pattern, now.name):
                return now
            assert time.monotonic() < deadline, f"{self.name}: {row.name!r} became {now}, not {pattern!r}"
            time.sleep(_WATCH_AGAIN_SECONDS)

    def choose(self, menu: str, *keys: str) -> None:
        """Open a menu by its button, and press keys in it."""
        self._open_menu(lambda: self.click("button", menu), menu)
        self._screen.point_at_nothing()
        self.press(*keys)

    def choose_for(self, message: str | Pattern, *keys: str) -> None:
        """Open the menu of a message, and press keys in it; its first line is the current one."""
        row = self.pick(message)
        # Before: a pointer that leaves the menu would leave it without a current line.
        self._screen.point_at_nothing()
        self._open_menu(lambda: self.press("Menu"), row.name)
        self.press(*keys)

    def _open_menu(self, ask: Callable[[], None], what: str) -> None:
        """Ask for a menu, and wait until it is there: keys pressed before that would go elsewhere."""
        before = self._screen.count_windows(self._process.pid)
        ask()
        opened = self._comes(lambda: self._screen.count_windows(self._process.pid) > before)
        assert opened, f"{self.name}: {what!r} opened no menu"

    def fill(self, field: str, text: str) -> None:
        """Click into a field and type in the place of what is there; look, and type again what went wrong."""
        there = self._enter(field)
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
        corner = (self.seat * SEAT_WIDTH + _NEAR_THE_LEFT, _NEAR_THE_BOTTOM, 1, 1)
        return self._comes(lambda: colour in self._screen.colours(*corner))

    def shows(self, thing: Thing, *colours: str) -> bool:
        """Tell whether a good part of something gets each of these colours before long."""
        place = (thing.x, thing.y, thing.width, thing.height)

        def is_coloured() -> bool:
            there = self._screen.colours(*place)
            return all(there[colour] > thing.width * thing.height // _GOOD_PART for colour in colours)

        return self._comes(is_coloured)

    def _comes(self, is_so: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_so():
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

    def paste(self, field: str) -> None:
        """Put what somebody copied into a field."""
        self._enter(field)
        self._screen.press("ctrl+v")

    def _enter(self, field: str) -> Thing:
        """Click into a field; return it."""
        self.click("text", field, exactly=True)
        return self.has_focus(field)

    def has_focus(self, field: str) -> Thing:
        """Wait until what is typed goes into this field: the window manager takes a moment; return it."""
        return self._wait(lambda thing: thing.is_focused and thing.name == field, f"no focus in {field!r}")

    def write(self, text: str) -> None:
        """Write a message and send it with Enter."""
        self.fill("Message", text)
        self._screen.press("Return")


def _sought(role: str, text: str | Pattern, *, exactly: bool = False) -> Callable[[Thing], bool]:
    roles = NAMES_OF_ROLES[role]

    def fits(thing: Thing) -> bool:
        if thing.role not in roles:
            return False
        if isinstance(text, str):
            return thing.name == text if exactly else text in thing.name
        return text.search(thing.name) is not None

    return fits
