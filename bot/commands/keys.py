"""python -m bot keys status|rotate|lock|unlock|shares|from-shares: states, new keys, the root key's file."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.commands import key_shares
from bot.commands.common import add_settings, opened, settings_of, steward, tell
from referrals.errors import ConfigurationError
from referrals.model import AuditEntry, DataClass
from referrals.ports import Tx

if TYPE_CHECKING:
    from bot.settings import Settings
    from storage.holder_keys import KeyStatus
    from storage.secret import RootKey
    from storage.store import Store

PEOPLE = "person:"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """status, rotate, lock, unlock, shares, from-shares."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    status = verbs.add_parser("status", help="version, state, dates and wraps of every key")
    rotate = verbs.add_parser("rotate", help="new keys for a holder, or a new root key")
    lock = verbs.add_parser("lock", help="put the root key's file under a passphrase")
    unlock = verbs.add_parser("unlock", help="take the passphrase off the root key's file")
    for sub in (status, rotate):
        sub.add_argument("--by", metavar="STEWARD", help="the seat of the steward who does this")
    status.add_argument("--holder", metavar="HOLDER", help="only this one's, e.g. org:open-door")
    what = rotate.add_mutually_exclusive_group(required=True)
    what.add_argument("--holder", metavar="HOLDER", help="org:ID, desk, network, person:ID, or all")
    what.add_argument(
        "--root", type=Path, metavar="NEWFILE", help="a new root key in this file; with the product stopped"
    )
    rotate.add_argument("--data-class", type=DataClass, choices=list(DataClass), help="only this class")
    rotate.add_argument("--passphrase", action="store_true", help="lock the new root key's file")
    rotate.add_argument("--later", action="store_true", help="leave old wraps to the running product")
    shares = verbs.add_parser("shares", help="the root key on three pages; any two give it back")
    from_shares = verbs.add_parser("from-shares", help="the root key from two of the three pages")
    key_shares.add_shares(shares)
    key_shares.add_from_shares(from_shares)
    for sub in (status, rotate, lock, unlock, shares, from_shares):
        add_settings(sub)


def run(args: argparse.Namespace) -> int:
    """Exit status 0; 1 when `rotate` found nothing to do."""
    settings = settings_of(args)
    if args.verb == "status":
        return _status(settings, args.by, args.holder)
    if args.verb == "lock":
        return _lock(settings)
    if args.verb == "unlock":
        return _unlock(settings)
    if args.verb == "shares":
        return key_shares.make_shares(settings, args.out)
    if args.verb == "from-shares":
        return key_shares.join_shares(settings, args.files, args.out, locked=args.passphrase)
    if args.root is not None:
        return _new_root(settings, args)
    return _rotate(settings, args)


# --- Status --------------------------------------------------------------------------------------


def _status(settings: Settings, by: str | None, holder: str | None) -> int:
    from referrals.service.stewards import keys

    with opened(settings) as store:
        store.run(lambda tx: keys.look(tx, steward(tx, by)))
        found = asyncio.run(store.key_statuses())
        scrubbed = asyncio.run(store.last_scrub())
    shown = [key for key in found if holder is None or key.holder == holder]
    for line in status_lines(shown, one_by_one=holder is not None):
        tell(line)
    for line in unfinished(found):
        tell(line)
    when = f"{scrubbed:%Y-%m-%d %H:%M}" if scrubbed else "never"
    tell(
        f"Destroyed bytes were last cleared from the database's files: {when} (daily by the running product)."
    )
    return 0


def status_lines(keys: list[KeyStatus], *, one_by_one: bool) -> list[str]:
    """A line for each version of each key; people's keys are counted and not listed."""
    lines = [
        f"{key.holder}  {key.data_class}  v{key.version}  {_since(key)}  {key.wraps} wraps"
        for key in keys
        if one_by_one or not key.holder.startswith(PEOPLE)
    ]
    if one_by_one:
        return lines or ["No such holder has a key."]
    people = [key for key in keys if key.holder.startswith(PEOPLE)]
    counts, wraps = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for key in people:
        counts[key.data_class, key.state] += 1
        wraps[key.data_class, key.state] += key.wraps
    return [
        *lines,
        *(
            f"people  {name}  {counts[name, state]} keys {state}  {wraps[name, state]} wraps"
            for name, state in sorted(counts)
        ),
    ]


def _since(key: KeyStatus) -> str:
    steps = (
        ("active", key.created_at),
        ("retiring", key.retiring_at),
        ("retired", key.retired_at),
        ("destroyed", key.destroyed_at),
    )
    return ", ".join(f"{state} {at:%Y-%m-%d %H:%M}" for state, at in steps if at is not None)


def unfinished(keys: list[KeyStatus]) -> list[str]:
    """What a steward should know is still under way."""
    left = sum(key.wraps for key in keys if key.state == "retiring")
    waiting = sum(key.state in ("retiring", "retired") for key in keys)
    lines = []
    if left:
        lines.append(f"Not finished: {left} wraps are under retiring keys; the running product moves them.")
    if waiting:
        lines.append(f"Not finished: {waiting} old keys are not destroyed yet; the next sweep goes on.")
    return lines or ["Everything is finished."]


