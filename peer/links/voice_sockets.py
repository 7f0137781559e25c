"""The sockets of a voice port: UDP, and TCP of the same number, which nobody reads or listens on between calls."""

import contextlib
import errno
import logging
import os
import socket

from peer.limits import VOICE_PACKETS_DROPPED
from protocol.limits import VOICE_PACKET_BYTES

log = logging.getLogger(__name__)


class VoiceSockets:
    """Both are bound for as long as somebody is signed in, so that no other program gets the number meanwhile."""

    def __init__(self, number: int) -> None:
        """Bind them to `number` (0: any that is free for both); raise OSError if one of them is taken."""
        self.udp = _bound(socket.SOCK_DGRAM, number)
        self.udp.setblocking(False)
        self.number: int = self.udp.getsockname()[1]
        self.tcp: socket.socket | None = None
        """Bound, not listening. None: another program took the number after a call."""
        try:
            self.tcp = _bound(socket.SOCK_STREAM, self.number)
        except OSError:
            self.udp.close()
            raise

    def make_ready(self) -> None:
        """Prepare for a call: drop what came while nobody read, which is of no call any more."""
        for _ in range(VOICE_PACKETS_DROPPED):
            try:
                self.udp.recv(VOICE_PACKET_BYTES)
            except BlockingIOError:
                break
            except OSError:  # longer than any of ours, or (on Windows) news of a place that nobody is at
                continue
        if self.tcp is None:
            self._bind_tcp()

    def rest(self) -> None:
        """Listen no more after a call: a TCP connection that nobody accepts would hang instead of being refused."""
        if self.tcp is not None:
            self.tcp.close()
        self._bind_tcp()

    def close(self) -> None:
        """Give the number back."""
        self.udp.close()
        if self.tcp is not None:
            self.tcp.close()

    def _bind_tcp(self) -> None:
        self.tcp = None
        try:
            self.tcp = _bound(socket.SOCK_STREAM, self.number)
        except OSError as error:
            log.info("the voice port has no TCP for now: %s", error)


def _bound(kind: socket.SocketKind, number: int) -> socket.socket:
    """Bind on all IPv4 and, where there is one, IPv6 interfaces."""
    try:
        return _bound_to(socket.AF_INET6, kind, "::", number)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise
        return _bound_to(socket.AF_INET, kind, "0.0.0.0", number)  # noqa: S104 - friends come from anywhere


def _bound_to(family: socket.AddressFamily, kind: socket.SocketKind, host: str, number: int) -> socket.socket:
    with contextlib.ExitStack() as failed:
        made = socket.socket(family, kind)
        failed.callback(made.close)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if os.name == "nt":
            made.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE"), 1)  # noqa: B009 - Windows only
        elif kind == socket.SOCK_STREAM:
            # Connections of an earlier call may still be in TIME_WAIT.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, number))
        failed.pop_all()
    return made
