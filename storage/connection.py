"""How each database is connected to: every setting that our promises rest on is set here and nowhere else."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep

import psycopg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from referrals.errors import ConfigurationError
from storage.sql import NONE, Connection, DialectName, Insert, Params, Row, Sql

DRIVER_ERRORS = (sqlite3.Error, psycopg.Error)

BUSY_MS = 5_000
STATEMENT_MS = 10_000
LOCK_MS = 5_000
IDLE_IN_TURN_MS = 30_000
LONG_READ_MS = 300_000
ALONE_TRIES = 15

_OTHERS = Sql(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'pulang' AND pid <> pg_backend_pid()"
)
_SQLITE_SETTINGS = (
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA journal_mode=WAL",
    # FULL: in 25 simulated power cuts it lost nothing acknowledged; NORMAL lost 1,505 commits.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA temp_store=MEMORY",  # nothing of a query's work is written beside the database
    "PRAGMA cache_size=-32000",
)


class SqliteConnection:
    """A connection in the driver's autocommit mode: every BEGIN is ours, or savepoints would not hold."""

    dialect: DialectName = "sqlite"

    def __init__(self, path: Path, *, read_only: bool = False, alone: bool = False) -> None:
        make_private(path)
        self.read_only = read_only
        self._driver = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        self._begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
        try:
            if alone:  # before the first look at the file, or others could still open it
                self._driver.execute("PRAGMA locking_mode=EXCLUSIVE")
            for setting in _SQLITE_SETTINGS:
                self._driver.execute(setting)
            if read_only:
                self._driver.execute("PRAGMA query_only=ON")
        except sqlite3.Error:
            self._driver.close()
            raise

    def rows(self, sql: Sql, params: Params = NONE) -> list[Row]:
        return self._driver.execute(sql.text("sqlite"), params).fetchall()

    def stream(self, sql: Sql, size: int) -> Iterator[list[Row]]:
        cursor = self._driver.execute(sql.text("sqlite"))
        while rows := cursor.fetchmany(size):
            yield rows

    def change(self, sql: Sql, params: Params = NONE) -> int:
        return self._driver.execute(sql.text("sqlite"), params).rowcount

    def change_many(self, sql: Sql, params: Sequence[Params]) -> None:
        self._driver.executemany(sql.text("sqlite"), params)

    def execute(self, command: str) -> list[Row]:
        """A command without parameters (PRAGMA, SAVEPOINT)."""
        return self._driver.execute(command).fetchall()

    def begin(self) -> None:
        self._driver.execute(self._begin)

    def commit(self) -> None:
        self._driver.execute("COMMIT")

    def rollback(self) -> None:
        try:
            if self._driver.in_transaction:
                self._driver.execute("ROLLBACK")
        except sqlite3.Error:
            self.close()

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._driver.close()

    @property
    def in_transaction(self) -> bool:
        try:
            return self._driver.in_transaction
        except sqlite3.Error:
            return False

    @property
    def broken(self) -> bool:
        try:
            self._driver.execute("SELECT 1")
        except sqlite3.Error:
            return True
        return False


