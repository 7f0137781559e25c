"""How packets find their way: on real sockets of this computer, with strangers among them."""

import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from peer.voice import routes as module
from peer.voice.process_messages import Place
from peer.voice.routes import Routes
from protocol.limits import VOICE_PACKET_BYTES
from tests.voice.calling import voice_port

PATIENCE = 5.0
HOST = "127.0.0.1"


class Gate(socket.socket):
    """A UDP socket behind a firewall."""

    is_shut = False
    """Whether nothing gets out."""

    def sendto(self, data: bytes, place: tuple[str, int]) -> int:  # type: ignore[override]
        return 0 if self.is_shut else super().sendto(data, place)


class End:
    """A voice port, and what was accepted on it: packets that begin with `ok`, of the leg that the next byte names."""

    def __init__(self) -> None:
        udp, self.tcp = voice_port()
        self.udp = Gate(fileno=udp.detach())
        self.heard: list[bytes] = []
        self.probes = (b"ok\x01 probe %d" % number for number in itertools.count())
        self.routes = Routes(
            self.udp, self.tcp, self.accept, lambda *_: next(self.probes), lambda: 1000 * time.monotonic()
        )

    @property
    def place(self) -> Place:
        return Place(*self.udp.getsockname())

    def accept(self, data: bytes, _now: float) -> int | None:
        if not data.startswith(b"ok"):
            return None
        self.heard.append(data)
        return data[2]

    def close(self) -> None:
        self.routes.close()
        self.udp.close()
        self.tcp.close()


@pytest.fixture
def ends() -> Iterator[tuple[End, End]]:
    ana, bo = End(), End()
    yield ana, bo
    ana.close()
    bo.close()


