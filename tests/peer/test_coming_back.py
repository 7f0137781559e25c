"""A peer that lost its locator and comes back: as it is told to, and not all at once."""

import itertools

import pytest

from locator.logins import refuse
from locator.orders import Caller, Now, Orders
from peer.limits import LOCATOR_LAST_RETRY_SECONDS
from protocol.errors import RefusalCode
from protocol.locator_messages import LogInByKey
from tests.harness.world import LOCATOR_HOST, World


async def test_a_reconnect_waits_as_long_as_the_locator_says_and_a_little_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.start_locator()
    await world.registered("ana")
    tries: list[float] = []

    def refuse_for_a_while(request: LogInByKey, caller: Caller, now: Now) -> Orders:
        tries.append(now.monotonic)
        return refuse(caller, request.tag, RefusalCode.RATE_LIMITED, "Try again in 40 s.", 40.0)

    monkeypatch.setattr(world.server._requests, "answer", refuse_for_a_while)
    world.network.hang_up(LOCATOR_HOST)
    await world.until(lambda: len(tries) == 6, seconds=600)
    waits = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert all(40.0 < wait < 41.0 + LOCATOR_LAST_RETRY_SECONDS for wait in waits)
    assert len({round(wait, 2) for wait in waits}) == len(waits), "each wait has its own jitter"
