"""Builds the window and everything under it, lets it run, and takes it down again."""

import argparse
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from peer.node import PeerNode
    from ui.main_window.window import MainWindow
    from ui.peer_bridge import PeerBridge

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.001
"""How long one thread may keep the interpreter: the screen must get it back within a fraction of a frame."""
_SIGNAL_CHECK_MS = 200
"""Python handles a signal only when Qt lets it run; this is how often it does at the least."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `hail`; return 0 when the window was closed, 1 when it could not start, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        return _run(options.profile or _default_profile(), options.locator)
    except Exception as error:
        log.exception("hail could not run")
        sys.stderr.write(f"hail: could not run: {error}. Start it again with --profile and an empty folder.\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hail",
        description="Chat from device to device; a locator says who is where.",
        epilog="With HAIL_PASSWORD in the environment, who was here last is signed in at once.",
    )
    parser.add_argument("--profile", type=Path, metavar="DIR", help="the folder for accounts and messages")
    parser.add_argument(
        "locator", nargs="?", default="", metavar="hail://HOST:PORT#FINGERPRINT", help="the locator to sign in at"
    )
    return parser


def _default_profile() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("hail", appauthor=False))


def _run(profile: Path, locator: str) -> int:
    from peer.local_socket import LocalSocket, raise_open_window

    door = LocalSocket(profile)
    if not door.claim() and raise_open_window(profile):
        return 0
    application, window, bridge = build(profile, locator)
    window.closed.connect(application.quit)
    _close_on_signals(window)
    bridge.ask(window, lambda node: door.serve(node, raise_window=_raiser(window)))
    try:
        return application.exec()
    finally:
        window.hide()
        bridge.close()


class Program(NamedTuple):
    """What there is one of: the application, its window, and the way to the node."""

    application: "QApplication"
    window: "MainWindow"
    bridge: "PeerBridge"


def build(profile: Path, locator: str = "") -> Program:
    """Build the window and everything under it, and begin to sign in whoever was here last."""
    from ui.main_window.window import MainWindow
    from ui.main_window.window_memory import WindowMemory
    from ui.peer_bridge import PeerBridge
    from ui.theme.appearance import Appearance, choice_of
    from ui.theme.controls import Theme

    application = make_application()
    theme, memory = Theme(), WindowMemory(profile)
    kept = choice_of(memory.word("appearance"))
    appearance = Appearance(application, theme, kept, lambda choice: memory.keep("appearance", choice))
    bridge = PeerBridge(_make_node, profile)
    bridge.start()
    window = MainWindow(theme, bridge, memory, appearance, locator)
    window.show()
    window.host.find_again()
    window.login.begin(os.environ.pop("HAIL_PASSWORD", ""))
    # What lives until the end need not be looked through by the collector again.
    gc.freeze()
    return Program(application, window, bridge)


def make_application() -> "QApplication":
    """Return the one QApplication, before any widget is made."""
    from PySide6.QtCore import QLocale
    from PySide6.QtWidgets import QApplication

    # The language of the window is English, so its dates are too, in the form of the person's country.
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.system().territory()))
    application = QApplication([])
    application.setApplicationName("hail")
    application.setApplicationDisplayName("Hail")
    application.setDesktopFileName("hail")
    return application


def _make_node(profile: Path) -> "PeerNode":
    from peer.node import PeerNode

    return PeerNode(profile)


def _raiser(window: "MainWindow") -> Callable[[], None]:
    """Return what brings the window to the front, from whichever thread it is called."""
    from PySide6.QtCore import QTimer

    return lambda: QTimer.singleShot(0, window, window.come_forward)


def _close_on_signals(window: "MainWindow") -> None:
    """End as if the window had been closed, on Ctrl+C and on the system's request."""
    from PySide6.QtCore import QTimer

    # By a timer, so that a signal that comes before the event loop runs is not lost.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: QTimer.singleShot(0, window, window.close_unasked))
    awake = QTimer(window)
    awake.timeout.connect(lambda: None)
    awake.start(_SIGNAL_CHECK_MS)
