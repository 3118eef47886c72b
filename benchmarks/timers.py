"""What waits must cost the same however much of it waits: due timers, and the outbox's claims.

Ten thousand and a million rows wait side by side in two databases of the same kind, which are asked in turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from time import perf_counter

from benchmarks.harness import Row, in_turns, milliseconds, progress, rate, ratios
from benchmarks.stores import POSTGRES, SQLITE, Databases, databases, open_store
from referrals.ports import Sent, Tx
from referrals.said import Notice
from referrals.service.people import people
from storage import chat
from storage.codec import instant_in
from storage.connection import connect, parse_url
from storage.sql import Connection, Sql
from storage.store import utc_now

FEW, MANY = 10_000, 1_000_000
DUE, CLAIM = 50, 64
CLAIM_BARS = {SQLITE: ">= 10,000", POSTGRES: ">= 4,000"}
BAR = "<= 1.2"
FIRST_ACCOUNT = 9_000_000

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
# Ids in no order, as the product's own are; due within a year, in no order either.
_WAITING = {
    "sqlite": Sql(
        f"{_NUMBERS} INSERT INTO timer (id, kind, subject, due_at, attempts)"
        " SELECT 'remind' || char(58) || i || '-' || hex(randomblob(8)), 'remind', hex(randomblob(12)),"
        " :now + abs(random() % 31000000) * 1000000 + 3600000000, 0 FROM n"
    ),
    "postgresql": Sql(
        f"{_NUMBERS} INSERT INTO timer (id, kind, subject, due_at, attempts)"
        " SELECT 'remind' || chr(58) || md5(CAST(i AS text)), 'remind', md5(CAST(-i AS text)),"
        " :now + CAST(random() * 31000000 AS bigint) * 1000000 + 3600000000, 0 FROM n"
    ),
}
_UNLIMITED = Sql("SET statement_timeout = 0")
_ANALYZE = Sql("ANALYZE timer")


def measure(quick: bool) -> Iterator[Row]:
    """Timers, then the outbox, each on both databases."""
    with databases() as made:
        for kind in (SQLITE, POSTGRES):
            yield from _scans(made, kind, quick)
        for kind in (SQLITE, POSTGRES):
            yield from _claims(made, kind, quick)


def _scans(made: Databases, kind: str, quick: bool) -> Iterator[Row]:
    now = utc_now()
    few, many = (_waiting(made.create(kind), kind, count, now) for count in (FEW, MANY))
    times, rounds = (200, 3) if quick else (1_000, 7)

    def way(conn: Connection) -> Callable[[], float]:
        def run() -> float:
            begin = perf_counter()
            for _ in range(times):
                conn.begin()
                found = chat.due_timers(conn, now, DUE)
                conn.commit()
                if len(found) != DUE:
                    raise RuntimeError(f"{len(found)} timers are due, not {DUE}")
            return (perf_counter() - begin) / times

        return run

    found = in_turns({"few": way(few), "many": way(many)}, rounds)
    name = f"due scan, {kind}: {MANY:,} rows to {FEW:,}"
    shown = milliseconds(found["many"]), milliseconds(found["few"])
    yield Row(name, ratios(found["many"], found["few"]), *shown, "", BAR)
    few.close()
    many.close()


def _waiting(url: str, kind: str, count: int, now: datetime) -> Connection:
    """A connection to a database where so many timers wait, and the first 50 of others are due."""
    progress(f"timers: {count:,} waiting rows on {kind}")
    conn = connect(parse_url(url))
    if conn.dialect == "postgresql":
        conn.change(_UNLIMITED)
    conn.begin()
    conn.change(_WAITING[conn.dialect], {"count": count, "now": instant_in(now)})
    for n in range(DUE):
        chat.set_timer(conn, "due", f"subject-{n}", now - timedelta(seconds=n))
    conn.commit()
    conn.change(_ANALYZE)
    return conn


def _claims(made: Databases, kind: str, quick: bool) -> Iterator[Row]:
    """Claim and settle everything that is queued, as one sender does that sends in no time at all."""
    progress(f"timers: claims on {kind}")
    url = made.create(kind)
    store = open_store(url, made.key_file(url))
    each, rounds = (1_000, 3) if quick else (5_000, 7)
    numbers = iter(range(1, 100_000_000))

    def meet(tx: Tx, first: int, count: int) -> list[str]:
        return [people.meet(tx, FIRST_ACCOUNT + n).id for n in range(first, first + count)]

    def queue(tx: Tx, ids: list[str]) -> None:
        tx.say_many([Notice(person_id, "privacy.home") for person_id in ids])

    everybody = [store.run(meet, first, 500) for first in range(0, each, 500)]
    claiming: list[float] = []

    async def send_all() -> float:
        for some in everybody:
            await store.turn(queue, some)
        begin, sent, claims = perf_counter(), 0, 0.0
        while True:
            before = perf_counter()
            deliveries = await store.outbox.claim(utc_now(), CLAIM)
            claims += perf_counter() - before
            if not deliveries:
                break
            ends = [Sent(delivery.id, next(numbers)) for delivery in deliveries]
            await store.outbox.settle(ends, utc_now())
            sent += len(ends)
        if sent != each:
            raise RuntimeError(f"{sent} notices were claimed, not {each}")
        claiming.append(sent / claims)
        return sent / (perf_counter() - begin)

    found = in_turns({"claims": lambda: asyncio.run(send_all())}, rounds)["claims"]
    store.close()
    alone = claiming[1:]
    yield Row(f"outbox, {kind}: claimed", alone, rate(alone), unit="/s", bar=CLAIM_BARS[kind])
    yield Row(f"outbox, {kind}: claimed and settled", found, rate(found), unit="/s")
