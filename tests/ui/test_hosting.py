"""Hosting with the real locator as a child process: what a person sees, and what is left running."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton

from tests.ui.scripted_node import ScriptedNode, make_session
from ui.login.hosting import Hosting, LocatorHost
from ui.main_window.window import MainWindow
from ui.main_window.window_memory import WindowMemory
from ui.peer_bridge import PeerBridge
from ui.theme.appearance import Appearance
from ui.theme.controls import Theme

PATIENCE_MS = 15_000


def run(folder: Path, verb: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "locator", verb, "--data", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)


def is_running(folder: Path) -> bool:
    return run(folder, "status").returncode == 0


def pid_of(folder: Path) -> int:
    return int((folder / "process").read_text())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # The windows of whoever runs the tests need not find it.
    monkeypatch.setenv("HAIL_LOCATOR_ANNOUNCE", "off")
    yield tmp_path / "locator"
    if (tmp_path / "locator").is_dir():
        run(tmp_path / "locator", "stop")


@pytest.fixture
def make_host(qapp, folder: Path) -> Iterator[Callable[[], LocatorHost]]:
    made: list[LocatorHost] = []

    def make() -> LocatorHost:
        made.append(LocatorHost(folder))
        return made[-1]

    yield make
    for host in made:
        host.end_child()
        host.close()


@pytest.fixture
def host(make_host: Callable[[], LocatorHost]) -> LocatorHost:
    return make_host()


def start(host: LocatorHost, qtbot) -> str:
    host.start()
    assert host.state is Hosting.STARTING
    qtbot.waitUntil(lambda: host.state is Hosting.ON, timeout=PATIENCE_MS)
    return host.link


def test_it_starts_gives_out_a_link_and_stops(qtbot, host: LocatorHost, folder: Path) -> None:
    link = start(host, qtbot)
    assert link == host.kept_link
    assert run(folder, "status").stdout == f"serving {link}\n"
    host.stop()
    qtbot.waitUntil(lambda: host.state is Hosting.OFF, timeout=PATIENCE_MS)
    assert host.link == ""
    assert not is_running(folder)


def test_a_port_that_is_taken_is_no_obstacle_and_the_one_found_stays(qtbot, host: LocatorHost) -> None:
    with socket.socket() as taken:
        try:
            taken.bind(("0.0.0.0", 7400))
            taken.listen()
        except OSError:
            pass  # then somebody else has it, which is as good
        link = start(host, qtbot)
    assert ":7400#" not in link
    host.end()
    assert start(host, qtbot) == link


def test_one_left_in_the_background_is_taken_over_and_no_second_one_started(
    qtbot, host: LocatorHost, make_host: Callable[[], LocatorHost], folder: Path
) -> None:
    link = start(host, qtbot)
    process = pid_of(folder)
    host.leave()
    later = make_host()
    later.find_again()
    qtbot.waitUntil(lambda: later.state is Hosting.ON, timeout=PATIENCE_MS)
    assert later.link == link
    later.start()
    assert pid_of(folder) == process
    later.end()
    assert not is_running(folder)


def test_start_takes_over_what_a_crashed_window_left(
    qtbot, host: LocatorHost, make_host: Callable[[], LocatorHost], folder: Path
) -> None:
    link = start(host, qtbot)
    process = pid_of(folder)
    host.leave()
    later = make_host()
    assert start(later, qtbot) == link
    assert pid_of(folder) == process
    later.stop()
    qtbot.waitUntil(lambda: later.state is Hosting.OFF, timeout=PATIENCE_MS)
    assert not is_running(folder)


def test_a_stop_while_it_is_still_looked_for_is_not_lost(
    qtbot, host: LocatorHost, make_host: Callable[[], LocatorHost], folder: Path
) -> None:
    start(host, qtbot)
    host.leave()
    later = make_host()
    later.find_again()
    later.stop()
    qtbot.waitUntil(lambda: later.state is Hosting.OFF, timeout=PATIENCE_MS)
    assert not is_running(folder)


def test_another_address_of_this_computer_is_another_link(qtbot, host: LocatorHost, folder: Path) -> None:
    link = start(host, qtbot)
    moved = link.replace(link.split("//")[1].split(":")[0], "203.0.113.7")
    (folder / "link").write_text(moved + "\n")
    qtbot.waitUntil(lambda: host.link == moved, timeout=PATIENCE_MS)


def test_a_click_while_it_is_still_looked_for_is_not_lost(qtbot, host: LocatorHost, folder: Path) -> None:
    link = start(host, qtbot)
    host.end()
    host.find_again()
    assert host.state is Hosting.LOOKING
    assert start(host, qtbot) == link


def test_stopped_while_starting_it_does_not_start_again(qtbot, host: LocatorHost, folder: Path) -> None:
    host.start()
    host.stop()
    qtbot.waitUntil(lambda: host.state is Hosting.OFF, timeout=PATIENCE_MS)
    assert not is_running(folder)


def test_a_locator_that_dies_is_one_sentence(qtbot, host: LocatorHost, folder: Path) -> None:
    start(host, qtbot)
    with qtbot.waitSignal(host.failed, timeout=PATIENCE_MS) as failed:
        os.kill(pid_of(folder), signal.SIGKILL)
    assert failed.args[0].startswith("The locator on this computer has stopped.")
    assert host.state is Hosting.OFF


def test_one_taken_over_that_died_is_noticed_when_asked(
    qtbot, host: LocatorHost, make_host: Callable[[], LocatorHost], folder: Path
) -> None:
    start(host, qtbot)
    host.leave()
    later = make_host()
    later.find_again()
    qtbot.waitUntil(lambda: later.state is Hosting.ON, timeout=PATIENCE_MS)
    os.kill(pid_of(folder), signal.SIGKILL)
    with qtbot.waitSignal(later.failed, timeout=PATIENCE_MS):
        later.check()


def test_one_that_cannot_start_says_where_to_look(qtbot, host: LocatorHost, folder: Path) -> None:
    folder.mkdir()
    (folder / "authority.pem").write_text("nonsense")
    with qtbot.waitSignal(host.failed, timeout=PATIENCE_MS) as failed:
        host.start()
    assert str(folder / "log") in failed.args[0]
    assert "authority's key" in (folder / "log").read_text()


def test_a_folder_that_cannot_be_made_is_one_sentence(qtbot, tmp_path: Path, expected_log: list[str]) -> None:
    expected_log.append("no locator could be started")
    (tmp_path / "file").write_text("")
    host = LocatorHost(tmp_path / "file" / "locator")
    with qtbot.waitSignal(host.failed):
        host.start()
    assert host.state is Hosting.OFF


# --- on the screen -------------------------------------------------------------------------------


@pytest.fixture
def hosting(qtbot, theme: Theme, appearance: Appearance, bridge: PeerBridge, folder: Path) -> Iterator[MainWindow]:
    """A window that hosts, as after a click on `Host one here`."""
    window = MainWindow(theme, bridge, WindowMemory(folder.parent), appearance)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    click(window, "locator.host", qtbot)
    qtbot.waitUntil(lambda: window.host.state is Hosting.ON, timeout=PATIENCE_MS)
    yield window
    window.host.end()
    window.close()


def click(window: MainWindow, name: str, qtbot) -> None:
    qtbot.mouseClick(window.findChild(QPushButton, name), Qt.MouseButton.LeftButton)


def test_hosting_is_chosen_for_the_sign_in_and_its_link_can_be_copied(qtbot, hosting: MainWindow) -> None:
    assert hosting.login.locator.link() == hosting.host.link
    assert hosting.findChild(QPushButton, "locator.choose").accessibleName().startswith("Locator: This computer")
    qtbot.mouseClick(hosting.login.locator._share.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == hosting.host.link


def test_a_dead_locator_is_told_in_the_card(qtbot, hosting: MainWindow, folder: Path) -> None:
    os.kill(pid_of(folder), signal.SIGKILL)
    error = hosting.findChild(QLabel, "locator.error")
    qtbot.waitUntil(error.isVisible, timeout=PATIENCE_MS)
    assert error.text().startswith("The locator on this computer has stopped.")
    assert hosting.findChild(QPushButton, "locator.host").isVisible()


def test_a_dead_locator_is_told_in_the_window_of_who_is_signed_in(
    qtbot, hosting: MainWindow, folder: Path, node: ScriptedNode
) -> None:
    hosting.login.signed_in.emit(make_session())
    os.kill(pid_of(folder), signal.SIGKILL)
    qtbot.waitUntil(lambda: "has stopped" in hosting.toast.text(), timeout=PATIENCE_MS)


def test_closing_asks_and_cancel_leaves_all_as_it_is(qtbot, hosting: MainWindow, folder: Path) -> None:
    hosting.close()
    assert hosting.isVisible()
    click(hosting, "leave.cancel", qtbot)
    assert hosting.isVisible()
    assert is_running(folder)


def test_to_stop_hosting_and_quit_does_both(qtbot, hosting: MainWindow, folder: Path) -> None:
    hosting.close()
    with qtbot.waitSignal(hosting.closed):
        click(hosting, "leave.stop", qtbot)
    assert not is_running(folder)


def test_to_keep_hosting_lets_it_go_on(qtbot, hosting: MainWindow, folder: Path) -> None:
    hosting.close()
    with qtbot.waitSignal(hosting.closed):
        click(hosting, "leave.keep", qtbot)
    assert is_running(folder)


def test_an_end_that_nobody_can_be_asked_about_leaves_nothing_behind(qtbot, hosting: MainWindow, folder: Path) -> None:
    with qtbot.waitSignal(hosting.closed):
        hosting.close_unasked()
    assert not is_running(folder)


def test_the_own_locator_that_is_off_can_be_started_from_the_card(qtbot, hosting: MainWindow) -> None:
    link = hosting.host.link
    hosting.host.stop()
    hosting.login.locator.set_known(link)
    qtbot.waitUntil(lambda: hosting.host.state is Hosting.OFF, timeout=PATIENCE_MS)
    assert "is not running" in hosting.findChild(QLabel, "locator.hint").text()
    assert hosting.findChild(QPushButton, "locator.host").text() == "Start it"
    click(hosting, "locator.host", qtbot)
    qtbot.waitUntil(lambda: hosting.host.link == link, timeout=PATIENCE_MS)


def test_the_next_start_finds_it_and_signs_in_there(
    qtbot, host: LocatorHost, theme: Theme, appearance: Appearance, bridge: PeerBridge, folder: Path
) -> None:
    link = start(host, qtbot)
    host.leave()
    window = MainWindow(theme, bridge, WindowMemory(folder.parent), appearance)
    qtbot.addWidget(window)
    window.show()
    # The address of this computer may have been another one then; the fingerprint is the same.
    window.login.locator.set_known("hail://192.0.2.99:7400#" + link.partition("#")[2])
    window.host.find_again()
    qtbot.waitUntil(lambda: window.login.locator.link() == link, timeout=PATIENCE_MS)
    window.login.signed_in.emit(make_session())
    shared = window.chat.findChild(QLabel, "locator.link")
    assert shared.isVisible()
    assert shared.whole() == link
    window.close_unasked()
    assert not window.isVisible()
    assert is_running(folder)


WINDOW = """
import os, signal, sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from ui.login.hosting import Hosting, LocatorHost
application = QCoreApplication([])
host = LocatorHost(Path(sys.argv[1]))
host.changed.connect(lambda: host.state is Hosting.ON and os.kill(os.getpid(), signal.SIGKILL))
host.start()
application.exec()
"""


def test_a_window_that_is_killed_leaves_its_locator_to_the_next_one(
    qtbot, folder: Path, make_host: Callable[[], LocatorHost]
) -> None:
    killed = subprocess.run([sys.executable, "-c", WINDOW, str(folder)], timeout=30, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert is_running(folder)
    later = make_host()
    later.find_again()
    qtbot.waitUntil(lambda: later.state is Hosting.ON, timeout=PATIENCE_MS)
    later.end()
    assert not is_running(folder)
