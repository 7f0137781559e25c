"""What the course's old clients say: log in, ask for each other, log out; 70,789 requests of 1,000 clients in all."""

import random
from dataclasses import dataclass

from tests.bench.load import Exactly, Exchange, Line, source_address
from tests.bench.population import PASSWORD, course_user_of
from tests.bench.reference_server import Place

CLIENTS = 1_000
REQUESTS = 70_789
"""As many as the published measurement of a student's server had."""
ALWAYS_HERE = 100
"""Users that logged in before and stay: they can be asked for without knowing who logs out meanwhile."""
NEVER_HERE = 100
ACCOUNTS = CLIENTS + ALWAYS_HERE + NEVER_HERE
_NOT_HERE = b"n"


@dataclass(frozen=True)
class CourseTalk:
    """Every client logs in first and out last; each answer has one right form, down to the last byte."""

    place: Place
    alpn = None

    async def get_ready(self, line: Line, number: int) -> None:
        if number < ALWAYS_HERE:
            await line.ask(_log_in(CLIENTS + number))

    async def exchanges(self, lines: list[Line]) -> list[list[Exchange]]:
        chance = random.Random(len(lines))
        each, more = divmod(REQUESTS, len(lines))
        return [self._day(number, each + (number < more), chance) for number in range(len(lines))]

    def _day(self, number: int, requests: int, chance: random.Random) -> list[Exchange]:
        """Return what one client asks."""
        middle = [_question(chance) for _ in range(requests - 4)]
        return [
            _log_in(number),
            _query(number, source_address(number).encode()),
            *middle,
            Exactly(b"logout" + course_user_of(number).encode(), b"loo"),
            _query(number, _NOT_HERE),
        ]


def _question(chance: random.Random) -> Exchange:
    kind = chance.randrange(3)
    if kind == 0:
        number = chance.randrange(ALWAYS_HERE)
        return _query(CLIENTS + number, source_address(number).encode())
    if kind == 1:
        return _query(CLIENTS + ALWAYS_HERE + chance.randrange(NEVER_HERE), _NOT_HERE)
    return _query(ACCOUNTS + chance.randrange(1_000), b"Incorrect No.")


def _query(number: int, answer: bytes) -> Exactly:
    return Exactly(b"q" + course_user_of(number).encode(), answer)


def _log_in(number: int) -> Exactly:
    return Exactly(f"{course_user_of(number)}_{PASSWORD}".encode(), b"lol")
