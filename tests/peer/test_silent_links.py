"""A link on which nothing comes: asked a few times, then dead. Found by the simulation."""

import asyncio
from typing import Any

from peer.links.link import Link, LinkEnd


class Nowhere(asyncio.Transport):
    """Takes what is sent, and brings it nowhere."""

    sent = 0

    def write(self, data: Any) -> None:
        self.sent += 1
        assert self.sent < 100, "it is asked again and again at one moment"

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def abort(self) -> None:
        pass


async def test_a_silent_link_is_asked_a_few_times_whenever_it_began() -> None:
    for moment in range(300):
        await asyncio.sleep(0.1 + moment / 7919)
        link, nowhere = Link(lambda _: None), Nowhere()
        link.connection_made(nowhere)
        await asyncio.sleep(9.1)
        assert link.end is LinkEnd.DEAD
        assert nowhere.sent <= 4
