"""Migrated PostgreSQL databases, used again: emptying one costs a tenth of making and migrating another.

A database is used again only if nobody is connected to it, and its tables, rights, triggers and settings are
exactly those of a fresh one; else it is dropped. So a test that changes any of that spoils nothing. It keeps
its name: making, renaming and dropping one takes PostgreSQL longer than most tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import sleep
from typing import Any

import psycopg

from storage.schema import migrate

MOST_USES = 25  # emptied rows stay as dead ones, so no database grows old
LEAVING_S = 0.5  # how long a session that was closed may take to be gone

# What a test could have changed besides rows.
_SHAPE = """
    SELECT md5(string_agg(line, E'\n' ORDER BY line)) FROM (
        SELECT concat_ws('|', 'c', relname, relkind, relacl, reloptions, relowner) AS line
            FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws('|', 'a', attrelid::regclass, attname, atttypid, attnotnull, attacl)
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
        UNION ALL SELECT concat_ws('|', 't', tgrelid::regclass, tgname, tgenabled, tgtype)
            FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT concat_ws('|', 'p', proname, md5(prosrc), proacl)
            FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws('|', 's', nspname, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_'
        UNION ALL SELECT concat_ws('|', 'd', setconfig, setrole) FROM pg_db_role_setting
            WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
        UNION ALL SELECT concat_ws('|', 'r', datacl) FROM pg_database WHERE datname = current_database()
    ) AS shape
"""
_ROWS = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_COUNTERS = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"


@dataclass
class _Server:
    """What is known of one server's databases."""

    shape: str = ""
    kept: dict[str, list[tuple[Any, ...]]] = field(
        default_factory=dict
    )  # rows that the migration itself wrote
    clean: list[str] = field(default_factory=list)
    uses: dict[str, int] = field(default_factory=dict)
    untouched: set[str] = field(default_factory=set)  # handed out migrated, and not opened yet


_servers: dict[str, _Server] = {}


def take(server: str, create: Callable[[], str]) -> str:
    """The URL of a clean, migrated database of `server`; `create` makes an empty one where none is left."""
    known = _servers.setdefault(server, _Server())
    if known.clean:
        name = known.clean.pop()
    else:
        name = create().rpartition("/")[2]
        _begin(f"{server}/{name}", known)
    known.untouched.add(name)
    return f"{server}/{name}"


def is_untouched(url: str) -> bool:
    """Whether a database was handed out migrated just now; true once."""
    server, _, name = url.rpartition("/")
    known = _servers.get(server)
    if known is None or name not in known.untouched:
        return False
    known.untouched.remove(name)
    return True


def become_migrated(url: str) -> bool:
    """Put a clean, migrated database in the place of an empty one; False for one that is not empty."""
    server, _, name = url.rpartition("/")
    with connected(url) as connection:
        if connection.execute(f"SELECT count(*) FROM ({_ROWS}) AS t").fetchone() != (0,):
            return False
    known = _servers.setdefault(server, _Server())
    if not known.clean:
        _begin(url, known)
        return True
    clean = known.clean.pop()
    with connected(f"{server}/postgres") as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        connection.execute(f'ALTER DATABASE "{clean}" RENAME TO "{name}"')
    known.uses[name] = known.uses.pop(clean)
    return True


def _begin(url: str, known: _Server) -> None:
    migrate(url)
    if not known.shape:
        _learn(url, known)
    known.uses[url.rpartition("/")[2]] = 0


def keep_for_another(url: str) -> bool:
    """Empty a database that a test has used, for the next one; False: it must be dropped."""
    server, _, name = url.rpartition("/")
    known = _servers.get(server)
    if known is None or known.uses.get(name, MOST_USES) >= MOST_USES:
        return False
    try:
        with connected(url) as connection:
            if not _as_new(connection, known) or not _alone(connection):
                return False
            _empty(connection, known)
    except psycopg.Error:
        return False
    known.uses[name] += 1
    known.untouched.discard(name)
    known.clean.append(name)
    return True


def forget(server: str, name: str) -> None:
    """It is to be dropped, so nothing that was known of it holds."""
    known = _servers.get(server)
    if known is not None:
        known.uses.pop(name, None)
        known.untouched.discard(name)


def connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True, connect_timeout=5)


def _learn(url: str, known: _Server) -> None:
    """What a fresh one looks like."""
    with connected(url) as connection:
        row = connection.execute(_SHAPE).fetchone()
        assert row is not None
        known.shape = row[0]
        for (table,) in connection.execute(_ROWS).fetchall():
            found = connection.execute(f'SELECT * FROM "{table}"').fetchall()
            if found:
                known.kept[table] = found


def _as_new(connection: psycopg.Connection[Any], known: _Server) -> bool:
    return connection.execute(_SHAPE).fetchone() == (known.shape,)


def _alone(connection: psycopg.Connection[Any]) -> bool:
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    for _ in range(int(LEAVING_S / 0.005)):
        if connection.execute(others).fetchone() == (1,):
            return True
        sleep(0.005)
    return False


def _empty(connection: psycopg.Connection[Any], known: _Server) -> None:
    """Without triggers, which keep the audit append-only and rows tied to each other."""
    tables = [row[0] for row in connection.execute(_ROWS).fetchall()]
    counters = [row[0] for row in connection.execute(_COUNTERS).fetchall()]
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(";".join(f'DELETE FROM "{table}"' for table in tables))
        for table, rows in known.kept.items():
            for row in rows:
                marks = ", ".join(["%s"] * len(row))
                connection.execute(f'INSERT INTO "{table}" VALUES ({marks})', row)
        for counter in counters:
            connection.execute(f'ALTER SEQUENCE "{counter}" RESTART')
