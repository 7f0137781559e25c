"""The network of a simulation: bytes as they are, with latency, partitions, cuts and hosts that vanish.

A connection is like TCP: what is sent while the way is blocked comes once it is free again, in order, or the
connection ends. Nothing is lost in its midst.
"""

import asyncio
import hashlib
import random
import ssl
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from peer.links.wire import Accept, Listener
from tests.harness.memory_wire import KERNEL_BYTES, NoVoiceSockets
from tests.simulate.process import Process, current_process
from tests.simulate.seeded import PlainContext

P = TypeVar("P", bound=asyncio.BaseProtocol)
Filter = Callable[[str, bytes], list[bytes]]
"""Given (to whom, what): what really goes out. Members that lie have one."""
_END = None


@dataclass(frozen=True)
class _Shown:
    """Stands where TLS would tell who is at the other end."""

    certificate: bytes
    alpn: str

    def getpeercert(self, *, binary_form: bool) -> bytes:
        assert binary_form
        return self.certificate

    def selected_alpn_protocol(self) -> str:
        return self.alpn


class _End(asyncio.Transport):
    """One end of a connection."""

    def __init__(self, network: "PlainNetwork", here: str, there: str, process: Process, context: Context) -> None:
        super().__init__({"peername": (there, 50000)})
        self._network = network
        self.here, self.there = here, there
        self.process = process
        self._context = context
        self.other: _End
        self.protocol: asyncio.BaseProtocol | None = None
        self.early = bytearray()
        self.heard_clear = asyncio.Event()
        self.under_way: deque[bytes | None] = deque()
        """Sent to this end and not there yet."""
        self.due = 0
        """How many of these would be there by now, if the way were free."""
        self._inbox: deque[bytes | None] = deque()
        self._unread = 0
        self._is_paused = self._is_stopped = self._is_closing = self._is_lost = False

    def tell_who_is_there(self, certificate: bytes, alpn: str) -> None:
        self._extra["ssl_object"] = _Shown(certificate, alpn)  # type: ignore[attr-defined]

    async def is_shaken(self) -> None:
        """Wait until the other side has read the clear bytes and shaken hands; raise OSError if it hangs up."""
        while self.get_extra_info("ssl_object") is None:
            if self._is_closing:
                raise ConnectionResetError("hung up during the handshake")
            await asyncio.sleep(self._network.latency(self.here, self.there) / 2)

    # What asyncio asks of a transport.

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self.protocol is not None
        return self.protocol

    def is_closing(self) -> bool:
        return self._is_closing

    def pause_reading(self) -> None:
        self._is_paused = True

    def resume_reading(self) -> None:
        self._is_paused = False
        self._run(self._hand_over)

    def is_reading(self) -> bool:
        return not self._is_paused

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The network has its own."""

    def get_write_buffer_size(self) -> int:
        return self._unread

    def write(self, data: Any) -> None:
        if self._is_closing or not data or not self.process.is_alive:
            return
        data = bytes(data)
        self._network.send(self, data)
        self._unread += len(data)
        if self._unread > KERNEL_BYTES and not self._is_stopped and self.protocol is not None:
            self._is_stopped = True
            self.protocol.pause_writing()

    def writelines(self, parts: Any) -> None:
        self.write(b"".join(parts))

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        if not self._is_closing and self.process.is_alive:
            self._is_closing = True
            self._network.send(self, _END)
            self._run(self.lose)

    def abort(self) -> None:
        self.close()

    # What the network does.

    def begin(self, protocol: asyncio.BaseProtocol) -> None:
        """The handshake is done: from now on the protocol is spoken to."""
        self.protocol = protocol
        protocol.connection_made(self)
        if self.early:
            self._inbox.appendleft(bytes(self.early))
            self.early.clear()
        self._run(self._hand_over)

    def arrive(self) -> None:
        """One more piece is there, as far as the way is free."""
        self.due += 1
        self._network.free(self)

    def take_due(self) -> None:
        while self.due:
            self.due -= 1
            data = self.under_way.popleft()
            if self.process.is_alive:
                self._inbox.append(data)
        self._run(self._hand_over)

    def reset(self) -> None:
        """The other end does not exist any more."""
        self._is_closing = True
        self._run(self.lose)

    def lose(self) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._network.forget(self)
            self.heard_clear.set()
            if self.protocol is not None:
                self.protocol.connection_lost(None)

    def _hand_over(self) -> None:
        while self._inbox and not self._is_paused and not self._is_lost:
            data = self._inbox.popleft()
            if data is _END:
                self._is_closing = True
                self.lose()
                return
            self.other._was_taken(len(data))
            if self.protocol is None:
                self.early += data
                self.heard_clear.set()
            else:
                cast("asyncio.Protocol", self.protocol).data_received(data)

    def _was_taken(self, count: int) -> None:
        self._unread -= count
        if self._is_stopped and self._unread < KERNEL_BYTES // 2 and self.protocol is not None:
            self._is_stopped = False
            self._run(self.protocol.resume_writing)

    def _run(self, callback: Callable[[], object]) -> None:
        asyncio.get_running_loop().call_soon(callback, context=self._context.copy())


@dataclass(frozen=True)
class _Listening:
    accept: Callable[[_End], None]
    process: Process
    context: Context


class PlainNetwork:
    """All hosts, and what happens between them."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._listening: dict[tuple[str, int], _Listening] = {}
        self._ends: dict[_End, None] = {}
        self._latency: dict[tuple[str, str], float] = {}
        self._side: dict[str, int] = {}
        """On which side of a partition a host is; those not named are on side 0."""
        self._next_port = 20000
        self._filters: dict[str, Filter] = {}
        self._transcript = hashlib.sha256()
        self.messages = 0
        self.on_sent: Callable[[str, str, bytes], None] = lambda *_: None
        """Called with (from, to, what) for everything that goes out."""

    # --- what a simulation does to it ----------------------------------------------------------

    def split(self, sides: dict[str, int]) -> None:
        """Let hosts of different sides not reach each other; {} heals everything."""
        self._side = dict(sides)
        for end in list(self._ends):
            self.free(end)

    def can_reach(self, one: str, other: str) -> bool:
        return self._side.get(one, 0) == self._side.get(other, 0)

    def cut(self, one: str, other: str) -> int:
        """End the connections between two hosts, with what is under way on them; return how many there were."""
        ends = [end for end in self._ends if (end.here, end.there) in {(one, other), (other, one)}]
        for end in ends:
            end.under_way.clear()
            end.due = 0
            end.reset()
        return len(ends) // 2

    def vanish(self, host: str, *, loudly: bool) -> None:
        """A host's process is gone: its system says so to the others, or it is gone, too, and nobody says anything."""
        for place in [place for place in self._listening if place[0] == host]:
            del self._listening[place]
        for end in [end for end in self._ends if end.here == host]:
            self.forget(end)
            if loudly:
                end.other.reset()

    def lie(self, host: str, filter_: Filter | None) -> None:
        """Let what a host sends on links pass through a filter."""
        if filter_ is None:
            self._filters.pop(host, None)
        else:
            self._filters[host] = filter_

    @property
    def transcript(self) -> str:
        """A hash of everything that was sent, when, from where to where."""
        return self._transcript.hexdigest()

    # --- what ends do ----------------------------------------------------------------------------

    def wire(self, address: str) -> "PlainWire":
        return PlainWire(self, address)

    def serve(self, host: str, port: int, factory: Callable[[], asyncio.Protocol], context: PlainContext) -> None:
        """Put a server (the locator) on the network."""

        def accept(end: _End) -> None:
            asyncio.get_running_loop().create_task(
                PlainArrival(end).start_tls(factory, cast("ssl.SSLContext", context))
            )

        self.listen(host, port, accept)

    def listen(self, host: str, port: int, accept: Callable[[_End], None]) -> int:
        if not port:
            self._next_port += 1
            port = self._next_port
        if (host, port) in self._listening:
            raise OSError(f"port {port} is taken")
        self._listening[host, port] = _Listening(accept, current_process(), copy_context())
        return port

    def close(self, host: str, port: int) -> None:
        self._listening.pop((host, port), None)

    def connect(self, caller: str, host: str, port: int) -> _End:
        listening = self._listening.get((host, port))
        if listening is None:
            raise ConnectionRefusedError(f"nobody listens at {host} port {port}")
        near = _End(self, caller, host, current_process(), copy_context())
        far = _End(self, host, caller, listening.process, listening.context.copy())
        near.other, far.other = far, near
        self._ends |= {near: None, far: None}
        asyncio.get_running_loop().call_soon(listening.accept, far, context=listening.context.copy())
        return near

    def latency(self, one: str, other: str) -> float:
        pair = (one, other) if one < other else (other, one)
        if pair not in self._latency:
            self._latency[pair] = self._chance.uniform(0.001, 0.08)
        return self._latency[pair]

    def send(self, end: _End, data: bytes | None) -> None:
        filter_ = self._filters.get(end.here)
        pieces = [data] if data is None or filter_ is None else filter_(end.there, data)
        for piece in pieces:
            self._note(end, piece)
            end.other.under_way.append(piece)
            asyncio.get_running_loop().call_later(
                self.latency(end.here, end.there), end.other.arrive, context=Context()
            )

    def free(self, end: _End) -> None:
        """Let through what is due at an end, if it can be reached."""
        if end.due and end in self._ends and self.can_reach(end.here, end.there):
            end.take_due()

    def forget(self, end: _End) -> None:
        self._ends.pop(end, None)

    def _note(self, end: _End, piece: bytes | None) -> None:
        self.messages += 1
        now = asyncio.get_running_loop().time()
        told = f"{now:.9f} {end.here} {end.there} ".encode() + hashlib.sha256(piece or b"").digest()
        self._transcript.update(told)
        if piece is not None:
            self.on_sent(end.here, end.there, piece)


