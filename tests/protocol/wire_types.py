"""Says a field's type and limits as the specification does, from the type that the decoder checks."""

from typing import Any

import msgspec
from msgspec import inspect

from protocol import limits

_LARGEST = {limits.LARGEST_NUMBER: "2^53-1", 0xFFFFFFFF: "2^32-1"}


def fields_of(cls: type[msgspec.Struct]) -> list[tuple[str, str]]:
    """Return (name, type) of every field in the order of the wire."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    return [(field.name, _with_default(field)) for field in info.fields]


def parts_of(cls: type[msgspec.Struct]) -> set[type[msgspec.Struct]]:
    """Return the structs of which a message is made, itself not among them."""
    found: set[type[msgspec.Struct]] = set()
    waiting: list[inspect.Type] = [inspect.type_info(cls)]
    while waiting:
        info = waiting.pop()
        match info:
            case inspect.StructType():
                if info.cls not in found:
                    found.add(info.cls)
                    waiting += [field.type for field in info.fields]
            case inspect.VarTupleType():
                waiting.append(info.item_type)
            case inspect.UnionType():
                waiting += info.types
    return found - {cls}


def _with_default(field: inspect.Field) -> str:
    said = say_type(field.type)
    return said if field.required else f"{said}, else {_say_value(field.default)}"


def say_type(info: inspect.Type) -> str:
    """Return a type in words; raise TypeError for one that the specification has no words for."""
    match info:
        case inspect.IntType():
            return f"int {info.ge} to {_LARGEST.get(info.le or 0, info.le)}"
        case inspect.FloatType():
            return f"float {info.ge:g} to {info.le:g}"
        case inspect.BoolType():
            return "bool"
        case inspect.StrType():
            return f"text ≤ {info.max_length}"
        case inspect.BytesType():
            exact = info.min_length == info.max_length
            return f"bytes {info.max_length}" if exact else f"bytes ≤ {info.max_length}"
        case inspect.CustomType() | inspect.StructType():
            return str(info.cls.__name__)
        case _:
            return _say_joined(info)


def _say_joined(info: inspect.Type) -> str:
    match info:
        case inspect.TupleType(item_types=(inspect.IntType(), inspect.IntType())):
            return "Range"
        case inspect.VarTupleType():
            return f"array ≤ {info.max_length} of {say_type(info.item_type)}"
        case inspect.UnionType(types=(one, inspect.NoneType())) | inspect.UnionType(types=(inspect.NoneType(), one)):
            return f"{say_type(one)} or nil"
        case _:
            raise TypeError(f"no words for {info}")


def _say_value(value: Any) -> str:
    return {"None": "nil", "False": "false", "True": "true", "()": "[]", "b''": "no bytes", "''": "no text"}.get(
        repr(value), f"{value!r}"
    )
