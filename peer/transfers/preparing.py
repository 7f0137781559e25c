"""Before something is sent: read and hash it once, and copy what is small, so that later changes do no harm."""

import contextlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from peer import limits as node_limits
from peer.errors import Refusal, RefusalCode
from peer.private_files import write_private_file
from peer.safe_paths import safe_name
from peer.transfers.content import Part
from peer.transfers.disk_errors import refusal_for
from protocol import limits
from protocol.errors import LocalProtocolError
from protocol.identity import PieceHash
from protocol.manifests import FileLine, PieceTable, encode_table, new_hasher, piece_bytes_for, root_of

IsCancelled = Callable[[], bool]


class Prepared(NamedTuple):
    """What is known of something that can be sent."""

    name: str
    size: int
    files: int
    """0 where it is one file."""
    table: bytes
    root: PieceHash
    path: Path
    """Where it is read from when somebody fetches it."""
    mark: int
    """When the file there was last changed (ns); 0 for a folder."""


def prepare(
    path: Path, copies: Path, is_cancelled: IsCancelled, on_progress: Callable[[int], None], largest_copy: int
) -> Prepared:
    """Read a file or folder and return what its entry has to say; raise Refusal.

    What has at most `largest_copy` bytes is copied into the folder `copies`, which is made for it.
    """
    preparation = _Preparation(path, copies, is_cancelled, on_progress)
    try:
        return preparation.run(largest_copy)
    except BaseException as error:
        if preparation.has_made_folder:
            shutil.rmtree(copies, ignore_errors=True)
        if isinstance(error, OSError):
            raise refusal_for(error, path.name) from error
        raise


def keep_copy(copies: Path, path: Path, content: bytes) -> Path:
    """Put a content into the folder `copies`, under the name of the file it was made of; raise Refusal."""
    try:
        copies.mkdir(mode=0o700, parents=True)
        copy = copies / safe_name(path.resolve().name)
        write_private_file(copy, content)
    except OSError as error:
        shutil.rmtree(copies, ignore_errors=True)
        raise refusal_for(error, path.name) from error
    return copy


class _Preparation:
    def __init__(self, path: Path, copies: Path, is_cancelled: IsCancelled, on_progress: Callable[[int], None]) -> None:
        self._path = path
        self._copies = copies
        self._is_cancelled = is_cancelled
        self._on_progress = on_progress
        self._hashes: list[bytes] = []
        self._hasher = new_hasher()
        self._in_piece = 0
        self._done = 0
        self.has_made_folder = False

    def run(self, largest_copy: int) -> Prepared:
        is_folder = self._path.is_dir()
        parts = _files_in(self._path) if is_folder else [(self._path, _size_of(self._path))]
        sizes = sum(size for _, size in parts)
        if sizes > limits.ATTACHMENT_BYTES:
            raise Refusal(RefusalCode.TOO_LARGE, "This is more than a terabyte. Send it in parts.")
        name = self._path.resolve().name
        copy = self._copy_path(name, is_folder=is_folder) if sizes <= largest_copy else None
        mark = 0 if is_folder else self._path.stat().st_mtime_ns
        self._read_all(parts, piece_bytes_for(sizes), copy)
        if copy is not None and not is_folder:
            mark = copy.stat().st_mtime_ns
        lines = tuple(FileLine(_path_inside(self._path, each) if is_folder else "", size) for each, size in parts)
        table = PieceTable(piece_bytes_for(sizes), b"".join(self._hashes), lines)
        try:
            encoded = encode_table(table)
        except LocalProtocolError as error:
            raise Refusal(RefusalCode.TOO_LARGE, "This folder has too many files with long paths. Pack it.") from error
        shown = name.encode("utf-8", "replace").decode()[: limits.FILE_NAME_LENGTH]
        files = len(parts) if is_folder else 0
        return Prepared(shown, sizes, files, encoded, root_of(encoded), copy or self._path.absolute(), mark)

    def _copy_path(self, name: str, *, is_folder: bool) -> Path:
        self._copies.mkdir(mode=0o700, parents=True)
        self.has_made_folder = True
        return self._copies / (CONTENT_OF_FOLDER if is_folder else safe_name(name))

    def _read_all(self, parts: list[Part], piece_bytes: int, copy: Path | None) -> None:
        buffer = memoryview(bytearray(node_limits.FILE_BUFFER_BYTES))
        with contextlib.ExitStack() as opened:
            output = opened.enter_context(copy.open("xb", buffering=0)) if copy is not None else None
            for path, size in parts:
                with path.open("rb", buffering=0) as file:
                    before = os.fstat(file.fileno())
                    left = size
                    while left and (count := file.readinto(buffer[: min(left, len(buffer))])):
                        left -= count
                        self._take(buffer[:count], piece_bytes)
                        if output is not None:
                            _write_whole(output, buffer[:count])
                    after = os.fstat(file.fileno())
                if left or after.st_size != size or after.st_mtime_ns != before.st_mtime_ns:
                    raise Refusal(
                        RefusalCode.FILE_CHANGED,
                        f"{safe_name(path.name)} changed while it was being read. Send it again.",
                    )
            if output is not None:
                os.fsync(output.fileno())
        if self._in_piece:
            self._hashes.append(self._hasher.digest())

    def _take(self, data: memoryview, piece_bytes: int) -> None:
        self._done += len(data)
        while data:
            here = data[: piece_bytes - self._in_piece]
            self._hasher.update(here)
            self._in_piece += len(here)
            data = data[len(here) :]
            if self._in_piece == piece_bytes:
                self._hashes.append(self._hasher.digest())
                self._hasher, self._in_piece = new_hasher(), 0
        if self._is_cancelled():
            raise Refusal(RefusalCode.CANCELLED, "You took it back before it was sent.")
        self._on_progress(self._done)


CONTENT_OF_FOLDER = "content"
"""Of a copied folder the files lie in one, as they travel."""


def _write_whole(output: "object", data: memoryview) -> None:
    while data:
        data = data[output.write(data) :]  # type: ignore[attr-defined]


def _size_of(path: Path) -> int:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Refusal(RefusalCode.UNREADABLE_FILE, f"{safe_name(path.name)} is neither a file nor a folder.")
    return status.st_size


def _files_in(folder: Path) -> list[Part]:
    """Return the plain files of a folder in a fixed order; links lead elsewhere and are left out."""
    found: list[Part] = []

    def fail(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=fail):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                found.append((path, status.st_size))
            if len(found) > limits.FILES_PER_ATTACHMENT:
                raise Refusal(
                    RefusalCode.TOO_MANY,
                    f"This folder has more than {limits.FILES_PER_ATTACHMENT:,} files. Pack it into one and send that.",
                )
    if not found:
        raise Refusal(RefusalCode.EMPTY_FOLDER, "There is no file in this folder.")
    return found


def _path_inside(folder: Path, path: Path) -> str:
    inside = path.relative_to(folder).as_posix()
    try:
        inside.encode()
    except UnicodeEncodeError:
        raise Refusal(
            RefusalCode.BAD_NAME, f"{path.name!a} in this folder has a name that is no text. Rename it first."
        ) from None
    if len(inside) > limits.FILE_PATH_LENGTH:
        raise Refusal(RefusalCode.TOO_LARGE, f"The path of {path.name} in this folder is too long.")
    return inside
