"""The course's plain text, cut from whatever segments it comes in."""

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locator.course_desk import is_course_password
from locator.course_protocol import CourseLogIn, CourseLogOut, CourseQuery, CourseReader, Nonsense, port_of
from locator.limits import COURSE_COMMAND_BYTES
from protocol.identity import UserId

ANA, BO = UserId("2026000001"), UserId("2026000002")


def read(*segments: bytes, is_ended: bool = True) -> list[object]:
    reader, found = CourseReader(), []
    for segment in segments:
        reader.add(segment)
        while (command := reader.next_command()) is not None:
            found.append(command)
    while (command := reader.next_command(is_ended=is_ended)) is not None:
        found.append(command)
    return found


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (b"2026000001_net2026", [CourseLogIn(ANA, "net2026")]),
        (b"2026000001_with_underscore", [CourseLogIn(ANA, "with_underscore")]),
        (b"q2026000002", [CourseQuery(BO)]),
        (b"logout2026000001", [CourseLogOut(ANA)]),
        (b"q2026000002q2026000001", [CourseQuery(BO), CourseQuery(ANA)]),
        (b"q2026000002logout2026000001", [CourseQuery(BO), CourseLogOut(ANA)]),
        (b"q2026000002" + b"2026000001_pass", [CourseQuery(BO), CourseLogIn(ANA, "pass")]),
        (b"2026000001_pass\0q2026000002\0", [CourseLogIn(ANA, "pass"), CourseQuery(BO)]),
        (b"\0\0q2026000002\0\0", [CourseQuery(BO)]),
        (b"", []),
        (b"\0", []),
        (b"hello", [Nonsense()]),
        (b"q202600000", [Nonsense()]),
        (b"2026000001_", [Nonsense()]),
        (b"202600001_pass", [Nonsense()]),
        (b"20260000011_pass", [Nonsense()]),
        (b"2026000001_\xff", [Nonsense()]),
        (b"2026000001_pass\n", [Nonsense()]),
        (b"LOGOUT2026000001", [Nonsense()]),
    ],
)
def test_what_is_said_is_understood(said: bytes, meant: list[object]) -> None:
    assert read(said) == meant


def test_what_ends_by_itself_is_answered_without_waiting() -> None:
    assert read(b"q2026000002logout2026000001", is_ended=False) == [CourseQuery(BO), CourseLogOut(ANA)]


def test_a_login_waits_for_its_end() -> None:
    reader = CourseReader()
    reader.add(b"2026000001_pa")
    assert reader.next_command() is None
    assert reader.has_beginning
    reader.add(b"ss")
    assert reader.next_command() is None
    assert reader.next_command(is_ended=True) == CourseLogIn(ANA, "pass")
    assert not reader.has_beginning


def test_a_nul_in_a_segment_of_its_own_is_nothing() -> None:
    assert read(b"q2026000002", b"\0", b"q2026000001", b"\0") == [CourseQuery(BO), CourseQuery(ANA)]


def test_a_flood_without_end_is_nonsense_and_not_kept() -> None:
    reader = CourseReader()
    reader.add(b"x" * (COURSE_COMMAND_BYTES + 1))
    assert reader.next_command() == Nonsense()
    assert not reader.has_beginning


@given(st.lists(st.sampled_from([b"q2026000001", b"logout2026000002"]), max_size=6), st.data())
def test_any_cut_of_the_stream_gives_the_same_commands(commands: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(commands)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    edges = [0, *cuts, len(whole)]
    segments = [whole[a:b] for a, b in itertools.pairwise(edges)]
    assert read(*segments) == read(whole)
    assert len(read(whole)) == len(commands)


@given(st.binary(max_size=2_000))
def test_garbage_gives_commands_and_nothing_else(data: bytes) -> None:
    for command in read(data):
        assert isinstance(command, CourseLogIn | CourseQuery | CourseLogOut | Nonsense)


@pytest.mark.parametrize(
    ("user", "port"), [("2026007400", 7400), ("2026065535", 65_535), ("2026065536", 0), ("2026000000", 0)]
)
def test_the_port_is_in_the_id(user: str, port: int) -> None:
    assert port_of(UserId(user)) == port


def test_a_password_hashed_before_hashes_named_their_cost_is_still_right() -> None:
    digest = hashlib.scrypt(b"secret", salt=b"s" * 16, n=1024, r=8, p=1, dklen=32)
    kept = f"{(b's' * 16).hex()}:{digest.hex()}"
    assert is_course_password("secret", kept)
    assert not is_course_password("Secret", kept)
