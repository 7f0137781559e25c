"""The voice of a call between two computers, on paths that lose, block, translate and change addresses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from peer.voice.process_messages import Place
from tests.fault_lab.lab import Computer, Home, Host, Lab
from tests.fault_lab.weather import Weather
from tests.harness.sound_card import SoundCard
from tests.voice.calling import NO_SOUND, VoiceEnd, connect, hears, until

ANYWHERE = "0.0.0.0"
NO_UDP = "meta l4proto udp drop"
SOON = 2_500.0
"""The longest silence in ms when a way is blocked or changes: two seconds, and half a one for a busy computer."""


@asynccontextmanager
async def calling(
    ana: Computer, bo: Computer, card: SoundCard | None = None
) -> AsyncIterator[tuple[VoiceEnd, VoiceEnd]]:
    """Let both begin a call, and look for each other where they are seen from outside."""
    ends: list[VoiceEnd] = []
    try:
        for computer in (ana, bo):
            with computer.entered():
                ends.append(VoiceEnd(card.environment(computer.name) if card is not None else NO_SOUND, ANYWHERE))
                await ends[-1].begin()
        places = [Place(seen(one).address, end.port) for one, end in zip((ana, bo), ends, strict=True)]
        await connect(ends[0], ends[1], *places)
        yield ends[0], ends[1]
    finally:
        await asyncio.gather(*(end.close() for end in ends))


def seen(computer: Computer) -> Host:
    """Return whose address others see."""
    if isinstance(computer, Home):
        return computer.router
    assert isinstance(computer, Host)
    return computer


async def hear_each_other(ends: tuple[VoiceEnd, VoiceEnd], *paths: str) -> float:
    """Wait until both hear each other by these paths; return the longest silence since this began, in ms."""
    for end in ends:
        end.notes.clear()

    def is_good(end: VoiceEnd, path: str) -> bool:
        last = end.heard()[-2:]
        return len(last) == 2 and all(note.is_heard and note.silent_ms < 500 and note.path == path for note in last)

    await until(lambda: all(map(is_good, ends, paths)))
    return max(note.silent_ms for end in ends for note in end.heard())


async def test_a_call_is_understood_over_a_path_that_loses_a_twentieth(lab: Lab) -> None:
    ana, bo = lab.host("ana"), lab.host("bo")
    for one in (ana, bo):
        one.filter(input="meta l4proto udp numgen random mod 100 < 5 drop")
    lab.set(ana, bo, Weather(delay=0.03, jitter=0.02))
    card = SoundCard("ana", "bo")
    try:
        async with calling(ana, bo, card) as ends:
            await until(lambda: all(end.figures.redundancy == "one_copy" for end in ends))
            assert all(await asyncio.gather(hears(card, "ana", "bo"), hears(card, "bo", "ana")))
            for end in ends:
                told = end.heard()[2:]
                assert 0.01 < sum(note.loss for note in told) / len(told) < 0.1
                assert end.figures.round_trip_ms is not None
                assert end.figures.round_trip_ms >= 60
    finally:
        card.close()


@pytest.mark.parametrize("blocked", [("ana", "bo"), ("ana",), ("bo",)], ids=" and ".join)
async def test_where_udp_is_blocked_tcp_takes_over_until_it_is_not(lab: Lab, blocked: tuple[str, ...]) -> None:
    ana, bo = lab.host("ana"), lab.host("bo")
    async with calling(ana, bo) as ends:
        await hear_each_other(ends, "udp", "udp")
        for one in (ana, bo):
            one.filter(input=NO_UDP if one.name in blocked else "")
        paths = ["tcp" if one.name in blocked else "udp" for one in (ana, bo)]
        assert await hear_each_other(ends, *paths) < SOON
        for one in (ana, bo):
            one.filter()
        assert await hear_each_other(ends, "udp", "udp") < SOON


async def test_where_udp_never_gets_through_a_call_begins_by_tcp(lab: Lab) -> None:
    ana, bo = lab.host("ana"), lab.host("bo")
    ana.filter(output=NO_UDP)
    bo.filter(output=NO_UDP)
    async with calling(ana, bo) as ends:
        assert await hear_each_other(ends, "tcp", "tcp") < SOON


async def test_two_homes_open_the_way_for_each_other(lab: Lab) -> None:
    ana, bo = lab.home("ana"), lab.home("bo")
    lab.set(ana.router, bo.router, Weather(delay=0.02))
    async with calling(ana, bo) as ends:
        assert await hear_each_other(ends, "udp", "udp") < SOON


async def test_who_is_behind_a_router_that_changes_ports_is_heard_by_who_is_not(lab: Lab) -> None:
    ana, bo = lab.home("ana", changes_ports=True), lab.host("bo")
    async with calling(ana, bo) as ends:
        assert await hear_each_other(ends, "udp", "udp") < SOON


@pytest.mark.parametrize("at_home", [False, True], ids=["a computer", "a router"])
async def test_a_call_goes_on_when_an_address_changes(lab: Lab, at_home: bool) -> None:
    ana, bo = lab.home("ana") if at_home else lab.host("ana"), lab.host("bo")
    async with calling(ana, bo) as ends:
        await hear_each_other(ends, "udp", "udp")
        lab.move(seen(ana), "10.77.0.33")
        assert await hear_each_other(ends, "udp", "udp") < SOON
