"""Voice messages on a real sound system: what is spoken is heard again, and what breaks is said."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from peer.audio.ogg_opus import read_ogg_opus
from peer.audio.playing import Sound
from peer.audio.voice_messages import VoiceMessages
from peer.errors import Refusal, RefusalCode
from peer.events import PlaybackChanged, RecordingChanged, Warned
from peer.limits import AUDIO_ANSWER_SECONDS
from peer.node import PeerNode
from peer.views import AudioChoice, Tone, VoiceFile
from tests.harness.sound_card import SoundCard
from tests.harness.speaking import Speaker, best_strength, find, sweep, tone, usual_strength, wait_until

MakeSpeaker = Callable[[str, dict[str, str]], Speaker]
RECORDING = [sys.executable, "-m", "tests.harness.recording_program"]


@pytest.fixture
def ana(sound_card: SoundCard, speaker: MakeSpeaker) -> Speaker:
    return speaker("ana", sound_card.environment("ana"))


def _spoken(ana: Speaker, sound_card: SoundCard, seconds: float = 1.0) -> VoiceFile:
    """Record a tone of 440 Hz."""
    sound_card.speak("ana", tone(440, seconds + 1))
    ana.do(lambda v: v.start_recording())
    ana.wait_for(lambda e: isinstance(e, RecordingChanged) and e.recording.seconds >= seconds)
    return ana.do(lambda v: v.finish_recording())


def _with_limit(folder: Path, name: str, value: float) -> dict[str, str]:
    """Return the environment in which an audio process has another limit."""
    (folder / "sitecustomize.py").write_text(f"import peer.limits\npeer.limits.{name} = {value}\n")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{Path.cwd()}"}


def _over(speaker: Speaker) -> RecordingChanged:
    event = speaker.wait_for(lambda e: isinstance(e, RecordingChanged) and e.recording.is_over)
    assert isinstance(event, RecordingChanged)
    return event


def _checked_by_opusinfo(path: str) -> tuple[float, bool]:
    said = subprocess.run(["opusinfo", path], check=True, capture_output=True, text=True).stdout
    length = re.search(r"Playback length: 0m:([\d.]+)s", said)
    assert length is not None, said
    return float(length[1]), "WARNING" in said


def test_what_is_spoken_is_recorded_and_heard_again(ana: Speaker, sound_card: SoundCard, speaker: MakeSpeaker) -> None:
    words = sweep(0.3)
    ana.record(0.2)
    sound_card.speak("ana", words)
    ana.wait_for(lambda e: isinstance(e, RecordingChanged) and e.recording.level > 100)
    ana.wait_for(lambda e: isinstance(e, RecordingChanged) and e.recording.seconds > 0.9)
    voice = ana.do(lambda v: v.finish_recording())

    assert 0.9 < voice.duration < 2
    assert ana.files() == [Path(voice.path).name]
    assert voice.size == Path(voice.path).stat().st_size
    assert len(voice.waveform) == min(128, round(100 * voice.duration))
    assert 15 < sum(bar > 100 for bar in voice.waveform) < 80
    seconds, warns = _checked_by_opusinfo(voice.path)
    assert seconds == pytest.approx(voice.duration, abs=0.0015)
    assert not warns

    bo = speaker("bo", sound_card.environment("bo"))
    bo.do(lambda v: v.devices())
    heard = sound_card.listen("bo", voice.duration + 0.4)
    began = bo.do(lambda v: v.play(voice.path))
    assert began.duration == pytest.approx(voice.duration)
    bo.wait_until_played()
    _, likeness = find(words, heard.heard())
    assert likeness > 0.5
    told = [e.playback.at for e in bo.events if isinstance(e, PlaybackChanged)]
    assert told == sorted(told)
    assert len(told) > 4


def test_twice_as_fast_from_the_middle_keeps_the_pitch(ana: Speaker, sound_card: SoundCard) -> None:
    voice = _spoken(ana, sound_card)
    heard = sound_card.listen("ana", 0.8)
    ana.do(lambda v: v.play(voice.path, at=0.2, speed=2.0))
    over = ana.wait_until_played()
    assert (over.playback.at, over.playback.reason) == (voice.duration, "")
    sound = heard.heard()
    assert 0.2 * 48_000 < sum(abs(sample) > 20 for sample in sound) < 0.6 * 48_000
    assert usual_strength(sound, 440) > 0.8


def test_what_is_played_next_takes_the_place_of_what_is_played(
    ana: Speaker, sound_card: SoundCard, tmp_path: Path
) -> None:
    voice = _spoken(ana, sound_card, 0.5)
    other = tmp_path / "other.opus"
    other.write_bytes(Path(voice.path).read_bytes())
    ana.do(lambda v: v.play(voice.path))
    ana.do(lambda v: v.play(str(other)))
    over = ana.wait_until_played()
    assert over.playback.path == voice.path
    ana.do(lambda v: v.stop_playing())
    paths = [e.playback.path for e in ana.events if isinstance(e, PlaybackChanged) and e.playback.is_over]
    assert paths == [voice.path, str(other)]


def test_a_cancelled_recording_leaves_nothing_behind(ana: Speaker) -> None:
    ana.record(0.3)
    assert len(ana.files()) == 1
    ana.do(lambda v: v.cancel_recording())
    assert _over(ana).recording.voice is None
    assert ana.files() == []
    with pytest.raises(Refusal) as refused:
        ana.do(lambda v: v.finish_recording())
    assert refused.value.code is RefusalCode.NOT_RECORDING


def test_two_record_the_same_microphone_at_once_but_one_person_once(
    ana: Speaker, sound_card: SoundCard, speaker: MakeSpeaker
) -> None:
    again = speaker("ana elsewhere", sound_card.environment("ana"))
    sound_card.speak("ana", tone(440, 2.0))
    ana.do(lambda v: v.start_recording())
    again.do(lambda v: v.start_recording())
    with pytest.raises(Refusal) as refused:
        ana.do(lambda v: v.start_recording())
    assert refused.value.code is RefusalCode.ALREADY_RECORDING
    for each in (ana, again):
        each.wait_for(lambda e: isinstance(e, RecordingChanged) and e.recording.seconds > 0.4)
        voice = each.do(lambda v: v.finish_recording())
        sound = Sound(read_ogg_opus(Path(voice.path).read_bytes()))
        assert usual_strength(sound.read(0, sound.samples), 440) > 0.8


def test_devices_are_listed_and_chosen_by_name(ana: Speaker, sound_card: SoundCard) -> None:
    devices = ana.do(lambda v: v.devices())
    assert {"ana_usb", "bo_usb"} <= set(devices.inputs)
    assert devices.default_input == devices.default_output == "default"
    sound_card.speak("bo", tone(440, 2.0))
    ana.chosen = AudioChoice(microphone="bo_usb")
    ana.do(lambda v: v.start_recording())
    ana.wait_for(lambda e: isinstance(e, RecordingChanged) and e.recording.level > 100)
    ana.do(lambda v: v.cancel_recording())


def test_for_a_device_that_is_not_here_the_systems_choice_stands_in_and_that_is_said(
    ana: Speaker, sound_card: SoundCard
) -> None:
    voice = _spoken(ana, sound_card, 0.3)
    ana.chosen = AudioChoice("Unplugged headset", "Unplugged headset")
    said: list[str] = []
    for _ in range(2):
        ana.events.clear()
        assert _spoken(ana, sound_card, 0.3).duration >= 0.3
        heard = sound_card.listen("ana", 1.5)
        ana.do(lambda v: v.play(voice.path))
        assert best_strength(heard.heard(), 440) > 0.8
        said += [event.message for event in ana.events if isinstance(event, Warned)]
    assert said == [
        f"“Unplugged headset” is not here: the system's {what} is used instead." for what in ("microphone", "speaker")
    ], "it is said once, not at each message"


def test_a_tone_tries_the_speaker(ana: Speaker, sound_card: SoundCard) -> None:
    ana.do(lambda v: v.devices())
    heard = sound_card.listen("ana", 2.2)
    began = ana.do(lambda v: v.play_tone())
    assert began.duration == pytest.approx(1.2)
    assert ana.wait_until_played().playback.path == ""
    sound = heard.heard()
    assert best_strength(sound, 660) > 0.9
    assert best_strength(sound, 880) > 0.9


def test_it_rings_until_it_is_stopped_and_stops_nothing_else(ana: Speaker, sound_card: SoundCard) -> None:
    voice = _spoken(ana, sound_card, 0.3)
    heard = sound_card.listen("ana", 2.0)
    ana.do(lambda v: v.play_tone(Tone.RING))
    assert best_strength(heard.heard(), 659.26) > 0.8
    ana.do(lambda v: v.stop_tone())
    assert ana.wait_until_played().playback.path == ""
    ana.do(lambda v: v.play(voice.path))
    ana.do(lambda v: v.stop_tone())
    ana.wait_for(lambda e: isinstance(e, PlaybackChanged) and e.playback.path == voice.path and e.playback.is_over)
    over = [e.playback for e in ana.events if isinstance(e, PlaybackChanged) and e.playback.is_over]
    assert over[-1].at == over[-1].duration, "the voice message was heard to its end"


def test_no_device_is_a_normal_state(ana: Speaker, sound_card: SoundCard, speaker: MakeSpeaker) -> None:
    voice = _spoken(ana, sound_card, 0.3)
    bo = speaker("bo", sound_card.environment_without_card())
    devices = bo.do(lambda v: v.devices())
    assert (devices.inputs, devices.outputs, devices.default_input, devices.default_output) == ((), (), "", "")
    for code, ask in (
        (RefusalCode.NO_MICROPHONE, lambda v: v.start_recording()),
        (RefusalCode.NO_SPEAKER, lambda v: v.play(voice.path)),
    ):
        with pytest.raises(Refusal) as refused:
            bo.do(ask)
        assert refused.value.code is code
        assert refused.value.message.endswith("Plug one in, and try again.")
    assert bo.files() == []


def test_a_portaudio_that_crashes_takes_nothing_along(sound_card: SoundCard, speaker: MakeSpeaker) -> None:
    bo = speaker("bo", sound_card.environment_in_which_portaudio_crashes())
    for _ in range(2):
        with pytest.raises(Refusal, match="The sound system broke down"):
            bo.do(lambda v: v.start_recording())


def test_without_pyaudio_that_is_said(speaker: MakeSpeaker, tmp_path: Path) -> None:
    (tmp_path / "pyaudio.py").write_text("raise ImportError('no portaudio')\n")
    bo = speaker("bo", {"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}"})
    with pytest.raises(Refusal, match="PortAudio"):
        bo.do(lambda v: v.start_recording())


def test_a_device_that_hangs_is_given_up_on_and_works_again_later(
    sound_card: SoundCard, speaker: MakeSpeaker, tmp_path: Path
) -> None:
    ana = speaker("ana", sound_card.environment("ana") | _with_limit(tmp_path, "AUDIO_CALL_SECONDS", 1))
    ana.do(lambda v: v.devices())
    sound_card.suspend()
    began = time.monotonic()
    with pytest.raises(Refusal, match="The sound system does not answer") as refused:
        ana.do(lambda v: v.start_recording())
    assert refused.value.code is RefusalCode.AUDIO_FAILED
    assert time.monotonic() - began < AUDIO_ANSWER_SECONDS
    assert ana.files() == []
    sound_card.resume()
    assert _spoken(ana, sound_card, 0.3).duration >= 0.3


def test_a_device_that_hangs_meanwhile_costs_nothing_of_the_recording(ana: Speaker, sound_card: SoundCard) -> None:
    ana.record(0.5)
    sound_card.suspend()
    began = time.monotonic()
    voice = ana.do(lambda v: v.finish_recording())
    assert time.monotonic() - began < 3
    assert voice.duration >= 0.5
    sound_card.resume()


def test_what_was_recorded_before_the_microphone_went_is_kept(ana: Speaker, sound_card: SoundCard) -> None:
    ana.record(0.5)
    sound_card.kill()
    over = _over(ana).recording
    assert over.reason == "The microphone has gone."
    voice = ana.do(lambda v: v.finish_recording())
    assert voice == over.voice
    assert voice.duration >= 0.5
    assert read_ogg_opus(Path(voice.path).read_bytes()).seconds == pytest.approx(voice.duration)


def test_a_speaker_that_goes_is_told(ana: Speaker, sound_card: SoundCard) -> None:
    voice = _spoken(ana, sound_card, 0.5)
    ana.do(lambda v: v.play(voice.path))
    sound_card.kill()
    assert ana.wait_until_played().playback.reason == "The speaker has gone."


def test_what_the_audio_process_recorded_before_it_died_is_kept(ana: Speaker, sound_card: SoundCard) -> None:
    ana.record(1.3)
    ana.kill_process()
    over = _over(ana).recording
    assert over.voice is not None
    assert 0.9 < over.voice.duration < 2
    assert ana.files() == [Path(over.voice.path).name]
    assert ana.do(lambda v: v.finish_recording()) == over.voice
    ana.do(lambda v: v.discard(over.voice.path))
    assert ana.files() == []


def test_a_recording_begins_also_when_the_process_is_just_ending(ana: Speaker, sound_card: SoundCard) -> None:
    async def start_while_it_dies(voice: VoiceMessages) -> None:
        ana.kill_process()
        await voice.start_recording()

    ana.do(lambda v: v.devices())
    ana.do(start_while_it_dies)
    ana.wait_for(lambda e: isinstance(e, RecordingChanged) and e.recording.seconds > 0.3)
    assert ana.do(lambda v: v.finish_recording()).duration > 0.3


def test_a_program_that_is_killed_leaves_no_half_recording(sound_card: SoundCard, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    program = subprocess.Popen(
        [*RECORDING, str(folder)], env=sound_card.environment("ana"), stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    with program:
        assert program.stdout.readline() == "records\n"
        assert [path.suffix for path in folder.iterdir()] == [".part"]
        program.kill()
    wait_until(lambda: not list(folder.iterdir()))


def test_what_killed_programs_left_is_removed_at_the_next_recording(ana: Speaker) -> None:
    ana.folder.mkdir()
    (ana.folder / "Voice message.opus.part").write_bytes(b"OggS")
    ana.record(0.1)
    ana.do(lambda v: v.finish_recording())
    assert len(ana.files()) == 1


def test_a_full_disk_ends_a_recording_and_keeps_what_was_said(sound_card: SoundCard, tmp_path: Path) -> None:
    small_disk = 'mount -t tmpfs -o size=4k none "$0" && "$@" && cp "$0"/* "$0.kept"'
    (tmp_path / "disk").mkdir()
    sound_card.speak("ana", sweep(10))
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", small_disk, str(tmp_path / "disk"), *RECORDING, str(tmp_path / "disk")],
        env=sound_card.environment("ana"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "cannot be stored (No space left on device)" in done.stdout, done
    assert read_ogg_opus((tmp_path / "disk.kept").read_bytes()).seconds > 0.9


def test_the_longest_recording_ends_by_itself_and_is_kept(
    sound_card: SoundCard, speaker: MakeSpeaker, tmp_path: Path
) -> None:
    bo = speaker("bo", sound_card.environment("bo") | _with_limit(tmp_path, "VOICE_RECORDED_SECONDS", 1))
    bo.do(lambda v: v.start_recording())
    over = _over(bo).recording
    assert over.reason.startswith("A voice message has at most")
    voice = bo.do(lambda v: v.finish_recording())
    assert (voice, voice.duration) == (over.voice, 1.0)


def test_an_idle_audio_process_ends_and_comes_back(sound_card: SoundCard, speaker: MakeSpeaker, tmp_path: Path) -> None:
    bo = speaker("bo", sound_card.environment("bo") | _with_limit(tmp_path, "AUDIO_IDLE_SECONDS", 0.05))
    for _ in range(2):
        bo.record(0.1)
        bo.do(lambda v: v.finish_recording())
        bo.events.clear()
        wait_until(lambda: not bo.has_process())


def test_nobody_records_who_is_not_signed_in(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        asyncio.run(PeerNode(tmp_path).voice.start_recording())
    assert refused.value.code is RefusalCode.NOT_SIGNED_IN


def test_what_is_no_voice_message_is_refused(ana: Speaker, tmp_path: Path) -> None:
    (tmp_path / "evil.opus").write_bytes(b"OggS" * 1000)
    for path in (tmp_path / "evil.opus", tmp_path / "missing.opus"):
        with pytest.raises(Refusal) as refused:
            ana.do(lambda v, path=path: v.play(str(path)))
        assert refused.value.code is RefusalCode.BAD_AUDIO
        assert path.name in refused.value.message
