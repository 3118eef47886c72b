"""Who may send: one process at a time. Whoever holds the lease renews it; when it ran out another takes it.

Rules: what a sender claims, it claims in a turn that sees its own name in the lease (and keeps others from
taking it before the commit); with the lease come the claims of whoever held it before, due again at once.
A lease that ends later than any could was written by a clock that was ahead, and binds nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from storage.codec import instant_in
from storage.sql import Connection, Sql

HELD_FOR = timedelta(seconds=10)
_NO_LEASE_IS_LONGER = timedelta(minutes=1)
_NAME = "outbox"

_HOLDER = Sql("SELECT holder FROM lease WHERE name = :name")
_HOLDER_KEPT = Sql("SELECT holder FROM lease WHERE name = :name", postgresql="FOR SHARE")
_TAKE = Sql(
    "INSERT INTO lease (name, holder, until) VALUES (:name, :holder, :until)"
    " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until"
    " WHERE lease.holder = excluded.holder OR lease.until <= :now OR lease.until > :too_late"
)
_FREE = Sql("DELETE FROM lease WHERE name = :name")
_GIVE_BACK = Sql("DELETE FROM lease WHERE name = :name AND holder = :holder")
_RELEASE_ALL = Sql("UPDATE outbox SET claimed = false, retrying = true, due_at = :now WHERE claimed")


def take(conn: Connection, holder: str, now: datetime, *, by_force: bool = False) -> bool:
    """Take or renew the lease; False while another holds it. `by_force` only where no other can be alive."""
    mine = _named(conn, _HOLDER) == holder
    if by_force:
        conn.change(_FREE, {"name": _NAME})
    asked = {
        "name": _NAME,
        "holder": holder,
        "until": instant_in(now + HELD_FOR),
        "now": instant_in(now),
        "too_late": instant_in(now + _NO_LEASE_IS_LONGER),
    }
    if not conn.change(_TAKE, asked):
        return False
    if not mine:
        conn.change(_RELEASE_ALL, {"now": instant_in(now)})
    return True


def give_back(conn: Connection, holder: str) -> None:
    """A clean stop: whoever waits may send at once."""
    conn.change(_GIVE_BACK, {"name": _NAME, "holder": holder})


def is_anothers(conn: Connection, holder: str) -> bool:
    """Whether somebody else holds it, run out or not. Nobody can take it before this turn has ended."""
    return _named(conn, _HOLDER_KEPT) not in (holder, None)


def _named(conn: Connection, sql: Sql) -> str | None:
    rows = conn.rows(sql, {"name": _NAME})
    return str(rows[0][0]) if rows else None
