"""Tests of the node: coroutine tests run in virtual time, each in a world of its own."""

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.file_pair import Pair
from tests.harness.processes import Three
from tests.harness.virtual_time import VirtualTimeLoop
from tests.harness.world import LinkedPeers, World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A network in memory with a locator to be started; closed when the test is done."""
    return World(tmp_path, monkeypatch)


@pytest.fixture
def linked_peers(world: World) -> LinkedPeers:
    """Two friends with a link, in virtual time: `ana, bo, conversation = await linked_peers()`."""
    return world.linked_peers


@pytest.fixture
def three_processes(tmp_path: Path) -> Iterator[Three]:
    """The same as real programs: a locator and peers through `hail-cli rpc`, a process each."""
    three = Three(tmp_path)
    yield three
    three.close()


@pytest.fixture(scope="module")
def _pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    home = tmp_path_factory.mktemp("pair")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAIL_DOWNLOADS", str(home / "downloads"))
        pair = Pair(home)
        yield pair
        pair.three.close()


@pytest.fixture
def pair(_pair: Pair, tmp_path: Path) -> Iterator[Pair]:
    """Ana and Bo as real programs, friends, for files; the same two for all tests of a module."""
    _pair.begin(tmp_path)
    yield _pair
    _pair.tidy()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Any:
    """Run a coroutine test on a loop whose clock jumps."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    wanted = {name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}

    async def run() -> None:
        try:
            await test(**wanted)
        finally:
            for value in wanted.values():
                if isinstance(value, World):
                    await value.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(run())
    return True
