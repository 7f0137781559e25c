"""Files for this person's programs only: written whole or not at all, and locked against a second program."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import IO


def write_private_file(path: Path, content: bytes) -> None:
    """Put a file in place at once and durably, readable by its owner only."""
    descriptor, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
        _sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder outlive a power cut, where the system has a call for that."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def lock_file(file: IO[bytes]) -> None:
        """Lock an open file for this process until it is closed; raise OSError if another one has it."""
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def lock_file(file: IO[bytes]) -> None:
        """Lock an open file for this process until it is closed; raise OSError if another one has it."""
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
