"""The sending side of the outbox (ports.Outbox): claims in batches and leases; the ends are settling.py's.

Rules: at most one notice of a person is in flight (a unique index holds it); one person's notices leave in
the order of (rank, id), and a notice that is tried again holds back those after it; only whoever has the
sender's lease claims, and what it had claimed when it died is due again with the next holder; what is
settled keeps no parameters, what was refused for good keeps them for a human to see.
"""

# ruff: noqa: S608 - statements are put together from constants of this file

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referrals.model import NETWORK, DataClass, Record
from referrals.persons import SILENT
from referrals.ports import Delivery
from referrals.said import Priority
from storage import chat, lease, merging
from storage.codec import instant_in, instant_out
from storage.keyring import Field, Keyring, SealBroken, Wrap
from storage.settling import BLANK, END
from storage.sql import Connection, Row, Sized, Sql
from storage.tx import ACCOUNT_COLUMN, StoreTx

LEASE = timedelta(seconds=60)
URGENT = (Priority.CRISIS, Priority.ALERT)
EXPIRED_AT_ONCE = 500

# o must wait for e: e is in flight, or comes before o and is due or was tried already.
_WAITS = (
    "EXISTS (SELECT 1 FROM outbox e WHERE e.person_id = o.person_id AND e.state = 'waiting' AND e.id <> o.id"
    " AND (e.claimed OR ((e.rank < o.rank OR (e.rank = o.rank AND e.id < o.id))"
    " AND (e.due_at <= :now OR e.retrying))))"
)
# What is claimed waits: saying so here would tempt a planner into the index of everything that waits.
_RELEASE = Sql("UPDATE outbox SET claimed = false, retrying = true WHERE claimed AND due_at <= :now")
_EXPIRE = Sql(
    f"UPDATE outbox SET state = 'expired', {BLANK} WHERE id IN (SELECT id FROM outbox WHERE state = 'waiting'"
    f" AND expires_at <= :now AND NOT claimed ORDER BY expires_at LIMIT {EXPIRED_AT_ONCE})"
)
# One look at the indexes instead of a statement for each rank and chore: which claim and what else ends next,
# and which ranks have anything due? (By EXISTS, PostgreSQL looked through all that waits for the first.)
_LOOK = Sql(
    "SELECT (SELECT min(due_at) FROM outbox WHERE claimed),"
    " (SELECT min(expires_at) FROM outbox WHERE state = 'waiting' AND expires_at IS NOT NULL),"
    + ",".join(
        " EXISTS (SELECT 1 FROM outbox WHERE state = 'waiting' AND NOT claimed AND due_at <= :now"
        f" AND rank = {priority.rank})"
        for priority in Priority
    )
)
_DUE = Sql(
    "SELECT o.id, o.person_id FROM outbox o WHERE o.state = 'waiting' AND NOT o.claimed AND o.rank = :rank"
    f" AND o.due_at <= :now AND NOT {_WAITS} ORDER BY o.due_at, o.id LIMIT :limit",
    postgresql="FOR UPDATE OF o SKIP LOCKED",
)
_CLAIM = Sized(
    "UPDATE outbox SET claimed = true, due_at = :lease_end, target = NULL WHERE id IN ({id}) AND NOT claimed"
)
_CLAIM_FOR = Sql(
    "UPDATE outbox SET claimed = true, due_at = :lease_end, target = :target WHERE id = :id AND NOT claimed"
)
# All that a delivery needs; the wrap's columns stand as in sealing.py. People are named beside the join, or
# PostgreSQL reads everybody's account in each claim (10,000 people: 22 ms, now 1).
_DETAILS = Sized(
    "SELECT o.id, o.person_id, o.rank, o.text, o.params, o.buttons, o.slot, o.fresh, o.quiet, o.message_id,"
    " o.attempts, o.queued_at, o.expires_at, o.merge, o.gist, p.language, p.timezone, p.by_text, p.presence,"
    " (SELECT m.message_id FROM message m WHERE m.person_id = o.person_id AND m.slot = o.slot"
    "  AND o.slot <> '' ORDER BY m.message_id DESC LIMIT 1),"
    " (SELECT e.id FROM outbox e WHERE e.person_id = o.person_id AND e.state = 'merged'"
    "  AND e.slot = o.slot AND o.slot <> '' ORDER BY e.id DESC LIMIT 1),"
    " s.column_name, s.key_id, s.version, s.ciphertext,"
    " w.holder, w.key_id, w.wrapped, k.id, k.wrapped, k.version, k.data_class, k.holder"
    " FROM outbox o LEFT JOIN person p ON p.id = o.person_id AND p.id IN ({person})"
    " LEFT JOIN sealed s ON s.record_table = 'person' AND s.record_row = o.person_id"
    "  AND s.record_row IN ({person}) AND s.data_class = :contact AND s.column_name = :column"
    " LEFT JOIN wrap w ON w.record_table = 'person' AND w.record_row = o.person_id"
    "  AND w.record_row IN ({person}) AND w.data_class = :contact AND w.holder = :network"
    " LEFT JOIN key_encryption_key k ON k.id = w.kek_id"
    " WHERE o.id IN ({id}) ORDER BY o.due_at, o.id"
)
_NEXT = Sql(
    f"SELECT o.due_at FROM outbox o WHERE o.state = 'waiting' AND (o.claimed OR NOT {_WAITS})"
    " ORDER BY o.due_at LIMIT 1"
)


