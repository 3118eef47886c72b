"""A unique token in every private field, through a whole referral; then a search of every byte on disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from referrals import routing
from referrals.directory import OrganizationKind
from referrals.members import CheckIn, Enrolment
from referrals.model import Urgency
from referrals.service import checkins, closing, filing, offers, people, plans, threads, working
from tests.support.network import CATALOGUE, Small
from tests.support.postgres import PostgresServer
from tests.support.store import SettableClock, open_store

CANARIES = {
    "story": "Canary-7f3a-story",
    "contact": "Canary-91bc-contact 0812345678",
    "thread": "Canary-5d20-thread",
    "answer": "Canary-e881-answer",
    "scrap": "Canary-3c4d-scrap",
    "added": "Canary-aa17-added",
}
ACCOUNT = 7_918_273_645


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> tuple[str, Callable[[], bytes]]:
    """A fresh database, and every byte that it keeps: files, write-ahead log, heap."""
    if request.param == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        return f"sqlite:///{folder / 'pulang.db'}", lambda: _bytes_of(folder)
    server: PostgresServer = request.getfixturevalue("postgres")
    return request.getfixturevalue("postgres_url"), lambda: _postgres_bytes(server)


def test_nothing_private_stands_on_disk(place: tuple[str, Callable[[], bytes]]) -> None:
    url, everything = place
    clock = SettableClock()
    store = open_store(url, clock, CATALOGUE)
    net = Small(store, clock)
    family, worker = net.person(ACCOUNT), net.person(501, "bua-1")
    mentor = net.person(502, "mentor-1")
    _live(net, family, worker)
    _check_in(net, mentor)
    found = everything()  # while it is open: the write-ahead log counts too
    store.close()
    for data in (found, everything()):
        assert b"family.visits" in data  # what is not sealed is found: the search looks at the right bytes
        for name, canary in CANARIES.items():
            for token in canary.split():
                assert token.encode() not in data, name
        assert str(ACCOUNT).encode() not in data, "account"
        assert b'"struggling"' not in data, "wellbeing"


def _live(net: Small, family: str, worker: str) -> None:
    draft = net.draft(family)
    exclusions = routing.Exclusions(frozenset({"open-door"}), frozenset({OrganizationKind.FAITH}))
    wishes = plans.Wishes("pattani-mueang", Urgency.URGENT, exclusions)
    view = net.store.run(plans.plan_view, family, draft, wishes)
    yes = filing.Filing(wishes, view.consent_digest, CANARIES["story"], CANARIES["contact"])
    net.store.run(filing.file_request, family, draft, yes)
    scrap = net.store.run(people.keep_scrap_moment, family, CANARIES["scrap"])
    net.store.run(people.drop_scrap_of, family, scrap.id)
    kept = net.store.run(people.keep_scrap_moment, family, CANARIES["added"])
    net.store.run(people.keep_scrap, family, kept.id)
    net.passes(timedelta(seconds=10))
    offer = net.live_offer(draft)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)
    net.store.run(threads.write, worker, net.at_partner(draft), CANARIES["thread"])
    net.store.run(threads.write, family, draft, CANARIES["answer"])
    net.store.run(working.contacted, worker, net.at_partner(draft))
    net.store.run(working.report, worker, net.at_partner(draft), "met")
    net.store.run(closing.helped, family, draft, True)


def _check_in(net: Small, mentor: str) -> None:
    net.passes(timedelta(days=8))
    due = net.store.run(lambda tx: [c for c in tx.find(CheckIn) if c.saved_at is None])
    mine = net.store.run(lambda tx: {e.id for e in tx.find(Enrolment) if e.mentor_seat == "mentor-1"})
    one = next(c for c in due if c.enrolment_id in mine)
    net.store.run(checkins.save, mentor, one.id, {"means": "call", "state": "struggling"})


def _bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


def _postgres_bytes(server: PostgresServer) -> bytes:
    """Heap, indexes and write-ahead log of a whole server, after everything in memory was written down."""
    with server.connect() as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    folders = [Path(row[0]) / name for name in ("base", "pg_wal")]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return b"".join(path.read_bytes() for path in files)
