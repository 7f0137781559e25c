"""The specification says what the code does: every message, field, limit, code and quoted byte."""

import re
from pathlib import Path

import msgspec
import pytest

from protocol.call_messages import CallWord
from protocol.call_states import CallEnd, CallState, diagram
from protocol.consent import Consent
from protocol.device_lists import DeviceList
from protocol.entries import Header
from protocol.errors import RefusalCode
from protocol.locator_messages import LOCATOR
from protocol.manifests import FileLine, PieceTable
from protocol.signatures import Purpose
from protocol.statements import HeldLine, Statement
from tests.protocol.strategies import all_messages
from tests.protocol.vector_files import FOLDER
from tests.protocol.wire_types import fields_of, parts_of

SPECIFICATION = Path(__file__).parents[2] / "protocol" / "SPECIFICATION.md"
TEXT = SPECIFICATION.read_text("utf-8")
SECTIONS = {
    section.partition("\n")[0].strip(): section.partition("\n")[2]
    for section in re.split(r"^#{2,4} ", TEXT, flags=re.MULTILINE)[1:]
}
MESSAGES = {f"0x{number:04X} {cls.__name__}": cls for _, number, cls in all_messages()}
PARTS = {part.__name__: part for cls in MESSAGES.values() for part in parts_of(cls)}
PARTS |= {"Header": Header, "DeviceList": DeviceList, "PieceTable": PieceTable, "FileLine": FileLine}
PARTS |= {"Statement": Statement, "HeldLine": HeldLine}
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+?) \| ([^|]+?) \|$", re.MULTILINE)
QUOTE = re.compile(r"^```hex (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_message_has_one_heading_and_there_is_none_without_a_message() -> None:
    headings = re.findall(r"^#+ (0x\w+.*)$", TEXT, re.MULTILINE)
    assert sorted(headings) == sorted(MESSAGES)


@pytest.mark.parametrize(("heading", "cls"), sorted((MESSAGES | PARTS).items()))
def test_the_fields_of_a_section_are_those_of_the_class(heading: str, cls: type[msgspec.Struct]) -> None:
    assert heading in SECTIONS, f"SPECIFICATION.md has no section `{heading}`"
    told = [(name, said) for name, said, _ in ROW.findall(SECTIONS[heading])]
    assert told == fields_of(cls)


@pytest.mark.parametrize(("path", "quoted"), QUOTE.findall(TEXT))
def test_quoted_bytes_are_those_of_the_vector(path: str, quoted: str) -> None:
    assert quoted == (FOLDER / f"{path}.hex").read_text("ascii")


def test_some_vectors_are_quoted() -> None:
    quoted = {path for path, _ in QUOTE.findall(TEXT)}
    assert {"values/Header", "values/digest_root_of_nothing", "locator/0x0107_Where"} <= quoted


def rows_of(heading: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", SECTIONS[heading], re.MULTILINE)


def test_every_refusal_code_is_told() -> None:
    assert rows_of("Refusal codes") == [code.value for code in RefusalCode]


def test_every_state_of_consent_is_told() -> None:
    assert sorted(rows_of("States of consent")) == sorted(state.value for state in Consent)


def test_every_state_and_end_of_a_call_is_told() -> None:
    assert rows_of("States of a call") == list(CallState)
    assert rows_of("How a call ended") == list(CallEnd)
    assert rows_of("0x8235 CallOver")[3:] == list(CallWord)


def test_the_diagram_of_a_call_is_that_of_the_table() -> None:
    drawn = re.findall(r"^```mermaid\n(.*?)\n```$", SECTIONS["States of a call"], re.MULTILINE | re.DOTALL)
    assert drawn == [diagram()], "renew it with `python -m tests.protocol.write_diagrams`"


def test_every_purpose_of_a_signature_is_told() -> None:
    assert rows_of("Signatures") == [purpose.value.decode().replace("\0", "\\0") for purpose in Purpose]


def test_every_answer_and_question_of_the_locator_says_who_sends_it() -> None:
    for number, cls in LOCATOR:
        section = SECTIONS[f"0x{number:04X} {cls.__name__}"]
        assert re.match(r"\n(Peer|Locator) → (locator|peer)", section), cls.__name__
