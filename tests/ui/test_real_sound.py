"""Two windows, two nodes and a real sound system: what is said into one is heard from the other."""

import array
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton

from peer.node import PeerNode
from peer.surroundings import Surroundings
from peer.views import ConversationView, MessageKind, MessageView, TransferState
from tests.harness.processes import PASSWORD, LocatorProcess
from tests.harness.sound_card import SoundCard
from tests.harness.speaking import find, sweep, tone, usual_strength
from ui.main_window.window import MainWindow
from ui.main_window.window_memory import WindowMemory
from ui.peer_bridge import PeerBridge
from ui.settings.audio_page import AudioPage, Trial
from ui.settings.settings_dialog import SettingsDialog
from ui.theme.appearance import Appearance
from ui.theme.controls import Theme
from ui.transfers.acts import Act
from ui.transfers.voice_recorder import Recording

PATIENCE_MS = 20_000
LOW, HIGH = 440, 1_200


class Talker:
    """Somebody at a window of the real program, without its start."""

    def __init__(self, qtbot, name: str, folder: Path, theme: Theme, appearance: Appearance) -> None:
        self._qtbot = qtbot
        self.name = name
        self.bridge = PeerBridge(lambda profile: PeerNode(profile, Surroundings()), folder)
        self.bridge.start()
        self.window = MainWindow(theme, self.bridge, WindowMemory(folder), appearance)
        qtbot.addWidget(self.window)
        self.window.show()

    def ask(self, work: Callable[[PeerNode], Coroutine[Any, Any, Any]]) -> Any:
        """Have the node do something, and wait."""
        answers: list[Any] = []
        self.bridge.ask(self.window, work, answers.append)
        self.until(lambda: bool(answers))
        return answers[0]

    def until(self, is_so: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(is_so, timeout=PATIENCE_MS)

    def open_first(self) -> None:
        """Open the only conversation there is."""
        talks: list[ConversationView] = []

        def came() -> bool:
            rows = self.window._state.conversations
            talks[:] = [] if rows.rowCount() == 0 else self.ask(lambda node: node.conversations())
            return bool(talks) and talks[0].can_write

        self.until(came)
        self.window.chat.open(talks[0])

    @property
    def recorder(self):
        return self.window.chat.pane.recorder

    def voice(self) -> MessageView | None:
        """Return the voice message that is here, if one is."""
        model = self.window.chat.pane.view.model()
        for row in range(model.rowCount()):
            message = model.message(row)
            attachment = message.attachment
            if message.kind is MessageKind.VOICE and attachment and attachment.state is TransferState.HERE:
                return message
        return None

    def press(self, name: str) -> None:
        """Click a button."""
        button = self.window.findChild(QAbstractButton, name)
        self.until(lambda: button.isVisible() and button.isEnabled())
        self._qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def click(self, act: Act, share: float = 0.5) -> None:
        """Click a part of the voice message's bubble, so far from its left end."""
        view = self.window.chat.pane.view
        index = view.model().index(view.model().rowCount() - 1, 0)
        place = view.visualRect(index)
        parts = view._bubbles._look(index, place.width())[2]
        message = view.model().message(index.row())
        spots = view._bubbles._blocks[MessageKind.VOICE].spots(message, parts.block)
        spot = next(spot.place for spot in spots if spot.act is act)
        point = QPoint(round(spot.left() + share * spot.width()), round(spot.center().y()))
        self._qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place.topLeft() + point)

    def is_playing(self) -> bool:
        return bool(self.window.chat.pane.desk.playback.current)

    def close(self) -> None:
        self.window.quit()
        self.bridge.close()


@pytest.fixture
def locator(tmp_path: Path) -> Iterator[LocatorProcess]:
    locator = LocatorProcess(tmp_path / "locator")
    yield locator
    locator.stop()


@pytest.fixture
def talker(
    qtbot, theme: Theme, appearance: Appearance, locator: LocatorProcess, tmp_path: Path,
    sound_card: SoundCard, monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[str], Talker]]:  # fmt: skip
    """Make somebody who is signed in, with a microphone and a speaker."""
    made: list[Talker] = []
    monkeypatch.setenv("HAIL_DOWNLOADS", str(tmp_path / "downloads"))

    def make(name: str) -> Talker:
        for key, value in sound_card.environment(name).items():
            monkeypatch.setenv(key, value)
        somebody = Talker(qtbot, name, tmp_path / name, theme, appearance)
        made.append(somebody)
        session = somebody.ask(lambda node: node.register(locator.link, name, PASSWORD, name.title()))
        somebody.window.login.signed_in.emit(session)
        somebody.ask(lambda node: node.voice.devices())  # its audio process has this environment
        return somebody

    yield make
    for somebody in made:
        somebody.close()


@pytest.fixture
def ana_and_bo(talker: Callable[[str], Talker]) -> tuple[Talker, Talker]:
    """Friends, each in the conversation with the other."""
    ana, bo = talker("ana"), talker("bo")
    ana.ask(lambda node: node.ask("bo"))
    bo.until(lambda: any(bo.ask(lambda node: node.contacts())))
    bo.ask(lambda node: node.accept("ana"))
    for somebody in (ana, bo):
        somebody.open_first()
    return ana, bo


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
