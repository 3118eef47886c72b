"""PostgreSQL at its worst: a crash under load, cut connections, deadlocks, a COMMIT that fails."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from referrals.access import Action
from referrals.errors import ConfigurationError, StoreError
from referrals.model import Actor, AuditEntry, Role
from referrals.persons import Person, Scrap
from referrals.ports import Tx
from storage.connection import PostgresConnection
from storage.postgres_threads import CommitInDoubt
from storage.store import Store
from storage.tx import StoreTx
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.rows import a_person, add_scrap, an_offer
from tests.support.store import SettableClock, open_store, the_catalogue

ENTRY = AuditEntry(Actor("p1", Role.FAMILY), Action.PERSON_SETTINGS, "person:p1")


@pytest.fixture
def postgres_store(postgres_url: str, clock: SettableClock) -> Iterator[Store]:
    opened = open_store(postgres_url, clock)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def safe_server() -> Iterator[PostgresServer]:
    """A server that keeps its promises through a crash: what it acknowledges is on disk."""
    with postgres_server(fsync=True) as server:
        yield server


def driver_of(tx: Tx) -> psycopg.Connection[Any]:
    assert isinstance(tx, StoreTx)
    assert isinstance(tx.connection, PostgresConnection)
    return tx.connection._driver


def write(tx: Tx, n: int) -> bool:
    """An ordinary turn; False when the same update was handled before."""
    if not tx.first_time(f"update:{n:05}"):
        return False
    add_scrap(tx, f"{n:05}")
    tx.audit(ENTRY)
    return True


async def _crash(server: PostgresServer) -> None:
    """kill -9 of one backend: the postmaster drops everybody and recovers from its log, as after a crash."""
    connection = await _connected(server)
    os.kill(connection.info.backend_pid, signal.SIGKILL)
    with suppress(psycopg.Error):
        while True:
            await asyncio.sleep(0.01)
            connection.execute("SELECT 1")
    connection.close()


async def _connected(server: PostgresServer) -> psycopg.Connection[Any]:
    while True:
        try:
            return server.connect()
        except psycopg.OperationalError:  # still recovering from the last time
            await asyncio.sleep(0.02)


async def test_the_server_crashes_under_load(
    safe_server: PostgresServer, clock: SettableClock, long_run: bool
) -> None:
    """Nothing acknowledged is lost, nothing stands twice, and a caller in doubt is told so and may repeat."""
    store = open_store(safe_server.create_database(), clock)
    told: dict[int, bool | StoreError] = {}
    crashed = asyncio.Event()

    async def writer(first: int) -> None:
        for n in itertools.count(first):
            if crashed.is_set():
                return
            try:
                told[n] = await store.turn(write, n)
            except StoreError as error:
                told[n] = error

    load = [asyncio.ensure_future(writer(w * 10_000)) for w in range(8)]
    for _ in range(10 if long_run else 2):
        await asyncio.sleep(0.3)
        await _crash(safe_server)
    await asyncio.sleep(0.3)
    crashed.set()
    await asyncio.gather(*load)

    standing = {int(s.id) for s in await store.turn(lambda tx: tx.find(Scrap))}
    acknowledged = {n for n, answer in told.items() if answer is True}
    in_doubt = {n for n, answer in told.items() if isinstance(answer, CommitInDoubt)}
    assert acknowledged <= standing
    assert standing <= acknowledged | in_doubt
    assert not [n for n, answer in told.items() if answer is False]  # none was silently run a second time
    for n in told:  # redelivery of everything: each stands once afterwards
        await store.turn(write, n)
    assert await store.turn(lambda tx: tx.count(Scrap)) == len(told)
    assert await store.verify_audit() == []
    await store.aclose()


async def test_cut_connections_are_made_anew(postgres_store: Store, postgres_url: str) -> None:
    """Every connection is ended in the middle of a turn: nothing was committed, so the turn is run again."""
    cut: list[int] = []

    def verb(tx: Tx, n: int) -> bool:
        if n not in cut:
            cut.append(n)
            pid = driver_of(tx).info.backend_pid
            address = postgres_url.replace("postgresql+psycopg", "postgresql")
            with psycopg.connect(address, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [pid])
        return write(tx, n)

    answers = await asyncio.gather(*[postgres_store.turn(verb, n) for n in range(8)])
    assert answers == [True] * 8
    assert await postgres_store.verify_audit() == []


async def test_a_server_that_stays_away_is_told_and_forgiven(clock: SettableClock) -> None:
    with postgres_server() as server:
        store = open_store(server.create_database(), clock)
        assert store.run(write, 1)
    with pytest.raises(StoreError):
        await asyncio.wait_for(store.turn(write, 2), 20)
    store.close()


def test_a_commit_that_fails_is_told_and_changes_nothing(postgres_store: Store) -> None:
    def defer(tx: Tx) -> None:
        constraint = "ALTER TABLE offer ALTER CONSTRAINT fk_offer_referral_id DEFERRABLE INITIALLY DEFERRED"
        driver_of(tx).execute(constraint)

    postgres_store.run(defer)

    def poison(tx: Tx) -> None:
        write(tx, 1)
        tx.add(an_offer("of1", "no such referral"))

    with pytest.raises(StoreError) as caught:
        postgres_store.run(poison)
    assert not isinstance(caught.value, CommitInDoubt)  # the server said no: there is no doubt
    assert postgres_store.run(lambda tx: tx.count(Scrap)) == 0
    assert postgres_store.run(write, 1)


async def test_deadlocks_are_run_again(postgres_store: Store) -> None:
    """Half of the turns lock one way round, half the other."""
    postgres_store.run(lambda tx: tx.add(a_person("a", language="0"), a_person("b", language="0")))

    def both(tx: Tx, order: str) -> None:
        for person_id in order:
            person = tx.get(Person, person_id, lock=True)
            assert person is not None
            tx.save(replace(person, language=str(int(person.language) + 1)))

    await asyncio.gather(*[postgres_store.turn(both, "ab" if n % 2 else "ba") for n in range(10)])
    counts = [p.language for p in postgres_store.run(lambda tx: tx.find(Person))]
    assert counts == ["10", "10"]


def test_limits_on_everything_that_could_hang(postgres_store: Store) -> None:
    def setting(name: str) -> str:
        row = postgres_store.run(lambda tx: driver_of(tx).execute(f"SHOW {name}").fetchone())
        assert row is not None
        return str(row[0])

    assert setting("statement_timeout") == "10s"
    assert setting("lock_timeout") == "5s"
    assert setting("idle_in_transaction_session_timeout") == "40s"
    assert setting("transaction_isolation") == "read committed"


def test_an_address_where_nobody_answers() -> None:
    from storage.store import Store as Opened
    from tests.support.store import KEY

    with pytest.raises(ConfigurationError) as caught:
        Opened.open("postgresql://pulang:secret-word@127.0.0.1:1/pulang", KEY, the_catalogue())
    assert "PostgreSQL" in caught.value.mend
    assert "secret-word" not in str(caught.value)
