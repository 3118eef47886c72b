"""Reading TOML so that every mistake is found at once, with its place and a way to mend it.

A `Block` is one table of a file. Each key is asked for once, with its type; a wrong or missing one is noted
and a stand-in is returned, so that reading goes on. `Faults.stop` then raises all of them as one
ConfigurationError: what was read before it raised is never used.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from difflib import get_close_matches
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TypeVar

from referrals.errors import ConfigurationError

E = TypeVar("E", bound=StrEnum)

# Ids stand in button data (64 bytes), file names and text keys, so they are short and plain.
ID = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
ID_LIMIT = 40
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_LINE = re.compile(r"\(at line (\d+), column \d+\)")


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake: what a person can open, what is wrong there, what to do."""

    where: str
    what: str
    mend: str


@dataclass(slots=True)
class Faults:
    """The mistakes found so far."""

    found: list[Fault] = field(default_factory=list)

    def add(self, where: str, what: str, mend: str) -> None:
        fault = Fault(where, what, mend)
        if fault not in self.found:  # a block that stands for several rows says it only once
            self.found.append(fault)

    def unknown(self, where: str, what: str, value: str, known: Iterable[str]) -> None:
        """Something names what does not exist; the mend says what does."""
        self.add(where, f"{what} {value!r} is not known", _nearest(value, sorted(known)))

    def stop(self, file: str) -> None:
        """Raise ConfigurationError when there are any; several are listed under the file's name."""
        if len(self.found) == 1:
            (only,) = self.found
            raise ConfigurationError(only.where, only.what, only.mend)
        if self.found:
            each = (f"\n- {f.where}: {f.what}\n  To mend it: {f.mend}" for f in self.found)
            count = f"{len(self.found)} mistakes" + "".join(each)
            raise ConfigurationError(file, count, "mend each of them; until then nothing is changed")


