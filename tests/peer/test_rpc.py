"""The rpc's lines: whatever is sent, each is answered with one line of JSON, and nothing is a traceback."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from peer.call_views import CallEnd, CallId, CallLevel, CallLevelsView, CallState, CallView
from peer.command_line import json_rpc
from peer.command_line.__main__ import _parser
from peer.command_line.json_rpc import METHODS, NOUNS, answer, notification, overlong
from peer.command_line.parameters import Parameters
from peer.command_line.rpc import LineSplitter
from peer.errors import Refusal, RefusalCode
from peer.events import EVENT_TYPES, Disconnected, Event, Warned
from peer.node import PeerNode
from peer.views import (
    AttachmentView,
    Consent,
    ContactView,
    ConversationId,
    ConversationView,
    DeviceId,
    EntryId,
    GroupView,
    MemberView,
    MessageKind,
    MessageState,
    MessageView,
    PlaybackView,
    RecordingView,
    SessionView,
    TransferState,
    TypingView,
    UserId,
    VoiceFile,
    VoiceTrialView,
)

LONGEST = 20
DEEP = 100_000
NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
ANA, CONVERSATION, ENTRY = UserId("ana"), ConversationId(b"c" * 32), EntryId(b"e" * 16)


@pytest.fixture
def node(tmp_path: Path) -> PeerNode:
    """A node that is not signed in."""
    return PeerNode(tmp_path / "profile")


async def _answered(node: PeerNode, line: bytes | dict[str, Any]) -> Any:
    reply = await answer(node, line if isinstance(line, bytes) else json.dumps(line).encode())
    if reply is None:
        return None
    assert b"\n" not in reply, "one object a line"
    return json.loads(reply)


# --- lines -----------------------------------------------------------------------------------


def _cut(stream: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(stream) + 1) for place in places} | {len(stream)})
    return [stream[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


@given(st.lists(st.binary(max_size=3 * LONGEST).map(lambda line: line.replace(b"\n", b" "))), st.lists(st.integers(0)))
@example([b"x" * LONGEST, b"x" * (LONGEST + 1), b"after"], [LONGEST, LONGEST + 1, 2 * LONGEST])
def test_any_cut_gives_the_same_lines_and_an_overlong_one_is_told_once(lines: list[bytes], places: list[int]) -> None:
    splitter = LineSplitter(LONGEST)
    chunks = _cut(b"".join(line + b"\n" for line in lines), places)
    assert [line for chunk in chunks for line in splitter.add(chunk)] == [
        line if len(line) <= LONGEST else None for line in lines
    ]


def test_an_endless_line_is_not_collected() -> None:
    splitter = LineSplitter(LONGEST)
    assert [splitter.add(b"x" * 15) for _ in range(1_000)] == [[]] * 1_000
    assert len(splitter._rest) <= LONGEST
    assert splitter.add(b"x\nnext\n") == [None, b"next"]


def test_an_overlong_line_is_answered_in_words() -> None:
    error = json.loads(overlong())["error"]
    assert error["data"]["code"] == RefusalCode.TOO_LARGE


# --- requests --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (b"", json_rpc.PARSE_ERROR),
        (b"{", json_rpc.PARSE_ERROR),
        (b"no json", json_rpc.PARSE_ERROR),
        (b"\xff\xfe", json_rpc.PARSE_ERROR),
        (b'{"method": "\xff", "id": 1}', json_rpc.PARSE_ERROR),
        (b'{"method": "where", "id": "\\ud800"}', json_rpc.PARSE_ERROR),
        (b'{"a": ' * DEEP, json_rpc.PARSE_ERROR),
        (b'{"method": "where", "id": 1, "params": ' + b"[" * DEEP + b"]" * DEEP + b"}", json_rpc.PARSE_ERROR),
        (b"[]", json_rpc.INVALID_REQUEST),
        (b"1", json_rpc.INVALID_REQUEST),
        (b"[" * DEEP, json_rpc.INVALID_REQUEST),
        (b'{"id": 1}', json_rpc.INVALID_REQUEST),
        (b'{"id": 1, "method": 1}', json_rpc.INVALID_REQUEST),
        (b'{"id": 1.5, "method": "where"}', json_rpc.INVALID_REQUEST),
        (b'{"id": {}, "method": "where"}', json_rpc.INVALID_REQUEST),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else str(value),
)
async def test_what_is_no_request_is_told_without_an_id(node: PeerNode, line: bytes, number: int) -> None:
    reply = await _answered(node, line)
    assert (reply["id"], reply["error"]["code"]) == (None, number)
    assert reply["error"]["data"]["code"] == RefusalCode.BAD_REQUEST


@pytest.mark.parametrize("identifier", [0, -1, "a", "", "陈", 2**63, None])
async def test_an_answer_carries_the_id_of_its_request(node: PeerNode, identifier: int | str | None) -> None:
    reply = await _answered(node, {"jsonrpc": "2.0", "id": identifier, "method": "session.status"})
    assert reply == {"jsonrpc": "2.0", "id": identifier, "result": None}


async def test_an_unknown_method_is_told_with_a_way_to_learn_the_known_ones(node: PeerNode) -> None:
    error = (await _answered(node, {"id": 1, "method": "messages.vanish"}))["error"]
    assert error["code"] == json_rpc.METHOD_NOT_FOUND
    assert "--help" in error["message"]


@pytest.mark.parametrize("method", ["__class__", "close", "log_in", "session", "session.login.x", "", "where "])
async def test_only_the_table_can_be_called(node: PeerNode, method: str) -> None:
    assert (await _answered(node, {"id": 1, "method": method}))["error"]["code"] == json_rpc.METHOD_NOT_FOUND


PORT = {"locator": "127.0.0.1:1", "user": "ana", "password": "correct horse"}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("where", {}),
        ("where", None),
        ("where", [["ana"]]),
        ("where", {"users": "ana"}),
        ("where", {"users": [1]}),
        ("where", {"users": ["ana"], "more": 1}),
        ("session.status", {"more": 1}),
        ("messages.list", {"conversation": "zz"}),
        ("messages.list", {"conversation": "ab"}),
        ("messages.list", {"conversation": "ab" * 32, "limit": "many"}),
        ("messages.list", {"conversation": "ab" * 32, "before": 7}),
        ("messages.send", {"conversation": "ab" * 32}),
        ("session.login", PORT | {"listen_port": 65536}),
        ("session.login", PORT | {"listen_port": -1}),
        ("session.login", PORT | {"voice_port": 10**30}),
        ("session.register", PORT | {"voice_port": 65536}),
    ],
    ids=str,
)
async def test_wrong_parameters_are_told_with_the_methods_name(node: PeerNode, method: str, params: object) -> None:
    error = (await _answered(node, {"id": 1, "method": method, "params": params}))["error"]
    assert error["code"] == json_rpc.INVALID_PARAMS
    assert method in error["message"]


@pytest.mark.parametrize("method", ["session.status", "messages.vanish", "where", "contacts.list"])
async def test_a_request_without_an_id_gets_no_answer_even_when_refused(node: PeerNode, method: str) -> None:
    assert await _answered(node, {"jsonrpc": "2.0", "method": method}) is None


@pytest.mark.parametrize("locator", ["a..b", ".", "x" * 64, "[..]", "h:0"])
async def test_a_host_that_cannot_be_asked_for_is_a_bad_address(node: PeerNode, locator: str) -> None:
    params = {"locator": locator, "user": "ana", "password": "correct horse"}
    error = (await _answered(node, {"id": 1, "method": "session.login", "params": params}))["error"]
    assert (error["code"], error["data"]["code"]) == (json_rpc.REFUSED, RefusalCode.BAD_ADDRESS)


async def test_a_refusal_says_its_code_and_when_to_try_again(node: PeerNode, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise Refusal(RefusalCode.RATE_LIMITED, "Wait a moment.", retry_after=2.5)

    monkeypatch.setitem(METHODS, "where", METHODS["where"]._replace(call=refuse))
    error = (await _answered(node, {"id": 1, "method": "where", "params": {"users": []}}))["error"]
    assert error == {
        "code": json_rpc.REFUSED,
        "message": "Wait a moment.",
        "data": {"code": "rate_limited", "retry_after": 2.5},
    }


async def test_what_nobody_foresaw_is_logged_and_not_shown(
    node: PeerNode, monkeypatch: pytest.MonkeyPatch, expected_log: list[str]
) -> None:
    expected_log.append("where failed")

    async def fail(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setitem(METHODS, "where", METHODS["where"]._replace(call=fail))
    error = (await _answered(node, {"id": 1, "method": "where", "params": {"users": []}}))["error"]
    assert error["data"]["code"] == RefusalCode.REFUSED
    assert "secret" not in json.dumps(error)


SIGNED_IN_ONLY = sorted(
    METHODS.keys() - {"session.register", "session.login", "session.login_again", "session.logout", "session.status"}
)
EXAMPLES = {"users": ["bo"], "user": "bo", "conversation": "ab" * 32, "entry": "ab" * 16, "text": "hello"}
EXAMPLES |= {
    "old": "correct horse",
    "new": "battery staple",
    "path": "/tmp/x",
    "name": "Lab 3",
    "members": ["bo"],
    "emoji": "👍",
    "call": "cd" * 16,
}


@pytest.mark.parametrize("method", SIGNED_IN_ONLY)
async def test_whoever_is_not_signed_in_is_told_so(node: PeerNode, method: str) -> None:
    needed = [field for field in msgspec.structs.fields(METHODS[method].parameters) if field.required]
    params = {field.name: EXAMPLES[field.name] for field in needed}
    error = (await _answered(node, {"id": 1, "method": method, "params": params}))["error"]
    assert error["data"]["code"] == RefusalCode.NOT_SIGNED_IN


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_NEARLY = st.fixed_dictionaries(
    {"method": st.sampled_from(["session.status", "where", "messages.list", "x"]) | _JSON},
    optional={"id": _JSON, "jsonrpc": _JSON, "params": _JSON | st.fixed_dictionaries({"users": _JSON})},
).map(lambda request: json.dumps(request).encode())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary() | _NEARLY)
def test_any_line_is_answered_with_json_or_not_at_all(tmp_path: Path, line: bytes) -> None:
    work = _answered(PeerNode(tmp_path / "profile"), line)
    with pytest.raises(StopIteration) as done:  # nothing here waits for anything, so no loop is needed
        work.send(None)
    reply = done.value.value
    assert reply is None or ("error" in reply) != ("result" in reply)


# --- the table -------------------------------------------------------------------------------


def test_every_method_takes_its_parameters_by_name_and_refuses_others() -> None:
    for name, method in METHODS.items():
        assert issubclass(method.parameters, Parameters), name
        assert method.parameters.__struct_config__.forbid_unknown_fields, name


def test_help_names_every_method_with_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        _parser().parse_args(["--profile", "x", "rpc", "--help"])
    assert done.value.code == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for name, method in METHODS.items():
        (line,) = (words for words in lines if words[:1] == [name])
        assert [word.rstrip(",") for word in line[1:]] == list(method.parameters.__struct_fields__)


def test_help_names_every_state(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["--profile", "x", "rpc", "--help"])
    words = set(re.split(r"[\s,;:]+", capsys.readouterr().out))
    assert {str(state) for state in (*MessageState, *Consent, *TransferState, *CallState, *CallEnd)} <= words


@pytest.mark.parametrize("arguments", [[], ["rpc"], ["--profile", "x"], ["--profile", "x", "fly"]])
def test_wrong_usage_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        _parser().parse_args(arguments)
    assert done.value.code == 2
    assert "usage:" in capsys.readouterr().err


# --- events ----------------------------------------------------------------------------------

MESSAGE = MessageView(
    ENTRY, CONVERSATION, ANA, "Ana", True, MessageKind.TEXT, "line one\nline two \u2028", NOW, MessageState.SENT, 1
)
ATTACHMENT = AttachmentView("slides.pdf", 10, 1, TransferState.LOADING, 4, thumbnail=b"jpeg")
CONTACT = ContactView(ANA, "Ana", Consent.FRIENDS, "", True, NOW, True, False, False, False, CONVERSATION)
VIEWS: dict[str, object] = {
    "message": MESSAGE,
    "contact": CONTACT,
    "group": GroupView(CONVERSATION, "Lab 3", ANA, (MemberView(ANA, "Ana", manager=True, online=True),)),
    "conversation": ConversationView(CONVERSATION, "Ana", ANA, (ANA,), 0, MESSAGE, True, True),
    "session": SessionView(
        user=ANA,
        name="Ana",
        device=DeviceId(b"d" * 32),
        locator="hail://h:1",
        connected=True,
        superseded=False,
        must_sign_in=False,
        listen_port=1,
        voice_port=2,
        links=0,
    ),
    "recording": RecordingView(1.5, 40, is_over=True, voice=VoiceFile("a.opus", 1.5, b"\x00\xff", 4_000)),
    "trial": VoiceTrialView(100, "The microphone is not here."),
    "playback": PlaybackView("a.opus", 0.5, 1.5, 2.0),
    "call": CallView(
        call=CallId(b"c" * 16),
        conversation=CONVERSATION,
        with_=UserId("bo"),
        title="Bo",
        is_group=False,
        is_incoming=True,
        state=CallState.ENDED,
        reason=CallEnd.MISSED,
        message="You missed a call of Bo.",
        rang_at=NOW,
        ended_at=NOW,
    ),
    "levels": CallLevelsView(CallId(b"c" * 16), 40, speaks=True, people=(CallLevel(UserId("bo"), 0, speaks=False),)),
    "typing": TypingView(CONVERSATION, UserId("bo"), "Bo"),
    "code": RefusalCode.DISK_FULL,
    "reason": "why",
}


def _example(kind: type[Event]) -> Event:
    if kind is Warned:
        return Warned(RefusalCode.DISK_FULL, "Free some space.")
    if NOUNS[kind] == "transfer":
        return kind(message=msgspec.structs.replace(MESSAGE, kind=MessageKind.FILE, attachment=ATTACHMENT))  # type: ignore[call-arg]
    return kind(**{name: VIEWS[name] for name in kind.__struct_fields__})


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.__name__)
def test_every_event_carries_a_view_under_its_noun(kind: type[Event]) -> None:
    line = notification(_example(kind))
    assert b"\n" not in line
    told = json.loads(line)
    assert (told["jsonrpc"], told["method"], told["params"]["type"]) == ("2.0", "event", kind.type)
    assert "id" not in told
    assert isinstance(told["params"][NOUNS[kind]], dict)


def test_every_event_type_is_in_the_table_under_a_name_of_its_own() -> None:
    assert set(NOUNS) == set(EVENT_TYPES) == set(Event.__subclasses__())
    assert len({kind.type for kind in EVENT_TYPES}) == len(EVENT_TYPES)


def test_a_call_is_told_with_whom_it_is_and_how_it_stands() -> None:
    told = next(json.loads(notification(_example(kind))) for kind in EVENT_TYPES if kind.type == "call_ended")
    call = told["params"]["call"]
    assert (call["call"], call["conversation"]) == ((b"c" * 16).hex(), CONVERSATION.hex())
    assert (call["with"], call["state"], call["reason"]) == ("bo", "ended", "missed")


def test_a_transfer_is_told_with_its_entry_and_how_far_it_is() -> None:
    told = next(json.loads(notification(_example(kind))) for kind in EVENT_TYPES if kind.type == "transfer_progressed")
    transfer = told["params"]["transfer"]
    assert (transfer["entry"], transfer["done"], transfer["size"]) == (ENTRY.hex(), 4, 10)
    assert (transfer["state"], transfer["path"], transfer["received"]) == ("loading", "", False)
    assert "thumbnail" not in transfer, "four times a second is too often for that"


def test_identifiers_are_hex_and_times_have_a_zone() -> None:
    (message,) = (
        json.loads(notification(_example(kind)))["params"]["message"]
        for kind in EVENT_TYPES
        if kind.type == "message_read"
    )
    assert (message["entry"], message["conversation"]) == (ENTRY.hex(), CONVERSATION.hex())
    assert datetime.fromisoformat(message["written_at"]) == NOW
    assert message["text"] == MESSAGE.text


def test_a_lost_locator_is_told_with_code_and_reason() -> None:
    params = json.loads(notification(_example(Disconnected)))["params"]
    assert (params["code"], params["reason"]) == ("disk_full", "why")
