import pytest

from locator import limits as locator_limits
from locator.directory import clean_address
from locator.stores.interface import AddAccount, RemoveAccount, SetDisabled, SetPassword, first_list_number
from protocol import limits
from protocol.errors import RefusalCode
from protocol.identity import UserId
from protocol.locator_messages import (
    ChangePassword,
    Done,
    Endpoint,
    KeepAlive,
    LogOut,
    Moved,
    PasswordChanged,
    Refused,
    Unwatch,
    Watch,
    Whereabout,
)
from tests.locator.desk import PASSWORD, START, Desk

ANA = UserId("ana")
LONG = limits.LEASE_SECONDS + 1


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def ana(desk):
    person = desk.connect(seen="192.0.2.1")
    person.register("ana")
    return person


@pytest.fixture
def bo(desk):
    """Somebody who asks, from another machine."""
    person = desk.connect(seen="192.0.2.2")
    person.register("bo")
    return person


@pytest.mark.parametrize("change", [SetDisabled, RemoveAccount])
def test_who_is_shut_out_or_removed_is_not_on_the_course_port_any_more(desk, bo, change):
    user = UserId("2026000001")
    desk.store.make_now(AddAccount(user, "Ana", "none", None, "course"))
    desk.carry_out(desk.requests.course.logged_in(user, "192.0.2.7", desk.now))
    assert bo.watch(user)[0].online
    desk.operator(SetDisabled(user, disabled=True) if change is SetDisabled else RemoveAccount(user))
    assert not bo.moved().online
    assert not bo.where(user)[0].online


# --- where -----------------------------------------------------------------------------------------


def test_where_tells_address_ports_and_devices(desk, ana, bo):
    (about,) = bo.where("ana")
    assert (about.online, about.known) == (True, True)
    assert (about.addresses, about.listen_port, about.voice_port) == (("192.0.2.1",), 7500, 7501)
    assert desk.open_list(about.device_list).devices == (ana.key.device,)
    assert about.since == START.wall * 1000


def test_an_unknown_id_is_simply_offline(bo):
    assert bo.where("nobody") == (Whereabout(UserId("nobody"), online=False),)


def test_answers_come_in_the_order_of_the_question(ana, bo):
    assert [about.user for about in bo.where("bo", "nobody", "ana", "bo")] == ["bo", "nobody", "ana", "bo"]


def test_an_account_that_never_logged_in_has_no_devices(desk, bo):
    desk.operator(AddAccount(ANA, "Ana", "hash", None))
    assert bo.where("ana") == (Whereabout(ANA, online=False, known=True),)


def test_an_offline_users_devices_are_told_but_no_addresses(desk, ana, bo):
    ana.ask(LogOut(7), Done)
    (about,) = bo.where("ana")
    assert (about.online, about.addresses, about.listen_port) == (False, (), 0)
    assert desk.open_list(about.device_list).devices == (ana.key.device,)


def test_an_emptied_device_list_is_told(desk, ana, bo):
    desk.operator(SetPassword(ANA, "hash of new"))
    devices = desk.open_list(bo.where("ana")[0].device_list)
    assert (devices.number, devices.devices) == (first_list_number(START.wall) + 2, ())


# --- addresses -------------------------------------------------------------------------------------


def declare(desk, seen, *addresses):
    person = desk.connect(seen=seen)
    person.endpoint = Endpoint(7500, 7501, addresses)
    person.register("ana")


def test_the_seen_address_comes_first(desk, bo):
    declare(desk, "192.0.2.1", "10.0.0.5", "192.0.2.1", "2001:db8::5")
    assert bo.where("ana")[0].addresses == ("192.0.2.1", "10.0.0.5", "2001:db8::5")


def test_a_loopback_address_is_for_askers_on_the_same_machine(desk, bo):
    declare(desk, "192.0.2.1", "127.0.0.1", "::1")
    near = desk.connect(seen="127.0.0.1")
    near.register("cy")
    assert near.where("ana")[0].addresses == ("192.0.2.1", "127.0.0.1", "::1")
    assert bo.where("ana")[0].addresses == ("192.0.2.1",)


def test_of_a_peer_beside_the_locator_others_get_what_it_declared(desk, bo):
    declare(desk, "127.0.0.1", "10.0.0.5")
    assert bo.where("ana")[0].addresses == ("10.0.0.5",)


def test_no_more_addresses_are_given_than_an_answer_holds(desk, bo):
    declare(desk, "192.0.2.1", *(f"10.0.0.{number}" for number in range(limits.ADDRESSES_PER_USER)))
    assert len(bo.where("ana")[0].addresses) == limits.ADDRESSES_PER_USER


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "localhost",
        "10.0.0.5:80",
        "010.0.0.5",
        "169.254.1.1",
        "fe80::1",
        "fe80::1%eth0",
        "2001:db8::1%eth0",
        "224.0.0.1",
        "ff02::1",
        "0.0.0.0",
        "::",
        "255.255.255.255",
        "::ffff:169.254.1.1",
    ],
)
def test_an_address_that_nobody_can_dial_is_dropped(desk, bo, junk):
    declare(desk, "192.0.2.1", junk)
    assert bo.where("ana")[0].addresses == ("192.0.2.1",)


def test_an_address_has_one_form():
    assert clean_address("2001:DB8:0::5") == "2001:db8::5"
    assert clean_address("::ffff:192.0.2.1") == "192.0.2.1"


