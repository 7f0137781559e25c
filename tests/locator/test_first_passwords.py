"""A password that an operator gave out, and that its person has to change before anything else."""

import pytest

from locator.course_desk import hash_course_password
from locator.stores.changes import changed
from locator.stores.interface import AddAccount, SetPassword
from protocol.errors import RefusalCode
from protocol.identity import UserId
from protocol.locator_messages import (
    ChangePassword,
    Done,
    KeepAlive,
    LogOut,
    PasswordChanged,
    Refused,
    Unwatch,
    Watch,
    Where,
)
from tests.locator.desk import Desk

ANA, BO = UserId("ana"), UserId("bo")
GIVEN, CHOSEN = "given out", "battery staple"


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.operator(AddAccount(ANA, "Ana", f"hash of {GIVEN}", None, must_change_password=True))
    return desk


@pytest.fixture
def bo(desk):
    person = desk.connect(seen="192.0.2.2")
    person.register("bo")
    return person


@pytest.fixture
def ana(desk):
    person = desk.connect()
    assert person.log_in("ana", password=GIVEN).must_change_password
    return person


@pytest.mark.parametrize("question", [Where(7, (BO,)), Watch(7, (BO,)), Unwatch(7, (BO,))])
def test_nothing_is_answered_before_the_change(ana, question):
    refused = ana.ask(question, Refused)
    assert refused.code == RefusalCode.MUST_CHANGE_PASSWORD
    assert "Change your password first" in refused.message


def test_the_lease_is_kept_and_one_may_log_out(ana):
    ana.ask(KeepAlive(7), Done)
    ana.ask(LogOut(8), Done)
    assert ana.ask(Where(9, (BO,)), Refused).code == RefusalCode.NOT_SIGNED_IN


def test_nobody_is_told_of_them_before_the_change_and_friends_are_with_it(desk, ana, bo):
    (about,) = bo.watch("ana")
    assert (about.online, about.addresses) == (False, ())
    ana.ask(ChangePassword(7, GIVEN, CHOSEN), PasswordChanged)
    moved = bo.moved()
    assert (moved.online, moved.since) == (True, int(desk.now.wall * 1000))
    assert ana.where("bo")[0].online, "without a new login"


def test_who_leaves_without_a_change_was_never_seen(ana, bo):
    before = bo.watch("ana")
    ana.ask(LogOut(7), Done)
    assert bo.hears_nothing()
    assert bo.where("ana") == before


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (GIVEN, GIVEN, RefusalCode.WEAK_PASSWORD),
        (GIVEN, "short", RefusalCode.WEAK_PASSWORD),
        ("wrong", CHOSEN, RefusalCode.WRONG_PASSWORD),
    ],
)
def test_a_change_that_will_not_do_leaves_it_as_it_is(ana, old, new, code):
    assert ana.ask(ChangePassword(7, old, new), Refused).code == code
    assert ana.ask(Where(8, (BO,)), Refused).code == RefusalCode.MUST_CHANGE_PASSWORD


def test_a_reconnect_does_not_get_around_it(desk, ana):
    ana.loses_connection()
    again = desk.connect(key=ana.key)
    assert again.log_in_by_key("ana", resume=1).must_change_password
    assert again.ask(Where(8, (BO,)), Refused).code == RefusalCode.MUST_CHANGE_PASSWORD
    again.ask(ChangePassword(9, GIVEN, CHOSEN), PasswordChanged)
    assert not desk.connect(key=ana.key).log_in_by_key("ana").must_change_password


def test_a_reset_ends_the_session_and_the_next_one_has_to_change(desk, bo):
    bo.watch("ana")
    desk.operator(SetPassword(ANA, "hash of own"))
    ana = desk.connect()
    assert not ana.log_in("ana", password="own").must_change_password
    assert bo.moved().online
    desk.operator(SetPassword(ANA, f"hash of {GIVEN}", must_change_password=True))
    assert ana.hung_up is not None
    assert not bo.moved().online
    assert desk.connect(key=ana.key).log_in("ana", password=GIVEN).must_change_password
    assert not bo.moved().online, "only the device list changed"


def test_it_is_no_way_into_the_course_port():
    student = UserId("2026000001")
    shared = changed(None, AddAccount(student, "S", "hash", None, hash_course_password("x")))
    assert shared is not None
    reset = changed(shared, SetPassword(student, "other hash", must_change_password=True))
    assert reset is not None
    assert (reset.course_hash, reset.is_course_hash_shared, reset.must_change_password) == ("", False, True)
