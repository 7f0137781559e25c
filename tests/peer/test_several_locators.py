"""Peers of a realm with two locators: whoever loses one is back at the other, by itself."""

import signal
import time
from pathlib import Path

import pytest

from peer.addresses import parse_locator_address
from peer.locating.locator_places import LocatorPlaces
from tests.harness.processes import PASSWORD, LocatorProcess, PeerProcess, RpcRefusal, befriend, texts_of
from tests.harness.redis_server import RedisServer

BACK_SECONDS = 15.0
"""Within which a lost locator's users are back elsewhere."""


def places_of(*told, remember=None):
    return LocatorPlaces(parse_locator_address("hail://one.example:7400"), told, remember)


def names(addresses):
    return [address.place for address in addresses]


def test_the_given_address_comes_first_and_each_once():
    places = places_of("192.0.2.2:7400", "one.example:7400", "[2001:db8::2]:7401")
    assert names(places.all()) == ["one.example:7400", "192.0.2.2:7400", "[2001:db8::2]:7401"]


def test_a_lost_place_is_tried_last():
    places = places_of("192.0.2.2:7400", "192.0.2.3:7400")
    assert names(places.after("192.0.2.2:7400")) == ["192.0.2.3:7400", "one.example:7400", "192.0.2.2:7400"]
    assert names(places.after("one.example:7400")) == ["192.0.2.2:7400", "192.0.2.3:7400", "one.example:7400"]
    assert names(places.after(None)) == names(places.after("gone.example:1")) == names(places.all())


def test_a_place_that_is_none_is_passed_over():
    assert names(places_of("", "a b", "x:99999", "//", "y:1").all()) == ["one.example:7400", "y:1"]


def test_what_is_told_anew_is_kept_once():
    kept = []
    places = places_of("a:1", remember=kept.append)
    for told in (("a:1",), ("a:1", "b:2"), ("a:1", "b:2"), ()):
        places.learn(told)
    assert kept == [("a:1", "b:2"), ()]
    assert names(places.all()) == ["one.example:7400"]


class TwoLocators:
    """Two locators on one Redis, and peers; real programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.redis = RedisServer(folder / "redis")
        self.first, self.second = (self.locator(name) for name in ("first", "second"))
        self.peers: list[PeerProcess] = []

    def locator(self, name: str) -> LocatorProcess:
        flags = ("--store", self.redis.url, "--authority", str(self.folder / "authority.pem"))
        return LocatorProcess(self.folder / name, log=self.folder / f"{name}.log", flags=flags)

    def peer(self, user: str, locator: LocatorProcess, method: str = "session.login") -> PeerProcess:
        peer = PeerProcess(self.folder / user, log=self.folder / f"{user}.log")
        self.peers.append(peer)
        name = {"name": user} if method == "session.register" else {}
        peer.call(method, locator=locator.link, user=user, password=PASSWORD, **name)
        return peer

    def close(self) -> None:
        for peer in self.peers:
            if peer.process.poll() is None:
                peer.close()
        for locator in (self.first, self.second):
            locator.process.send_signal(signal.SIGCONT)
            locator.kill()
        self.redis.close()


@pytest.fixture
def two(tmp_path):
    made = TwoLocators(tmp_path)
    yield made
    made.close()


def is_back(peer: PeerProcess, since: float) -> float:
    """Wait until a peer that lost its locator is connected again; return the seconds since it was lost."""
    peer.wait_for("disconnected", wait=BACK_SECONDS)
    lost = next(place for place, event in enumerate(peer.events) if event["type"] == "disconnected")
    back = peer.wait_for("connected", lambda event: event in peer.events[lost:], wait=BACK_SECONDS)
    return float(back["received"]) - since


def until_told_of_both(two: TwoLocators, peer: PeerProcess) -> None:
    """Wait until a peer has kept the place of the second locator, which the first learns of a moment later."""
    second = two.second.link.removeprefix("hail://").partition("#")[0]
    deadline = time.monotonic() + 10
    while second not in (peer.profile / "profile.json").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "silent"])
def test_who_loses_a_locator_is_back_at_the_other_and_goes_on_writing(two, how):
    ana, bo = (two.peer(user, two.first, "session.register") for user in ("ana", "bo"))
    conversation = befriend(ana, bo, "ana", "bo")
    for peer in (ana, bo):
        until_told_of_both(two, peer)
        peer.events.clear()
    start = time.perf_counter()
    two.first.process.send_signal(how)
    took = [is_back(peer, start) for peer in (ana, bo)]
    print(f"back after {took[0]:.1f} and {took[1]:.1f} s")
    assert max(took) < BACK_SECONDS
    assert ana.call("where", users=["bo"])[0]["online"]
    ana.call("messages.send", conversation=conversation, text="still here")
    ana.wait_for("message_delivered", lambda event: event["message"]["text"] == "still here")
    assert ana.call("session.status")["locator"] == two.first.link, "the address it was given stays its own"
    bo.close()
    again = two.peer("bo", two.first)
    assert again.call("session.status")["connected"], "a start finds the other one, too"
    assert texts_of(again, conversation)[-1] == "still here"
    cy = two.peer("cy", two.second, "session.register")
    assert cy.call("where", users=["ana"])[0]["online"]


@pytest.mark.long
def test_a_whole_minute_without_redis_is_got_over(tmp_path: Path) -> None:
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:5.1f} s  {what}")

    two = TwoLocators(tmp_path)
    try:
        ana, bo = two.peer("ana", two.first, "session.register"), two.peer("bo", two.second, "session.register")
        conversation = befriend(ana, bo, "ana", "bo")
        say("Ana is at one locator, Bo at the other, and they are friends")
        two.redis.kill()
        lost = time.monotonic()
        say("Redis is killed")
        while time.monotonic() < lost + 60:
            (about,) = ana.call("where", users=["bo"])
            assert about["online"], "a look-up was answered wrongly"
            number = f"{time.monotonic() - lost:.0f}"
            ana.call("messages.send", conversation=conversation, text=number)
            time.sleep(2)
        say("for a minute Ana was told where Bo is, and wrote to him")
        with pytest.raises(RpcRefusal) as refused:
            two.peer("chen", two.first, "session.register")
        say(f"Chen cannot register meanwhile: {refused.value.message}")
        two.redis.start()
        say("Redis is back")
        two.peer("chen-later", two.second, "session.register")
        say("Chen registers at the other locator")
        bo.wait_for("message_arrived", lambda event: event["message"]["text"] == number)
        until = time.monotonic() + BACK_SECONDS
        while not ana.call("where", users=["chen-later"])[0]["online"]:
            assert time.monotonic() < until
            time.sleep(0.2)
        say("and Ana is told of her by the first one")
        assert len(texts_of(bo, conversation)) == len(texts_of(ana, conversation)) >= 25
        two.first.kill()
        killed = time.monotonic()
        say("Ana's locator is killed with -9")
        ana.wait_for(
            "connected", lambda event: event["received"] > 0 and event["session"]["connected"], wait=BACK_SECONDS
        )
        while not ana.call("session.status")["connected"]:
            assert time.monotonic() < killed + BACK_SECONDS
            time.sleep(0.1)
        say(f"she is back at the other one after {time.monotonic() - killed:.1f} s")
        assert ana.call("where", users=["bo"])[0]["online"]
    finally:
        two.close()
