"""A real locator under floods that another process makes: it stays small, and those who use it do not notice."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from locator.stores.interface import AddAccount
from locator.stores.memory_and_sqlite import AccountsFile
from protocol.identity import DeviceId
from protocol.locator_messages import LoggedIn
from tests.locator.crowd import key_of, user_of
from tests.locator.real_locator import RealLocator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a crowd comes from many loopback addresses")
MIB = 2**20
CROWD_SECONDS = 60.0
DEVICES = 1_000


@pytest.fixture
def locator(tmp_path: Path) -> Iterator[RealLocator]:
    real = RealLocator(tmp_path / "data")
    yield real
    real.process.send_signal(signal.SIGCONT)
    assert real.stop() == 0
    assert "Traceback" not in real.log


@contextlib.contextmanager
def crowd(locator: RealLocator, kind: str, how_many: int, addresses: int = 40) -> Iterator[subprocess.Popen[str]]:
    place = [str(locator.place[1]), str(how_many), str(addresses)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.locator.crowd", kind, *place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def resident(locator: RealLocator) -> int:
    """Return the bytes of memory that the process holds (Linux)."""
    return int(Path(f"/proc/{locator.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files(locator: RealLocator) -> int:
    return len(list(Path(f"/proc/{locator.process.pid}/fd").iterdir()))


def test_memory_stays_the_same_and_look_ups_are_answered_while_5000_connections_come_and_go(locator):
    peaks, slowest = [], 0.0
    with locator.connect().greeted() as ana:
        ana.register("ana")
        idle, files = resident(locator), open_files(locator)
        for _ in range(4):
            with crowd(locator, "everything", 1_250) as flood:
                peaks.append(0)
                while flood.poll() is None:
                    began = time.monotonic()
                    assert ana.where("ana")[0].online
                    slowest = max(slowest, time.monotonic() - began)
                    peaks[-1] = max(peaks[-1], resident(locator))
                    time.sleep(0.02)
                became = json.loads(flood.stdout.read())
                assert sum(number for what, number in became.items() if what != "seconds") == 1_250
                assert became["sealed-garbage: hung up on"] > 150
    told = f"idle {idle // MIB} MiB, peaks {[peak // MIB for peak in peaks]}, slowest look-up {slowest:.2f} s"
    assert max(peaks) - idle < 120 * MIB, told
    assert max(peaks[2:]) - min(peaks[:2]) < 40 * MIB, told
    assert slowest < 3.0, told
    deadline = time.monotonic() + 5
    while open_files(locator) > files:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert locator.log_path.stat().st_size < MIB


def test_a_flood_of_guesses_keeps_nobody_from_logging_in(locator):
    with locator.connect().greeted() as ana:
        ana.register("ana")
    with crowd(locator, "guess", 100_000, addresses=4) as flood:
        time.sleep(2.0)
        for _ in range(3):
            began = time.monotonic()
            with locator.connect().greeted() as ana:
                assert ana.log_in("ana").user == "ana"
            with locator.connect().greeted() as newcomer:
                newcomer.register(f"newcomer-{time.monotonic_ns()}")
            assert time.monotonic() - began < 6.0, "each waits for one turn of the four, not for the hundreds in line"
        assert flood.poll() is None


def test_a_thousand_devices_are_back_within_seconds_of_a_kill(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    file = AccountsFile(data)
    file.make(
        [
            AddAccount(user_of(number), "Device", "no password", DeviceId.of_key(key_of(number).public))
            for number in range(DEVICES)
        ]
    )
    file.close()
    locator = RealLocator(data)
    with crowd(locator, "returning", DEVICES) as devices:
        assert devices.stdout.readline() == "everybody is in\n"
        locator.stop(signal.SIGKILL)
        began = time.monotonic()
        devices.stdin.write("\n")
        devices.stdin.flush()
        locator = RealLocator(data)
        assert devices.stdout.readline() == "everybody is in\n"
        seconds = time.monotonic() - began
        with locator.connect(key_of(0)).greeted() as again:
            assert again.log_in_by_key(user_of(0), LoggedIn, resume=1)
            assert sum(about.online for about in again.where(*map(user_of, range(DEVICES)))) == DEVICES
    assert locator.stop() == 0
    assert seconds < 15.0


def test_a_process_that_stood_still_goes_on_where_it_was(locator):
    with locator.connect().greeted() as ana, locator.connect().greeted() as bo:
        ana.register("ana")
        bo.register("bo")
        locator.process.send_signal(signal.SIGSTOP)
        with socket.create_connection(locator.place):  # the system accepts for it
            time.sleep(2.0)
            locator.process.send_signal(signal.SIGCONT)
            assert ana.where("bo")[0].online
            assert bo.where("ana")[0].online
