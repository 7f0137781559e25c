"""What is said about groups: how many are in them, and how many of those are there."""

from PySide6.QtCore import QCoreApplication


def members(count: int) -> str:
    """Return how many belong to a group: "5 members"."""
    if count == 1:
        return QCoreApplication.translate("Group", "1 member")
    return QCoreApplication.translate("Group", "%n members", "", count)


def presence(count: int, online: int) -> str:
    """Return the line under a group's name: "5 members, 2 online"."""
    if not online:
        return members(count)
    return f"{members(count)}, {QCoreApplication.translate('Group', '%n online', '', online)}"
