"""Files and folders that only their owner may open: read only where nobody else can, written whole or not
at all, and overwritten before they go.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from referrals.errors import ConfigurationError

MOST_BYTES = 4096


# --- Reading -------------------------------------------------------------------------------------


def read_apart(path: Path, data_folder: Path, what: str) -> bytes:
    """`read_private`, for what must not lie in the data folder either: one theft would take both."""
    refuse_data_folder(path, data_folder, what)
    return read_private(path, what, "give the path of this network's file, readable by this user")


def read_private(path: Path, what: str, mend: str) -> bytes:
    """Up to 4,096 bytes of a file that only its owner can read.

    `what` names it in a sentence ('the key'); `mend` is said where there is no such file. ConfigurationError.
    """
    handle = _open_safe(path, what, mend)
    try:
        return os.read(handle, MOST_BYTES)
    finally:
        os.close(handle)


def read_long(path: Path, what: str, mend: str) -> bytes:
    """All of a file that only its owner can read. ConfigurationError as for `read_private`."""
    with os.fdopen(_open_safe(path, what, mend), "rb") as file:
        return file.read()


def refuse_data_folder(path: Path, data_folder: Path, what: str) -> None:
    """ConfigurationError for a file that lies (or whose link leads) into the data folder."""
    real, folder = path.resolve(), data_folder.resolve()
    if real.is_relative_to(folder):
        why = f"{what} lies in the data folder, so that one theft would take both"
        raise ConfigurationError(str(path), why, f"move it out of {folder}")


def _open_safe(path: Path, what: str, mend: str) -> int:
    try:
        # The rights of the opened file are looked at, not of a name that can be changed in between.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise ConfigurationError(str(path), f"{what} cannot be read ({error.strerror})", mend) from error
    try:
        _refuse_unsafe(os.fstat(handle), path, what)
    except ConfigurationError:
        os.close(handle)
        raise
    return handle


def _refuse_unsafe(about: os.stat_result, path: Path, what: str) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise ConfigurationError(str(path), "this is not a plain file", f"name the file of {what} itself")
    if about.st_mode & 0o077:
        why = f"others may read {what} (mode {stat.S_IMODE(about.st_mode):04o})"
        raise ConfigurationError(str(path), why, f"chmod 600 {path}")
    if about.st_uid not in (0, os.geteuid()):
        why = f"{what} belongs to another user (number {about.st_uid})"
        raise ConfigurationError(str(path), why, "chown it to the user who runs this")


# --- Writing -------------------------------------------------------------------------------------


def put_private(path: Path, content: bytes) -> None:
    """A new file (0600), on disk when this returns. ConfigurationError where there is one."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigurationError(str(path), "there is a file already", "keep it, or name another") from error
    except OSError as error:
        mend = "name a file in a folder that exists and that this user may write"
        raise ConfigurationError(str(path), f"cannot be written ({error.strerror})", mend) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _keep_name(path)
    except OSError as error:
        path.unlink(missing_ok=True)
        what = f"could not be written whole ({error.strerror}) and was taken away"
        raise ConfigurationError(str(path), what, "make room on this disk") from error


def replace_private(path: Path, fresh: Path) -> None:
    """Put a written and checked file in another one's place, in one step."""
    fresh.replace(path)
    _keep_name(path)


def rewrite_private(path: Path, content: bytes) -> None:
    """A new content in the place of an old one, at once. ConfigurationError, OSError."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)  # half a one of somebody who died
    put_private(fresh, content)
    replace_private(path, fresh)


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


def _keep_name(path: Path) -> None:
    """The folder's entry, too, must outlive a power cut."""
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- Folders -------------------------------------------------------------------------------------


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


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """One process at a time in this folder; the lock ends with the process, however that ends. OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flock(handle, LOCK_EX)
        yield
    finally:
        os.close(handle)
