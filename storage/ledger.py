"""The ledger of erasures: a file beside the root key, so that an older database can be told what is gone.

One line for each erasure, sealed with AES-256-GCM under a key of the network's own and bound to the lines
before it: the file may be copied anywhere, and a line that was changed, moved, or taken out of the middle is
found. (A tail that was cut off cannot be seen in the file itself: an hourly mark says until when it reaches,
and every backup remembers how far it reached then.) An erasure is written when its line is on the disk.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referrals.errors import ConfigurationError
from referrals.model import Record
from referrals.ports import Erasure, Taken
from storage.codec import instant_in, instant_out
from storage.keyring import SealBroken, bound, decrypt, encrypt
from storage.private_files import folder_lock, read_long, rewrite_private
from storage.secret import LastingSecret

NAME = "erased.log"
KEEP = timedelta(days=40)  # longer than any backup can be opened
# What a clock says is believed, where something is to be destroyed for good, once we were seen a day before.
SEEN_BEFORE = (timedelta(days=3), timedelta(hours=20))
_TITLE = "pulang erasures 1"
_MEND = "put your newest copy of it there; docs/backup.md says what is lost without it"


@dataclass(frozen=True, slots=True)
class Told:
    """What a ledger says. `sequence` is its last line's number, `until` the newest instant it speaks of."""

    erasures: tuple[Erasure, ...]
    sequence: int
    until: datetime | None


class _Line(NamedTuple):
    """A line that was opened: its number, what it says, its text, and the chain's digest after it."""

    sequence: int
    said: dict[str, Any]
    text: str
    digest: bytes


class _Tail(NamedTuple):
    """Where the file ended when we last looked at it."""

    inode: int
    size: int
    changed: int  # in nanoseconds: a freed inode's number is soon given to another file, perhaps as long
    sequence: int
    digest: bytes


