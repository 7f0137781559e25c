"""The plain text of the university course this kind of system comes from: bytes to commands, answers to bytes. Pure.

There is no line end and no length in it. A query and a logout end by themselves, after ten digits; a login ends
with a NUL, with the sender's half-close, or when nothing more came for a moment, which is for the caller to tell.
"""

import re
from typing import NamedTuple

from locator import limits
from protocol.identity import UserId

ACCEPTED = b"lol"
LOGGED_OUT = b"loo"
OFFLINE = b"n"
UNKNOWN_USER = b"Incorrect No."
UNKNOWN_AT_LOGIN = b"Incorrect login No."
NONSENSE = b"Please send the correct message."

_QUERY = re.compile(rb"q(\d{10})")
_LOG_OUT = re.compile(rb"logout(\d{10})")
_LOG_IN = re.compile(rb"(\d{10})_([\x20-\x7e]+)")


class CourseLogIn(NamedTuple):
    """`<ID>_<password>`."""

    user: UserId
    password: str


class CourseQuery(NamedTuple):
    """`q<ID>`."""

    user: UserId


class CourseLogOut(NamedTuple):
    """`logout<ID>`."""

    user: UserId


class Nonsense(NamedTuple):
    """Anything else."""


Command = CourseLogIn | CourseQuery | CourseLogOut | Nonsense
_ENDING_BY_THEMSELVES: tuple[tuple[re.Pattern[bytes], type[CourseQuery | CourseLogOut]], ...]
_ENDING_BY_THEMSELVES = ((_QUERY, CourseQuery), (_LOG_OUT, CourseLogOut))


class CourseReader:
    """Cuts one connection's bytes into commands."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def add(self, data: bytes) -> None:
        """Take what came."""
        self._waiting += data

    @property
    def waiting(self) -> int:
        """How many bytes wait."""
        return len(self._waiting)

    @property
    def has_beginning(self) -> bool:
        """Whether something waits whose end is not known yet."""
        return bool(self._waiting.strip(b"\0"))

    def next_command(self, *, is_ended: bool = False) -> Command | None:
        """Return the next command, or None while its end is not known; `is_ended` says that nothing more belongs to it.

        What is longer than any command is nonsense at once, so that no sender can make us keep more.
        """
        if self._waiting.startswith(b"\0"):
            del self._waiting[: len(self._waiting) - len(self._waiting.lstrip(b"\0"))]
        if not self._waiting:
            return None
        for pattern, kind in _ENDING_BY_THEMSELVES:
            if found := pattern.match(self._waiting):
                user = UserId(found[1].decode())  # before the bytes under the match are taken away
                del self._waiting[: found.end()]
                return kind(user)
        end = self._waiting.find(b"\0")
        if end < 0 and (is_ended or len(self._waiting) > limits.COURSE_COMMAND_BYTES):
            end = len(self._waiting)
        if end <= 0:
            return None
        said = bytes(self._waiting[:end])
        del self._waiting[:end]
        found_login = _LOG_IN.fullmatch(said) if end <= limits.COURSE_COMMAND_BYTES else None
        if found_login is None:
            return Nonsense()
        return CourseLogIn(UserId(found_login.group(1).decode()), found_login.group(2).decode())


def port_of(user: UserId) -> int:
    """Return the port on which a course client listens: its ID's last five digits; 0 if that is no port."""
    port = int(user[-5:])
    return port if 0 < port <= 65_535 else 0
