"""Files and folders that only their owner may open; a key that has ended is overwritten before it goes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from referrals.errors import ConfigurationError
from storage.secret_files import open_private, put_private, replace_private


def private_folder(folder: Path) -> None:
    """Make it (0700), or refuse one that other users can enter. ConfigurationError."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        what = f"the folder cannot be made ({error.strerror})"
        raise ConfigurationError(str(folder), what, "give its parent to the user who runs this") from error
    if mode & 0o077:
        raise ConfigurationError(str(folder), "can be entered by other users", f"chmod 700 {folder}")


def write_private(path: Path, content: bytes) -> None:
    """A new file (0600), on disk when this returns. ConfigurationError."""
    put_private(path, content)


def read_private(path: Path, mend: str) -> bytes:
    """The content of a small file that nobody else can read. ConfigurationError, which says `mend`."""
    return open_private(path, "the key", mend)


def shred(path: Path) -> None:
    """Overwrite and remove. On flash and on snapshots old bytes can outlive this (docs/threat-model.md)."""
    try:
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink(missing_ok=True)


def read_long(path: Path, what: str, mend: str) -> bytes:
    """The content of a long file that nobody else can read. ConfigurationError, which says `mend`."""
    open_private(path, what, mend)  # looks at its rights
    return path.read_bytes()


def rewrite_private(path: Path, content: bytes) -> None:
    """A new content in the place of an old one, at once. ConfigurationError, OSError."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # half a one of somebody who died
    put_private(fresh, content)
    replace_private(path, fresh)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """One process at a time in this folder; the lock ends with the process, however that ends. OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flock(handle, LOCK_EX)
        yield
    finally:
        os.close(handle)
