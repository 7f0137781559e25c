"""Many people who type their password in the same moment."""

import asyncio
import time
from typing import Any, NamedTuple

from protocol import limits
from protocol.errors import RefusalCode
from protocol.framing import FrameReader
from protocol.locator_messages import LOCATOR, Endpoint, LoggedIn, LogIn, Refused
from tests.bench.load import Line, Talk, Tally, WrongAnswerError, connect, run
from tests.bench.population import PASSWORD, key_of, port_of, user_of
from tests.bench.talks import heard

FIRST_PERSON = 1
"""Person 0 asks now and then, and must not be thrown out by a newer login."""


class Stormed(NamedTuple):
    """What became of them."""

    let_in: int
    told_to_wait: int
    seconds: float


def log_in_all_at_once(talk: Talk, people: int, gate: Any) -> Stormed:
    """Connect everybody, wait at the gate (a barrier), send all passwords; return when the last one is answered."""
    return run(_log_in_all_at_once(talk, people, gate))


async def _log_in_all_at_once(talk: Talk, people: int, gate: Any) -> Stormed:
    async with Tally() as tally:
        lines = await connect(talk, people, tally)
        await asyncio.to_thread(gate.wait)
        began = time.perf_counter()
        for number, line in enumerate(lines, FIRST_PERSON):
            key = key_of(number).public
            line.say(LOCATOR.encode(LogIn(1, user_of(number), PASSWORD, key, Endpoint(port_of(number), 0))))
        are_in = await asyncio.gather(*(_is_let_in(line) for line in lines))
        seconds = time.perf_counter() - began
    return Stormed(sum(are_in), people - sum(are_in), seconds)


async def _is_let_in(line: Line) -> bool:
    """Tell whether somebody is let in, or told when to come again; anything else is wrong."""
    answer = await heard(line, FrameReader(limits.LOCATOR_REPLY_FRAME), LoggedIn, Refused)
    if isinstance(answer, LoggedIn):
        return True
    assert isinstance(answer, Refused)
    if answer.code != RefusalCode.RATE_LIMITED or answer.retry_after <= 0:
        raise WrongAnswerError(f"a right password was refused: {answer}")
    return False
