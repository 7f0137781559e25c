"""The operator's log: a line an event, floods summed up, and never a secret."""

import base64
import io
import json
import logging
import socket
import sqlite3
import time
from secrets import token_bytes

import pytest

from locator import event_log, limits
from locator.event_log import FloodGate, LogFormat, tell
from protocol.identity import UserId
from protocol.locator_messages import (
    LOCATOR,
    ChangePassword,
    Done,
    KeepAlive,
    LogIn,
    LogInByKey,
    LogOut,
    PasswordChanged,
    Refused,
    Register,
    Superseded,
    Unwatch,
    Watch,
    Where,
    Whereabouts,
)
from protocol.registry import Message
from protocol.signatures import SigningKey
from tests.locator.real_locator import RealLocator, command, free_port


class Written:
    """A logger of its own with our handler, and what it wrote."""

    def __init__(self, form: LogFormat = LogFormat.LOGFMT, *, for_journal: bool = False) -> None:
        self.now = 100.0
        self.gate = FloodGate(lambda: self.now)
        stream = self._stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(event_log._Lines(form, for_journal=for_journal))
        handler.addFilter(self.gate)
        self.log = logging.Logger("test")  # noqa: LOG001 - one that no other test shares
        self.log.addHandler(handler)

    @property
    def lines(self) -> list[str]:
        return self._stream.getvalue().splitlines()


@pytest.fixture
def written(monkeypatch) -> Written:
    written = Written()
    monkeypatch.setattr(event_log, "log", written.log)  # where the sums are written
    return written


def test_a_line_has_time_level_event_and_facts(written):
    tell(written.log, logging.INFO, "logged_in", user="ana", address="192.0.2.1", how=None, seconds=0.02)
    at, _, rest = written.lines[0].partition(" ")
    assert at.startswith("time=20")
    assert at.endswith("Z")
    assert rest == "level=info event=logged_in user=ana address=192.0.2.1 seconds=0.02"


def test_the_same_as_json():
    written = Written(LogFormat.JSON)
    tell(written.log, logging.WARNING, "configuration_kept", reason='"listen" is\nwrong')
    content = json.loads(written.lines[0])
    assert content.pop("time").endswith("Z")
    assert content == {"level": "warning", "event": "configuration_kept", "reason": '"listen" is\nwrong'}


def test_nobody_forges_a_line(written):
    tell(written.log, logging.INFO, "hung_up", reason="a b\nevent=logged_in user=ana\x1b[2J\u202e")
    assert len(written.lines) == 1
    assert written.lines[0].endswith(r'reason="a b\nevent=logged_in user=ana\u001b[2J\u202e"')


def test_what_is_no_event_of_ours_is_a_message_and_a_traceback_stays_in_its_line(written):
    try:
        int("why")
    except ValueError:
        written.log.exception("a request failed: %s", "it", extra={"address": "192.0.2.1"})
    (line,) = written.lines
    assert 'event=message logger=test message="a request failed: it" address=192.0.2.1 trace="Traceback' in line


def test_the_journal_is_told_the_level():
    written = Written(for_journal=True)
    tell(written.log, logging.ERROR, "store_failed")
    assert written.lines[0].startswith("<3>time=")


def test_a_flood_from_one_address_is_summed_up_and_others_are_still_heard(written):
    for _ in range(1_000):
        tell(written.log, logging.INFO, "refused", address="192.0.2.1", code="wrong_password")
    tell(written.log, logging.INFO, "refused", address="192.0.2.2", code="wrong_password")
    assert len(written.lines) == limits.LOG_LINES_OF_A_KIND + 1
    written.now += limits.LOG_STRETCH_SECONDS + 1
    written.gate.tell_sums()
    assert "event=refused address=192.0.2.1 repeated=995" in written.lines[-1]
    assert len(written.lines) == limits.LOG_LINES_OF_A_KIND + 2
    tell(written.log, logging.INFO, "refused", address="192.0.2.1", code="wrong_password")
    assert "repeated" not in written.lines[-1], "the next stretch begins anew"


def test_a_flood_from_everywhere_is_bounded_and_the_operator_is_still_told(written):
    for number in range(20_000):
        tell(written.log, logging.INFO, "refused", address=f"10.{number >> 8}.{number & 255}.1")
    tell(written.log, logging.WARNING, "configuration_kept", reason="why")
    assert "configuration_kept" in written.lines[-1]
    written.gate.tell_sums(at_once=True)
    assert len(written.lines) <= limits.LOG_LINES + limits.LOG_KINDS + 2
    assert len(written.gate._counts) == 0


def test_the_sum_of_what_came_from_everywhere_is_told(written):
    for number in range(limits.LOG_KINDS + 100):
        tell(written.log, logging.INFO, "refused", address=f"10.0.{number >> 8}.{number & 255}")
    written.gate.tell_sums(at_once=True)
    assert written.lines[-1].endswith(f"event=refused repeated={100 - limits.LOG_LINES_OF_A_KIND}")


# --- no secret, whatever is asked ----------------------------------------------------------------

GIVEN, OWN, WRONG, NET, IN_WRONG_FIELD = (
    "given-horse-1",
    "own-horse-22",
    "wrong-horse-3",
    "net-horse-4",
    "horse.battery.5",
)
STUDENT = "2026000001"
REQUESTS = {Register, LogIn, LogInByKey, LogOut, Where, Watch, Unwatch, KeepAlive, ChangePassword}


