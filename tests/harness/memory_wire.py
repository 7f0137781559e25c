"""A network in memory, with real TLS on top, that a test can cut, slow down and split into crumbs."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from peer.links.wire import Accept, Listener

P = TypeVar("P", bound=asyncio.BaseProtocol)
KERNEL_BYTES = 256 * 1024
ServerFactory = Callable[[], asyncio.Protocol]


class _End(asyncio.Transport):
    """One end of a connection in memory."""

    _start_tls_compatible = True

    def __init__(self, network: "MemoryNetwork", address: str) -> None:
        super().__init__({"peername": (address, 50000)})
        self._network = network
        self._loop = asyncio.get_running_loop()
        self.other: _End
        self.protocol: asyncio.BaseProtocol | None = None
        self.early = bytearray()
        self.secured: Any = None
        self.under_way: deque[bytes | None] = deque()
        self._inbox: list[bytes | None] = []
        self._paused = False
        self._unread = 0
        """Bytes sent that the other end has not taken: what a kernel would hold before it says stop."""
        self._is_stopped = False
        self._closing = False
        self._lost = False

    # What asyncio's TLS asks of a transport.

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self.protocol is not None
        return self.protocol

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        self._loop.call_soon(self._deliver)

    def is_reading(self) -> bool:
        return not self._paused

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self._unread

    def write(self, data: Any) -> None:
        if self._closing or not data:
            return
        data = bytes(data)
        size = self._network.crumb or len(data)
        for start in range(0, len(data), size):
            self._network.send(self, data[start : start + size])
        self._unread += len(data)
        if self._unread > KERNEL_BYTES and not self._is_stopped and self.protocol is not None:
            self._is_stopped = True
            self.protocol.pause_writing()

    def writelines(self, parts: Any) -> None:
        self.write(b"".join(parts))

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._network.send(self, None)
            self._loop.call_soon(self._lose)

    def abort(self) -> None:
        self.close()

    def _force_close(self, _: BaseException | None) -> None:
        self.close()

    # What the network does.

    def receive(self, data: bytes | None) -> None:
        self._inbox.append(data)
        self._deliver()

    def _deliver(self) -> None:
        while self._inbox and not self._paused and not self._lost:
            data = self._inbox.pop(0)
            self.other.was_taken(len(data or b""))
            if data is None:
                self._closing = True
                self._lose()
            elif isinstance(self.protocol, asyncio.BufferedProtocol):
                _feed(self.protocol, data)
            elif isinstance(self.protocol, asyncio.Protocol):
                self.protocol.data_received(data)
            else:
                self.early += data

    def was_taken(self, count: int) -> None:
        self._unread -= count
        if self._is_stopped and self._unread < KERNEL_BYTES // 2 and self.protocol is not None:
            self._is_stopped = False
            self.protocol.resume_writing()

    def _lose(self) -> None:
        if self.secured is not None and self.secured._app_transport is not None:
            # A handshake that is cancelled at its very end leaves a transport that nobody was given.
            self.secured._app_transport._closed = True
        if not self._lost:
            self._lost = True
            self._network.connections.discard(self)
            if self.protocol is not None:
                self.protocol.connection_lost(None)


def _feed(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    while data:
        buffer = memoryview(protocol.get_buffer(len(data)))
        count = min(len(buffer), len(data))
        buffer[:count] = data[:count]
        protocol.buffer_updated(count)
        data = data[count:]


@dataclass
class MemoryNetwork:
    """Hosts by name; what a test does to the cables is done here."""

    delay: float = 0.001
    """Seconds that every chunk is under way."""
    crumb: int = 0
    """Cut everything that is sent into pieces of this many bytes; 0: as it comes."""
    listening: dict[tuple[str, int], Accept] = field(default_factory=dict)
    servers: dict[tuple[str, int], tuple[ServerFactory, ssl.SSLContext]] = field(default_factory=dict)
    connections: "set[_End]" = field(default_factory=set)
    unplugged: set[str] = field(default_factory=set)
    """Hosts whose cable is out: what they send is lost, silently."""
    next_port: int = 20000

    def wire(self, address: str) -> "MemoryWire":
        return MemoryWire(self, address)

    def serve_tls(self, host: str, port: int, factory: ServerFactory, context: ssl.SSLContext) -> None:
        """Put a server (the locator) on the network."""
        self.servers[host, port] = factory, context

    def send(self, end: _End, data: bytes | None) -> None:
        addresses = {end.get_extra_info("peername")[0], end.other.get_extra_info("peername")[0]}
        if not addresses & self.unplugged:
            # Timers of one moment fire in any order; the cable keeps the order of what was sent.
            end.under_way.append(data)
            asyncio.get_running_loop().call_later(self.delay, lambda: end.other.receive(end.under_way.popleft()))

    def hang_up(self, address: str) -> None:
        """End every connection of a host, as its crash would."""
        for end in list(self.connections):
            if end.get_extra_info("peername")[0] == address:
                end.close()
                end.other.close()

    def pair(self, caller: str, called: str) -> tuple[_End, _End]:
        near, far = _End(self, called), _End(self, caller)
        near.other, far.other = far, near
        self.connections |= {near, far}
        return near, far


async def _tls(end: _End, factory: Callable[[], P], context: ssl.SSLContext, *, server_side: bool) -> P:
    loop = asyncio.get_running_loop()
    protocol = factory()
    shaken: asyncio.Future[None] = loop.create_future()
    secured = asyncio.sslproto.SSLProtocol(  # type: ignore[attr-defined]
        loop, protocol, context, shaken, server_side, None if server_side else "hail", ssl_handshake_timeout=10.0
    )
    end.secured = secured
    end.set_protocol(secured)
    secured.connection_made(end)
    if end.early:
        early = bytes(end.early)
        end.early.clear()
        _feed(secured, early)
    try:
        await shaken
    except BaseException:
        end.close()
        raise
    if secured._app_transport is None:
        raise ConnectionResetError("hung up during the handshake")
    return protocol


class MemoryWire:
    """See `peer.links.wire.Wire`."""

    def __init__(self, network: MemoryNetwork, address: str) -> None:
        self._network = network
        self._address = address

    async def dial(
        self, host: str, port: int, factory: Callable[[], P], context: ssl.SSLContext, clear: bytes = b""
    ) -> P:
        network = self._network
        place = (host, port)
        if (place not in network.listening and place not in network.servers) or network.unplugged & {
            self._address,
            host,
        }:
            raise ConnectionRefusedError(f"nobody listens at {host} port {port}")
        near, far = network.pair(self._address, host)
        if place in network.servers:
            server, server_context = network.servers[place]
            accepting = asyncio.ensure_future(_tls(far, server, server_context, server_side=True))
        else:
            accepting = asyncio.ensure_future(_accept(network.listening[place], MemoryArrival(far, self._address)))
        accepting.add_done_callback(lambda task: task.cancelled() or task.exception())
        if clear:
            near.write(clear)
        return await _tls(near, factory, context, server_side=False)

    def dial_blocking(self, host: str, port: int, clear: bytes) -> socket.socket:
        raise ConnectionRefusedError("threads have no place on a network in memory")

    async def listen(self, port: int, accept: Accept) -> Listener:
        if not port:
            self._network.next_port += 1
            port = self._network.next_port
        place = (self._address, port)
        if place in self._network.listening:
            raise OSError(f"port {port} is taken")
        self._network.listening[place] = accept
        return MemoryListener(self._network, place)

    def voice_sockets(self, number: int) -> "NoVoiceSockets":
        return NoVoiceSockets(number)

    def addresses(self) -> tuple[str, ...]:
        return (self._address,)


async def _accept(accept: Accept, arrival: "MemoryArrival") -> None:
    try:
        await accept(arrival)
    except (OSError, TimeoutError):
        pass  # as the real listener does: a connection that came to nothing
    finally:
        arrival.close()


class NoVoiceSockets:
    """A voice port that has a number, and nothing behind it: no process can be given a network in memory."""

    udp = tcp = None

    def __init__(self, number: int) -> None:
        self.number = number

    def make_ready(self) -> None:
        pass

    def rest(self) -> None:
        pass

    def close(self) -> None:
        pass


class MemoryListener:
    """See `peer.links.wire.Listener`."""

    def __init__(self, network: MemoryNetwork, place: tuple[str, int]) -> None:
        self.port = place[1]
        self._network = network
        self._place = place

    async def close(self) -> None:
        self._network.listening.pop(self._place, None)


class MemoryArrival:
    """See `peer.links.wire.Arrival`."""

    def __init__(self, end: _End, address: str) -> None:
        self.address = address
        self._end: _End | None = end

    def take_socket(self) -> socket.socket:
        raise ConnectionAbortedError("threads have no place on a network in memory")

    async def read_clear(self, count: int) -> bytes:
        assert self._end is not None
        while len(self._end.early) < count and not self._end.is_closing():  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(0.0005)
        data = bytes(self._end.early[:count])
        del self._end.early[:count]
        return data

    async def start_tls(self, factory: Callable[[], P], context: ssl.SSLContext) -> P:
        assert self._end is not None
        end, self._end = self._end, None
        return await _tls(end, factory, context, server_side=True)

    def close(self) -> None:
        if self._end is not None:
            self._end.close()
            self._end = None
