"""A server of somebody else's, installed by `make bench`, that ours is compared with."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

_START_SECONDS = 10.0
Place = tuple[str, int]


class ReferenceServer:
    """A process with a folder of its own on free ports of loopback; ends with `close`."""

    def __init__(self, folder: Path, words: list[str], listens_at: Place) -> None:
        """Start it, and wait until it listens."""
        program = shutil.which(words[0])
        if program is None:
            raise SystemExit(f"{words[0]} is missing: run `make bench`, which installs it.")
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen([program, *words[1:]], cwd=folder, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while not _is_listening(listens_at):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise SystemExit(f"{words[0]} does not start: {(folder / 'log').read_text(errors='replace')}")
            time.sleep(0.05)

    @property
    def process(self) -> int:
        return self._process.pid

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def free_place() -> Place:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return "127.0.0.1", probe.getsockname()[1]


def _is_listening(place: Place) -> bool:
    try:
        socket.create_connection(place, timeout=1).close()
    except OSError:
        return False
    return True
