"""The roles under which our models hand out more than a text."""

from enum import IntEnum

from PySide6.QtCore import Qt


class Role(IntEnum):
    """Beside Qt's own roles."""

    VIEW = Qt.ItemDataRole.UserRole + 1
    """The node's view of the row."""
    UNREAD = Qt.ItemDataRole.UserRole + 2
    PREVIEW = Qt.ItemDataRole.UserRole + 3
    DRAFT = Qt.ItemDataRole.UserRole + 4
    TYPING = Qt.ItemDataRole.UserRole + 5
    """Who is writing; empty for nobody."""