class _Due(NamedTuple):
    """A row of _DETAILS before the account is opened."""

    id: int
    person_id: str
    rank: int
    text: str
    params: str
    buttons: str
    slot: str
    fresh: bool
    quiet: bool
    message_id: int | None
    attempts: int
    queued_at: int
    expires_at: int | None
    merge: str
    gist: str | None
    language: str | None
    timezone: str | None
    by_text: bool | None
    presence: str | None
    standing: int | None
    listed: int | None  # the row of the same slot whose line stands in a merged message

    @property
    def target(self) -> int | None:
        """Which message to edit or delete; None: send a new one."""
        if self.message_id is not None:
            return self.message_id
        return None if self.fresh and self.text else self.standing

    def end(self, at: int) -> str:
        """The state in which it ends unsent; '' for what is to be sent."""
        if self.target is None and (self.quiet or not self.text):
            return "vanished"  # an edit or a deletion of what does not stand
        if self.expires_at is not None and self.expires_at <= at:
            return "expired"
        # They fell silent while it waited. An answer and a deletion still go.
        unasked = self.text and self.rank != Priority.REPLY.rank
        return "expired" if unasked and self.presence in SILENT else ""

    @property
    def may_merge(self) -> bool:
        """A new message that says how it looks as one line of several."""
        return bool(self.merge and self.gist and self.text) and self.target is None


_WIDTH = len(_Due._fields)


@dataclass(slots=True)
class _Batch:
    """What becomes of the rows of one look."""

    ends: list[dict[str, Any]] = field(default_factory=list)
    new: list[int] = field(default_factory=list)
    edits: list[dict[str, Any]] = field(default_factory=list)
    unlisted: list[int] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)


def claim(
    tx: StoreTx, keyring: Keyring, holder: str, now: datetime, limit: int, spare: int = 0
) -> list[Delivery]:
    """A turn: lease up to `limit` due notices, best rank first, at most one for each person.

    The last `spare` of them are kept for what is urgent. Nothing while another sender holds the lease.
    """
    conn, at = tx.connection, instant_in(now)
    if lease.is_anothers(conn, holder):
        return []
    claimed: list[Delivery] = []
    looked = True
    # Lines that went have queued an edit, perhaps of a better rank: it is not left for the next claim.
    while looked and not claimed:
        looked = False
        for priority in _to_claim(conn, at):
            most = limit if priority in URGENT else limit - spare
            while len(claimed) < most:
                asked = {"rank": priority.rank, "now": at, "limit": most - len(claimed)}
                found = conn.rows(_DUE, asked)
                if not found:
                    break
                # What vanishes here frees the person's next notice, so look again before going on.
                looked, claimed = True, claimed + _lease(conn, keyring, found, now)
    return claimed


