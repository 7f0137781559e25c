"""The one port on which friends reach this node: the first four bytes say what a connection is."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple

from peer.errors import Refusal, RefusalCode
from peer.links.link_book import LinkBook
from peer.links.wire import Arrival, Listener, Wire
from protocol import file_messages, limits, link_messages

log = logging.getLogger(__name__)


class _Within(NamedTuple):
    """Who takes connections in."""

    book: LinkBook
    context: ssl.SSLContext
    take_file_connection: Callable[[socket.socket], None]


class LinkPort:
    """Listens from `open` on, and gives each new connection to the book once `serve` names one."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._listener: Listener | None = None
        self._within: asyncio.Future[_Within] = asyncio.get_running_loop().create_future()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._listener is not None
        return self._listener.port

    async def open(self, wanted: int, *, must_have: bool) -> None:
        """Listen on `wanted` (0: any). A taken port is Refusal `port_in_use` if it must be that one, else another."""
        try:
            self._listener = await self._wire.listen(wanted, self._accept)
        except OSError as error:
            if must_have:
                raise Refusal(
                    RefusalCode.PORT_IN_USE,
                    f"Port {wanted} is used by another program. Choose another one, or end that program.",
                ) from error
            log.warning("port %d is taken; another one is used this time", wanted)
            self._listener = await self._wire.listen(0, self._accept)

    def serve(
        self, book: LinkBook, context: ssl.SSLContext, take_file_connection: Callable[[socket.socket], None]
    ) -> None:
        """From now on connections are taken in. The port had to be known before, to be told to the locator."""
        self._within.set_result(_Within(book, context, take_file_connection))

    async def close(self) -> None:
        """Take no more connections."""
        self._within.cancel()
        if self._listener is not None:
            await self._listener.close()
            self._listener = None

    async def _accept(self, arrival: Arrival) -> None:
        async with asyncio.timeout(limits.MAGIC_SECONDS):
            magic = await arrival.read_clear(limits.MAGIC_BYTES)
            within = await asyncio.shield(self._within)
        if magic == link_messages.MAGIC:
            link = await arrival.start_tls(within.book.new_link, within.context)
            await within.book.greet(link, expected=None)
        elif magic == file_messages.MAGIC:
            within.take_file_connection(arrival.take_socket())
        else:
            log.info("a connection from %s speaks no language of ours", arrival.address)