EVENTS = (
    "started",
    "course_port_opened",
    "refused address=127.0.0.1 asked=Where code=not_signed_in",
    "refused user=ana address=127.0.0.1 asked=LogIn code=wrong_password",
    "refused address=127.0.0.1 asked=LogIn code=wrong_password",
    "logged_in user=ana address=127.0.0.1 how=password session=1 must_change=yes",
    "logged_in user=bo address=127.0.0.1 how=registration",
    "password_changed user=ana",
    "taken_over user=ana",
    "logged_out user=ana",
    "hung_up",
    "course_logged_in user=2026000001",
    "course_refused user=2026000001 address=127.0.0.1 code=wrong_password",
    "course_refused address=127.0.0.1 code=unknown_user",
    "accounts_changed count=1 users=ana",
    "stopping",
)


def test_every_request_of_the_wire_is_asked_below():
    answers = {
        "Welcome",
        "LoggedIn",
        "Done",
        "Refused",
        "Whereabouts",
        "Moved",
        "Superseded",
        "PasswordChanged",
        "Locators",
    }
    assert {cls.__name__ for _, cls in LOCATOR} - answers == {cls.__name__ for cls in REQUESTS}


def ask_everything(real: RealLocator, course_port: int) -> list[bytes]:
    """Ask everything, rightly and wrongly; return the secrets that went over the wire."""
    asked: set[type[Message]] = set()
    seeds = [token_bytes(32), token_bytes(32)]
    ana, other = (real.connect(SigningKey(seed)).greeted() for seed in seeds)
    with ana, other, real.connect().greeted() as garbage:

        def ask(who, question, kind):
            asked.add(type(question(1)))
            return who.ask(question, kind)

        user = UserId("ana")
        secrets = [*seeds, ana.welcome.nonce, other.welcome.nonce]
        ask(ana, lambda t: Where(t, (user,)), Refused)
        ask(ana, lambda t: LogIn(t, user, WRONG, ana.key.public, ana.endpoint), Refused)
        ask(ana, lambda t: LogIn(t, UserId(IN_WRONG_FIELD), GIVEN, ana.key.public, ana.endpoint), Refused)
        assert ana.log_in("ana", password=GIVEN).must_change_password
        ask(ana, lambda t: ChangePassword(t, WRONG, OWN), Refused)
        ask(ana, lambda t: ChangePassword(t, GIVEN, "short"), Refused)
        ask(ana, lambda t: ChangePassword(t, GIVEN, OWN), PasswordChanged)
        for question, kind in ((Where, Whereabouts), (Watch, Whereabouts), (Unwatch, Done)):
            ask(ana, lambda t, question=question: question(t, (user,)), kind)
        ask(ana, KeepAlive, Done)
        asked |= {Register, LogInByKey}
        other.register("bo", password=NET, name="Bo")
        other.ask(LogOut, Done)
        other.register("ana", Refused, password=WRONG)
        other.log_in("ana", password=OWN)
        ana.expect(Superseded)
        ask(other, LogOut, Done)
        garbage.log_in_by_key("ana", Refused)
        garbage.socket.sendall(b"\x00\x00\x00\x20\x01\x03" + OWN.encode() * 8)
        assert garbage.receive() is None
    assert asked == REQUESTS
    with socket.create_connection(("127.0.0.1", course_port), 5) as course:
        for said in (
            f"{STUDENT}_{WRONG}",
            f"{STUDENT}_{NET}",
            f"q{STUDENT}",
            f"9999999999_{OWN}",
            f"what {OWN}",
            f"logout{STUDENT}",
        ):
            course.sendall(said.encode())
            assert course.recv(4096)
    return secrets


def test_no_secret_is_ever_written_though_everything_is_asked(tmp_path):
    data = tmp_path / "data"
    told = [command(data, "users", "add", "ana", "--must-change", typed=GIVEN + "\n")]
    told.append(command(data, "users", "add", STUDENT, typed=NET + "\n"))
    course_port = free_port()
    real = RealLocator(data, "--log-level", "debug", "--course-port", f"127.0.0.1:{course_port}")
    secrets = ask_everything(real, course_port)
    told += [command(data, "users", verb, "ana", typed=WRONG + "\n") for verb in ("password", "show", "disable")]
    time.sleep(0.6)  # the locator looks at the accounts four times a second
    assert real.stop() == 0
    events = [line.partition(" event=")[2] for line in real.log.splitlines()]
    for event in EVENTS:
        assert any(line.startswith(event) for line in events), (event, real.log)
    database = sqlite3.connect(data / "accounts.sqlite3")
    hashes = [
        each for row in database.execute("SELECT password_hash, course_hash FROM accounts") for each in row if each
    ]
    database.close()
    texts = [GIVEN, OWN, WRONG, NET, IN_WRONG_FIELD, *hashes]
    pem = (data / "authority.pem").read_text().splitlines()
    texts += pem[1 : pem.index("-----END PRIVATE KEY-----")]
    for secret in secrets:
        texts += [secret.hex(), base64.b64encode(secret).decode(), repr(secret)[2:-1]]
    everything = real.log + "".join(each.stdout + each.stderr for each in told)
    assert [text for text in texts if text in everything] == []


def test_a_flood_writes_a_handful_of_lines(tmp_path):
    course_port = free_port()
    real = RealLocator(tmp_path / "data", "--course-port", f"127.0.0.1:{course_port}")
    with socket.create_connection(("127.0.0.1", course_port), 5) as course:
        for number in range(300):
            course.sendall(b"%010d_x\0" % number)
            assert course.recv(100)
    assert real.stop() == 0
    lines = [line for line in real.log.splitlines() if "course_refused" in line]
    assert lines[-1].endswith(f"repeated={300 - limits.LOG_LINES_OF_A_KIND}")
    assert len(lines) == limits.LOG_LINES_OF_A_KIND + 1
