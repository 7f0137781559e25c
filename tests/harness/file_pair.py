"""Ana and Bo as real programs that send each other files: one pair for a module, with a folder for each test."""

import hashlib
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.harness.processes import PeerProcess, Three, befriend

MIB = 1024 * 1024
UNSURE = 4 * MIB
"""What was just being written when a program was killed may not be whole."""


class Pair:
    """Two friends; whoever was killed is started again before the next test."""

    def __init__(self, home: Path) -> None:
        self.home = self.folder = home
        self.three = Three(home)
        self.peers = {user: self.three.registered(user) for user in ("ana", "bo")}
        self._direct = self.conversation = befriend(self["ana"], self["bo"], "ana", "bo")
        self.lands_by_itself = {user: Path(self[user].call("files.folder")["path"]) for user in self.peers}
        self._inside: set[str] = set()

    def __getitem__(self, user: str) -> PeerProcess:
        return self.peers[user]

    def begin(self, folder: Path) -> None:
        """Let everything of a test be in its folder."""
        self.folder, self.conversation = folder, self._direct
        for user, peer in self.peers.items():
            peer.call("files.folder", path=str(folder / "downloads" / user))
            peer.events.clear()

    def tidy(self) -> None:
        """Have both run again as they should."""
        for user, peer in tuple(self.peers.items()):
            if sys.platform != "win32" and peer.process.poll() is None:
                peer.process.send_signal(signal.SIGCONT)  # a test that failed may have left it stopped
            if user in self._inside:
                peer.close()
                self._inside.remove(user)
            if peer.process.poll() is not None:
                self.restart(user)

    def restart(self, user: str, *, inside: Sequence[str] = ()) -> PeerProcess:
        """Start anew who has ended; `inside` is a command that runs the program somewhere special."""
        self.peers[user] = self.three.log_in(user, inside=inside)
        if inside:
            self._inside.add(user)
        return self.peers[user]

    def landing(self, user: str, title: str = "") -> Path:
        """Return the folder in which what somebody fetches of a conversation lands."""
        return self.folder / "downloads" / user / (title or ("Bo" if user == "ana" else "Ana"))

    def part(self, user: str, entry: str, title: str = "") -> Path:
        """Return where it is gathered until then."""
        return self.landing(user, title) / f".hail-{entry}.part"

    def leftovers(self) -> list[Path]:
        return list((self.folder / "downloads").rglob(".hail-*"))

    def file(self, name: str, size: int, seed: int = 1) -> Path:
        path = self.folder / name
        path.write_bytes(random.Random(seed).randbytes(size))
        return path

    def send(self, path: Path, by: str = "ana") -> str:
        entry: str = self[by].call("files.send", conversation=self.conversation, path=str(path))["entry"]
        other = "bo" if by == "ana" else "ana"
        self[other].wait_for("message_arrived", lambda event: event["message"]["entry"] == entry)
        return entry

    def finished(self, user: str, entry: str, wait: float = 60.0) -> Path:
        event = self[user].wait_for("transfer_finished", lambda e: e["transfer"]["entry"] == entry, wait=wait)
        return Path(event["transfer"]["path"])

    def fetch(self, entry: str, user: str = "bo") -> Path:
        self[user].call("files.fetch", entry=entry)
        return self.finished(user, entry)

    def transfer(self, user: str, entry: str) -> dict[str, Any]:
        listed = self[user].call("files.list", conversation=self.conversation)
        return next(each for each in listed if each["entry"] == entry)

    def wait_until_here(self, entry: str, seconds: float = 60.0) -> Path:
        """Return where Bo has it; also if he had been told already."""
        deadline = time.monotonic() + seconds
        while (transfer := self.transfer("bo", entry))["state"] != "here":
            assert time.monotonic() < deadline, f"never complete: {transfer}"
            time.sleep(0.05)
        return Path(transfer["path"])


class Paced:
    """Lets the other side run for moments only, so that a transfer can be caught at any point of it."""

    def __init__(self, peer: PeerProcess) -> None:
        self._pid = peer.process.pid
        os.kill(self._pid, signal.SIGSTOP)

    def until(self, condition: Callable[[], Any], seconds: float = 60.0, rest: float = 0.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "that did not happen in time"
            os.kill(self._pid, signal.SIGCONT)
            time.sleep(0.005)
            os.kill(self._pid, signal.SIGSTOP)
            time.sleep(rest)
        return found

    def release(self) -> None:
        os.kill(self._pid, signal.SIGCONT)


def first_told(peer: PeerProcess) -> int:
    """Return how far the transfer is by the first word of it; 0 while there is none."""
    told = [event["transfer"]["done"] for event in list(peer.events) if event["type"].startswith("transfer_")]
    return next((done for done in told if done), 0)


def written(part: Path, size: int) -> int:
    """Return how much of a file that is being gathered is on the disk; everything if it is under its name."""
    try:
        return part.stat().st_blocks * 512
    except FileNotFoundError:
        return size if list(part.parent.glob("large*")) else 0


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
