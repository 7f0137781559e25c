"""What happened to a group, made ready for the screen: who was added, who left, what it is called now."""

from collections.abc import Callable
from typing import assert_never

from peer.storage.groups import ActRow
from peer.views import MembershipAct, MembershipView
from protocol.group_bodies import (
    Added,
    Created,
    DeviceConfirmed,
    Excluded,
    Left,
    ManagerChanged,
    MembershipBody,
    Renamed,
)
from protocol.identity import UserId, clean_display_name
from protocol.membership import Membership


def membership_view(act: ActRow, author: UserId, group: Membership, name_of: Callable[[UserId], str]) -> MembershipView:
    """Return what an entry about membership did; `name_of` tells what people are called in this group."""
    what, user = _act_and_user(act.body)
    user = user or author
    return MembershipView(
        act=what,
        user=user,
        user_name=_fit_to_show(name_of(user), str(user)),
        group_name=_fit_to_show(act.body.name, "") if isinstance(act.body, Created | Renamed) else "",
        from_now_on=isinstance(act.body, Added) and act.body.from_now_on,
        counts=act.hash not in group.void,
    )


def sentence(author_name: str, view: MembershipView) -> str:
    """Return it in English, for scripts; a screen says it in its own language."""
    match view.act:
        case MembershipAct.CREATED:
            said = f"{author_name} created the group {view.group_name}."
        case MembershipAct.ADDED:
            said = f"{author_name} added {view.user_name}{', from now on' if view.from_now_on else ''}."
        case MembershipAct.EXCLUDED:
            said = f"{author_name} removed {view.user_name}."
        case MembershipAct.LEFT:
            said = f"{author_name} left."
        case MembershipAct.RENAMED:
            said = f"{author_name} renamed the group: {view.group_name}."
        case MembershipAct.MANAGER_NAMED:
            said = f"{author_name} made {view.user_name} a manager."
        case MembershipAct.MANAGER_DISMISSED:
            said = f"{author_name} lets {view.user_name} be a manager no more."
        case MembershipAct.DEVICE_CONFIRMED:
            said = f"{author_name} confirmed a new device of {view.user_name}."
        case _:
            assert_never(view.act)
    return said if view.counts else f"{said} (It did not count.)"


def _act_and_user(body: MembershipBody) -> tuple[MembershipAct, UserId | None]:
    """Return what was done, and to whom if not to its author."""
    match body:
        case Added():
            return MembershipAct.ADDED, body.member.user
        case Excluded():
            return MembershipAct.EXCLUDED, body.user
        case Left():
            return MembershipAct.LEFT, None
        case Renamed():
            return MembershipAct.RENAMED, None
        case ManagerChanged():
            return (MembershipAct.MANAGER_NAMED if body.is_manager else MembershipAct.MANAGER_DISMISSED), body.user
        case DeviceConfirmed():
            return MembershipAct.DEVICE_CONFIRMED, body.user
        case Created():
            return MembershipAct.CREATED, None
        case _:
            raise TypeError(f"{type(body).__name__} has nothing for the screen")


def _fit_to_show(name: str, otherwise: str) -> str:
    try:
        return clean_display_name(name)
    except ValueError:
        return otherwise
