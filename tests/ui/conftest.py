import os

# Before anything of Qt is imported: these tests need no screen.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from tests.harness.processes import PASSWORD, LocatorProcess
from tests.harness.sound_card import SoundCard
from tests.ui.scripted_node import ScriptedNode
from tests.ui.talker import Talker
from ui.main_window.window import MainWindow
from ui.main_window.window_memory import WindowMemory
from ui.peer_bridge import PeerBridge
from ui.theme.appearance import Appearance, Choice
from ui.theme.controls import Theme


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    theme = Theme()
    Appearance(qapp, theme, Choice.LIGHT)
    return theme


@pytest.fixture
def node() -> ScriptedNode:
    return ScriptedNode()


@pytest.fixture
def bridge(qapp: QApplication, tmp_path: Path, node: ScriptedNode) -> Iterator[PeerBridge]:
    bridge = PeerBridge(lambda _profile: node, tmp_path)
    bridge.start()
    yield bridge
    bridge.close()


@pytest.fixture
def appearance(qapp: QApplication, theme: Theme) -> Iterator[Appearance]:
    """One that a test may change; the next test finds it light again."""
    appearance = Appearance(qapp, theme, Choice.LIGHT)
    yield appearance
    appearance.choose(Choice.LIGHT)
    # Or each would dress everything once more whenever the system's scheme changes.
    qapp.styleHints().colorSchemeChanged.disconnect(appearance._apply)


@pytest.fixture
def window(qtbot, theme: Theme, appearance: Appearance, bridge: PeerBridge, tmp_path: Path) -> Iterator[MainWindow]:
    window = MainWindow(theme, bridge, WindowMemory(tmp_path), appearance)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.close_unasked()


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
    """Make somebody who is signed in; Ana and Bo have a microphone and a speaker, others have no sound at all."""
    made: list[Talker] = []
    monkeypatch.setenv("HAIL_DOWNLOADS", str(tmp_path / "downloads"))

    def make(name: str) -> Talker:
        def sit_down() -> None:
            has_sound = name in {"ana", "bo"}
            environment = sound_card.environment(name) if has_sound else sound_card.environment_without_card()
            for key, value in environment.items():
                monkeypatch.setenv(key, value)

        sit_down()
        somebody = Talker(qtbot, name, tmp_path / name, theme, appearance, sit_down)
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
