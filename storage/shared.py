"""What all turns of one process share: catalogue, clock, keys, and a picture of the directory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random, SystemRandom
from threading import Lock
from typing import TypeVar

from referrals.catalogue import Catalogue
from referrals.directory import Agreement, Area, Directory, Duty, Organization, Poster, Service
from storage import audit
from storage.keyring import Keyring
from storage.mapper import mapper_of
from storage.sql import Connection, Sql

T = TypeVar("T")

_DIRECTORY = Sql("SELECT value FROM meta WHERE key = 'directory'")


@dataclass(slots=True)
class Shared:
    """What all turns of one process share. Everything in it may be lost without harm."""

    catalogue: Catalogue
    clock: Callable[[], datetime]
    keyring: Keyring
    chance: Random = field(default_factory=SystemRandom)
    seeded: bool = False
    directory: tuple[str, Directory] | None = None  # (token, picture)
    heads: dict[str, audit.Position] = field(default_factory=dict)  # where lanes ended when last seen
    lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(
        cls, catalogue: Catalogue, clock: Callable[[], datetime], keyring: Keyring, seed: int | None
    ) -> Shared:
        """`seed`: for tests, ids and draws repeat. Keys and nonces never do."""
        chance = SystemRandom() if seed is None else Random(seed)  # noqa: S311 - tests only
        return cls(catalogue, clock, keyring, chance, seed is not None)


def cached_directory(conn: Connection, shared: Shared) -> Directory:
    """The picture that all turns share, read anew when its token has changed."""
    while True:
        token = _directory_token(conn)
        known = shared.directory
        if known is not None and known[0] == token:
            return known[1]
        directory = read_directory(conn)
        # Under READ COMMITTED a change may slip in between two tables: look again before it is believed.
        if _directory_token(conn) == token:
            with shared.lock:
                shared.directory = (token, directory)
            return directory


def _directory_token(conn: Connection) -> str:
    rows = conn.rows(_DIRECTORY)
    return str(rows[0][0]) if rows else ""


def read_directory(conn: Connection) -> Directory:
    """Every directory row, as one picture."""

    def rows_of(kind: type[T]) -> list[T]:
        return mapper_of(kind).find(conn, None, {})

    return Directory(
        areas={area.id: area for area in rows_of(Area)},
        organizations={organization.id: organization for organization in rows_of(Organization)},
        services={service.id: service for service in rows_of(Service)},
        agreements=tuple(rows_of(Agreement)),
        duties=tuple(rows_of(Duty)),
        posters={poster.id: poster for poster in rows_of(Poster)},
    )
