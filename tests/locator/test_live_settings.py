"""SIGHUP: the settings are read again, and nobody who is connected notices."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Never

import pytest

from locator import configuration, limits
from locator.authority import Authority
from locator.configuration import Settings, read_settings
from locator.data_folder import DataFolder
from locator.event_log import FloodGate
from locator.live_settings import LiveSettings
from locator.requests import Requests
from locator.stores.memory_and_sqlite import MemoryAndSqlite
from protocol.locator_messages import Refused
from tests.locator.real_locator import RealLocator, command, free_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP on Windows")


class Configured:
    """A real locator that follows a file."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.file = folder / "locator.toml"
        self.write(**settings)
        self.locator = RealLocator(folder / "data", "--config", str(self.file), listen=None)

    def write(self, **settings: str) -> None:
        settings.setdefault("listen", "127.0.0.1:0")
        self.file.write_text("".join(f'{name} = "{value}"\n' for name, value in settings.items()))

    def read_again(self) -> str:
        """Send SIGHUP; return the line that says what came of it."""
        before = len(self.locator.log.splitlines())
        os.kill(self.locator.process.pid, signal.SIGHUP)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            for line in self.locator.log.splitlines()[before:]:
                if "configuration_read" in line:
                    return line
                if "configuration_kept" in line and "setting=" not in line:
                    return line
            time.sleep(0.02)
        raise AssertionError(self.locator.log)


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Configured]:
    configured = Configured(tmp_path, registration="open")
    yield configured
    assert configured.locator.stop() == 0
    assert "Traceback" not in configured.locator.log


def answers(port: int) -> bytes | None:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as course:
        course.sendall(b"q2026000001")
        return course.recv(100)
    return None


def test_what_changed_is_taken_and_told_and_nobody_is_disconnected(configured: Configured) -> None:
    locator = configured.locator
    with locator.connect().greeted() as ana, locator.connect().greeted() as bo:
        ana.register("ana")
        configured.write(registration="closed", public="chat.example:80", course_port="127.0.0.1:0")
        told = configured.read_again()
        assert "changed=public,course_port,registration" in told
        assert bo.register("bo", Refused).code == "registration_closed"
        assert ana.where("ana")[0].online
        with locator.connect().greeted() as late:
            assert not late.welcome.registration_open
            assert late.realm == ana.realm, "the authority stays"
    assert command(locator.data, "address").stdout.startswith("hail://chat.example:80#")
    configured.write(registration="open")
    configured.read_again()
    with locator.connect().greeted() as late:
        assert late.welcome.registration_open


def test_what_needs_a_restart_is_named_every_time(configured: Configured) -> None:
    configured.write(listen="127.0.0.1:9", log_level="debug")
    assert "changed=log_level needs_restart=listen" in configured.read_again()
    assert "changed=nothing needs_restart=listen" in configured.read_again()
    configured.write(log_level="debug")
    assert configured.read_again().endswith("changed=nothing")


def test_a_file_that_will_not_do_changes_nothing_and_says_so_in_one_sentence(configured: Configured) -> None:
    configured.write(registration="maybe")
    told = configured.read_again()
    assert "level=warning event=configuration_kept" in told
    assert "registration in " in told
    assert "it is open or closed" in told
    configured.file.write_text("= nonsense")
    assert "is not valid TOML" in configured.read_again()
    with configured.locator.connect().greeted() as client:
        assert client.welcome.registration_open


def test_the_course_port_opens_moves_and_closes(configured: Configured) -> None:
    one, other = free_port(), free_port()
    configured.write(course_port=f"127.0.0.1:{one}")
    configured.read_again()
    assert answers(one) == b"Incorrect No."
    configured.write(course_port=f"127.0.0.1:{other}")
    configured.read_again()
    assert (answers(one), answers(other)) == (None, b"Incorrect No.")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configured.write(course_port=f"127.0.0.1:{taken.getsockname()[1]}")
        told = configured.read_again()
        assert "changed=nothing" in told
        assert "setting=course_port" in configured.locator.log
        assert "is in use by another program" in configured.locator.log
    assert answers(other) == b"Incorrect No.", "as it was"
    configured.write()
    configured.read_again()
    assert answers(other) is None


def test_the_metrics_port_opens_and_closes(configured: Configured) -> None:
    port = free_port()
    configured.write(metrics=f"127.0.0.1:{port}")
    assert "changed=metrics" in configured.read_again()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        assert b"hail_locator_connections 0.0" in answer.read()
    configured.write()
    assert "changed=metrics" in configured.read_again()
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", port), 5):
        pass
    configured.write(metrics=f"127.0.0.1:{port}")
    configured.read_again()
    configured.write(metrics=f"0.0.0.0:{port}")
    assert "changed=metrics" in configured.read_again(), "the same port at another address"


def test_the_log_changes_its_form_and_level(configured: Configured) -> None:
    configured.write(log_format="json", log_level="warning")
    configured.read_again()
    with configured.locator.connect().greeted() as ana:
        ana.register("ana")
    configured.write(log_format="json", log_level="warning", registration="maybe")
    assert configured.read_again().startswith('{"time": ')
    assert "logged_in" not in configured.locator.log


def test_a_machine_with_another_address_hands_out_another_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = ["192.0.2.5"]
    monkeypatch.setattr(configuration, "address_of_this_machine", lambda **_: addresses[-1])
    monkeypatch.setattr(limits, "ADDRESS_LOOK_SECONDS", 0.01)
    settings = read_settings({"data": tmp_path, "listen": "0.0.0.0:0", "announce": "off"}, {})
    folder = DataFolder(tmp_path)

    async def move() -> list[str]:
        async with _live(settings, folder):
            links = [folder.kept_link() or ""]
            addresses.append("198.51.100.9")
            await asyncio.sleep(0.5)
            return [*links, folder.kept_link() or ""]

    before, after = asyncio.run(move())
    assert before.startswith("hail://192.0.2.5:7400#")
    assert after == before.replace("192.0.2.5", "198.51.100.9")


def test_two_reasons_to_announce_anew_at_the_same_time_leave_one_announcement(tmp_path: Path) -> None:
    settings = read_settings({"data": tmp_path, "listen": "127.0.0.1:0"}, {})
    announced: list[Settings] = []

    async def announce(settings: Settings) -> Callable[[], Awaitable[None]]:
        await asyncio.sleep(0.01)
        announced.append(settings)
        return take_back

    async def take_back() -> None:
        await asyncio.sleep(0.01)
        announced.pop()

    async def change() -> None:
        async with _live(settings, DataFolder(tmp_path), announce) as live:
            await asyncio.gather(*(live._change_one("announce", settings) for _ in range(2)))
            assert len(announced) == 1
        assert not announced

    asyncio.run(change())


@contextlib.asynccontextmanager
async def _live(
    settings: Settings, folder: DataFolder, announce: Callable[[Settings], Awaitable[object]] | None = None
) -> AsyncIterator[LiveSettings]:
    store = MemoryAndSqlite(folder.path)
    authority = Authority.open_or_create(folder.path / "authority.pem", datetime.now(UTC))
    requests = Requests(store, authority, registration_open=True)
    bound = ("0.0.0.0", 7400)
    live = LiveSettings(settings, folder, requests, authority.realm, bound, _no_port, _no_port, FloodGate())
    if announce is not None:
        live._openers["announce"] = announce
    await live.begin()
    yield live
    await live.close()
    await store.close()


def _no_port(*_: object) -> Never:
    raise AssertionError("there is no other port here")
