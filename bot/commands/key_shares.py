"""python -m bot keys shares|from-shares: the root key on three pieces of paper, and back from two of them.

Both work with the product stopped or running, without the database and without any network.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bot.commands.common import tell
from referrals.errors import ConfigurationError

if TYPE_CHECKING:
    from bot.settings import Settings
    from storage.shares import Share


def add_shares(parser: argparse.ArgumentParser) -> None:
    """--out DIR."""
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="a folder for three files to print, best in memory",
    )


def add_from_shares(parser: argparse.ArgumentParser) -> None:
    """[SHARE …] --out NEWFILE."""
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="SHARE", help="two files; without any they are typed"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="NEWFILE", help="the new key file")
    parser.add_argument("--passphrase", action="store_true", help="lock the new file")


def make_shares(settings: Settings, folder: Path) -> int:
    """Write share-1.txt to share-3.txt; all of them or none."""
    from bot.passphrase import root_key_of
    from storage.private_files import private_folder, put_private, refuse_data_folder, shred
    from storage.shares import printed, shares_of

    refuse_data_folder(folder, settings.data, "a share")
    root = root_key_of(settings)
    private_folder(folder)
    made: list[Path] = []
    try:
        for share in shares_of(root):
            path = folder / f"share-{share.number}.txt"
            put_private(path, printed(share).encode())
            made.append(path)
    except ConfigurationError:
        for path in made:  # of another printing than what may lie there: of no use to anybody
            shred(path)
        raise
    tell(f"share-1.txt, share-2.txt and share-3.txt are in {folder}. Any two of them are the key.")
    tell(
        "1. Print each, read it against the screen, and give it to somebody who lives apart from the others."
    )
    tell(
        f"2. Destroy the files: shred -u {folder}/share-*.txt (a folder in memory, as in /dev/shm, is best)."
    )
    tell("3. After 'keys rotate --root' print new ones; keep the old as long as backups made before live.")
    return 0


def join_shares(settings: Settings, files: list[Path], out: Path, *, locked: bool) -> int:
    """Write the key of two shares or three into a new file."""
    from bot.passphrase import new_passphrase
    from storage.keys import keep_root_key
    from storage.private_files import refuse_data_folder
    from storage.shares import key_of

    refuse_data_folder(out, settings.data, "the key")
    if out.exists():  # said before anybody types
        raise ConfigurationError(f"--out {out}", "there is a file already", "keep it, or name another")
    shares = _typed() if not files else [(str(path), _from_file(path)) for path in files]
    root = key_of(shares)
    keep_root_key(out, settings.data, root, new_passphrase(settings) if locked else None)
    tell(f"The root key of the network {root.network_id} is in {out}.")
    tell("Set PULANG_ROOT_KEY_FILE to it. Now as ever: not in the data folder, and never backed up with it.")
    return 0


def _from_file(path: Path) -> Share:
    from storage.private_files import read_private
    from storage.shares import read_share

    text = read_private(path, "the share", "name the file into which it was typed").decode("utf-8", "replace")
    return read_share(text, str(path))


def _typed() -> list[tuple[str, Share]]:
    """Two shares, line by line; a line that was mistyped is asked for again."""
    from storage.shamir import NEEDED
    from storage.shares import NAMES, share_of

    tell("Type what stands after each name, with the letters at its end; only the network's capitals matter.")
    tell("Nothing is stored before two shares fit together.")
    found = []
    for number in range(1, NEEDED + 1):
        where = f"paper {number}"
        tell(f"Paper {number}:")
        found.append((where, share_of({name: _line(name, where) for name in NAMES}, where)))
    return found


def _line(name: str, where: str) -> str:
    from storage.shares import read_line

    while True:
        sys.stdout.write(f"  {name}: ")
        sys.stdout.flush()
        typed = sys.stdin.readline()
        if not typed:
            mend = "type it at a terminal, or name two files"
            raise ConfigurationError(f"{where} ({name})", "nothing was typed", mend)
        try:
            return read_line(name, typed, f"{where} ({name})")
        except ConfigurationError as error:
            tell(f"  {error}")
