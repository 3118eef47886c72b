"""A store for a test: migrated, with a fixed key, seeded ids, and a clock that moves when it is told to.

SQLite is migrated once in a session and copied for each test; PostgreSQL is emptied and used again.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from referrals.catalogue import Catalogue
from storage.catalogue_files import read_catalogue
from storage.connection import database_path, parse_url
from storage.keys import RootKey
from storage.pins import PinKeeper
from storage.schema import migrate
from storage.store import Store
from tests.support.reused import become_migrated, is_untouched

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
KEY = RootKey("test-network", bytes(range(32)))


class SettableClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> datetime:
        self.now += timedelta(**duration)
        return self.now


class QuickPins(PinKeeper):
    """The product's own, at a thousandth of the cost: how dear a guess is, is asked in security/test_pins."""

    def _argon2(self, salt: bytes) -> Argon2id:
        return Argon2id(salt=salt, length=32, iterations=1, lanes=1, memory_cost=8, secret=self._pepper)


def open_store(
    url: str,
    clock: Callable[[], datetime] | None = None,
    catalogue: Catalogue | None = None,
    seed: int | None = 7,
    **more: Any,
) -> Store:
    """Migrate the database at `url` where that is needed, and open it. Close it yourself."""
    prepare(url)
    store = Store.open(url, KEY, catalogue or the_catalogue(), clock or SettableClock(), seed, **more)
    store.pins = QuickPins(store.lasting)
    return store


@cache
def the_catalogue() -> Catalogue:
    """The product's own catalogue."""
    return read_catalogue(Path(__file__).resolve().parents[2] / "catalogue")


def prepare(url: str) -> None:
    """A migrated database at `url`; quick where there is none yet, or an empty one."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = database_path(parsed)
        if not path.exists():
            shutil.copy(_migrated_file(), path)
            path.chmod(0o600)
        return
    if not is_untouched(url) and not become_migrated(url):
        migrate(url)


@cache
def _migrated_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="pulang-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "migrated.db"
    migrate(f"sqlite:///{path}")
    return path
