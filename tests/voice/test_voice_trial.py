"""Trying how one sounds: what is said comes back by the way of a call, and nothing of it stays."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from unittest.mock import patch

import numpy as np
import pytest

from peer.audio.switches import Switches
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import Event, VoiceTried
from peer.views import AudioChoice, VoiceTrialView
from peer.voice_trial import VoiceTrial
from tests.harness.sound_card import SoundCard
from tests.voice.voices import likeness, voice

PATIENCE = 20.0
HEARD = 0.4
"""Likeness of a voice that came through, on a computer that is very busy; of two different voices it is below 0.2."""


class Somebody:
    """Who tries it, and what they were told."""

    def __init__(self) -> None:
        self.told: list[VoiceTrialView] = []
        events = EventStream()
        events.subscribe(self._take)
        self.choice = AudioChoice()
        self.trial = VoiceTrial(events, lambda: (self.choice, Switches(echo=False, noise=False, gain=False)))

    def _take(self, event: Event) -> None:
        assert isinstance(event, VoiceTried)
        self.told.append(event.trial)

    async def until(self, told: Callable[[VoiceTrialView], bool]) -> VoiceTrialView:
        async with asyncio.timeout(PATIENCE):
            while not (found := [view for view in self.told if told(view)]):  # noqa: ASYNC110 - a process tells
                await asyncio.sleep(0.02)
        return found[0]


@asynccontextmanager
async def somebody(environment: dict[str, str]) -> AsyncIterator[Somebody]:
    with patch.dict(os.environ, environment):
        one = Somebody()
        try:
            yield one
        finally:
            await one.trial.close()


async def test_one_hears_what_one_said_and_not_before_one_wants_to(sound_card: SoundCard) -> None:
    said = voice(2, 110, 1)
    async with somebody(sound_card.environment("ana")) as ana:
        for _ in range(2):  # also a second time
            ana.told.clear()
            await ana.trial.speak()
            silence = sound_card.listen("ana", 3)
            sound_card.speak("ana", said.tolist())
            await ana.until(lambda view: view.level > 100)
            assert np.abs(np.array(await asyncio.to_thread(silence.heard), np.int16)).max() < 50
            ear = sound_card.listen("ana", 6)
            await ana.trial.hear()
            assert likeness(said, np.array(await asyncio.to_thread(ear.heard), np.int16)) > HEARD
            assert (await ana.until(lambda view: view.is_over)).notice == ""
        assert await ana.trial.missing() == ""


async def test_a_device_that_is_not_here_is_said(sound_card: SoundCard) -> None:
    async with somebody(sound_card.environment("ana")) as ana:
        ana.choice = AudioChoice("a microphone of last year", "")
        await ana.trial.speak()
        assert "a microphone of last year" in (await ana.until(lambda view: bool(view.notice))).notice


async def test_without_a_microphone_there_is_nothing_to_try(sound_card: SoundCard) -> None:
    async with somebody(sound_card.environment_without_card()) as ana:
        with pytest.raises(Refusal) as refused:
            await ana.trial.speak()
        assert refused.value.code is RefusalCode.NO_MICROPHONE
        with pytest.raises(Refusal):
            await ana.trial.hear()
        assert ana.told == []


async def test_a_process_that_dies_is_said_once_and_another_serves_the_next_trial(sound_card: SoundCard) -> None:
    async with somebody(sound_card.environment("ana")) as ana:
        await ana.trial.speak()
        child = ana.trial._process._child
        assert child is not None
        os.kill(child.pid, signal.SIGKILL)
        assert "broke down" in (await ana.until(lambda view: view.is_over)).notice
        with pytest.raises(Refusal):
            await ana.trial.hear()
        await ana.trial.stop()
        assert sum(view.is_over for view in ana.told) == 1
        ana.told.clear()
        await ana.trial.speak()
        await ana.until(lambda view: not view.is_over)


async def test_who_stops_is_told_nothing_more(sound_card: SoundCard) -> None:
    async with somebody(sound_card.environment("ana")) as ana:
        await ana.trial.speak()
        await ana.until(lambda _: True)
        await ana.trial.stop()
        ana.told.clear()
        await asyncio.sleep(0.3)
        assert ana.told == []
