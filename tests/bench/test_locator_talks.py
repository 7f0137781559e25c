"""What the benchmark says with a locator, against the real one, few and short."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from locator.authority import FILE_NAME, Authority
from protocol.certificates import create_authority_certificate
from tests.bench import course_talk, load
from tests.bench.course_talk import CourseTalk
from tests.bench.load import WrongAnswerError, ask_for_a_while, ask_to_the_end, gather
from tests.bench.population import key_of, settle_course, settle_people
from tests.bench.reference_server import free_place
from tests.bench.talks import ASKED_ABOUT, LocatorTalk
from tests.locator.real_locator import RealLocator

PEOPLE = 5


@dataclass(frozen=True)
class Lied(LocatorTalk):
    """Expects of one answer another bit than the locator says."""

    async def exchanges(self, lines):
        all_exchanges = await super().exchanges(lines)
        last = all_exchanges[-1][-1]
        all_exchanges[-1][-1] = replace(last, answer=last.answer[:-1] + bytes([last.answer[-1] ^ 1]))
        return all_exchanges


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    data = tmp_path_factory.mktemp("bench") / "locator"
    settle_people(data, PEOPLE)
    authority = Authority.open_or_create(data / FILE_NAME, datetime.now(UTC)).der
    locator = RealLocator(data)
    yield locator, authority
    assert locator.stop() == 0


def test_people_return_by_key_and_look_each_other_up(served):
    locator, authority = served
    answered = ask_to_the_end(LocatorTalk(locator.place, authority), PEOPLE, locator.process.pid)
    assert answered.answers == PEOPLE * ASKED_ABOUT


def test_one_wrong_bit_in_one_answer_is_noticed(served):
    locator, authority = served
    with pytest.raises(WrongAnswerError):
        ask_for_a_while(Lied(locator.place, authority), PEOPLE, 0.5, locator.process.pid)


def test_another_authority_is_noticed(served, monkeypatch):
    monkeypatch.setattr(load, "SETTLE_SECONDS", 0.05)
    locator, _ = served
    other = create_authority_certificate(key_of(0), datetime.now(UTC))
    with pytest.raises(WrongAnswerError):
        gather(LocatorTalk(locator.place, other), 1, locator.process.pid)


def test_course_clients_get_their_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(course_talk, "REQUESTS", 203)
    monkeypatch.setattr(course_talk, "ALWAYS_HERE", 20)
    data = tmp_path / "locator"
    settle_course(data, course_talk.ACCOUNTS)
    place = free_place()
    locator = RealLocator(data, "--course-port", f"{place[0]}:{place[1]}")
    try:
        answered = ask_to_the_end(CourseTalk(place), 20, locator.process.pid)
    finally:
        locator.stop()
    assert answered.answers == 203
