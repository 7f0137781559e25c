"""What the node has of a call's voice: two of them hear each other, and outlive what becomes of their processes."""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from peer.audio.switches import Switches
from peer.calls import call_voice as module
from peer.calls.call_voice import CallVoice
from peer.calls.voice_port import VoicePort
from peer.errors import Refusal, RefusalCode
from peer.links.wire import TcpWire
from peer.views import AudioChoice
from peer.voice import process_messages as pipe
from peer.voice.process_messages import Place
from peer.voice.protection import KEY_BYTES

HOST = "127.0.0.1"
PATIENCE = 20.0
PLAIN = Switches(echo=False, noise=False, gain=False)


@pytest.fixture(autouse=True)
def _no_sound_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "none")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")


class Caller:
    """Somebody's voice port and voice, and what was told."""

    def __init__(self) -> None:
        self.port = VoicePort(TcpWire())
        self.port.open(0)
        self.levels: list[pipe.Levels] = []
        self.figures: list[pipe.LegHeard] = []
        self.sounds: list[pipe.SoundChanged] = []
        self.crashes: list[Refusal] = []
        self.voice = CallVoice(
            self.port,
            on_levels=self.levels.append,
            on_figures=self.figures.append,
            on_sound=self.sounds.append,
            on_crash=self.crashes.append,
        )

    @property
    def process(self) -> int:
        child = self.voice._process._child
        assert child is not None
        return child.pid

    async def close(self) -> None:
        await self.voice.end()
        self.port.close()


@asynccontextmanager
async def callers() -> AsyncIterator[tuple[Caller, Caller]]:
    ana, bo = Caller(), Caller()
    try:
        yield ana, bo
    finally:
        await asyncio.gather(ana.close(), bo.close())


async def begin(*callers: Caller) -> None:
    await asyncio.gather(*(caller.voice.begin(AudioChoice(), PLAIN) for caller in callers))


async def connect(ana: Caller, bo: Caller) -> None:
    keys, ssrcs = [secrets.token_bytes(KEY_BYTES) for _ in range(2)], [secrets.randbits(32) for _ in range(2)]
    for me, you, out in ((ana, bo, 0), (bo, ana, 1)):
        await me.voice.add_leg(
            ssrcs[1 - out], ssrcs[out], keys[out], keys[1 - out], (Place(HOST, you.port.number),), dials=me is ana
        )


async def until(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not told():  # noqa: ASYNC110 - the processes tell by notes
            await asyncio.sleep(0.02)


async def call(ana: Caller, bo: Caller) -> None:
    await begin(ana, bo)
    await connect(ana, bo)
    await until(lambda: all(one.figures and one.figures[-1].is_heard for one in (ana, bo)))
    leg = ana.figures[-1].leg
    await until(lambda: any(each.leg == leg for each in ana.levels[-1].legs))
    await asyncio.gather(
        ana.voice.set_muted(True),
        ana.voice.set_volume(leg, 0.5),
        ana.voice.set_devices(AudioChoice("a microphone", "")),
        ana.voice.set_processing(Switches()),
    )
    await ana.voice.remove_leg(leg)
    await asyncio.gather(ana.voice.end(), bo.voice.end())


async def test_two_hear_each_other_one_call_after_the_other() -> None:
    async with callers() as (ana, bo):
        await call(ana, bo)
        for one in (ana, bo):
            one.figures.clear()
        await call(ana, bo)
        assert not ana.sounds[0].has_microphone
        assert "no microphone" in ana.sounds[0].reason
        assert not ana.crashes
        assert not bo.crashes


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["crash", "hang"])
async def test_a_process_that_fails_ends_one_call_with_one_sentence(
    how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "VOICE_PROCESS_SILENT_SECONDS", 3)
    async with callers() as (ana, _):
        await begin(ana)
        await until(lambda: bool(ana.levels))
        os.kill(ana.process, how)
        await until(lambda: bool(ana.crashes))
        assert [refusal.code for refusal in ana.crashes] == [RefusalCode.VOICE_FAILED]
        with pytest.raises(Refusal) as refused:
            await ana.voice.set_muted(True)
        assert refused.value.code is RefusalCode.VOICE_FAILED
        await ana.voice.remove_leg(1)
        await ana.voice.end()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, ana.port.number), 2)
        ana.levels.clear()
        await begin(ana)
        await until(lambda: bool(ana.levels))
        assert len(ana.crashes) == 1


async def test_a_crash_while_something_is_asked_is_told_to_both() -> None:
    async with callers() as (ana, _):
        await begin(ana)
        os.kill(ana.process, signal.SIGSTOP)
        asking = asyncio.create_task(ana.voice.set_muted(True))
        await asyncio.sleep(0.1)
        os.kill(ana.process, signal.SIGKILL)
        with pytest.raises(Refusal) as refused:
            await asking
        assert refused.value.code is RefusalCode.VOICE_FAILED
        assert len(ana.crashes) == 1


async def test_who_asked_and_went_away_ends_no_call() -> None:
    async with callers() as (ana, _):
        await begin(ana)
        asking = asyncio.create_task(ana.voice.set_muted(True))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await ana.voice.set_muted(False)
        assert not ana.crashes


async def test_a_member_who_takes_the_mark_of_another_is_refused() -> None:
    async with callers() as (ana, bo):
        await begin(ana, bo)
        await connect(ana, bo)
        await until(lambda: any(leg.is_heard for leg in ana.figures))
        theirs, elsewhere = ana.figures[-1].leg, (Place(HOST, 9),)
        with pytest.raises(Refusal) as refused:
            await ana.voice.add_leg(theirs, 1, bytes(KEY_BYTES), bytes(KEY_BYTES), elsewhere, dials=False)
        assert refused.value.code is RefusalCode.BAD_REQUEST
        ana.figures.clear()
        await until(lambda: len(ana.figures) >= 2)
        assert ana.figures[-1].silent_ms < 1_000
        assert ana.figures[-1].path == "udp"
