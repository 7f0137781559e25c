"""Voice messages on a real sound system: what is spoken is heard again, and what breaks is said."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from peer.events import PlaybackChanged, RecordingChanged
from tests.harness.sound_card import SoundCard
from tests.harness.speaking import Speaker, find, sweep

MakeSpeaker = Callable[[str, dict[str, str]], Speaker]


def test_what_is_spoken_is_recorded_and_heard_again(sound_card: SoundCard, speaker: MakeSpeaker) -> None:
    words = sweep(0.5)
    ana = speaker("ana", sound_card.environment("ana"))
    ana.do(lambda v: v.start_recording())
    ana.wait_for(lambda e: isinstance(e, RecordingChanged) and e.recording.seconds > 0.2)
    sound_card.speak("ana", words)
    ana.wait_for(lambda e: isinstance(e, RecordingChanged) and e.recording.level > 100)
    ana.wait_for(lambda e: isinstance(e, RecordingChanged) and e.recording.seconds > 2)
    voice = ana.do(lambda v: v.finish_recording())

    assert 2 < voice.duration < 3
    assert ana.files() == [Path(voice.path).name]
    assert voice.size == Path(voice.path).stat().st_size
    assert len(voice.waveform) == 128
    assert 10 < sum(bar > 100 for bar in voice.waveform) < 60
    seconds, warns = _checked_by_opusinfo(voice.path)
    assert seconds == pytest.approx(voice.duration, abs=0.0015)
    assert not warns

    bo = speaker("bo", sound_card.environment("bo"))
    bo.do(lambda v: v.devices())
    heard = sound_card.listen("bo", voice.duration + 1)
    began = bo.do(lambda v: v.play(voice.path))
    assert began.duration == pytest.approx(voice.duration)
    bo.wait_until_played()
    _, likeness = find(words, heard.heard())
    assert likeness > 0.9
    told = [e.playback.at for e in bo.events if isinstance(e, PlaybackChanged)]
    assert told == sorted(told)
    assert len(told) > 8


def _checked_by_opusinfo(path: str) -> tuple[float, bool]:
    said = subprocess.run(["opusinfo", path], check=True, capture_output=True, text=True).stdout
    length = re.search(r"Playback length: 0m:([\d.]+)s", said)
    assert length is not None, said
    return float(length[1]), "WARNING" in said
