"""The Bot API's facts as data (bot_api.toml), and the one check of a call against them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from simulator.errors import Refused, bad_request

SPEC = re.compile(
    r"^(?P<required>required )?(?P<kinds>(?:Array of )*[A-Z]\w*(?: \| (?:Array of )*[A-Z]\w*)*)"
    r"(?: (?P<low>\d+)-(?P<high>\d+) (?P<unit>characters|bytes))?(?: is (?P<constant>\w+))?$"
)
WHOLE = re.compile(r"^-?\d+$")
PLAIN = frozenset({"Integer", "Float", "String", "Boolean", "InputFile"})
TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

# Telegram's own words for what is missing or of the wrong length; anything else is named by its parameter.
MISSING_WORDS = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "file_id": "invalid file_id",
    "photo": "there is no photo in the request",
    "document": "there is no document in the request",
}
LENGTH_WORDS = {
    "callback_data": "BUTTON_DATA_INVALID",
    "text": "message is too long",
    "message_text": "message is too long",
    "caption": "message caption is too long",
    "answerCallbackQuery.text": "MESSAGE_TOO_LONG",
    "BotCommand.command": "BOT_COMMAND_INVALID",
    "BotCommand.description": "BOT_COMMAND_DESCRIPTION_INVALID",
}
# These lengths hold after entities are parsed, so the method itself checks them.
AFTER_PARSING = frozenset({("text", 4096), ("caption", 1024), ("message_text", 4096)})


@dataclass(frozen=True)
class Field:
    """One parameter or field: `kinds` are alternatives, `low`/`high` count UTF-16 units or bytes."""

    name: str
    kinds: tuple[str, ...]
    required: bool = False
    low: int = 0
    high: int | None = None
    unit: str = "characters"
    constant: str | None = None


@dataclass(frozen=True)
class Method:
    """One method; `counts_as_message` says that Telegram's sending limits apply."""

    name: str
    fields: Mapping[str, Field]
    required: tuple[str, ...]
    counts_as_message: bool = False


@dataclass(frozen=True)
class Facts:
    """Methods by lower-case name, types by name, unions as names of types."""

    version: str
    methods: Mapping[str, Method]
    types: Mapping[str, Mapping[str, Field]]
    unions: Mapping[str, tuple[str, ...]]


def parse_field(name: str, spec: str) -> Field:
    """`"required String 1-64 bytes"` -> Field; ValueError on what the head of bot_api.toml does not allow."""
    found = SPEC.match(spec)
    if not found:
        raise ValueError(
            f"bot_api.toml: {name} = {spec!r} is not understood; see the first lines of the file"
        )
    return Field(
        name=name,
        kinds=tuple(found["kinds"].split(" | ")),
        required=bool(found["required"]),
        low=int(found["low"] or 0),
        high=int(found["high"]) if found["high"] else None,
        unit=found["unit"] or "characters",
        constant=found["constant"],
    )


def _fields(specs: Mapping[str, str]) -> dict[str, Field]:
    return {name: parse_field(name, spec) for name, spec in specs.items()}


@lru_cache(maxsize=1)
def load() -> Facts:
    """Read the table once."""
    raw = tomllib.loads(Path(__file__).with_name("bot_api.toml").read_text(encoding="utf-8"))
    methods = {}
    for name, block in raw["methods"].items():
        fields = _fields(block.get("params", {}))
        needed = tuple(field.name for field in fields.values() if field.required)
        methods[name.lower()] = Method(name, fields, needed, block.get("counts_as_message", False))
    types = {name: _fields(block) for name, block in raw["types"].items()}
    unions = {name: tuple(members) for name, members in raw["unions"].items()}
    known = {*PLAIN, *types, *unions}
    tables: list[Mapping[str, Field]] = [*(method.fields for method in methods.values()), *types.values()]
    for table in tables:
        for field in table.values():
            unknown = {kind.rpartition("Array of ")[2] for kind in field.kinds} - known
            if unknown:
                raise ValueError(f"bot_api.toml: {field.name} is {unknown}, which has no table")
    return Facts(raw["version"], methods, types, unions)


def find(name: str) -> Method:
    """The method by its name in any case; 404 as Telegram answers when there is none."""
    method = load().methods.get(name.lower())
    if method is None:
        raise Refused(404, "Not Found: method not found")
    return method


def decode(method: Method, params: Mapping[str, Any]) -> dict[str, Any]:
    """Forms carry everything as text: numbers, truths and objects become values. Never refuses."""
    fields = method.fields
    return {
        name: _decoded(value, fields[name].kinds) if isinstance(value, str) and name in fields else value
        for name, value in params.items()
    }


