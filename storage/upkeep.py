"""What is swept away in small turns: old dedupe keys, settled notices, notes of old messages."""

# ruff: noqa: S608 - statements are put together from constants of this file

from __future__ import annotations

from datetime import datetime, timedelta

from storage.codec import instant_in
from storage.sql import Sql
from storage.tx import StoreTx

KEEP_SEEN = timedelta(hours=48)
KEEP_SETTLED = timedelta(days=7)
KEEP_REFUSED = timedelta(days=30)  # what Telegram refused for good waits for a human to see it
KEEP_MESSAGES = timedelta(hours=72)  # Telegram deletes nothing after 48 h; a day more for the last tries
BATCH = 500

_SWEEPS = (
    (
        # A line of a merged message goes with the message that it stood in.
        Sql(
            "UPDATE outbox SET state = 'sent', gist = NULL WHERE id IN"
            f" (SELECT id FROM outbox WHERE state = 'merged' AND settled_at < :before LIMIT {BATCH})"
        ),
        KEEP_MESSAGES,
    ),
    (
        Sql(f"DELETE FROM seen WHERE key IN (SELECT key FROM seen WHERE at < :before LIMIT {BATCH})"),
        KEEP_SEEN,
    ),
    (
        Sql(
            "DELETE FROM outbox WHERE id IN"
            f" (SELECT id FROM outbox WHERE settled_at < :before AND state <> 'dead' LIMIT {BATCH})"
        ),
        KEEP_SETTLED,
    ),
    (
        Sql(
            f"DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE settled_at < :before LIMIT {BATCH})"
        ),
        KEEP_REFUSED,
    ),
    (
        Sql(f"DELETE FROM message WHERE id IN (SELECT id FROM message WHERE at < :before LIMIT {BATCH})"),
        KEEP_MESSAGES,
    ),
    (
        Sql(f"DELETE FROM tally WHERE id IN (SELECT id FROM tally WHERE expires_at < :before LIMIT {BATCH})"),
        timedelta(),
    ),
    (
        Sql(
            "DELETE FROM session WHERE id IN"
            f" (SELECT id FROM session WHERE expires_at < :before LIMIT {BATCH})"
        ),
        timedelta(),
    ),
)


def sweep_some(tx: StoreTx, now: datetime) -> int:
    """One small turn of upkeep; returns how many rows it touched (0: nothing is left to do)."""
    conn = tx.connection
    touched = sum(conn.change(sql, {"before": instant_in(now - keep)}) for sql, keep in _SWEEPS)
    return touched + tx.sweep_keys(BATCH // 5)
