"""Much in one file, and many files: neither memory nor pace depends on how much it is."""

import hashlib
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.bench.server_cost import peak_bytes, resident_bytes
from tests.harness.file_pair import MIB, Pair, digest
from tests.harness.processes import PeerProcess

MOST_MEMORY = 32 * MIB
"""What a transfer of any size may take, above what a program held before it."""


def folder_of(path: Path, count: int) -> Path:
    for number in range(count):
        file = path / f"{number % 70:02}" / f"{number:04}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"file {number}\n" * 20)
    return path


def seconds_to_fetch(pair: Pair, folder: Path) -> float:
    """Send a folder, fetch it, compare it; return how long the second took."""
    entry = pair.send(folder)
    began = time.monotonic()
    got = pair.fetch(entry)
    seconds = time.monotonic() - began
    ours = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.txt")}
    theirs = {path.relative_to(got): path.read_bytes() for path in got.rglob("*") if path.is_file()}
    assert ours == theirs
    return seconds


def test_seven_thousand_small_files_come_as_one_and_no_slower_than_one_thousand(pair: Pair) -> None:
    few = seconds_to_fetch(pair, folder_of(pair.folder / "few", 1_000))
    many = seconds_to_fetch(pair, folder_of(pair.folder / "many", 7_000))
    print(f"1,000 files in {few:.2f} s, 7,000 in {many:.2f} s")
    assert many < 7 * 2 * max(few, 0.2)


@pytest.mark.long
def test_the_last_thousand_of_seven_thousand_files_come_as_fast_as_the_first(pair: Pair) -> None:
    thousands: list[float] = []
    for thousand in range(7):
        files = [pair.folder / f"{thousand * 1_000 + number}.txt" for number in range(1_000)]
        for file in files:
            file.write_text(file.name * 20)
        pair["bo"].events.clear()
        pair["ana"].events.clear()
        began = time.monotonic()
        for start in range(0, 1_000, 50):
            posted = [
                pair["ana"].post("files.send", conversation=pair.conversation, path=str(file))
                for file in files[start : start + 50]
            ]
            sent = [pair["ana"].take(number, wait=60)["entry"] for number in posted]
            for file, entry in zip(files[start : start + 50], sent, strict=True):
                assert pair.finished("bo", entry).read_text() == file.name * 20
        thousands.append(time.monotonic() - began)
        print(f"thousand {thousand + 1}: {thousands[-1]:.1f} s")
    assert thousands[-1] < 1.5 * thousands[0]


def sparse(path: Path, size: int) -> Path:
    """Make a file that takes no room: holes, with something else in every 32 MiB."""
    with path.open("wb") as file:
        for place in range(0, size, 32 * MIB):
            file.seek(place)
            file.write(hashlib.sha256(str(place).encode()).digest() * 64)
        file.truncate(size)
    return path


def memory_of(peer: PeerProcess) -> int:
    """Return what a program holds now; its peak is counted from here on."""
    Path(f"/proc/{peer.process.pid}/clear_refs").write_text("5")
    return resident_bytes(peer.process.pid)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_four_gigabytes_come_whole_and_in_constant_memory(pair: Pair) -> None:
    size = 4 * 1024 * MIB + 123
    if shutil.disk_usage(pair.folder).free < 2 * size:
        pytest.skip("not enough room on this disk")
    pair["bo"].call("messages.send", conversation=pair.conversation, text="warm")
    path = sparse(pair.folder / "film.mkv", size)
    idle = {user: memory_of(pair[user]) for user in ("ana", "bo")}
    number = pair["ana"].post("files.send", conversation=pair.conversation, path=str(path))
    entry = pair["ana"].take(number, wait=300)["entry"]
    pair["bo"].wait_for("message_arrived", lambda event: event["message"].get("entry") == entry)
    began = time.monotonic()
    pair["bo"].call("files.fetch", entry=entry)
    got = pair.finished("bo", entry, wait=600)
    seconds = time.monotonic() - began
    more = {user: peak_bytes(pair[user].process.pid) - before for user, before in idle.items()}
    told = ", ".join(f"{user} {each / MIB:.1f} MiB" for user, each in more.items())
    print(f"4 GiB in {seconds:.1f} s; memory above idle: {told}")
    try:
        assert got.stat().st_size == size
        assert digest(got) == digest(path)
        assert max(more.values()) <= MOST_MEMORY, told
    finally:
        got.unlink()
