"""Save as: where something lands, whatever it is doing at that moment."""

import asyncio
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from peer import limits
from peer.errors import Refusal, RefusalCode
from peer.transfers import saving
from peer.transfers.content import Content
from peer.transfers.preparing import prepare
from peer.transfers.saving import SourceChangedError, save_copy
from peer.views import MessageView, TransferState
from protocol.entries import Attachment
from protocol.identity import EntryId
from protocol.manifests import PieceTable, read_table
from tests.harness.world import LinkedPeers, World


def path_in(message: MessageView) -> Path:
    assert message.attachment is not None
    return Path(message.attachment.path)


def state_of(message: MessageView) -> TransferState:
    assert message.attachment is not None
    return message.attachment.state


def folder_of_files(at: Path) -> Path:
    (at / "notes").mkdir(parents=True)
    (at / "slides.pdf").write_bytes(random.Random(1).randbytes(300_000))
    (at / "notes" / "第一.txt").write_text("one")
    (at / "notes" / "nothing.txt").touch()
    return at


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("is_copied", [True, False], ids=["from the profile's copy", "from where it lies"])
async def test_a_file_that_is_here_is_copied_there(
    world: World, linked_peers: LinkedPeers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_copied: bool
) -> None:
    if not is_copied:
        monkeypatch.setattr(limits, "COPIED_BYTES", 10)
    ana, _, conversation = await linked_peers()
    path = tmp_path / "slides.pdf"
    path.write_bytes(random.Random(1).randbytes(600_000))
    sent = await ana.node.send_file(conversation, path)
    place = tmp_path / "usb stick"
    place.mkdir()
    for wanted, landed in (
        (place, place / "slides.pdf"),
        (place, place / "slides (2).pdf"),
        (place / "mine.pdf", place / "mine.pdf"),
        (tmp_path / "new" / "folder" / "mine.pdf", tmp_path / "new" / "folder" / "mine.pdf"),
    ):
        saved = await ana.node.fetch_file(sent.entry, wanted)
        assert (path_in(saved), state_of(saved)) == (landed, TransferState.HERE)
        assert landed.read_bytes() == path.read_bytes()
    (listed,) = await ana.node.files(conversation)
    assert path_in(listed) == path_in(sent), "it is where it was, too"
    assert not list(tmp_path.rglob(".hail-*"))


@pytest.mark.parametrize("is_copied", [True, False], ids=["from the profile's copy", "from where it lies"])
async def test_a_folder_that_is_here_is_copied_there(
    world: World, linked_peers: LinkedPeers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_copied: bool
) -> None:
    if not is_copied:
        monkeypatch.setattr(limits, "COPIED_BYTES", 10)
    ana, _, conversation = await linked_peers()
    folder = folder_of_files(tmp_path / "lecture")
    sent = await ana.node.send_file(conversation, folder)
    (tmp_path / "usb").mkdir()
    for name in ("lecture", "lecture (2)"):
        saved = await ana.node.fetch_file(sent.entry, tmp_path / "usb")
        assert path_in(saved) == tmp_path / "usb" / name
        assert tree(path_in(saved)) == tree(folder)


