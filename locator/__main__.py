"""The command `hail-locator`: serve, look after users, print the address to hand out."""

import argparse
import getpass
import logging
import os
import signal
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

from locator import limits
from locator.accounts import hash_password
from locator.configuration import DEFAULT_LISTEN, ConfigurationError, Settings, read_settings
from locator.data_folder import DataFolder
from locator.running import CannotServeError, serve
from locator.stores.interface import AddAccount, SetPassword, StoreFailedError
from locator.stores.memory_and_sqlite import AccountsFile
from protocol.identity import UserId, clean_display_name

_DONE, _FAILED, _WRONG_USAGE = 0, 1, 2
_LOOK_AGAIN_SECONDS = 0.05
T = TypeVar("T")
Verb = Callable[[Settings, argparse.Namespace], None]


class FailedError(Exception):
    """What was asked cannot be done; the sentence says why and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    os.umask(0o077)  # what we write is for this account's eyes only, whatever folder it lies in
    verb: Verb = asked.verb
    try:
        verb(read_settings(vars(asked), os.environ), asked)
    except ConfigurationError as error:
        return _complain(error, _WRONG_USAGE)
    except (FailedError, CannotServeError, StoreFailedError) as error:
        return _complain(error, _FAILED)
    except OSError as error:
        return _complain(f"{error.filename or 'The system'}: {error.strerror or error}.", _FAILED)
    except KeyboardInterrupt:
        return _complain("Interrupted; nothing was changed.", _FAILED)
    return _DONE


# --- the verbs -----------------------------------------------------------------------------------


def _serve(settings: Settings, _: argparse.Namespace) -> None:
    serve(settings, lambda link: print(f"ready {link}", flush=True))  # noqa: T201 - the command's output


def _address(settings: Settings, _: argparse.Namespace) -> None:
    link = DataFolder(settings.data).kept_link() if settings.data.is_dir() else None
    if link is None:
        raise FailedError(f"No locator has served from {settings.data} yet. Start one with: hail-locator serve")
    print(link)  # noqa: T201


def _status(settings: Settings, _: argparse.Namespace) -> None:
    _running(settings)
    print(f"serving {DataFolder(settings.data).kept_link()}")  # noqa: T201


def _stop(settings: Settings, _: argparse.Namespace) -> None:
    os.kill(_running(settings), signal.SIGTERM)
    until = time.monotonic() + limits.STOP_SECONDS
    while DataFolder(settings.data).running_process() is not None:
        if time.monotonic() > until:
            raise FailedError(f"The locator that serves from {settings.data} was told to stop and has not yet.")
        time.sleep(_LOOK_AGAIN_SECONDS)


def _running(settings: Settings) -> int:
    """Return the process that serves from the data folder."""
    number = DataFolder(settings.data).running_process() if settings.data.is_dir() else None
    if number is None:
        raise FailedError(f"No locator serves from {settings.data}. Start one with: hail-locator serve")
    return number


def _users_add(settings: Settings, asked: argparse.Namespace) -> None:
    user: UserId = asked.user
    try:
        name = clean_display_name(asked.name or user)
    except ValueError as error:
        raise FailedError(f"Choose another name: {error}.") from None
    change = AddAccount(user, name, hash_password(_ask_password()), device=None)
    (account,) = _with_accounts(settings, lambda accounts: accounts.make([change]))
    if account is None:
        raise FailedError(f"{user} has an account already. To set its password: hail-locator users password {user}")


def _users_list(settings: Settings, _: argparse.Namespace) -> None:
    accounts = _with_accounts(settings, lambda accounts: accounts.read_all()).values()
    heads = ("ID", "NAME", "DEVICES", "SESSION")
    rows = [heads, *((str(a.user), a.name, str(len(a.devices)), str(a.session)) for a in accounts)]
    widths = [max(_columns(row[column]) for row in rows) for column in range(2)]
    for user, name, devices, session in rows:
        left = "  ".join(
            text + " " * (width - _columns(text)) for text, width in zip((user, name), widths, strict=True)
        )
        print(f"{left}  {devices:>7}  {session:>7}")  # noqa: T201


def _columns(text: str) -> int:
    """Return how many columns a terminal gives to a text: a Chinese character takes two, an accent none."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in text)


def _users_password(settings: Settings, asked: argparse.Namespace) -> None:
    change = SetPassword(asked.user, hash_password(_ask_password()))
    (account,) = _with_accounts(settings, lambda accounts: accounts.make([change]))
    if account is None:
        raise FailedError(f"There is no account {asked.user}. To make one: hail-locator users add {asked.user}")


