import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from ui import application
from ui.main_window.window import MainWindow


def start(profile: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "import sys; from ui.application import main; sys.exit(main())", *arguments],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": str(profile), "XDG_DATA_HOME": str(profile)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def catches(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process has a handler for a signal (proc(5), SigCgt)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, "--profile", str(tmp_path / "profile"), "hail://127.0.0.1:7400#" + "ab" * 32)
    # Both are taken at the same time, but Python catches SIGINT from its start.
    until = time.monotonic() + 20
    while not catches(process.pid, signal.SIGTERM) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=15)
    assert (process.returncode, out) == (0, "")
    assert [line for line in err.splitlines() if "propagateSizeHints" not in line] == []
    assert (tmp_path / "profile" / "window.json").exists()


def test_wrong_usage_is_told_and_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        application.main(["--no-such-option"])
    assert left.value.code == 2
    assert "--no-such-option" in capsys.readouterr().err


def test_a_start_that_fails_exits_with_1_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], expected_log: list[str], tmp_path: Path
) -> None:
    def fail(_profile: Path, _locator: str) -> int:
        raise OSError("no screen")

    expected_log.append("hail could not run")
    monkeypatch.setattr(application, "_run", fail)
    monkeypatch.setattr(sys, "setswitchinterval", lambda _seconds: None)
    assert application.main(["--profile", str(tmp_path)]) == 1
    assert "could not run: no screen" in capsys.readouterr().err


def test_the_default_profile_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert application._default_profile().name == "hail"


def test_a_second_start_raises_the_first_window_and_ends(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    first = start(tmp_path, "--profile", str(profile))
    until = time.monotonic() + 20
    while not (profile / "socket.json").exists() and time.monotonic() < until:
        time.sleep(0.05)
    second = start(tmp_path, "--profile", str(profile))
    out, err = second.communicate(timeout=15)
    assert (second.returncode, out, err) == (0, "", "")
    assert first.poll() is None
    elsewhere = start(tmp_path, "--profile", str(tmp_path / "other"))
    with pytest.raises(subprocess.TimeoutExpired):
        elsewhere.wait(3)
    for process in (first, elsewhere):
        process.kill()
        process.communicate(timeout=15)
    again = start(tmp_path, "--profile", str(profile))
    with pytest.raises(subprocess.TimeoutExpired):
        again.wait(3)  # what the killed one left behind is not taken for a window
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=15)
    assert again.returncode == 0
    assert not (profile / "socket.json").exists()


def test_a_window_comes_forward_when_another_thread_asks(qtbot: QtBot, window: MainWindow) -> None:
    window.showMinimized()
    assert window.isMinimized()
    asking = threading.Thread(target=application._raiser(window))
    asking.start()
    qtbot.waitUntil(lambda: not window.isMinimized())
    asking.join()
    assert window.isVisible()
