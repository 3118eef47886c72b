"""What was refused for good: kept for thirty days, for a human who has it sent again or drops it."""

from __future__ import annotations

from datetime import datetime

from referrals.ports import Undelivered
from storage import chat
from storage.codec import instant_in, instant_out
from storage.sql import Connection, Sql

_LIST = Sql(
    "SELECT id, person_id, text, params, code, attempts, queued_at, settled_at FROM outbox"
    " WHERE state = 'dead' ORDER BY settled_at, id"
)
_AGAIN = Sql(
    "UPDATE outbox SET state = 'waiting', due_at = :now, attempts = 0, retrying = false, code = NULL,"
    " settled_at = NULL, expires_at = NULL WHERE id = :id AND state = 'dead'"
)
_DROP = Sql(
    "UPDATE outbox SET state = 'dropped', settled_at = :now, params = '{}', buttons = '[]', gist = NULL"
    " WHERE id = :id AND state = 'dead'"
)


def listed(conn: Connection) -> list[Undelivered]:
    """All of them, the oldest first."""
    return [
        Undelivered(
            row[0],
            row[1],
            row[2],
            chat.decode_params(row[3]),
            row[4] or "",
            row[5],
            instant_out(row[6]),
            instant_out(row[7]),
        )
        for row in conn.rows(_LIST)
    ]


def again(conn: Connection, notice_id: int, now: datetime) -> bool:
    """Due now, as if it were new; False when it is none of these."""
    return conn.change(_AGAIN, {"id": notice_id, "now": instant_in(now)}) == 1


def drop(conn: Connection, notice_id: int, now: datetime) -> bool:
    """Never sent; False when it is none of these."""
    return conn.change(_DROP, {"id": notice_id, "now": instant_in(now)}) == 1
