"""A transfer goes on from where it was: after kills, restarts, at a new address, after sleep."""

import socket
import sys
import time

import pytest

from tests.harness.file_pair import MIB, UNSURE, Paced, Pair, digest, first_told, written
from tests.harness.processes import PASSWORD, PeerProcess

LARGE = 64 * MIB

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals that stop and go on")


def in_turn(tenth: int) -> str:
    return "ana" if tenth % 2 else "bo"


@pytest.mark.parametrize(
    "victims",
    [
        [in_turn(tenth) for tenth in range(1, 10)],
        pytest.param(["ana"] * 9, marks=pytest.mark.long),
        pytest.param(["bo"] * 9, marks=pytest.mark.long),
    ],
    ids=["both in turn", "ana", "bo"],
)
def test_a_transfer_killed_at_each_tenth_is_finished_from_where_it_was(pair: Pair, victims: list[str]) -> None:
    path = pair.file("large.bin", LARGE)
    entry = pair.send(path)
    pair["bo"].call("files.fetch", entry=entry)
    part = pair.part("bo", entry)
    kills = 0
    for tenth, victim in enumerate(victims, start=1):
        paced = Paced(pair["bo" if victim == "ana" else "ana"])
        paced.until(lambda tenth=tenth: written(part, LARGE) >= LARGE * tenth // 10)  # type: ignore[misc]
        pair[victim].kill()
        kills += 1
        before = written(part, LARGE)
        pair["bo"].events.clear()
        pair.restart(victim)
        done = paced.until(lambda: first_told(pair["bo"]))
        assert done >= before - UNSURE, f"begun anew after kill {tenth}"
        paced.release()
        if done == LARGE:
            break
    assert kills >= 3, "it went too fast to be killed"
    got = pair.wait_until_here(entry)
    assert digest(got) == digest(path)
    assert sorted(each.name for each in got.parent.iterdir()) == ["large.bin"]


@pytest.mark.parametrize("mover", ["ana", "bo"])
def test_a_transfer_goes_on_when_somebody_is_at_another_port(pair: Pair, mover: str) -> None:
    path = pair.file("large.bin", LARGE)
    entry = pair.send(path)
    other = "bo" if mover == "ana" else "ana"
    paced = Paced(pair[other])
    wanted = pair["bo"].post("files.fetch", entry=entry)
    part = pair.part("bo", entry)
    paced.until(lambda: written(part, LARGE) >= LARGE // 4)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # not where they were until now: that is taken
    pair[mover].call("session.logout")
    before = written(part, LARGE)
    pair["bo"].events.clear()
    login = {"locator": pair.three.locator.link, "user": mover, "password": PASSWORD}
    pair[mover].call("session.login", **login, listen_port=port)
    done = paced.until(lambda: first_told(pair["bo"]))
    paced.release()
    assert LARGE > done >= before - UNSURE, "begun anew"
    pair["bo"].take(wanted)
    assert digest(pair.wait_until_here(entry)) == digest(path)


@pytest.mark.long
@pytest.mark.parametrize("sleeper", ["ana", "bo"])
def test_a_transfer_goes_on_when_a_computer_wakes_up(pair: Pair, sleeper: str) -> None:
    """It sleeps for longer than any wait of the other side: link, content that is due, idle connection, lease."""
    path = pair.file("large.bin", LARGE)
    entry = pair.send(path)
    paced = Paced(pair[sleeper])
    wanted = pair["bo"].post("files.fetch", entry=entry)
    part = pair.part("bo", entry)
    paced.until(lambda: written(part, LARGE) >= LARGE // 4)
    time.sleep(45)
    before = written(part, LARGE)
    assert before < LARGE
    pair["bo"].events.clear()
    paced.release()
    pair["bo"].take(wanted)
    got = pair.wait_until_here(entry)
    assert first_told(pair["bo"]) >= before - UNSURE, "begun anew"
    assert digest(got) == digest(path)


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


def test_a_download_that_was_removed_is_gone_and_can_be_fetched_again(pair: Pair) -> None:
    path = pair.file("large.bin", 2 * MIB)
    entry = pair.send(path)
    pair.fetch(entry).unlink()
    pair["bo"].close()
    pair.restart("bo")
    gone = pair["bo"].wait_for("transfer_progressed", lambda e: e["transfer"]["entry"] == entry)["transfer"]
    assert (gone["state"], gone["path"]) == ("gone", "")
    assert digest(pair.fetch(entry)) == digest(path)


@pytest.mark.parametrize("how", ["killed", "closed"])
def test_what_was_not_read_yet_is_sent_after_a_restart(pair: Pair, how: str) -> None:
    large = pair.folder / "huge.bin"
    with large.open("wb") as file:
        file.truncate(1024 * MIB)
    small = pair.file("small.bin", MIB)
    paced = Paced(pair["ana"])
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
    for name in ("huge.bin", "small.bin"):
        pair["bo"].wait_for("message_arrived", lambda e, name=name: e["message"]["attachment"]["name"] == name)  # type: ignore[misc]
    arrived = [e["message"]["attachment"]["name"] for e in pair["bo"].events if e["type"] == "message_arrived"]
    assert arrived == ["huge.bin", "small.bin"]
    assert not list((pair.home / "ana").rglob("sent/*/huge.bin")), "what is large is not copied"


def _preparing(peer: PeerProcess) -> set[str]:
    """Return what is being read or waits for that."""
    told = [event["transfer"] for event in list(peer.events) if event["type"] == "transfer_progressed"]
    return {each["name"] for each in told if each["state"] == "preparing"}
