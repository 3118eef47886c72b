"""python -m bot init: a new network from nothing. Refuses every place that would be unsafe."""

from __future__ import annotations

import argparse
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from bot.commands.common import add_settings, invitation_link, new_token, opened, settings_of, tell
from referrals.errors import ConfigurationError
from referrals.model import SYSTEM, Role
from referrals.persons import Seat
from referrals.ports import Tx

if TYPE_CHECKING:
    from bot.settings import Settings

FIRST_STEWARD = "steward-1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--settings, --steward, --passphrase, --force."""
    add_settings(parser)
    parser.add_argument(
        "--steward",
        default=FIRST_STEWARD,
        metavar="SEAT",
        help=f"the first steward's seat (default {FIRST_STEWARD})",
    )
    parser.add_argument(
        "--passphrase", action="store_true", help="lock the key with a passphrase, which is asked for twice"
    )
    parser.add_argument("--force", action="store_true", help="accept folders inside a git checkout")


def run(args: argparse.Namespace) -> int:
    """Make the folders, the key and the database, and invite the first steward."""
    settings = settings_of(args)
    check_places(settings.data, settings.root_key_file, force=args.force)
    from bot.passphrase import new_passphrase
    from storage.keys import create_root_key
    from storage.schema import migrate

    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.root_key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_existing(settings)
    passphrase = new_passphrase(settings) if args.passphrase else None
    root = create_root_key(settings.root_key_file, settings.data, passphrase=passphrase)
    token = new_token()
    try:
        migrate(settings.database)
        with opened(settings, root) as store:
            store.run(found, args.steward, token)
    except BaseException:
        # A key that has sealed nothing is nobody's loss, and would stand in the way of the next try.
        settings.root_key_file.unlink(missing_ok=True)
        raise
    tell(f"The data folder is {settings.data}, the key is {settings.root_key_file}.")
    tell("Keep a copy of the key apart from every backup: without it nothing can be read again.")
    tell(f"The invitation for {args.steward}, to be opened within 24 hours on the steward's own phone:")
    tell(f"  {invitation_link(settings, token)}")
    tell("Next: python -m bot network check FILE, the same with apply, then python -m bot run")
    return 0


def found(tx: Tx, seat_id: str, token: str) -> None:
    """A turn: the first steward's seat and invitation."""
    from referrals.service.people import joining

    if tx.get(Seat, seat_id) is None:
        tx.add(Seat(seat_id, Role.STEWARD, None, None))
    joining.invite(tx, SYSTEM, seat_id, token)


def check_places(data: Path, key_file: Path, *, force: bool = False) -> None:
    """ConfigurationError for a place where data or key would not be safe."""
    for folder in (data, key_file.parent):
        for parent in (folder.resolve(), *folder.resolve().parents):
            if not force and (parent / ".git").exists():
                raise ConfigurationError(
                    str(folder), "lies in a git checkout, from where it could be committed",
                    "name a folder elsewhere, or add --force if this is only a trial",
                )  # fmt: skip
    if data.exists():
        if not data.is_dir():
            raise ConfigurationError(str(data), "is not a folder", "name a folder for PULANG_DATA")
        if stat.S_IMODE(data.stat().st_mode) & 0o077:
            raise ConfigurationError(str(data), "can be entered by other users", f"chmod 700 {data}")
    keys = key_file.parent
    if keys.exists() and stat.S_IMODE(keys.stat().st_mode) & 0o022:
        raise ConfigurationError(
            str(keys), "can be written by other users, who could exchange the key", f"chmod go-w {keys}"
        )


def refuse_existing(settings: Settings) -> None:
    """An existing network is never made anew."""
    mend = "run it with 'python -m bot run', or name an empty place for a new one"
    if settings.root_key_file.exists():
        raise ConfigurationError(str(settings.root_key_file), "there is a key already", mend)
    if any(settings.data.iterdir()):
        raise ConfigurationError(str(settings.data), "is not empty", mend)
    from storage.connection import connect, parse_url
    from storage.schema import revision

    if settings.database_url is None:
        return
    conn = connect(parse_url(settings.database))
    try:
        if revision(conn) is not None:
            raise ConfigurationError(
                "PULANG_DATABASE_URL", "there is a network in this database already", mend
            )
    finally:
        conn.close()
