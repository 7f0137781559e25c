"""The command `hail-locator`: serve, look after users, print the address to hand out."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence

from locator import limits
from locator.command_verbs import FailedError, Verb, add_setting, add_verb
from locator.configuration import DEFAULT_LISTEN, ConfigurationError, Settings, read_settings
from locator.data_folder import DataFolder
from locator.listening import CannotServeError
from locator.running import serve
from locator.stores.interface import StoreFailedError
from locator.users_commands import add_users_verbs

_DONE, _FAILED, _WRONG_USAGE = 0, 1, 2
_LOOK_AGAIN_SECONDS = 0.05


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
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


def _serve(settings: Settings, asked: argparse.Namespace) -> None:
    serve(
        settings,
        lambda link: print(f"ready {link}", flush=True),  # noqa: T201 - the command's output
        lambda: read_settings(vars(asked), os.environ),
    )


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


def _complain(sentence: object, code: int) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return code


# --- the arguments -------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    everywhere = argparse.ArgumentParser(add_help=False)
    # A value given before the verb must not be overwritten by a default after it.
    add_setting(everywhere, "data", "DIR", "data folder (default: this platform's folder for hail-locator)")
    add_setting(
        everywhere,
        "config",
        "FILE.toml",
        "settings file; its lines are named like the flags of serve, with _ for -",
    )
    parser = argparse.ArgumentParser(
        prog="hail-locator",
        parents=[everywhere],
        allow_abbrev=False,
        description="Knows who is where, so that Hail's peers find each other. Run it on a known host.",
        epilog="Each setting also has a variable, as HAIL_LOCATOR_LISTEN, and a line in FILE.toml; flags win, then "
        "variables. Example: hail-locator serve --listen 0.0.0.0:7400",
    )
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    storing = argparse.ArgumentParser(add_help=False, parents=[everywhere])
    add_setting(
        storing,
        "store",
        "embedded|redis://HOST:PORT/DB",
        "where the accounts are: in the data folder (the default), or shared by several locators in Redis or Valkey; "
        "a password belongs into HAIL_LOCATOR_STORE or the settings file, where other users do not see it",
    )

    serving = add_verb(
        verbs,
        storing,
        "serve",
        _serve,
        "serve until stopped",
        "Serve until stopped. When it can serve it prints one line, 'ready hail://HOST:PORT#FINGERPRINT'.",
        "hail-locator serve --public 192.0.2.7",
    )
    add_setting(serving, "listen", "HOST:PORT", f"where to accept connections (default {DEFAULT_LISTEN}; port 0: any)")
    add_setting(serving, "public", "HOST[:PORT]", "what others reach it under, if that differs from --listen")
    add_setting(serving, "registration", "open|closed", "whether people may make accounts themselves (default open)")
    add_setting(
        serving, "course-port", "HOST:PORT", "take the course's plain text there, unencrypted (default: nowhere)"
    )
    add_setting(serving, "authority", "FILE", "the authority's key, the same for all that share a --store")
    add_setting(serving, "metrics", "HOST:PORT", "serve figures for Prometheus there, to anybody (default: nowhere)")
    add_setting(serving, "log-format", "logfmt|json", "one event a line on standard error (default logfmt)")
    add_setting(serving, "log-level", "debug|info|warning|error", "the least that is written (default info)")
    for flag, value, purpose in (
        ("--announce", "on", "let Hail's windows on this network find it by themselves (the default)"),
        ("--no-announce", "off", "be found only by those who have the address"),
    ):
        serving.add_argument(
            flag, dest="announce", action="store_const", const=value, default=argparse.SUPPRESS, help=purpose
        )

    add_users_verbs(verbs, storing)
    add_verb(
        verbs,
        everywhere,
        "address",
        _address,
        "print the link to hand out",
        "Print the link that the last 'serve' on this data folder gave out.",
        "hail-locator address",
    )
    add_verb(
        verbs,
        everywhere,
        "status",
        _status,
        "tell whether one serves from the data folder",
        "Print 'serving hail://HOST:PORT#FINGERPRINT' while one serves from this data folder; else exit with 1.",
        "hail-locator status",
    )
    add_verb(
        verbs,
        everywhere,
        "stop",
        _stop,
        "stop the one that serves from the data folder",
        "Stop the locator that serves from this data folder, as SIGTERM does, and wait until it has ended.",
        "hail-locator stop",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
