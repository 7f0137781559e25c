"""How packets get to the other devices of a call: by UDP from the voice port, or by TCP where that does not work.

To begin with a packet goes to every place where a device may be. Where a packet that it really sent comes from, there
all others go: so both sides open the way for each other, and follow when an address changes. While nothing comes back,
or the other side reports that nothing comes to it, the side that dials connects by TCP to the same number; each packet
is then preceded by its length (RFC 4571), and both ways are used until UDP works in both directions.
"""

import contextlib
import ipaddress
import math
import selectors
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

from peer.voice.limits import (
    VOICE_DIAL_SECONDS,
    VOICE_PLACES,
    VOICE_PROBE_MS,
    VOICE_STRANGERS,
    VOICE_STREAM_BUFFER_BYTES,
    VOICE_UDP_PATIENCE_MS,
)
from peer.voice.process_messages import Place
from protocol.limits import VOICE_PACKET_BYTES

_LENGTH = struct.Struct(">H")
_WAKE = b"w"
Accept = Callable[[bytes, float], int | None]
"""Takes a packet in, and returns whose it is: of two alike only the first is accepted."""
Probe = Callable[[int, float], bytes]
"""Returns a packet for a device that is like no other, to be sent by one way alone."""

Address = tuple[str, int]


@dataclass(slots=True)
class _Route:
    places: tuple[Address, ...]
    dials: bool
    dialed_at: float
    """When TCP was tried last; at first, when this began."""
    udp: Address | None = None
    """Where its packets come from."""
    udp_at: float | None = None
    """When the last one came that way, in ms."""
    stream: "_Stream | None" = None
    is_heard: bool = False
    """Whether what we send by UDP comes there."""
    is_dialing: bool = False
    probed_at: float = -math.inf


