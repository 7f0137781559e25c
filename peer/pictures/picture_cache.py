"""Keeps cleaned copies on disk, so that a picture is decoded once and not each time it is scrolled past."""

import contextlib
import os
from pathlib import Path

from peer import limits
from peer.pictures.formats import PictureFormat
from peer.pictures.tasks import CleanPicture
from peer.private_files import write_private_file


class PictureCache:
    """A folder of files whose names say all; on the pictures' thread. What fails here costs a decoding, no more."""

    def __init__(self, folder: Path, most: int = limits.PICTURE_CACHE_BYTES) -> None:
        """`most` bytes are kept; what was not looked at for longest goes first."""
        self._folder = folder
        self._most = most
        self._sizes: dict[Path, int] | None = None
        """Read from the folder once; oldest use first."""

    def find(self, key: str, side: int) -> CleanPicture | None:
        """Return a kept copy; `key` is a word of letters and digits that stands for the picture."""
        path = next((path for path in self._known() if path.name.startswith(f"{key}-{side}-")), None)
        if path is None:
            return None
        try:
            _, _, width, height, frames = path.stem.split("-")
            kind = PictureFormat(path.suffix[1:].upper())
            found = CleanPicture(path.read_bytes(), kind, int(width), int(height), int(frames))
            os.utime(path)
        except (OSError, ValueError):
            self._drop(path)
            return None
        self._known()[path] = self._known().pop(path)
        return found

    def keep(self, key: str, side: int, picture: CleanPicture) -> None:
        """Keep a copy, if there is room for it at all."""
        if len(picture.content) > self._most // 4:
            return
        name = f"{key}-{side}-{picture.width}-{picture.height}-{picture.frames}.{picture.kind.lower()}"
        path = self._folder / name
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private_file(path, picture.content)
        except OSError:
            return
        known = self._known()
        known.pop(path, None)
        known[path] = len(picture.content)
        while sum(known.values()) > self._most:
            self._drop(next(iter(known)))

    def forget(self, key: str) -> None:
        """Remove every copy of a picture."""
        for path in [path for path in self._known() if path.name.startswith(f"{key}-")]:
            self._drop(path)

    def _drop(self, path: Path) -> None:
        self._known().pop(path, None)
        with contextlib.suppress(OSError):
            path.unlink()

    def _known(self) -> dict[Path, int]:
        if self._sizes is None:
            try:
                found = [(path.stat(), path) for path in self._folder.iterdir()]
            except OSError:
                found = []
            found.sort(key=lambda each: each[0].st_mtime_ns)
            self._sizes = {path: status.st_size for status, path in found}
        return self._sizes
