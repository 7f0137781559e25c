"""The files of an attachment as one stretch of bytes: what pieces are read from and written to.

Blocking, for file and transfer threads. An object belongs to one thread.
"""

import bisect
import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from peer import limits

Part = tuple[Path, int]
"""A file and how many bytes it has."""


class Stretch(NamedTuple):
    """Bytes of one file."""

    path: Path
    offset: int
    length: int


class Content:
    """Reads and writes at any place; keeps the file that was used last open."""

    def __init__(self, parts: Sequence[Part], *, writing: bool = False) -> None:
        """The files must be there already; for writing see `make_room`."""
        self._parts = [(path, size) for path, size in parts if size]
        self._starts = [0]
        for _, size in self._parts:
            self._starts.append(self._starts[-1] + size)
        self._mode = "r+b" if writing else "rb"
        self._path: Path | None = None
        self._file: IO[bytes] | None = None
        self._fresh = range(0)
        """Where in the open file something was written that the system still keeps to itself."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return self._starts[-1]

    def stretches(self, start: int, length: int) -> Iterator[Stretch]:
        """Walk the files that a range of the content lies in."""
        index = bisect.bisect_right(self._starts, start) - 1
        while length > 0:
            path, size = self._parts[index]
            offset = start - self._starts[index]
            here = min(length, size - offset)
            yield Stretch(path, offset, here)
            start, length, index = start + here, length - here, index + 1

    def read_into(self, start: int, buffer: memoryview) -> None:
        """Fill the buffer from a place on; raise OSError, EOFError where a file has become shorter."""
        filled = 0
        for stretch in self.stretches(start, len(buffer)):
            file = self._open(stretch.path)
            file.seek(stretch.offset)
            end = filled + stretch.length
            while filled < end:
                count = file.readinto(buffer[filled:end])  # type: ignore[attr-defined]  # a raw file has it
                if not count:
                    raise EOFError(f"{stretch.path.name} is shorter than it was")
                filled += count

    def write_at(self, start: int, data: memoryview) -> None:
        """Write at a place; raise OSError."""
        written = 0
        for stretch in self.stretches(start, len(data)):
            file = self._open(stretch.path)
            file.seek(stretch.offset)
            end = written + stretch.length
            while written < end:
                written += file.write(data[written:end])
            self._written(stretch.offset, stretch.length)

    def may_have_data(self, start: int, length: int) -> bool:
        """Tell whether something was ever written in a range; False also where the system cannot tell."""
        if not hasattr(os, "SEEK_DATA"):
            return False
        for stretch in self.stretches(start, length):
            file = self._open(stretch.path)
            try:
                at = os.lseek(file.fileno(), stretch.offset, os.SEEK_DATA)
            except OSError:
                return False  # nothing but holes from here on
            if at >= stretch.offset + stretch.length:
                return False
        return True

    def mark(self, start: int, length: int) -> int:
        """Return when the one file of a range was last changed (ns)."""
        (stretch,) = self.stretches(start, length)
        return os.fstat(self._open(stretch.path).fileno()).st_mtime_ns

    def close(self) -> None:
        """Let the open file go."""
        if self._file is not None:
            self._file.close()
        self._file = self._path = None
        self._fresh = range(0)

    def _written(self, start: int, length: int) -> None:
        """Have the system begin to write out what came, now and then; it would wait for seconds by itself."""
        first = self._fresh.start if self._fresh.stop == start else start
        self._fresh = range(first, start + length)
        if len(self._fresh) >= limits.WRITE_OUT_BYTES and self._file is not None and hasattr(os, "posix_fadvise"):
            # On Linux this begins to write, and waits for nothing. What is being written stays in memory.
            os.posix_fadvise(self._file.fileno(), first, len(self._fresh), os.POSIX_FADV_DONTNEED)
            self._fresh = range(0)

    def _open(self, path: Path) -> IO[bytes]:
        if self._file is None or self._path != path:
            self.close()
            self._file = path.open(self._mode, buffering=0)
            self._path = path
        return self._file


def make_room(parts: Sequence[Part]) -> None:
    """Make the files that are missing, at their full length but empty on the disk; raise OSError."""
    for path, size in parts:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            if file.tell() != size:
                file.truncate(size)


def flush_to_disk(parts: Sequence[Part], folder: Path | None) -> None:
    """Return when everything is on the disk: the files, and the names in `folder` and below."""
    folders = {path.parent for path, _ in parts}
    if len(parts) > _FILES_FLUSHED_ALONE and hasattr(os, "sync"):
        os.sync()
        return
    for path, _ in parts:
        with path.open("r+b") as file:
            os.fsync(file.fileno())
    if folder is not None:
        for each in folders:
            flush_names(each)


def flush_names(folder: Path) -> None:
    """Return when the names in a folder are on the disk; Windows has no call for it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


_FILES_FLUSHED_ALONE = 64
"""Of more files than this the whole disk is flushed once: thousands of calls take longer."""
