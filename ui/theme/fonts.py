"""Which faces and sizes the text has: the system's own first, Chinese by name, emoji in colour."""

from PySide6.QtGui import QFont, QFontDatabase

BASE = 14
TITLE = 16
HEADING = 24
CAPTION = 13
SMALL = 12
META = 11
LARGE_EMOJI = 36


def families() -> list[str]:
    """Return the faces in the order in which a character is looked for.

    Noto Sans CJK SC is asked for by name: left to itself the system may draw Han characters in their Japanese form.
    """
    system = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).families()
    wanted = [*system, "Noto Sans", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "Noto Color Emoji"]
    return list(dict.fromkeys(wanted))


def font(size: int = BASE, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return a face of `size` pixels."""
    face = QFont(families())
    face.setPixelSize(size)
    face.setWeight(weight)
    return face


def bold(size: int = BASE) -> QFont:
    """Return the face of names and buttons: semi-bold."""
    return font(size, QFont.Weight.DemiBold)


def emoji(size: int) -> QFont:
    """Return a face that draws emoji in colour, digits with a frame among them."""
    face = QFont(["Apple Color Emoji", "Segoe UI Emoji", "Noto Color Emoji"])
    face.setPixelSize(size)
    return face
