"""Each number means one message, and whatever comes is that message, nothing, or the other side's fault."""

import contextlib
import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import protocol
from protocol.entries import BODIES
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.framing import Frame, FrameReader
from protocol.link_messages import LINK, Goodbye, Greeting, Keep, Lines
from protocol.locator_messages import LOCATOR, Done, Refused, Where
from protocol.registry import Message, Registry
from tests.protocol.strategies import REGISTRIES, all_messages, encode_struct, values_of

EVERY_MESSAGE = [pytest.param(r, cls, id=f"{number:#06x} {cls.__name__}") for r, number, cls in all_messages()]
EVERY_REGISTRY = [pytest.param(registry, id=registry.name) for registry in REGISTRIES]
NUMBERS = [number for _, number, _ in all_messages()]


class Note(Message, frozen=True, array_like=True):
    text: str = ""


class LongerNote(Message, frozen=True, array_like=True):
    text: str = ""
    stars: int = 0


@pytest.fixture
def notes() -> Registry:
    return Registry("notes", 0x0701, 0x07FF)


def test_a_number_used_twice_fails(notes: Registry) -> None:
    notes.register(0x0701)(Note)
    with pytest.raises(LocalProtocolError, match="twice"):
        notes.register(0x0701)(LongerNote)


def test_what_is_kept_for_later_is_taken_by_nothing_else(notes: Registry) -> None:
    notes.reserve(range(0x8710, 0x8712), "songs")
    with pytest.raises(LocalProtocolError, match="kept for songs"):
        notes.register(0x8711)(Note)
    notes.register(0x8712)(Note)
    for taken in (0x8711, 0x8712):
        with pytest.raises(LocalProtocolError, match="twice"):
            notes.reserve(range(taken, taken + 1), "dances")
    assert notes.decode(Frame(0x8710, b"")) is None, "who does not know it yet may skip it"


def test_the_numbers_of_class_spaces_and_relaying_are_kept_as_the_specification_says() -> None:
    specification = (Path(protocol.__file__).parent / "SPECIFICATION.md").read_text("utf-8")
    for registry in (LOCATOR, LINK, BODIES):
        numbers = sorted(registry.reserved)
        assert f"| {numbers[0]:#06x} to {numbers[-1]:#06x},".replace("0X", "0x") in specification
        with pytest.raises(LocalProtocolError, match="kept for"):
            registry.register(numbers[0])(LongerNote)


@pytest.mark.parametrize("number", [0, 0x0700, 0x0800, 0x8700, 0x10701])
def test_a_number_out_of_range_fails(notes: Registry, number: int) -> None:
    with pytest.raises(LocalProtocolError, match="outside"):
        notes.register(number)(Note)


def test_a_number_with_the_top_bit_is_in_the_range_of_the_one_without(notes: Registry) -> None:
    notes.register(0x8701)(Note)
    assert notes.decode(Frame(0x8701, notes.encode_body(Note("hi")))) == Note("hi")


def test_a_message_of_another_language_is_not_encoded(notes: Registry) -> None:
    with pytest.raises(LocalProtocolError):
        notes.encode(Keep())
    with pytest.raises(LocalProtocolError):
        notes.encode_body(Keep())


def test_a_registry_is_walked_in_the_order_of_numbers(notes: Registry) -> None:
    notes.register(0x0702)(LongerNote)
    notes.register(0x0701)(Note)
    assert list(notes) == [(0x0701, Note), (0x0702, LongerNote)]


@pytest.mark.parametrize("registry", EVERY_REGISTRY)
def test_an_unknown_optional_kind_is_skipped(registry: Registry) -> None:
    assert registry.decode(Frame(0xFFFF, b"anything at all")) is None


@pytest.mark.parametrize("registry", EVERY_REGISTRY)
@pytest.mark.parametrize("kind", [0, 0x7FFF])
def test_an_unknown_required_kind_is_the_other_sides_fault(registry: Registry, kind: int) -> None:
    with pytest.raises(RemoteProtocolError, match="unknown kind"):
        registry.decode(Frame(kind, b"\x90"))


