"""Where what is fetched lands: gathered beside its place, then put there in one step. Blocking, for a file thread."""

import contextlib
import errno
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from peer import limits as node_limits
from peer.safe_paths import free_path, safe_name, safe_tree
from peer.transfers.content import Content, Part, flush_names, flush_to_disk, make_room
from protocol.entries import Attachment
from protocol.manifests import PieceTable, new_hasher, piece_length
from protocol.piece_sets import PieceSet


class Place(NamedTuple):
    """Where an attachment is to be, and where it is gathered until then: beside it, so on the same file system."""

    path: Path
    part: Path


class Landed(NamedTuple):
    """Where an attachment is now."""

    path: Path
    mark: int
    """When the file was last changed (ns); 0 for a folder."""


def choose_place(body: Attachment, wanted: Path) -> Path:
    """Return where an attachment goes that a person wants in a folder, or under a name."""
    return wanted / safe_name(body.name) if os.path.isdir(wanted) else wanted  # noqa: PTH112 - it never raises


def place_at(body: Attachment, path: Path) -> Place:
    """Return where an attachment is gathered that is to be at `path`."""
    return Place(path, path.with_name(f".hail-{body.entry_id.hex()}.part"))


def move_part(part: Path, to: Path) -> None:
    """Take what was gathered along to another place, on whatever disk; raise OSError."""
    if not part.exists():
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        part.rename(to)
    except OSError:
        throw_away(to)
        if part.is_dir():
            shutil.copytree(part, to)
        else:
            shutil.copyfile(part, to)
        throw_away(part)


def parts_at(path: Path, body: Attachment, table: PieceTable) -> list[Part]:
    """Return the files of a fetched attachment that is, or is gathered, at `path`."""
    if not body.files:
        return [(path, table.size)]
    places = safe_tree(path, [line.path for line in table.files])
    return [(place, line.size) for place, line in zip(places, table.files, strict=True)]


def gather_at(part: Path, body: Attachment, table: PieceTable, recorded: bytes) -> tuple[list[Part], PieceSet]:
    """Make room for what comes, and return what is there from before: the pieces that prove themselves.

    What was recorded may be behind what was written; a crash costs neither.
    """
    parts = parts_at(part, body, table)
    is_known = part.exists()
    make_room(parts)
    known, held = PieceSet(body.size, recorded), PieceSet(body.size)
    if is_known:
        with Content(parts) as content:
            for piece in range(table.pieces):
                start, length = piece * table.piece_bytes, piece_length(body.size, piece)
                may_be_there = piece in known or content.may_have_data(start, length)
                if may_be_there and _proves_itself(content, table, piece):
                    held.add(piece)
    need_room(part, body.size - held.bytes_held)
    return parts, held


def need_room(part: Path, size: int) -> None:
    """Raise OSError where so many bytes more have no room: at once, before nothing else has any either."""
    if size > shutil.disk_usage(part.parent).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def is_landed(place: Place, body: Attachment, table: PieceTable, recorded: bytes) -> bool:
    """Tell whether everything is under its name already, because a crash came just after that."""
    if not PieceSet(body.size, recorded).is_complete or not place.path.exists():
        return False
    if place.part.exists():
        if body.files or not place.part.samefile(place.path):
            return False
        place.part.unlink()
        return True
    parts = parts_at(place.path, body, table)
    with contextlib.suppress(OSError, EOFError), Content(parts) as content:
        return all(path.stat().st_size == size for path, size in parts) and all(
            _proves_itself(content, table, piece) for piece in range(table.pieces)
        )
    return False


def flush(parts: list[Part], part: Path, *, is_folder: bool) -> None:
    """Return when all that was gathered is on the disk."""
    flush_to_disk(parts, part if is_folder else None)


def free_place(wanted: Path) -> Path:
    """Return the wanted place, or one with a number where something is there already."""
    return free_path(wanted.parent, wanted.name)


def land(place: Place, *, is_folder: bool) -> Landed:
    """Let what was gathered appear under its name, in one step; raise FileExistsError if something is there."""
    if is_folder:
        if place.path.exists():
            raise FileExistsError(place.path)
        place.part.rename(place.path)
    else:
        _move_file(place)
    flush_names(place.path.parent)
    return Landed(place.path, 0 if is_folder else place.path.stat().st_mtime_ns)


def _move_file(place: Place) -> None:
    try:
        # Unlike a rename this never takes the place of what is there.
        os.link(place.part, place.path)
    except FileExistsError:
        raise
    except OSError:
        if place.path.exists():
            raise FileExistsError(place.path) from None
        place.part.rename(place.path)  # a file system without links
    else:
        place.part.unlink()


def mark_of(path: Path, *, is_folder: bool) -> int | None:
    """Return when a file was last changed (ns), 0 for a folder; None where there is nothing (of that kind)."""
    try:
        if is_folder:
            return 0 if path.is_dir() else None
        return path.stat().st_mtime_ns if path.is_file() else None
    except OSError:
        return None


def throw_away(part: Path) -> None:
    """Remove what was gathered."""
    with contextlib.suppress(OSError):
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


def erase(path: Path, body: Attachment, table: PieceTable, mark: int) -> None:
    """Remove what was fetched to `path`: the very files that came, as they came; what somebody changed is theirs."""
    for place, size in parts_at(path, body, table):
        with contextlib.suppress(OSError):
            status = place.stat(follow_symlinks=False)
            if status.st_size == size and mark in {0, status.st_mtime_ns}:
                place.unlink()
    if body.files:
        for folder in sorted((each for each in path.rglob("*") if each.is_dir()), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()
        with contextlib.suppress(OSError):
            path.rmdir()


def _proves_itself(content: Content, table: PieceTable, piece: int) -> bool:
    buffer = memoryview(bytearray(node_limits.FILE_BUFFER_BYTES))
    start, left, hasher = piece * table.piece_bytes, piece_length(table.size, piece), new_hasher()
    while left:
        chunk = buffer[: min(left, len(buffer))]
        content.read_into(start, chunk)
        hasher.update(chunk)
        start, left = start + len(chunk), left - len(chunk)
    return hasher.digest() == table.hash_of(piece)
