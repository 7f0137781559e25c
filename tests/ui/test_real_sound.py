"""Two windows, two nodes and a real sound system: what is said into one is heard from the other."""

import array
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.sound_card import SoundCard
from tests.harness.speaking import find, sweep, tone, usual_strength
from tests.ui.talker import Talker
from ui.settings.audio_page import AudioPage, Trial
from ui.settings.settings_dialog import SettingsDialog
from ui.transfers.acts import Act
from ui.transfers.voice_recorder import Recording

LOW, HIGH = 440, 1_200


def _record(ana: Talker, sound_card: SoundCard, words: array.array, seconds: float) -> None:
    """Click the microphone, and speak until so much is recorded."""
    ana.press("conversation.microphone")
    ana.until(lambda: ana.recorder.state is Recording.RECORDING)
    sound_card.speak("ana", words)
    ana.until(lambda: max(ana.recorder._meter._levels, default=0) > 100)  # the meter moves
    begun = len(ana.recorder._meter._levels)
    ana.until(lambda: len(ana.recorder._meter._levels) >= begun + 15 * seconds)


def _recordings(ana: Talker, tmp_path: Path) -> list[str]:
    """Return what lies where recordings wait."""
    return [path.name for folder in (tmp_path / ana.name).rglob("recordings") for path in folder.iterdir()]


def test_what_is_said_into_one_window_is_listened_to_sent_and_heard_from_the_other(
    ana_and_bo: tuple[Talker, Talker], sound_card: SoundCard, tmp_path: Path
) -> None:
    ana, bo = ana_and_bo
    words = sweep(0.5)
    _record(ana, sound_card, words, 0.8)
    ana.press("conversation.microphone")
    ana.until(lambda: ana.recorder.state is Recording.LISTENING)

    first = sound_card.listen("ana", 2.0)
    ana.press("recorder.play")
    _, likeness = find(words, first.heard())
    assert likeness > 0.5, "what she listens to is what she said"
    assert bo.voice() is None, "nothing is sent before she says so"

    ana.press("conversation.send")
    bo.until(lambda: bo.voice() is not None)
    heard = sound_card.listen("bo", 2.0)
    bo.click(Act.PLAY)
    _, likeness = find(words, heard.heard())
    assert likeness > 0.5, "what he hears is what she said"
    bo.until(lambda: not bo.is_playing())
    ana.until(lambda: _recordings(ana, tmp_path) == [])


def test_he_hears_the_part_he_clicks_and_twice_as_fast_at_the_same_pitch(
    ana_and_bo: tuple[Talker, Talker], sound_card: SoundCard
) -> None:
    ana, bo = ana_and_bo
    _record(ana, sound_card, tone(LOW, 1.2) + tone(HIGH, 2.0), 2.4)
    ana.press("conversation.send")
    bo.until(lambda: bo.voice() is not None)
    bo.click(Act.SPEED)
    bo.click(Act.SPEED)
    assert bo.window.chat.pane.desk.playback.speed == 2.0

    heard = sound_card.listen("bo", 1.2)
    bo.click(Act.SEEK, 0.7)
    sound = heard.heard()
    assert usual_strength(sound, HIGH) > 0.8
    assert usual_strength(sound, LOW) < 0.1
    voice = bo.voice()
    assert voice is not None
    assert voice.attachment is not None
    spoken = sum(abs(sample) > 1_000 for sample in sound) / 48_000
    assert spoken == pytest.approx(0.3 * voice.attachment.duration / 2, rel=0.35)


def test_what_she_throws_away_is_nowhere(
    ana_and_bo: tuple[Talker, Talker], sound_card: SoundCard, tmp_path: Path
) -> None:
    ana, bo = ana_and_bo
    _record(ana, sound_card, tone(LOW, 1.0), 0.3)
    assert len(_recordings(ana, tmp_path)) == 1
    ana.press("recorder.cancel")
    ana.until(lambda: _recordings(ana, tmp_path) == [])
    assert not ana.recorder.is_on
    assert (ana.voice(), bo.voice()) == (None, None)


def test_in_the_settings_one_speaks_and_hears_oneself(talker: Callable[[str], Talker], sound_card: SoundCard) -> None:
    ana, words = talker("ana"), sweep(0.5)
    ana.window._open_settings()
    ana.window.findChild(SettingsDialog).show_page(3)
    audio = ana.window.findChild(AudioPage)
    ana.press("settings.try_microphone")
    ana.until(lambda: audio.trial is Trial.SPEAKING)
    sound_card.speak("ana", words)
    ana.until(lambda: max(audio._meter._levels, default=0) > 100)
    begun = len(audio._meter._levels)
    ana.until(lambda: len(audio._meter._levels) >= begun + 12)
    heard = sound_card.listen("ana", 2.0)
    ana.press("settings.try_microphone")
    ana.until(lambda: audio.trial is Trial.HEARING)
    _, likeness = find(words, heard.heard())
    assert likeness > 0.5
    ana.until(lambda: audio.trial is Trial.NONE)
