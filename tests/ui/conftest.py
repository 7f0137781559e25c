import os

# Before anything of Qt is imported: these tests need no screen.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from tests.ui.scripted_node import ScriptedNode
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
    window.quit()
