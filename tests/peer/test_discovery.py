"""Locators are found over real multicast on loopback; what a stranger announces is read with care."""

import asyncio
import platform
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from peer import limits
from peer.locating.discovery import LocatorSearch, read_service
from peer.node import PeerNode
from peer.views import FoundLocator
from protocol.announcements import SERVICE_TYPE, Announcement, encode_announcement
from protocol.identity import Realm
from tests.harness.processes import LocatorProcess

PATIENCE = 10.0
REALM = Realm(b"\xab" * 32)
Found = tuple[FoundLocator, ...]


@pytest.fixture
def announced(tmp_path: Path) -> Iterator[LocatorProcess]:
    locator = LocatorProcess(tmp_path / "locator", announce=True)
    yield locator
    if locator.process.poll() is None:
        locator.stop()


def service(**changes: bytes | None) -> AsyncServiceInfo:
    pairs = encode_announcement(Announcement(REALM, "Room 3")) | {
        name.encode(): value for name, value in changes.items()
    }
    return AsyncServiceInfo(
        SERVICE_TYPE,
        f"test.{SERVICE_TYPE}",
        port=7400,
        addresses=[socket.inet_aton("192.0.2.7")],
        properties={name: value for name, value in pairs.items() if value is not None},
    )


async def until(node: PeerNode, there: Callable[[Found], bool]) -> Found:
    found: Found = ()
    async with asyncio.timeout(PATIENCE):
        while not there(found):
            answer = await node.found_locators(found)
            assert answer is not None
            found = answer
    return found


@asynccontextmanager
async def looking(profile: Path) -> AsyncIterator[PeerNode]:
    node = PeerNode(profile)
    await node.find_locators()
    try:
        yield node
    finally:
        await node.close()


def test_a_locator_is_found_and_goes_when_it_stops(announced: LocatorProcess, tmp_path: Path) -> None:
    async def look() -> None:
        async with looking(tmp_path / "profile") as node:
            found = await until(node, lambda found: announced.link in {each.link for each in found})
            (ours,) = (each for each in found if each.link == announced.link)
            assert ours.name == platform.node().partition(".")[0]
            assert ours.link == f"hail://{ours.place}#{ours.fingerprint}"
            assert await asyncio.to_thread(announced.stop) == 0
            await until(node, lambda found: announced.link not in {each.link for each in found})

    asyncio.run(look())


def test_a_killed_locator_that_returns_is_found_again(announced: LocatorProcess, tmp_path: Path) -> None:
    async def look() -> None:
        async with looking(tmp_path / "profile") as node:
            announced.kill()
            announced.start()
            await node.find_locators()
            await until(node, lambda found: announced.link in {each.link for each in found})

    asyncio.run(look())


def test_two_locators_of_one_name_are_told_apart(announced: LocatorProcess, tmp_path: Path) -> None:
    other = LocatorProcess(tmp_path / "other", announce=True)

    async def look() -> None:
        async with looking(tmp_path / "profile") as node:
            links = {announced.link, other.link}
            found = await until(node, lambda found: links <= {each.link for each in found})
            ours = [each for each in found if each.link in links]
            assert len({each.name for each in ours}) == 1
            assert len({each.place for each in ours}) == len({each.fingerprint[:8] for each in ours}) == 2

    try:
        asyncio.run(look())
    finally:
        other.stop()


def test_who_does_not_want_to_be_found_is_not(tmp_path: Path, announced: LocatorProcess) -> None:
    silent = LocatorProcess(tmp_path / "silent")

    async def look() -> None:
        async with looking(tmp_path / "profile") as node:
            found = await until(node, lambda found: announced.link in {each.link for each in found})
            assert silent.link not in {each.link for each in found}

    try:
        asyncio.run(look())
    finally:
        silent.stop()


def test_who_waits_is_told_that_the_search_has_ended(tmp_path: Path) -> None:
    async def look() -> None:
        node = PeerNode(tmp_path)
        assert await node.found_locators() is None
        await node.find_locators()
        seen = FoundLocator("nowhere", "nowhere:1", "ab" * 32, "hail://nowhere:1#" + "ab" * 32)
        # Whatever is on this network now, nothing more of it is asked for after the end.
        waiting = asyncio.create_task(node.found_locators(await node.found_locators((seen,)) or ()))
        await asyncio.sleep(0)
        await node.stop_finding_locators()
        async with asyncio.timeout(PATIENCE):
            while (answer := await waiting) is not None:
                waiting = asyncio.create_task(node.found_locators(answer))

    asyncio.run(look())


def test_what_is_heard_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOCATORS_FOUND", 2)

    async def look() -> None:
        stranger = AsyncZeroconf(interfaces=["127.0.0.1"])
        for number in range(4):
            record = AsyncServiceInfo(
                SERVICE_TYPE,
                f"stranger-{number}.{SERVICE_TYPE}",
                port=7400 + number,
                parsed_addresses=["127.0.0.1"],
                properties=encode_announcement(Announcement(Realm(bytes([number]) * 32), "Room 3")),
                server=f"stranger-{number}.local.",
            )
            await stranger.async_register_service(record)
        search = LocatorSearch()
        search.start()
        try:
            async with asyncio.timeout(PATIENCE):
                found = await search.changed(())
                while found is not None and len(found) < 2:
                    found = await search.changed(found)
            await asyncio.sleep(0.5)  # whatever else was on its way
            assert len(search.found()) == 2
        finally:
            await search.stop()
            await stranger.async_unregister_all_services()
            await stranger.async_close()

    asyncio.run(look())


def test_a_service_that_nobody_can_sign_in_at_is_dropped() -> None:
    assert read_service(service(fingerprint=None)) is None
    assert read_service(service(fingerprint=b"ab" * 31)) is None
    assert read_service(service(fingerprint=b"\xff" * 64)) is None
    nowhere = service()
    nowhere.addresses = []
    assert read_service(nowhere) is None


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Room 3", "Room 3"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\u200b\nb", "ab"),
        ("x" * 10_000, "x" * 64),
        ("\u200b", "192.0.2.7"),
        ("", "192.0.2.7"),
    ],
)
def test_a_name_is_cleaned_and_cut(sent: str, shown: str) -> None:
    announcement = Announcement(REALM, "Room 3")
    pairs = encode_announcement(announcement) | {b"name": sent.encode()}
    heard = service()
    heard._properties = pairs  # longer than a TXT record could carry
    found = read_service(heard)
    assert found is not None
    assert found.name == shown


def test_a_hosts_name_wins_over_the_address_if_it_is_one() -> None:
    assert read_service(service(host=b"Chat.example.org")).place == "chat.example.org:7400"
    assert read_service(service(host=b"a b/#@")).place == "192.0.2.7:7400"
    assert read_service(service(host=b"x" * 250)).place == "192.0.2.7:7400"
