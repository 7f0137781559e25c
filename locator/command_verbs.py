"""How a verb of `hail-locator` is described to argparse, and how it says that it failed."""

import argparse
from collections.abc import Callable

from locator.configuration import Settings
from protocol.identity import UserId

Verb = Callable[[Settings, argparse.Namespace], None]


class FailedError(Exception):
    """What was asked cannot be done; the sentence says why and what to do."""


def add_verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    everywhere: argparse.ArgumentParser,
    name: str,
    verb: Verb,
    purpose: str,
    description: str,
    example: str,
) -> argparse.ArgumentParser:
    """Add a verb: one line for the list, a description and an example for its own help."""
    parser = verbs.add_parser(
        name,
        parents=[everywhere],
        allow_abbrev=False,
        help=purpose,
        description=description,
        epilog=f"Example: {example}",
    )
    parser.set_defaults(verb=verb)
    return parser


def add_setting(parser: argparse.ArgumentParser, name: str, form: str, purpose: str) -> None:
    """Add a setting, which has a variable and a line in the file, too."""
    # A value given before the verb must not be overwritten by a default after it.
    parser.add_argument(f"--{name}", metavar=form, default=argparse.SUPPRESS, help=purpose)


def read_user_id(typed: str) -> UserId:
    """Read an ID on the command line."""
    try:
        return UserId.parse(typed)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{typed!r} is no ID: {error}") from None
