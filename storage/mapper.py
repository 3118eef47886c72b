"""One dataclass, one table: statements built once per shape, rows turned into values by position.

Whatever SQL the rows of the domain need is made here; nobody else writes INSERT or UPDATE for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from referrals.errors import BadAnswer, StaleRow
from referrals.model import ThreadEntry
from storage.codec import Convert, columns_of
from storage.sql import Connection, Insert, Row, Sql
from storage.tables import TABLE_OF

T = TypeVar("T")

_ORDER: dict[type[Any], tuple[str, ...]] = {ThreadEntry: ("written_at", "id")}


class Mapper(Generic[T]):
    """Reads and writes the rows of one kind."""

    def __init__(self, kind: type[T]) -> None:
        self._kind, self._table = kind, TABLE_OF[kind]
        self._columns = columns_of(kind)
        self._encode: Mapping[str, Convert] = {c.name: c.encode for c in self._columns}
        self._decode = tuple((n, c.decode) for n, c in enumerate(self._columns) if c.decode is not None)
        self._versioned = "version" in self._encode
        self._order = [self._table.c[name] for name in _ORDER.get(kind, ("id",))]
        self._found: dict[tuple[Any, ...], Sql] = {}
        self._insert = Insert(lambda: insert(self._table), self._table)
        self._get = Sql(lambda: self._select().where(self._table.c.id == bindparam("id")))
        self._lock = Sql(lambda: self._select().where(self._table.c.id == bindparam("id")).with_for_update())
        self._update = Sql(self._update_statement)
        self._delete = Sql(lambda: delete(self._table).where(self._same_row()))

    def get(self, conn: Connection, row_id: str, lock: bool) -> T | None:
        """The row of that id; an id that no database could hold is simply absent."""
        try:
            params = {"id": self._encode["id"](row_id)}
        except BadAnswer:
            return None
        rows = conn.rows(self._lock if lock else self._get, params)
        return self.value(rows[0]) if rows else None

    def find(self, conn: Connection, limit: int | None, equal: Mapping[str, Any]) -> list[T]:
        """Rows whose columns equal the given values (a tuple, list or set: one of them), in order."""
        asked = self._asked(equal)
        if asked is None:
            return []
        shape, params = asked
        key = ("find", limit is not None, *shape)
        if key not in self._found:
            self._found[key] = Sql(self._find_statement(shape, limit is not None))
        if limit is not None:
            params["limit_"] = limit
        return [self.value(row) for row in conn.rows(self._found[key], params)]

    def count(self, conn: Connection, equal: Mapping[str, Any]) -> int:
        asked = self._asked(equal)
        if asked is None:
            return 0
        shape, params = asked
        key = ("count", *shape)
        if key not in self._found:
            statement = select(func.count()).select_from(self._table).where(*self._conditions(shape))
            self._found[key] = Sql(statement)
        return int(conn.rows(self._found[key], params)[0][0])

    def overdue(
        self, conn: Connection, column: str, before: datetime, limit: int, equal: Mapping[str, Any]
    ) -> list[T]:
        """Rows whose instant in `column` is before that moment, the oldest first."""
        asked = self._asked(equal)
        if asked is None:
            return []
        shape, params = asked
        key = ("overdue", column, *shape)
        if key not in self._found:
            at = self._table.c[column]
            statement = self._select().where(at < bindparam("before"), *self._conditions(shape))
            self._found[key] = Sql(limited_to(statement.order_by(at, *self._order)))
        params |= {"before": self._encode[column](before), "limit_": limit}
        return [self.value(row) for row in conn.rows(self._found[key], params)]

    def since(
        self, conn: Connection, column: str, start: datetime, limit: int, equal: Mapping[str, Any]
    ) -> list[T]:
        """Rows whose instant in `column` is that moment or later, the newest first."""
        asked = self._asked(equal)
        if asked is None:
            return []
        shape, params = asked
        key = ("since", column, *shape)
        if key not in self._found:
            at = self._table.c[column]
            statement = self._select().where(at >= bindparam("start"), *self._conditions(shape))
            self._found[key] = Sql(limited_to(statement.order_by(at.desc(), *self._order)))
        params |= {"start": self._encode[column](start), "limit_": limit}
        return [self.value(row) for row in conn.rows(self._found[key], params)]

    def add(self, conn: Connection, values: Sequence[T]) -> None:
        params = [self.params(value) for value in values]
        if len(params) == 1:
            conn.change(self._insert, params[0])
        else:
            conn.change_many(self._insert, params)

    def save(self, conn: Connection, value: T) -> T:
        """Write the row back; its version must still be the one that was read. StaleRow otherwise."""
        params = self.params(value)
        if self._versioned:
            params["before"] = params["version"]
            params["version"] += 1
        if conn.change(self._update, params) != 1:
            raise StaleRow(f"{self._table.name} was changed by another turn")
        if not self._versioned:
            return value
        return self._kind(
            *[params["version"] if c.name == "version" else getattr(value, c.name) for c in self._columns]
        )

    def remove(self, conn: Connection, value: T) -> None:
        params: dict[str, Any] = {"id": getattr(value, "id")}  # noqa: B009 - T has no declared `id`
        if self._versioned:
            params["before"] = getattr(value, "version")  # noqa: B009
        if conn.change(self._delete, params) != 1:
            raise StaleRow(f"{self._table.name} was changed by another turn")

    def value(self, row: Row) -> T:
        """The dataclass value of one row."""
        values = list(row)
        for place, out in self._decode:
            if (stored := values[place]) is not None:
                values[place] = out(stored)
        return self._kind(*values)

    # Statements.

    def _select(self) -> Select[Any]:
        return select(*[self._table.c[c.name] for c in self._columns])

    def _same_row(self) -> ColumnElement[bool]:
        same: ColumnElement[bool] = self._table.c.id == bindparam("id")
        if self._versioned:
            same = and_(same, self._table.c.version == bindparam("before"))
        return same

    def _update_statement(self) -> Any:
        # 'id' is not set: a SET of it would make PostgreSQL take the stronger lock of a key change.
        new: dict[str, Any] = {c.name: bindparam(c.name) for c in self._columns if c.name != "id"}
        return update(self._table).where(self._same_row()).values(new)

    def _find_statement(self, shape: tuple[tuple[str, int], ...], limited: bool) -> Select[Any]:
        statement = self._select().where(*self._conditions(shape)).order_by(*self._order)
        return limited_to(statement) if limited else statement

    def _conditions(self, shape: tuple[tuple[str, int], ...]) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        for name, size in shape:
            column = self._table.c[name]
            if size < 0:
                found.append(column.is_(None))
            elif size == 0:
                found.append(column == bindparam(name))
            else:
                found.append(column.in_([bindparam(f"{name}_{n}") for n in range(size)]))
        return found

    def _asked(self, equal: Mapping[str, Any]) -> tuple[tuple[tuple[str, int], ...], dict[str, Any]] | None:
        """The shape of a filter (column, -1: none | 0: one | n: one of n) and its parameters.

        None when no row can match: an empty 'one of', or a text that no database could hold.
        """
        shape: list[tuple[str, int]] = []
        params: dict[str, Any] = {}
        for name in sorted(equal):
            value, encode = equal[name], self._encode[name]
            try:
                if value is None:
                    shape.append((name, -1))
                elif isinstance(value, tuple | list | set | frozenset):
                    if not value:
                        return None
                    given = [encode(v) for v in value]
                    # Sizes are rounded up to a power of two, so that the statements stay few.
                    size = 1 << (len(given) - 1).bit_length()
                    given += [given[-1]] * (size - len(given))
                    shape.append((name, size))
                    params.update({f"{name}_{n}": v for n, v in enumerate(given)})
                else:
                    shape.append((name, 0))
                    params[name] = encode(value)
            except BadAnswer:
                return None
        return tuple(shape), params

    def params(self, value: T) -> dict[str, Any]:
        """Column to stored value."""
        return {c.name: None if (v := getattr(value, c.name)) is None else c.encode(v) for c in self._columns}


def limited_to(statement: Select[Any]) -> Select[Any]:
    """At most :limit_ rows. (Left to itself, SQLite's dialect adds an offset as one more parameter.)"""
    return statement.limit(bindparam("limit_")).offset(literal_column("0"))


_mappers: dict[type[Any], Mapper[Any]] = {}


def mapper_of(kind: type[T]) -> Mapper[T]:
    """The mapper of a dataclass that has a table. KeyError for any other."""
    found = _mappers.get(kind)
    if found is None:
        found = _mappers[kind] = Mapper(kind)
    return found