@pytest.mark.parametrize("how", ["changed", "removed"])
async def test_what_is_here_no_more_is_fetched_again_to_where_it_is_wanted(
    world: World, linked_peers: LinkedPeers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(limits, "COPIED_BYTES", 10)
    ana, _, conversation = await linked_peers()
    path = tmp_path / "slides.pdf"
    path.write_bytes(b"x" * 1_000)
    sent = await ana.node.send_file(conversation, path)
    if how == "removed":
        path.unlink()
    else:
        path.write_bytes(b"y" * 1_000)
    wanted = tmp_path / "usb"
    wanted.mkdir()
    assert state_of(await ana.node.fetch_file(sent.entry, wanted)) is TransferState.WAITING
    told = [state_of(event.message) for event in ana.told("transfer_progressed")]
    assert TransferState.GONE in told
    assert list(wanted.iterdir()) == []


async def test_a_file_that_was_removed_can_be_fetched_again_at_once(
    world: World, linked_peers: LinkedPeers, tmp_path: Path
) -> None:
    ana, _, conversation = await linked_peers()
    path = tmp_path / "slides.pdf"
    path.write_bytes(b"x" * 1_000)
    sent = await ana.node.send_file(conversation, path)
    assert state_of(await ana.node.fetch_file(sent.entry)) is TransferState.HERE
    path_in(sent).unlink()
    assert state_of(await ana.node.fetch_file(sent.entry)) is TransferState.WAITING


@pytest.mark.parametrize("name", ["a\0b", "bad \udcff name"])
async def test_a_place_that_cannot_be_kept_is_refused(
    world: World, linked_peers: LinkedPeers, tmp_path: Path, name: str
) -> None:
    ana, _, conversation = await linked_peers()
    path = tmp_path / "slides.pdf"
    path.write_bytes(b"x")
    sent = await ana.node.send_file(conversation, path)
    with pytest.raises(Refusal) as refused:
        await ana.node.fetch_file(sent.entry, tmp_path / name)
    assert refused.value.code is RefusalCode.BAD_NAME
    with pytest.raises(Refusal) as refused:
        await ana.node.set_downloads(tmp_path / name)
    assert refused.value.code is RefusalCode.BAD_NAME


async def test_a_place_that_takes_nothing_is_told_in_a_sentence(
    world: World, linked_peers: LinkedPeers, tmp_path: Path
) -> None:
    ana, _, conversation = await linked_peers()
    path = tmp_path / "slides.pdf"
    path.write_bytes(b"x")
    sent = await ana.node.send_file(conversation, path)
    with pytest.raises(Refusal, match="cannot be written"):
        await ana.node.fetch_file(sent.entry, path / "below a file.pdf")
    saved = await ana.node.fetch_file(sent.entry, tmp_path / ("字" * 200 + ".pdf"))
    assert len(path_in(saved).name.encode()) <= 255
    assert path_in(saved).suffix == ".pdf"


async def test_how_far_a_large_copy_is_is_told_until_it_is_there(
    world: World, linked_peers: LinkedPeers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_is_there, go_on = threading.Event(), threading.Event()
    copy_piece = saving._copy_piece

    def slowly(original: Content, copy: Content, table: PieceTable, piece: int) -> None:
        if piece == 1:
            first_is_there.set()
            go_on.wait(60)
        copy_piece(original, copy, table, piece)

    monkeypatch.setattr(saving, "_copy_piece", slowly)
    with ThreadPoolExecutor(1) as thread:
        world.workers["saving"] = thread
        ana, _, conversation = await linked_peers()
        path = tmp_path / "slides.pdf"
        path.write_bytes(random.Random(1).randbytes(600_000))
        sent = await ana.node.send_file(conversation, path)
        ana.events.clear()
        copying = asyncio.create_task(ana.node.fetch_file(sent.entry, tmp_path / "copy.pdf"))
        while not first_is_there.is_set():
            await asyncio.sleep(0)
            time.sleep(0.001)  # noqa: ASYNC251 - the other thread needs time that is real
        await asyncio.sleep(1)
        go_on.set()
        saved = await copying
    told = [event.message.attachment.saving for event in ana.told("transfer_progressed")]
    assert told[:3] == [256 * 1024] * 3
    assert told[:-1] == sorted(told[:-1])
    assert told[-1] is None, "it is over"
    assert path_in(saved).read_bytes() == path.read_bytes()


# --- the copy itself ---------------------------------------------------------------------------


class Prepared:
    """Something of three pieces, as it is when it was sent."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "original.bin"
        self.path.write_bytes(random.Random(2).randbytes(700_000))
        made = prepare(self.path, folder / "copies", lambda: False, lambda _: None, 0)
        self.body = Attachment(
            EntryId(b"e" * 16), b"s" * 16, "file", made.name, made.size, 0, made.root, len(made.table)
        )
        self.table = read_table(self.body, made.table)

    def save(self, to: Path, *, after: int = 1_000) -> Path:
        """Copy it; it is cancelled after so many pieces."""
        seen: list[int] = []

        def went_on(done: int) -> bool:
            seen.append(done)
            return len(seen) <= after

        return save_copy([(self.path, self.body.size)], self.body, self.table, to, went_on)


def test_a_copy_of_something_else_is_not_kept(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path)
    with prepared.path.open("r+b") as file:
        file.seek(400_000)
        file.write(b"something else")
    to = tmp_path / "to"
    with pytest.raises(SourceChangedError):
        prepared.save(to / "a.bin")
    prepared.path.unlink()
    with pytest.raises(SourceChangedError):
        prepared.save(to / "a.bin")
    assert list(to.iterdir()) == []


def test_a_copy_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    to = tmp_path / "to"
    with pytest.raises(Refusal) as refused:
        Prepared(tmp_path).save(to / "a.bin", after=1)
    assert refused.value.code is RefusalCode.CANCELLED
    assert list(to.iterdir()) == []


def test_what_a_crash_left_of_a_copy_is_replaced(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path)
    to = tmp_path / "to"
    to.mkdir()
    (to / f".hail-{prepared.body.entry_id.hex()}.copy").write_bytes(b"half of it" * 100_000)
    assert prepared.save(to / "a.bin").read_bytes() == prepared.path.read_bytes()
    assert [path.name for path in to.iterdir()] == ["a.bin"]


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of that kind")
def test_a_disk_that_has_no_room_for_the_copy_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    import resource

    prepared = Prepared(tmp_path)
    to = tmp_path / "to"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
    try:
        with pytest.raises(Refusal) as refused:
            prepared.save(to / "a.bin")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refused.value.code is RefusalCode.DISK_FULL
    assert list(to.iterdir()) == []
