r"""One file of encrypted chunks that can be written and read in one pass: the STREAM construction.

AES-256-GCM; each nonce is a random prefix, the chunk's number and whether it is the last (Hoang and others,
2015; eprint.iacr.org/2015/189). The associated data is the header's hash. So a chunk that was
swapped, repeated, left out, cut off, or brought from another file does not open.

    pulang backup 1\n
    {"network": …, "made": …, "key": …, …}\n      the header, readable; its hash binds every chunk
    4 bytes of length, ciphertext                  … and so on; the last chunk says that it is the last
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"pulang backup 1\n"
CHUNK = 128 * 1024
PREFIX_BYTES = 7
_TAG = 16
_LENGTH = 4
_HEADER_LIMIT = 4096
_MOST_CHUNKS = 2**32


class Damaged(Exception):
    """The file is not what was written. The message says how that showed, in words for a person."""


class Header(NamedTuple):
    """The readable beginning: its values, and the exact bytes that they were written with."""

    values: Mapping[str, Any]
    raw: bytes


class SealedWriter:
    """Bytes in, chunks out. Nothing plain is kept but one chunk in memory."""

    def __init__(self, out: BinaryIO, key: bytes, prefix: bytes, header: Mapping[str, Any]) -> None:
        head = MAGIC + json.dumps(header, separators=(",", ":"), sort_keys=True).encode() + b"\n"
        self._out, self._key, self._prefix = out, AESGCM(key), prefix
        self._about, self._count, self._waiting = hashlib.sha256(head).digest(), 0, bytearray()
        out.write(head)

    def write(self, data: bytes) -> None:
        """A full chunk is only written when more follows: the last one must say so."""
        self._waiting += data
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def finish(self) -> None:
        """The last chunk, which may be empty."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, plain: bytes, *, last: bool) -> None:
        sealed = self._key.encrypt(_nonce(self._prefix, self._count, last), plain, self._about)
        self._out.write(len(sealed).to_bytes(_LENGTH, "big") + sealed)
        self._count += 1


def read_header(source: BinaryIO) -> Header:
    """The readable header. Damaged for what is no backup at all. Nothing in it is to be believed yet."""
    if source.read(len(MAGIC)) != MAGIC:
        raise Damaged("this is not a backup of this program")
    line = source.readline(_HEADER_LIMIT)
    try:
        values = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise Damaged("its first lines are damaged or cut off")
    return Header(values, MAGIC + line)


def unsealed(source: BinaryIO, key: bytes, prefix: bytes, header: Header) -> Iterator[bytes]:
    """The plain chunks, in order, each only after it was found to be whole and in its place. Damaged.

    `source` stands after the header.
    """
    about, cipher = hashlib.sha256(header.raw).digest(), AESGCM(key)
    for count in range(_MOST_CHUNKS):
        sealed = _next(source, count)
        # What follows decides whether this is the last one; its nonce says so too, so neither can be forged.
        last = not _more(source)
        try:
            yield cipher.decrypt(_nonce(prefix, count, last), sealed, about)
        except (InvalidTag, ValueError):  # the latter: a prefix in the header that makes no nonce
            where = "cut off or changed at its end" if last else "changed"
            raise Damaged(f"it is {where} (part {count + 1})") from None
        if last:
            return


def _next(source: BinaryIO, count: int) -> bytes:
    size = int.from_bytes(_exactly(source, _LENGTH, count), "big")
    if not _TAG <= size <= CHUNK + _TAG:
        raise Damaged(f"it is changed (part {count + 1})")
    return _exactly(source, size, count)


def _exactly(source: BinaryIO, size: int, count: int) -> bytes:
    data = source.read(size)
    if len(data) != size:
        raise Damaged(f"it is cut off (part {count + 1})")
    return data


def _more(source: BinaryIO) -> bool:
    found = source.read(1)
    if found:
        source.seek(-1, 1)
    return bool(found)


def _nonce(prefix: bytes, count: int, last: bool) -> bytes:
    return prefix + count.to_bytes(4, "big") + (b"\x01" if last else b"\x00")
