"""The files of an attachment are one stretch of bytes, on the disk and off it."""

import os
import random
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peer.errors import Refusal, RefusalCode
from peer.transfers import landing
from peer.transfers.content import Content, make_room
from peer.transfers.disk_errors import refusal_for_writing
from peer.transfers.preparing import prepare
from protocol.entries import Attachment
from protocol.identity import EntryId
from protocol.manifests import PieceTable, new_hasher, piece_length, read_table
from protocol.piece_sets import PieceSet

SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)


@SHARED_FOLDER
@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.data())
def test_what_is_written_anywhere_is_read_there(tmp_path: Path, sizes: list[int], data: st.DataObject) -> None:
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    parts = [(folder / str(number), size) for number, size in enumerate(sizes)]
    make_room(parts)
    expected = bytearray(sum(sizes))
    with Content(parts, writing=True) as content:
        for _ in range(5):
            start = data.draw(st.integers(0, len(expected)))
            written = data.draw(st.binary(max_size=len(expected) - start))
            content.write_at(start, memoryview(written))
            expected[start : start + len(written)] = written
        read = bytearray(len(expected))
        content.read_into(0, memoryview(read))
    assert read == expected
    assert b"".join(path.read_bytes() for path, _ in parts) == expected
    assert [path.stat().st_size for path, _ in parts] == sizes


def prepared(path: Path, copies: Path, largest_copy: int = -1) -> tuple[Attachment, PieceTable, Path]:
    found = prepare(path, copies, lambda: False, lambda _: None, largest_copy)
    entry = Attachment(
        EntryId(bytes(16)), bytes(16), "file", found.name, found.size, found.files, found.root, len(found.table)
    )
    return entry, read_table(entry, found.table), found.path


def content_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize("size", [0, 1, 262_143, 262_144, 262_145, 1_000_000])
@pytest.mark.parametrize("largest_copy", [-1, 10**9])
def test_a_prepared_file_is_proven_by_its_table(tmp_path: Path, size: int, largest_copy: int) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(content_of(size))
    entry, table, given_from = prepared(path, tmp_path / "copies", largest_copy)
    assert entry.size == size
    assert given_from == (tmp_path / "copies" / "x.bin" if largest_copy > 0 else path)
    content = given_from.read_bytes()
    for piece in range(table.pieces):
        hasher = new_hasher()
        start = piece * table.piece_bytes
        hasher.update(content[start : start + piece_length(size, piece)])
        assert hasher.digest() == table.hash_of(piece)


def test_a_folder_is_read_in_a_fixed_order(tmp_path: Path) -> None:
    folder = tmp_path / "lecture"
    for name in ("b/2.txt", "a.txt", "b/1.txt", "第一.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    entry, table, given_from = prepared(folder, tmp_path / "copies", 10**9)
    assert [line.path for line in table.files] == ["a.txt", "第一.txt", "b/1.txt", "b/2.txt"]
    assert given_from.read_text() == "a.txt第一.txtb/1.txtb/2.txt"
    assert entry.files == 4


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(bytes(1_000_000))

    def grow(_: int) -> None:
        with path.open("ab") as file:
            file.write(b"more")
        os.utime(path, ns=(1, 1))

    with pytest.raises(Refusal) as refused:
        prepare(path, tmp_path / "copies", lambda: False, grow, 10**9)
    assert refused.value.code is RefusalCode.FILE_CHANGED
    assert not (tmp_path / "copies").exists()


def test_preparing_ends_when_it_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(1_000_000))
    with pytest.raises(Refusal) as refused:
        prepare(path, tmp_path / "copies", lambda: True, lambda _: None, 10**9)
    assert refused.value.code is RefusalCode.CANCELLED
    assert not (tmp_path / "copies").exists()


# --- gathering and landing -------------------------------------------------------------------


def gathered(tmp_path: Path, size: int = 600_000) -> tuple[Attachment, PieceTable, landing.Place, bytes]:
    path = tmp_path / "source" / "x.bin"
    path.parent.mkdir()
    path.write_bytes(content_of(size))
    entry, table, _ = prepared(path, tmp_path / "copies")
    place = landing.place_at(entry, tmp_path / "downloads" / entry.name)
    return entry, table, place, content_of(size)


def test_only_pieces_that_prove_themselves_are_there_after_a_restart(tmp_path: Path) -> None:
    entry, table, place, content = gathered(tmp_path)
    parts, held = landing.gather_at(place.part, entry, table, b"")
    assert held.count == 0
    with Content(parts, writing=True) as writing:
        writing.write_at(0, memoryview(content[:262_144]))
        writing.write_at(262_144, memoryview(bytes(262_144)))
    _, held = landing.gather_at(place.part, entry, table, PieceSet.complete(entry.size).to_bytes())
    assert set(held) == {0}
    _, held = landing.gather_at(place.part, entry, table, b"")
    assert set(held) <= {0}, "what was written and not recorded counts where the system tells holes from data"


def test_what_was_thrown_away_is_begun_anew(tmp_path: Path) -> None:
    entry, table, place, _ = gathered(tmp_path)
    landing.gather_at(place.part, entry, table, b"")
    place.part.unlink()
    _, held = landing.gather_at(place.part, entry, table, PieceSet.complete(entry.size).to_bytes())
    assert held.count == 0
    landing.throw_away(place.part)
    assert not place.part.exists()


def complete(place: landing.Place, content: bytes) -> None:
    place.part.parent.mkdir(parents=True, exist_ok=True)
    place.part.write_bytes(content)


def test_landing_never_takes_the_place_of_another_file(tmp_path: Path) -> None:
    _, _, place, content = gathered(tmp_path)
    complete(place, content)
    place.path.write_text("somebody else's")
    with pytest.raises(FileExistsError):
        landing.land(place, is_folder=False)
    free = landing.free_place(place.path)
    assert free.name == "x (2).bin"
    landed = landing.land(place._replace(path=free), is_folder=False)
    assert landed.path.read_bytes() == content
    assert place.path.read_text() == "somebody else's"
    assert not place.part.exists()


def test_a_crash_just_after_landing_does_not_land_twice(tmp_path: Path) -> None:
    entry, table, place, content = gathered(tmp_path)
    everything = PieceSet.complete(entry.size).to_bytes()
    complete(place, content)
    assert not landing.is_landed(place, entry, table, everything)
    os.link(place.part, place.path)  # the crash came between the two steps
    assert landing.is_landed(place, entry, table, everything)
    assert not place.part.exists()
    assert landing.is_landed(place, entry, table, everything), "and after them"


def test_another_file_of_that_name_is_not_taken_for_it(tmp_path: Path) -> None:
    entry, table, place, content = gathered(tmp_path)
    everything = PieceSet.complete(entry.size).to_bytes()
    place.path.parent.mkdir()
    place.path.write_bytes(content[:-1] + b"?")
    assert not landing.is_landed(place, entry, table, everything)
    complete(place, content)
    assert not landing.is_landed(place, entry, table, everything)


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of that kind")
def test_a_disk_without_room_for_the_copy_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "x.bin"
    path.write_bytes(content_of(700_000))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
    try:
        with pytest.raises(Refusal) as refused:
            prepared(path, tmp_path / "copies", 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refused.value.code is RefusalCode.DISK_FULL
    assert not (tmp_path / "copies").exists()


def test_what_has_no_room_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    landing.need_room(tmp_path / "x.part", 1)
    with pytest.raises(OSError, match="space") as error:
        landing.need_room(tmp_path / "x.part", 2**60)
    assert refusal_for_writing(error.value).code is RefusalCode.DISK_FULL
