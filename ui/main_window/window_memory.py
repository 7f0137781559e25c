"""What the window remembers from one start to the next; a small file in the profile."""

import base64
import binascii
import json
import logging
from pathlib import Path

log = logging.getLogger(__name__)

_FILE = "window.json"


class WindowMemory:
    """Reads and writes the file. What cannot be read is as good as nothing: the window then is as at first."""

    def __init__(self, profile: Path) -> None:
        self.profile = profile
        self._path = profile / _FILE
        self._kept = self._read()

    def geometry(self) -> bytes | None:
        """Return what Qt said about place and size."""
        try:
            return base64.b64decode(self.word("geometry"), validate=True) or None
        except (ValueError, binascii.Error):
            return None

    def keep_geometry(self, geometry: bytes) -> None:
        """Write the window's place down."""
        self.keep("geometry", base64.b64encode(geometry).decode("ascii"))

    def word(self, name: str) -> str:
        """Return a word that was kept; empty when there is none."""
        kept = self._kept.get(name)
        return kept if isinstance(kept, str) else ""

    def keep(self, name: str, word: str) -> None:
        """Write a word down for the next start."""
        if self._kept.get(name) == word:
            return
        self._kept[name] = word
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(self._kept), encoding="utf-8")
        except OSError:
            log.exception("what the window should remember could not be kept")

    def _read(self) -> dict[str, object]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}
