"""Files whose messages are deleted, between real programs: what the program put somewhere goes, all else stays."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.file_pair import MIB, Pair
from tests.harness.processes import RpcRefusal


def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "that did not happen in time"
        time.sleep(0.05)


def delete(pair: Pair, entry: str, by: str = "ana") -> None:
    pair[by].call("messages.delete", entry=entry, for_all=True)
    for peer in pair.peers.values():
        peer.wait_for("message_changed", lambda e: e["message"]["entry"] == entry and e["message"]["kind"] == "deleted")


def sent_copies(pair: Pair, user: str = "ana") -> list[Path]:
    return list((pair.home / user).rglob("sent/*/*"))


def test_a_deleted_file_leaves_both_computers_but_not_what_somebody_saved(pair: Pair) -> None:
    original, elsewhere = pair.file("slides.pdf", 2 * MIB), pair.folder / "elsewhere"
    elsewhere.mkdir()
    entry, kept = pair.send(original), pair.send(pair.file("kept.pdf", 3 * MIB))
    landed = pair.fetch(entry)
    pair["bo"].call("files.fetch", entry=kept, path=str(elsewhere))
    saved = pair.finished("bo", kept)
    assert landed.exists()
    assert saved.parent == elsewhere
    assert len(sent_copies(pair)) == 2
    for each in (entry, kept):
        delete(pair, each)
    until(lambda: not landed.exists() and not sent_copies(pair))
    assert original.exists(), "what was sent from where it lay stays there"
    assert saved.exists(), "what somebody saved elsewhere is theirs"
    for user in ("ana", "bo"):
        assert pair[user].call("files.list", conversation=pair.conversation) == []
        with pytest.raises(RpcRefusal) as refused:
            pair[user].call("files.fetch", entry=entry)
        assert refused.value.code == "unknown_entry"
        assert (pair.home / f"{user}.log").read_text() == ""


def test_a_folder_goes_but_for_what_somebody_put_there_or_changed(pair: Pair) -> None:
    folder = pair.folder / "notes"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.txt", "b.txt", "deep/c.txt"):
        (folder / name).write_text(name * 100)
    landed = pair.fetch(pair.send(folder))
    (landed / "mine.txt").write_text("my own")
    (landed / "b.txt").write_text("I wrote more into this one")
    entry = pair["bo"].call("files.list", conversation=pair.conversation)[0]["entry"]
    delete(pair, entry)
    until(lambda: not (landed / "a.txt").exists() and not (landed / "deep").exists())
    assert sorted(path.name for path in landed.iterdir()) == ["b.txt", "mine.txt"]


def test_a_transfer_under_way_ends_and_leaves_nothing(pair: Pair) -> None:
    entry = pair.send(pair.file("big.bin", 150 * MIB))
    pair["bo"].call("files.fetch", entry=entry)
    pair["bo"].wait_for("transfer_progressed", lambda e: e["transfer"]["entry"] == entry and e["transfer"]["done"] > 0)
    delete(pair, entry)
    downloads = pair.folder / "downloads"
    until(lambda: not [path for path in downloads.rglob("*") if path.is_file()])
    last = [e for e in pair["bo"].events if e["type"].startswith("transfer") or e["type"] == "message_changed"][-1]
    assert (last["type"], last["message"]["kind"]) == ("message_changed", "deleted")
    assert pair["bo"].call("files.list", conversation=pair.conversation) == []
    for user in ("ana", "bo"):
        assert (pair.home / f"{user}.log").read_text() == ""


def test_what_a_crash_left_goes_at_the_next_start(pair: Pair) -> None:
    entry = pair.send(pair.file("slides.pdf", MIB * 2))
    landed = pair.fetch(entry)
    pair["bo"].kill()
    pair["ana"].call("messages.delete", entry=entry, for_all=True)
    until(lambda: not sent_copies(pair))
    pair.restart("bo")
    until(lambda: not landed.exists())
    message = pair["bo"].call("messages.list", conversation=pair.conversation)[-1]
    assert (message["kind"], message["attachment"]) == ("deleted", None)
