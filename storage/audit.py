"""The audit: append-only, chained by SHA-256 in lanes, written in the same transaction as what it tells of.

A lane belongs to one database thread, so that threads do not wait for each other; its head is locked last in
a turn. `verify` reads a whole audit and says where a chain is broken, cut or forged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from referrals.access import Action
from referrals.errors import StoreError
from referrals.model import AuditEntry, DataClass, Role
from referrals.ports import Reading
from storage.checkpoints import Body, Head
from storage.codec import instant_in, instant_out
from storage.sql import Connection, Insert, Row, Sql
from storage.tables import audit

START = bytes(32)

_HEAD = Sql("SELECT sequence, hash FROM audit_lane WHERE lane = :lane", postgresql="FOR UPDATE")
_FIRST = Sql("INSERT INTO audit_lane (lane, sequence, hash) VALUES (:lane, 0, :hash) ON CONFLICT DO NOTHING")
_MOVE = Sql(
    "UPDATE audit_lane SET sequence = :sequence, hash = :hash"
    " WHERE lane = :lane AND sequence = :before AND hash = :was"
)
_APPEND = Insert(
    "INSERT INTO audit (lane, sequence, at, person_id, role, organization_id, action, subject, detail, hash)"
    " VALUES (:lane, :sequence, :at, :person_id, :role, :organization_id, :action, :subject, :detail, :hash)",
    audit,
)
_COLUMNS = (
    "lane", "sequence", "at", "person_id", "role", "organization_id", "action", "subject", "detail", "hash",
)  # fmt: skip
_HEADS = Sql("SELECT lane, sequence, hash FROM audit_lane ORDER BY lane")
_PAGE = Sql(
    "SELECT sequence, at, person_id, role, organization_id, action, subject, detail, hash FROM audit"
    " WHERE lane = :lane AND sequence > :after ORDER BY sequence LIMIT 5000"
)
_READINGS = Sql(
    "SELECT at, role, organization_id, detail FROM audit WHERE subject = :subject AND action = :action"
    " ORDER BY at, lane, sequence"
)
_SHOW = Sql(
    "SELECT lane, sequence, at, person_id, role, organization_id, action, subject, detail FROM audit"
    " WHERE (:subject = '' OR subject = :subject) AND (:person_id = '' OR person_id = :person_id)"
    " AND (:action = '' OR action = :action) AND at >= :since"
    " ORDER BY at DESC, lane DESC, sequence DESC LIMIT :limit"
)
_STRAYS = Sql("SELECT DISTINCT lane FROM audit WHERE lane NOT IN (SELECT lane FROM audit_lane)")


class Position(NamedTuple):
    """Where a lane ends."""

    sequence: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with the audit. `sequence` is 0 where it is about the lane as a whole."""

    lane: str
    sequence: int
    # The chain: changed | missing | cut | stray lane. A checkpoint: differs | shorter | no such lane | future
    # | bad note | note missing.
    what: str
    checkpoint: int = 0  # which checkpoint says so; 0 where the chain itself does


