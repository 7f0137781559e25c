"""The only place where a name that came from somebody else becomes a path on this computer.

A remote name can do nothing here but look bad: it never leaves its folder, means the same on every system, shows
what it is, and never takes the place of what is there.
"""

import unicodedata
from collections.abc import Iterable
from pathlib import Path

NAME_BYTES = 255
"""UTF-8 bytes of one name, the most that common file systems take; Windows counts 255 UTF-16 units, which is more."""
_SUFFIX_BYTES = 40
"""Of a long name the end is kept, up to this: it says what kind of file it is."""
_FORBIDDEN = frozenset('<>:"/\\|?*')
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Control characters and those that change the direction of writing: `exe.gpj` must not be shown as `jpg.exe`."""
_KEPT_FORMAT = frozenset("\u200c\u200d")
"""Joiners that many scripts and emoji need."""
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
    | {f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"}
)
_NAMELESS = "file"
_RISKY = frozenset(
    word
    for words in (
        "apk app appimage bat cmd com command cpl desktop dll dmg exe gadget hta inf ins iso jar js jse jsp lnk msc",
        "msi msix msp mst pif pkg pl ps1 psm1 py pyc pyw rb reg run scf scr sct sh shb sys terminal url vb vbe vbs vhd",
        "workflow ws wsc wsf wsh xbap xll",
    )
    for word in words.split()
)
"""Endings of what runs when it is opened, on one system or another."""


def safe_name(name: str) -> str:
    """Return a remote name as one that can be shown and used on any system; never empty, at most 255 bytes."""
    kept = "".join(_safe_character(c) for c in unicodedata.normalize("NFC", name))
    kept = " ".join(kept.split()).strip(". ")
    # Windows gives its devices away under any extension, also with spaces before the dot.
    if kept.partition(".")[0].rstrip().casefold() in _RESERVED:
        kept = "_" + kept
    return _shortened(kept, NAME_BYTES) or _NAMELESS


def is_risky(name: str) -> bool:
    """Tell whether a file of this name is a program, or opens one, on some system."""
    return "." in name and name.rpartition(".")[2].strip().casefold() in _RISKY


def free_path(folder: Path, name: str) -> Path:
    """Return where in `folder` a file of a remote name may be put: `name (2).txt` where `name.txt` is taken.

    Names that differ in capitals only are the same here, as they are on Windows and macOS.
    """
    try:
        taken = {_key(entry.name) for entry in folder.iterdir()}
    except FileNotFoundError:
        taken = set()
    return folder / _untaken(safe_name(name), taken)


def untaken_name(name: str, taken: Iterable[str]) -> str:
    """Return a remote name made safe, with a number where it is one of those that are taken."""
    return _untaken(safe_name(name), {_key(each) for each in taken})


def safe_tree(folder: Path, paths: Iterable[str]) -> list[Path]:
    """Return where the files of a remote folder go inside `folder`, in their order; no two at one place."""
    tree = _Tree(folder)
    return [tree.place(path.split("/")) for path in paths]


class _Tree:
    """Gives each remote directory one local name, whatever it is called, and each file another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._directories: dict[tuple[str, ...], Path] = {(): folder}
        self._taken: dict[Path, set[str]] = {}

    def place(self, parts: list[str]) -> Path:
        *above, name = parts
        parent = self._folder
        remote: tuple[str, ...] = ()
        for part in above:
            remote = (*remote, part)
            if remote not in self._directories:
                self._directories[remote] = self._fresh(parent, part)
            parent = self._directories[remote]
        return self._fresh(parent, name)

    def _fresh(self, parent: Path, name: str) -> Path:
        taken = self._taken.setdefault(parent, set())
        local = _untaken(safe_name(name), taken)
        taken.add(_key(local))
        return parent / local


def _safe_character(c: str) -> str:
    if c in _FORBIDDEN:
        return "_"
    if unicodedata.category(c) in _UNSEEN and c not in _KEPT_FORMAT:
        return ""
    return c


def _untaken(name: str, taken: set[str]) -> str:
    number, candidate = 1, name
    while _key(candidate) in taken:
        number += 1
        stem, dot, suffix = _split(name)
        ending = f" ({number}){dot}{suffix}"
        candidate = _cut(stem, NAME_BYTES - len(ending.encode())) + ending
    return candidate


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _shortened(name: str, limit: int) -> str:
    if len(name.encode()) <= limit:
        return name
    stem, dot, suffix = _split(name)
    ending = dot + suffix
    return _cut(stem, limit - len(ending.encode())) + ending


def _split(name: str) -> tuple[str, str, str]:
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > _SUFFIX_BYTES:
        return name, "", ""
    return stem, dot, suffix


def _cut(text: str, limit: int) -> str:
    """Return the beginning of a text in at most `limit` bytes, no character cut, no space or dot at its end."""
    return text.encode()[: max(limit, 0)].decode(errors="ignore").rstrip(". ")
