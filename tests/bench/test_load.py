"""The load generator of the benchmarks: what a server does wrong must not pass as an answer."""

import os
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.bench import load
from tests.bench.course_talk import CLIENTS, REQUESTS, CourseTalk
from tests.bench.load import Exactly, Exchange, Line, WrongAnswerError, ask_for_a_while, ask_to_the_end, gather
from tests.bench.reference_server import Place
from tests.bench.server_cost import processor_seconds, resident_bytes
from tests.bench.talks import HttpExchange

ME = os.getpid()


@dataclass(frozen=True)
class PingTalk:
    """Ten times `ping`, each answered by `pong`."""

    place: Place
    alpn = None

    async def get_ready(self, line: Line, number: int) -> None:
        """Nothing comes before the first question."""

    async def exchanges(self, lines: list[Line]) -> list[list[Exchange]]:
        return [[Exactly(b"ping", b"pong")] * 10 for _ in lines]


@contextmanager
def server(*answers: bytes | None) -> Iterator[PingTalk]:
    """Answer each question of a connection with the next of these, from then on with the last; None hangs up."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            told = 0
            while self.request.recv(4):
                answer = answers[min(told, len(answers) - 1)]
                if answer is None:
                    return
                self.request.sendall(answer)
                told += 1

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield PingTalk(running.server_address)
        finally:
            running.shutdown()
            thread.join()


def test_every_answer_is_counted_once():
    with server(b"pong") as talk:
        answered = ask_to_the_end(talk, 3, ME)
    assert answered.answers == 30
    assert 0 < answered.p50 <= answered.p99 <= answered.worst <= answered.seconds


def test_a_while_ends_by_itself_and_costs_the_server_something():
    with server(b"pong") as talk:
        answered = ask_for_a_while(talk, 2, 0.3, ME)
    assert answered.answers > 0
    assert answered.server_seconds > 0
    assert answered.seconds == pytest.approx(0.3, abs=0.2)


@pytest.mark.parametrize(
    "answers", [(b"pong", b"pang"), (b"pong", b"pongpong"), (b"pong", None)], ids=["wrong", "more", "hung up"]
)
def test_what_is_not_the_answer_ends_the_measurement(answers):
    with server(*answers) as talk:
        with pytest.raises(WrongAnswerError):
            ask_to_the_end(talk, 1, ME)
        with pytest.raises(WrongAnswerError):
            ask_for_a_while(talk, 1, 0.3, ME)


def test_a_question_without_an_answer_ends_the_measurement(monkeypatch):
    monkeypatch.setattr(load, "ANSWER_SECONDS", 0.1)
    with server(b"pong", b"po", b"") as talk, pytest.raises(WrongAnswerError, match="1 questions were not answered"):
        ask_to_the_end(talk, 1, ME)


def test_gathering_counts_the_connections(monkeypatch):
    monkeypatch.setattr(load, "SETTLE_SECONDS", 0.05)
    with server(b"pong") as talk:
        assert gather(talk, 5, ME).connections == 5


def test_an_http_answer_is_whole_before_it_is_judged():
    exchange = HttpExchange(b"GET", b'here"}')
    right = b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"place":"here"}'
    assert all(exchange.is_right(right[:end]) is None for end in range(len(right)))
    assert exchange.is_right(right) is True
    assert exchange.is_right(right.replace(b"200 OK", b"404 No")) is False
    assert exchange.is_right(right.replace(b"here", b"nowh")) is False


async def _days() -> list[list[Exchange]]:
    return await CourseTalk(("127.0.0.1", 1)).exchanges([Line(None)] * CLIENTS)  # type: ignore[arg-type,list-item]


def test_the_course_has_as_many_requests_as_were_published():
    days = load.run(_days())
    assert len(days) == CLIENTS
    assert sum(map(len, days)) == REQUESTS
    assert len({day[0].request for day in days}) == CLIENTS


def test_what_a_process_computes_and_holds_is_seen():
    before = processor_seconds(ME)
    while processor_seconds(ME) < before + 0.05:
        sum(range(10_000))
    held = resident_bytes(ME)
    block = b"x" * 50_000_000
    assert resident_bytes(ME) > held + 40_000_000
    del block
