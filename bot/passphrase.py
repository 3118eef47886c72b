"""Where the root key's passphrase comes from: typed at the terminal, or a file for starts without anybody.

Never from the environment: what stands there is inherited, printed and dumped.
"""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from referrals.errors import ConfigurationError

if TYPE_CHECKING:
    from bot.settings import Settings
    from storage.secret import RootKey

NAME = "PULANG_PASSPHRASE_FILE"
_WHAT = "the passphrase"


def root_key_of(settings: Settings, path: Path | None = None) -> RootKey:
    """The network's root key (or that of another file), however it is kept. ConfigurationError."""
    from storage.keys import load_root_key

    return load_root_key(path or settings.root_key_file, settings.data, lambda: passphrase_of(settings))


def passphrase_of(settings: Settings) -> str:
    """The passphrase of a locked key: from the file that the settings name, else typed."""
    if settings.passphrase_file is None:
        return typed("Passphrase of the root key: ")
    from storage.private_files import read_apart

    content = read_apart(settings.passphrase_file, settings.data, _WHAT)
    try:
        found = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        found = ""
    if not found or "\n" in found:
        mend = "write the passphrase on its first line, as UTF-8, and nothing else"
        raise ConfigurationError(str(settings.passphrase_file), "holds no passphrase", mend)
    return found


def new_passphrase(settings: Settings) -> str:
    """A passphrase for a key that is to be locked; typed twice. ConfigurationError."""
    from storage.locked_key import LEAST_CHARACTERS

    if settings.passphrase_file is not None:
        where, chosen = NAME, passphrase_of(settings)
    else:
        where, chosen = _WHAT, typed("New passphrase of the root key: ")
        if chosen != typed("The same again: "):
            raise ConfigurationError(where, "was not the same twice", "begin again; nothing was changed")
    if len(chosen) < LEAST_CHARACTERS:
        mend = "take six or more words drawn by dice from a list; nothing was changed"
        raise ConfigurationError(where, f"is shorter than {LEAST_CHARACTERS} characters", mend)
    return chosen


def typed(prompt: str) -> str:
    """What somebody types, unseen. ConfigurationError where nobody can be asked."""
    try:
        # getpass alone would fall back to reading, and showing, the standard input.
        with Path("/dev/tty").open("rb"):
            pass
        return getpass.getpass(prompt)
    except (OSError, EOFError) as error:
        mend = f"type it at a terminal, or name a file with it in {NAME}"
        raise ConfigurationError("root key", "is locked, and there is nobody to ask", mend) from error
