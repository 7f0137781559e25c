"""Files between real programs: everything arrives byte for byte, whoever is killed whenever."""

import hashlib
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.processes import PeerProcess, Three, befriend

MIB = 1024 * 1024


class Pair:
    """Ana and Bo, friends, each with a folder for downloads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.three = Three(folder)
        self.peers = {user: self.three.registered(user) for user in ("ana", "bo")}
        self.conversation = befriend(self.peers["ana"], self.peers["bo"], "ana", "bo")

    def __getitem__(self, user: str) -> PeerProcess:
        return self.peers[user]

    def restart(self, user: str) -> PeerProcess:
        self.peers[user] = self.three.log_in(user)
        return self.peers[user]

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


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setenv("HAIL_DOWNLOADS", str(tmp_path / "downloads"))
    pair = Pair(tmp_path)
    yield pair
    pair.three.close()


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def leftovers(pair: Pair) -> list[Path]:
    return list((pair.folder / "downloads").rglob(".hail-*"))


def test_ten_megabytes_come_through_both_ways(pair: Pair) -> None:
    for by, other in (("ana", "bo"), ("bo", "ana")):
        path = pair.file(f"from {by}.bin", 10 * MIB + 7)
        entry = pair.send(path, by)
        got = pair.fetch(entry, other)
        assert digest(got) == digest(path)
        assert got == pair.folder / "downloads" / "Hail" / other / by.title() / path.name
        told = pair[by].wait_for(
            "transfer_progressed",
            lambda e, entry=entry: e["transfer"]["entry"] == entry and e["transfer"]["holders"] != [],  # type: ignore[misc]
        )
        assert told["transfer"]["holders"] == [{"user": other, "name": other.title(), "done": 10 * MIB + 7}]
    assert not leftovers(pair)
    for user in ("ana", "bo"):
        assert (pair.folder / f"{user}.log").read_text() == "", "nothing that anybody should look at"


class _Paced:
    """Lets the other side run for moments only, so that a transfer can be caught at any point of it."""

    def __init__(self, peer: PeerProcess) -> None:
        self._pid = peer.process.pid
        os.kill(self._pid, signal.SIGSTOP)

    def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "that did not happen in time"
            os.kill(self._pid, signal.SIGCONT)
            time.sleep(0.005)
            os.kill(self._pid, signal.SIGSTOP)
        return found

    def release(self) -> None:
        os.kill(self._pid, signal.SIGCONT)


@pytest.mark.skipif(sys.platform == "win32", reason="signals that stop and go on")
@pytest.mark.parametrize(("victim", "other"), [("ana", "bo"), ("bo", "ana")])
def test_a_transfer_killed_at_each_tenth_is_finished_from_where_it_was(pair: Pair, victim: str, other: str) -> None:
    size = 96 * MIB
    path = pair.file("large.bin", size)
    entry = pair.send(path)
    pair["bo"].call("files.fetch", entry=entry)
    part = pair.folder / "downloads" / "Hail" / "bo" / "Ana" / f".hail-{entry}.part"
    paced = _Paced(pair[other])
    kills = 0
    for tenth in range(1, 10):
        paced.until(lambda tenth=tenth: _written(part, size) >= size * tenth // 10)  # type: ignore[misc]
        pair[victim].kill()
        kills += 1
        written = _written(part, size)
        pair["bo"].events.clear()
        pair.restart(victim)
        done = paced.until(lambda: _first_told(pair["bo"]))
        # What the threads were just writing may not be whole.
        assert done >= written - 4 * MIB, f"begun anew after kill {tenth}"
        if done == size:
            break
    paced.release()
    assert kills >= 3, "it went too fast to be killed"
    got = _wait_until_here(pair, entry)
    assert digest(got) == digest(path)
    assert sorted(each.name for each in got.parent.iterdir()) == ["large.bin"]


def _first_told(peer: PeerProcess) -> int:
    """Return how far the transfer is by the first word of it; 0 while there is none."""
    told = [event["transfer"]["done"] for event in list(peer.events) if event["type"].startswith("transfer_")]
    return next((done for done in told if done), 0)


def _written(part: Path, size: int) -> int:
    """Return how much of a file that is being gathered is on the disk."""
    try:
        return part.stat().st_blocks * 512
    except FileNotFoundError:
        return size if list(part.parent.glob("large*")) else 0


def _wait_until_here(pair: Pair, entry: str) -> Path:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        transfer = pair.transfer("bo", entry)
        if transfer["state"] == "here":
            return Path(transfer["path"])
        time.sleep(0.05)
    raise AssertionError(f"never complete: {transfer}, {(pair.folder / 'bo.log').read_text()[-3000:]}")
