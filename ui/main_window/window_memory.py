"""Where the window stood when it was closed; a small file in the profile."""

import base64
import binascii
import json
import logging
from pathlib import Path

log = logging.getLogger(__name__)

_FILE = "window.json"


class WindowMemory:
    """Reads and writes the file. What cannot be read is as good as nothing: the window then has its usual size."""

    def __init__(self, profile: Path) -> None:
        self._path = profile / _FILE

    def geometry(self) -> bytes | None:
        """Return what Qt said about place and size."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return base64.b64decode(kept["geometry"], validate=True)
        except (OSError, ValueError, KeyError, TypeError, binascii.Error):
            return None

    def keep(self, geometry: bytes) -> None:
        """Write it down for the next start."""
        text = json.dumps({"geometry": base64.b64encode(geometry).decode("ascii")})
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(text, encoding="utf-8")
        except OSError:
            log.exception("the window's place could not be kept")
