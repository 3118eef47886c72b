"""A backup becomes a database again: into an empty one, in one transaction, and what was erased stays erased.

The file is read twice: first wholly, without touching anything, then for the rows. Before the second time the
database is marked, so that a product started upon a restore that was killed refuses it; the mark goes with
the commit. Keys and ciphertexts that the ledger names are left out, so that they never reach this disk.
"""

# ruff: noqa: S608 - statements are put together from the names of our own tables

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Table, bindparam, insert

from referrals.catalogue import Catalogue
from referrals.errors import ConfigurationError
from referrals.model import Record
from referrals.ports import Erasure, Taken
from referrals.said import Priority
from storage import erasures
from storage.backup import Made, read_backup
from storage.backup_keys import BackupKeys
from storage.backup_rows import TABLES
from storage.codec import instant_in
from storage.connection import DRIVER_ERRORS, clear_errors, connect, parse_url, shown
from storage.keyring import Keyring, SealBroken
from storage.lasting import open_lasting
from storage.schema import RESTORING, check_revision
from storage.secret import LastingSecret, RootKey
from storage.shared import Shared
from storage.sql import Connection, Sql
from storage.tables import metadata
from storage.tx import StoreTx

T = TypeVar("T")

LANE = "restore"
WAITING_DAY = timedelta(hours=24)  # what a notice announced while we were away is announced too briefly
_COUNTED = ("outbox", "erasure")