class Block:
    """One table of a TOML file, being read. `where` is its place for messages."""

    def __init__(self, data: Mapping[str, object], where: str, faults: Faults, source: str = "") -> None:
        self.data, self.where, self.faults = data, where, faults
        self._source = source
        self._asked: set[str] = set()

    def has(self, key: str) -> bool:
        return key in self.data

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self._take(key, str, 'a text: key = "…"', default)
        if value == "" and default != "":
            self.wrong(key, "is empty", f'write {key} = "…" with something in it, or take the line out')
        return value

    def id(self, key: str = "id") -> str:
        """A short plain name: small letters and digits, joined by '-', '_' or '.'."""
        value = self.text(key)
        if value and not (ID.fullmatch(value) and len(value) <= ID_LIMIT):
            self.wrong(
                key,
                f"is {value!r}",
                f"use small letters and digits joined by - _ or . , at most {ID_LIMIT} characters",
            )
        return value

    def whole(self, key: str, default: int | None = None, low: int = 1, high: int = 100_000) -> int:
        """A whole number from `low` to `high`."""
        value = self._take(key, int, "a whole number: key = 1", default)
        if not low <= value <= high:
            self.wrong(key, f"is {value}", f"use a number from {low} to {high}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        return self._take(key, bool, "true or false: key = true", default)

    def day(self, key: str, default: date | None = None) -> date:
        return self._take(key, date, "a date without quotes: key = 2026-01-31", default)

    def optional_day(self, key: str) -> date | None:
        return self.day(key) if self.has(key) else None

    def days(self, key: str) -> tuple[date, ...]:
        return tuple(self._many(key, date, "a list of dates: key = [2026-01-31]", ()))

    def clock(self, key: str) -> time:
        """A local time as "HH:MM"; "24:00" is kept as 23:59."""
        value = self.text(key)
        if value and not is_clock(value):
            self.wrong(key, f"is {value!r}", f'write hours and minutes: {key} = "08:30"')
        return clock_of(value)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts, each of them once."""
        values = tuple(self._many(key, str, 'a list of texts: key = ["…"]', default))
        for value in sorted({v for v in values if values.count(v) > 1}):
            self.wrong(key, f"names {value!r} twice", "take one of them out")
        if not values and default is None and self.has(key):
            self.wrong(key, "is empty", f'write {key} = ["…"] with at least one entry')
        return values

    def known(
        self, key: str, known: Collection[str], default: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """A list of ids, each of which exists."""
        values = self.texts(key, default)
        for value in values:
            if value not in known:
                self.faults.unknown(self.at(key), "the id", value, known)
        return values

    def one_known(self, key: str, known: Collection[str]) -> str:
        """One id that exists."""
        value = self.text(key)
        if value and value not in known:
            self.faults.unknown(self.at(key), "the id", value, known)
        return value

    def one_of(self, key: str, kind: type[E], default: E | None = None) -> E:
        """One value of an enumeration."""
        value = self.text(key, default)
        return self._member(key, kind, value) if value else next(iter(kind))

    def many_of(self, key: str, kind: type[E], default: tuple[E, ...] | None = None) -> tuple[E, ...]:
        """Several values of an enumeration."""
        return tuple(self._member(key, kind, value) for value in self.texts(key, default))

    def table(self, key: str) -> Block:
        """A table inside this one, `[key]`; an empty stand-in when it is missing."""
        data = self._take(key, dict, f"a table: [{key}]", None)
        # What a missing table lacks is no news: those faults go nowhere.
        faults = self.faults if isinstance(self.data.get(key), dict) else Faults()
        return Block(data, f"{self.where}: [{key}]", faults)

    def tables(self, key: str) -> Iterator[Block]:
        """The repeated tables `[[key]]`, in the order of the file; none when there are none."""
        lines = [number for number, line in enumerate(self._source.splitlines(), 1) if _heads(line, key)]
        for index, data in enumerate(self._many(key, dict, f"repeated tables: [[{key}]]", ())):
            name = data.get("id") or data.get("code") or f"number {index + 1}"
            line = f":{lines[index]}" if index < len(lines) else ""
            yield Block(data, f"{self.where}{line}: [[{key}]] {name}", self.faults)

    def inline(self, key: str, shorthand: str, shape: str) -> Iterator[Block]:
        """Tables in one line, perhaps none; a text stands for a table that holds only `shorthand`."""
        self._asked.add(key)
        values = self.data.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str | dict) for value in values):
            self.wrong(key, "is something else", f"make it {shape}")
            return
        for number, value in enumerate(values, 1):
            data = value if isinstance(value, dict) else {shorthand: value}
            yield Block(data, f"{self.where}, {key} {number}", self.faults)

    def at(self, key: str) -> str:
        """The place of one key, for messages."""
        return f"{self.where}, {key}"

    def wrong(self, key: str, what: str, mend: str) -> None:
        self.faults.add(self.where, f"'{key}' {what}", mend)

    def done(self) -> None:
        """Every key that nobody asked for is a mistake, most likely a slip of the pen."""
        for key in self.data:
            if key not in self._asked:
                self.faults.add(self.where, f"the key {key!r} is not known", _nearest(key, self._asked))

    def _member(self, key: str, kind: type[E], value: str) -> E:
        try:
            return kind(value)
        except ValueError:
            self.faults.unknown(self.at(key), "the value", value, [member.value for member in kind])
            return next(iter(kind))

    def _take(self, key: str, kind: type[T], shape: str, default: T | None) -> T:
        self._asked.add(key)
        if key not in self.data:
            if default is not None:
                return default
            self.wrong(key, "is missing", f"add {shape.replace('key', key)}")
            return _STAND_IN[kind]  # type: ignore[return-value]  # the table holds one of each type
        value = self.data[key]
        if not _is_a(value, kind):
            self.wrong(key, f"is {value!r}", f"make it {shape.replace('key', key)}")
            return _STAND_IN[kind]  # type: ignore[return-value]
        return value  # type: ignore[return-value]

    def _many(self, key: str, kind: type[T], shape: str, default: tuple[T, ...] | None) -> list[T]:
        if key not in self.data and default is not None:
            self._asked.add(key)
            return list(default)
        values = self._take(key, list, shape, None)
        good = [value for value in values if _is_a(value, kind)]
        if len(good) < len(values):
            self.wrong(key, "holds something else", f"make it {shape.replace('key', key)}")
        return good


T = TypeVar("T")
_STAND_IN: Mapping[type, object] = {str: "", int: 1, bool: False, date: date(2000, 1, 1), dict: {}, list: []}


def read_block(text: str, file: str, faults: Faults) -> Block:
    """The whole file as a block; broken TOML is one fault with its line, and an empty block."""
    try:
        return Block(tomllib.loads(text), file, faults, text)
    except tomllib.TOMLDecodeError as error:
        line = _LINE.search(str(error))
        where = f"{file}:{line[1]}" if line else file
        if "Invalid date" in str(error):
            faults.add(where, "holds a day that no calendar has", "write one that exists: 2027-02-28")
        else:
            faults.add(where, f"this is not TOML: {error}", "correct the line; see toml.io for the format")
        return Block({}, where, Faults())


def named_like_its_file(block: Block) -> str:
    """The id of a whole file, which is the file's name as well."""
    stem = PurePosixPath(block.where).stem
    found = block.id()
    if found and found != stem:
        block.wrong("id", f"is {found!r}", f"name the file {found}.toml, or write id = {stem!r}")
    return found


def codes(block: Block, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """A list of codes: each is the end of a text key."""
    found = block.texts(key, default)
    for code in found:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,29}", code):
            block.wrong(key, f"holds {code!r}", "use small letters, digits and _, at most 30 characters")
    return found


def once(block: Block, found: str, before: Container[str]) -> None:
    """An id stands only once among its like."""
    if found and found in before:
        block.wrong("id", f"{found!r} stands here for the second time", "take one out or give it another id")


def is_clock(text: str) -> bool:
    """True for '00:00' to '24:00'."""
    return _CLOCK.fullmatch(text) is not None


def clock_of(text: str) -> time:
    """'08:30' as a time, '24:00' as 23:59, midnight for what is neither."""
    if not is_clock(text):
        return time(0)
    return time(23, 59) if text == "24:00" else time.fromisoformat(text)


def _is_a(value: object, kind: type) -> bool:
    """TOML's types: true is no number, and a date with a time is no date."""
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, kind) and not (kind is date and isinstance(value, datetime))


def _heads(line: str, key: str) -> bool:
    return re.fullmatch(rf"\s*\[\[\s*{re.escape(key)}\s*\]\]\s*(#.*)?", line) is not None


def _nearest(value: str, known: Collection[str]) -> str:
    """A mend for a name that does not exist."""
    near = get_close_matches(value, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"use one of: {', '.join(sorted(known))}" if known else "take it out: there is nothing to name"