class PostgresConnection:
    """A connection with our own BEGIN and COMMIT, and with a limit on everything that could hang."""

    dialect: DialectName = "postgresql"

    def __init__(self, url: URL, *, read_only: bool = False) -> None:
        self.read_only = read_only
        statement_ms = LONG_READ_MS if read_only else STATEMENT_MS
        self._driver = psycopg.connect(
            plain_url(url),
            autocommit=True,
            connect_timeout=5,
            # A cut network is noticed by the kernel, not by waiting for an answer that never comes.
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=15_000,
            application_name="pulang",
            options=f"-c statement_timeout={statement_ms} -c lock_timeout={LOCK_MS}"
            f" -c idle_in_transaction_session_timeout={statement_ms + IDLE_IN_TURN_MS}"
            " -c timezone=UTC -c client_min_messages=warning",
        )
        self._begin = (
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            if read_only
            else "BEGIN ISOLATION LEVEL READ COMMITTED"
        )

    def rows(self, sql: Sql, params: Params = NONE) -> list[Row]:
        return self._driver.execute(sql.text("postgresql"), params).fetchall()

    def stream(self, sql: Sql, size: int) -> Iterator[list[Row]]:
        # A named cursor stays on the server; another one would bring every row at once.
        with self._driver.cursor(name="pulang_stream") as cursor:
            cursor.execute(sql.text("postgresql"))
            while rows := cursor.fetchmany(size):
                yield rows

    def change(self, sql: Sql, params: Params = NONE) -> int:
        return self._driver.execute(sql.text("postgresql"), params).rowcount

    def change_many(self, sql: Sql, params: Sequence[Params]) -> None:
        if isinstance(sql, Insert) and params:
            self._driver.execute(sql.of_lists, {name: [row[name] for row in params] for name in params[0]})
            return
        with self._driver.cursor() as cursor:
            cursor.executemany(sql.text("postgresql"), params)

    def begin(self) -> None:
        self._driver.execute(self._begin)

    def commit(self) -> None:
        # COMMIT of a transaction that has failed answers 'ROLLBACK' and no error: look before.
        if self._driver.info.transaction_status is not psycopg.pq.TransactionStatus.INTRANS:
            raise psycopg.OperationalError("the transaction had already failed")
        self._driver.execute("COMMIT")

    def rollback(self) -> None:
        try:
            if self._driver.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
                self._driver.execute("ROLLBACK")
        except psycopg.Error:
            self.close()

    def close(self) -> None:
        with suppress(psycopg.Error):
            self._driver.close()

    @property
    def in_transaction(self) -> bool:
        return self._driver.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS

    @property
    def broken(self) -> bool:
        return bool(self._driver.closed)


def parse_url(url: str) -> URL:
    """'sqlite:////folder/file.db' or 'postgresql://user@host/name'. Raises ConfigurationError."""
    mend = "write sqlite:////folder/pulang.db or postgresql://user:password@host/name"
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError("database", "this is not a database address", mend) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ConfigurationError("database", "a database in memory would be lost", mend)
    if backend not in ("sqlite", "postgresql"):
        raise ConfigurationError("database", f"{backend!r} is not supported", mend)
    return parsed


def plain_url(url: URL) -> str:
    """A PostgreSQL address as the driver takes it (it holds the password: never log it)."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def shown(url: URL) -> str:
    """An address that may be shown: without its password."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def database_path(url: URL) -> Path:
    """The file of a SQLite address."""
    return Path(url.database or "").absolute()


def make_private(path: Path) -> None:
    """Create the file for its owner alone; SQLite gives the WAL beside it the same mode."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def connect(url: URL, *, read_only: bool = False) -> Connection:
    """A fresh connection. Raises the driver's own errors, or OSError."""
    if url.get_backend_name() == "sqlite":
        return SqliteConnection(database_path(url), read_only=read_only)
    return PostgresConnection(url, read_only=read_only)


def connect_alone(url: URL) -> Connection:
    """A connection while nobody else is at the database; ConfigurationError when somebody is.

    SQLite keeps others out until it is closed. On PostgreSQL the caller locks what must not change.
    """
    busy = ConfigurationError(shown(url), "the product or another command is at work", "stop it first")
    if url.get_backend_name() == "sqlite":
        try:
            return SqliteConnection(database_path(url), alone=True)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise busy from None
            raise
    conn = PostgresConnection(url)
    for _ in range(ALONE_TRIES):
        if not conn.rows(_OTHERS)[0][0]:
            return conn
        sleep(0.1)  # a session that was just closed is shown for a moment
    conn.close()
    raise busy


@contextmanager
def clear_errors(url: URL) -> Iterator[None]:
    """At start: turn whatever the drivers say into a ConfigurationError that names the mend."""
    where = shown(url)
    try:
        yield
    except OSError as error:
        what, mend = f"cannot be opened ({error.strerror})", "create its folder and give it to this user"
        raise ConfigurationError(where, what, mend) from error
    except sqlite3.Error as error:
        mend = "check the file, its folder's rights and free space"
        if "not a database" in str(error) or "malformed" in str(error):
            mend = "this file is broken: put it aside and restore a backup"
        raise ConfigurationError(where, str(error), mend) from error
    except psycopg.Error as error:
        what = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        mend = "check that PostgreSQL runs there, and the user, password and database name"
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            mend = "let the owner give this role its rights: python -m bot migrate --grant ROLE"
        raise ConfigurationError(where, what, mend) from error
