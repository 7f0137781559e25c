"""The voice port: a number for UDP and TCP that is kept, and silent as long as nobody calls."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from peer.calls import voice_port as module
from peer.calls.voice_port import VoicePort
from peer.errors import Refusal, RefusalCode
from peer.links.wire import TcpWire
from tests.voice.calling import voice_port as free_pair

HOST = "127.0.0.1"


@pytest.fixture
def port() -> Iterator[VoicePort]:
    port = VoicePort(TcpWire())
    port.open(0)
    yield port
    port.close()


def refuses(number: int) -> bool:
    """Tell whether a TCP connection is refused at once, as where nobody listens."""
    try:
        socket.create_connection((HOST, number), 2).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("of", [0, 1], ids=["udp", "tcp"])
async def test_a_number_that_is_taken_for_one_of_the_two_is_left_for_the_next(of: int) -> None:
    pair = free_pair()
    pair[1 - of].close()
    taken = pair[of]
    if of:
        taken.listen()
    number = taken.getsockname()[1]
    port = VoicePort(TcpWire())
    try:
        port.open(number)
        assert number < port.number <= number + module.VOICE_PORTS_TRIED
    finally:
        port.close()
        taken.close()


async def test_what_came_between_two_calls_is_dropped_when_the_next_begins(port: VoicePort) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for size in (1, 1_000, 2_000) * 50:
            stranger.sendto(bytes(size), (HOST, port.number))
        sockets = await port.lend()
        with pytest.raises(BlockingIOError):
            sockets.udp.recv(1)
        stranger.sendto(b"of this call", (HOST, port.number))
        async with asyncio.timeout(5):
            assert await asyncio.get_running_loop().sock_recv(sockets.udp, 100) == b"of this call"


async def test_tcp_is_listened_on_during_a_call_only(port: VoicePort) -> None:
    for _ in range(2):
        assert refuses(port.number)
        sockets = await port.lend()
        assert sockets.tcp is not None
        sockets.tcp.listen()
        assert not refuses(port.number)
        port.take_back()
    assert refuses(port.number)


async def test_only_one_call_has_the_port(port: VoicePort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VOICE_PORT_SECONDS", 0.05)
    await port.lend()
    with pytest.raises(Refusal) as refused:
        await port.lend()
    assert refused.value.code is RefusalCode.VOICE_FAILED
    monkeypatch.setattr(module, "VOICE_PORT_SECONDS", 5)
    waiting = asyncio.create_task(port.lend())
    await asyncio.sleep(0)
    port.take_back()
    assert (await waiting).number == port.number


async def test_without_any_free_number_there_are_no_calls_and_all_else_goes_on(expected_log: list[str]) -> None:
    expected_log.append("there is no voice port")

    class Full(TcpWire):
        def voice_sockets(self, number: int) -> None:  # type: ignore[override]
            raise OSError(f"{number} is taken")

    port = VoicePort(Full())
    port.open(7_501)
    assert port.number == 0
    with pytest.raises(Refusal) as refused:
        await port.lend()
    assert refused.value.code is RefusalCode.VOICE_FAILED
