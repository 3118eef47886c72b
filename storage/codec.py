"""Dataclass values <-> column values, decided once per field from its type and never per row.

Instants are stored as whole microseconds since 1970 (BIGINT): both databases sort and compare them exactly,
and no session time zone can touch them. Dates and times are ISO text; whatever has parts is JSON text.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from sqlalchemy import BigInteger, Boolean, Float, Text
from sqlalchemy.types import TypeEngine

from referrals.errors import BadAnswer

Convert = Callable[[Any], Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_JSON = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


class Column(NamedTuple):
    """How one field is stored. `encode`/`decode` never see None."""

    name: str
    type: TypeEngine[Any]
    optional: bool
    encode: Convert
    decode: Convert | None  # None: the driver's value is the field's value


def instant_in(value: datetime) -> int:
    """Microseconds since 1970 of an aware datetime. Raises ValueError for a naive one."""
    if value.tzinfo is None:
        raise ValueError("an instant without a time zone cannot be stored")
    return (value - _EPOCH) // _MICROSECOND


def instant_out(value: int) -> datetime:
    """The aware UTC datetime of that many microseconds."""
    return _EPOCH + timedelta(microseconds=value)


def text_in(value: str) -> str:
    """A text that both databases take; BadAnswer for NUL and for halves of surrogate pairs.

    SQLite would store NUL and PostgreSQL refuses it: refusing here keeps the two alike.
    """
    if "\x00" in value or not (value.isascii() or _encodable(value)):
        raise BadAnswer("a text holds a character that cannot be stored")
    return value


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def columns_of(kind: type[Any]) -> tuple[Column, ...]:
    """The columns of a dataclass, in the order of its fields. TypeError for a type with no rule here."""
    hints = get_type_hints(kind)
    return tuple(_column(f.name, hints[f.name]) for f in fields(kind))


def _column(name: str, hint: Any) -> Column:
    inner, optional = _without_none(hint)
    if inner is datetime:
        return Column(name, BigInteger(), optional, instant_in, instant_out)
    if inner is bool:
        return Column(name, Boolean(), optional, bool, bool)
    if inner is int:
        return Column(name, BigInteger(), optional, int, None)
    if inner is float:
        return Column(name, Float(), optional, float, None)
    if inner is str:
        return Column(name, Text(), optional, text_in, None)
    if inner in (date, time):
        return Column(name, Text(), optional, inner.isoformat, inner.fromisoformat)
    if isinstance(inner, type) and issubclass(inner, StrEnum):
        return Column(name, Text(), optional, str, inner)
    return Column(name, Text(), optional, *json_codec(inner))


def json_codec(hint: Any) -> tuple[Convert, Convert]:
    """To and from JSON text for a type made of tuples, mappings, frozensets and dataclasses."""
    into, out = _part_in(hint), _part_out(hint)
    empty = out([]) if _sequence_part(hint) is not None else None

    def encode(value: Any) -> str:
        return _JSON.encode(into(value))

    def decode(value: str) -> Any:
        # Most wishes are 'none': a batch of people would read two hundred empty lists.
        return empty if value == "[]" and empty is not None else out(json.loads(value))

    return encode, decode


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        parts = [part for part in get_args(hint) if part is not type(None)]
        if len(parts) != 1:
            raise TypeError(f"no rule to store {hint}")
        return parts[0], True
    return hint, False


def _same(value: Any) -> Any:
    return value


def _sequence_part(hint: Any) -> Any:
    """The type of the parts of tuple[X, ...] or frozenset[X]; None for other types."""
    if get_origin(hint) in (tuple, frozenset):
        return get_args(hint)[0]
    return None


def _part_in(hint: Any) -> Convert:  # noqa: PLR0911 - one return for each kind of type
    """A function from a value of this type to what `json` can write."""
    hint, optional = _without_none(hint)
    if optional:
        inner = _part_in(hint)
        return lambda value: None if value is None else inner(value)
    if hint in (str, int, float, bool):
        return _same
    if hint is datetime:
        return instant_in
    if hint in (date, time):
        return lambda value: value.isoformat()
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return str
    if (part := _sequence_part(hint)) is not None:
        one = _part_in(part)
        if get_origin(hint) is frozenset:
            return lambda value: sorted(one(v) for v in value)
        return lambda value: [one(v) for v in value]
    if _is_mapping(hint):
        of = _part_in(get_args(hint)[1])
        return lambda value: {k: of(value[k]) for k in sorted(value)}
    if is_dataclass(hint):
        return _dataclass_in(hint)
    raise TypeError(f"no rule to store {hint}")


def _dataclass_in(hint: Any) -> Convert:
    """Without what stands at its default: a reminder's buttons are most of what an outbox holds."""
    hints = get_type_hints(hint)
    parts = [(f.name, _part_in(hints[f.name]), _default(f)) for f in fields(hint)]

    def of_dataclass(value: Any) -> dict[str, Any]:
        return {
            name: into(part) for name, into, default in parts if (part := getattr(value, name)) != default
        }

    return of_dataclass


def _default(field: Field[Any]) -> Any:
    """What a field is where nobody says; a value that equals nothing else where it must be said."""
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING


def _part_out(hint: Any) -> Convert:
    """The other way: from what `json` read to a value of this type."""
    hint, optional = _without_none(hint)
    if optional:
        inner = _part_out(hint)
        return lambda value: None if value is None else inner(value)
    if hint in (str, int, float, bool):
        return _same
    if hint is datetime:
        return instant_out
    if hint in (date, time):
        read: Convert = hint.fromisoformat
        return read
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if (part := _sequence_part(hint)) is not None:
        one, make = _part_out(part), get_origin(hint)
        return lambda value: make(one(v) for v in value)
    if _is_mapping(hint):
        of = _part_out(get_args(hint)[1])
        return lambda value: {k: of(v) for k, v in value.items()}
    if is_dataclass(hint):
        parts = [(name, _part_out(t)) for name, t in get_type_hints(hint).items()]
        kind: Any = hint
        return lambda value: kind(**{name: out(value[name]) for name, out in parts if name in value})
    raise TypeError(f"no rule to store {hint}")


def _is_mapping(hint: Any) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)
