"""Databases for measurements: fresh, migrated, on disk, with every promise kept (fsync on)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.processes import ROOT
from storage.catalogue_files import read_catalogue
from storage.keys import create_root_key
from storage.schema import migrate
from storage.store import Store
from tests.support.postgres import PostgresServer, postgres_server

SQLITE, POSTGRES = "SQLite", "PostgreSQL"


class Databases:
    """Makes fresh databases in a temporary folder; PostgreSQL is started when first asked for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self._server: PostgresServer | None = None
        self._made = 0

    def create(self, kind: str) -> str:
        """The address of a new migrated database."""
        self._made += 1
        if kind == SQLITE:
            url = f"sqlite:///{self.folder / f'{self._made}.sqlite'}"
        else:
            if self._server is None:
                self._server = self._stack.enter_context(postgres_server(fsync=True))
            url = self._server.create_database()
        migrate(url)
        return url

    def key_file(self, url: str) -> Path:
        """A root key for that database: the same path each time, made by `open_store`."""
        name = "".join(c if c.isalnum() else "-" for c in url.rpartition("/")[2])
        return self.folder / f"{name}.key"


@contextmanager
def databases() -> Iterator[Databases]:
    """A place for databases; everything is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="pulang-bench-") as folder, ExitStack() as stack:
        yield Databases(Path(folder), stack)


def open_store(url: str, key_file: Path) -> Store:
    """The product's own store on a fresh database, with a fresh key and the project's own catalogue."""
    root_key = create_root_key(key_file, key_file.parent / "nothing")
    return Store.open(url, root_key, read_catalogue(ROOT / "catalogue"))
