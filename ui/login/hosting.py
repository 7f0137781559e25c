"""Hosts a locator on this computer: a process of its own, which may stay when the window goes."""

import contextlib
import logging
import subprocess
import sys
import time
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

log = logging.getLogger(__name__)

_PORTS = (7400, 7401, 7402, 0)
"""Tried in this order; 0 is any free one, but such a one may be taken by the next start."""
_START_SECONDS = 15.0
_STOP_SECONDS = 4.0
_LOOK_WHILE_STARTING_MS = 50
_LOOK_MS = 1000
_READY, _SERVING = "ready ", "serving "


class Hosting(Enum):
    """How it stands with the locator of this profile."""

    OFF = auto()
    LOOKING = auto()
    """Whether one was left running is being found out."""
    STARTING = auto()
    ON = auto()


class LocatorHost(QObject):
    """Starts, finds again and stops `hail-locator serve` on a folder of the profile.

    Not a QProcess: that kills its child when it is destroyed, and this child may be wanted in the background. Which
    process serves is told by the locator's own lock on the folder, so one that outlived a window (kept on purpose,
    or the window crashed) is taken over, and never a second one started.
    """

    changed = Signal()
    """`state` or `link` is another."""
    failed = Signal(str)
    """A sentence: it could not start, or it ended by itself."""

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = Hosting.OFF
        self.link = ""
        """`hail://HOST:PORT#FINGERPRINT`, to be handed out; empty unless it is on."""
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None
        self._errand: QProcess | None = None
        self._stops_next = False
        """Whether to stop it was asked for while another errand was on its way."""
        self._ports: list[int] = []
        """Still to be tried."""
        self._since = 0.0
        self._is_stopping = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look_at_child)

    @property
    def kept_link(self) -> str:
        """The link of the last time, whether or not it is on now; empty if there was none."""
        try:
            return (self._folder / "link").read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return ""

    def find_again(self) -> None:
        """Take over the locator that was left running, if there is one."""
        if self.state is Hosting.OFF and self.kept_link:
            self._set(Hosting.LOOKING)
            self._run("status")

    def check(self) -> None:
        """Find out whether one that is not our own child still runs: nobody tells us of its end."""
        if self.state is Hosting.ON and self._child is None:
            self._run("status")

    def start(self) -> None:
        """Host; `changed` tells when others can sign in, `failed` why they cannot."""
        if self.state not in {Hosting.OFF, Hosting.LOOKING}:
            return
        # A port that was handed out once stays: the locator keeps it in the folder.
        self._ports = [0] if (self._folder / "port").exists() else list(_PORTS)
        if self.state is Hosting.LOOKING:
            # The answer is on its way; if it is no, one is started then.
            self._set(Hosting.STARTING)
        else:
            self._start_at_next_port()

    def stop(self) -> None:
        """Host no more; `changed` tells when it has ended."""
        if self._child is not None:
            self._is_stopping = True
            self._child.terminate()
            self._timer.start(_LOOK_MS // 10)
        elif self.state is Hosting.ON or self._errand is not None:
            self._run("stop")

    def end(self) -> None:
        """Host no more, and wait for it: for the end of the program."""
        child, self._child = self._child, None
        if child is not None:
            _end(child)
        elif self.state is Hosting.ON:
            with contextlib.suppress(subprocess.TimeoutExpired, OSError):
                subprocess.run(self._command("stop"), timeout=2 * _STOP_SECONDS, check=False, capture_output=True)  # noqa: S603 - our own program
        self.close()
        self._set(Hosting.OFF)

    def end_child(self) -> None:
        """Let nothing run on that this window started; what ran before it stays."""
        if self._child is not None:
            self.end()

    def leave(self) -> None:
        """Let it go on without us."""
        self._timer.stop()
        if self._child is not None:
            # Said to have ended, or Popen would complain about a child that nobody waited for.
            self._child.returncode = 0
            self._child = None

    def close(self) -> None:
        """Leave no errand behind when the window goes."""
        self._timer.stop()
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.finished.disconnect()
            errand.kill()
            errand.waitForFinished(1000)

    # --- inside ------------------------------------------------------------------------------

    def _command(self, verb: str, *flags: str) -> list[str]:
        return [sys.executable, "-m", "locator", verb, "--data", str(self._folder), *flags]

    def _start_at_next_port(self) -> None:
        listen = f"0.0.0.0:{self._ports.pop(0)}"
        self._is_stopping = False
        self._since = time.monotonic()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._said.open("wb") as said, (self._folder / "log").open("wb") as errors:
                self._child = subprocess.Popen(  # noqa: S603 - our own program
                    self._command("serve", "--listen", listen, "--log-level", "warning"),
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=errors,
                    # Ctrl+C in the window's terminal is not meant for it.
                    start_new_session=True,
                )
        except OSError:
            log.exception("no locator could be started")
            self._fail()
            return
        self._set(Hosting.STARTING)
        self._timer.start(_LOOK_WHILE_STARTING_MS)

    @property
    def _said(self) -> Path:
        return self._folder / "said"

    def _look_at_child(self) -> None:
        child = self._child
        if child is None:
            self._timer.stop()
        elif child.poll() is not None:
            self._child = None
            self._timer.stop()
            if self.state is Hosting.STARTING and not self._is_stopping:
                # Perhaps one runs already; it holds the folder.
                self._run("status")
            else:
                self._ended(wanted=self._is_stopping)
        elif self.state is Hosting.STARTING:
            self._look_for_link(child)
        else:
            # This computer may have another address by now, on another network.
            self._set(Hosting.ON, self.kept_link or self.link)

    def _look_for_link(self, child: "subprocess.Popen[bytes]") -> None:
        said = self._said.read_text(encoding="utf-8", errors="replace")
        if said.startswith(_READY) and said.endswith("\n"):
            self._timer.setInterval(_LOOK_MS)
            self._set(Hosting.ON, said.removeprefix(_READY).strip())
        elif time.monotonic() - self._since > _START_SECONDS:
            self._child = None
            _end(child)
            self._fail()

    def _run(self, verb: str) -> None:
        """Give the locator's command an errand for the folder; one at a time, and "stop" is never forgotten."""
        if self._errand is not None:
            self._stops_next = verb == "stop" or self._stops_next
            return
        program, *arguments = self._command(verb)
        self._errand = QProcess(self)
        self._errand.finished.connect(lambda: self._answered(verb))
        self._errand.start(program, arguments)

    def _answered(self, verb: str) -> None:
        errand, self._errand = self._errand, None
        if errand is None:
            return
        said = bytes(errand.readAllStandardOutput().data()).decode("utf-8", "replace")
        errand.deleteLater()
        stops_next, self._stops_next = self._stops_next, False
        if stops_next and said.startswith(_SERVING):
            self._set(Hosting.ON, said.removeprefix(_SERVING).strip())
            self._run("stop")
        elif stops_next:
            self._ended(wanted=True)
        elif said.startswith(_SERVING):
            self._set(Hosting.ON, said.removeprefix(_SERVING).strip())
        elif self.state is Hosting.ON:
            self._ended(wanted=verb == "stop")
        elif self.state is Hosting.LOOKING:
            self._set(Hosting.OFF)
        elif self._ports:
            self._start_at_next_port()
        else:
            self._fail()

    def _ended(self, *, wanted: bool) -> None:
        self._set(Hosting.OFF)
        if not wanted:
            self.failed.emit(
                self.tr("The locator on this computer has stopped. To start it again, choose “Host one here”.")
            )

    def _fail(self) -> None:
        self._set(Hosting.OFF)
        sentence = self.tr("No locator could be started on this computer; why stands in %1.")
        self.failed.emit(sentence.replace("%1", str(self._folder / "log")))

    def _set(self, state: Hosting, link: str = "") -> None:
        if (state, link) != (self.state, self.link):
            self.state, self.link = state, link
            self.changed.emit()


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        log.warning("the locator did not stop in time")
        child.kill()
        child.wait()
