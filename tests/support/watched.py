"""A store that refuses every turn which changes something of the domain and leaves no audit row about it.

`Small` watches its store, so each test of a verb, page, route or timer is a test of this too, and a new verb
cannot be forgotten. It looks at the statements themselves: raw SQL is seen like everything else. Rows that
point to each other (an offer, its referral) are one thing; each such thing needs one row that speaks of it.
What a test writes with its own hands is not looked at.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from referrals.catalogue import Catalogue
from referrals.said import Notice
from storage.sql import NONE, Connection, Params, Row, Sql
from storage.store import Store
from storage.tables import metadata
from storage.tx import StoreTx

# Tables whose rows say nothing about anybody that another row has not said; each with its reason.
UNSPOKEN = {
    "timer": "what waits was set by a change that speaks",
    "outbox": "what is said follows from a change that speaks",
    "message": "what stands in a chat is what was said",
    "seen": "dedupe keys",
    "meta": "the directory's token changes with directory rows, and those speak",
    "audit": "the audit itself",
    "audit_lane": "the audit itself",
    "conversation": "answers on their way; what becomes of them speaks",
    "scrap": "lives fifteen minutes between its writer and themselves; keeping it speaks",
    "session": "a page that is open; what is read or done on it speaks",
    "screen": "what somebody was last asked, for answers by text",
    "lease": "which process sends",
    "tally": "counts for limits; what comes of a limit speaks",
    "key_encryption_key": "made by itself when first needed; turning keys over is told by its command",
    "erasure": "the ledger of what was destroyed, beside the change that destroyed it",
}
# Columns that count for nothing alone.
UNSPOKEN_COLUMNS = {
    "person": {"last_seen_at": "a day of life, not a choice", "retain_until": "follows from it"},
    "device": {"last_seen_at": "a day of life, not a choice"},
}
# Sealed texts whose record is in an unspoken table.
UNSPOKEN_RECORDS = {"conversation", "scrap"}
# A wrap that moves to a newer key opens for the same people as before.
UNSPOKEN_UPDATES = {"wrap"}

# Columns that tie a row to the thing it belongs to. People are left out: they would tie everything together.
_TIES = (
    "id", "referral_id", "consent_id", "offer_id", "enrolment_id", "seat_id", "organization_id", "record_row",
    "r",
)  # fmt: skip
_OWN_ONLY = {"account": ("person_id",), "device": ("id", "person_id"), "download": ("id", "person_id")}
# organization_id ties only what is of the directory.
_NOT_BY_ORGANIZATION = {"referral", "offer", "seat"}
# Sealed texts are named by a record; where that is no table's name, this finds what it belongs to.
_RECORD_OF = {
    "thread": Sql("SELECT referral_id FROM offer WHERE id = :id"),
    "last_word": Sql("SELECT referral_id FROM offer WHERE id = :id"),
    "desk_note": Sql("SELECT referral_id FROM desk_note WHERE id = :id"),
    "thread_part": Sql("SELECT referral_id FROM desk_share WHERE id = :id"),
    "consent": Sql("SELECT referral_id FROM consent WHERE id = :id"),
    "complaint": Sql("SELECT id AS referral_id FROM referral WHERE id = :id"),
}
_STATEMENT = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE)


class Unspoken(AssertionError):
    """A turn changed something and left no word of it."""


@dataclass(frozen=True)
class Changed:
    """One row that a turn has changed. `ids`: itself and what it belongs to."""

    table: str
    ids: frozenset[str]
    how: str


class WatchedConnection:
    """A connection that notes what is changed through it."""

    def __init__(self, inner: Connection) -> None:
        self.inner, self.looking = inner, True
        self.changed: list[Changed] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def rows(self, sql: Sql, params: Params = NONE) -> list[Row]:
        if _STATEMENT.match(sql.text(self.inner.dialect)):  # INSERT … RETURNING and its like
            found = self.inner.rows(sql, params)
            self._note(sql, params, len(found))
            return found
        return self.inner.rows(sql, params)

    def change(self, sql: Sql, params: Params = NONE) -> int:
        before = self._before(sql, params)
        count = self.inner.change(sql, params)
        self._note(sql, params, count, before)
        return count

    def change_many(self, sql: Sql, params: Sequence[Params]) -> None:
        self.inner.change_many(sql, params)
        for each in params:
            self._note(sql, each, 1)

    def _before(self, sql: Sql, params: Params) -> Mapping[str, Any] | None:
        """The row as it stood, where it is changed or removed by its id."""
        found = _STATEMENT.match(sql.text(self.inner.dialect))
        if not found or found[1].upper() == "INSERT INTO" or "id" not in params or found[2] in UNSPOKEN:
            return None
        names = [column.name for column in metadata.tables[found[2]].columns]
        columns = ", ".join(f'"{name}"' for name in names)
        rows = self.inner.rows(Sql(f"SELECT {columns} FROM {found[2]} WHERE id = :id"), {"id": params["id"]})
        return dict(zip(names, rows[0], strict=True)) if rows else None

    def _note(self, sql: Sql, params: Params, count: int, before: Mapping[str, Any] | None = None) -> None:
        found = _STATEMENT.match(sql.text(self.inner.dialect))
        if not found or not count or not self.looking or _caller_is_a_test():
            return
        how, table = found[1].split()[0].upper(), found[2]
        if table in UNSPOKEN or (how == "UPDATE" and table in UNSPOKEN_UPDATES):
            return
        if (params.get("record_table") or params.get("t")) in UNSPOKEN_RECORDS:
            return
        if before is not None and how == "UPDATE" and _nothing_said(table, before, params):
            return
        params = {**(before or {}), **params}
        names = _OWN_ONLY.get(table, _TIES)
        if table in _NOT_BY_ORGANIZATION:
            names = tuple(name for name in names if name != "organization_id")
        ids = frozenset(str(params[name]) for name in names if params.get(name)) | self._owner(params)
        self.changed.append(Changed(table, ids or frozenset({str(params.get("person_id", ""))}), how))

    def _owner(self, params: Params) -> frozenset[str]:
        """What a sealed text's record belongs to."""
        where = _RECORD_OF.get(str(params.get("record_table") or params.get("t")))
        if where is None:
            return frozenset()
        row = {"id": params.get("record_row") or params.get("r")}
        return frozenset(str(found[0]) for found in self.inner.rows(where, row))


