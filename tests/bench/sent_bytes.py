"""What goes out of a program to those who connect to it, as the system counts it (Linux, `ss` of iproute2, as root)."""

import re
import subprocess
import time
from pathlib import Path

_SENT = re.compile(r"bytes_sent:(\d+)")
_READY_SECONDS = 1.0


class SentBytes:
    """Counts from now on, of all connections at the port that a process listens on; also of those that end."""

    def __init__(self, process: int, log: Path) -> None:
        self._port = _port_of(process)
        self._log = log
        with log.open("wb") as output:
            # Line by line: what waited in its buffer would be lost with it.
            self._ended = subprocess.Popen(["stdbuf", "-oL", "ss", "-tinHOE"], stdout=output)
        time.sleep(_READY_SECONDS)
        assert self._ended.poll() is None, "ss does not tell which connections end: it needs root"
        self._before = self._open()

    def stop(self) -> int:
        """Return the bytes."""
        count = self._open() - self._before
        time.sleep(_READY_SECONDS)
        self._ended.terminate()
        self._ended.wait()
        return count + self._sum(self._log.read_text())

    def _open(self) -> int:
        listed = subprocess.run(["ss", "-tinHO"], check=True, capture_output=True, text=True)
        return self._sum(listed.stdout)

    def _sum(self, lines: str) -> int:
        total = 0
        for line in lines.splitlines():
            here, sent = line.split()[3], _SENT.search(line)
            if sent and here.endswith(f":{self._port}"):
                total += int(sent[1])
        return total


def _port_of(process: int) -> int:
    listed = subprocess.run(["ss", "-tlnpHO"], check=True, capture_output=True, text=True)
    ports = {
        int(line.split()[3].rpartition(":")[2]) for line in listed.stdout.splitlines() if f"pid={process}," in line
    }
    (port,) = ports
    return port
