"""The door of a profile: one program answers at it, only its owner gets in, and a dead one's is taken over."""

import asyncio
import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from peer import limits
from peer.local_socket import LocalSocket, connect, raise_open_window
from peer.network_thread import new_event_loop
from peer.node import PeerNode

BY_PORT = pytest.mark.parametrize("by_port", [False, True], ids=["unix", "port"])


def on_real_loop(work: Callable[[], Awaitable[None]]) -> None:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(work())  # type: ignore[arg-type]


def ask(profile: Path, *requests: dict[str, Any]) -> list[Any]:
    """Send requests, and return as many answers; from a thread, as another program would."""
    connection = connect(profile)
    assert connection is not None
    with connection, connection.makefile("rwb") as lines:
        for request in requests:
            lines.write(json.dumps(request).encode() + b"\n")
        lines.flush()
        return [json.loads(lines.readline()) for _ in requests]


async def served(profile: Path, *, by_port: bool = False, **how: Any) -> tuple[PeerNode, LocalSocket]:
    node, door = PeerNode(profile), LocalSocket(profile, by_port=by_port)
    assert door.claim()
    await door.serve(node, **how)
    return node, door


@BY_PORT
def test_a_request_is_answered_as_by_the_rpc(tmp_path: Path, *, by_port: bool) -> None:
    async def work() -> None:
        node, _ = await served(tmp_path, by_port=by_port)
        replies = await asyncio.to_thread(
            ask, tmp_path, {"id": 1, "method": "session.status"}, {"id": 2, "method": "window.raise"}
        )
        by_id = {reply["id"]: reply for reply in replies}
        assert by_id[1]["result"] is None
        assert by_id[2]["error"]["code"] == -32601, "no window, no such method"
        await node.close()
        assert connect(tmp_path) is None
        assert {file.name for file in tmp_path.iterdir()} == {"socket.lock"}

    on_real_loop(work)


def test_a_port_is_for_those_who_know_the_token(tmp_path: Path) -> None:
    async def work() -> None:
        node, _ = await served(tmp_path, by_port=True)
        address = json.loads((tmp_path / "socket.json").read_bytes())
        assert stat.S_IMODE((tmp_path / "socket.json").stat().st_mode) == 0o600 or sys.platform == "win32"
        for token in ("", "0" * 64, address["token"][:-1] + "x"):
            reader, writer = await asyncio.open_connection("127.0.0.1", address["port"])
            writer.write(token.encode().ljust(64, b" ") + b'\n{"id": 1, "method": "session.status"}\n')
            assert await reader.read() == b""
            writer.close()
        await node.close()

    on_real_loop(work)


@pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")
def test_a_path_too_long_for_a_socket_gets_a_short_one_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = Path("/tmp") / f"hail-test-{os.getpid()}"
    short.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    profile = tmp_path / ("long" * 30)

    async def work() -> None:
        node, _ = await served(profile)
        (folder,) = short.iterdir()
        (path,) = folder.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        (reply,) = await asyncio.to_thread(ask, profile, {"id": 1, "method": "session.status"})
        assert reply["result"] is None
        await node.close()
        assert list(short.iterdir()) == []

    try:
        on_real_loop(work)
    finally:
        short.rmdir()


_SERVE_AND_WAIT = """
import asyncio, sys
from pathlib import Path
from peer.local_socket import LocalSocket
from peer.node import PeerNode

async def work():
    door = LocalSocket(Path(sys.argv[1]))
    assert door.claim()
    if sys.argv[2] == "serves":
        await door.serve(PeerNode(Path(sys.argv[1])), raise_window=lambda: print("raised", flush=True))
    print("there", flush=True)
    if sys.argv[3] == "hangs":
        import time
        time.sleep(60)
    await asyncio.sleep(60)

asyncio.run(work())
"""


def other_program(profile: Path, serves: str = "serves", hangs: str = "") -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE_AND_WAIT, str(profile), serves, hangs], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    return process


def end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()


def test_one_program_has_the_door_and_a_killed_ones_is_taken_over(tmp_path: Path) -> None:
    process = other_program(tmp_path)
    mine = LocalSocket(tmp_path)
    assert not mine.claim()
    assert raise_open_window(tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == b"raised\n"
    end(process)
    assert (tmp_path / "socket.json").exists(), "it had no time to clean up"
    assert connect(tmp_path) is None, "a stale socket is nobody's"

    async def work() -> None:
        node, _ = await served(tmp_path)
        (reply,) = await asyncio.to_thread(ask, tmp_path, {"id": 1, "method": "session.status"})
        assert reply["result"] is None
        await node.close()

    on_real_loop(work)


@pytest.mark.parametrize("how", [("no", ""), ("serves", "hangs")], ids=["does not serve", "hangs"])
def test_a_program_that_does_not_answer_is_given_up(
    tmp_path: Path, how: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOCAL_ANSWER_SECONDS", 0.5)
    process = other_program(tmp_path, *how)
    start = time.monotonic()
    assert not raise_open_window(tmp_path)
    assert time.monotonic() - start < 3
    end(process)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b'{"port": "x"}', b'{"port": 99999999}', b'{"path": "' + b"x" * 5000 + b'"}']
)
def test_a_damaged_address_is_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "socket.json").write_bytes(content)
    assert connect(tmp_path) is None


def test_a_profile_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert not LocalSocket(tmp_path / "file").claim()


def test_callers_above_the_limit_are_hung_up_on_and_garbage_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOCAL_CALLERS", 2)

    async def work() -> None:
        node, door = await served(tmp_path)
        kept = [await asyncio.to_thread(connect, tmp_path) for _ in range(2)]
        while len(door._callers) < 2:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        third = await asyncio.to_thread(connect, tmp_path)
        assert third is not None
        assert await asyncio.to_thread(third.recv, 10) == b""
        first = kept[0]
        assert first is not None
        first.sendall(b"\xff garbage\n")
        assert b"Not a JSON-RPC request" in await asyncio.to_thread(first.recv, 1000)
        for connection in (*kept, third):
            assert connection is not None
            connection.close()
        await node.close()
        assert not door._callers

    on_real_loop(work)


def test_who_came_second_serves_when_the_first_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CLAIM_AGAIN_SECONDS", 0.05)

    async def work() -> None:
        first, _ = await served(tmp_path)
        second, third = PeerNode(tmp_path), PeerNode(tmp_path)
        for node in (second, third):
            await LocalSocket(tmp_path).serve(node)
        await first.close()
        await asyncio.sleep(0.3)
        (reply,) = await asyncio.to_thread(ask, tmp_path, {"id": 1, "method": "session.status"})
        assert reply["result"] is None
        await third.close()
        await second.close()
        assert connect(tmp_path) is None

    on_real_loop(work)


def test_waiting_for_a_window_that_is_starting(tmp_path: Path) -> None:
    raised = threading.Event()
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(raise_open_window(tmp_path)))
    asking.start()

    async def work() -> None:
        await asyncio.sleep(0.3)
        node, _ = await served(tmp_path, raise_window=raised.set)
        await asyncio.to_thread(asking.join, 5)
        await node.close()

    on_real_loop(work)
    assert answers == [True]
    assert raised.is_set()