@dataclass(frozen=True, slots=True)
class Written:
    """One row of the audit, as it may be shown: codes, never content. `at` aware UTC."""

    lane: str
    sequence: int
    at: datetime
    person_id: str
    role: str
    organization_id: str | None
    action: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows to show: '' and None ask for everything; the newest `limit` of them."""

    subject: str = ""
    person_id: str = ""
    action: str = ""
    since: datetime | None = None
    limit: int = 100


def link(before: bytes, lane: str, sequence: int, at: int, *texts: str | None) -> bytes:
    """The hash of one row: the hash before it, then each part with its length before it."""
    parts = [before]
    for part in (lane, str(sequence), str(at), *texts):
        if part is None:
            parts.append(b"\xff\xff\xff\xff")  # 'none' is not the same as empty
        else:
            data = part.encode()
            parts += (len(data).to_bytes(4, "big"), data)
    return hashlib.sha256(b"".join(parts)).digest()


def append(
    conn: Connection,
    lane: str,
    entries: Sequence[AuditEntry],
    at: int,
    known: dict[str, Position] | None = None,
) -> None:
    """Chain entries to a lane. The last thing a turn does: the lane's head stays locked until the commit.

    `known` remembers where lanes ended, so that a thread that has its lane for itself need not ask. It is
    only believed if the head still stands exactly there (a rollback or another process shows in the hash).
    """
    before = None if known is None else known.get(lane)
    after = before and _chained(lane, before, entries, at)
    if before is None or after is None or not conn.change(_MOVE, _moved(lane, before, after[-1])):
        before = _head(conn, lane)
        after = _chained(lane, before, entries, at)
        if not conn.change(_MOVE, _moved(lane, before, after[-1])):
            raise StoreError("the audit's head was moved under its lock")
    if len(after) == 1:
        conn.change(_APPEND, after[0])
    else:
        conn.change_many(_APPEND, after)
    if known is not None:
        known[lane] = Position(after[-1]["sequence"], after[-1]["hash"])


def _head(conn: Connection, lane: str) -> Position:
    """Where the lane ends, locked; a lane that nobody has used begins."""
    head = conn.rows(_HEAD, {"lane": lane})
    if not head:
        conn.change(_FIRST, {"lane": lane, "hash": START})
        head = conn.rows(_HEAD, {"lane": lane})
    return Position(head[0][0], bytes(head[0][1]))


def _moved(lane: str, before: Position, last: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "lane": lane,
        "before": before.sequence,
        "was": before.hash,
        "sequence": last["sequence"],
        "hash": last["hash"],
    }


def _chained(lane: str, before: Position, entries: Sequence[AuditEntry], at: int) -> list[dict[str, Any]]:
    """The rows of these entries, each with its hash over the one before it."""
    sequence, digest = before
    rows = []
    for entry in entries:
        sequence += 1
        actor = entry.actor
        who = (actor.person_id, actor.role.value, actor.organization_id)
        texts = (*who, str(entry.action), entry.subject, entry.detail)
        digest = link(digest, lane, sequence, at, *texts)
        given = (lane, sequence, at, *texts, digest)
        rows.append(dict(zip(_COLUMNS, given, strict=True)))
    return rows


def heads(conn: Connection) -> list[Head]:
    """Where every lane ends now, as far as it is committed."""
    return [Head(lane, sequence, bytes(digest)) for lane, sequence, digest in conn.rows(_HEADS)]


def readings(conn: Connection, subject: str) -> list[Reading]:
    """Who opened a sealed class of '<table>:<row>', oldest first."""
    rows = conn.rows(_READINGS, {"subject": subject, "action": Action.SEALED_READ.value})
    return [Reading(instant_out(at), Role(role), org, DataClass(what)) for at, role, org, what in rows]


def show(conn: Connection, asked: Asked) -> list[Written]:
    """The newest rows that are asked for, oldest first. A read of the whole audit: not within a turn."""
    params = {
        "subject": asked.subject,
        "person_id": asked.person_id,
        "action": asked.action,
        "since": 0 if asked.since is None else instant_in(asked.since),
        "limit": asked.limit,
    }
    rows = conn.rows(_SHOW, params)
    return [Written(lane, n, instant_out(at), *texts) for lane, n, at, *texts in reversed(rows)]


def verify(conn: Connection, checkpoints: Sequence[Body] = ()) -> list[Finding]:
    """Read every lane from its start. An empty list: nothing was changed, taken out or cut off.

    `checkpoints`: what was signed earlier must still stand there, row for row.
    """
    findings = [Finding(row[0], 0, "stray lane") for row in conn.rows(_STRAYS)]
    signed: dict[str, dict[int, list[tuple[int, bytes]]]] = {}
    for body in checkpoints:
        for head in body.heads:
            marks = signed.setdefault(head.lane, {})
            marks.setdefault(head.sequence, []).append((body.number, head.hash))
    for lane, last, digest in conn.rows(_HEADS):
        findings += _verify_lane(conn, lane, last, bytes(digest), signed.pop(lane, {}))
    gone = (
        (lane, n, number) for lane, marks in signed.items() for n, said in marks.items() for number, _ in said
    )
    return findings + [Finding(lane, sequence, "no such lane", number) for lane, sequence, number in gone]


def _verify_lane(
    conn: Connection, lane: str, last: int, head: bytes, signed: dict[int, list[tuple[int, bytes]]]
) -> list[Finding]:
    findings, expected, digest = [], 0, START
    findings += [Finding(lane, 0, "differs", number) for number, said in signed.get(0, ()) if said != START]
    for sequence, at, *texts, found in _pages(conn, lane):
        if sequence in signed:
            findings += [
                Finding(lane, sequence, "differs", number)
                for number, said in signed[sequence]
                if said != bytes(found)
            ]
        expected += 1
        if sequence != expected:
            findings.append(Finding(lane, expected, "missing"))
            expected = sequence
        digest = link(digest, lane, sequence, at, *texts)
        if digest != bytes(found):
            findings.append(Finding(lane, sequence, "changed"))
            digest = bytes(found)  # go on from what stands there, to find every break and not only the first
    if expected != last or digest != head:
        findings.append(Finding(lane, last, "cut"))
    for sequence, said in signed.items():
        if sequence > expected:
            findings += [Finding(lane, sequence, "shorter", number) for number, _ in said]
    return findings


def _pages(conn: Connection, lane: str) -> Iterator[Row]:
    after = 0
    while page := conn.rows(_PAGE, {"lane": lane, "after": after}):
        yield from page
        after = page[-1][0]
