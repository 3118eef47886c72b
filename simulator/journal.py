"""What must survive a restart is a line in a file, written before anybody is answered.

One line is one turn: a JSON list of `[table, key, row]`, `row` null when it is gone. A process that is
killed leaves what it has written to the system's cache, so no fsync is needed against kill -9 (a power cut
may lose the last seconds of a simulation, and that is nobody's referral). A half-written last line is cut
off on the next start.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
Op = tuple[str, Any, Any]
BATCH = 1000


def encode(value: Any) -> str:
    """Compact JSON."""
    return _encode(value)


class Journal:
    """An append-only file of turns; without a folder it keeps nothing and costs nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / "journal.jsonl" if folder else None
        self._ops: list[str] = []
        self._file = -1

    @property
    def keeps(self) -> bool:
        """Whether anything is written at all."""
        return self._path is not None

    def read(self) -> Iterator[Op]:
        """Every change so far, oldest first."""
        if self._path is None or not self._path.exists():
            return
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                yield from (tuple(op) for op in json.loads(line))

    def restart(self, ops: Iterable[Op]) -> None:
        """Replace the file by the shortest one that says the same, in one step, and go on from there."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        self.close()
        self._file = descriptor
        self._ops = []
        for table, key, row in ops:
            self.note(table, key, row)
            if len(self._ops) >= BATCH:
                self.commit()
        self.commit()
        fresh.replace(self._path)

    def note(self, table: str, key: Any, row: Any) -> None:
        """Remember a change for the next commit."""
        if self._path is not None:
            self._ops.append(_encode((table, key, row)))

    def commit(self) -> None:
        """Write what was noted, as one line."""
        if not self._ops:
            return
        line = ("[" + ",".join(self._ops) + "]\n").encode("utf-8", "surrogatepass")
        self._ops = []
        while line:
            line = line[os.write(self._file, line) :]

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            self.commit()
            os.close(self._file)
            self._file = -1
