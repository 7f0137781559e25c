"""Takes connections off a listening socket: a few at a time, so that a crowd at the door keeps no look-up waiting."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable

from locator import limits

log = logging.getLogger(__name__)


class Acceptor:
    """Owns a listening socket, on the running loop.

    It stands for asyncio's `create_server`, which tells nothing of a connection before its TLS handshake is done, and
    accepts all that wait at once.
    """

    def __init__(self, listener: socket.socket, take: Callable[[socket.socket, str], bool]) -> None:
        """`take` gets a connection with the address it comes from, and tells whether it wants it."""
        self._listener = listener
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._is_closed = False
        listener.listen(limits.BACKLOG)
        listener.setblocking(False)
        self._loop.add_reader(listener, self._accept)

    def close(self) -> None:
        """Take no more."""
        if not self._is_closed:
            self._is_closed = True
            self._loop.remove_reader(self._listener)
            self._listener.close()

    def _accept(self) -> None:
        taken = 0
        for _ in range(limits.REFUSALS_AT_ONCE):
            try:
                accepted, (address, *_) = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no more files, no more memory
                log.warning("no connection can be accepted: %s", error)
                self._loop.remove_reader(self._listener)
                self._loop.call_later(limits.ACCEPT_AGAIN_SECONDS, self._go_on)
                return
            accepted.setblocking(False)
            with contextlib.suppress(OSError):  # who is gone already is noticed later
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._take(accepted, address):
                taken += 1
            else:
                accepted.close()
            if taken == limits.ACCEPTS_AT_ONCE or self._is_closed:
                return

    def _go_on(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._listener, self._accept)
