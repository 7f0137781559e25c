"""The voice process with a real sound system: what one says into a microphone comes out of the other's speaker."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from peer.errors import Refusal
from peer.voice import process_messages as pipe
from peer.voice.protection import KEY_BYTES
from tests.harness.sound_card import SoundCard
from tests.voice.calling import (
    HOST,
    NO_SOUND,
    PATIENCE,
    VoiceEnd,
    connect,
    hears,
    through_relay,
    until,
    voice_port,
)
from tests.voice.voices import voice


@pytest.fixture(scope="module")
def card() -> Iterator[SoundCard]:
    card = SoundCard("ana", "bo")
    yield card
    card.close()


@asynccontextmanager
async def calling(card: SoundCard) -> AsyncIterator[tuple[VoiceEnd, VoiceEnd]]:
    """Let Ana and Bo talk, each with a microphone and a speaker."""
    ana, bo = VoiceEnd(card.environment("ana")), VoiceEnd(card.environment("bo"))
    try:
        for end in (ana, bo):
            assert await end.begin() == pipe.Begun(has_microphone=True, has_speaker=True)
        await connect(ana, bo)
        await until(lambda: ana.figures.is_heard and bo.figures.is_heard)
        yield ana, bo
    finally:
        await asyncio.gather(ana.close(), bo.close())


async def test_each_hears_what_the_other_says(card: SoundCard) -> None:
    async with calling(card) as (ana, _):
        assert all(await asyncio.gather(hears(card, "ana", "bo"), hears(card, "bo", "ana")))
        assert ana.figures.path == "udp"
        assert ana.figures.round_trip_ms is not None
        assert any(note.unrepaired < 0.2 for note in ana.heard())
        levels = [note for note in ana.notes if isinstance(note, pipe.Levels)]
        assert any(note.speaks for note in levels)
        assert any(leg.speaks for note in levels for leg in note.legs)


async def test_who_has_no_sound_at_all_is_in_the_call_all_the_same(card: SoundCard) -> None:
    ana, bo = VoiceEnd(card.environment("ana")), VoiceEnd(NO_SOUND)
    try:
        await ana.begin()
        assert await bo.begin() == pipe.Begun(has_microphone=False, has_speaker=False)
        await until(lambda: any("no microphone" in note.reason for note in bo.sounds()))
        await connect(ana, bo)
        await until(lambda: ana.figures.is_heard and bo.figures.is_heard)
    finally:
        await asyncio.gather(ana.close(), bo.close())


async def test_a_sound_server_that_dies_is_said_and_another_is_found() -> None:
    card = SoundCard("ana", "bo")
    try:
        async with calling(card) as (ana, bo):
            await asyncio.to_thread(card.kill)
            await until(lambda: any(not note.has_microphone and note.reason for note in ana.sounds()))
            await asyncio.to_thread(card.start)
            await until(lambda: ana.sounds()[-1].has_microphone and ana.sounds()[-1].has_speaker)
            await until(lambda: bo.sounds()[-1].has_microphone and bo.sounds()[-1].has_speaker)
            assert await hears(card, "bo", "ana")
    finally:
        card.close()


async def test_muted_is_silent_and_quieter_is_quieter(card: SoundCard) -> None:
    async def loudness() -> float:
        ear = card.listen("bo", 4)
        card.speak("ana", voice(2, 110, 1).tolist())
        heard = np.array(await asyncio.to_thread(ear.heard), np.int16)
        return float(np.percentile(np.abs(heard), 99))  # a busy computer crackles

    async with calling(card) as (ana, bo):
        assert await loudness() > 2_000
        await bo.process.ask(pipe.SetVolume(bo.figures.leg, 0.1))
        await asyncio.sleep(1.5)  # a player that began late may still have something to say
        assert 100 < await loudness() < 1_500
        await ana.process.ask(pipe.SetMuted(True))
        await asyncio.sleep(0.3)
        assert await loudness() < 50


async def test_the_end_of_the_process_is_told_and_no_other_call_is_lost_by_it(card: SoundCard) -> None:
    ana = VoiceEnd(card.environment("ana"))
    try:
        await ana.begin()
        os.kill(ana.pid, signal.SIGKILL)
        await asyncio.wait_for(ana.has_ended.wait(), PATIENCE)
        with pytest.raises(Refusal):
            await ana.process.ask(pipe.SetMuted(True))
        assert isinstance(await ana.begin(), pipe.Begun)
    finally:
        await ana.close()


async def test_a_call_goes_on_without_devices_while_the_sound_server_hangs(card: SoundCard) -> None:
    ana, bo = VoiceEnd(card.environment("ana")), VoiceEnd(NO_SOUND)
    card.suspend()
    try:
        begin = asyncio.get_running_loop().time()
        answer = await ana.begin()
        assert not answer.has_microphone
        assert asyncio.get_running_loop().time() - begin < 9
        await until(lambda: any("does not answer" in note.reason for note in ana.sounds()))
        await bo.begin()
        await connect(ana, bo)
        await until(lambda: ana.figures.is_heard and bo.figures.is_heard)
        bo.notes.clear()
        await until(lambda: len(bo.heard()) >= 3)
        assert all(note.silent_ms < 1_000 for note in bo.heard()), "its time stood still"
    finally:
        card.resume()
        await asyncio.gather(ana.close(), bo.close())


async def test_who_never_sends_anything_is_told_to_be_silent_and_holds_up_nobody() -> None:
    ana, silent = VoiceEnd(NO_SOUND), voice_port()
    silent[1].listen()
    try:
        await ana.begin()
        places = (pipe.Place(HOST, silent[0].getsockname()[1]),)
        await ana.process.ask(pipe.AddLeg(1, 2, bytes(KEY_BYTES), bytes(KEY_BYTES), places, dials=True))
        await until(lambda: ana.figures.silent_ms > 3_000)
        assert not ana.figures.is_heard
        assert ana.figures.path != "udp"
        assert ana.figures.unrepaired == 0
    finally:
        await ana.close()
        for some in silent:
            some.close()


@pytest.mark.parametrize("seconds", [3, pytest.param(20, marks=pytest.mark.long)])
async def test_two_hear_each_other_within_two_seconds_after_one_of_them_slept(seconds: int) -> None:
    async with through_relay() as (ana, bo, _):
        os.kill(bo.pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        assert ana.figures.silent_ms > 1_000 * (seconds - 2)
        ana.notes.clear()
        bo.notes.clear()
        os.kill(bo.pid, signal.SIGCONT)
        await until(lambda: any(note.silent_ms < 500 for note in ana.heard()), 2)
        await until(lambda: any(note.silent_ms < 500 for note in bo.heard()), 2)
        await until(lambda: ana.figures.unrepaired < 0.1 and bo.figures.unrepaired < 0.1, 3)
