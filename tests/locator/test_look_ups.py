"""A question that is recognised by its bytes is answered as if it had been decoded."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.framing import Frame, FrameReader
from protocol.identity import UserId
from protocol.limits import LOCATOR_REQUEST_FRAME
from protocol.locator_messages import LOCATOR, KeepAlive, LogOut, Where, Whereabouts
from tests.locator.desk import Desk, Person, over_the_wire

LONGEST = "b" * 32
USERS = ("ana", LONGEST, "nobody")
same_desk = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def ana(desk):
    person = desk.connect(seen="192.0.2.1")
    person.register("ana")
    desk.connect(seen="127.0.0.1").register(LONGEST)
    person.where(*USERS)
    return person


def ask_by_bytes(person: Person, question: Frame) -> bytes | None:
    return person.desk.requests.look_up(question, person.caller, person.desk.now.monotonic)


def ask(person: Person, message: Where) -> bytes:
    """Decode, answer, encode."""
    (order,) = person.desk.requests.answer(message, person.caller, person.desk.now)
    return LOCATOR.encode(over_the_wire(order.message))


def question_of(message: Where) -> Frame:
    (frame,) = FrameReader(LOCATOR_REQUEST_FRAME).receive(LOCATOR.encode(message))
    return frame


@same_desk
@given(tag=st.integers(0, 2**32 - 1) | st.integers(0, 300), user=st.sampled_from(USERS[:2]))
def test_the_answer_is_the_same_to_the_last_byte(ana, tag, user):
    question = Where(tag, (UserId(user),))
    assert ask_by_bytes(ana, question_of(question)) == ask(ana, question)


@same_desk
@given(data=st.data())
def test_bytes_that_are_no_question_are_never_answered(ana, data):
    """What is answered by its bytes would also have been decoded, and answered so."""
    body = bytearray(question_of(Where(data.draw(st.integers(0, 2**17)), (UserId("ana"),))).body)
    for _ in range(data.draw(st.integers(0, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    question = Frame(LOCATOR.number_of(Where), bytes(body[: data.draw(st.integers(0, len(body)))]))
    answer = ask_by_bytes(ana, question)
    if answer is not None:
        (frame,) = FrameReader(len(answer)).receive(answer)
        decoded = LOCATOR.decode(question)
        assert isinstance(decoded, Where)
        assert LOCATOR.encode(LOCATOR.decode(frame)) == ask(ana, decoded)


@pytest.mark.parametrize("kind", [KeepAlive, LogOut])
def test_another_request_with_the_same_body_is_no_question(ana, kind):
    body = question_of(Where(5, (UserId("ana"),))).body
    assert ask_by_bytes(ana, Frame(LOCATOR.number_of(kind), body)) is None


def test_whoever_is_not_known_here_is_not_at_hand(ana):
    assert ask_by_bytes(ana, question_of(Where(5, (UserId("nobody"),)))) is None


def test_a_change_is_told_at_once(desk, ana):
    question = question_of(Where(5, (UserId(LONGEST),)))
    before = ask_by_bytes(ana, question)
    other = desk.connect(seen="192.0.2.7")
    other.log_in(LONGEST)
    assert before is not None
    assert ask_by_bytes(ana, question) is None
    (about,) = ana.where(LONGEST)
    assert about.addresses == ("192.0.2.7",)
    answer = ask_by_bytes(ana, question)
    assert answer is not None
    (frame,) = FrameReader(len(answer)).receive(answer)
    assert LOCATOR.decode(frame) == Whereabouts(5, (about,))


def test_loopback_addresses_are_for_this_machine_only(desk, ana):
    near = desk.connect(seen="127.0.0.1")
    near.register("near")
    question = Where(5, (UserId(LONGEST),))
    assert ask_by_bytes(near, question_of(question)) == ask(near, question)
    assert ask_by_bytes(near, question_of(question)) != ask_by_bytes(ana, question_of(question))


def test_who_is_not_logged_in_is_told_nothing(desk, ana):
    stranger = desk.connect()
    assert ask_by_bytes(stranger, question_of(Where(5, (UserId("ana"),)))) is None


def test_who_must_change_the_password_is_told_nothing(ana):
    ana.caller.must_change_password = True
    assert ask_by_bytes(ana, question_of(Where(5, (UserId("ana"),)))) is None


def test_a_look_up_renews_the_lease(desk, ana):
    desk.wait(20)
    ask_by_bytes(ana, question_of(Where(5, (UserId("ana"),))))
    desk.wait(20)
    assert ana.hung_up is None


def test_only_users_with_an_account_are_kept_at_hand(desk, ana):
    """Asking for what does not exist must not fill the memory."""
    ana.where(*(f"nobody-{number}" for number in range(100)))
    assert len(desk.requests._directory.views_by_question) == 2