class Ledger:
    """One network's ledger. Several processes may write to it."""

    def __init__(self, path: Path, lasting: LastingSecret) -> None:
        self.path, self._network = path, lasting.network_id
        self._key = AESGCM(lasting.derive("erasure-ledger"))
        self._tail: _Tail | None = None

    def write(self, erasures: Sequence[Erasure], now: datetime) -> None:
        """Add lines, or a mark of the instant; on the disk when this returns. ConfigurationError, OSError."""
        said = [_said(erasure) for erasure in erasures] or [{"mark": instant_in(now)}]
        with folder_lock(self.path.parent):
            tail = self._found_tail()
            sequence, digest, text = tail.sequence, tail.digest, ""
            for values in said:
                sequence += 1
                line = self._sealed(sequence, digest, values)
                digest, text = _chained(digest, line), text + line + "\n"
            with self.path.open("r+b") as file:
                file.seek(tail.size)
                file.truncate()  # half a line of somebody who died: its erasures still count as unwritten
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
                self._tail = _Tail(*_look(os.fstat(file.fileno())), sequence, digest)

    def check(self, now: datetime) -> None:
        """At a start: it can be read and written. ConfigurationError says what is wrong with it."""
        try:
            self.write((), now)
        except OSError as error:
            what = f"the ledger of erasures cannot be written ({error.strerror})"
            mend = f"let this user write in {self.path.parent} (docs/backup.md), or free some space there"
            raise ConfigurationError(str(self.path), what, mend) from error

    def prune(self, now: datetime) -> int:
        """Leave out what no backup can outlive any more; how many lines. ConfigurationError, OSError."""
        before = instant_in(now - KEEP)
        with folder_lock(self.path.parent):
            if not self.path.exists():
                return 0
            base, lines = self._lines()
            old = 0
            while old < len(lines) and _instant(lines[old].said) < before:
                base, old = lines[old], old + 1
            if old:
                kept = [self._base(base.sequence, base.digest), *(line.text for line in lines[old:])]
                rewrite_private(self.path, self._titled(kept))
                self._tail = None
            return old

    def steady(self, now: datetime) -> bool:
        """Whether the ledger was written about a day ago by this clock: it has not just leapt ahead.

        False after some days of standstill, too, for the first day. ConfigurationError.
        """
        longest, shortest = SEEN_BEFORE
        first, last = instant_in(now - longest), instant_in(now - shortest)
        return self.path.exists() and any(first <= _instant(line.said) <= last for line in self._lines()[1])

    def read(self) -> Told:
        """Everything it says. ConfigurationError for one that is missing, damaged, or another network's."""
        base, lines = self._lines()
        erasures = tuple(_erasure(line.said) for line in lines if "name" in line.said)
        until = max((_instant(line.said) for line in lines), default=None)
        last = lines[-1].sequence if lines else base.sequence
        return Told(erasures, last, None if until is None else instant_out(until))

    # The chain.

    def _found_tail(self) -> _Tail:
        """The file's end, read anew when somebody else has written to it. A missing file is made."""
        if not self.path.exists():
            rewrite_private(self.path, self._titled([self._base(0, os.urandom(32))]))
        about = _look(self.path.stat())
        if self._tail is None or about != self._tail[:3]:
            base, lines = self._lines()
            last = lines[-1] if lines else base
            size = len(self._titled([base.text, *(line.text for line in lines)]))
            self._tail = _Tail(about[0], size, about[2], last.sequence, last.digest)
        return self._tail

    def _lines(self) -> tuple[_Line, list[_Line]]:
        """The base and the lines after it, each opened. What ends without a line break was never finished."""
        texts = read_long(self.path, "the ledger", _MEND).decode("ascii", "replace").split("\n")[:-1]
        if not texts or not texts[0].startswith(_TITLE):
            raise ConfigurationError(str(self.path), "this is not a ledger of erasures", _MEND)
        if texts[0] != f"{_TITLE} {self._network}":
            raise ConfigurationError(str(self.path), "this ledger belongs to another network", _MEND)
        if len(texts) == 1:
            raise ConfigurationError(str(self.path), "the ledger is cut off", _MEND)
        first = self._opened(texts[1], 2, b"")
        base = first._replace(digest=base64.b64decode(first.said["base"]))
        lines, before = list[_Line](), base
        for number, text in enumerate(texts[2:], start=3):
            before = self._opened(text, number, before.digest)
            if before.sequence != base.sequence + len(lines) + 1:
                raise self._broken(number)
            lines.append(before)
        return base, lines

    def _opened(self, text: str, number: int, digest: bytes) -> _Line:
        """One line, which must follow upon `digest` (b'' for the base)."""
        try:
            count, sealed = text.split(" ")
            sequence = int(count)
            plain = decrypt(self._key, base64.b64decode(sealed, validate=True), self._about(sequence, digest))
        except (ValueError, binascii.Error, SealBroken) as error:
            raise self._broken(number) from error
        return _Line(sequence, json.loads(plain), text, _chained(digest, text))

    def _broken(self, number: int) -> ConfigurationError:
        return ConfigurationError(f"{self.path}:{number}", "the ledger was changed or damaged here", _MEND)

    def _sealed(self, sequence: int, digest: bytes, values: dict[str, Any]) -> str:
        plain = json.dumps(values, separators=(",", ":")).encode()
        sealed = encrypt(self._key, plain, self._about(sequence, digest))
        return f"{sequence} {base64.b64encode(sealed).decode()}"

    def _base(self, sequence: int, digest: bytes) -> str:
        """What stands for the lines that were left out: only we can say it."""
        return self._sealed(sequence, b"", {"base": base64.b64encode(digest).decode()})

    def _titled(self, lines: Sequence[str]) -> bytes:
        return "".join(f"{line}\n" for line in (f"{_TITLE} {self._network}", *lines)).encode()

    def _about(self, sequence: int, digest: bytes) -> bytes:
        return bound("erasure-ledger", self._network, sequence, digest.hex())


def ledger_beside(root_key_file: Path, lasting: LastingSecret) -> Ledger:
    """The ledger in its usual place."""
    return Ledger(root_key_file.resolve().parent / NAME, lasting)


def _look(about: os.stat_result) -> tuple[int, int, int]:
    return about.st_ino, about.st_size, about.st_mtime_ns


def _chained(digest: bytes, line: str) -> bytes:
    return hashlib.sha256(digest + line.encode()).digest()


def _said(erasure: Erasure) -> dict[str, Any]:
    return {
        "name": erasure.name,
        "at": instant_in(erasure.at),
        "kind": erasure.kind.value,
        "record": [erasure.record.table, erasure.record.row],
        "class": erasure.data_class,
        "holder": erasure.holder,
    }


def _erasure(said: dict[str, Any]) -> Erasure:
    at, kind, record = instant_out(said["at"]).astimezone(UTC), Taken(said["kind"]), Record(*said["record"])
    return Erasure(said["name"], at, kind, record, said["class"], said["holder"])


def _instant(said: dict[str, Any]) -> int:
    return int(said["at"] if "at" in said else said["mark"])
