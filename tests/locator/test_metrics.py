"""What Prometheus reads: right numbers, few labels, and nothing that look-ups notice."""

import contextlib
import re
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from locator.figures import LOGIN_SECONDS, Durations
from locator.metrics import _buckets, name_of
from protocol.errors import RefusalCode
from protocol.locator_messages import LOCATOR, Done, KeepAlive, LogInByKey, Refused, Where
from tests.locator.real_locator import PASSWORD, RealLocator, command, free_port

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
STUDENT = "2026000001"


class Measured:
    """A real locator whose figures are read."""

    def __init__(self, data: Path) -> None:
        self.port, self.course_port = free_port(), free_port()
        command(data, "users", "add", STUDENT, typed="net\n")
        flags = "--metrics", f"127.0.0.1:{self.port}", "--course-port", f"127.0.0.1:{self.course_port}"
        self.locator = RealLocator(data, *flags)

    def text(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    def samples(self) -> Samples:
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(self.text())
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        return self.samples().get((f"hail_locator_{name}", tuple(sorted(labels.items()))), 0.0)


@pytest.fixture
def measured(tmp_path: Path) -> Iterator[Measured]:
    measured = Measured(tmp_path / "data")
    yield measured
    assert measured.locator.stop() == 0
    assert "Traceback" not in measured.locator.log


def test_what_happens_is_counted(measured: Measured) -> None:
    locator = measured.locator
    with locator.connect().greeted() as ana, locator.connect().greeted() as bo:
        ana.ask(lambda tag: Where(tag, ()), Refused)
        ana.register("ana")
        bo.register("bo")
        bo.watch("ana")
        for _ in range(7):
            ana.where("bo")
        with locator.connect(ana.key).greeted() as again:
            again.log_in_by_key("ana")
            assert measured.value("sessions") == 2
            assert measured.value("present_users") == 2
            assert measured.value("watched_users") == 1
        with locator.connect().greeted() as wrong:
            wrong.log_in("ana", Refused, password="a guess")
    with socket.create_connection(("127.0.0.1", measured.course_port), 5) as course:
        for said in (f"{STUDENT}_net", f"{STUDENT}_wrong", f"q{STUDENT}", "what"):
            course.sendall(said.encode())
            course.recv(100)
        assert measured.value("course_connections") == measured.value("course_users") == 1
    samples = measured.samples()

    def value(name: str, **labels: str) -> float:
        return samples["hail_locator_" + name, tuple(sorted(labels.items()))]

    assert value("connections_accepted_total") == 4
    assert value("requests_total", kind="where") == 8
    assert value("requests_total", kind="register") == 2
    assert value("refusals_total", kind="where", code="not_signed_in") == 1
    assert value("refusals_total", kind="log_in", code="wrong_password") == 1
    assert value("login_seconds_count", asked="register") == 2
    assert value("login_seconds_bucket", asked="log_in_by_key", le="+Inf") == 1
    assert (
        value("course_logins_total", outcome="accepted") == value("course_logins_total", outcome="wrong_password") == 1
    )
    assert value("course_commands_total", command="query") == 1
    assert value("store_is_current") == 1
    assert value("passwords_waiting") == value("store_errors_total") == 0
    if sys.platform == "linux":
        assert samples["process_open_fds", ()] > 3


def test_labels_are_words_of_the_program_never_of_a_client(measured: Measured) -> None:
    with measured.locator.connect().greeted() as client:
        client.log_in("nobody-unknown", Refused, password="a guess")
        client.register("nobody-known", password=PASSWORD, name="Name Of Nobody")
    with socket.create_connection(("127.0.0.1", measured.course_port), 5) as course:
        for said in (b"8765432198_secret", b"q8765432198", b"logout8765432198", b"garbage \xff"):
            course.sendall(said)
            course.recv(100)
    text = measured.text()
    assert "nobody" not in text.lower()
    assert "8765432198" not in text
    allowed = {name_of(cls) for _, cls in LOCATOR} | {code.value for code in RefusalCode}
    allowed |= {"query", "log_in", "log_out", "nonsense", "accepted", "wrong_password", "unknown_user"}
    allowed |= {"not_for_the_course", "rate_limited", "gone", "store_failed", "+Inf", *map(str, LOGIN_SECONDS)}
    labels = {label for line in text.splitlines() if line[0] != "#" for label in re.findall(r'="([^"]*)"', line)}
    assert labels <= allowed, labels - allowed


def test_a_client_that_sits_on_the_port_holds_up_neither_look_ups_nor_the_end(measured: Measured) -> None:
    with contextlib.ExitStack() as opened:
        for number in range(20):
            idle = opened.enter_context(socket.create_connection(("127.0.0.1", measured.port), 5))
            idle.sendall(b"GET /metrics HTTP/1.1\r\n" * (number % 2))
        with measured.locator.connect().greeted() as ana:
            ana.register("ana")
            start = time.monotonic()
            for _ in range(50):
                ana.ask(KeepAlive, Done)
            assert time.monotonic() - start < 1
        start = time.monotonic()
        assert measured.locator.stop() == 0
        assert time.monotonic() - start < 2


def test_a_metrics_port_that_is_taken_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command(
            tmp_path / "data", "serve", "--no-announce", "--listen", "127.0.0.1:0", "--metrics", f"127.0.0.1:{port}"
        )
    assert done.returncode == 1
    assert done.stdout == ""
    sentence = f"Port {port} is in use by another program. Stop that, or choose another with --metrics."
    assert done.stderr.splitlines()[-1] == sentence


def test_durations_are_sorted_into_groups() -> None:
    durations = Durations()
    for seconds in (0.001, 0.005, 0.02, 3.0, 100.0):
        durations.add(seconds)
    buckets, total = _buckets(durations)
    assert dict(buckets)["0.005"] == 2
    assert dict(buckets)["0.025"] == 3
    assert dict(buckets)["10.0"] == 4
    assert dict(buckets)["+Inf"] == 5
    assert total == pytest.approx(103.026)


def test_a_kind_is_written_as_labels_are() -> None:
    assert name_of(LogInByKey) == "log_in_by_key"