def _to_claim(conn: Connection, at: int) -> list[Priority]:
    """What has come to its end is ended; the ranks in which something is due, best first."""
    ((lease_end, pointless, *_),) = found = conn.rows(_LOOK, {"now": at})
    over, expired = (end is not None and end <= at for end in (lease_end, pointless))
    if over:
        conn.change(_RELEASE, {"now": at})
    if expired:
        conn.change(_EXPIRE, {"now": at})
    if over or expired:
        found = conn.rows(_LOOK, {"now": at})
    return [priority for priority, due in zip(Priority, found[0][2:], strict=True) if due]


def _lease(conn: Connection, keyring: Keyring, found: Sequence[Row], now: datetime) -> list[Delivery]:
    """Claim these rows. A person's second row of the same batch is left for the next look."""
    at, batch = instant_in(now), _Batch()
    rows = _fetch(conn, found)
    mergeable = {due.person_id for due, _ in rows if due.may_merge and not due.end(at)}
    # Whose notices became one here is looked at again: the one is due now.
    merged = merging.merge(conn, mergeable, now) if mergeable else frozenset()
    for due, row in rows:
        if due.id not in merged:
            _sort(batch, keyring, due, row, at)
    if batch.ends:
        conn.change_many(END, batch.ends)
    lease_end = instant_in(now + LEASE)
    if batch.new:
        conn.change(*_CLAIM.of(id=batch.new, lease_end=lease_end))
    if batch.edits:
        conn.change_many(_CLAIM_FOR, [{**edit, "lease_end": lease_end} for edit in batch.edits])
    merging.leave(conn, batch.unlisted, now)
    return batch.deliveries


def _sort(batch: _Batch, keyring: Keyring, due: _Due, row: Row, at: int) -> None:
    """One row into its batch: ended, or claimed."""
    if due.listed is not None:
        batch.unlisted.append(due.listed)
    end, code = due.end(at), None
    account = None
    if not end:
        account, code = _account(keyring, due, row[_WIDTH:])
    if account is None:
        batch.ends.append({"id": due.id, "state": end or "dead", "code": code, "now": at})
        return
    if due.target is None:
        batch.new.append(due.id)
    else:
        batch.edits.append({"id": due.id, "target": due.target})
    batch.deliveries.append(_delivery(due, account))


def _fetch(conn: Connection, found: Sequence[Row]) -> list[tuple[_Due, Row]]:
    """The details of rows (id, person id)."""
    ids, people = zip(*found, strict=True)
    fixed = {"contact": DataClass.CONTACT.value, "column": ACCOUNT_COLUMN, "network": NETWORK}
    rows = conn.rows(*_DETAILS.of(id=ids, person=people, **fixed))
    return [(_Due(*row[:_WIDTH]), row) for row in rows]


def _account(keyring: Keyring, due: _Due, sealed: Row) -> tuple[int | None, str | None]:
    """The opened account, or why there is none. One broken row must not stop everybody's messages."""
    if due.language is None or sealed[0] is None or sealed[4] is None:  # no person, no field, no wrap
        return None, "no_account"
    place, wrap, record = Field(*sealed[:4]), Wrap(*sealed[4:]), Record("person", due.person_id)
    try:
        key = AESGCM(keyring.unwrap(record, DataClass.CONTACT, wrap))
        return int(keyring.open_field(record, DataClass.CONTACT, key, place)), None
    except SealBroken:
        return None, "broken_seal"


def _delivery(due: _Due, account: int) -> Delivery:
    return Delivery(
        id=due.id,
        person_id=due.person_id,
        account=account,
        language=due.language or "",
        text=due.text,
        params=chat.decode_params(due.params),
        buttons=chat.decode_buttons(due.buttons),
        rank=due.rank,
        slot=due.slot,
        message_id=due.target,
        attempts=due.attempts,
        queued_at=instant_out(due.queued_at),
        timezone=due.timezone or "",
        by_text=bool(due.by_text),
    )


def next_due(tx: StoreTx, now: datetime) -> datetime | None:
    """When a claim can next find something: a notice that waits for no other, or the end of a lease."""
    rows = tx.connection.rows(_NEXT, {"now": instant_in(now)})
    return instant_out(rows[0][0]) if rows else None