def _decoded(value: str, kinds: tuple[str, ...]) -> Any:
    if "Integer" in kinds and WHOLE.match(value):
        return int(value)
    if "String" in kinds or "InputFile" in kinds:
        return value
    if kinds == ("Boolean",):
        return TRUTHS.get(value.lower(), value)
    try:
        return json.loads(value)
    except ValueError:
        return value


def check(method: Method, params: Mapping[str, Any]) -> None:
    """Refuse (400) what is unknown, missing, ill-typed or of a wrong length, through nested objects."""
    fields = method.fields
    for name, value in params.items():
        field = fields.get(name)
        if field is None:
            raise bad_request(
                f'unknown parameter "{name}" of {method.name}: add it to simulator/bot_api.toml'
            )
        if value is not None:
            _check_value(value, field, method.name)
    for name in method.required:
        if params.get(name) is None:
            raise bad_request(MISSING_WORDS.get(name, f'parameter "{name}" is required'))


def _check_value(value: Any, field: Field, path: str) -> None:
    problems = []
    for kind in field.kinds:
        problem = _problem(value, kind, path, field)
        if problem is None:
            break
        problems.append(problem)
    else:
        # The alternative that came nearest says most: a fault inside an object, not 'this is no number'.
        raise bad_request(next((p for p in problems if p[0]), problems[-1])[1])
    if isinstance(value, str):
        _check_text(value, field, path)


def _check_text(value: str, field: Field, path: str) -> None:
    if not well_formed(value):
        raise bad_request(f"{field.name} must be encoded in UTF-8")
    if field.constant is not None and value != field.constant:
        raise bad_request(f"{path}.{field.name} must be {field.constant}")
    if field.high is None or (field.name, field.high) in AFTER_PARSING:
        return
    size = len(value.encode()) if field.unit == "bytes" else utf16_length(value)
    if not field.low <= size <= field.high:
        generic = f"{field.name} must be {field.low}-{field.high} {field.unit}, this has {size}"
        raise bad_request(LENGTH_WORDS.get(f"{path}.{field.name}", LENGTH_WORDS.get(field.name, generic)))


def _problem(value: Any, kind: str, path: str, field: Field) -> tuple[bool, str] | None:
    """None when the value is of that kind; else (came near, words)."""
    if kind.startswith("Array of "):
        return _array_problem(value, kind[9:], path, field)
    if kind in {"String", "InputFile"}:
        good = isinstance(value, str)
    elif kind == "Integer":
        good = isinstance(value, int) and not isinstance(value, bool)
    elif kind == "Boolean":
        good = isinstance(value, bool)
    elif kind == "Float":
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
    else:
        return _object_problem(value, kind, path, field)
    return None if good else (False, f'parameter "{field.name}" of {path} must be {kind}')


def _array_problem(value: Any, kind: str, path: str, field: Field) -> tuple[bool, str] | None:
    if not isinstance(value, list):
        return False, f'expected an Array of {kind} as "{field.name}"'
    for item in value:
        problem = _problem(item, kind, path, field)
        if problem is not None:
            return True, problem[1]
    return None


def _object_problem(value: Any, kind: str, path: str, field: Field) -> tuple[bool, str] | None:
    if not isinstance(value, dict):
        return False, f'object expected as {kind} in "{field.name}"'
    facts = load()
    chosen = _member(value, facts.unions[kind]) if kind in facts.unions else kind
    if chosen is None:
        return False, f"can't parse {kind}: it is none of {', '.join(facts.unions[kind])}"
    fields = facts.types[chosen]
    unknown = [name for name in value if name not in fields]
    missing = [f.name for f in fields.values() if f.required and value.get(f.name) is None]
    if unknown or missing:
        near = any(name in value for name in fields)
        what = f'unknown field "{unknown[0]}"' if unknown else f'field "{missing[0]}" is required'
        return near, f"can't parse {chosen}: {what}"
    for name, inner in value.items():
        if inner is not None:
            _check_value(inner, fields[name], chosen)
    return None


def _member(value: Mapping[str, Any], members: tuple[str, ...]) -> str | None:
    types = load().types
    for name in members:
        constant = types[name].get("type")
        if constant is None or value.get("type") == constant.constant:
            return name
    return None


def well_formed(text: str) -> bool:
    """Whether it can be written as UTF-8 at all: no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def utf16_length(text: str) -> int:
    """Length as Telegram counts: UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
