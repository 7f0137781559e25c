import os

# Before anything of Qt is imported: these tests need no screen.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

import importlib.util
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtWidgets import QApplication

from ui.application import dress
from ui.peer_bridge import PeerBridge
from ui.theme.controls import Theme


def _load(name: str) -> ModuleType:
    # Tests are no package (a `tests/ui/__init__.py` would shadow `ui`), so what they share is loaded by its path.
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


scripted_node = _load("scripted_node")


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    theme = Theme()
    dress(qapp, theme)
    return theme


@pytest.fixture
def node() -> "scripted_node.ScriptedNode":
    return scripted_node.ScriptedNode()


@pytest.fixture
def bridge(qapp: QApplication, tmp_path: Path, node: "scripted_node.ScriptedNode") -> Iterator[PeerBridge]:
    bridge = PeerBridge(lambda _profile: node, tmp_path)
    bridge.start()
    yield bridge
    bridge.close()


@pytest.fixture(autouse=True)
def _no_unexpected_log_line(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    lines = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING]
    assert not lines, lines


@pytest.fixture
def expected_log(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Take the log lines out, so that they count as expected."""

    def take() -> list[str]:
        lines = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return lines

    return take
