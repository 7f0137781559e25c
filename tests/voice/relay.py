"""A network between two programs of this computer that loses and delays datagrams in real time, as it is told."""

import heapq
import itertools
import random
import select
import socket
import threading
import time
from collections import deque

from tests.voice.virtual_call import Path

HOST = "127.0.0.1"
_DATAGRAM = 65_536
_BUFFER = 1 << 20
_OVERHEARD = 500


class Relay:
    """Two ports, one beside each of two programs: what one of them sends to its port comes to the other from there."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._ports = [_port(), _port()]
        self._programs: list[tuple[str, int] | None] = [None, None]
        self._paths = [Path(delay=0.0), Path(delay=0.0)]
        self.overheard: list[deque[bytes]] = [deque(maxlen=_OVERHEARD), deque(maxlen=_OVERHEARD)]
        """What came through from each side last."""
        self.times = 1
        """How often each packet comes."""
        self._under_way: list[tuple[float, int, int, bytes]] = []
        self._order = itertools.count()
        self._wake, self._waker = socket.socketpair()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def port(self, side: int) -> int:
        """Return to which port the program on this side (0 or 1) sends."""
        found: int = self._ports[side].getsockname()[1]
        return found

    def put(self, side: int, port: int) -> None:
        """Tell where the program on this side is."""
        self._programs[side] = HOST, port

    def set(self, *paths: Path) -> None:
        """Let what each side sends fare like this from now on."""
        self._paths = list(paths)

    def close(self) -> None:
        """Give the ports back."""
        self._is_closed = True
        self._waker.send(b"w")
        self._thread.join()
        for some in (*self._ports, self._wake, self._waker):
            some.close()

    def _run(self) -> None:
        while not self._is_closed:
            wait = max(0.0, self._under_way[0][0] - time.monotonic()) if self._under_way else None
            for ready in select.select([*self._ports, self._wake], [], [], wait)[0]:
                if ready is not self._wake:
                    self._take(self._ports.index(ready))
            while self._under_way and self._under_way[0][0] <= time.monotonic():
                _, _, side, data = heapq.heappop(self._under_way)
                program = self._programs[side]
                if program is not None:
                    self._ports[side].sendto(data, program)

    def _take(self, side: int) -> None:
        now, path = time.monotonic(), self._paths[side]
        data = self._ports[side].recv(_DATAGRAM)
        if path.lose(1000 * now):
            return
        self.overheard[side].append(data)
        for _ in range(self.times):
            due = now + (path.delay + self._chance.uniform(0, path.jitter)) / 1000
            heapq.heappush(self._under_way, (due, next(self._order), 1 - side, data))


def _port() -> socket.socket:
    some = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    some.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    some.bind((HOST, 0))
    return some
