"""Takes files and pictures out of what somebody drops or pastes."""

from pathlib import Path

from PySide6.QtCore import QMimeData, QTemporaryDir
from PySide6.QtGui import QImage

from ui.transfers.tray import TrayItem
from ui.translations import moments


class OfferedFiles:
    """Owns the folder in which pasted pictures stand until the program ends: the clipboard has no files."""

    def __init__(self) -> None:
        self._folder: QTemporaryDir | None = None

    @staticmethod
    def has_any(data: QMimeData) -> bool:
        """Tell whether there is something that can be sent as a file."""
        return bool(_local_paths(data)) or _is_picture_only(data)

    def take(self, data: QMimeData) -> list[TrayItem]:
        """Return what can be sent as files; empty for mere text."""
        paths = _local_paths(data)
        if paths:
            return [TrayItem.of(path) for path in paths]
        if not _is_picture_only(data):
            return []
        picture = data.imageData()
        return self.keep(picture) if isinstance(picture, QImage) and not picture.isNull() else []

    def keep(self, picture: QImage) -> list[TrayItem]:
        """Make a file of a picture that has none."""
        if self._folder is None:
            self._folder = QTemporaryDir()
        stem = moments.file_stamp()
        taken = (Path(self._folder.path(), f"{stem}{'' if turn == 1 else f' ({turn})'}.png") for turn in range(1, 1000))
        path = next(place for place in taken if not place.exists())
        return [TrayItem(path, is_picture=True)] if picture.save(str(path)) else []


def _local_paths(data: QMimeData) -> list[Path]:
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()] if data.hasUrls() else []
    return [path for path in paths if path.is_file() or path.is_dir()]


def _is_picture_only(data: QMimeData) -> bool:
    # A word processor puts a picture of its text beside the text.
    return data.hasImage() and not data.hasFormat("text/plain")
