"""How bytes reach another program: real TCP and TLS here; tests hand in a wire that can cut, delay and split."""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from peer import limits as node_limits
from peer.links.voice_sockets import VoiceSockets
from protocol import limits

log = logging.getLogger(__name__)
P = TypeVar("P", bound=asyncio.BaseProtocol)
_TLS_NAME = "hail"  # names are not checked, roles are; asyncio wants one for its SNI


class Arrival(Protocol):
    """A connection that came in and has not said what it is yet."""

    address: str

    async def read_clear(self, count: int) -> bytes:
        """Return the first clear bytes; fewer mean that the other side hung up."""

    async def start_tls(self, factory: Callable[[], P], context: ssl.SSLContext) -> P:
        """Shake hands as the server; raise OSError (ssl.SSLError among them) when that fails."""

    def take_socket(self) -> socket.socket:
        """Hand the connection over as a blocking socket, for a thread; raise OSError where there is none."""

    def close(self) -> None:
        """Hang up."""


Accept = Callable[[Arrival], Awaitable[None]]


class Listener(Protocol):
    """A port that is listened on."""

    port: int

    async def close(self) -> None:
        """Stop to listen; connections that came stay."""


class Wire(Protocol):
    """The way out and in."""

    async def dial(
        self, host: str, port: int, factory: Callable[[], P], context: ssl.SSLContext, clear: bytes = b""
    ) -> P:
        """Connect, say `clear`, shake hands as the client; raise OSError when any of it fails."""

    def dial_blocking(self, host: str, port: int, clear: bytes) -> socket.socket:
        """Connect and say `clear`, on the caller's thread; raise OSError when that fails."""

    async def listen(self, port: int, accept: Accept) -> Listener:
        """Call `accept` for each connection to `port` (0: any free one); raise OSError if it is taken."""

    def voice_sockets(self, number: int) -> VoiceSockets:
        """Bind UDP and TCP of a number (0: any free one); raise OSError if one is taken."""

    def addresses(self) -> tuple[str, ...]:
        """Return this machine's own addresses, for friends on the same network."""


class TcpWire:
    """The real one."""

    async def dial(
        self, host: str, port: int, factory: Callable[[], P], context: ssl.SSLContext, clear: bytes = b""
    ) -> P:
        """See `Wire.dial`."""
        loop = asyncio.get_running_loop()
        failure = OSError(f"{host} has no address")
        for family, kind, _, _, place in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            connection = socket.socket(family, kind)
            connection.setblocking(False)
            protocol = factory()  # uvloop would give its own TLS protocol back
            try:
                await loop.sock_connect(connection, place)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if clear:
                    await loop.sock_sendall(connection, clear)
                transport, _ = await loop.create_connection(
                    partial(_same, protocol),
                    sock=connection,
                    ssl=context,
                    server_hostname=_TLS_NAME,
                    ssl_handshake_timeout=limits.HANDSHAKE_SECONDS,
                )
            except OSError as error:
                connection.close()
                failure = error
            except BaseException:
                connection.close()
                raise
            else:
                if not transport.is_closing():
                    return protocol
                failure = ConnectionResetError(f"{host} hung up during the handshake")
        raise failure

    def dial_blocking(self, host: str, port: int, clear: bytes) -> socket.socket:
        """See `Wire.dial_blocking`."""
        connection = socket.create_connection((host, port), node_limits.DIAL_SECONDS)
        try:
            connection.sendall(clear)
        except OSError:
            connection.close()
            raise
        return connection

    async def listen(self, port: int, accept: Accept) -> "TcpListener":
        """See `Wire.listen`. Listens on all IPv4 and, where there is one, IPv6 interfaces."""
        server = _listening_socket(port)
        server.setblocking(False)
        return TcpListener(server, accept)

    def voice_sockets(self, number: int) -> VoiceSockets:
        """See `Wire.voice_sockets`."""
        return VoiceSockets(number)

    def addresses(self) -> tuple[str, ...]:
        """Return the address of the interface that leads out, and loopback."""
        found: list[str] = []
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # Connecting a datagram socket sends nothing; it only asks the routing table.
            probe.connect(("192.0.2.1", 9))
            found.append(probe.getsockname()[0])
        return (*found, "127.0.0.1") if "127.0.0.1" not in found else tuple(found)


class TcpListener:
    """Accepts raw sockets: the first bytes say what a connection is, and a failed handshake says why."""

    def __init__(self, server: socket.socket, accept: Accept) -> None:
        self.port: int = server.getsockname()[1]
        self._server = server
        self._accept = accept
        self._handling: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.create_task(self._accept_all(), name="listener")

    async def close(self) -> None:
        """See `Listener.close`."""
        for task in (self._accepting, *self._handling):
            task.cancel()
        await asyncio.gather(self._accepting, *self._handling, return_exceptions=True)
        self._server.close()

    async def _accept_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, place = await loop.sock_accept(self._server)
            except OSError as error:
                # Out of descriptors, or the caller was gone already: wait a little, go on.
                log.warning("could not take a connection: %s", error)
                await asyncio.sleep(0.1)
                continue
            if len(self._handling) >= limits.PENDING_HANDSHAKES:
                connection.close()
                continue
            connection.setblocking(False)
            task = asyncio.create_task(self._handle(TcpArrival(connection, place[0])))
            self._handling.add(task)
            task.add_done_callback(self._handling.discard)

    async def _handle(self, arrival: "TcpArrival") -> None:
        try:
            await self._accept(arrival)
        except (OSError, TimeoutError) as error:
            log.info("a connection from %s came to nothing: %s", arrival.address, str(error) or type(error).__name__)
        except Exception:
            log.exception("handling a connection from %s failed", arrival.address)
        finally:
            arrival.close()


class TcpArrival:
    """See `Arrival`."""

    def __init__(self, connection: socket.socket, address: str) -> None:
        self.address = address.removeprefix("::ffff:")
        self._socket: socket.socket | None = connection

    async def read_clear(self, count: int) -> bytes:
        """See `Arrival.read_clear`."""
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        data = b""
        while len(data) < count:
            more = await loop.sock_recv(self._socket, count - len(data))
            if not more:
                break
            data += more
        return data

    async def start_tls(self, factory: Callable[[], P], context: ssl.SSLContext) -> P:
        """See `Arrival.start_tls`."""
        assert self._socket is not None
        connection, self._socket = self._socket, None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol = factory()  # uvloop would give its own TLS protocol back
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                partial(_same, protocol), connection, ssl=context, ssl_handshake_timeout=limits.HANDSHAKE_SECONDS
            )
        except BaseException:
            connection.close()
            raise
        return protocol

    def take_socket(self) -> socket.socket:
        """See `Arrival.take_socket`."""
        assert self._socket is not None
        connection, self._socket = self._socket, None
        return connection

    def close(self) -> None:
        """See `Arrival.close`."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _same(protocol: P) -> P:
    return protocol


def _listening_socket(port: int) -> socket.socket:
    try:
        return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise
        return socket.create_server(("0.0.0.0", port), backlog=128)  # noqa: S104 - friends come from anywhere
