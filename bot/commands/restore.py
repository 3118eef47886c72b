"""python -m bot restore FILE --by STEWARD: a backup becomes a database again, and the erased stays erased."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.commands.common import add_settings, settings_of, steward, tell
from referrals.errors import ConfigurationError

if TYPE_CHECKING:
    from bot.settings import Settings
    from referrals.catalogue import Catalogue
    from referrals.ports import Erasure, Tx
    from referrals.service.restoring import Restored
    from storage.restore import Found, Ledgers
    from storage.secret import RootKey


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE, --into, --by, --ledger, --without-ledger, --settings."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the backup")
    parser.add_argument(
        "--into",
        metavar="DATABASE",
        help="the address of an empty database; that of the settings when absent",
    )
    parser.add_argument("--by", metavar="STEWARD", help="the seat of the steward who does this")
    ledger = parser.add_mutually_exclusive_group()
    ledger.add_argument(
        "--ledger",
        type=Path,
        action="append",
        metavar="FILE",
        help="the ledger of erasures, once for each host; erased.log beside the root key when absent",
    )
    ledger.add_argument(
        "--without-ledger",
        action="store_true",
        help="there is no ledger any more: what was erased after the backup comes back",
    )
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Look into the file, ask the ledger, fill the database, read its audit. Exit status 1: audit broken."""
    settings = settings_of(args)
    from bot.clock import Clock
    from bot.passphrase import root_key_of
    from storage.backup_keys import BackupKeys
    from storage.catalogue_files import read_catalogue
    from storage.restore import look_into, restore

    _make_place(settings)
    root = root_key_of(settings)
    catalogue = read_catalogue(settings.catalogue)
    keys = BackupKeys(settings.root_key_file, root)
    found = look_into(args.file, root, keys, datetime.now(UTC))
    tell(f"The backup is whole: {found.made.rows} rows of {found.made.made:%Y-%m-%d %H:%M} UTC.")
    ledgers = ledgers_of(settings, found, args.ledger, args.without_ledger)
    url = args.into or settings.database
    prepare(url)

    def after(tx: Tx) -> Restored:
        from referrals.service.restoring import after_restore

        return after_restore(tx, steward(tx, args.by), found.made.made, ledgers.pending)

    done = restore(url, root, keys, found, ledgers, catalogue, Clock().now, after)
    _say(done, len(ledgers.pending))
    return _check(url, root, catalogue)


def _make_place(settings: Settings) -> None:
    """The data folder, where there is none yet."""
    from storage.private_files import private_folder

    settings.data.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    private_folder(settings.data)


def prepare(url: str) -> None:
    """An address where nothing is becomes an empty database of this version."""
    from storage.connection import clear_errors, connect, parse_url
    from storage.schema import migrate, revision

    parsed = parse_url(url)
    with clear_errors(parsed):
        conn = connect(parsed)
        try:
            found = revision(conn)
        finally:
            conn.close()
    if found is None:
        migrate(url)


def ledgers_of(settings: Settings, found: Found, named: Sequence[Path] | None, without: bool) -> Ledgers:
    """What happened after the backup. ConfigurationError: no ledger, a damaged one, one that is too old."""
    from storage.ledger import Ledger, ledger_beside
    from storage.restore import Ledgers

    if without:
        since = f"{found.made.made:%Y-%m-%d %H:%M} UTC"
        tell(f"Without the ledger: whatever was erased or withdrawn since {since} is back. Tell the steward:")
        tell("  whoever asked for it must be asked again, and it must be done again.")
        return Ledgers(())
    ours = ledger_beside(settings.root_key_file, found.lasting)
    places = [Ledger(path, found.lasting) for path in named] if named else [ours]
    pending: dict[str, Erasure] = {}
    reached = 0
    for ledger in places:
        if not ledger.path.exists():
            raise _no_ledger(ledger.path, "the ledger of erasures is not there")
        told = ledger.read()
        reached = max(reached, told.sequence)
        until = f"reaches until {told.until:%Y-%m-%d %H:%M} UTC" if told.until else "holds no line"
        tell(f"The ledger {ledger.path} {until}; what was erased later")
        tell("  than that comes back.")
        pending |= {e.name: e for e in told.erasures if e.name not in found.known}
    if reached < found.ledger_at:
        raise _no_ledger(places[0].path, "this ledger is older than the backup, or was cut off")
    in_place = {e.name for e in ours.read().erasures} if ours.path.exists() else set()
    ordered = sorted(pending.values(), key=lambda e: e.at)
    return Ledgers(ordered, frozenset(in_place))


def _no_ledger(path: Path, what: str) -> ConfigurationError:
    mend = (
        "put your newest copy of erased.log there (or name it with --ledger). Only if there is none:"
        " --without-ledger, and whatever was erased or withdrawn after the backup comes back"
    )
    return ConfigurationError(str(path), what, mend)


def _say(done: Restored, taken: int) -> None:
    tell("Restored.")
    if taken:
        tell(f"From the ledger, {taken} lines newer than the backup:")
        tell(f"  {done.destroyed} records stay destroyed, {done.withdrawn} withdrawn consents stay withdrawn")
        tell(f"  {done.to_desk} matters wait for the desk, {done.silenced} chats stay silent")
        tell(f"  {done.devices_ended} devices stay ended, {done.posts_checked} posts were compared")
    if done.directory_changes:
        tell("Agreements or organisations were changed after the backup. They are out of force until the")
        tell("newest network file is applied again: python -m bot network check FILE")


def _check(url: str, root: RootKey, catalogue: Catalogue) -> int:
    """The audit of the restored database, read to its end, and its files cleared of what was left out."""
    from storage.store import Store

    store = Store.open(url, root, catalogue, worker="command")
    try:
        findings = asyncio.run(store.verify_audit())
        asyncio.run(store.scrub())
    finally:
        store.close()
    tell(
        "The audit is whole."
        if not findings
        else f"Findings: {len(findings)}. See: python -m bot audit verify"
    )
    tell("Next: python -m bot run. Everybody's sessions have ended; timers that are late fire now.")
    return 1 if findings else 0
