import pytest

from locator.orders import Session
from locator.stores.interface import AddAccount, SetPassword
from protocol import limits
from protocol.certificates import Role, read_certificate
from protocol.errors import RefusalCode, RemoteProtocolError
from protocol.identity import DeviceId, UserId
from protocol.locator_messages import (
    ChangePassword,
    Done,
    KeepAlive,
    LoggedIn,
    LogIn,
    LogOut,
    PasswordChanged,
    Refused,
    Register,
    Superseded,
    Welcome,
    Where,
)
from protocol.signatures import SigningKey
from tests.locator.desk import Desk

ANA = UserId("ana")


@pytest.fixture
def desk() -> Desk:
    return Desk()


def other_key(number: int) -> SigningKey:
    return SigningKey(bytes([number]) * 32)


# --- registering -----------------------------------------------------------------------------


def test_the_locator_speaks_first(desk):
    person = desk.connect()
    welcome = person.hears(Welcome)
    assert welcome == Welcome(desk.authority.der, person.caller.nonce, registration_open=True)


def test_each_connection_gets_its_own_nonce(desk):
    assert desk.connect().hears(Welcome).nonce != desk.connect().hears(Welcome).nonce


def test_who_registers_is_logged_in(desk):
    ana = desk.connect(seen="192.0.2.7")
    answer = ana.register("ana", name="  Ana   Maria ")
    assert (answer.user, answer.name, answer.session) == ("ana", "Ana Maria", 1)
    assert answer.seen_address == "192.0.2.7"
    assert answer.lease_seconds == limits.LEASE_SECONDS
    assert desk.open_list(answer.device_list).devices == (ana.key.device,)


def test_a_certificate_binds_the_user_to_the_device_key(desk):
    ana = desk.connect()
    certificate = read_certificate(ana.register("ana").certificate, desk.authority.der)
    assert (certificate.role, certificate.user, certificate.key) == (Role.USER, "ana", ana.key.public)


@pytest.mark.parametrize(
    ("password", "name", "code"),
    [
        ("7 chars", "Ana", RefusalCode.WEAK_PASSWORD),
        ("correct horse", " \u202e\t", RefusalCode.BAD_NAME),
        ("correct horse", "x" * 65, RefusalCode.BAD_NAME),
    ],
)
def test_a_registration_that_will_not_do_is_refused(desk, password, name, code):
    assert desk.connect().register("ana", Refused, password=password, name=name).code == code
    assert desk.store.find(ANA) is None


def test_a_taken_id_is_refused(desk):
    desk.connect().register("ana")
    assert desk.connect().register("ana", Refused, password="another one").code == RefusalCode.NAME_TAKEN


def test_registering_again_with_the_same_password_is_a_login(desk):
    first = desk.connect()
    first.register("ana")
    assert desk.connect(key=first.key).register("ana").session == 2


def test_two_who_register_one_id_at_once_do_not_both_get_it(desk):
    one, other = desk.connect(), desk.connect()
    desk.hold_work()
    one.say(_register(one, "first password"))
    other.say(_register(other, "other password"))
    desk.do_held()
    assert isinstance(one.received[-1], LoggedIn)
    assert other.received[-1].code == RefusalCode.NAME_TAKEN


def _register(person, password):
    return Register(9, ANA, password, "Ana", person.key.public, person.endpoint)


def test_a_closed_locator_takes_no_registrations():
    desk = Desk(registration_open=False)
    person = desk.connect()
    assert not person.hears(Welcome).registration_open
    assert person.register("ana", Refused).code == RefusalCode.REGISTRATION_CLOSED


# --- with the password ---------------------------------------------------------------------------


def test_an_account_of_the_operator_may_have_any_password(desk):
    desk.operator(AddAccount(ANA, "Ana", "hash of 1", None))
    assert desk.connect().log_in("ana", password="1").session == 1


def test_a_wrong_password_and_an_unknown_id_look_the_same(desk):
    desk.connect().register("ana")
    wrong = desk.connect().log_in("ana", Refused, password="wrong")
    unknown = desk.connect().log_in("nobody", Refused)
    assert wrong == unknown
    assert wrong.code == RefusalCode.WRONG_PASSWORD