class PlainWire:
    """See `peer.links.wire.Wire`."""

    def __init__(self, network: PlainNetwork, address: str) -> None:
        self._network = network
        self._address = address

    async def dial(
        self, host: str, port: int, factory: Callable[[], P], context: ssl.SSLContext, clear: bytes = b""
    ) -> P:
        network = self._network
        await asyncio.sleep(network.latency(self._address, host))
        if not network.can_reach(self._address, host):
            await asyncio.get_running_loop().create_future()  # nobody answers: whoever dials gives up by itself
        near = network.connect(self._address, host, port)
        shown = context.certificate if isinstance(context, PlainContext) else b""
        near.other.tell_who_is_there(shown, "")
        if clear:
            near.write(clear)
        try:
            await near.is_shaken()
        except BaseException:
            near.close()
            raise
        protocol = factory()
        near.begin(protocol)
        return protocol

    def dial_blocking(self, host: str, port: int, clear: bytes) -> Any:
        raise ConnectionRefusedError("threads have no place in a simulation")

    async def listen(self, port: int, accept: Accept) -> Listener:
        handling: dict[asyncio.Task[None], None] = {}

        def came(end: _End) -> None:
            task = asyncio.get_running_loop().create_task(_accept(accept, PlainArrival(end)))
            handling[task] = None
            task.add_done_callback(handling.pop)

        return _PlainListener(self._network, self._address, self._network.listen(self._address, port, came), handling)

    def voice_sockets(self, number: int) -> NoVoiceSockets:
        return NoVoiceSockets(number)

    def addresses(self) -> tuple[str, ...]:
        return (self._address,)


