"""The audit against all that was ever signed of it: the notes that stand here and those that come back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from referrals.model import Checkpoint
from storage import audit
from storage.audit import Finding
from storage.checkpoints import Body, read
from storage.notes import BadNote, Verifier
from storage.tx import StoreTx

CLOCKS_DIFFER = timedelta(minutes=10)


def verify_all(tx: StoreTx, key: Verifier, given: Sequence[Body]) -> list[Finding]:
    """Every lane, every stored note, and the notes given: what is wrong, in an order to be read in."""
    bodies, findings = _stored(tx.find(Checkpoint), key)
    findings += in_the_future([*bodies, *given], tx.now)
    return audit.verify(tx.connection, list(dict.fromkeys([*bodies, *given]))) + findings


def in_the_future(bodies: Iterable[Body], now: datetime) -> list[Finding]:
    """Notes that say they were made later than it is: this machine's clock is wrong, or was."""
    late = sorted({body.number for body in bodies if body.at > now + CLOCKS_DIFFER})
    return [Finding("", 0, "future", number) for number in late]


def _stored(rows: Sequence[Checkpoint], key: Verifier) -> tuple[list[Body], list[Finding]]:
    bodies: list[Body] = []
    findings: list[Finding] = []
    for expected, row in enumerate(rows, 1):
        if row.id != f"{expected:08}":
            findings.append(Finding("", 0, "note missing", expected))
            break  # the rest is out of step; one word about it is enough
    for row in rows:
        body = _body(row, key)
        if body is None:
            findings.append(Finding("", 0, "bad note", int(row.id) if row.id.isdigit() else 0))
        else:
            bodies.append(body)
    return bodies, findings


def _body(row: Checkpoint, key: Verifier) -> Body | None:
    """What a stored note says; None when it is not the note that was signed under this number."""
    try:
        body = read(row.note.encode(), key)[1]
    except BadNote:
        return None
    return body if f"{body.number:08}" == row.id else None
