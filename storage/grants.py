"""Two PostgreSQL roles: the owner migrates, the product's role works and cannot change what was audited.

What the product's role may do with each table is RIGHTS, and nothing else; a later migration asks for the
same grant again.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from referrals.errors import ConfigurationError
from storage.connection import clear_errors, parse_url, plain_url
from storage.tables import metadata

_ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")
# Less than everything: history is only added to, and the schema's own mark is the owner's.
_LESS: dict[str, tuple[str, ...]] = {
    "audit": ("SELECT", "INSERT"),
    "audit_lane": ("SELECT", "INSERT", "UPDATE"),
    "checkpoint": ("SELECT", "INSERT", "UPDATE"),  # updated by whoever says 'we have put it away'
    "key_encryption_key": ("SELECT", "INSERT", "UPDATE"),
    "alembic_version": ("SELECT",),
}
RIGHTS: dict[str, tuple[str, ...]] = dict.fromkeys(metadata.tables, _ALL) | _LESS
# Rewritten once a day, so that nothing of a destroyed key is left in their files (upkeep.py).
REWRITTEN = ("wrap", "sealed", "key_encryption_key", "meta")
MAINTAIN_SINCE = 170000

_ABOUT = """
SELECT rolsuper, pg_has_role(rolname, current_user, 'MEMBER'),
       EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = 'audit'::regclass
               AND pg_has_role(r.rolname, c.relowner, 'MEMBER'))
FROM pg_roles r WHERE rolname = %s
"""


def grant(url: str, role: str) -> bool:
    """Give `role` exactly what the product needs; run as the tables' owner, again after each migration.

    False: before PostgreSQL 17 nobody but the owner can rewrite tables, so erasure needs the owner daily.
    ConfigurationError: not PostgreSQL, no such role, or one that could undo it all (superuser, owner).
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "postgresql":
        mend = "leave --grant out: SQLite has no roles, and its triggers bind everybody"
        raise ConfigurationError("--grant", "is for PostgreSQL", mend)
    with clear_errors(parsed), psycopg.connect(plain_url(parsed), connect_timeout=5) as conn:
        _refuse_mighty(conn, role)
        for statement in _statements(conn, role):
            conn.execute(statement)
        return conn.info.server_version >= MAINTAIN_SINCE


def _statements(conn: psycopg.Connection[Any], role: str) -> list[sql.Composed]:
    name = sql.Identifier(role)
    schema, database = _here(conn)
    made = [
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(schema, name),
        sql.SQL("REVOKE ALL ON ALL SEQUENCES IN SCHEMA {} FROM {}").format(schema, name),
        sql.SQL("REVOKE CREATE ON SCHEMA {} FROM PUBLIC, {}").format(schema, name),
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, name),
        sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, name),
        sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA {} TO {}").format(schema, name),
    ]
    for table, rights in RIGHTS.items():
        allowed = sql.SQL(", ").join(map(sql.SQL, rights))
        made.append(sql.SQL("GRANT {} ON {} TO {}").format(allowed, sql.Identifier(table), name))
    if conn.info.server_version >= MAINTAIN_SINCE:
        tables = sql.SQL(", ").join(map(sql.Identifier, REWRITTEN))
        made.append(sql.SQL("GRANT MAINTAIN ON {} TO {}").format(tables, name))
    return made


def _here(conn: psycopg.Connection[Any]) -> tuple[sql.Identifier, sql.Identifier]:
    row = conn.execute("SELECT current_schema(), current_database()").fetchone()
    assert row is not None
    return sql.Identifier(row[0]), sql.Identifier(row[1])


def _refuse_mighty(conn: psycopg.Connection[Any], role: str) -> None:
    about = conn.execute(_ABOUT, [role]).fetchone()
    if about is None:
        mend = f'make it first, as the owner of the server: CREATE ROLE "{role}" LOGIN PASSWORD …'
        raise ConfigurationError(f"--grant {role}", "there is no such role", mend)
    if any(about):
        what = "is a superuser, or owns the tables: it could change the audit"
        mend = "name a role of its own for the product, and run this with the owner's address"
        raise ConfigurationError(f"--grant {role}", what, mend)
