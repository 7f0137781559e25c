"""Reads a class list as spreadsheets write it: CSV in one of a few encodings, with one of a few separators. Pure."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from locator import limits
from protocol.identity import UserId, clean_display_name
from protocol.limits import PASSWORD_LENGTH

_SEPARATORS = ",;\t"
_HEADS = {
    "id": ("id", "user", "user id", "number", "student id", "学号", "账号"),
    "name": ("name", "display name", "姓名", "名字"),
    "password": ("password", "密码"),
}
"""What a column may be called, in lower case."""


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person of the list."""

    line: int
    user: UserId
    name: str
    password: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that cannot be used, and why."""

    line: int
    reason: str


class NoRosterError(ValueError):
    """The file as a whole cannot be read; the sentence says why."""


def read_roster(content: bytes, password_for_all: str | None = None) -> tuple[list[RosterRow], list[BadRow]]:
    """Return the good rows and the bad ones, in the order of their lines; raise NoRosterError.

    A row without a password gets `password_for_all`, or is bad where there is none. Of two rows with one ID the
    second is bad.
    """
    rows = _rows(_text(content))
    line, heads = next(rows, (0, []))
    columns = _columns(heads)
    if "id" not in columns:
        raise NoRosterError("the first line names no column 'id'; it should be: id,name,password")
    good: list[RosterRow] = []
    bad: list[BadRow] = []
    seen: dict[UserId, int] = {}
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(good) + len(bad) >= limits.ROSTER_ROWS:
            raise NoRosterError(f"it has more than {limits.ROSTER_ROWS} rows")
        try:
            row = _read_row(line, cells, columns, password_for_all)
        except ValueError as error:
            bad.append(BadRow(line, str(error)))
            continue
        if row.user in seen:
            bad.append(BadRow(line, f"{row.user} stands in line {seen[row.user]} already"))
            continue
        seen[row.user] = line
        good.append(row)
    return good, bad


def _read_row(line: int, cells: list[str], columns: dict[str, int], password_for_all: str | None) -> RosterRow:
    def cell(name: str) -> str:
        place = columns.get(name, len(cells))
        return cells[place].strip() if place < len(cells) else ""

    typed = cell("id")
    if not typed:
        raise ValueError("it has no ID")
    try:
        user = UserId.parse(typed)
    except ValueError as error:
        raise ValueError(f"{typed[:40]!r} is no ID: {error}") from None
    try:
        name = clean_display_name(cell("name") or user)
    except ValueError as error:
        raise ValueError(f"the name of {user} cannot be used: {error}") from None
    password = cell("password") or password_for_all or ""
    if not password:
        raise ValueError(f"{user} has no password")
    if len(password) > PASSWORD_LENGTH:
        raise ValueError(f"the password of {user} has more than {PASSWORD_LENGTH} characters")
    return RosterRow(line, user, name, password)


def _text(content: bytes) -> str:
    if len(content) > limits.ROSTER_BYTES:
        raise NoRosterError(f"it is larger than {limits.ROSTER_BYTES // 1024 // 1024} MiB")
    # GBK is what spreadsheets in China write; GB18030 contains it. UTF-8 is tried first: GBK takes nearly any bytes.
    encodings = ("utf-16",) if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # A few zeros spoil their rows; very many are no text at all, or UTF-16 that does not say so.
        if text.count("\x00") <= len(text) // 8:
            return text
    raise NoRosterError("it is no text in UTF-8 or GBK; save the list as CSV")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells), separated by what the first line uses most.

    A quotation mark that never ends spoils its own line, not all the lines behind it.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    separator = max(_SEPARATORS, key=lines[0].count)
    at = 0
    while at < len(lines):
        several = (line + "\n" for line in lines[at : at + limits.ROSTER_LINES_OF_A_ROW])
        reader = csv.reader(several, delimiter=separator, strict=True)
        try:
            cells, used = next(reader), reader.line_num
        except csv.Error:
            cells, used = _cells_of_one(lines[at], separator), 1
        yield at + 1, cells
        at += used


def _cells_of_one(line: str, separator: str) -> list[str]:
    """Read a line as well as may be; what no spreadsheet writes is one cell, and no ID."""
    try:
        return next(csv.reader([line], delimiter=separator))
    except csv.Error:
        return [line]


def _columns(heads: list[str]) -> dict[str, int]:
    cleaned = [head.strip().casefold() for head in heads]
    return {name: place for name, words in _HEADS.items() for place, head in enumerate(cleaned) if head in words}
