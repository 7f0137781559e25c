"""How the sockets of the voice port get from the node into the voice process.

Elsewhere than on Windows a process inherits them, under the same numbers. Windows has no such thing: there Winsock
describes a socket in bytes that one other process can make a socket of.
"""

import os
import socket
import sys

import msgspec

IS_INHERITED = sys.platform != "win32"


class HandedSocket(msgspec.Struct, frozen=True, array_like=True):
    """A socket, as one process tells another."""

    descriptor: int
    shared: bytes = b""
    """On Windows, instead of the descriptor."""


def inherited(*sockets: socket.socket) -> tuple[int, ...]:
    """Return the descriptors that a process must inherit to be handed these."""
    return tuple(each.fileno() for each in sockets) if IS_INHERITED else ()


def hand_over(some: socket.socket, process: int) -> HandedSocket:
    """Return what to tell the process with this ID, which inherited what `inherited` returned."""
    if sys.platform == "win32":
        return HandedSocket(-1, some.share(process))
    return HandedSocket(some.fileno())


def take_over(handed: HandedSocket) -> socket.socket:
    """Return the socket, in the other process."""
    if sys.platform == "win32":
        return socket.fromshare(handed.shared)
    return socket.socket(fileno=os.dup(handed.descriptor))
