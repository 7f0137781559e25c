"""Bytes that were once promised stay what they are."""

from pathlib import Path

import pytest

from protocol.certificates import Role, read_certificate
from protocol.device_lists import open_device_list
from protocol.entries import BODIES, is_signed_by_author, read_entry
from protocol.framing import FrameReader
from protocol.registry import Message, Registry
from protocol.signatures import Purpose, is_signed_by
from tests.protocol import examples
from tests.protocol.strategies import all_messages
from tests.protocol.vector_files import (
    ANN_KEY,
    AUTHORITY,
    CERTIFICATES,
    EARLIER,
    FOLDER,
    LOCATOR_KEY,
    VALUES,
    as_hex,
    path_of,
    read_vector,
)

EVERY_MESSAGE = [pytest.param(*each, id=f"{each[1]:#06x} {each[2].__name__}") for each in all_messages()]
HOW = "run `python -m tests.protocol.write_vectors`"


@pytest.mark.parametrize(("registry", "number", "cls"), EVERY_MESSAGE)
def test_every_message_has_an_example_and_its_bytes_are_the_promised_ones(
    registry: Registry, number: int, cls: type[Message]
) -> None:
    assert cls in examples.MESSAGES, f"add an example of {cls.__name__} to tests/protocol/examples.py, then {HOW}"
    path = path_of(registry, number, cls)
    assert path.exists(), f"no vector {path.name}: {HOW}"
    assert examples.encode_example(registry, cls) == read_vector(path)


@pytest.mark.parametrize(("registry", "number", "cls"), EVERY_MESSAGE)
def test_the_promised_bytes_are_read_as_the_example(registry: Registry, number: int, cls: type[Message]) -> None:
    content = read_vector(path_of(registry, number, cls))
    if registry is BODIES:
        message = registry.decode_body(number, content)
    else:
        (frame,) = FrameReader(2**20).receive(content)
        assert frame.kind == number
        message = registry.decode(frame)
    assert message == examples.MESSAGES[cls]


@pytest.mark.parametrize("name", examples.EARLIER)
def test_the_bytes_of_an_earlier_version_are_still_read(name: str) -> None:
    registry, message = examples.EARLIER[name]
    (frame,) = FrameReader(2**20).receive(read_vector(EARLIER / f"{name}.hex"))
    assert registry.decode(frame) == message


@pytest.mark.parametrize("name", examples.VALUES)
def test_what_is_hashed_and_signed_has_the_promised_bytes(name: str) -> None:
    assert examples.VALUES[name] == read_vector(VALUES / f"{name}.hex")


def test_every_vector_belongs_to_something() -> None:
    wanted = {path_of(*each) for each in all_messages()}
    wanted |= {VALUES / f"{name}.hex" for name in examples.VALUES}
    wanted |= {EARLIER / f"{name}.hex" for name in examples.EARLIER}
    wanted |= {CERTIFICATES / f"{name}.hex" for name in ("authority", "locator", "ann")}
    assert set(FOLDER.rglob("*.hex")) == wanted


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.hex")), ids=lambda path: path.stem)
def test_vectors_are_kept_in_lines_of_32_bytes(path: Path) -> None:
    assert path.read_text("ascii") == as_hex(read_vector(path))


def test_the_kept_certificates_hold() -> None:
    locator = read_certificate(examples.LOCATOR_DER, examples.AUTHORITY_DER)
    ann = read_certificate(examples.ANN_DER, examples.AUTHORITY_DER)
    assert (locator.role, locator.key) == (Role.LOCATOR, LOCATOR_KEY.public)
    assert (ann.role, ann.user, ann.key) == (Role.USER, examples.ANN, ANN_KEY.public)


def test_the_kept_signatures_hold() -> None:
    challenge = read_vector(VALUES / "login_challenge.hex")
    signature = examples.LOGIN_SIGNATURE
    assert is_signed_by(ANN_KEY.public, Purpose.LOGIN, examples.REALM, challenge, signature)
    assert open_device_list(AUTHORITY.public, examples.REALM, examples.SIGNED_DEVICES) == examples.DEVICES
    for entry in (examples.FIRST, examples.SECOND):
        assert is_signed_by_author(read_entry(entry.wire), ANN_KEY.public, examples.REALM)