_ONE_AT_A_TIME = Sql("SELECT pg_try_advisory_lock(7085143)")  # until this connection is closed
_MARK = Sql("INSERT INTO meta (key, value) VALUES (:key, 'yes') ON CONFLICT (key) DO NOTHING")
_UNMARK = Sql("DELETE FROM meta WHERE key = :key")
_CLEAR_META = Sql("DELETE FROM meta WHERE key <> :mark")
_SET_META = Sql(
    "INSERT INTO meta (key, value) VALUES (:key, :value)"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_NETWORK = Sql("SELECT value FROM meta WHERE key = 'network_id'")
_UNWRITTEN = Sql("UPDATE erasure SET written = false")

# What must not go on as it was.
_AFTERWARDS = (
    # Sessions are left out of backups; a device that had proved its PIN must do so again.
    Sql("UPDATE device SET proved_until = NULL WHERE proved_until IS NOT NULL"),
    # Nobody saw the notice of a device that was to be let in, or had a day to stop it: the day begins anew.
    Sql("UPDATE device SET active_from = :later WHERE state = 'waiting' AND active_from < :later"),
    # The same for a matter on its way to another phone: it is asked for again.
    Sql("DELETE FROM move"),
    # A link that was used after the backup would work a second time.
    Sql("UPDATE invitation SET expires_at = :now WHERE expires_at > :now"),
    # The files are cleared of what was erased with the next sweep, whenever that was done last.
    Sql("DELETE FROM meta WHERE key = 'scrubbed'"),
    # Whoever was sending is no more.
    Sql(
        "UPDATE outbox SET claimed = false, retrying = true, due_at = :now"
        " WHERE claimed AND state = 'waiting'"
    ),
    # Answers that were due before the restore have been given, or come too late to be understood. What is
    # to be deleted is still deleted, and alerts are rather said twice than never.
    Sql(
        "UPDATE outbox SET state = 'superseded', settled_at = :now, params = '{}', buttons = '[]'"
        " WHERE state = 'waiting' AND rank >= :reply AND due_at <= :now AND text <> ''"
    ),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A backup that was read to its end and found whole."""

    made: Made
    meta: dict[str, str]
    lasting: LastingSecret
    known: frozenset[str]  # names of the erasures that had happened by then

    @property
    def ledger_at(self) -> int:
        """How far the ledger had come when this backup was made."""
        return int(self.made.contents.about["ledger"])


@dataclass(frozen=True, slots=True)
class Ledgers:
    """What the ledgers say: what happened after the backup, and the names that stand in our own file."""

    pending: Sequence[Erasure]
    in_place: frozenset[str] = frozenset()


def look_into(path: Path, root: RootKey, keys: BackupKeys, now: datetime) -> Found:
    """Read a backup to its end, changing nothing.

    ConfigurationError: it is not whole, not ours, a demo's, or its key has expired.
    """
    meta: dict[str, str] = {}
    known: set[str] = set()

    def note(table: Table, rows: list[dict[str, Any]]) -> None:
        if table.name == "meta":
            meta.update((row["key"], row["value"]) for row in rows)
        elif table.name == "erasure":
            known.update(row["name"] for row in rows)

    made = read_backup(path, root.network_id, keys, now, note)
    if meta.get("demo") == "yes":
        raise ConfigurationError(str(path), "this is a demo's backup", "what was a demo stays one")
    if meta.get("key_check") != root.check_value:
        mend = "name the root key file of that time in PULANG_ROOT_KEY_FILE"
        raise ConfigurationError(str(path), "it was made under another root key", mend)
    try:
        lasting = open_lasting(root, meta.get("lasting", ""))
    except SealBroken as error:
        what = "the network's lasting secret in it does not open"
        raise ConfigurationError(str(path), what, "use another backup") from error
    return Found(made, meta, lasting, frozenset(known))


def restore(
    url: str,
    root: RootKey,
    keys: BackupKeys,
    found: Found,
    ledgers: Ledgers,
    catalogue: Catalogue,
    clock: Callable[[], datetime],
    after: Callable[[StoreTx], T],
) -> T:
    """Fill the empty, migrated database at `url`; `after` is the last thing in the same transaction.

    ConfigurationError where it is not empty or goes away; then, and whenever `after` raises, it stays empty.
    """
    parsed = parse_url(url)
    with clear_errors(parsed):
        conn = connect(parsed)
        try:
            check_revision(conn, url)
            _refuse_another(conn, shown(parsed))
            _refuse_full(conn, shown(parsed), root.network_id)
            _in_transaction(conn, lambda: conn.change(_MARK, {"key": RESTORING}))
            try:
                shared = Shared.of(catalogue, clock, Keyring(root, found.lasting), None)
                return _in_transaction(conn, lambda: _fill(conn, shared, root, keys, found, ledgers, after))
            except BaseException:
                with suppress(*DRIVER_ERRORS):  # if even that fails, the mark says what happened
                    _in_transaction(conn, lambda: conn.change(_UNMARK, {"key": RESTORING}))
                raise
        finally:
            conn.close()


def _in_transaction(conn: Connection, work: Callable[[], T]) -> T:
    conn.begin()
    try:
        done = work()
        conn.commit()
        return done
    except BaseException:
        conn.rollback()
        raise


def _refuse_another(conn: Connection, where: str) -> None:
    """Two at once would undo each other's mark. (On SQLite the second cannot begin to write.)"""
    if conn.dialect == "postgresql" and not conn.rows(_ONE_AT_A_TIME)[0][0]:
        raise ConfigurationError(where, "another restore is at work on it", "wait until that one has ended")


def _refuse_full(conn: Connection, where: str, network_id: str) -> None:
    """Only a database that holds nothing is filled: a restore never goes over what is there."""
    full = [
        table.name
        for table in metadata.sorted_tables
        if table.name != "meta" and conn.rows(Sql(f'SELECT 1 FROM "{table.name}" LIMIT 1'))
    ]
    if full:
        what = f"this database is not empty ({', '.join(full[:3])} …)"
        mend = "name a fresh one (another PULANG_DATA or --into); keep this one until the restored one runs"
        raise ConfigurationError(where, what, mend)
    marked = conn.rows(_NETWORK)
    if marked and marked[0][0] != network_id:
        what = f"this database was set up for network {marked[0][0]}"
        raise ConfigurationError(where, what, "name a fresh one")


def _fill(
    conn: Connection,
    shared: Shared,
    root: RootKey,
    keys: BackupKeys,
    found: Found,
    ledgers: Ledgers,
    after: Callable[[StoreTx], T],
) -> T:
    tx = StoreTx(conn, shared, LANE)
    conn.change(_CLEAR_META, {"mark": RESTORING})
    copy = _Copy(conn, ledgers.pending)
    again = read_backup(found.made.path, root.network_id, keys, tx.now, copy)
    if again.contents != found.made.contents:
        raise ConfigurationError(str(found.made.path), "the file was changed meanwhile", "begin again")
    for table in _COUNTED:
        _count_on(conn, table)
    _note_erasures(conn, ledgers)
    for erasure in ledgers.pending:
        if erasure.kind is Taken.REMOVED and erasure.record.table in metadata.tables:
            _remove(conn, metadata.tables[erasure.record.table], erasure.record.row)
    now = instant_in(tx.now)
    given = {"now": now, "later": instant_in(tx.now + WAITING_DAY), "reply": Priority.REPLY.rank}
    for statement in _AFTERWARDS:
        conn.change(statement, given)
    done = after(tx)
    for key, value in (
        ("restored_from", found.made.made.isoformat()),
        ("restored_at", tx.now.isoformat(timespec="seconds")),
        ("directory", secrets.token_urlsafe(12)),  # so that nobody believes an older picture of it
    ):
        conn.change(_SET_META, {"key": key, "value": value})
    conn.change(_UNMARK, {"key": RESTORING})
    tx.finish()
    return done


class _Copy:
    """Puts batches of rows where they belong, but for those that were erased since."""

    def __init__(self, conn: Connection, pending: Sequence[Erasure]) -> None:
        self._conn = conn
        self._inserts = {table.name: Sql(insert(table)) for table in TABLES}
        self._destroyed = {e.record for e in pending if e.kind is Taken.DESTROYED}
        self._unbound = {e.record.row for e in pending if e.kind is Taken.UNBOUND}
        self._cut = {(e.record, e.data_class, e.holder) for e in pending if e.kind is Taken.UNSHARED}

    def __call__(self, table: Table, rows: list[dict[str, Any]]) -> None:
        kept = [row for row in rows if not self._is_gone(table.name, row)]
        if kept:
            self._conn.change_many(self._inserts[table.name], kept)

    def _is_gone(self, table: str, row: dict[str, Any]) -> bool:
        if table == "account":
            return row["person_id"] in self._unbound
        if table not in ("wrap", "sealed"):
            return False
        record = Record(row["record_table"], row["record_row"])
        if record in self._destroyed:
            return True
        if table == "sealed":
            return False
        return any((record, name, row["holder"]) in self._cut for name in ("", row["data_class"]))


def _note_erasures(conn: Connection, ledgers: Ledgers) -> None:
    """From now on this database knows them all; what our own ledger lacks is written to it by the product."""
    erasures.note(conn, ledgers.pending)
    conn.change(_UNWRITTEN)
    in_place = ledgers.in_place & erasures.known_names(conn)
    if in_place:
        erasures.mark_written(conn, sorted(in_place))


def _remove(conn: Connection, table: Table, row_id: str) -> None:
    """A row, and before it whatever points to it."""
    for other in metadata.sorted_tables:
        for key in other.foreign_keys:
            if key.column.table is not table:
                continue
            own = next(iter(other.primary_key.columns))
            pointing = Sql(other.select().with_only_columns(own).where(key.parent == bindparam("row")))
            for (child,) in conn.rows(pointing, {"row": row_id}):
                _remove(conn, other, child)
    own = next(iter(table.primary_key.columns))
    conn.change(Sql(table.delete().where(own == bindparam("row"))), {"row": row_id})


def _count_on(conn: Connection, table: str) -> None:
    """PostgreSQL counts on after the highest number; SQLite does so by itself.

    By drawing numbers: setting the counter needs a right that the product's own role has not.
    """
    if conn.dialect != "postgresql":
        return
    highest = conn.rows(Sql(f"SELECT coalesce(max(id), 0) FROM {table}"))[0][0]
    draw = Sql(
        "SELECT max(nextval(pg_get_serial_sequence(:table, 'id')))"
        " FROM generate_series(1, cast(:n AS bigint))"
    )
    reached = 0
    while reached < highest:
        reached = conn.rows(draw, {"table": table, "n": min(max(highest - reached, 1), 500_000)})[0][0]
