"""Rows as lines, alike for both databases: what a backup holds once it is unsealed.

    {"about": {…}}                       when and of what
    {"table": "person", "columns": […]}  then a line for each row: its values in that order
    …
    {"end": {"person": 12, …}, "sha256": "…"}   counts, and the hash of all lines before this one

Bytes are base64, truth values are true and false, instants are whole microseconds, as in the tables.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, LargeBinary, Table, select

from storage.backup_stream import Damaged
from storage.sql import Connection, Row, Sql
from storage.tables import metadata

# What would be of no use in another life of the database, and is best not kept: sessions, archives that wait
# to be fetched, counts for limits.
LEFT_OUT = ("session", "download", "tally")
TABLES: tuple[Table, ...] = tuple(t for t in metadata.sorted_tables if t.name not in LEFT_OUT)
BATCH = 100

_INFLATED_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds: rows of each table, and the hash of all of it."""

    about: Mapping[str, Any]
    counts: Mapping[str, int]
    digest: str


class Digest:
    """Counts and hashes lines while they are written."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._about, self._counts, self._hash = about, dict[str, int](), hashlib.sha256()
        self.contents: Contents | None = None

    def lines(self, conn: Connection) -> Iterator[bytes]:
        """Every line of a database, on a connection that sees one moment of it."""
        yield self._noted({"about": self._about})
        for table in TABLES:
            yield self._noted({"table": table.name, "columns": [c.name for c in table.columns]})
            convert = [_out(column.type) for column in table.columns]
            count = 0
            for rows in conn.stream(Sql(select(*table.columns)), BATCH):
                count += len(rows)
                for row in rows:
                    yield self._noted(_converted(row, convert))
            self._counts[table.name] = count
        digest = self._hash.hexdigest()
        self.contents = Contents(self._about, self._counts, digest)
        yield _line({"end": self._counts, "sha256": digest})

    def _noted(self, value: Any) -> bytes:
        line = _line(value)
        self._hash.update(line)
        return line


@dataclass(slots=True)
class Reader:
    """Reads the lines back. After `batches` has come to its end, `contents` says what there was."""

    chunks: Iterable[bytes]  # compressed
    contents: Contents | None = None

    def batches(self) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
        """Rows as column -> value, up to BATCH at once, table after table in the order of TABLES. Damaged."""
        digest, counts = hashlib.sha256(), dict[str, int]()
        about: Mapping[str, Any] = {}
        table, convert, waiting = TABLES[0], list[tuple[str, Callable[[Any], Any]]](), list[dict[str, Any]]()
        for line in _lines(self.chunks):
            value = json.loads(line)
            if isinstance(value, dict) and "end" in value:
                if waiting:
                    yield table, waiting
                self._end(value, about, counts, digest.hexdigest())
                return
            digest.update(line)
            if isinstance(value, list):
                counts[table.name] += 1
                waiting.append(
                    {n: None if v is None else c(v) for v, (n, c) in zip(value, convert, strict=True)}
                )
                if len(waiting) < BATCH:
                    continue
            if waiting:
                yield table, waiting
                waiting = []
            if isinstance(value, dict):
                about = value.get("about", about)
                if "table" in value:
                    table, convert = _known(value)
                    counts[table.name] = 0
        raise Damaged("it ends too early")

    def _end(
        self, value: Mapping[str, Any], about: Mapping[str, Any], counts: dict[str, int], digest: str
    ) -> None:
        if value["end"] != counts or value["sha256"] != digest:
            raise Damaged("its rows are not those that were counted when it was made")
        self.contents = Contents(about, counts, digest)


def compressed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Packed, a little at a time."""
    packer = zlib.compressobj(1)  # ciphertexts do not shrink, and the rest shrinks as well at once
    for line in lines:
        if packed := packer.compress(line):
            yield packed
    yield packer.flush()


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split, each with its end of line. Never more than a piece and a line in memory."""
    rest = b""
    for plain in _inflated(chunks):
        *whole, rest = (rest + plain).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        raise Damaged("it ends in the middle of a row")


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Unpacked in small pieces, however well it was packed."""
    unpacker = zlib.decompressobj()
    try:
        for chunk in chunks:
            left = chunk
            while left:
                yield unpacker.decompress(left, _INFLATED_AT_ONCE)
                left = unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error as error:
        raise Damaged("it cannot be unpacked") from error


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _converted(row: Row, convert: Sequence[Callable[[Any], Any]]) -> list[Any]:
    return [None if value is None else out(value) for value, out in zip(row, convert, strict=True)]


def _known(head: Mapping[str, Any]) -> tuple[Table, list[tuple[str, Callable[[Any], Any]]]]:
    """The table of a head line, and how each of its values is read. Damaged: not one of this version."""
    table = metadata.tables.get(head["table"])
    if table is None or sorted(c.name for c in table.columns) != sorted(head["columns"]):
        raise Damaged(f"its table {head['table']!r} is of another version of this program")
    return table, [(name, _in(table.columns[name].type)) for name in head["columns"]]


def _out(kind: Any) -> Callable[[Any], Any]:
    if isinstance(kind, LargeBinary):
        return lambda value: base64.b64encode(value).decode()
    return bool if isinstance(kind, Boolean) else _same


def _in(kind: Any) -> Callable[[Any], Any]:
    if isinstance(kind, LargeBinary):
        return base64.b64decode
    return bool if isinstance(kind, Boolean) else _same


def _same(value: Any) -> Any:
    return value