def test_an_unknown_id_costs_a_hash_too(desk):
    desk.connect().log_in("nobody", Refused)
    assert desk.verified == [None]


def test_a_second_login_on_one_connection_is_refused(desk):
    ana = desk.connect()
    ana.register("ana")
    for answer in (ana.register("bo", Refused), ana.log_in("ana", Refused), ana.log_in_by_key("ana", Refused)):
        assert answer.code == RefusalCode.ALREADY_SIGNED_IN


def test_nobody_asks_anything_before_a_login(desk):
    person = desk.connect()
    for question in (Where(7, (ANA,)), KeepAlive(7), LogOut(7), ChangePassword(7, "a", "b")):
        assert person.ask(question, Refused).code == RefusalCode.NOT_SIGNED_IN
    assert person.hung_up is None


def test_a_message_that_is_no_request_is_a_broken_rule(desk):
    with pytest.raises(RemoteProtocolError):
        desk.connect().say(Done(1))


def test_a_login_overtaken_by_a_new_password_is_refused(desk):
    desk.connect().register("ana")
    late = desk.connect()
    desk.hold_work()
    late.say(LogIn(6, ANA, "correct horse", late.key.public, late.endpoint))
    (verify,) = desk.held
    orders = verify.then(True, desk.now)
    desk.held = None
    desk.operator(SetPassword(ANA, "hash of new one"))
    desk.carry_out(orders)
    assert late.received[-1].code == RefusalCode.WRONG_PASSWORD


# --- one session a person ------------------------------------------------------------------------


def test_another_device_takes_over(desk):
    old = desk.connect()
    old.register("ana")
    assert desk.connect().log_in("ana").session == 2
    assert old.hears(Superseded).session == 2
    assert old.hung_up is not None


def test_the_same_device_replaces_its_older_connection_silently(desk):
    old = desk.connect()
    old.register("ana")
    desk.connect(key=old.key).log_in("ana")
    assert old.hears_nothing()
    assert old.hung_up is not None


def test_of_two_logins_at_once_the_later_one_stays(desk):
    desk.connect().register("ana")
    one, other = desk.connect(), desk.connect()
    one.log_in("ana")
    other.log_in("ana")
    assert one.hung_up
    assert desk.requests.answer(Where(1, (ANA,)), other.caller, desk.now)


def test_a_reconnect_resumes_its_session(desk):
    ana = desk.connect()
    ana.register("ana")
    ana.loses_connection()
    again = desk.connect(key=ana.key).log_in_by_key("ana", resume=1)
    assert (again.session, again.certificate) == (1, b"")


def test_a_reconnect_of_a_superseded_device_is_refused(desk):
    old = desk.connect()
    old.register("ana")
    new = desk.connect()
    new.log_in("ana")
    assert desk.connect(key=old.key).log_in_by_key("ana", Refused, resume=1).code == RefusalCode.SUPERSEDED
    assert new.hung_up is None


def test_a_person_takes_over_by_key(desk):
    old = desk.connect()
    old.register("ana")
    new = desk.connect()
    new.log_in("ana")
    assert desk.connect(key=old.key).log_in_by_key("ana", resume=0).session == 3
    assert new.hears(Superseded).session == 3


def test_a_device_cannot_resume_another_devices_session(desk):
    old = desk.connect()
    old.register("ana")
    desk.connect().log_in("ana")
    assert desk.connect(key=old.key).log_in_by_key("ana", Refused, resume=2).code == RefusalCode.SUPERSEDED


def test_a_session_from_before_a_restored_backup_becomes_a_new_one(desk):
    ana = desk.connect()
    ana.register("ana")
    assert desk.connect(key=ana.key).log_in_by_key("ana", resume=40).session == 2


def test_a_certificate_is_renewed_when_asked_for(desk):
    ana = desk.connect()
    ana.register("ana")
    renewed = desk.connect(key=ana.key).log_in_by_key("ana", resume=1, renew=True)
    assert read_certificate(renewed.certificate, desk.authority.der).key == ana.key.public


# --- by key --------------------------------------------------------------------------------------


