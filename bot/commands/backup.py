"""python -m bot backup OUT --by STEWARD: an encrypted backup while the product runs; --verify and --list."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.commands.common import add_settings, opened, settings_of, steward, tell
from referrals.errors import ConfigurationError
from referrals.model import AuditEntry
from referrals.ports import Tx

if TYPE_CHECKING:
    from bot.settings import Settings
    from storage.backup import Made


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """OUT, --by, --verify, --list, --settings."""
    parser.add_argument(
        "place",
        nargs="?",
        type=Path,
        metavar="OUT",
        help="a new file, or a folder in which the file gets a name; with --list a folder of backups",
    )
    parser.add_argument("--by", metavar="STEWARD", help="the seat of the steward who does this")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--verify", type=Path, metavar="FILE", help="open, unpack and count a whole backup")
    what.add_argument("--list", action="store_true", help="which keys are kept, and which backups they open")
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Make one, check one, or list them."""
    settings = settings_of(args)
    if args.verify is not None:
        return _verify(settings, args.verify)
    if args.list:
        return _list(settings, args.place)
    if args.place is None:
        raise ConfigurationError("OUT", "is missing", "name a file or a folder for the backup")
    return _make(settings, args.place, args.by)


def _make(settings: Settings, out: Path, by: str | None) -> int:
    from bot.passphrase import root_key_of
    from storage.backup import make_backup
    from storage.backup_keys import BackupKeys, expire_keys
    from storage.ledger import ledger_beside

    root = root_key_of(settings)
    keys = BackupKeys(settings.root_key_file, root)
    now = datetime.now(UTC)
    with opened(settings, root) as store:
        ledger = ledger_beside(settings.root_key_file, store.lasting)
        store.run(note, by)
    ledger_at = ledger.read().sequence if ledger.path.exists() else 0
    made = make_backup(settings.database, root.network_id, keys, out, now, ledger_at)
    _say(made, f"Backed up and read back: {made.path}")
    gone = expire_keys(keys.folder, now) if ledger.steady(now) else []
    if gone:
        tell(f"{len(gone)} keys of earlier backups had expired and were destroyed.")
    if not ledger.path.exists():
        tell(f"There is no ledger of erasures yet ({ledger.path}): the running product begins it.")
    return 0


def note(tx: Tx, by: str | None) -> None:
    """A turn: who made a backup, and that one was asked for."""
    from referrals.access import Action, allow

    actor = steward(tx, by)
    allow(actor, Action.BACKUP_MAKE)
    tx.audit(AuditEntry(actor, Action.BACKUP_MAKE, "backup:all"))


def _verify(settings: Settings, path: Path) -> int:
    from bot.passphrase import root_key_of
    from storage.backup import verify_backup
    from storage.backup_keys import BackupKeys

    root = root_key_of(settings)
    keys = BackupKeys(settings.root_key_file, root)
    _say(verify_backup(path, root.network_id, keys, datetime.now(UTC)), f"Whole: {path}")
    return 0


def _say(made: Made, first: str) -> None:
    tell(first)
    tell(f"  {made.rows} rows of {made.made:%Y-%m-%d %H:%M} UTC, {made.size} bytes")
    tell(f"  It opens until {made.opens_until:%Y-%m-%d}, then for nobody.")


def _list(settings: Settings, folder: Path | None) -> int:
    from bot.passphrase import root_key_of
    from storage.backup import label_of
    from storage.backup_keys import BackupKeys

    keys = BackupKeys(settings.root_key_file, root_key_of(settings))
    kept = dict(keys.listed())
    tell(f"Keys in {keys.folder}: {len(kept)}")
    for key_id, expires in kept.items():
        tell(f"  {key_id}  opens until {expires:%Y-%m-%d}")
    for path in sorted(folder.glob("*")) if folder is not None else ():
        if not path.is_file():
            continue
        try:
            label = label_of(path)
        except ConfigurationError:
            continue  # something else lies there too
        state = "opens" if label.key_id in kept else "its key is not here: does not open"
        tell(f"  {path}  {label.made:%Y-%m-%d %H:%M} UTC  {state}")
    return 0
