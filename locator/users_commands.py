"""What an operator does with accounts. A locator that serves from the same folder notices within a second."""

import argparse
import getpass
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from locator.accounts import hash_password
from locator.command_verbs import FailedError, add_verb, read_user_id
from locator.configuration import Settings
from locator.course_desk import hash_course_password, is_course_id
from locator.data_folder import DataFolder
from locator.opening_store import require_client_library
from locator.roster import NoRosterError, read_roster
from locator.stores.interface import (
    Account,
    Accounts,
    AddAccount,
    Change,
    RemoveAccount,
    SetCoursePassword,
    SetDisabled,
    SetPassword,
    first_list_number,
)
from locator.stores.memory_and_sqlite import FILE_NAME, AccountsFile
from locator.stores.redis_address import RedisAddress
from protocol.identity import UserId, clean_display_name
from protocol.limits import PASSWORD_LENGTH

if TYPE_CHECKING:
    from locator.stores.redis_accounts import AccountsInRedis

T = TypeVar("T")
_PASSWORD_COMES = "The password is asked for, or is one line of standard input; an operator may set any length."  # noqa: S105


def add_users_verbs(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", everywhere: argparse.ArgumentParser
) -> None:
    """Describe `users` and its verbs."""
    users = verbs.add_parser("users", parents=[everywhere], help="make accounts, look at them, take them away")
    under = users.add_subparsers(title="verbs", required=True, metavar="VERB")
    for_one: list[argparse.ArgumentParser] = []
    for name, verb, purpose, description in (
        ("add", _add, "make an account", f"Make an account. {_PASSWORD_COMES}"),
        ("show", _show, "show one account", "Show what is kept of one account; no secret is shown."),
        (
            "password",
            _password,
            "set a password",
            f"Set a password; all devices must log in with it again. {_PASSWORD_COMES}",
        ),
        (
            "course-password",
            _course_password,
            "set a password for the course port",
            f"Set a password for the course port alone; it crosses the network in clear. {_PASSWORD_COMES}",
        ),
        (
            "disable",
            _disable,
            "shut an account out",
            "End the sessions of an account and take no login of it until it is enabled again. Friends hang up on it.",
        ),
        ("enable", _enable, "take that back", "Let a disabled account log in again, with its password."),
        (
            "remove",
            _remove,
            "forget an account",
            "Forget an account; its ID is free then. What was written stays with those who have it.",
        ),
    ):
        example = f"hail-locator users {name} ana"
        parser = add_verb(under, everywhere, name, verb, purpose, description, example)
        parser.add_argument("user", metavar="ID", type=read_user_id, help="1 to 32 of a-z, 0-9, dot, dash, underscore")
        for_one.append(parser)
        if verb in {_add, _password}:
            _add_must_change(parser)
    for_one[0].add_argument("--name", help="the name others see (default: the ID)")
    add_verb(
        under,
        everywhere,
        "list",
        _list,
        "list all accounts",
        "List all accounts: ID, name, how many devices may log in by themselves, the number of the last session "
        "(0: nobody ever logged in), whether it is disabled, and whether its password must be changed.",
        "hail-locator users list",
    )
    add_verb(
        under,
        everywhere,
        "copy",
        _copy,
        "copy all accounts into a shared store",
        "Copy the accounts of a data folder into the --store that several locators share, with passwords, devices and "
        "sessions. Give those locators this folder's authority.pem as --authority. Those that are there stay as they "
        "are.",
        "hail-locator users copy --store redis://db.example:6379/0",
    )
    importing = add_verb(
        under,
        everywhere,
        "import",
        _import,
        "make the accounts of a class list",
        "Make accounts from a CSV file with the columns id, name, password. UTF-8 or GBK; comma, semicolon or tab. "
        "Prints what it did, row by row; bad rows are skipped, accounts that exist stay as they are.",
        "hail-locator users import class-3.csv --password",
    )
    importing.add_argument("roster", metavar="ROSTER.csv", type=Path, help="the list")
    importing.add_argument(
        "--password",
        nargs="?",
        const="",
        metavar="WORD",
        help="one password for the rows that have none; without WORD it is asked for, or read from standard input",
    )
    _add_must_change(importing)


def _add_must_change(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--must-change",
        action="store_true",
        help="the person can do nothing before choosing a password of their own in Hail; the course port is no way in",
    )


# --- the verbs -----------------------------------------------------------------------------------


def _add(settings: Settings, asked: argparse.Namespace) -> None:
    user: UserId = asked.user
    try:
        name = clean_display_name(asked.name or user)
    except ValueError as error:
        raise FailedError(f"Choose another name: {error}.") from None
    if _make(settings, _account(user, name, _ask_password(), must_change=asked.must_change)) is None:
        raise FailedError(f"{user} has an account already. To set its password: hail-locator users password {user}")


def _import(settings: Settings, asked: argparse.Namespace) -> None:
    content = asked.roster.read_bytes()
    try:
        good, bad = read_roster(content, _ask_password() if asked.password == "" else asked.password)
    except NoRosterError as error:
        raise FailedError(f"{asked.roster} cannot be used: {error}. Nothing was changed.") from None
    known = _with_accounts(settings, lambda accounts: accounts.read_all())
    told = [(row.line, f"skipped: {row.reason}") for row in bad]
    told += [(row.line, f"{row.user} has an account already") for row in good if row.user in known]
    fresh = [row for row in good if row.user not in known]
    changes: list[Change] = [_account(row.user, row.name, row.password, must_change=asked.must_change) for row in fresh]
    made = _with_accounts(settings, lambda accounts: accounts.make(changes))
    for row, account in zip(fresh, made, strict=True):
        told.append((row.line, f"{row.user} added" if account else f"{row.user} has an account already"))
    for line, what in sorted(told):
        print(f"line {line}: {what}")  # noqa: T201 - the command's output
    print(f"{len([a for a in made if a])} added, {len(good) - len(fresh)} unchanged, {len(bad)} skipped")  # noqa: T201


