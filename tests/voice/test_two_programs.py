"""Two real programs with a sound card each, and a locator: what one says, the other hears; files and texts go on."""

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peer.voice.time_scaling import Samples
from tests.harness.processes import PASSWORD, PeerProcess, Three, befriend, texts_of
from tests.harness.sound_card import SoundCard
from tests.voice.voices import similarity, voice

pytestmark = pytest.mark.alone
FILE_BYTES = 10 * 1000 * 1000
TEXTS = 40
ALIKE = 0.8
"""Cross-correlation of what was said and what was heard; of two different voices it is below 0.2."""
GOOD = 3.0
"""PESQ, wide band, of a voice of a computer; without a call in between it is 4.64."""
ROUNDS = 6
"""Of so many times that somebody says the same, one comes through whole: the computer may be busy with other things."""
OTHER = {"ana": "bo", "bo": "ana"}
Judge = Callable[[Samples, Samples], float]


class Talk:
    """Ana and Bo in a call."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.card = SoundCard("ana", "bo")
        self.three = Three(folder)
        self.peers = {user: self._program(user) for user in ("ana", "bo")}
        self.conversation = befriend(self["ana"], self["bo"], "ana", "bo")

    def __getitem__(self, user: str) -> PeerProcess:
        return self.peers[user]

    def _program(self, user: str) -> PeerProcess:
        own = {**self.card.variables(user), "HAIL_DOWNLOADS": str(self.folder / f"downloads of {user}")}
        peer = self.three.peer(user, inside=("env", *(f"{name}={value}" for name, value in own.items())))
        about = {"locator": self.three.locator.link, "user": user, "password": PASSWORD, "name": user.title()}
        peer.call("session.register", **about)
        return peer

    def leave_the_sound_alone(self) -> None:
        """Let neither echo nor noise be taken out, nor the loudness be evened: what is heard is what was said."""
        for peer in self.peers.values():
            alone = {"echo": False, "noise": False, "gain": False}
            assert peer.call("calls.processing", **alone) == alone

    def begin(self) -> str:
        """Let Ana call and Bo answer; return the call, once each hears the other."""
        call: str = self["ana"].call("calls.start", conversation=self.conversation)["call"]
        self["bo"].wait_for("call_ringing", lambda event: event["call"]["call"] == call)
        self["bo"].call("calls.answer", call=call)
        for peer in self.peers.values():
            started = peer.wait_for("call_started", lambda event: event["call"]["call"] == call)
            assert started["call"]["has_microphone"]
            assert started["call"]["has_speaker"]
        return call

    def hears(self, speaker: str, listener: str, said: Samples, judge: Judge, enough: float) -> float:
        """Let somebody say something until the other has heard it well enough; return how well at best."""
        best = 0.0
        for _ in range(ROUNDS):
            ear = self.card.listen(listener, len(said) / 48_000 + 1.5)
            self.card.speak(speaker, said.tolist())
            best = max(best, judge(said, np.array(ear.heard(), np.int16)))
            if best >= enough:
                break
        return best

    def lines(self, user: str, call: str) -> list[dict[str, Any]]:
        """Return what stands in somebody's conversation about a call."""
        shown = self[user].call("messages.list", conversation=self.conversation, limit=1000)
        return [message["call"] for message in shown if message["call"] and message["call"]["call"] == call]

    def close(self) -> None:
        self.three.close()
        self.card.close()


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    talk = Talk(tmp_path)
    yield talk
    talk.close()


def both_hear(talk: Talk, sounds: dict[str, Samples], judge: Judge, enough: float) -> dict[str, float]:
    """Let both talk at the same time; return how well each was heard."""
    with ThreadPoolExecutor(2) as pool:
        tasks = {user: pool.submit(talk.hears, user, OTHER[user], said, judge, enough) for user, said in sounds.items()}
        return {user: task.result() for user, task in tasks.items()}


class Traffic:
    """A file that passes and texts that arrive, from Ana to Bo, beside the call."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._content = random.Random(7).randbytes(FILE_BYTES)
        self._path = talk.folder / "lecture.bin"
        self._path.write_bytes(self._content)
        self._writing = ThreadPoolExecutor(1)
        self._texts = [f"text {number}" for number in range(TEXTS)]

    def begin(self) -> None:
        """Return when the file is being fetched and the first text is written."""
        ana, bo, conversation = self._talk["ana"], self._talk["bo"], self._talk.conversation
        self._entry = ana.call("files.send", conversation=conversation, path=str(self._path))["entry"]
        bo.wait_for("message_arrived", lambda event: event["message"]["entry"] == self._entry)
        bo.call("files.fetch", entry=self._entry)
        self._written = self._writing.submit(self._write)

    def _write(self) -> None:
        for text in self._texts:
            self._talk["ana"].call("messages.send", conversation=self._talk.conversation, text=text)
            time.sleep(0.1)

    def check(self) -> None:
        """Fail unless everything has come, whole and in order."""
        self._written.result()
        self._writing.shutdown()
        bo, conversation = self._talk["bo"], self._talk.conversation
        done = bo.wait_for("transfer_finished", lambda event: event["transfer"]["entry"] == self._entry)
        content = Path(done["transfer"]["path"]).read_bytes()
        assert hashlib.sha256(content).digest() == hashlib.sha256(self._content).digest()
        bo.wait_for("message_arrived", lambda event: event["message"]["text"] == self._texts[-1])
        assert [text for text in texts_of(bo, conversation) if text] == self._texts


def likeness(said: Samples, heard: Samples) -> float:
    """Return how alike two sounds are where they fit best, sample by sample."""
    return similarity(said, heard)[0]


def test_each_hears_the_other_while_a_file_passes_and_texts_arrive(talk: Talk) -> None:
    talk.leave_the_sound_alone()
    call = talk.begin()
    traffic = Traffic(talk)
    traffic.begin()
    heard = both_hear(talk, {"ana": voice(2.5, 110, 1), "bo": voice(2.5, 220, 2)}, likeness, ALIKE)
    traffic.check()
    assert min(heard.values()) > ALIKE, heard
    assert talk["bo"].call("calls.hang_up", call=call)["reason"] == "hung_up"
    assert talk["ana"].wait_for("call_ended")["call"]["reason"] == "hung_up"
    talk["bo"].wait_for("message_arrived", lambda event: event["message"]["kind"] == "call")
    lines = [talk.lines(user, call) for user in ("ana", "bo")]
    assert len(lines[0]) == 1
    assert lines[0] == lines[1]
    assert lines[0][0]["outcome"] == "answered"
    assert lines[0][0]["seconds"] >= 3


@pytest.mark.long
@pytest.mark.parametrize("worked_on", [True, False], ids=["as it is set", "left alone"])
def test_speech_sounds_well_while_a_file_passes_and_texts_arrive(talk: Talk, worked_on: bool) -> None:
    from tests.bench.speech import quality, speech  # with libraries that the long tests have

    if not worked_on:
        talk.leave_the_sound_alone()
    talk.begin()
    traffic = Traffic(talk)
    traffic.begin()
    said = speech(talk.folder, 16)
    halves = {"ana": said[: len(said) // 2], "bo": said[len(said) // 2 :]}
    # One after the other: of two who talk at once, who cancels echo hears less.
    heard = {user: talk.hears(user, OTHER[user], half, quality, GOOD) for user, half in halves.items()}
    traffic.check()
    assert min(heard.values()) >= GOOD, heard