def test_ranges_of_two_languages_do_not_overlap() -> None:
    ranges = sorted((registry.first, registry.last) for registry in REGISTRIES)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(ranges))


def test_a_class_has_one_number() -> None:
    classes = [cls for _, _, cls in all_messages()]
    assert len(set(classes)) == len(classes) == len(set(NUMBERS))


def test_an_older_reader_skips_fields_that_a_newer_writer_added() -> None:
    old, new = Registry("old", 1, 9), Registry("new", 1, 9)
    old.register(1)(Note)
    new.register(1)(LongerNote)
    assert old.decode_body(1, new.encode_body(LongerNote("hi", 5))) == Note("hi")
    assert new.decode_body(1, old.encode_body(Note("hi"))) == LongerNote("hi", 0)


@pytest.mark.parametrize(("registry", "cls"), EVERY_MESSAGE)
@settings(max_examples=20)
@given(data=st.data())
def test_every_message_comes_back_as_it_went(registry: Registry, cls: type[Message], data: st.DataObject) -> None:
    message = data.draw(values_of(cls))
    (frame,) = FrameReader(2**20).receive(registry.encode(message))
    assert registry.decode(frame) == message
    assert registry.decode_body(registry.number_of(cls), registry.encode_body(message)) == message


@pytest.mark.parametrize(("registry", "cls"), EVERY_MESSAGE)
@settings(max_examples=20)
@given(data=st.data())
def test_a_message_cut_short_or_with_a_tail_is_refused(
    registry: Registry, cls: type[Message], data: st.DataObject
) -> None:
    body = registry.encode_body(data.draw(values_of(cls)))
    number = registry.number_of(cls)
    for wrong in (body[: data.draw(st.integers(0, len(body) - 1))], body + b"\xc0"):
        with pytest.raises(RemoteProtocolError):
            registry.decode_body(number, wrong)


@pytest.mark.parametrize("registry", EVERY_REGISTRY)
@given(kind=st.sampled_from(NUMBERS) | st.integers(0, 0xFFFF), body=st.binary(max_size=200))
def test_garbage_gives_only_a_protocol_error(registry: Registry, kind: int, body: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        registry.decode(Frame(kind, body))


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=70),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=25,
)


@pytest.mark.parametrize("registry", EVERY_REGISTRY)
@given(kind=st.sampled_from(NUMBERS), value=PLAIN)
def test_well_formed_messagepack_of_a_wrong_shape_gives_only_a_protocol_error(
    registry: Registry, kind: int, value: object
) -> None:
    with contextlib.suppress(RemoteProtocolError):
        registry.decode(Frame(kind, msgspec.msgpack.encode(value)))


@pytest.mark.parametrize(("registry", "cls"), EVERY_MESSAGE)
@settings(max_examples=20)
@given(data=st.data())
def test_a_message_with_a_changed_byte_is_a_message_or_a_protocol_error(
    registry: Registry, cls: type[Message], data: st.DataObject
) -> None:
    body = bytearray(registry.encode_body(data.draw(values_of(cls))))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(RemoteProtocolError):
        registry.decode_body(registry.number_of(cls), bytes(body))


@pytest.mark.parametrize(("registry", "cls"), EVERY_MESSAGE)
@pytest.mark.parametrize("deep", [b"\x91" * 5_000, b"\xdc\x00\x40" + b"\x91" * 5_000, b"\x81\xa0" * 5_000])
def test_deep_nesting_is_refused(registry: Registry, cls: type[Message], deep: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        registry.decode_body(registry.number_of(cls), deep)


def test_deep_nesting_in_a_field_that_is_skipped_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="RecursionError"):
        LINK.decode_body(LINK.number_of(Goodbye), b"\x92\xa1a" + b"\x91" * 5_000 + b"\xc0")


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        LINK.decode_body(LINK.number_of(Goodbye), b"\x91\xa2\xff\xfe")
    with pytest.raises(RemoteProtocolError):
        LINK.decode_body(LINK.number_of(Goodbye), b"\x91\xa3\xed\xa0\x80")  # a lone surrogate


