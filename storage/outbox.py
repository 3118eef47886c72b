"""The sending side of the outbox (ports.Outbox): claims in batches and leases; the ends are settling.py's.

Rules: at most one notice of a person is in flight (a unique index holds it); one person's notices leave in
the order of (rank, id), and a notice that is tried again holds back those after it; a sender that died loses
its claims when the lease ends; what is settled keeps no parameters.
"""

# ruff: noqa: S608 - statements are put together from constants of this file

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referrals.model import NETWORK, DataClass, Record
from referrals.ports import Delivery
from referrals.said import Priority
from storage import chat
from storage.codec import instant_in, instant_out
from storage.keyring import Field, Keyring, SealBroken, Wrap
from storage.settling import END
from storage.sql import Connection, Row, Sql
from storage.tx import ACCOUNT_COLUMN, StoreTx

LEASE = timedelta(seconds=60)

# o must wait for e: e is in flight, or comes before o and is due or was tried already.
_WAITS = (
    "EXISTS (SELECT 1 FROM outbox e WHERE e.person_id = o.person_id AND e.state = 'waiting' AND e.id <> o.id"
    " AND (e.claimed OR ((e.rank < o.rank OR (e.rank = o.rank AND e.id < o.id))"
    " AND (e.due_at <= :now OR e.retrying))))"
)
_RELEASE_ALL = Sql(
    "UPDATE outbox SET claimed = false, retrying = true, due_at = :now WHERE claimed AND state = 'waiting'"
)
_RELEASE = Sql(
    "UPDATE outbox SET claimed = false, retrying = true"
    " WHERE claimed AND state = 'waiting' AND due_at <= :now"
)
_DUE = Sql(
    "SELECT o.id, o.person_id FROM outbox o WHERE o.state = 'waiting' AND NOT o.claimed AND o.rank = :rank"
    f" AND o.due_at <= :now AND NOT {_WAITS} ORDER BY o.due_at, o.id LIMIT :limit",
    postgresql="FOR UPDATE OF o SKIP LOCKED",
)
_CLAIM = Sql(
    "UPDATE outbox SET claimed = true, due_at = :lease_end, target = :target WHERE id = :id AND NOT claimed"
)
# All that a delivery needs; the wrap's columns stand as in sealing.py. People are named beside the join, or
# PostgreSQL reads everybody's account in each claim (10,000 people: 22 ms, now 1).
_DETAILS = (
    "SELECT o.id, o.person_id, o.rank, o.text, o.params, o.buttons, o.slot, o.fresh, o.quiet, o.message_id,"
    " o.attempts, o.queued_at, p.language, p.timezone, p.by_text,"
    " (SELECT m.message_id FROM message m WHERE m.person_id = o.person_id AND m.slot = o.slot"
    "  AND o.slot <> '' ORDER BY m.message_id DESC LIMIT 1),"
    " s.column_name, s.key_id, s.version, s.ciphertext,"
    " w.holder, w.key_id, w.wrapped, k.id, k.wrapped, k.version, k.data_class, k.holder"
    " FROM outbox o LEFT JOIN person p ON p.id = o.person_id AND p.id IN ({people})"
    " LEFT JOIN sealed s ON s.record_table = 'person' AND s.record_row = o.person_id"
    "  AND s.record_row IN ({people}) AND s.data_class = :contact AND s.column_name = :column"
    " LEFT JOIN wrap w ON w.record_table = 'person' AND w.record_row = o.person_id"
    "  AND w.record_row IN ({people}) AND w.data_class = :contact AND w.holder = :network"
    " LEFT JOIN key_encryption_key k ON k.id = w.kek_id"
    " WHERE o.id IN ({ids}) ORDER BY o.due_at, o.id"
)
_details: dict[int, Sql] = {}
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
    language: str | None
    timezone: str | None
    by_text: bool | None
    standing: int | None

    @property
    def target(self) -> int | None:
        """Which message to edit or delete; None: send a new one."""
        if self.message_id is not None:
            return self.message_id
        return None if self.fresh and self.text else self.standing

    @property
    def vanishes(self) -> bool:
        """An edit or a deletion of what does not stand."""
        return self.target is None and (self.quiet or not self.text)


def take_over(tx: StoreTx, now: datetime) -> int:
    """A turn: what a sender that died had claimed is due again. Only where one sender can be."""
    return tx.connection.change(_RELEASE_ALL, {"now": instant_in(now)})


def claim(tx: StoreTx, keyring: Keyring, now: datetime, limit: int) -> list[Delivery]:
    """A turn: lease up to `limit` due notices, best rank first, at most one for each person."""
    conn, at = tx.connection, instant_in(now)
    conn.change(_RELEASE, {"now": at})
    claimed: list[Delivery] = []
    for priority in Priority:
        while len(claimed) < limit:
            asked = {"rank": priority.rank, "now": at, "limit": limit - len(claimed)}
            found = conn.rows(_DUE, asked)
            if not found:
                break
            # What vanishes here frees the person's next notice, so look again before going on.
            claimed += _lease(conn, keyring, found, now)
    return claimed


def _lease(conn: Connection, keyring: Keyring, found: Sequence[Row], now: datetime) -> list[Delivery]:
    """Claim these rows. A person's second row of the same batch is left for the next look."""
    at, deliveries = instant_in(now), []
    leases: list[dict[str, Any]] = []
    ends: list[dict[str, Any]] = []
    for row in _fetch(conn, found):
        due = _Due(*row[:16])
        if due.vanishes:
            ends.append({"id": due.id, "state": "vanished", "code": None, "now": at})
            continue
        account, code = _account(keyring, due.person_id, row)
        if account is None:
            ends.append({"id": due.id, "state": "dead", "code": code, "now": at})
            continue
        lease_end = instant_in(now + LEASE)
        leases.append({"id": due.id, "lease_end": lease_end, "target": due.target})
        deliveries.append(_delivery(due, account))
    if ends:
        conn.change_many(END, ends)
    if leases:
        conn.change_many(_CLAIM, leases)
    return deliveries


def _fetch(conn: Connection, found: Sequence[Row]) -> list[Row]:
    """The details of rows (id, person id); sizes are rounded up, so that statements stay few."""
    size = 1 << (len(found) - 1).bit_length()
    if size not in _details:
        ids, people = (", ".join(f":{name}{n}" for n in range(size)) for name in ("id", "person"))
        _details[size] = Sql(_DETAILS.format(ids=ids, people=people))
    asked: dict[str, Any] = {"contact": DataClass.CONTACT.value, "column": ACCOUNT_COLUMN, "network": NETWORK}
    for n in range(size):
        asked[f"id{n}"], asked[f"person{n}"] = found[min(n, len(found) - 1)]
    return conn.rows(_details[size], asked)


def _account(keyring: Keyring, person_id: str, row: Row) -> tuple[int | None, str]:
    """The opened account, or why there is none. One broken row must not stop everybody's messages."""
    if row[12] is None or row[16] is None or row[20] is None:  # no person, no field, no wrap
        return None, "no_account"
    field, wrap, record = Field(*row[16:20]), Wrap(*row[20:]), Record("person", person_id)
    try:
        key = AESGCM(keyring.unwrap(record, DataClass.CONTACT, wrap))
        return int(keyring.open_field(record, DataClass.CONTACT, key, field)), ""
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