def _account(user: UserId, name: str, password: str, *, must_change: bool) -> AddAccount:
    course_hash = _course_hash(user, password, must_change=must_change)
    return AddAccount(
        user, name, hash_password(password), None, course_hash, must_change, first_list_number(time.time())
    )


def _course_hash(user: UserId, password: str, *, must_change: bool) -> str:
    """Return what lets an account of the course's kind begin on the course port with this password.

    The course's clients cannot change a password, so one that must be changed is for Hail alone.
    """
    return hash_course_password(password) if is_course_id(user) and not must_change else ""


def _show(settings: Settings, asked: argparse.Namespace) -> None:
    account = _with_accounts(settings, lambda accounts: accounts.read_all()).get(asked.user)
    if account is None:
        raise _no_account(asked.user)
    print(  # noqa: T201
        f"ID        {account.user}\n"
        f"name      {account.name}\n"
        f"state     {'disabled' if account.is_disabled else 'enabled'}\n"
        f"password  {'must be changed' if account.must_change_password else 'set'}\n"
        f"devices   {len(account.devices)}\n"
        f"session   {account.session}"
    )


def _list(settings: Settings, _: argparse.Namespace) -> None:
    accounts = _with_accounts(settings, lambda accounts: accounts.read_all()).values()
    heads = ("ID", "NAME", "DEVICES", "SESSION", "")
    rows = [heads, *(_row(account) for account in accounts)]
    widths = [max(_columns(row[column]) for row in rows) for column in range(2)]
    for user, name, devices, session, state in rows:
        left = "  ".join(
            text + " " * (width - _columns(text)) for text, width in zip((user, name), widths, strict=True)
        )
        print(f"{left}  {devices:>7}  {session:>7}  {state}".rstrip())  # noqa: T201


def _row(account: Account) -> tuple[str, str, str, str, str]:
    states = ("disabled", account.is_disabled), ("must change password", account.must_change_password)
    told = ", ".join(state for state, holds in states if holds)
    return str(account.user), account.name, str(len(account.devices)), str(account.session), told


def _copy(settings: Settings, _: argparse.Namespace) -> None:
    if settings.store is None:
        raise FailedError("Say where to: --store redis://HOST:PORT/DB.")
    if not (settings.data / FILE_NAME).exists():
        raise FailedError(f"There are no accounts in {settings.data}. Choose another --data.")
    file = AccountsFile(settings.data)
    try:
        accounts = list(file.read_all().values())
    finally:
        file.close()
    shared = _shared_accounts(settings.store)
    try:
        copied = shared.copy(accounts)
    finally:
        shared.close()
    print(f"{len(copied)} copied, {len(accounts) - len(copied)} were there already")  # noqa: T201


def _password(settings: Settings, asked: argparse.Namespace) -> None:
    password, must_change = _ask_password(), asked.must_change
    course_hash = _course_hash(asked.user, password, must_change=must_change)
    _must_make(settings, SetPassword(asked.user, hash_password(password), course_hash, must_change))


def _course_password(settings: Settings, asked: argparse.Namespace) -> None:
    if not is_course_id(asked.user):
        raise FailedError(f"The course's IDs have ten digits; {asked.user} is none.")
    _must_make(settings, SetCoursePassword(asked.user, hash_course_password(_ask_password())))


def _disable(settings: Settings, asked: argparse.Namespace) -> None:
    _must_make(settings, SetDisabled(asked.user, disabled=True))


def _enable(settings: Settings, asked: argparse.Namespace) -> None:
    _must_make(settings, SetDisabled(asked.user, disabled=False))


def _remove(settings: Settings, asked: argparse.Namespace) -> None:
    _must_make(settings, RemoveAccount(asked.user))


# --- inside --------------------------------------------------------------------------------------


def _must_make(settings: Settings, change: Change) -> None:
    if _make(settings, change) is None:
        raise _no_account(change.user)


def _no_account(user: UserId) -> FailedError:
    return FailedError(f"There is no account {user}. To make one: hail-locator users add {user}")


def _make(settings: Settings, change: Change) -> Account | None:
    (account,) = _with_accounts(settings, lambda accounts: accounts.make([change]))
    return account


def _with_accounts(settings: Settings, use: Callable[[Accounts], T]) -> T:
    accounts: Accounts
    if settings.store is None:
        accounts = AccountsFile(DataFolder(settings.data).path)
    else:
        accounts = _shared_accounts(settings.store)
    try:
        return use(accounts)
    finally:
        accounts.close()


def _shared_accounts(address: RedisAddress) -> "AccountsInRedis":
    require_client_library()
    from locator.stores.redis_accounts import AccountsInRedis

    return AccountsInRedis(address)


def _ask_password() -> str:
    """Read a password from the terminal, unseen and twice, or one line of standard input."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("The same again: "):
            raise FailedError("The two passwords differ. Nothing was changed.")
    else:
        try:
            password = sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError:
            raise FailedError("The password on standard input is not UTF-8 text.") from None
    if not password:
        raise FailedError("A password has at least one character. Nothing was changed.")
    if len(password) > PASSWORD_LENGTH:
        raise FailedError(f"A password has at most {PASSWORD_LENGTH} characters. Nothing was changed.")
    return password


def _columns(text: str) -> int:
    """Return how many columns a terminal gives to a text: a Chinese character takes two, an accent none."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in text)
