"""The relay between two programs in a call: what it is told to do to a datagram is what becomes of it."""

import socket
import time
from collections.abc import Iterator

import pytest

from tests.voice.relay import HOST, Relay
from tests.voice.virtual_call import Path, by_chance

PATIENCE = 5.0
LATE = 60.0


class Ends:
    """Two programs, and the relay between them."""

    def __init__(self) -> None:
        self.relay = Relay(1)
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for side, some in enumerate(self.sockets):
            some.bind((HOST, 0))
            some.settimeout(PATIENCE)
            self.relay.put(side, some.getsockname()[1])

    def send(self, side: int, data: bytes) -> None:
        self.sockets[side].sendto(data, (HOST, self.relay.port(side)))

    def close(self) -> None:
        self.relay.close()
        for some in self.sockets:
            some.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


def test_each_side_hears_the_other_from_its_own_port(ends: Ends) -> None:
    for side in (0, 1):
        ends.send(side, b"from %d" % side)
        data, place = ends.sockets[1 - side].recvfrom(100)
        assert (data, place[1]) == (b"from %d" % side, ends.relay.port(1 - side))


def test_what_is_late_comes_late_and_what_is_lost_never(ends: Ends) -> None:
    ends.relay.set(Path(by_chance(0.5, 3), delay=LATE), Path(delay=0.0))
    begin = time.monotonic()
    lose = by_chance(0.5, 3)
    for number in range(40):
        ends.send(0, bytes([number]))
    kept = [number for number in range(40) if not lose(0.0)]
    assert [ends.sockets[1].recv(10)[0] for _ in kept] == kept
    assert time.monotonic() - begin >= LATE / 1000
    ends.sockets[1].settimeout(0.1)
    with pytest.raises(TimeoutError):
        ends.sockets[1].recv(10)


def test_packets_overtake_each_other_where_delays_differ(ends: Ends) -> None:
    ends.relay.set(Path(jitter=50.0), Path(delay=0.0))
    for number in range(40):
        ends.send(0, bytes([number]))
        time.sleep(0.001)
    heard = [ends.sockets[1].recv(10)[0] for _ in range(40)]
    assert heard != sorted(heard) == list(range(40))
