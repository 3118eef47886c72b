"""Whether a database fits this program, and the migrations that make it fit."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from referrals.errors import ConfigurationError
from storage.connection import DRIVER_ERRORS, clear_errors, database_path, make_private, parse_url, shown
from storage.keyring import SealBroken
from storage.lasting import new_lasting, open_lasting, seal_lasting
from storage.secret import LastingSecret, RootKey
from storage.sql import Connection, Sql

# The newest revision in storage/migrations; a test compares. Kept here, so that a start needs no Alembic.
HEAD = "0001"

RESTORING = "restoring"  # a key of `meta` while a restore is at work (storage/restore.py)

_REVISION = Sql("SELECT version_num FROM alembic_version")
_META = Sql("SELECT key, value FROM meta")
_SET_META = Sql("INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO NOTHING")


def migrate(url: str) -> None:
    """Bring a database (new or old) to HEAD. ConfigurationError for a broken file or one from the future."""
    from alembic import command  # a start without migration does without Alembic
    from alembic.config import Config
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    parsed = parse_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    with clear_errors(parsed):
        if sqlite:
            make_private(database_path(parsed))
        _refuse_future(url)
    driver = "sqlite" if sqlite else "postgresql+psycopg"
    engine = create_engine(parsed.set(drivername=driver), poolclass=NullPool)
    if sqlite:
        # The driver would commit before each CREATE TABLE; so a migration cut short would leave a half.
        event.listen(engine, "connect", _no_driver_transactions)
        event.listen(engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE"))
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    try:
        with engine.begin() as connection:
            if not sqlite:
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7085141)")  # one migration at a time
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def _no_driver_transactions(driver: Any, _record: object) -> None:
    driver.isolation_level = None


def _refuse_future(url: str) -> None:
    from storage.connection import connect

    conn = connect(parse_url(url))
    try:
        found = revision(conn)
    finally:
        conn.close()
    if found is not None and found > HEAD:
        raise _from_the_future(url, found)


def _from_the_future(url: str, found: str) -> ConfigurationError:
    what = f"the database is of a newer version of this program ({found}; this one knows {HEAD})"
    return ConfigurationError(
        shown(parse_url(url)), what, "start the newer version, or restore an older backup"
    )


def revision(conn: Connection) -> str | None:
    """The revision that a database stands at; None when it was never migrated."""
    try:
        rows = conn.rows(_REVISION)
    except DRIVER_ERRORS as error:
        if "no such table" in str(error) or "does not exist" in str(error):
            with suppress(*DRIVER_ERRORS):
                conn.rollback()
            return None
        raise
    return str(rows[0][0]) if rows else None


def check_revision(conn: Connection, url: str) -> None:
    """Raise ConfigurationError unless the database stands at HEAD."""
    found = revision(conn)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise _from_the_future(url, found)
    what = "the database is empty" if found is None else f"the database is of an older version ({found})"
    mend = "make a backup, then migrate it: python -m bot migrate"
    raise ConfigurationError(shown(parse_url(url)), what, mend)


def check_finished(conn: Connection, url: str) -> None:
    """Raise ConfigurationError upon a restore that was killed: half a network must not begin to work."""
    meta: dict[str, str] = dict(conn.rows(_META))
    if RESTORING in meta:
        what, mend = "a restore into it was not finished", "run the restore again: python -m bot restore FILE"
        raise ConfigurationError(shown(parse_url(url)), what, f"{mend} (it begins anew)")


def check_network(conn: Connection, url: str, root: RootKey, demo: bool) -> LastingSecret:
    """Mark a fresh database with its network; refuse another network's, a wrong key, and demo beside real.

    Returns the network's lasting secret. ConfigurationError.
    """
    conn.begin()
    try:
        meta: dict[str, str] = dict(conn.rows(_META))
        if "network_id" not in meta:
            fresh = {
                "network_id": root.network_id,
                "key_check": root.check_value,
                "demo": "yes" if demo else "no",
                "lasting": seal_lasting(root, new_lasting(root.network_id)),
            }
            conn.change_many(_SET_META, [{"key": key, "value": value} for key, value in fresh.items()])
            meta = dict(conn.rows(_META))  # ours, or those of somebody who was faster
        conn.commit()
    except BaseException:
        conn.rollback()
        raise
    where = shown(parse_url(url))
    if not {"network_id", "key_check", "demo", "lasting"} <= meta.keys():
        what = "what says whose data these are was taken out of the database"
        raise ConfigurationError(where, what, "keep a copy of it as it is, and restore a backup")
    if meta["network_id"] != root.network_id:
        what = f"the data belong to network {meta['network_id']}, the key to {root.network_id}"
        raise ConfigurationError(where, what, "give the key file of this network")
    if meta["key_check"] != root.check_value:
        raise ConfigurationError(
            where, "the key is not the one these data were sealed with", "restore the key file"
        )
    if (meta["demo"] == "yes") != demo:
        what = "these are demo data" if meta["demo"] == "yes" else "these are a real network's data"
        raise ConfigurationError(where, what, "name another data folder; what was a demo stays one")
    try:
        return open_lasting(root, meta["lasting"])
    except SealBroken as error:
        what = "the network's lasting secret is missing or was changed"
        raise ConfigurationError(where, what, "restore a backup; nobody's account can be found") from error
