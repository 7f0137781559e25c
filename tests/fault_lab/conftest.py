"""Scenarios in the fault lab, and friends in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fault_lab.friends import Friends
from tests.fault_lab.lab import Lab, why_not
from tests.voice.conftest import pytest_pyfunc_call

__all__ = ["pytest_pyfunc_call"]


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Computers of their own on this machine; skips where that is not permitted."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = Lab()
    yield lab
    lab.close()


@pytest.fixture
def friends(lab: Lab, tmp_path: Path) -> Iterator[Friends]:
    """Ana and Bo, friends, and a locator, on a computer each."""
    friends = Friends(lab, tmp_path)
    yield friends
    friends.close()
