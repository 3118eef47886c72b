"""What turns take back for good, as rows of the table `erasure`, in the same transaction.

From there it goes to the ledger outside the database (`ledger.py`), within a second or two; restoring a
backup reads the ledger, so that what was erased, withdrawn or ended after the backup stays so.
"""

# ruff: noqa: S608 - statements are put together from constants of this file

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from referrals.casework import Circle, CircleSide, CircleState, Confirmation, DeskShare
from referrals.consent import OWN_NO
from referrals.directory import Agreement, Organization
from referrals.members import Crisis, Enrolment, HandOver, SafetyShare, held_by
from referrals.model import Consent, Record, Referral, Stage
from referrals.persons import (
    SILENT,
    Conversation,
    Device,
    DeviceState,
    Download,
    Person,
    Recovery,
    Scrap,
    Seat,
    Session,
    Tally,
)
from referrals.ports import Erasure, Message, Taken
from referrals.said import Timer
from storage.codec import instant_in, instant_out
from storage.sql import Connection, Sql
from storage.tables import TABLE_OF

# The ledger keeps 40 days; the database a little longer, so that a snapshot knows all that the ledger tells.
KEEP = timedelta(days=42)
_BATCH = 500

_ENDED = (Stage.WITHDRAWN, Stage.EXPIRED, Stage.VOID)


def _ended(referral: Referral) -> str:
    """How it ended; 'withdrawn:own_no' where that was the own no of whom it was for."""
    return f"{referral.stage.value}:{OWN_NO}" if referral.why == OWN_NO else referral.stage.value


# Row kind -> the state that must not come undone, or '' when this one may. Read at every save.
_STATES: Mapping[type[Any], Callable[[Any], str]] = {
    Consent: lambda row: "withdrawn" if row.withdrawn_at is not None else "",
    Referral: lambda row: _ended(row) if row.stage in _ENDED else "",
    Device: lambda row: row.state.value if row.state is DeviceState.ENDED else "",
    Person: lambda row: row.presence.value if row.presence in SILENT else "",
    Seat: lambda row: f"held:{row.person_id or ''}",
    Enrolment: held_by,
    Agreement: lambda _: "changed",
    Organization: lambda row: "suspended" if row.suspended else "",
    Recovery: lambda _: "changed",
    Crisis: lambda row: row.ended_as if row.ended_at is not None else "",
    SafetyShare: lambda row: "ended" if row.ended_at is not None else "",
    DeskShare: lambda row: "ended" if row.ended_at is not None else "",
    HandOver: lambda row: "refused" if row.refused_at is not None else "",
    Circle: lambda row: row.state.value if row.state is CircleState.STOPPED else "",
    CircleSide: lambda row: "" if row.second_yes_at else "no second yes",
    Confirmation: lambda row: "" if row.agreed_at else "no yes",
}
# Rows whose removal nobody needs to remember: they come and go all day, and a restore drops them anyway.
# (What a scrap or a conversation held is remembered: it is destroyed.)
_COME_AND_GO = frozenset({Session, Tally, Download, Timer, Message, Scrap, Conversation})

_COLUMNS = "name, at, kind, record_table, record_row, data_class, holder"
_NOTE = Sql(
    f"INSERT INTO erasure ({_COLUMNS}, written)"
    " VALUES (:name, :at, :kind, :record_table, :record_row, :data_class, :holder, :written)"
)
_UNWRITTEN = Sql(f"SELECT {_COLUMNS} FROM erasure WHERE NOT written ORDER BY id LIMIT :limit")
_WRITTEN = Sql("UPDATE erasure SET written = true WHERE name = :name")
_NAMES = Sql("SELECT name FROM erasure")
_WRITTEN_SINCE = Sql("SELECT name FROM erasure WHERE written AND at >= :since")
_WRITE_AGAIN = Sql("UPDATE erasure SET written = false WHERE name = :name")
_FORGET = Sql(
    "DELETE FROM erasure WHERE id IN"
    f" (SELECT id FROM erasure WHERE at < :before AND written ORDER BY at LIMIT {_BATCH})"
)


def took(at: datetime, kind: Taken, record: Record, data_class: str = "", holder: str = "") -> Erasure:
    """An erasure of this moment."""
    return Erasure(secrets.token_urlsafe(12), at, kind, record, data_class, holder)


def of_save(row: Any, at: datetime) -> Erasure | None:
    """What saving this row takes back; None for most rows."""
    state = _STATES.get(type(row))
    ended = state(row) if state is not None else ""
    return took(at, Taken.STATE, Record(_table(row), row.id), holder=ended) if ended else None


def of_remove(row: Any, at: datetime) -> Erasure | None:
    """The same for the removal of a row."""
    if type(row) in _COME_AND_GO:
        return None
    return took(at, Taken.REMOVED, Record(_table(row), row.id))


def note(conn: Connection, erasures: Sequence[Erasure], *, written: bool = False) -> None:
    """Write them down; `written`: they stand in the ledger already."""
    rows = [{**_params(erasure), "written": written} for erasure in erasures]
    if len(rows) == 1:
        conn.change(_NOTE, rows[0])
    elif rows:
        conn.change_many(_NOTE, rows)


def unwritten(conn: Connection, limit: int) -> list[Erasure]:
    """What does not stand in the ledger yet, in the order in which it was taken."""
    return [
        Erasure(name, instant_out(at), Taken(kind), Record(table, row), data_class, holder)
        for name, at, kind, table, row, data_class, holder in conn.rows(_UNWRITTEN, {"limit": limit})
    ]


def mark_written(conn: Connection, names: Iterable[str]) -> None:
    """They stand in the ledger, and on the disk."""
    conn.change_many(_WRITTEN, [{"name": name} for name in names])


def write_again(conn: Connection, in_ledger: Collection[str], since: datetime) -> int:
    """What was written since then and does not stand in the ledger is to be written once more; how many."""
    rows = conn.rows(_WRITTEN_SINCE, {"since": instant_in(since)})
    lacking = [{"name": row[0]} for row in rows if row[0] not in in_ledger]
    if lacking:
        conn.change_many(_WRITE_AGAIN, lacking)
    return len(lacking)


def known_names(conn: Connection) -> set[str]:
    """The names of all erasures that this database has seen."""
    return {row[0] for row in conn.rows(_NAMES)}


def forget(conn: Connection, now: datetime) -> int:
    """Drop some of what every backup has outlived; how many."""
    return conn.change(_FORGET, {"before": instant_in(now - KEEP)})


def _params(erasure: Erasure) -> dict[str, Any]:
    return {
        "name": erasure.name,
        "at": instant_in(erasure.at),
        "kind": erasure.kind.value,
        "record_table": erasure.record.table,
        "record_row": erasure.record.row,
        "data_class": erasure.data_class,
        "holder": erasure.holder,
    }


def _table(row: Any) -> str:
    return TABLE_OF[type(row)].name
