"""What a network file would change, line by line: shown by a dry run, and what is applied after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, time
from enum import StrEnum

from referrals.directory import Hours
from referrals.network_blocks import WEEKDAYS
from referrals.network_file import NetworkFile

# What lives in the store and is not said by the file: who sits on a seat, and how often a row has changed.
NOT_COMPARED = frozenset({"version", "person_id", "on_duty", "since"})
# What the file only begins: once it stands in the store the file changes nothing of it, and ends nothing.
BEGUN = frozenset({"enrolments"})
# Never said in a dry run: it would stand in a terminal's history (a mentor's relatives and old conflicts).
PRIVATE = frozenset({"not_with", "gender_wish"})


class Sign(StrEnum):
    ADD = "+"
    CHANGE = "~"
    REMOVE = "-"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is added, changed or removed. `table` is a field of NetworkFile, `row` an id.

    `details` say field by field what becomes of it; empty for what is removed.
    """

    sign: Sign
    table: str
    row: str
    details: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """The change in words, for a terminal."""
        return (f"{self.sign} {self.table} {self.row}", *(f"    {detail}" for detail in self.details))


def diff_network(old: NetworkFile, new: NetworkFile) -> tuple[Change, ...]:
    """Everything that applying `new` would change, table by table and id by id; empty when nothing would.

    The file is the whole truth: what stands in the store and not in the file is removed. Enrolments alone
    only begin with it (decision 11). For the old side see `as_network`.
    """
    return tuple(
        change
        for table in fields(NetworkFile)
        for change in _changes(table.name, getattr(old, table.name), getattr(new, table.name))
    )


def _changes(table: str, old: tuple[object, ...], new: tuple[object, ...]) -> list[Change]:
    before, after = _by_id(old), _by_id(new)
    found = []
    for row in sorted(before.keys() | after.keys()):
        if table in BEGUN and row in before:
            continue
        if row not in after:
            found.append(Change(Sign.REMOVE, table, row))
        elif row not in before:
            details = tuple(f"{name}: {_shown(name, value)}" for name, value in after[row].items() if value)
            found.append(Change(Sign.ADD, table, row, details))
        elif before[row] != after[row]:
            found.append(Change(Sign.CHANGE, table, row, _details(before[row], after[row])))
    return found


def _by_id(values: tuple[object, ...]) -> dict[str, dict[str, object]]:
    """Id to the compared fields of a value."""
    rows = ({f.name: getattr(value, f.name) for f in fields(value)} for value in values)  # type: ignore[arg-type]
    return {
        str(row["id"]): {name: v for name, v in row.items() if name not in NOT_COMPARED | {"id"}}
        for row in rows
    }


def _details(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(
        f"{name}: {_shown(name, before[name])} -> {_shown(name, value)}"
        for name, value in after.items()
        if before[name] != value
    )


def _shown(name: str, value: object) -> str:
    return "not shown here" if name in PRIVATE and value else _said(value)


def _said(value: object) -> str:
    """A field's value as one would write it in the file; 'none' for nothing."""
    match value:
        case None | "" | ():
            return "none"
        case bool():
            return "yes" if value else "no"
        case tuple() | frozenset():
            return ", ".join(_said(each) for each in value)
        case Mapping():
            return ", ".join(f"{key} {_said(each)}" for key, each in sorted(value.items()))
        case time():
            return value.isoformat("minutes")
        case date():
            return value.isoformat()
        case Hours():
            return f"{WEEKDAYS[value.weekday]} {_said(value.opens)}-{_said(value.closes)}"
        case _:
            return str(value)
