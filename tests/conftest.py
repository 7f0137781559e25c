"""What holds for every test: a warning in the log that the test did not announce fails it. And what many share."""

import logging
import re
from collections.abc import Iterator

import pytest

from tests.harness.sound_card import SoundCard


@pytest.fixture
def expected_log() -> list[str]:
    """Regular expressions of the warnings that a test means to provoke; append to it."""
    return []


@pytest.fixture(autouse=True)
def _no_unexpected_warning(expected_log: list[str]) -> Iterator[None]:
    seen: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    handler = Keep(logging.WARNING)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
    told = [f"{record.name}: {record.getMessage()}" for record in seen]
    unexpected = [line for line in told if not any(re.search(pattern, line) for pattern in expected_log)]
    assert not unexpected, f"unexpected warnings in the log: {unexpected}"


@pytest.fixture
def sound_card() -> Iterator[SoundCard]:
    """A sound system for Ana and Bo."""
    card = SoundCard("ana", "bo")
    yield card
    card.close()