# --- watch -----------------------------------------------------------------------------------------


def test_who_watches_is_told_of_coming_and_going(desk, bo):
    assert not bo.watch("ana")[0].known
    ana = desk.connect()
    ana.register("ana")
    about = bo.moved()
    assert (about.user, about.online, about.known) == ("ana", True, True)
    ana.ask(LogOut(7), Done)
    assert not bo.moved().online
    assert bo.hears_nothing()


def test_logging_out_is_told_at_once_and_a_lost_connection_after_a_grace(desk, ana, bo):
    bo.watch("ana")
    ana.loses_connection()
    desk.wait(locator_limits.GRACE_SECONDS - 0.1)
    assert bo.hears_nothing()
    assert bo.where("ana")[0].online
    desk.wait(0.2)
    about = bo.moved()
    assert (about.online, about.since) == (False, int(desk.now.wall * 1000))


def test_a_reconnect_that_changes_nothing_tells_nothing(desk, ana, bo):
    (before,) = bo.watch("ana")
    ana.loses_connection()
    desk.wait(1)
    desk.connect(seen="192.0.2.1", key=ana.key).log_in_by_key("ana", resume=1)
    desk.wait(LONG / 2)
    assert bo.hears_nothing()
    assert bo.where("ana") == (before,)


def test_a_reconnect_from_elsewhere_is_told(desk, ana, bo):
    bo.watch("ana")
    ana.loses_connection()
    desk.connect(seen="192.0.2.9", key=ana.key).log_in_by_key("ana", resume=1)
    assert bo.moved().addresses == ("192.0.2.9",)


def test_another_device_is_told_once(desk, ana, bo):
    bo.watch("ana")
    new = desk.connect(seen="192.0.2.1")
    new.log_in("ana")
    assert desk.open_list(bo.moved().device_list).devices == (ana.key.device, new.key.device)
    assert bo.hears_nothing()


def test_a_new_device_list_is_told(desk, ana, bo):
    new = desk.connect(seen="192.0.2.1")
    new.log_in("ana")
    bo.watch("ana")
    new.ask(ChangePassword(7, PASSWORD, "another horse"), PasswordChanged)
    assert desk.open_list(bo.moved().device_list).devices == (new.key.device,)


def test_an_operators_new_password_is_told(desk, ana, bo):
    bo.watch("ana")
    desk.operator(SetPassword(ANA, "hash of new"))
    heard = [message.about for message in bo.received if isinstance(message, Moved)]
    assert not heard[-1].online
    assert desk.open_list(heard[-1].device_list).devices == ()


def test_who_no_longer_watches_is_told_nothing(ana, bo):
    bo.watch("ana", "nobody")
    bo.ask(Unwatch(7, (ANA,)), Done)
    bo.ask(Unwatch(8, (UserId("never-watched"),)), Done)
    ana.ask(LogOut(9), Done)
    assert bo.hears_nothing()


def test_a_lost_watcher_leaves_nothing_behind(desk, ana, bo):
    bo.watch("ana")
    bo.loses_connection()
    ana.ask(LogOut(9), Done)
    assert bo.hears_nothing()
    assert bo.caller.watched == set()


def test_who_logged_out_is_told_nothing(desk, ana, bo):
    bo.watch("ana")
    bo.ask(LogOut(7), Done)
    ana.ask(LogOut(9), Done)
    assert bo.hears_nothing()


def test_a_session_watches_only_so_many(bo):
    bo.watch(*(f"u{number}" for number in range(limits.USERS_PER_QUESTION)))
    assert bo.ask(Watch(7, (ANA,)), Refused).code == RefusalCode.TOO_MANY
    assert bo.watch("u1")


def test_near_and_far_watchers_are_told_what_concerns_them(desk, bo):
    near = desk.connect(seen="127.0.0.1")
    near.register("cy")
    declare(desk, "127.0.0.1", "10.0.0.5")
    bo.watch("ana")
    near.watch("ana")
    ana = desk.connect(seen="10.0.0.5")
    ana.endpoint = Endpoint(7500, 7501, ("10.0.0.5",))
    ana.log_in("ana")
    assert near.moved().addresses == ("10.0.0.5",)


# --- leases ----------------------------------------------------------------------------------------


def test_a_silent_session_ends_by_itself(desk, ana, bo):
    bo.watch("ana")
    desk.wait(LONG / 2)
    bo.ask(KeepAlive(7), Done)
    desk.wait(LONG / 2)
    assert ana.hung_up is not None
    assert not bo.moved().online
    assert bo.hung_up is None


def test_any_request_renews_the_lease(desk, ana):
    for question in (KeepAlive(6), Unwatch(7, ()), LogOut(8)):
        desk.wait(LONG * 0.7)
        ana.ask(question, Done)
    assert ana.hung_up is None


def test_a_session_that_ended_by_itself_can_be_resumed(desk, ana):
    desk.wait(LONG)
    assert desk.connect(key=ana.key).log_in_by_key("ana", resume=1).session == 1


def test_an_old_connections_loss_does_not_harm_the_new_one(desk, ana, bo):
    bo.watch("ana")
    desk.connect(seen="192.0.2.1", key=ana.key).log_in_by_key("ana", resume=1)
    desk.carry_out(desk.requests.connection_lost(ana.caller, desk.now))
    desk.wait(locator_limits.GRACE_SECONDS + 1)
    assert bo.where("ana")[0].online
    assert bo.hears_nothing()