async def _accept(accept: Accept, arrival: "PlainArrival") -> None:
    try:
        await accept(arrival)
    except (OSError, TimeoutError):
        pass  # as the real listener does: a connection that came to nothing
    finally:
        arrival.close()


class _PlainListener:
    """See `peer.links.wire.Listener`."""

    def __init__(self, network: PlainNetwork, host: str, port: int, handling: "dict[asyncio.Task[None], None]") -> None:
        self.port = port
        self._network = network
        self._host = host
        self._handling = handling

    async def close(self) -> None:
        self._network.close(self._host, self.port)
        for task in list(self._handling):
            task.cancel()
        await asyncio.gather(*self._handling, return_exceptions=True)


class PlainArrival:
    """See `peer.links.wire.Arrival`."""

    def __init__(self, end: _End) -> None:
        self.address = end.there
        self._end: _End | None = end

    def take_socket(self) -> Any:
        raise ConnectionAbortedError("threads have no place in a simulation")

    async def read_clear(self, count: int) -> bytes:
        end = self._end
        assert end is not None
        while len(end.early) < count and not end.is_closing():
            end.heard_clear.clear()
            await end.heard_clear.wait()
        data = bytes(end.early[:count])
        del end.early[:count]
        return data

    async def start_tls(self, factory: Callable[[], P], context: ssl.SSLContext) -> P:
        end, self._end = self._end, None
        assert end is not None
        plain = cast("PlainContext", context)
        end.tell_who_is_there(end.get_extra_info("ssl_object").certificate, plain.alpn)
        end.other.tell_who_is_there(plain.certificate, plain.alpn)
        if end.is_closing():
            raise ConnectionResetError("hung up during the handshake")
        protocol = factory()
        end.begin(protocol)
        return protocol

    def close(self) -> None:
        if self._end is not None:
            self._end.close()
            self._end = None
