"""Opening what stands on disk for a command: the key, the database, the catalogue, with clear refusals."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bot.settings import Settings
from bot.texts import read_locales
from referrals.catalogue import Catalogue
from referrals.errors import ConfigurationError
from referrals.model import Actor, Role, Seat
from referrals.ports import Tx
from storage.catalogue_files import read_catalogue
from storage.keys import load_root_key
from storage.store import Store

DEMO_MARK = "DEMO"


def load_catalogue(settings: Settings) -> Catalogue:
    """Catalogue and words together, as the domain reads them."""
    return replace(read_catalogue(settings.catalogue), texts=read_locales(settings.locales))


@contextmanager
def opened_store(settings: Settings) -> Iterator[Store]:
    """The network's store for one command; closed afterwards."""
    key = load_root_key(settings.root_key_file, settings.data)
    refuse_demo(settings)
    store = Store.open(settings.database, key, load_catalogue(settings), threads=1, worker="command")
    try:
        yield store
    finally:
        store.close()


def acting(tx: Tx, seat_id: str, role: Role) -> Actor:
    """The named actor of a command: whoever sits on that seat. Every command that matters needs one."""
    seat = tx.get(Seat, seat_id)
    if seat is None or seat.role is not role:
        raise ConfigurationError(f"--by {seat_id}", f"is no {role}'s seat", f"name the seat of a {role}")
    return Actor(seat.person_id or seat.id, role, seat.organization_id)


def refuse_demo(settings: Settings) -> None:
    """A demo's folder stays a demo's: no command of a real network touches it."""
    if (settings.data / DEMO_MARK).exists():
        raise ConfigurationError(
            f"PULANG_DATA {settings.data}",
            "is a demo's folder, marked for life",
            "use another folder for a real network",
        )


def safe_folder(path: Path, name: str) -> None:
    """Make a folder that only its owner can enter; refuse one that others can, and a checkout of the code."""
    if path.exists():
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise ConfigurationError(f"{name} {path}", "can be entered by other users", f"chmod 700 {path}")
    for parent in (path.resolve(), *path.resolve().parents):
        if (parent / ".git").exists():
            raise ConfigurationError(
                f"{name} {path}",
                f"lies in the checkout {parent}, from where it could be committed",
                "choose a folder outside of it, e.g. /var/lib/pulang",
            )
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
