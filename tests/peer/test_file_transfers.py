"""Files between real programs: everything arrives byte for byte, whoever is killed whenever."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.harness.processes import PASSWORD, PeerProcess, Three, befriend

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

    def restart(self, user: str, *, inside: Sequence[str] = ()) -> PeerProcess:
        self.peers[user] = self.three.log_in(user, inside=inside)
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
    for peer in pair.peers.values():
        if sys.platform != "win32" and peer.process.poll() is None:
            peer.process.send_signal(signal.SIGCONT)  # a test that failed may have left it stopped
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
        everything = [{"user": other, "name": other.title(), "done": 10 * MIB + 7}]
        pair[by].wait_for(
            "transfer_progressed",
            lambda e, entry=entry, board=everything: (
                (e["transfer"]["entry"], e["transfer"]["holders"]) == (entry, board)
            ),  # type: ignore[misc]
        )
    assert not leftovers(pair)
    for user in ("ana", "bo"):
        assert (pair.folder / f"{user}.log").read_text() == "", "nothing that anybody should look at"


class _Paced:
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


# --- waiting, pausing, changing one's mind -----------------------------------------------------


def test_what_nobody_there_has_comes_by_itself_later(pair: Pair) -> None:
    path = pair.file("large.bin", 12 * MIB)
    entry = pair.send(path)
    pair["ana"].close()
    pair["bo"].wait_for("presence_changed", lambda e: not e["presence"]["online"])
    assert pair["bo"].call("files.fetch", entry=entry)["state"] == "waiting"
    waiting = pair["bo"].wait_for("transfer_progressed", lambda e: e["transfer"]["code"] == "nobody_has_it")
    assert "comes by itself" in waiting["transfer"]["reason"]
    pair["bo"].close()
    pair.restart("bo")
    pair.restart("ana")
    assert digest(pair.finished("bo", entry)) == digest(path)


def test_a_transfer_is_paused_resumed_cancelled_and_begun_again(pair: Pair) -> None:
    path = pair.file("large.bin", 64 * MIB)
    entry = pair.send(path)
    paced = _Paced(pair["ana"])
    pair["bo"].call("files.fetch", entry=entry)
    folder = pair.folder / "downloads" / "Hail" / "bo" / "Ana"
    part = folder / f".hail-{entry}.part"
    paced.until(lambda: _written(part, path.stat().st_size) > 8 * MIB)
    paused = pair["bo"].call("files.pause", entry=entry)
    assert paused["state"] == "paused"
    assert 0 < paused["done"] < paused["size"]
    paced.release()
    assert pair["bo"].call("files.cancel", entry=entry)["done"] == 0
    assert not part.exists()
    assert pair["bo"].call("files.decline", entry=entry)["state"] == "declined"
    assert digest(pair.fetch(entry)) == digest(path)


def test_a_file_is_saved_where_somebody_wants_it(pair: Pair) -> None:
    path = pair.file("large.bin", 2 * MIB)
    entry = pair.send(path)
    wanted = pair.folder / "my own place"
    wanted.mkdir()
    pair["bo"].call("files.fetch", entry=entry, path=str(wanted))
    assert pair.finished("bo", entry) == wanted / "large.bin"
    second = pair.send(pair.file("again.bin", 2 * MIB, seed=2))
    pair["bo"].call("files.fetch", entry=second, path=str(wanted / "large.bin"))
    assert pair.finished("bo", second) == wanted / "large (2).bin", "nothing is replaced"
    copy = pair["bo"].call("files.fetch", entry=second, path=str(pair.folder))
    assert copy["path"] == str(pair.folder / "again (2).bin"), "of what is here a copy is made"
    assert (wanted / "large (2).bin").read_bytes() == (pair.folder / "again (2).bin").read_bytes()


def test_what_is_on_its_way_goes_on_to_another_place(pair: Pair) -> None:
    path = pair.file("large.bin", 64 * MIB)
    entry = pair.send(path)
    paced = _Paced(pair["ana"])
    pair["bo"].call("files.fetch", entry=entry)
    part = pair.folder / "downloads" / "Hail" / "bo" / "Ana" / f".hail-{entry}.part"
    paced.until(lambda: _written(part, path.stat().st_size) > 16 * MIB)
    elsewhere = pair.folder / "elsewhere"
    elsewhere.mkdir()
    pair["bo"].events.clear()
    pair["bo"].call("files.fetch", entry=entry, path=str(elsewhere))
    done = paced.until(lambda: _first_told(pair["bo"]))
    assert done > 8 * MIB, "what had come was taken along"
    paced.release()
    assert pair.finished("bo", entry) == elsewhere / "large.bin"
    assert digest(elsewhere / "large.bin") == digest(path)
    assert not leftovers(pair)


@pytest.mark.parametrize("is_open", [True, False], ids=["through the open profile", "with a node of its own"])
def test_the_verb_sends_a_file_and_waits_until_somebody_has_it(pair: Pair, is_open: bool) -> None:
    path = pair.file("notes.bin", MIB // 2)
    if not is_open:
        pair["ana"].close()
    command = [sys.executable, "-m", "peer.command_line", "--profile", str(pair.folder / "ana"), "send-file"]
    done = subprocess.run(
        [*command, "bo", str(path), "--until-fetched"],
        env={**os.environ, "HAIL_PASSWORD": PASSWORD},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == b"delivered\n"
    (got,) = pair["bo"].call("files.list", conversation=pair.conversation)
    assert digest(Path(got["path"])) == digest(path)


def test_a_download_that_was_removed_is_gone_and_can_be_fetched_again(pair: Pair) -> None:
    path = pair.file("large.bin", 2 * MIB)
    entry = pair.send(path)
    pair.fetch(entry).unlink()
    pair["bo"].close()
    pair.restart("bo")
    gone = pair["bo"].wait_for("transfer_progressed", lambda e: e["transfer"]["entry"] == entry)["transfer"]
    assert (gone["state"], gone["path"]) == ("gone", "")
    assert digest(pair.fetch(entry)) == digest(path)


def test_the_sender_sees_how_fast_it_goes_out(pair: Pair) -> None:
    entry = pair.send(pair.file("large.bin", 128 * MIB))
    paced = _Paced(pair["bo"])
    number = pair["bo"].post("files.fetch", entry=entry)

    def seen() -> bool:
        told = [e["transfer"] for e in list(pair["ana"].events) if e["type"] == "transfer_progressed"]
        return any(each["speed"] > 0 and each["seconds_left"] > 0 for each in told)

    paced.until(seen, rest=0.04)
    paced.release()
    pair["bo"].take(number)
    pair.finished("bo", entry)
    pair["ana"].wait_for(
        "transfer_progressed", lambda e: e["transfer"]["holders"] != [] and e["transfer"]["seconds_left"] is None
    )


@pytest.mark.parametrize("how", ["killed", "closed"])
def test_what_was_not_read_yet_is_sent_after_a_restart(pair: Pair, how: str) -> None:
    large = pair.folder / "large.bin"
    with large.open("wb") as file:
        file.truncate(1024 * MIB)
    small = pair.file("small.bin", MIB)
    paced = _Paced(pair["ana"])
    for path in (large, small):
        pair["ana"].post("files.send", conversation=pair.conversation, path=str(path))
    paced.until(lambda: len(_preparing(pair["ana"])) == 2)
    if how == "killed":
        pair["ana"].kill()
    else:
        paced.release()
        pair["ana"].close()
    assert not [event for event in pair["bo"].events if event["type"] == "message_arrived"]
    pair.restart("ana")
    for name in ("large.bin", "small.bin"):
        pair["bo"].wait_for("message_arrived", lambda e, name=name: e["message"]["attachment"]["name"] == name)  # type: ignore[misc]
    arrived = [e["message"]["attachment"]["name"] for e in pair["bo"].events if e["type"] == "message_arrived"]
    assert arrived == ["large.bin", "small.bin"]
    assert not list((pair.folder / "ana").rglob("sent/*/large.bin")), "what is large is not copied"


def _preparing(peer: PeerProcess) -> set[str]:
    """Return what is being read or waits for that."""
    told = [event["transfer"] for event in list(peer.events) if event["type"] == "transfer_progressed"]
    return {each["name"] for each in told if each["state"] == "preparing"}


# --- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["changed", "vanished"])
def test_a_source_that_changes_is_noticed_and_said_at_both_ends(pair: Pair, how: str) -> None:
    path = pair.file("larger than what is copied.bin", 65 * MIB)
    entry = pair.send(path)
    if how == "vanished":
        path.unlink()
    else:
        with path.open("r+b") as file:
            file.write(b"another beginning")
    pair["bo"].call("files.fetch", entry=entry)
    failed = pair["bo"].wait_for("transfer_failed")["transfer"]
    assert (failed["code"], failed["state"]) == ("file_changed", "failed")
    assert failed["reason"] == "The file was changed or removed at Ana's end. Ask Ana to send it again."
    gone = pair["ana"].wait_for("transfer_progressed", lambda e: e["transfer"]["state"] == "gone")["transfer"]
    assert gone["code"] == "file_changed"


def test_a_file_of_nothing_and_one_with_the_longest_name_come_through(pair: Pair) -> None:
    for name, size in (("nothing.txt", 0), ("字" * 85, 100), ("字" * 83 + ".txt", 100)):
        assert len(name.encode()) <= 255
        path = pair.file(name, size)
        got = pair.finished("bo", pair.send(path))
        assert got.name == name
        assert got.read_bytes() == path.read_bytes()


def on_a_disk_of_its_own(folder: Path, options: str) -> list[str]:
    """Return the command that runs another one with a fresh tmpfs at `folder`; skip where that is not allowed."""
    command = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o "$1" hail "$2" && shift 2 && exec "$@"', "sh"]
    folder.mkdir(exist_ok=True)
    inside = [*command, options, str(folder)]
    try:
        subprocess.run([*inside, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no mounts in a user namespace are allowed here")
    return inside


@pytest.mark.parametrize(("options", "code"), [("size=4m", "disk_full"), ("ro", "read_only")])
def test_a_disk_that_takes_nothing_is_said_and_costs_nothing(pair: Pair, options: str, code: str) -> None:
    inside = on_a_disk_of_its_own(pair.folder / "downloads", options)
    path = pair.file("large.bin", 16 * MIB)
    entry = pair.send(path)
    pair["bo"].close()
    pair.restart("bo", inside=inside)
    pair["bo"].call("files.fetch", entry=entry)
    failed = pair["bo"].wait_for("transfer_failed")["transfer"]
    assert (failed["code"], failed["state"]) == (code, "failed")
    assert failed["reason"].count(".") <= 2
    pair["bo"].call("messages.send", conversation=pair.conversation, text="still here")
    pair["ana"].wait_for("message_arrived", lambda e: e["message"]["text"] == "still here")
    elsewhere = pair.folder / "elsewhere"
    elsewhere.mkdir()
    pair["bo"].call("files.fetch", entry=entry, path=str(elsewhere))
    assert digest(pair.finished("bo", entry)) == digest(path)


def test_seven_thousand_small_files_come_as_one(pair: Pair) -> None:
    folder = pair.folder / "many"
    for number in range(7_000):
        path = folder / f"{number % 70:02}" / f"{number:04}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number}\n" * 20)
    entry = pair.send(folder)
    assert pair.transfer("bo", entry)["files"] == 7_000
    began = time.monotonic()
    got = pair.fetch(entry)
    assert time.monotonic() - began < 30
    ours = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.txt")}
    theirs = {path.relative_to(got): path.read_bytes() for path in got.rglob("*") if path.is_file()}
    assert ours == theirs


def test_nothing_is_given_to_anybody_who_is_no_friend(pair: Pair) -> None:
    entry = pair.send(pair.file("large.bin", 12 * MIB))
    pair["ana"].call("contacts.remove", user="bo")
    pair["bo"].wait_for("contact_changed", lambda e: e["contact"]["state"] == "removed")
    pair["bo"].call("files.fetch", entry=entry)
    time.sleep(1)
    assert pair.transfer("bo", entry)["state"] == "waiting"
    pair["ana"].call("contacts.ask", user="bo", note="")
    pair["bo"].wait_for("contact_asked")
    pair["bo"].call("contacts.accept", user="ana")
    pair.finished("bo", entry)


@pytest.mark.parametrize("how", ["paused", "failed"])
def test_what_came_before_it_was_held_up_is_given_to_others(pair: Pair, how: str) -> None:
    cy = pair.three.registered("cy")
    befriend(pair["ana"], cy, "ana", "cy")
    group = pair["ana"].call("groups.create", name="Lab", members=["bo", "cy"])["conversation"]
    pair.conversation = group
    path = pair.file("large.bin", 80 * MIB)
    entry = pair.send(path)
    cy.wait_for("message_arrived", lambda event: event["message"]["entry"] == entry)
    paced = _Paced(pair["ana"])
    number = pair["bo"].post("files.fetch", entry=entry)
    part = pair.folder / "downloads" / "Hail" / "bo" / "Lab" / f".hail-{entry}.part"
    paced.until(lambda: _written(part, 80 * MIB) > 24 * MIB)
    if how == "paused":
        done = pair["bo"].call("files.pause", entry=entry)["done"]
        paced.release()
        pair["ana"].close()
    else:
        with path.open("r+b") as file:
            file.truncate(MIB)
        paced.release()
        done = pair["bo"].wait_for("transfer_failed")["transfer"]["done"]
    pair["bo"].take(number)
    assert 0 < done < 80 * MIB
    cy.call("files.fetch", entry=entry)
    cy.wait_for("transfer_progressed", lambda e: e["transfer"]["done"] == done, wait=60)
    pair["bo"].call("files.cancel", entry=entry)
    deadline = time.monotonic() + 20
    while {"user": "bo", "name": "Bo", "done": 0} not in cy.call("files.list", conversation=group)[0]["holders"]:
        assert time.monotonic() < deadline, "they were never told that it is no more"
        time.sleep(0.05)


def test_whoever_of_a_group_has_a_file_gives_it(pair: Pair) -> None:
    cy = pair.three.registered("cy")
    befriend(pair["ana"], cy, "ana", "cy")
    group = pair["ana"].call("groups.create", name="Lab", members=["bo", "cy"])["conversation"]
    path = pair.file("large.bin", 8 * MIB)
    entry = pair["ana"].call("files.send", conversation=group, path=str(path))["entry"]
    for peer in (pair["bo"], cy):
        peer.wait_for("message_arrived", lambda event: event["message"]["entry"] == entry)
    pair.fetch(entry)
    board = [{"user": "bo", "name": "Bo", "done": 8 * MIB}]
    pair["ana"].wait_for("transfer_progressed", lambda event: event["transfer"]["holders"] == board)
    pair["ana"].close()
    cy.call("files.fetch", entry=entry)
    finished = cy.wait_for("transfer_finished", lambda event: event["transfer"]["entry"] == entry, wait=60)
    assert digest(Path(finished["transfer"]["path"])) == digest(path)
    assert Path(finished["transfer"]["path"]).parent.name == "Lab"
