import pytest

from locator import limits as locator_limits
from locator.orders import Session
from locator.stores.interface import (
    AddAccount,
    BecomeCourseOnly,
    News,
    RemoveAccount,
    SetDisabled,
    SetPassword,
    first_list_number,
)
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
from tests.locator.desk import START, Desk

ANA = UserId("ana")
FIRST_LIST = first_list_number(START.wall) + 1


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
    assert (devices.number, devices.devices) == (FIRST_LIST + 1, (first.key.device, second.key.device))


def test_the_lists_number_grows_with_changes_only(desk):
    first = desk.connect()
    first.register("ana")
    again = desk.connect(key=first.key).log_in("ana")
    assert (desk.open_list(again.device_list).number, again.session) == (FIRST_LIST, 2)
    assert desk.open_list(desk.connect(key=first.key).log_in_by_key("ana").device_list).number == FIRST_LIST


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
    assert desk.open_list(answer.device_list).number == FIRST_LIST + 2
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
    desk.hear(News(frozenset({ANA})))
    assert ana.hung_up is None
    assert ana.caller.session == Session(ANA, ana.key.device, 1)


def test_who_was_shut_out_while_changing_the_password_stays_out(desk):
    ana = desk.connect()
    ana.register("ana")
    desk.hold_work()
    ana.say(ChangePassword(7, "correct horse", "another horse"))
    assert desk.store.make_now(SetDisabled(ANA, disabled=True)) is not None  # the locator has not heard of it yet
    desk.do_held()
    assert ana.hears(Refused).code == RefusalCode.WRONG_PASSWORD
    assert desk.connect(key=ana.key).log_in_by_key("ana", Refused, resume=1).code == RefusalCode.UNKNOWN_DEVICE


def test_who_takes_over_with_the_old_password_while_it_is_changed_is_hung_up_on(desk):
    ana, other = desk.connect(), desk.connect()
    ana.register("ana")
    desk.hold_work()
    ana.say(ChangePassword(7, "correct horse", "another horse"))
    desk.carry_out(desk.held.popleft().then(True, desk.now))
    desk.carry_out(desk.held.popleft().then("hash of another horse", desk.now))
    (writing,), desk.held = desk.held, None
    other.log_in("ana")
    desk.carry_out(writing.then(desk.store.make_now(writing.change), desk.now))
    assert other.hung_up == "its device is not valid any more"
    assert desk.connect(key=other.key).log_in_by_key("ana", Refused).code == RefusalCode.UNKNOWN_DEVICE


def test_an_id_that_was_removed_and_made_again_shuts_out_its_former_devices_at_every_friend(desk):
    """A friend takes no device list with a lower number than it has seen."""
    former = desk.connect()
    seen = former.register("ana").device_list
    for _ in range(3):
        seen = desk.connect().log_in("ana").device_list
    desk.operator(RemoveAccount(ANA))
    desk.wait(1.0)
    fresh = desk.open_list(desk.connect().register("ana").device_list)
    assert fresh.number > desk.open_list(seen).number
    assert former.key.device not in fresh.devices


# --- guessing ------------------------------------------------------------------------------------


def guess(desk, user, seen, most=1_000):
    """Try wrong passwords from an address until told to wait; return how many were checked, and the refusal."""
    for checked in range(most):
        answer = desk.connect(seen).log_in(user, Refused, password=f"guess {checked}")
        if answer.code == RefusalCode.RATE_LIMITED:
            return checked, answer
    return most, None


def test_guessing_is_slowed_and_the_guesser_told_for_how_long(desk):
    desk.connect().register("ana")
    checked, told = guess(desk, "ana", "198.51.100.7")
    assert checked == len(desk.verified) == locator_limits.WRONG_PASSWORDS_PER_ACCOUNT_AND_ADDRESS.at_once
    assert told.message.endswith(f"Try again in {told.retry_after:.0f} s.")
    desk.wait(told.retry_after)
    assert desk.connect("198.51.100.7").log_in("ana").session == 2


def test_an_id_that_nobody_has_is_slowed_in_the_same_way(desk):
    desk.connect().register("ana")
    assert guess(desk, "ana", "198.51.100.7") == guess(desk, "nobody", "198.51.100.7")


def test_no_guessing_keeps_the_owner_out(desk):
    ana = desk.connect("192.0.2.9")
    ana.register("ana")
    for number in range(100):
        guess(desk, "ana", f"198.51.100.{number}")
    assert desk.connect("203.0.113.5").log_in("ana", Refused).code == RefusalCode.RATE_LIMITED
    assert desk.connect("203.0.113.5", key=ana.key).log_in_by_key("ana").session == 2, "a known device, anywhere"
    assert desk.connect("203.0.113.5").log_in("ana").session == 3, "and from then on the password, there too"
    assert desk.connect("192.0.2.9").log_in("ana").session == 4, "the password, where it was used before"


def test_guesses_by_registering_or_changing_the_password_count_too(desk):
    ana = desk.connect()
    ana.register("ana")
    most = locator_limits.WRONG_PASSWORDS_PER_ACCOUNT_AND_ADDRESS.at_once
    for number in range(most):
        assert desk.connect("198.51.100.7").register("ana", Refused, f"a guess {number}").code == RefusalCode.NAME_TAKEN
        change = ChangePassword(7, f"guess {number}", "another horse")
        assert ana.ask(change, Refused).code == RefusalCode.WRONG_PASSWORD
    assert desk.connect("198.51.100.7").register("ana", Refused, "another guess").code == RefusalCode.RATE_LIMITED
    assert ana.ask(ChangePassword(7, "guess", "another horse"), Refused).code == RefusalCode.RATE_LIMITED


def test_making_accounts_is_limited_by_address(desk):
    most = locator_limits.REGISTRATIONS_PER_ADDRESS.at_once
    for number in range(most):
        desk.connect("198.51.100.7").register(f"flood-{number}")
    told = desk.connect("198.51.100.7").register("flood", Refused)
    assert (told.code, told.retry_after) == (RefusalCode.RATE_LIMITED, 12.0)
    assert desk.connect("198.51.100.8").register("ana")


@pytest.mark.parametrize("kind", ["unknown", "known", "disabled", "the course's"])
def test_whatever_an_id_is_a_wrong_password_is_the_same_work_and_the_same_answer(desk, kind):
    change = {"disabled": SetDisabled(ANA, disabled=True), "the course's": BecomeCourseOnly(ANA)}.get(kind)
    if kind != "unknown":
        desk.store.make_now(AddAccount(ANA, "Ana", "hash of it", None, "course"))
    if change is not None:
        desk.operator(change)
    answer = desk.connect().log_in("ana", Refused)
    assert (answer.code, answer.retry_after) == (RefusalCode.WRONG_PASSWORD, 0.0)
    assert len(desk.verified) == 1