def _with_accounts(settings: Settings, use: Callable[[AccountsFile], T]) -> T:
    accounts = AccountsFile(DataFolder(settings.data).path)
    try:
        return use(accounts)
    finally:
        accounts.close()


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
    return password


def _complain(sentence: object, code: int) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return code


# --- the arguments -------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    everywhere = argparse.ArgumentParser(add_help=False)
    # A value given before the verb must not be overwritten by a default after it.
    _setting(everywhere, "data", "DIR", "data folder (default: this platform's folder for hail-locator)")
    _setting(everywhere, "config", "FILE.toml", "settings file with data, listen, public, registration, announce")
    parser = argparse.ArgumentParser(
        prog="hail-locator",
        parents=[everywhere],
        allow_abbrev=False,
        description="Knows who is where, so that Hail's peers find each other. Run it on a known host.",
        epilog="Each setting also has a variable, as HAIL_LOCATOR_LISTEN, and a line in FILE.toml; flags win, then "
        "variables. Example: hail-locator serve --listen 0.0.0.0:7400",
    )
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")

    serving = _verb(verbs, everywhere, "serve", _serve, "serve until stopped", "hail-locator serve --public 192.0.2.7")
    _setting(serving, "listen", "HOST:PORT", f"where to accept connections (default {DEFAULT_LISTEN}; port 0: any)")
    _setting(serving, "public", "HOST[:PORT]", "what others reach it under, if that differs from --listen")
    _setting(serving, "registration", "open|closed", "whether people may make accounts themselves (default open)")
    for flag, value, purpose in (
        ("--announce", "on", "let Hail's windows on this network find it by themselves (the default)"),
        ("--no-announce", "off", "be found only by those who have the address"),
    ):
        serving.add_argument(
            flag, dest="announce", action="store_const", const=value, default=argparse.SUPPRESS, help=purpose
        )

    users = verbs.add_parser("users", parents=[everywhere], help="add users, list them, set a password")
    users_verbs = users.add_subparsers(title="verbs", required=True, metavar="VERB")
    add = _verb(users_verbs, everywhere, "add", _users_add, "make an account", "hail-locator users add ana --name Ana")
    add.add_argument("user", metavar="ID", type=_user_id, help="1 to 32 of a-z, 0-9, dot, dash, underscore")
    add.add_argument("--name", help="the name others see (default: the ID)")
    _verb(users_verbs, everywhere, "list", _users_list, "list all accounts", "hail-locator users list")
    password = _verb(
        users_verbs, everywhere, "password", _users_password, "set a password", "hail-locator users password ana"
    )
    password.add_argument("user", metavar="ID", type=_user_id, help="whose; all devices must log in again")

    _verb(verbs, everywhere, "address", _address, "print the link to hand out", "hail-locator address")
    _verb(verbs, everywhere, "status", _status, "tell whether one serves from the data folder", "hail-locator status")
    _verb(verbs, everywhere, "stop", _stop, "stop the one that serves from the data folder", "hail-locator stop")
    return parser


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    everywhere: argparse.ArgumentParser,
    name: str,
    verb: Verb,
    purpose: str,
    example: str,
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(
        name,
        parents=[everywhere],
        allow_abbrev=False,
        help=purpose,
        description=_DESCRIPTIONS[verb],
        epilog=f"Example: {example}",
    )
    parser.set_defaults(verb=verb)
    return parser


def _setting(parser: argparse.ArgumentParser, name: str, form: str, purpose: str) -> None:
    parser.add_argument(f"--{name}", metavar=form, default=argparse.SUPPRESS, help=purpose)


def _user_id(typed: str) -> UserId:
    try:
        return UserId.parse(typed)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{typed!r} is no ID: {error}") from None


_PASSWORD_COMES = "The password is asked for, or is one line of standard input; an operator may set any length."  # noqa: S105
_DESCRIPTIONS: dict[Verb, str] = {
    _serve: "Serve until stopped. When it can serve it prints one line, 'ready hail://HOST:PORT#FINGERPRINT'.",
    _users_add: f"Make an account. {_PASSWORD_COMES}",
    _users_list: "List all accounts: ID, name, how many devices may log in by themselves, and the number of the last "
    "session (0: nobody ever logged in).",
    _users_password: f"Set a password; all devices must log in with it again. {_PASSWORD_COMES}",
    _address: "Print the link that the last 'serve' on this data folder gave out.",
    _status: "Print 'serving hail://HOST:PORT#FINGERPRINT' while one serves from this data folder; else exit with 1.",
    _stop: "Stop the locator that serves from this data folder, as SIGTERM does, and wait until it has ended.",
}


if __name__ == "__main__":
    sys.exit(main())
