"""What an operator reads: one event a line, as logfmt or JSON, with no secret in it, and with floods summed up.

An event has a name and facts; `tell` is the way to write one. Whatever else is logged, by us or by a library, becomes
the event `message`. Nothing that a client chose is written but IDs of accounts that exist.
"""

import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

from locator import limits

Fact = str | int | float | None


class LogFormat(StrEnum):
    """How a line is written."""

    LOGFMT = "logfmt"
    JSON = "json"


class LogLevel(StrEnum):
    """The least that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def tell(log: logging.Logger, level: int, event: str, /, **facts: Fact) -> None:
    """Write an event. `user` and `address` are whom it is about and where they are; None is left out."""
    if log.isEnabledFor(level):
        # `Logger.log` would look for the line of code, which nobody is told, and take a quarter longer.
        log.handle(log.makeRecord(log.name, level, "", 0, event, (), None, extra={"facts": facts}))


def facts_of(record: logging.LogRecord) -> dict[str, Fact]:
    """Return what a line says beside time and level, in order."""
    facts: dict[str, Fact] | None = getattr(record, "facts", None)
    if facts is None:
        told: dict[str, Fact] = {"event": "message", "logger": record.name, "message": record.getMessage()}
        told |= {"address": address} if (address := getattr(record, "address", None)) else {}
    else:
        told = {"event": record.msg, **{name: value for name, value in facts.items() if value is not None}}
    if record.exc_info:
        told["trace"] = logging.Formatter().formatException(record.exc_info)
    return told


class _Lines(logging.Formatter):
    """One line a record."""

    def __init__(self, form: LogFormat, *, for_journal: bool) -> None:
        super().__init__()
        self._form = form
        self._for_journal = for_journal

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        content: dict[str, Fact] = {"time": at, "level": record.levelname.lower(), **facts_of(record)}
        if self._form is LogFormat.JSON:
            line = json.dumps(content)
        else:
            line = " ".join(f"{name}={_quoted(value)}" for name, value in content.items())
        return f"<{_PRIORITIES.get(record.levelno, 6)}>{line}" if self._for_journal else line


_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""The journal's numbers for our levels (sd-daemon(3)); it takes them from the beginning of a line."""


_PLAIN = re.compile(r"[!#-<>-\[\]-~]+")
"""Visible ASCII but for the quotation mark, the equals sign and the backslash."""


def _quoted(value: Fact) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


class FloodGate(logging.Filter):
    """Lets the first few lines of a kind through in each stretch of time, counts the rest, and then tells the sum.

    A kind is the same event about the same user from the same address. Whoever floods us, the lines written in a
    stretch are bounded, and so is what is remembered.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._ends = clock() + limits.LOG_STRETCH_SECONDS
        self._counts: dict[tuple[str, Fact, Fact], int] = {}
        self._lines = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is written."""
        facts: dict[str, Fact] = getattr(record, "facts", {})
        if "repeated" in facts:
            return True
        address = facts.get("address") or getattr(record, "address", None)
        kind = (str(record.msg), address, facts.get("user"))
        if kind not in self._counts and len(self._counts) >= limits.LOG_KINDS:
            kind = (kind[0], None, None)
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count > limits.LOG_LINES_OF_A_KIND or (address is not None and self._lines >= limits.LOG_LINES):
            return False
        self._lines += 1
        return True

    def tell_sums(self, *, at_once: bool = False) -> None:
        """Write how often what was held back came; to be called again and again."""
        if not at_once and self._clock() < self._ends:
            return
        counts, self._counts = self._counts, {}
        self._lines = 0
        self._ends = self._clock() + limits.LOG_STRETCH_SECONDS
        for (event, address, user), count in counts.items():
            if count > limits.LOG_LINES_OF_A_KIND:
                tell(log, logging.INFO, event, user=user, address=address, repeated=count - limits.LOG_LINES_OF_A_KIND)


log = logging.getLogger(__name__)


def set_up_logging(form: LogFormat, level: LogLevel, stream: TextIO | None = None) -> FloodGate:
    """Write to standard error from now on, in this form; return what has to tell its sums from time to time."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Lines(form, for_journal=_is_journal(stream)))
    gate = FloodGate()
    handler.addFilter(gate)
    logging.basicConfig(handlers=[handler], level=level.value.upper(), force=True)
    return gate


def _is_journal(stream: TextIO) -> bool:
    """Tell whether systemd's journal reads a stream: it names the file in a variable (systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
