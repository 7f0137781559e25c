"""The relay of the fault lab: every packet between two hosts, TCP or UDP, passes through here, if it passes."""

import fcntl
import heapq
import itertools
import os
import random
import selectors
import struct
import threading
import time
from ipaddress import IPv4Address

from tests.fault_lab.weather import FINE, Path, Weather

PACKET_BYTES = 2048
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_AT_ONCE = 64
"""Packets taken from one host before the others have a turn."""


class Switch:
    """Reads what hosts send, and brings it to where it belongs, as the weather between the two lets it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._cable_of: dict[bytes, int] = {}
        self._place: dict[int, bytes] = {}
        self._paths: dict[tuple[int, int], Path] = {}
        self._under_way: list[tuple[float, int, int, bytes]] = []
        self._numbers = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="switch", daemon=True)
        self._thread.start()

    def plug_in(self, interface: str) -> int:
        """Make a network interface whose other end is here; it goes when this program does."""
        cable = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(cable, _TUNSETIFF, struct.pack("16sH22x", interface.encode(), _IFF_TUN | _IFF_NO_PI))
        with self._lock:
            self._selector.register(cable, selectors.EVENT_READ)
        os.write(self._waker, b"x")
        return cable

    def put(self, cable: int, address: str) -> None:
        """Let a host be reached at an address, and no longer where it was."""
        place = IPv4Address(address).packed
        with self._lock:
            self._cable_of.pop(self._place.get(cable, b""), None)
            self._place[cable] = place
            self._cable_of[place] = cable

    def set(self, one: int, other: int, weather: Weather) -> None:
        """Let both directions between two hosts have this weather from now on."""
        with self._lock:
            for pair in ((one, other), (other, one)):
                self._path(pair).weather = weather
            if weather.is_cut:
                ends = {one, other}
                self._under_way = [each for each in self._under_way if {each[2], self._sender(each[3])} != ends]
                heapq.heapify(self._under_way)

    def lost(self, one: int, other: int) -> int:
        """Return how many packets from one host did not reach the other."""
        with self._lock:
            return self._path((one, other)).lost

    def close(self) -> None:
        """Unplug everybody; safe to be called again."""
        if self._is_closed:
            return
        self._is_closed = True
        os.write(self._waker, b"x")
        self._thread.join(5)
        for cable in self._place:
            os.close(cable)
        self._selector.close()
        os.close(self._wake)
        os.close(self._waker)

    def _path(self, pair: tuple[int, int]) -> Path:
        if pair not in self._paths:
            self._paths[pair] = Path(random.Random(f"{self._seed} {pair}"))
            self._paths[pair].weather = FINE
        return self._paths[pair]

    def _sender(self, packet: bytes) -> int:
        return self._cable_of.get(packet[12:16], -1)

    def _run(self) -> None:
        while not self._is_closed:
            with self._lock:
                due = self._under_way[0][0] if self._under_way else None
            wait = None if due is None else max(0.0, due - time.monotonic())
            for key, _ in self._selector.select(wait):
                if key.fd == self._wake:
                    os.read(self._wake, 4096)
                else:
                    self._take(key.fd)
            self._deliver()

    def _take(self, cable: int) -> None:
        for _ in range(_AT_ONCE):
            try:
                packet = os.read(cable, PACKET_BYTES)
            except OSError:
                return
            with self._lock:
                to = self._cable_of.get(packet[16:20]) if packet[0] >> 4 == 4 else None
                if to is None or self._place.get(cable) != packet[12:16]:
                    continue  # to nobody, or from where that host is no longer
                due = self._path((cable, to)).due(len(packet), time.monotonic())
                if due is not None:
                    heapq.heappush(self._under_way, (due, next(self._numbers), to, packet))

    def _deliver(self) -> None:
        now = time.monotonic()
        while True:
            with self._lock:
                if not self._under_way or self._under_way[0][0] > now:
                    return
                _, _, cable, packet = heapq.heappop(self._under_way)
            try:
                os.write(cable, packet)
            except OSError:
                continue  # that host is just being taken down
