"""A backup's file: what its readable header says, and how it comes to be whole or not at all.

A backup is written under another name, read back, and only then given its own. What a killed one left is
taken away by the next.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from errno import EEXIST
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any, BinaryIO

from referrals.errors import ConfigurationError
from storage.backup_stream import Damaged, Header, read_header

FORMAT = 1
_PART = ".pulang-part"
_OTHER = "use another copy of it, or another backup (python -m bot backup --list FOLDER)"


@dataclass(frozen=True, slots=True)
class Label:
    """What a backup says of itself before it is opened. Believed only after it was opened."""

    path: Path
    header: Header
    network_id: str
    revision: str
    made: datetime
    key_id: str
    wrapped: str  # the data key, under the day's key; base64
    prefix: str  # of the nonces; base64


@contextmanager
def opened(path: Path) -> Iterator[tuple[Label, BinaryIO]]:
    """The label, and the file where its chunks begin. ConfigurationError for what is not a whole backup."""
    try:
        with path.open("rb") as source:
            yield _label(path, read_header(source)), source
    except Damaged as error:
        raise ConfigurationError(str(path), str(error), _OTHER) from error
    except OSError as error:
        mend = "name a backup file that this user may read"
        raise ConfigurationError(str(path), f"cannot be read ({error.strerror})", mend) from error


def _label(path: Path, header: Header) -> Label:
    values: dict[str, Any] = dict(header.values)
    if values.get("format") != FORMAT:
        raise Damaged(f"it has a format that this version does not know ({values.get('format')!r:.20})")
    names = ("network", "revision", "key", "wrapped", "prefix")
    try:
        made = datetime.fromisoformat(str(values["made"])).astimezone(UTC)
        texts = [values[name] for name in names]
    except (KeyError, ValueError, OverflowError):
        raise Damaged("its first lines are damaged") from None
    if not all(isinstance(text, str) for text in texts):
        raise Damaged("its first lines are damaged")
    network_id, revision, key_id, wrapped, prefix = texts
    return Label(path, header, network_id, revision, made, key_id, wrapped, prefix)


@contextmanager
def fresh_file(out: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A file to write, and its name for now; it becomes `out` at the end, or nothing is left of it.

    ConfigurationError for whatever the disk has against it.
    """
    try:
        _take_away_leftovers(out.parent)
        part = out.with_name(f".{out.name}.{os.urandom(4).hex()}{_PART}")
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            flock(file, LOCK_EX)
            try:
                yield file, part
                _give_name(part, out)
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise _from_disk(out, error) from error


def on_disk(file: BinaryIO) -> None:
    """What was written so far would outlive a power cut. OSError."""
    file.flush()
    os.fsync(file.fileno())


def _give_name(part: Path, out: Path) -> None:
    """Never in the place of another file."""
    try:
        os.link(part, out)
    except FileExistsError:
        raise
    except OSError:  # a disk without links: the moment in between is the best it can do
        if out.exists():
            raise FileExistsError(EEXIST, os.strerror(EEXIST)) from None
        part.rename(out)
    folder = os.open(out.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _take_away_leftovers(folder: Path) -> None:
    """Parts that nobody writes any more: their lock ended with whoever held it."""
    for part in folder.glob(f".*{_PART}"):
        with suppress(BlockingIOError, FileNotFoundError), part.open("rb") as file:
            flock(file, LOCK_EX | LOCK_NB)
            part.unlink()


def _from_disk(out: Path, error: OSError) -> ConfigurationError:
    if isinstance(error, FileExistsError):
        return ConfigurationError(str(out), "there is a file already", "name another; nothing was changed")
    what = (
        f"the backup could not be written ({error.strerror or type(error).__name__}); nothing is left of it"
    )
    mend = "make room there, or name a folder that this user may write; the product itself is unharmed"
    return ConfigurationError(str(out), what, mend)
