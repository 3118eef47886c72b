"""Checkpoints: the heads of all audit lanes at one moment, as a note that the network has signed.

The text follows C2SP's tlog-checkpoint: origin, number of rows, a hash, then lines of our own. The audit is a
chain in lanes and no Merkle tree: the hash is SHA-256 over the lane lines exactly as they stand below it.

    pulang/<network id>
    4711
    <base64 of SHA-256 over the lane lines>
    number 12
    time 2026-11-24T03:00:00Z
    lane sqlite 4711 <base64 of the lane's hash>
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from storage.notes import BadNote, Note, Signer, Verifier, read_note, verify
from storage.secret import LastingSecret

_ORIGIN = re.compile(r"pulang/([A-Za-z0-9_-]{4,64})")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_LANE = re.compile(r"lane ([^ \n]{1,100}) (0|[1-9][0-9]{0,17}) ([A-Za-z0-9+/]{43}=)")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of one lane: how many rows it has, and the hash of the last one (32 bytes)."""

    lane: str
    sequence: int
    hash: bytes

    def __str__(self) -> str:
        return f"lane {self.lane} {self.sequence} {base64.b64encode(self.hash).decode()}\n"


@dataclass(frozen=True, slots=True)
class Body:
    """What a checkpoint says. `at` in whole seconds, aware UTC; `heads` ordered by lane."""

    network_id: str
    number: int
    at: datetime
    heads: tuple[Head, ...]

    @property
    def origin(self) -> str:
        return origin(self.network_id)

    @property
    def rows(self) -> int:
        return sum(head.sequence for head in self.heads)

    def __str__(self) -> str:
        lanes = "".join(str(head) for head in self.heads)
        return (
            f"{self.origin}\n{self.rows}\n{_hash(lanes)}\n"
            f"number {self.number}\ntime {self.at.strftime(_TIME)}\n{lanes}"
        )


def origin(network_id: str) -> str:
    """The name of a network's log and of its key."""
    return f"pulang/{network_id}"


def signer(lasting: LastingSecret) -> Signer:
    """The network's own key for checkpoints; witnesses know it, so it outlives every root key."""
    return Signer.of(origin(lasting.network_id), lasting.derive("checkpoint"))


def make(by: Signer, network_id: str, number: int, at: datetime, heads: Sequence[Head]) -> Note:
    """A signed checkpoint."""
    ordered = tuple(sorted(heads, key=lambda head: head.lane))
    return by.sign(str(Body(network_id, number, at.astimezone(UTC).replace(microsecond=0), ordered)))


def read(content: bytes, verifier: Verifier) -> tuple[Note, Body]:
    """A checkpoint that this key has signed, strictly read.

    BadNote: what `read_note` says; 'network' for another network's; 'unknown' and 'forged' for signatures;
    'body' for a text that is signed and no checkpoint.
    """
    note = read_note(content)
    if note.text.partition("\n")[0] != verifier.name:
        raise BadNote("network")
    verify(note, verifier)
    return note, parse(note.text)


def parse(text: str) -> Body:
    """The body of a checkpoint's text; whatever it accepts, `str(Body)` writes again letter by letter."""
    lines = text.split("\n")
    try:
        found, number, at = _ORIGIN.fullmatch(lines[0]), lines[3], lines[4]
        if found is None or not number.startswith("number ") or not at.startswith("time "):
            raise BadNote("body")
        if not _NUMBER.fullmatch(number[7:]):
            raise BadNote("body")
        body = Body(
            found[1],
            int(number[7:]),
            datetime.strptime(at[5:], _TIME).replace(tzinfo=UTC),
            tuple(_head(line) for line in lines[5:-1]),
        )
    except (IndexError, ValueError, binascii.Error):
        raise BadNote("body") from None
    names = [head.lane for head in body.heads]
    if str(body) != text or names != sorted(set(names)):
        raise BadNote("body")
    return body


def follows(earlier: Body, later: Body) -> bool:
    """Whether both can be true of one audit: numbers, times and lanes only go forward, and equals are equal.

    That rows in between were not exchanged shows only when the audit itself is read (`audit.verify`).
    """
    before = {head.lane: head for head in earlier.heads}
    after = {head.lane: head for head in later.heads}
    if earlier.network_id != later.network_id or earlier.number > later.number or earlier.at > later.at:
        return False
    if earlier.number == later.number and earlier != later:
        return False
    for lane, head in before.items():
        now = after.get(lane)
        if now is None or now.sequence < head.sequence:
            return False
        if now.sequence == head.sequence and now.hash != head.hash:
            return False
    return True


def _head(line: str) -> Head:
    found = _LANE.fullmatch(line)
    if found is None:
        raise BadNote("body")
    return Head(found[1], int(found[2]), base64.b64decode(found[3], validate=True))


def _hash(lanes: str) -> str:
    return base64.b64encode(hashlib.sha256(lanes.encode()).digest()).decode()
