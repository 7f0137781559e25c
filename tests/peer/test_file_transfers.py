"""Files between real programs: what a person does with them, and what goes wrong."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.harness.file_pair import MIB, Paced, Pair, digest, first_told, written
from tests.harness.processes import PASSWORD, befriend


def test_ten_megabytes_come_through_both_ways(pair: Pair) -> None:
    for by, other in (("ana", "bo"), ("bo", "ana")):
        path = pair.file(f"from {by}.bin", 10 * MIB + 7)
        entry = pair.send(path, by)
        got = pair.fetch(entry, other)
        assert digest(got) == digest(path)
        assert got == pair.landing(other) / path.name
        assert pair.lands_by_itself[other] == pair.home / "downloads" / "Hail" / other
        everything = [{"user": other, "name": other.title(), "done": 10 * MIB + 7}]
        pair[by].wait_for(
            "transfer_progressed",
            lambda e, entry=entry, board=everything: (
                (e["transfer"]["entry"], e["transfer"]["holders"]) == (entry, board)
            ),  # type: ignore[misc]
        )
    assert not pair.leftovers()
    for user in ("ana", "bo"):
        assert (pair.home / f"{user}.log").read_text() == "", "nothing that anybody should look at"


# --- waiting, pausing, changing one's mind -----------------------------------------------------


def test_a_transfer_is_paused_resumed_cancelled_and_begun_again(pair: Pair) -> None:
    path = pair.file("large.bin", 64 * MIB)
    entry = pair.send(path)
    paced = Paced(pair["ana"])
    pair["bo"].call("files.fetch", entry=entry)
    part = pair.part("bo", entry)
    paced.until(lambda: written(part, path.stat().st_size) > 8 * MIB)
    paused = pair["bo"].call("files.pause", entry=entry)
    assert paused["state"] == "paused"
    assert 0 < paused["done"] < paused["size"]
    paced.release()
    assert pair["bo"].call("files.cancel", entry=entry)["done"] == 0
    assert not part.exists()
    assert pair["bo"].call("files.decline", entry=entry)["state"] == "declined"
    assert digest(pair.fetch(entry)) == digest(path)


def test_a_folder_tells_how_many_of_its_files_are_whole(pair: Pair) -> None:
    folder = pair.folder / "lecture"
    for number in range(64):
        path = folder / f"part {number % 4}" / f"{number:02}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]) * MIB)
    entry = pair.send(folder)
    paced = Paced(pair["ana"])
    pair["bo"].call("files.fetch", entry=entry)
    paced.until(lambda: pair.transfer("bo", entry)["files_done"] >= 8)
    paused = pair["bo"].call("files.pause", entry=entry)
    paced.release()
    assert 8 <= paused["files_done"] <= paused["done"] // MIB < 64
    pair["bo"].close()
    pair.restart("bo")
    assert pair.transfer("bo", entry)["files_done"] == paused["files_done"]
    pair.fetch(entry)
    assert pair.transfer("bo", entry)["files_done"] == 64


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
    paced = Paced(pair["ana"])
    pair["bo"].call("files.fetch", entry=entry)
    part = pair.part("bo", entry)
    paced.until(lambda: written(part, path.stat().st_size) > 16 * MIB)
    elsewhere = pair.folder / "elsewhere"
    elsewhere.mkdir()
    pair["bo"].events.clear()
    pair["bo"].call("files.fetch", entry=entry, path=str(elsewhere))
    done = paced.until(lambda: first_told(pair["bo"]))
    assert done > 8 * MIB, "what had come was taken along"
    paced.release()
    assert pair.finished("bo", entry) == elsewhere / "large.bin"
    assert digest(elsewhere / "large.bin") == digest(path)
    assert not pair.leftovers()


@pytest.mark.parametrize("is_open", [True, False], ids=["through the open profile", "with a node of its own"])
def test_the_verb_sends_a_file_and_waits_until_somebody_has_it(pair: Pair, is_open: bool) -> None:
    path = pair.file("notes.bin", MIB // 2)
    if not is_open:
        pair["ana"].close()
    command = [sys.executable, "-m", "peer.command_line", "--profile", str(pair.home / "ana"), "send-file"]
    done = subprocess.run(
        [*command, "bo", str(path), "--until-fetched"],
        env={**os.environ, "HAIL_PASSWORD": PASSWORD},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == b"delivered\n"
    got = pair["bo"].call("files.list", conversation=pair.conversation)[0]
    assert digest(Path(got["path"])) == digest(path)


def test_the_sender_sees_how_fast_it_goes_out(pair: Pair) -> None:
    entry = pair.send(pair.file("large.bin", 128 * MIB))
    paced = Paced(pair["bo"])
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
    name = {"paused": "cy", "failed": "di"}[how]
    cy = pair.three.registered(name)
    befriend(pair["ana"], cy, "ana", name)
    group = pair["ana"].call("groups.create", name=f"Lab of {name}", members=["bo", name])["conversation"]
    pair.conversation = group
    path = pair.file("large.bin", 80 * MIB)
    entry = pair.send(path)
    cy.wait_for("message_arrived", lambda event: event["message"]["entry"] == entry)
    paced = Paced(pair["ana"])
    number = pair["bo"].post("files.fetch", entry=entry)
    part = pair.part("bo", entry, f"Lab of {name}")
    paced.until(lambda: written(part, 80 * MIB) > 24 * MIB)
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
    cy = pair.three.registered("ed")
    befriend(pair["ana"], cy, "ana", "ed")
    group = pair["ana"].call("groups.create", name="Lab", members=["bo", "ed"])["conversation"]
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