def until(told: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not told():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def talk(ana: End, bo: End, *, rounds: int = 3) -> None:
    for _ in range(rounds):
        ana.routes.send(1, b"ok\x01 from ana")
        bo.routes.send(1, b"ok\x01 from bo")
        time.sleep(0.01)


def test_of_several_places_the_one_that_answers_is_used(ends: tuple[End, End]) -> None:
    ana, bo = ends
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind((HOST, 0))
    other.settimeout(0.2)
    places = (Place(*other.getsockname()), Place("a.name.is.not.looked.up", 9), Place("::1", 9), bo.place)
    ana.routes.add(1, places, dials=True)
    bo.routes.add(1, (ana.place,), dials=False)
    talk(ana, bo)
    until(lambda: ana.routes.path(1) == "udp" and bo.routes.path(1) == "udp")
    with contextlib.suppress(TimeoutError):
        while other.recv(100):
            pass
    before = len(bo.heard)
    ana.routes.send(1, b"ok\x01 now only there")
    until(lambda: len(bo.heard) > before)
    with pytest.raises(TimeoutError):
        other.recv(100)
    other.close()


def test_another_address_is_followed_as_soon_as_something_real_comes_from_it(ends: tuple[End, End]) -> None:
    ana, bo = ends
    ana.routes.add(1, (bo.place,), dials=True)
    bo.routes.add(1, (ana.place,), dials=False)
    talk(ana, bo)
    until(lambda: ana.routes.path(1) == "udp")
    moved = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    moved.bind((HOST, 0))
    moved.settimeout(PATIENCE)
    moved.sendto(b"forged", (ana.place.host, ana.place.port))
    moved.sendto(b"ok\x01 from elsewhere", (ana.place.host, ana.place.port))
    until(lambda: ana.heard[-1].endswith(b"elsewhere"))
    ana.routes.send(1, b"ok\x01 there")
    assert moved.recv(100) == b"ok\x01 there"
    moved.close()


def test_a_device_that_is_said_to_have_moved_is_tried_there_once_nothing_comes_from_where_it_was(
    ends: tuple[End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "VOICE_UDP_PATIENCE_MS", 100.0)
    ana, bo = ends
    ana.routes.add(1, (bo.place,), dials=False)
    bo.routes.add(1, (ana.place,), dials=False)
    talk(ana, bo)
    until(lambda: ana.routes.path(1) == "udp")
    until(lambda: ana.routes.path(1) == "")
    moved = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    moved.bind((HOST, 0))
    moved.settimeout(PATIENCE)
    ana.routes.move(1, (Place(*moved.getsockname()),))
    ana.routes.send(1, b"ok\x01 are you there?")
    assert moved.recv(100) == b"ok\x01 are you there?"
    moved.close()


def test_where_udp_does_not_get_through_tcp_does(ends: tuple[End, End], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VOICE_UDP_PATIENCE_MS", 200.0)
    ana, bo = ends
    for end, other in ((ana, bo), (bo, ana)):
        end.routes.add(1, (other.place,), dials=end is ana)
        end.udp.is_shut = True
    begin = time.monotonic()
    while ana.routes.path(1) != "tcp" or bo.routes.path(1) != "tcp":
        talk(ana, bo, rounds=1)
        ana.routes.look_after(lambda _leg: False)
        bo.routes.look_after(lambda _leg: False)
        assert time.monotonic() - begin < PATIENCE
    ana.heard.clear()
    bo.heard.clear()
    for number in range(50):
        ana.routes.send(1, b"ok\x01%d" % number)
        bo.routes.send(1, b"ok\x01%d" % number)
    until(lambda: len(ana.heard) >= 50 and len(bo.heard) >= 50)
    assert bo.heard[-50:] == [b"ok\x01%d" % number for number in range(50)]
    bo.routes.remove(1)
    until(lambda: ana.routes.path(1) == "")


@pytest.mark.parametrize("mute", [0, 1], ids=["who dials", "who is dialled"])
def test_where_udp_gets_through_in_one_direction_only_tcp_carries_the_other_until_it_does(
    ends: tuple[End, End], monkeypatch: pytest.MonkeyPatch, mute: int
) -> None:
    monkeypatch.setattr(module, "VOICE_UDP_PATIENCE_MS", 200.0)
    for end, other in (ends, ends[::-1]):
        end.routes.add(1, (other.place,), dials=end is ends[0])
    ends[mute].udp.is_shut = True

    def look_after() -> None:
        talk(*ends, rounds=1)
        for end, other in (ends, ends[::-1]):
            end.routes.look_after(lambda leg, other=other: leg in other.routes.heard_by_udp())

    def both_hear() -> bool:
        for end in ends:
            end.heard.clear()
        for _ in range(10):
            look_after()
        return all(len(end.heard) >= 5 for end in ends)

    until(both_hear)
    assert ends[mute].routes.path(1) == "udp"
    assert ends[1 - mute].routes.path(1) == "tcp"
    ends[mute].udp.is_shut = False
    until(lambda: both_hear() and all(end.routes.path(1) == "udp" for end in ends))
    sent: list[bytes] = []
    for end in ends:
        stream = end.routes._routes[1].stream
        assert stream is not None
        monkeypatch.setattr(stream, "send", sent.append)
    assert both_hear()
    assert not sent, "by both ways, though UDP works"


def test_an_open_connection_that_nobody_reads_holds_up_no_call(ends: tuple[End, End]) -> None:
    ana, _ = ends
    listener = socket.create_server((HOST, 0))
    ana.routes.add(1, (Place(*listener.getsockname()),), dials=True)
    ana.routes._routes[1].dialed_at -= 10_000
    ana.routes.look_after(lambda _leg: False)
    until(lambda: ana.routes.path(1) == "tcp")
    begin = time.monotonic()
    for _ in range(20_000):
        ana.routes.send(1, b"ok\x01" + bytes(200))
    assert time.monotonic() - begin < 3
    listener.close()


@pytest.mark.parametrize("said", [b"", b"\x00\x05hello", b"\xff\xff" + bytes(100), b"\x00\x00", bytes(5_000)])
def test_a_stranger_on_the_tcp_port_is_hung_up_on(
    ends: tuple[End, End], monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(module, "VOICE_DIAL_SECONDS", 0.3)
    ana, _ = ends
    stranger = socket.create_connection((ana.place.host, ana.place.port), PATIENCE)
    ana.routes._waker.send(b"w")  # a wait begun before the patch is over
    stranger.sendall(said)
    with contextlib.suppress(ConnectionResetError):
        assert stranger.recv(10) == b""
    stranger.close()


def test_many_strangers_keep_nobody_out_for_long(ends: tuple[End, End], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VOICE_DIAL_SECONDS", 0.3)
    ana, _ = ends
    strangers = [socket.create_connection((ana.place.host, ana.place.port), PATIENCE) for _ in range(30)]
    ana.routes._waker.send(b"w")
    ana.routes.add(1, (), dials=False)
    deadline = time.monotonic() + PATIENCE
    while ana.routes.path(1) != "tcp":
        friend = socket.create_connection((ana.place.host, ana.place.port), PATIENCE)
        with contextlib.suppress(OSError):
            friend.sendall(b"\x00\x03ok\x01")
        strangers.append(friend)
        time.sleep(0.1)
        assert time.monotonic() < deadline
    for stranger in strangers:
        stranger.close()


def test_a_flood_of_datagrams_leaves_time_for_the_others(ends: tuple[End, End]) -> None:
    ana, bo = ends
    ana.routes.add(1, (bo.place,), dials=True)
    bo.routes.add(1, (ana.place,), dials=False)
    flood = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(20_000):
        with contextlib.suppress(OSError):
            flood.sendto(bytes(VOICE_PACKET_BYTES + 1), (ana.place.host, ana.place.port))
    deadline = time.monotonic() + PATIENCE
    while not ana.heard:
        bo.routes.send(1, b"ok\x01")
        time.sleep(0.02)
        assert time.monotonic() < deadline
    flood.close()
