"""`make run`: a locator on this machine and two windows, signed in; without a screen, the tour."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.harness.processes import PASSWORD, LocatorProcess, PeerProcess

FOLDER = Path(".run")
_PEOPLE = (("ana", "Ana"), ("bo", "Bo"))


def main() -> int:
    """Return 0 when the windows were closed or Ctrl-C was pressed."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        print("There is no screen here, so the tour is played on a virtual one.", flush=True)
        os.execv(sys.executable, [sys.executable, "-m", "tests.tour"])
    # Ctrl-C reaches the whole terminal; this program alone decides in which order things end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    locator = LocatorProcess(FOLDER / "locator", log=FOLDER / "locator.log")
    windows: list[subprocess.Popen[bytes]] = []
    try:
        for user, name in _PEOPLE:
            peer = PeerProcess(FOLDER / user)
            peer.call("session.register", locator=locator.link, user=user, password=PASSWORD, name=name)
            peer.close()
        for user, _ in _PEOPLE:
            windows.append(_window(user, locator.link))
        print(
            f"Two windows are open: Ana's and Bo's (accounts ana and bo, password “{PASSWORD}”).\n"
            f"Their locator: {locator.link}\n"
            "Try: in Ana's window add a contact by the ID bo; accept in Bo's; write to each other; close one and\n"
            "write on: it arrives when the other is back. Everything is kept in .run/. Ctrl-C here ends all.",
            flush=True,
        )
        while any(window.poll() is None for window in windows):
            time.sleep(0.2)
    except KeyboardInterrupt:
        print("\nending", flush=True)
    finally:
        for window in windows:
            if window.poll() is None:
                window.terminate()
        for window in windows:
            window.wait(10)
        if locator.process.poll() is None:
            locator.stop()
    return 0


def _window(user: str, link: str) -> subprocess.Popen[bytes]:
    program = str(Path(sys.executable).with_name("hail"))
    downloads = (FOLDER / f"{user}-downloads").resolve()
    environment = {**os.environ, "HAIL_PASSWORD": PASSWORD, "HAIL_DOWNLOADS": str(downloads)}
    with (FOLDER / f"{user}.log").open("ab") as log:
        command = [program, "--profile", str(FOLDER / user), link]
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)


if __name__ == "__main__":
    sys.exit(main())
