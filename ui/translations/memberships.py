"""What happened to a group, as a line between its messages."""

from PySide6.QtCore import QCoreApplication

from peer.views import MembershipAct, MembershipView, MessageView
from ui.translations import people


def sentence(message: MessageView, me: str = "") -> str:
    """Return what happened, for a user who may be one of those it is about."""
    happened = message.membership
    assert happened is not None
    of_me, to_me = message.mine, happened.user == me
    words = _by_me(happened) if of_me else _to_me(happened) if to_me else _of_others(happened)
    words = words.replace("%3", people.short_name(happened.group_name))
    words = words.replace("%2", people.short_name(happened.user_name))
    words = words.replace("%1", people.short_name(message.author_name))
    if happened.act is MembershipAct.ADDED and happened.from_now_on:
        words = QCoreApplication.translate("Membership", "%1, from now on").replace("%1", words)
    if not happened.counts:
        words = QCoreApplication.translate("Membership", "%1 (without effect)").replace("%1", words)
    return words


def _by_me(happened: MembershipView) -> str:
    return {
        MembershipAct.CREATED: QCoreApplication.translate("Membership", "You made the group “%3”"),
        MembershipAct.ADDED: QCoreApplication.translate("Membership", "You added %2"),
        MembershipAct.EXCLUDED: QCoreApplication.translate("Membership", "You removed %2"),
        MembershipAct.LEFT: QCoreApplication.translate("Membership", "You left"),
        MembershipAct.RENAMED: QCoreApplication.translate("Membership", "You renamed the group to “%3”"),
        MembershipAct.MANAGER_NAMED: QCoreApplication.translate("Membership", "You made %2 a manager"),
        MembershipAct.MANAGER_DISMISSED: QCoreApplication.translate("Membership", "%2 is no manager any more"),
        MembershipAct.DEVICE_CONFIRMED: QCoreApplication.translate("Membership", "You confirmed a new device of %2"),
    }[happened.act]


def _to_me(happened: MembershipView) -> str:
    return {
        MembershipAct.ADDED: QCoreApplication.translate("Membership", "%1 added you"),
        MembershipAct.EXCLUDED: QCoreApplication.translate("Membership", "%1 removed you"),
        MembershipAct.MANAGER_NAMED: QCoreApplication.translate("Membership", "%1 made you a manager"),
        MembershipAct.MANAGER_DISMISSED: QCoreApplication.translate("Membership", "You are no manager any more"),
        MembershipAct.DEVICE_CONFIRMED: QCoreApplication.translate("Membership", "%1 confirmed your new device"),
    }.get(happened.act) or _of_others(happened)


def _of_others(happened: MembershipView) -> str:
    return {
        MembershipAct.CREATED: QCoreApplication.translate("Membership", "%1 made the group “%3”"),
        MembershipAct.ADDED: QCoreApplication.translate("Membership", "%1 added %2"),
        MembershipAct.EXCLUDED: QCoreApplication.translate("Membership", "%1 removed %2"),
        MembershipAct.LEFT: QCoreApplication.translate("Membership", "%1 left"),
        MembershipAct.RENAMED: QCoreApplication.translate("Membership", "%1 renamed the group to “%3”"),
        MembershipAct.MANAGER_NAMED: QCoreApplication.translate("Membership", "%1 made %2 a manager"),
        MembershipAct.MANAGER_DISMISSED: QCoreApplication.translate("Membership", "%2 is no manager any more"),
        MembershipAct.DEVICE_CONFIRMED: QCoreApplication.translate("Membership", "%1 confirmed a new device of %2"),
    }[happened.act]
