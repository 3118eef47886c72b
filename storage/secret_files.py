"""Small files that hold a secret: read only where nobody else can, written so that no half of one remains."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from referrals.errors import ConfigurationError

MOST_BYTES = 4096


def read_private(path: Path, data_folder: Path, what: str) -> bytes:
    """Up to 4,096 bytes of a file that only its owner can read and that is not in the data folder.

    `what` names it in a sentence ('the key'). ConfigurationError.
    """
    refuse_data_folder(path, data_folder, what)
    return open_private(path, what, "give the path of this network's file, readable by this user")


def open_private(path: Path, what: str, mend: str) -> bytes:
    """The same wherever it lies; `mend` is said where there is no such file."""
    try:
        # The rights of the opened file are looked at, not of a name that can be changed in between.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise ConfigurationError(str(path), f"{what} cannot be read ({error.strerror})", mend) from error
    try:
        _refuse_unsafe(os.fstat(handle), path, what)
        return os.read(handle, MOST_BYTES)
    finally:
        os.close(handle)


def put_private(path: Path, content: bytes) -> None:
    """A new file for its owner alone, on disk when this returns. ConfigurationError where there is one."""
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


def refuse_data_folder(path: Path, data_folder: Path, what: str) -> None:
    """ConfigurationError for a file that lies (or whose link leads) into the data folder."""
    real, folder = path.resolve(), data_folder.resolve()
    if real.is_relative_to(folder):
        why = f"{what} lies in the data folder, so that one theft would take both"
        raise ConfigurationError(str(path), why, f"move it out of {folder}")


def _refuse_unsafe(about: os.stat_result, path: Path, what: str) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise ConfigurationError(str(path), "this is not a plain file", f"name the file of {what} itself")
    if about.st_mode & 0o077:
        why = f"others may read {what} (mode {stat.S_IMODE(about.st_mode):04o})"
        raise ConfigurationError(str(path), why, f"chmod 600 {path}")
    if about.st_uid not in (0, os.geteuid()):
        why = f"{what} belongs to another user (number {about.st_uid})"
        raise ConfigurationError(str(path), why, "chown it to the user who runs this")


def _keep_name(path: Path) -> None:
    """The folder's entry, too, must outlive a power cut."""
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
