"""What a locator makes of news from others that are one with it: without sockets, Redis or real time."""

from dataclasses import replace

import pytest

from locator import limits as locator_limits
from locator.stores.interface import Arrived, BeginSessionByKey, CoursePresence, Lease, LeaseEnd, Left, News
from protocol.errors import RefusalCode
from protocol.identity import DeviceId, UserId
from protocol.locator_messages import Done, Locators, LogOut, Refused, Superseded
from tests.locator.desk import START, Desk

ANA = UserId("ana")
OTHER_DEVICE = DeviceId(b"o" * 32)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def bo(desk):
    person = desk.connect(seen="192.0.2.2")
    person.register("bo")
    return person


@pytest.fixture
def ana(desk):
    person = desk.connect(seen="192.0.2.1")
    person.register("ana")
    return person


def elsewhere(session=1, device=OTHER_DEVICE, addresses=("127.0.0.1", "198.51.100.7")):
    return Arrived(Lease(ANA, session, device, addresses, 7500, 7501, 5))


def hear(desk, *movements):
    desk.hear(News(movements=movements))


def test_who_is_at_another_locator_is_answered_and_told(desk, bo):
    bo.watch("ana")
    hear(desk, elsewhere())
    about = bo.moved()
    assert (about.online, about.addresses, about.listen_port, about.since) == (True, ("198.51.100.7",), 7500, 5)
    hear(desk, Left(ANA, may_return=False))
    assert not bo.moved().online


def test_a_loopback_address_of_another_machine_perhaps_is_tried_last(desk):
    near = desk.connect(seen="127.0.0.1")
    near.register("near")
    hear(desk, elsewhere())
    assert near.where("ana")[0].addresses == ("198.51.100.7", "127.0.0.1")


def test_who_was_at_a_lost_locator_has_a_moment_to_come_back(desk, bo):
    hear(desk, elsewhere())
    bo.watch("ana")
    hear(desk, Left(ANA, may_return=True))
    desk.wait(locator_limits.GRACE_SECONDS / 2)
    hear(desk, elsewhere(addresses=("198.51.100.7",)))
    desk.wait(2 * locator_limits.GRACE_SECONDS)
    assert bo.hears_nothing()
    hear(desk, Left(ANA, may_return=True))
    desk.wait(locator_limits.GRACE_SECONDS)
    assert not bo.moved().online


def test_the_end_at_another_locator_is_no_end_here(desk, ana, bo):
    bo.watch("ana")
    hear(desk, Left(ANA, may_return=False), Left(ANA, may_return=True))
    desk.wait(locator_limits.GRACE_SECONDS + 1)
    assert bo.hears_nothing()


def test_a_session_begun_elsewhere_supersedes_the_one_here_without_a_gap(desk, ana, bo):
    bo.watch("ana")
    devices = (ana.key.device, OTHER_DEVICE)
    account = replace(desk.store.accounts[ANA], session=2, session_device=OTHER_DEVICE, devices=devices)
    desk.store.accounts[ANA] = account
    desk.hear(News(frozenset({ANA})))
    assert ana.hears(Superseded).session == 2
    assert ana.hung_up is not None
    bo.received.clear()  # the list has a device more
    hear(desk, elsewhere(2, addresses=("192.0.2.1",)))
    desk.wait(locator_limits.GRACE_SECONDS + 1)
    assert all(message.about.online for message in bo.received)
    assert bo.where("ana")[0].online


def test_the_same_device_at_another_locator_replaces_its_connection_here_silently(desk, ana):
    hear(desk, elsewhere(1, device=ana.key.device))
    assert ana.hears_nothing()
    assert ana.hung_up is not None


def test_an_older_session_elsewhere_does_nothing_to_a_newer_one_here(desk, ana):
    desk.store.make_now(BeginSessionByKey(ANA, ana.key.device))
    again = desk.connect(key=ana.key)
    again.log_in_by_key("ana", resume=2)
    hear(desk, elsewhere(1))
    assert again.hung_up is None


def test_arrivals_and_ends_here_are_shared_and_those_elsewhere_are_not_repeated(desk, ana):
    arrived = Lease(ANA, 1, ana.key.device, ("192.0.2.1",), 7500, 7501, int(START.wall * 1000))
    assert desk.store.shared == [arrived]
    hear(desk, CoursePresence(UserId("1234567890"), "192.0.2.9", START.wall))
    ana.ask(LogOut(8), Done)
    hear(desk, elsewhere(), Left(ANA, may_return=False))
    assert desk.store.shared == [arrived, LeaseEnd(ANA, 1)]


def test_everybody_hears_which_locators_are_one(desk, ana):
    desk.hear(News(locators=("a:7400", "b:7400")))
    assert ana.hears(Locators).places == ("a:7400", "b:7400")
    late = desk.connect()
    late.register("late")
    assert late.hears(Locators).places == ("a:7400", "b:7400")
    desk.hear(News(locators=("a:7400",)))
    assert ana.hears(Locators).places == ("a:7400",)


def test_nobody_is_turned_away_for_good_by_what_may_be_old(desk, ana):
    desk.store.is_current = False
    stranger = desk.connect()
    for refused in (
        stranger.register("cy", Refused),
        stranger.log_in("ana", Refused),
        stranger.log_in_by_key("ana", Refused),
    ):
        assert (refused.code, refused.retry_after) == (RefusalCode.REFUSED, locator_limits.OUT_OF_TOUCH_SECONDS)
    assert desk.verified == [], "no password is checked in vain"
    ana.loses_connection()
    assert desk.connect(key=ana.key).log_in_by_key("ana", resume=1).session == 1
