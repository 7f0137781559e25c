"""People with microphones and speakers: each with a network thread and an audio process, as in the program."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness.speaking import Speaker


@pytest.fixture
def speaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, dict[str, str]], Speaker]]:
    """Make somebody: `speaker(name, environment)`."""
    made: list[Speaker] = []

    def make(name: str, environment: dict[str, str]) -> Speaker:
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        made.append(Speaker(tmp_path / name))
        return made[-1]

    yield make
    for each in made:
        each.close()
