"""A process of sound does not end in the midst of a call into the sound system: others would suffer from it."""

import threading
import time
from collections.abc import Iterator

import pytest

from peer.audio import devices
from peer.errors import Refusal, RefusalCode


@pytest.fixture
def slow_system(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A sound system that answers when it is told to."""
    may_answer = threading.Event()
    lock = threading.Lock()
    monkeypatch.setattr(devices, "_ONE_AT_A_TIME", lock)

    def start() -> None:
        may_answer.wait(20)
        raise Refusal(RefusalCode.AUDIO_FAILED, "It does not work.")

    monkeypatch.setattr(devices, "_portaudio", start)
    yield may_answer
    may_answer.set()


def ask() -> threading.Thread:
    """Let a thread be in the midst of a call into the sound system."""

    def work() -> None:
        with pytest.raises(Refusal):
            devices.list_devices()

    asking = threading.Thread(target=work)
    asking.start()
    while not devices._ONE_AT_A_TIME.locked():
        time.sleep(0.01)
    return asking


def test_what_is_under_way_is_waited_for_and_nothing_begins_any_more(slow_system: threading.Event) -> None:
    asking = ask()
    threading.Timer(0.2, slow_system.set).start()
    devices.settle()
    assert slow_system.is_set()
    asking.join()
    assert devices._ONE_AT_A_TIME.locked()


def test_a_system_that_hangs_is_not_waited_for_long(
    slow_system: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "AUDIO_SETTLES_SECONDS", 0.1)
    asking = ask()
    devices.settle()
    assert not slow_system.is_set()
    slow_system.set()
    asking.join()
