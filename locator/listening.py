"""A bound socket for each of the locator's ports, or one sentence that says why there is none."""

import contextlib
import errno
import os
import socket

from locator import limits
from locator.configuration import Place


class CannotServeError(Exception):
    """The locator cannot start; the sentence says why and what to do."""


def listen(place: Place, kept_port: int | None, flag: str = "--listen") -> socket.socket:
    """Return a bound socket. Port 0 means: the one kept from last time, or any if that is taken."""
    if place.port == 0 and kept_port is not None:
        with contextlib.suppress(OSError):
            return _bind(Place(place.host, kept_port))
    try:
        return _bind(place)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"Port {place.port} is in use by another program. Stop that, or choose another with {flag}."
        elif error.errno == errno.EACCES:
            reason = f"Port {place.port} needs more rights than you have. Choose one above 1023 with {flag}."
        else:
            reason = f"Nothing can listen on {place}: {error.strerror}. Give an address of this machine with {flag}."
        raise CannotServeError(reason) from None


def _bind(place: Place) -> socket.socket:
    (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
        place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # on Windows it would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and place.host == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.listen(limits.BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener
