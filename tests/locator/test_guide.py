"""The operator's guide and the systemd unit do what they say."""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from locator.configuration import Settings, read_settings
from tests.locator.real_locator import RealLocator

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "operators-guide.md").read_text("utf-8")
UNIT = DOCS / "hail-locator.service"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(sys.platform == "win32", reason="the guide is for systems with a shell")
def test_every_command_of_the_guide_works_as_it_stands(tmp_path: Path) -> None:
    locator = RealLocator(tmp_path / "data")
    program = f'hail-locator() {{ "{sys.executable}" -m locator "$@"; }}\n'
    environment = os.environ | {
        "HAIL_LOCATOR_DATA": str(locator.data),
        "PYTHONPATH": str(DOCS.parent),
        "PYTHONUTF8": "1",
    }
    answers = []
    for block in blocks("sh"):
        if "sqlite3" in block and shutil.which("sqlite3") is None:
            continue
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", program + block],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (block, done.stderr)
        answers.append(done.stdout)
    assert locator.stop() == 0
    told = "\n".join(answers)
    assert locator.link in told
    assert "line 2: 2026000001 added" in told
    assert re.search(r"^bo .*must change password$", told, re.MULTILINE)
    assert "password  must be changed" in told
    if shutil.which("sqlite3") is not None:
        with contextlib.closing(sqlite3.connect(tmp_path / "accounts-backup.sqlite3")) as backup:
            assert backup.execute("SELECT count(*) FROM accounts").fetchone() == (4,)


def test_no_command_of_the_guide_needs_a_variable_that_nobody_set() -> None:
    assert not re.search(r"\$\w", "".join(blocks("sh")))


def test_the_settings_of_the_guide_are_settings(tmp_path: Path) -> None:
    content, shared = blocks("toml")
    file = tmp_path / "locator.toml"
    file.write_text(content, "utf-8")
    settings = read_settings({"config": str(file)}, {})
    assert settings.public == "chat.example.edu"
    file.write_text(shared, "utf-8")
    store = read_settings({"config": str(file)}, {}).store
    assert str(store) == "Redis at db.example.edu:6379"
    for name, value in re.findall(r"`(\w+) = ([^`]+)`", GUIDE):
        file.write_text(f"{name} = {value}\n", "utf-8")
        assert isinstance(read_settings({"config": str(file)}, {}), Settings)


def test_events_and_figures_named_in_the_guide_exist() -> None:
    code = "".join(path.read_text("utf-8") for path in (DOCS.parent / "locator").rglob("*.py"))
    _, _, logs = GUIDE.partition("## Logs")
    for names in re.findall(r"^\| (`.*?`) \|", logs.partition("## Metrics")[0], re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            assert f'"{name}"' in code, name
    for name in re.findall(r"`hail_locator_(\w+?)(?:_total)?`", GUIDE):
        assert f'"{name}"' in code or f'"hail_locator_{name}"' in code, name


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    here = (
        UNIT.read_text("utf-8").replace("/opt/hail/bin/hail-locator", sys.executable).replace("User=hail", "User=root")
    )
    unit.write_text(here, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