def test_a_device_that_is_not_on_the_list_is_refused(desk):
    desk.connect().register("ana")
    assert desk.connect().log_in_by_key("ana", Refused).code == RefusalCode.UNKNOWN_DEVICE
    assert desk.connect().log_in_by_key("nobody", Refused).code == RefusalCode.UNKNOWN_DEVICE


def test_a_signature_by_another_key_is_refused(desk):
    ana = desk.connect()
    ana.register("ana")
    thief = desk.connect(key=ana.key)
    assert thief.log_in_by_key("ana", Refused, signer=other_key(9)).code == RefusalCode.UNKNOWN_DEVICE


def test_a_signature_made_for_another_locator_is_refused(desk):
    ana = desk.connect()
    ana.register("ana")
    again = desk.connect(key=ana.key)
    assert again.log_in_by_key("ana", Refused, certificate=b"another locator's").code == RefusalCode.UNKNOWN_DEVICE


def test_a_nonce_serves_once(desk):
    ana = desk.connect()
    ana.register("ana")
    again = desk.connect(key=ana.key)
    again.log_in_by_key("ana", resume=1)
    again.ask(LogOut(8), Done)
    assert again.log_in_by_key("ana", Refused, resume=1).code == RefusalCode.BAD_REQUEST


# --- device lists --------------------------------------------------------------------------------


def test_the_list_grows_by_devices_that_know_the_password(desk):
    first, second = desk.connect(), desk.connect()
    first.register("ana")
    devices = desk.open_list(second.log_in("ana").device_list)
    assert (devices.number, devices.devices) == (2, (first.key.device, second.key.device))


def test_the_lists_number_grows_with_changes_only(desk):
    first = desk.connect()
    first.register("ana")
    again = desk.connect(key=first.key).log_in("ana")
    assert (desk.open_list(again.device_list).number, again.session) == (1, 2)
    assert desk.open_list(desk.connect(key=first.key).log_in_by_key("ana").device_list).number == 1


def test_the_oldest_device_goes_when_there_are_too_many(desk):
    keys = [other_key(number) for number in range(limits.DEVICES_PER_USER + 1)]
    desk.connect(key=keys[0]).register("ana")
    for key in keys[1:]:
        answer = desk.connect(key=key).log_in("ana")
    assert desk.open_list(answer.device_list).devices == tuple(DeviceId.of_key(key.public) for key in keys[1:])


def test_a_new_password_leaves_this_device_alone_on_the_list(desk):
    old, new = desk.connect(), desk.connect()
    old.register("ana")
    new.log_in("ana")
    answer = new.ask(ChangePassword(7, "correct horse", "another horse"), PasswordChanged)
    assert desk.open_list(answer.device_list).devices == (new.key.device,)
    assert desk.open_list(answer.device_list).number == 3
    assert desk.connect(key=old.key).log_in_by_key("ana", Refused).code == RefusalCode.UNKNOWN_DEVICE
    assert desk.connect().log_in("ana", Refused).code == RefusalCode.WRONG_PASSWORD
    assert desk.connect().log_in("ana", password="another horse")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("wrong", "another horse", RefusalCode.WRONG_PASSWORD), ("correct horse", "short", RefusalCode.WEAK_PASSWORD)],
)
def test_a_password_change_that_will_not_do_is_refused(desk, old, new, code):
    ana = desk.connect()
    ana.register("ana")
    assert ana.ask(ChangePassword(7, old, new), Refused).code == code
    assert desk.store.find(ANA).password_hash == "hash of correct horse"


def test_an_operators_new_password_ends_the_session(desk):
    ana = desk.connect()
    ana.register("ana")
    desk.operator(SetPassword(ANA, "hash of new"))
    assert ana.hung_up is not None
    assert ana.hears_nothing()
    assert desk.connect(key=ana.key).log_in_by_key("ana", Refused, resume=1).code == RefusalCode.UNKNOWN_DEVICE
    assert desk.connect(key=ana.key).log_in("ana", password="new").session == 2


def test_a_change_of_the_store_that_leaves_the_device_valid_ends_nothing(desk):
    ana = desk.connect()
    ana.register("ana")
    desk.carry_out(desk.requests.accounts_changed({ANA}, desk.now))
    assert ana.hung_up is None
    assert ana.caller.session == Session(ANA, ana.key.device, 1)
