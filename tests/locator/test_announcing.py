"""Announcing keeps out of the way; that it is heard, over real multicast, tests `tests/peer/test_discovery.py`."""

import asyncio

import pytest

from locator.announcing import AnnouncedPlace, Announcer, place_to_announce
from locator.configuration import read_settings
from protocol.identity import Realm
from tests.locator.real_locator import RealLocator

REALM = Realm(b"\xab" * 32)


@pytest.mark.parametrize(
    ("flags", "bound", "place"),
    [
        ({"listen": "127.0.0.1:0"}, ("127.0.0.1", 4711), AnnouncedPlace("127.0.0.1", 4711, None, "127.0.0.1")),
        ({"public": "192.0.2.7:80"}, ("0.0.0.0", 7400), AnnouncedPlace("192.0.2.7", 80, None, None)),
        (
            {"listen": "192.0.2.7:7400", "public": "chat.example"},
            ("192.0.2.7", 7400),
            AnnouncedPlace("192.0.2.7", 7400, "chat.example", "192.0.2.7"),
        ),
        ({"listen": "[::1]:0"}, ("::1", 4711, 0, 0), AnnouncedPlace("::1", 4711, None, "::1")),
    ],
)
def test_what_is_announced_is_what_is_handed_out(flags, bound, place):
    assert place_to_announce(read_settings(flags, {}), bound) == place


def test_it_stops_in_time_while_it_still_introduces_itself(tmp_path):
    locator = RealLocator(tmp_path / "data", "--announce")
    with locator.connect().greeted():
        pass
    assert locator.stop() == 0
    assert "Traceback" not in locator.log


def test_a_network_that_will_not_have_it_is_one_line_in_the_log(caplog, monkeypatch):
    def no_network(**_: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr("zeroconf.asyncio.AsyncZeroconf", no_network)

    async def announce() -> None:
        announcer = Announcer(AnnouncedPlace("192.0.2.7", 7400, None, "192.0.2.7"), REALM)
        announcer.start()
        await asyncio.sleep(0.1)
        await announcer.stop()

    with caplog.at_level("INFO", "locator.announcing"):
        asyncio.run(announce())
    assert "nobody on this network can find this locator by itself" in caplog.text
