"""Nothing of a destroyed key is left in the database's files: the last step of every erasure.

SQLite overwrites what it deletes (secure_delete), but old pages stay in the WAL until it is emptied: that is
done after each sweep. PostgreSQL keeps deleted rows until their table is rewritten: done once a day, by
whichever process comes first; its own WAL goes as the server is set up (docs/deploy.md, 'Erasure').
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import psycopg
from sqlalchemy.engine import URL

from storage.codec import instant_in, instant_out
from storage.connection import SqliteConnection, connect
from storage.grants import REWRITTEN
from storage.sql import Connection, Sql

EVERY = timedelta(hours=23)  # so that hourly looks make it daily, and never a day and an hour
PATIENCE_MS = 300  # turns that come meanwhile wait behind us
REWRITE_MS = 30_000  # less than a turn's tries last altogether

_ONE_AT_A_TIME = Sql("SELECT pg_try_advisory_lock(7085142)")
_FILE = Sql("SELECT pg_relation_filenode(:name)")
_LAST = Sql("SELECT value FROM meta WHERE key = 'scrubbed'")
_NOTE = Sql(
    "INSERT INTO meta (key, value) VALUES ('scrubbed', :now)"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)

_log = logging.getLogger(__name__)


def scrub(url: URL) -> bool:
    """Make destroyed keys unreadable on disk too. False: not all of it; try again later.

    A long read stood in the way, another process is at it, or (PostgreSQL) this role may not. Driver errors.
    """
    conn = connect(url)
    try:
        return _empty_wal(conn) if isinstance(conn, SqliteConnection) else _rewrite(conn)
    finally:
        conn.close()


def last_scrub(conn: Connection) -> datetime | None:
    """When it was done to its end."""
    rows = conn.rows(_LAST)
    return instant_out(int(rows[0][0])) if rows else None


def is_due(conn: Connection, now: datetime) -> bool:
    """Whether the last one is a day ago. On SQLite it costs next to nothing: always."""
    last = last_scrub(conn)
    return conn.dialect == "sqlite" or last is None or now - last >= EVERY


def note_scrub(conn: Connection, now: datetime) -> None:
    """It was done."""
    conn.change(_NOTE, {"now": str(instant_in(now))})


def _empty_wal(conn: SqliteConnection) -> bool:
    conn.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
    busy, _, _ = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")[0]
    return not busy


def _rewrite(conn: Connection) -> bool:
    if not conn.rows(_ONE_AT_A_TIME)[0][0]:
        return False
    conn.change(Sql(f"SET lock_timeout = {PATIENCE_MS}"))
    conn.change(Sql(f"SET statement_timeout = {REWRITE_MS}"))
    try:
        # Each table alone and the small ones last: nobody waits for all of them together.
        return all(_rewritten(conn, table) for table in REWRITTEN)
    except psycopg.errors.LockNotAvailable:
        return False


def _rewritten(conn: Connection, table: str) -> bool:
    """Whether the table stands in a new file: a role that may not is only warned, and nothing is done."""
    before = conn.rows(_FILE, {"name": table})
    conn.change(Sql(f'VACUUM (FULL) "{table}"'))
    done = conn.rows(_FILE, {"name": table}) != before
    if not done:
        _log.warning("this role may not rewrite the table %s: python -m bot migrate --grant", table)
    return done