# --- New keys of holders -------------------------------------------------------------------------


def _rotate(settings: Settings, args: argparse.Namespace) -> int:
    from referrals.service.stewards import keys

    with opened(settings) as store:
        holders = _holders(store) if args.holder == keys.EVERY else [args.holder]

        # One turn for each holder, so that nobody who reads or writes meanwhile waits for all of them.
        def one(tx: Tx, holder: str) -> int:
            return keys.rotate(tx, steward(tx, args.by), holder, args.data_class)

        count = sum(store.run(one, holder) for holder in holders)
        if count and not args.later:
            asyncio.run(store.sweep(datetime.now(UTC)))
        left = unfinished(asyncio.run(store.key_statuses()))
    if not count:
        tell("Nobody holds a key." if args.holder == keys.EVERY else f"{args.holder} holds no such key.")
        return 1
    tell(f"New keys: {count}.")
    for line in left:
        tell(line)
    return 0


def _holders(store: Store) -> list[str]:
    return sorted({key.holder for key in asyncio.run(store.key_statuses()) if key.state == "active"})


# --- The root key --------------------------------------------------------------------------------


def _new_root(settings: Settings, args: argparse.Namespace) -> int:
    from bot.passphrase import root_key_of
    from referrals.access import Action
    from storage.root_rotation import replace_root

    if args.data_class is not None:
        raise ConfigurationError("--data-class", "does not go with --root", "leave it out")
    old = root_key_of(settings)
    with opened(settings, old) as store:
        actor = store.run(lambda tx: steward(tx, args.by))
    new = _new_file(settings, args.root, old, locked=args.passphrase)
    entry = AuditEntry(actor, Action.KEYS_ROTATE, "keys:root")
    count = replace_root(settings.database, old, new, entry, datetime.now(UTC))
    tell(f"{count} keys are wrapped by the new root key." if count else "The new root key is in use already.")
    tell(f"1. Set PULANG_ROOT_KEY_FILE to {args.root.resolve()} and start the product.")
    tell("2. Keep a copy of the new file where you keep that of the old one.")
    tell(f"3. Backups made before today open with {settings.root_key_file} only: keep it until the last of")
    tell("   them has expired (30 days), then destroy it and its copies.")
    tell("4. If the old root key was stolen: python -m bot keys rotate --holder all (docs/threat-model.md).")
    return 0


def _new_file(settings: Settings, path: Path, old: RootKey, *, locked: bool) -> RootKey:
    """The new root key: made now, or from an earlier try that was cut short (nothing is ever deleted)."""
    from bot.passphrase import new_passphrase, root_key_of
    from storage.keys import create_root_key

    if path.resolve() == settings.root_key_file.resolve():
        mend = "name a new file; the old one stays as it is"
        raise ConfigurationError(f"--root {path}", "is the root key in use", mend)
    folder = settings.root_key_file.resolve().parent
    if path.resolve().parent != folder:
        what = "lies apart from the ledger and backup-keys, which would be left behind and never expire"
        raise ConfigurationError(f"--root {path}", what, f"name a file in {folder}")
    if not path.exists():
        passphrase = new_passphrase(settings) if locked else None
        create_root_key(path, settings.data, network_id=old.network_id, passphrase=passphrase)
    new = root_key_of(settings, path)  # read back from the disk: what is not there must not be relied on
    if new.network_id != old.network_id or new.secret == old.secret:
        raise ConfigurationError(
            f"--root {path}", "is not a new key of this network", "name a file that is not there yet"
        )
    return new


def _lock(settings: Settings) -> int:
    from bot.passphrase import new_passphrase, root_key_of
    from storage.keys import is_locked, rewrite_root_key

    if is_locked(settings.root_key_file, settings.data):
        mend = "to change the passphrase, unlock it first"
        raise ConfigurationError(str(settings.root_key_file), "is locked already", mend)
    root = root_key_of(settings)
    rewrite_root_key(settings.root_key_file, settings.data, root, new_passphrase(settings))
    tell(f"{settings.root_key_file} is locked. A forgotten passphrase is a lost key: keep it in a safe, too.")
    tell(
        "What stood there in plain may be found on the disk and in copies of it: a root key that never stood"
    )
    tell("in plain is made by 'keys rotate --root NEWFILE --passphrase'.")
    return 0


def _unlock(settings: Settings) -> int:
    from bot.passphrase import root_key_of
    from storage.keys import is_locked, rewrite_root_key

    if not is_locked(settings.root_key_file, settings.data):
        raise ConfigurationError(str(settings.root_key_file), "is not locked", "there is nothing to do")
    rewrite_root_key(settings.root_key_file, settings.data, root_key_of(settings), None)
    tell(f"{settings.root_key_file} opens without a passphrase now.")
    return 0
