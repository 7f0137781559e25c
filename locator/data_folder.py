"""The locator's data folder: one server at a time, and what must be the same after a restart."""

import os
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

_LOCK = "lock"
_PORT = "port"
_LINK = "link"
_PROCESS = "process"
_SHARED_STORE = "shared-store"


class DataFolderInUseError(Exception):
    """Another locator serves from this folder."""


class DataFolder:
    """A folder only its owner may enter; it holds the accounts, the authority, the port and the link."""

    def __init__(self, path: Path) -> None:
        """Make the folder if it is not there; raise OSError if that cannot be done."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path

    def lock(self) -> "FolderLock":
        """Claim the folder for one server; raise DataFolderInUseError."""
        return FolderLock((self.path / _LOCK).open("ab"))

    def kept_port(self) -> int | None:
        """Return the port of the last server here, if there was one."""
        try:
            return int(self._read(_PORT) or "")
        except ValueError:
            return None

    def kept_link(self) -> str | None:
        """Return the link that the last server here gave out, if there was one."""
        return self._read(_LINK)

    def running_process(self) -> int | None:
        """Return the number of the process that serves from this folder; None where none does."""
        try:
            with self.lock():
                return None
        except DataFolderInUseError:
            number = self._read(_PROCESS) or ""
            return int(number) if number.isdigit() and int(number) > 1 else None

    def keep_process(self, number: int) -> None:
        """Remember, while the folder is locked, which process holds it: for the `stop` command."""
        self._write(_PROCESS, str(number))

    def keep(self, port: int, link: str) -> None:
        """Remember port and link for the next start and for the `address` command."""
        self._write(_PORT, str(port))
        self._write(_LINK, link)

    def kept_shared_store(self) -> str | None:
        """Return the mark of the shared store that the locator here belongs to, if it ever joined one."""
        return self._read(_SHARED_STORE)

    def keep_shared_store(self, mark: str) -> None:
        """Remember which shared store this is, so that an emptied one is noticed."""
        self._write(_SHARED_STORE, mark)

    def _read(self, name: str) -> str | None:
        try:
            return (self.path / name).read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None

    def _write(self, name: str, text: str) -> None:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}-", dir=self.path)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
        Path(temporary).replace(self.path / name)


class FolderLock:
    """Held while a server runs; the system frees it even when the process is killed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        try:
            _lock(file)
        except OSError:
            file.close()
            raise DataFolderInUseError from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
