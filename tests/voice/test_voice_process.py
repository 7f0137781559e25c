"""The voice process with a real sound system: what one says into a microphone comes out of the other's speaker."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator

import numpy as np
import pytest

from peer.errors import Refusal
from peer.voice import process_messages as pipe
from tests.harness.sound_card import SoundCard
from tests.voice.calling import PATIENCE, VoiceEnd, connect, until
from tests.voice.voices import likeness, voice

HEARD = 0.4
"""Likeness of a voice that came through, on a computer that is very busy; of two different voices it is below 0.2."""


@pytest.fixture(scope="module")
def card() -> Iterator[SoundCard]:
    card = SoundCard("ana", "bo")
    yield card
    card.close()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await test()

    asyncio.run(whole())


def test_each_hears_what_the_other_says(card: SoundCard) -> None:
    async def test() -> None:
        ana, bo = VoiceEnd(card.environment("ana")), VoiceEnd(card.environment("bo"))
        try:
            assert await ana.begin() == pipe.Begun(has_microphone=True, has_speaker=True)
            await bo.begin()
            await connect(ana, bo)
            await until(lambda: any(note.is_heard for note in ana.heard()))
            said = {"ana": voice(4, 110, 1), "bo": voice(4, 220, 2)}
            ears = {who: card.listen(who, 6) for who in said}
            for who, sound in said.items():
                card.speak(who, sound.tolist())
            heard = {who: np.array(await asyncio.to_thread(ear.heard), np.int16) for who, ear in ears.items()}
            for who, other in (("ana", "bo"), ("bo", "ana")):
                assert likeness(said[who], heard[other]) > HEARD
            last = ana.heard()[-1]
            assert last.path == "udp"
            assert last.round_trip_ms is not None
            assert last.unrepaired < 0.2
            assert any(note.speaks for note in ana.notes if isinstance(note, pipe.Levels))
            assert any(leg.speaks for note in ana.notes if isinstance(note, pipe.Levels) for leg in note.legs)
        finally:
            await ana.close()
            await bo.close()

    run(test)


def test_who_has_no_sound_at_all_is_in_the_call_all_the_same(card: SoundCard) -> None:
    async def test() -> None:
        ana, bo = VoiceEnd(card.environment("ana")), VoiceEnd(card.environment_without_card())
        try:
            await ana.begin()
            assert await bo.begin() == pipe.Begun(has_microphone=False, has_speaker=False)
            await until(lambda: any("no microphone" in note.reason for note in bo.sounds()))
            await connect(ana, bo)
            await until(lambda: any(note.is_heard for note in ana.heard()))
            await until(lambda: any(note.is_heard for note in bo.heard()))
        finally:
            await ana.close()
            await bo.close()

    run(test)


def test_a_sound_server_that_dies_is_said_and_another_is_found() -> None:
    card = SoundCard("ana", "bo")

    async def test() -> None:
        ana, bo = VoiceEnd(card.environment("ana")), VoiceEnd(card.environment("bo"))
        try:
            await ana.begin()
            await bo.begin()
            await connect(ana, bo)
            await until(lambda: any(note.is_heard for note in bo.heard()))
            await asyncio.to_thread(card.kill)
            await until(lambda: any(not note.has_microphone and note.reason for note in ana.sounds()))
            await asyncio.to_thread(card.start)
            await until(lambda: ana.sounds()[-1].has_microphone and ana.sounds()[-1].has_speaker)
            await until(lambda: bo.sounds()[-1].has_microphone and bo.sounds()[-1].has_speaker)
            said = voice(3, 110, 1)
            ear = card.listen("bo", 5)
            card.speak("ana", said.tolist())
            assert likeness(said, np.array(await asyncio.to_thread(ear.heard), np.int16)) > HEARD
        finally:
            await ana.close()
            await bo.close()

    try:
        run(test)
    finally:
        card.close()


def test_muted_is_silent_and_quieter_is_quieter(card: SoundCard) -> None:
    async def loudness() -> float:
        said = voice(2, 110, 1)
        ear = card.listen("bo", 3)
        card.speak("ana", said.tolist())
        heard = np.array(await asyncio.to_thread(ear.heard), np.int16)
        return float(np.abs(heard).max())

    async def test() -> None:
        ana, bo = VoiceEnd(card.environment("ana")), VoiceEnd(card.environment("bo"))
        try:
            await ana.begin()
            await bo.begin()
            await connect(ana, bo)
            await until(lambda: any(note.is_heard for note in ana.heard()))
            assert await loudness() > 3_000
            await bo.process.ask(pipe.SetVolume(bo.heard()[-1].leg, 0.1))
            await asyncio.sleep(1.5)  # a player that began late may still have something to say
            assert 100 < await loudness() < 2_500
            await ana.process.ask(pipe.SetMuted(True))
            await asyncio.sleep(0.3)
            assert await loudness() < 50
        finally:
            await ana.close()
            await bo.close()

    run(test)


def test_the_end_of_the_process_is_told_and_no_other_call_is_lost_by_it(card: SoundCard) -> None:
    async def test() -> None:
        ana = VoiceEnd(card.environment("ana"))
        try:
            await ana.begin()
            child = ana.process._child
            assert child is not None
            os.kill(child.pid, signal.SIGKILL)
            await asyncio.wait_for(ana.has_ended.wait(), PATIENCE)
            with pytest.raises(Refusal):
                await ana.process.ask(pipe.SetMuted(True))
            assert isinstance(await ana.begin(), pipe.Begun)
        finally:
            await ana.close()

    run(test)


def test_five_seconds_at_most_are_waited_for_a_sound_server_that_hangs(card: SoundCard) -> None:
    async def test() -> None:
        ana = VoiceEnd(card.environment("ana"))
        card.suspend()
        try:
            begin = asyncio.get_running_loop().time()
            answer = await ana.begin()
            assert not answer.has_microphone
            assert asyncio.get_running_loop().time() - begin < 9
            await until(lambda: any("does not answer" in note.reason for note in ana.sounds()))
        finally:
            card.resume()
            await ana.close()

    run(test)
