"""The one port on which friends reach this node: the first four bytes say what a connection is."""

import asyncio
import logging
import ssl

from peer.errors import Refusal, RefusalCode
from peer.links.link_book import LinkBook
from peer.links.wire import Arrival, Listener, Wire
from protocol import limits
from protocol.link_messages import MAGIC

log = logging.getLogger(__name__)


class LinkPort:
    """Listens from `open` on, and gives each new connection to the book once `serve` names one."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._listener: Listener | None = None
        self._book: asyncio.Future[tuple[LinkBook, ssl.SSLContext]] = asyncio.get_running_loop().create_future()

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

    def serve(self, book: LinkBook, context: ssl.SSLContext) -> None:
        """From now on connections become links. The port had to be known before, to be told to the locator."""
        self._book.set_result((book, context))

    async def close(self) -> None:
        """Take no more connections."""
        self._book.cancel()
        if self._listener is not None:
            await self._listener.close()
            self._listener = None

    async def _accept(self, arrival: Arrival) -> None:
        async with asyncio.timeout(limits.MAGIC_SECONDS):
            magic = await arrival.read_clear(limits.MAGIC_BYTES)
            book, context = await asyncio.shield(self._book)
        if magic != MAGIC:
            log.info("a connection from %s speaks no language of ours", arrival.address)
            return
        link = await arrival.start_tls(book.new_link, context)
        await book.greet(link, expected=None)