class _Stream:
    """A TCP connection, of a device once a packet of it was accepted."""

    def __init__(self, connection: socket.socket, now: float) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # What waits in a buffer is sound that comes late: it is better lost.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, VOICE_STREAM_BUFFER_BYTES)
        self.socket, self.since = connection, now
        self.leg: int | None = None
        self._lock = threading.Lock()
        self._rest = b""
        self._unsent = b""

    def send(self, data: bytes) -> None:
        """Send a packet whole, or not at all if there is no room for it."""
        with self._lock, contextlib.suppress(OSError):
            if self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
            if not self._unsent:
                whole = _LENGTH.pack(len(data)) + data
                self._unsent = whole[self.socket.send(whole) :]

    def end(self) -> None:
        """Let it come to an end: whoever reads it drops it."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def receive(self) -> list[bytes] | None:
        """Return the packets that came; None when the connection is over or its sender breaks the rules."""
        try:
            data = self.socket.recv(16 * VOICE_PACKET_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        self._rest += data
        packets = []
        while len(self._rest) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._rest)
            if not 0 < length <= VOICE_PACKET_BYTES:
                return None
            if len(self._rest) < _LENGTH.size + length:
                break
            packets.append(self._rest[_LENGTH.size : _LENGTH.size + length])
            self._rest = self._rest[_LENGTH.size + length :]
        return packets


class Routes:
    """The sockets of one call, and a thread that reads them."""

    def __init__(
        self,
        udp: socket.socket,
        tcp: socket.socket | None,
        accept: Accept,
        probe: Probe,
        clock: Callable[[], float],
    ) -> None:
        """`clock` is in ms. `accept` is called on the reading thread; `send` may be on any."""
        self._udp, self._tcp = udp, tcp
        self._accept, self._probe, self._clock = accept, probe, clock
        self._routes: dict[int, _Route] = {}
        self._streams: set[_Stream] = set()
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._is_closed = False
        udp.setblocking(False)
        for readable in (udp, self._wake):
            self._selector.register(readable, selectors.EVENT_READ)
        if tcp is not None:
            with contextlib.suppress(OSError):
                tcp.listen(VOICE_STRANGERS)
                tcp.setblocking(False)
                self._selector.register(tcp, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._read, name="voice network", daemon=True)
        self._thread.start()

    def add(self, leg: int, places: tuple[Place, ...], *, dials: bool) -> None:
        """Find a way to one more device."""
        with self._lock:
            self._routes[leg] = _Route(self._addresses(places), dials, self._clock())

    def move(self, leg: int, places: tuple[Place, ...]) -> None:
        """A device may be somewhere else by now; where its packets come from still counts more, while they come."""
        with self._lock:
            route = self._routes.get(leg)
            if route is not None:
                route.places = self._addresses(places)

    def remove(self, leg: int) -> None:
        """Forget a device."""
        with self._lock:
            route = self._routes.pop(leg, None)
        if route is not None and route.stream is not None:
            route.stream.end()

    def path(self, leg: int) -> str:
        """Return how a device's packets come: `udp`, `tcp`, or nothing."""
        with self._lock:
            route = self._routes.get(leg)
            if route is None:
                return ""
            if self._has_udp(route):
                return "udp"
            return "tcp" if route.stream is not None else ""

    def heard_by_udp(self) -> set[int]:
        """Return whose packets come by UDP."""
        with self._lock:
            return {leg for leg, route in self._routes.items() if self._has_udp(route)}

    def send(self, leg: int, data: bytes) -> None:
        """Send a packet."""
        with self._lock:
            route = self._routes.get(leg)
            if route is None:
                return
            stream = None if self._works(route) else route.stream
        self._send_by_udp(route, data)
        if stream is not None:
            stream.send(data)

    def _send_by_udp(self, route: _Route, data: bytes) -> None:
        lately = (route.udp,) if route.udp else ()
        for place in lately if self._has_udp(route) else dict.fromkeys((*lately, *route.places)):
            with contextlib.suppress(OSError):
                self._udp.sendto(data, place)

    def look_after(self, is_heard: Callable[[int], bool]) -> None:
        """Connect by TCP where UDP does not get through, and see whether it does; to be called a few times a second.

        `is_heard` tells whether a device gets by UDP what we send.
        """
        now = self._clock()
        heard = {leg for leg in tuple(self._routes) if is_heard(leg)}
        due, waiting = [], []
        with self._lock:
            for leg, route in self._routes.items():
                route.is_heard = leg in heard
                if self._works(route) or route.is_dialing:
                    continue
                if route.stream is not None and now - route.probed_at >= VOICE_PROBE_MS:
                    route.probed_at = now
                    due.append((leg, route))
                elif route.stream is None and route.dials and now - route.dialed_at >= VOICE_UDP_PATIENCE_MS:
                    route.is_dialing, route.dialed_at = True, now
                    waiting.append((leg, route))
        for leg, route in due:
            self._send_by_udp(route, self._probe(leg, now))
        for leg, route in waiting:
            threading.Thread(target=self._dial, args=(leg, route), name="voice dialing", daemon=True).start()

    def close(self) -> None:
        """End all connections. The sockets of the port stay."""
        self._is_closed = True
        self._waker.send(_WAKE)
        self._thread.join()
        self._selector.close()
        for stream in self._streams:
            stream.socket.close()
        self._wake.close()
        self._waker.close()

    def _addresses(self, places: tuple[Place, ...]) -> tuple[Address, ...]:
        """Return what this socket can send to. Names are none: to look one up would hold up the sound."""
        found: list[Address] = []
        for place in places[:VOICE_PLACES]:
            with contextlib.suppress(ValueError):
                ip = ipaddress.ip_address(place.host)
                if self._udp.family == socket.AF_INET6:
                    found.append((f"::ffff:{ip}" if ip.version == 4 else str(ip), place.port))
                elif ip.version == 4:
                    found.append((str(ip), place.port))
        return tuple(found)

    def _works(self, route: _Route) -> bool:
        """Tell whether UDP gets through in both directions."""
        return route.is_heard and self._has_udp(route)

    def _has_udp(self, route: _Route) -> bool:
        return route.udp_at is not None and self._clock() - route.udp_at < VOICE_UDP_PATIENCE_MS

    def _read(self) -> None:
        while not self._is_closed:
            self._drop_strangers()
            for key, _ in self._selector.select(VOICE_DIAL_SECONDS):
                if key.fileobj is self._udp:
                    self._read_datagrams()
                elif key.fileobj is self._tcp:
                    self._accept_stream()
                elif key.fileobj is self._wake:
                    self._wake.recv(64)
                    self._register_new()
                else:
                    self._read_stream(key.data)

    def _read_datagrams(self) -> None:
        for _ in range(64):  # then the others have their turn, too
            try:
                data, source = self._udp.recvfrom(VOICE_PACKET_BYTES + 1)
            except OSError:
                return
            now = self._clock()
            leg = self._accept(data, now)
            if leg is not None:
                with self._lock:
                    route = self._routes.get(leg)
                    if route is not None:
                        route.udp, route.udp_at = source[:2], now

    def _accept_stream(self) -> None:
        assert self._tcp is not None
        with contextlib.suppress(OSError):
            connection, _ = self._tcp.accept()
            strangers = sum(stream.leg is None for stream in self._streams)
            if strangers >= VOICE_STRANGERS:
                connection.close()
                return
            self._take(_Stream(connection, self._clock()))

    def _drop_strangers(self) -> None:
        long_ago = self._clock() - 1000 * VOICE_DIAL_SECONDS
        with self._lock:
            late = [stream for stream in self._streams if stream.leg is None and stream.since < long_ago]
        for stream in late:
            self._drop(stream)

    def _take(self, stream: _Stream) -> None:
        with self._lock:
            self._streams.add(stream)
        self._waker.send(_WAKE)

    def _register_new(self) -> None:
        with self._lock:
            known = {key.fileobj for key in self._selector.get_map().values()}
            for stream in self._streams:
                if stream.socket not in known:
                    self._selector.register(stream.socket, selectors.EVENT_READ, stream)

    def _read_stream(self, stream: _Stream) -> None:
        packets = stream.receive()
        if packets is None:
            self._drop(stream)
            return
        for data in packets:
            leg = self._accept(data, self._clock())
            if leg is None:
                if stream.leg is None:
                    self._drop(stream)
                    return
                continue  # it came by UDP already
            with self._lock:
                route = self._routes.get(leg)
                if route is not None and stream.leg is None:
                    stream.leg, route.stream = leg, stream

    def _dial(self, leg: int, route: _Route) -> None:
        for place in route.places:
            with contextlib.suppress(OSError):
                connection = socket.create_connection(place, VOICE_DIAL_SECONDS)
                stream = _Stream(connection, self._clock())
                stream.leg = leg
                with self._lock:
                    is_wanted = self._routes.get(leg) is route and not self._is_closed
                    if is_wanted:
                        route.stream, route.is_dialing = stream, False
                if not is_wanted:
                    connection.close()
                    return
                stream.send(self._probe(leg, self._clock()))
                self._take(stream)
                return
        with self._lock:
            route.is_dialing = False

    def _drop(self, stream: _Stream) -> None:
        with self._lock:
            self._streams.discard(stream)
            route = self._routes.get(stream.leg) if stream.leg is not None else None
            if route is not None and route.stream is stream:
                route.stream = None
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(stream.socket)
        stream.socket.close()
