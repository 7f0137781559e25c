"""What each change makes of an account. Pure, so that every store makes the same of it."""

from dataclasses import replace

from locator.stores.interface import (
    Account,
    AddAccount,
    BecomeCourseOnly,
    BeginSessionByKey,
    BeginSessionByPassword,
    Change,
    ReplacePassword,
    SetCoursePassword,
    SetDisabled,
    SetPassword,
)
from protocol.identity import DeviceId
from protocol.limits import DEVICES_PER_USER

_NO_HASH = "none"
"""No text that a password's hash could be: nothing is ever verified against it."""


def changed(account: Account | None, change: Change) -> Account | None:
    """Return an account after a change (as it was, if it is removed); None if its condition does not hold."""
    if isinstance(change, AddAccount):
        return _added(change) if account is None else None
    return _after(account, change) if account is not None and _holds(account, change) else None


def _after(account: Account, change: Change) -> Account:
    match change:
        case BeginSessionByPassword():
            after = _next_session(_without_shared(_with_device(account, change.device)), change.device)
        case BeginSessionByKey():
            after = _next_session(account, change.device)
        case ReplacePassword():
            chosen = replace(account, password_hash=change.new_hash, must_change_password=False)
            after = _with_list(chosen, (change.device,))
        case SetPassword():
            after = _with_list(_with_operators_password(account, change), ())
        case SetCoursePassword():
            after = replace(account, course_hash=change.course_hash, is_course_hash_shared=False)
        case BecomeCourseOnly():
            after = replace(account, password_hash=_NO_HASH, is_course_hash_shared=False)
        case SetDisabled():
            after = replace(_with_list(account, ()) if change.disabled else account, is_disabled=change.disabled)
        case _:
            after = account
    return after


def _holds(account: Account, change: Change) -> bool:
    match change:
        case BeginSessionByPassword():
            return account.password_hash == change.checked_hash and not account.is_disabled
        case BeginSessionByKey():
            return change.device in account.devices
        case ReplacePassword():
            # Who was shut out meanwhile does not come back by it.
            return account.password_hash == change.checked_hash and change.device in account.devices
        case BecomeCourseOnly():
            return account.is_course_hash_shared
        case _:
            return True


def _added(change: AddAccount) -> Account:
    fresh = Account(
        change.user,
        change.name,
        change.password_hash,
        course_hash=change.course_hash,
        is_course_hash_shared=bool(change.course_hash),
        must_change_password=change.must_change_password,
        list_number=change.list_number,
    )
    return fresh if change.device is None else _next_session(_with_device(fresh, change.device), change.device)


def _without_shared(account: Account) -> Account:
    """The first login came by Hail: its password never crosses a network in clear."""
    return replace(account, course_hash="", is_course_hash_shared=False) if account.is_course_hash_shared else account


def _with_operators_password(account: Account, change: SetPassword) -> Account:
    account = replace(account, password_hash=change.new_hash, must_change_password=change.must_change_password)
    has_its_own = account.course_hash and not account.is_course_hash_shared
    if account.session or has_its_own:
        return account
    return replace(account, course_hash=change.course_hash, is_course_hash_shared=bool(change.course_hash))


def _next_session(account: Account, device: DeviceId) -> Account:
    return replace(account, session=account.session + 1, session_device=device)


def _with_device(account: Account, device: DeviceId) -> Account:
    others = tuple(other for other in account.devices if other != device)
    return _with_list(account, (*others, device)[-DEVICES_PER_USER:])


def _with_list(account: Account, devices: tuple[DeviceId, ...]) -> Account:
    if devices == account.devices:
        return account
    return replace(account, devices=devices, list_number=account.list_number + 1)
