"""Makes any value of the wire for hypothesis, from the very types that the decoder checks."""

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

import protocol.act_bodies
import protocol.call_bodies
import protocol.call_messages
import protocol.group_bodies  # noqa: F401 - as above
from protocol import identity
from protocol.entries import BODIES
from protocol.file_messages import FILE
from protocol.link_messages import LINK, Range
from protocol.locator_messages import LOCATOR
from protocol.registry import Message, Registry

REGISTRIES: tuple[Registry, ...] = (LOCATOR, LINK, FILE, BODIES)
MOST_ITEMS = 4
"""Longest array and text made: the limits themselves have tests of their own."""
MOST_CHARACTERS = 40

USER_IDS = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,31}", fullmatch=True).map(identity.UserId)


def all_messages() -> list[tuple[Registry, int, type[Message]]]:
    """Return (registry, number, class) of every message and entry body."""
    return [(registry, number, cls) for registry in REGISTRIES for number, cls in registry]


def values_of(wanted: type) -> st.SearchStrategy[Any]:
    """Return a strategy for a msgspec struct; raise TypeError for a type nobody taught it."""
    return _of_type(inspect.type_info(wanted))


def ranges() -> st.SearchStrategy[Range]:
    """Return first and last number, in this order."""
    number = st.integers(1, 2**53 - 1)
    return st.tuples(number, number).map(lambda pair: (min(pair), max(pair)))


def _of_type(info: inspect.Type) -> st.SearchStrategy[Any]:
    if type(info) in _OF_PLAIN_TYPE:
        return _OF_PLAIN_TYPE[type(info)](info)
    match info:
        case inspect.TupleType(item_types=(inspect.IntType(), inspect.IntType())):
            return ranges()
        case inspect.VarTupleType():
            most = MOST_ITEMS if info.max_length is None else min(MOST_ITEMS, info.max_length)
            return st.lists(_of_type(info.item_type), max_size=most).map(tuple)
        case inspect.UnionType():
            return st.one_of([_of_type(each) for each in info.types])
        case inspect.StructType():
            return st.builds(info.cls, **{field.name: _of_type(field.type) for field in info.fields})
        case inspect.CustomType():
            return _of_name(info.cls)
        case _:
            raise TypeError(f"no strategy for {info}")


_OF_PLAIN_TYPE: dict[type, Callable[[Any], st.SearchStrategy[Any]]] = {
    inspect.IntType: lambda info: st.integers(info.ge, info.le),
    inspect.FloatType: lambda info: st.floats(info.ge, info.le, allow_nan=False, allow_infinity=False),
    inspect.BoolType: lambda info: st.booleans(),
    inspect.NoneType: lambda info: st.none(),
    inspect.StrType: lambda info: st.text(max_size=_at_most(info.max_length)),
    inspect.BytesType: lambda info: st.binary(
        min_size=info.min_length or 0, max_size=max(info.min_length or 0, _at_most(info.max_length))
    ),
}


def _of_name(cls: type) -> st.SearchStrategy[Any]:
    if cls is identity.UserId:
        return USER_IDS
    if issubclass(cls, bytes) and cls in identity.CUSTOM_TYPES:
        length: int = cls.LENGTH  # type: ignore[attr-defined]  # all names of bytes have one
        return st.binary(min_size=length, max_size=length).map(cls)
    raise TypeError(f"no strategy for {cls}")


def _at_most(length: int | None) -> int:
    return MOST_CHARACTERS if length is None else min(length, MOST_CHARACTERS)


def encode_struct(value: msgspec.Struct) -> bytes:
    """Return the MessagePack bytes of a value that is part of messages."""
    return msgspec.msgpack.encode(value, enc_hook=identity.to_builtin)
