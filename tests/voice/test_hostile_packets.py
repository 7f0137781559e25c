"""Two real voice processes, and somebody between or beside them who sends what they should not hear."""

import asyncio
import os
import random
import socket
import sys
from collections.abc import Iterator
from pathlib import Path as FilePath

import pytest

from protocol.limits import VOICE_PACKET_BYTES
from tests.voice.calling import HOST, VoiceEnd, through_relay, until
from tests.voice.virtual_call import Path, by_chance

SECONDS = 3.0
LOST = Path(by_chance(1.0, 1))
FLOOD = 20_000
"""Packets a second."""
_FLOOD = """
import secrets, socket, sys, time
some = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
packet = bytes([0x80, 96]) + secrets.token_bytes(100)
begin, sent, each = time.monotonic(), 0, int(sys.argv[3])
while True:
    for _ in range(int((time.monotonic() - begin) * each) - sent):
        some.sendto(packet, (sys.argv[1], int(sys.argv[2])))
        sent += 1
    time.sleep(0.002)
"""


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind((HOST, 0))
    stranger.settimeout(0)
    yield stranger
    stranger.close()


def hears_nothing(some: socket.socket) -> bool:
    try:
        some.recv(100)
    except BlockingIOError:
        return True
    return False


def spoiled(packets: list[bytes]) -> Iterator[bytes]:
    """Make of real packets all that is none: replayed, changed, cut off, extended, forged and foreign."""
    chance = random.Random(1)
    yield from packets
    for data in packets:
        at = chance.randrange(12, len(data))
        yield data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        yield data[: chance.randrange(len(data))]
        yield data + bytes(chance.randrange(1, 100))
        yield data[:12] + chance.randbytes(len(data) - 12)
        yield data[:8] + chance.randbytes(4) + data[12:]
    yield from (b"", b"\x80", bytes(12), packets[-1] + bytes(VOICE_PACKET_BYTES), chance.randbytes(60_000))


async def test_nothing_that_is_replayed_changed_cut_forged_or_giant_is_heard_or_followed(
    stranger: socket.socket,
) -> None:
    async with through_relay() as (ana, bo, relay):
        await asyncio.sleep(1)
        relay.set(LOST, Path(delay=0.0))
        await asyncio.sleep(0.1)  # until what is under way has come
        packets = list(spoiled(list(relay.overheard[0])[-100:]))
        assert len(packets) > 600
        begin = asyncio.get_running_loop().time()
        for place, data in enumerate(packets):
            stranger.sendto(data, (HOST, bo.port))
            if place % 10 == 0:
                await asyncio.sleep(0.01)  # more at once does not fit into a socket
        bo.notes.clear()
        await until(lambda: len(bo.heard()) >= 2)
        silent = 1000 * (asyncio.get_running_loop().time() - begin)
        assert bo.figures.silent_ms > silent - 1_500, "something of it was taken for the voice"
        assert bo.figures.path == "" or silent < 2_500
        assert hears_nothing(stranger), "its place was taken for the other's"
        relay.set(Path(delay=0.0), Path(delay=0.0))
        ana.notes.clear()
        bo.notes.clear()
        await until(lambda: any(note.silent_ms < 500 for note in bo.heard()), 3)
        await until(lambda: any(note.silent_ms < 500 for note in ana.heard()), 3)
        assert hears_nothing(stranger)


async def test_packets_that_come_twice_and_in_any_order_are_heard_once_and_in_theirs() -> None:
    async with through_relay() as (ana, bo, relay):
        relay.times = 3
        relay.set(Path(jitter=60.0), Path(jitter=60.0))
        await asyncio.sleep(SECONDS)
        for end in (ana, bo):
            end.notes.clear()
        await asyncio.sleep(SECONDS)
        for end in (ana, bo):
            told = end.heard()
            assert sum(note.loss for note in told) / len(told) < 0.05
            assert sum(note.unrepaired for note in told) / len(told) < 0.1
            assert end.figures.jitter_ms > 20


async def test_a_flood_of_packets_from_strangers_costs_a_call_little() -> None:
    async with through_relay() as (_, bo, _relay):

        async def a_while() -> tuple[float, float, float]:
            bo.notes.clear()
            begin, time = busy(bo), asyncio.get_running_loop().time()
            await asyncio.sleep(SECONDS)
            time = asyncio.get_running_loop().time() - time
            told = bo.heard()
            shares = [sum(getattr(note, of) for note in told) / len(told) for of in ("loss", "unrepaired")]
            return shares[0], shares[1], (busy(bo) - begin) / time

        await asyncio.sleep(2)
        calm = await a_while()
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", _FLOOD, HOST, str(bo.port), str(FLOOD))
        try:
            flooded = await a_while()
        finally:
            process.kill()
            await process.wait()
        assert flooded[0] < calm[0] + 0.05, "packets of the call did not get through"
        assert flooded[1] < calm[1] + 0.05, "sound was late"
        assert flooded[2] < calm[2] + 0.5, "seconds of processor time a second"


def busy(end: VoiceEnd) -> float:
    """Return the seconds of processor time that a voice process took."""
    fields = FilePath(f"/proc/{end.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