class WatchedTx(StoreTx):
    """A turn that is looked at before it ends."""

    connection: Any

    def add(self, *rows: Any) -> None:
        with _Hands(self.connection):
            super().add(*rows)

    def save(self, row: Any) -> Any:
        with _Hands(self.connection):
            return super().save(row)

    def remove(self, row: Any) -> None:
        with _Hands(self.connection):
            super().remove(row)

    def say(self, notice: Notice) -> None:
        _names_nothing_private(self.catalogue, notice)
        super().say(notice)

    def finish(self) -> None:
        if self._failed is None:
            spoken = {entry.subject.partition(":")[2] for entry in self._entries}
            silent = unspoken(self.connection.changed, spoken)
            if silent:
                said = sorted(f"{e.action} {e.subject} {e.detail}".strip() for e in self._entries)
                raise Unspoken(f"changed without an audit row: {silent}; the turn's rows: {said or 'none'}")
        super().finish()


def _names_nothing_private(catalogue: Catalogue, notice: Notice) -> None:
    """What is chosen on a page alone stands in no chat: not in a text, and not on a button either."""
    hidden = {f"category.{category}" for category in catalogue.private}
    hidden |= {f"pathway.{p.id}" for p in catalogue.pathways.values() if not p.in_chat}
    buttons = [button for row in notice.buttons for button in row]
    keys = {notice.text, *notice.params.values(), *(button.text for button in buttons)}
    shown = sorted(hidden & {key.removeprefix("@") for key in keys})
    assert not shown, f"{notice.text} names {shown} in a chat: lead to a page instead"


class _Hands:
    """Looks away while a test writes rows with its own hands."""

    def __init__(self, connection: WatchedConnection) -> None:
        self.connection = connection
        self.before = connection.looking
        self.tests = _caller_is_a_test(depth=3)

    def __enter__(self) -> None:
        self.connection.looking = self.before and not self.tests

    def __exit__(self, *_: object) -> None:
        self.connection.looking = self.before


def unspoken(changed: Iterable[Changed], spoken: set[str]) -> list[str]:
    """The things that changed and that no subject in `spoken` names, as '<how> <table>', sorted."""
    things: list[tuple[set[str], list[Changed]]] = []
    for row in changed:
        ids, rows = set(row.ids), [row]
        for thing in [t for t in things if t[0] & ids]:
            things.remove(thing)
            ids |= thing[0]
            rows = thing[1] + rows
        things.append((ids, rows))
    silent = [rows for ids, rows in things if not ids & spoken]
    return sorted({f"{row.how.lower()} {row.table}" for rows in silent for row in rows})


def watch(store: Store) -> None:
    """From now on each turn of this store is looked at."""
    worker: Any = store._worker
    worker._make_tx = lambda conn, lane: WatchedTx(WatchedConnection(conn), store._shared, lane)


def _nothing_said(table: str, before: Mapping[str, Any], after: Params) -> bool:
    same = {"version", *UNSPOKEN_COLUMNS.get(table, ())}
    return all(after.get(name, value) == value for name, value in before.items() if name not in same)


def _caller_is_a_test(depth: int = 3) -> bool:
    """Whether a test itself wrote the statement or row: whoever called the connection or the turn."""
    module = str(sys._getframe(depth).f_globals.get("__name__", ""))
    return module.startswith("tests.") and module != __name__