@pytest.mark.parametrize("claim", [b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"])
@pytest.mark.parametrize(("registry", "cls"), EVERY_MESSAGE)
def test_a_length_that_is_claimed_but_does_not_come_is_refused(
    registry: Registry, cls: type[Message], claim: bytes
) -> None:
    for body in (claim, b"\x92\x01" + claim, b"\x9f" + claim):
        with pytest.raises(RemoteProtocolError):
            registry.decode_body(registry.number_of(cls), body)


def test_the_error_does_not_quote_what_came() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        LOCATOR.decode_body(0x0103, msgspec.msgpack.encode([1, "Secret!", "secret", b"", []]))
    assert "secret" not in str(caught.value).lower()


def array_with(cls: type[Message], **changed: Any) -> bytes:
    """Return the bytes of a message (made from nothing but its smallest values) with some fields changed."""
    fields = msgspec.structs.fields(cls)
    assert set(changed) <= {field.name for field in fields}
    return msgspec.msgpack.encode([changed[field.name] for field in fields if field.name in changed])


@pytest.mark.parametrize("version", [0, -1, 0x10000, 2**63, True, 1.5, "1", None])
def test_a_number_out_of_its_bounds_or_of_another_type_is_refused(version: object) -> None:
    with pytest.raises(RemoteProtocolError):
        LINK.decode_body(LINK.number_of(Greeting), array_with(Greeting, version=version, software=""))


@pytest.mark.parametrize("wait", [float("nan"), float("inf"), -1.0, 1e9])
def test_a_wait_that_is_no_sensible_number_of_seconds_is_refused(wait: float) -> None:
    body = array_with(Refused, tag=1, code="refused", message="", retry_after=wait)
    with pytest.raises(RemoteProtocolError):
        LOCATOR.decode_body(LOCATOR.number_of(Refused), body)


@pytest.mark.parametrize("user", ["", "Ann", "-ann", "ann\n", "a" * 33, "änn", b"ann", 7])
def test_a_user_id_of_another_form_is_refused(user: object) -> None:
    with pytest.raises(RemoteProtocolError):
        LOCATOR.decode_body(LOCATOR.number_of(Where), array_with(Where, tag=1, users=[user]))


def test_too_many_users_in_one_question_are_refused() -> None:
    number = LOCATOR.number_of(Where)
    assert LOCATOR.decode_body(number, array_with(Where, tag=1, users=["a"] * 1_000))
    with pytest.raises(RemoteProtocolError):
        LOCATOR.decode_body(number, array_with(Where, tag=1, users=["a"] * 1_001))


@pytest.mark.parametrize("length", [0, 7, 9])
def test_a_mask_of_another_length_is_refused(length: int) -> None:
    body = array_with(Lines, conversation=bytes(32), mask=bytes(length), lines=[], answer=False)
    with pytest.raises(RemoteProtocolError):
        LINK.decode_body(LINK.number_of(Lines), body)


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    line = [bytes(48), 1, 9, bytes(32), False, [[5, 4]]]
    body = array_with(Lines, conversation=bytes(32), mask=bytes(8), lines=[line], answer=False)
    with pytest.raises(RemoteProtocolError):
        LINK.decode_body(LINK.number_of(Lines), body)
    with pytest.raises(RemoteProtocolError):
        LINK.decode_body(0x020A, msgspec.msgpack.encode([bytes(32), [[bytes(48), [[5, 4]]]]]))


def test_a_message_is_an_array_of_its_fields_in_order() -> None:
    assert LOCATOR.encode(Done(7)) == bytes.fromhex("00000002 010b 91 07")
    assert encode_struct(Goodbye("leaving")) == b"\x91\xa7leaving"


def test_a_map_is_no_message() -> None:
    with pytest.raises(RemoteProtocolError):
        LOCATOR.decode_body(LOCATOR.number_of(Done), msgspec.msgpack.encode({"tag": 7}))


def test_bodies_of_unknown_optional_kinds_are_skipped_and_of_unknown_required_ones_refused() -> None:
    assert BODIES.decode_body(0x83FF, b"\xff") is None
    with pytest.raises(RemoteProtocolError):
        BODIES.decode_body(0x03FF, b"\x90")
