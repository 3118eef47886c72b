"""Two roles on PostgreSQL: the owner migrates; the product's own works, and cannot touch what was audited."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from referrals.errors import ConfigurationError
from referrals.model import Actor, DataClass, Record, Role, person_holder
from referrals.ports import Tx
from referrals.service.help import working
from referrals.service.turns import closing, offers
from storage import grants
from storage.connection import parse_url, plain_url
from storage.schema import migrate
from storage.sql import Sql
from storage.store import Store
from storage.tables import metadata
from storage.tx import StoreTx
from tests.support.network import CATALOGUE, Small
from tests.support.postgres import PostgresServer
from tests.support.store import KEY, SettableClock

FAMILY = Actor("p1", Role.FAMILY)
RECORD, OTHER = Record("referral", "mine"), Record("referral", "other")


@pytest.fixture
def role(postgres: PostgresServer) -> Iterator[tuple[str, str]]:
    """(name, password) of a role that may log in and nothing else."""
    name, password = f"pulang_{secrets.token_hex(4)}", secrets.token_hex(8)
    with postgres.connect() as conn:
        conn.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(password))
        )
    yield name, password
    with postgres.connect() as conn:
        conn.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
        conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def urls(postgres: PostgresServer, role: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """(the owner's address, the product's) of a migrated database with the grants."""
    owner = postgres.create_database()
    migrate(owner)
    grants.grant(owner, role[0])
    address = parse_url(owner).set(username=role[0], password=role[1])
    yield owner, address.render_as_string(hide_password=False)
    postgres.drop_database(owner)


@pytest.fixture
def product(urls: tuple[str, str], clock: SettableClock) -> Iterator[Store]:
    """The store as the product opens it."""
    store = Store.open(urls[1], KEY, CATALOGUE, clock, 7)
    yield store
    store.close()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


def refused(store: Store, statement: str) -> str:
    """The kind of PostgreSQL's refusal."""

    def verb(tx: Tx) -> None:
        assert isinstance(tx, StoreTx)
        tx.connection.change(Sql(statement))

    with pytest.raises(Exception) as caught:  # noqa: PT011 - the kind is the result
        store.run(verb)
    return str(caught.value)


def test_the_whole_network_works_with_the_products_role(product: Store, clock: SettableClock) -> None:
    """Filing, matching, timers, outbox, acceptance, reading, withdrawal: with these rights and no others."""
    net = Small(product, clock)
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = net.filed(family)
    net.passes(timedelta(seconds=30))
    offer = net.live_offer(matter)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)
    net.store.run(working.contacted, worker, offer.id)
    assert net.said()
    net.store.run(closing.withdraw, family, matter)
    net.passes(timedelta(days=400))  # retention, purging, old messages
    assert asyncio.run(product.verify_audit()) == []


def test_keys_and_erasure_work_with_the_products_role(product: Store, clock: SettableClock) -> None:
    own = person_holder("p1")
    for record in (RECORD, OTHER):
        product.run(_seal, record, own)
    product.run(lambda tx: tx.rotate_holder(own))
    product.run(lambda tx: tx.destroy(OTHER))
    asyncio.run(product.sweep(clock.now))
    assert [key.state for key in asyncio.run(product.key_statuses())] == ["destroyed", "active"]
    assert product.run(lambda tx: dict(tx.open_sealed(FAMILY, RECORD, DataClass.STORY))) == {"note": "mine"}
    assert asyncio.run(product.last_scrub()) == clock.now


def _seal(tx: Tx, record: Record, holder: str) -> None:
    tx.seal(record, DataClass.STORY, "note", "mine", (holder,))


def test_every_table_has_its_rights_and_no_more(urls: tuple[str, str], role: tuple[str, str]) -> None:
    every = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    with psycopg.connect(plain_url(parse_url(urls[0]))) as owner:
        for table in [*metadata.tables, "alembic_version"]:
            found = {
                right
                for right in every
                if owner.execute("SELECT has_table_privilege(%s, %s, %s)", [role[0], table, right]).fetchone()
                == (True,)
            }
            assert found == set(grants.RIGHTS[table]), table
            owns = owner.execute("SELECT tableowner FROM pg_tables WHERE tablename = %s", [table]).fetchone()
            assert owns is not None
            assert owns[0] != role[0]


_FORBIDDEN = (
    "UPDATE audit SET detail = 'x'",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "DELETE FROM audit_lane",
    "TRUNCATE audit_lane",
    "DELETE FROM checkpoint",
    "TRUNCATE wrap",
    "DELETE FROM key_encryption_key",
    "UPDATE alembic_version SET version_num = '9999'",
    "ALTER TABLE audit DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_no_change ON audit",
    "DROP TABLE audit",
    "CREATE TABLE mine (id int)",
    "DROP FUNCTION audit_refuse() CASCADE",
    "SET session_replication_role = replica",
)


def test_refused_by_privilege(product: Store) -> None:
    for statement in _FORBIDDEN:
        assert refused(product, statement) == "the database refused: InsufficientPrivilege"


def test_a_lane_only_moves_forward(product: Store, clock: SettableClock) -> None:
    """UPDATE on the heads is needed; the trigger, which this role cannot switch off, holds its direction."""
    Small(product, clock)
    assert "RaiseException" in refused(product, "UPDATE audit_lane SET sequence = 0")


def test_roles_that_could_undo_it_are_refused(postgres: PostgresServer, urls: tuple[str, str]) -> None:
    for name in ("postgres", "nobody-of-that-name"):
        with pytest.raises(ConfigurationError):
            grants.grant(urls[0], name)


def test_sqlite_has_no_roles(sqlite_url: str) -> None:
    with pytest.raises(ConfigurationError, match="SQLite has no roles"):
        grants.grant(sqlite_url, "pulang")


def test_a_role_that_may_not_rewrite_is_told(
    urls: tuple[str, str], role: tuple[str, str], product: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL only warns and does nothing; we say so, and do not note it as done."""
    with psycopg.connect(plain_url(parse_url(urls[0]))) as owner:
        owner.execute(sql.SQL("REVOKE MAINTAIN ON wrap FROM {}").format(sql.Identifier(role[0])))
    assert asyncio.run(product.scrub()) is False
    assert "may not rewrite the table wrap" in caplog.text
    assert asyncio.run(product.last_scrub()) is None
