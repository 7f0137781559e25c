"""The roles under which our models hand out more than a text."""

from enum import IntEnum

from PySide6.QtCore import Qt


class Role(IntEnum):
    """Beside Qt's own roles."""

    VIEW = Qt.ItemDataRole.UserRole + 1
    """The node's view of the row."""
    PLACEMENT = Qt.ItemDataRole.UserRole + 2
    """Of a message: how it stands to its neighbours."""
    UNREAD = Qt.ItemDataRole.UserRole + 3
    PREVIEW = Qt.ItemDataRole.UserRole + 4
