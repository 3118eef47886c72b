"""What people took back after a backup does not come back with it: bytes, doors, posts, phones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

from bot.keeping import Keeper
from referrals.directory import Agreement, Organization
from referrals.errors import ConfigurationError, NotFound, NotSealedFor, PulangError, StaleButton
from referrals.lifecycle import ENDED
from referrals.members import Crisis, Danger, Enrolment, EnrolmentState, SafetyShare
from referrals.model import (
    Actor,
    Consent,
    DataClass,
    Offer,
    OfferStage,
    Record,
    Referral,
    Role,
    Stage,
    organization_holder,
    person_holder,
)
from referrals.persons import Device, DeviceState, Person, Presence, Recovery, Seat
from referrals.ports import Erasure, Tx
from referrals.service import leaving, retention
from referrals.service.alarm import crisis, safety_sharing
from referrals.service.common import doors
from referrals.service.help import threads, working
from referrals.service.members import enrolments, handing_members
from referrals.service.people import people
from referrals.service.request import behalf
from referrals.service.restoring import Restored, after_restore
from referrals.service.turns import closing, offers
from storage.connection import connect, parse_url
from storage.sql import Sql
from storage.store import Store
from storage.tx import StoreTx
from tests.support.asking import asked_for
from tests.support.backups import Place
from tests.support.network import CATALOGUE, STEWARD, Small
from tests.support.postgres import PostgresServer
from tests.support.store import SettableClock, open_store

# The others differ in rules, not in rows.
pytestmark = pytest.mark.on_both(
    "test_a_withdrawn_yes_stays_withdrawn",
    "test_without_the_ledger_it_would_come_back",
    "test_a_lost_phone_stays_lost_and_nobody_has_proved_their_pin",
    "test_what_was_destroyed_is_not_even_on_the_new_disk",
    "test_a_second_restore_beside_a_running_one_is_refused_and_takes_no_mark_away",
    "test_the_ledger_is_written_by_the_running_product",
)

T = TypeVar("T")
STORY = "Canary-story-4471"


@dataclass
class Life:
    """A network with a matter that a partner serves; later its backup, and what became of it."""

    place: Place
    net: Small
    url: str
    other: str
    family: str
    worker: str
    referral: str
    matter: str  # as the partner knows it

    def backup(self) -> Path:
        self.made = self.place.backup(self.url).path
        self.place.clock.advance(minutes=5)
        return self.made

    def ledger(self) -> list[Erasure]:
        """What the running product has written down by now."""
        keeper = Keeper(
            self.net.store,
            self.place.ledger(self.net.store),
            self.place.keys.folder,
            _Clock(self.place.clock),  # type: ignore[arg-type]
        )
        asyncio.run(keeper.flush())
        return list(self.place.ledger(self.net.store).read().erasures)

    def restored(self, ledger: Sequence[Erasure] | None = None) -> tuple[Small, Restored]:
        """The old database is gone; the backup and the ledger are there."""
        taken = self.ledger() if ledger is None else list(ledger)
        self.net.store.close()
        made = self.place.found(self.made)
        pending = [e for e in taken if e.name not in made.known]
        done = self.place.restore(
            self.made,
            self.other,
            taken,
            lambda tx: after_restore(tx, STEWARD, made.made.made, pending),
        )
        store = open_store(self.other, self.place.clock, CATALOGUE)
        assert asyncio.run(store.verify_audit()) == []
        return Small.around(store, self.place.clock), done


@dataclass
class _Clock:
    """As the product's, on a test's time."""

    of: SettableClock

    def now(self) -> Any:
        return self.of.now


@pytest.fixture
def life(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    clock = SettableClock()
    place = Place(tmp_path, clock)
    net = Small(open_store(database_url, clock, CATALOGUE), clock)
    family, worker = net.person(401), net.person(501, "bua-1")
    net.person(601, "desk-1")
    referral = net.filed(family)
    by_hand(net, _tell_story, family, referral)
    net.passes(timedelta(seconds=10))
    offer = net.live_offer(referral)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)
    net.store.run(threads.write, worker, offer.id, "hello")
    if database_url.startswith("sqlite"):
        other = f"sqlite:///{tmp_path / 'other.db'}"
    else:
        postgres: PostgresServer = request.getfixturevalue("postgres")
        other = postgres.create_database()
        request.addfinalizer(lambda: postgres.drop_database(other))  # noqa: PT021 - one of two kinds
    yield Life(place, net, database_url, other, family, worker, referral, offer.id)
    net.store.close()


def by_hand(net: Small, verb: Any, *args: Any) -> Any:
    """A turn of the test's own, about which no verb has anything to say in the audit."""
    return net.store.run(_unwatched, verb, args)


def _unwatched(tx: Any, verb: Any, args: tuple[Any, ...]) -> Any:
    tx.connection.looking = False
    return verb(tx, *args)


def _tell_story(tx: Tx, family: str, referral: str) -> None:
    tx.seal(Record("referral", referral), DataClass.STORY, "note", STORY, [person_holder(family)])


def row(net: Small, kind: type[T], row_id: str) -> T:
    """A row that must be there."""
    found = net.store.run(lambda tx: tx.get(kind, row_id))
    assert found is not None
    return found


def opens(net: Small, actor: Actor, record: Record) -> bool:
    try:
        net.store.run(lambda tx: dict(tx.open_sealed(actor, record, DataClass.STORY)))
    except NotSealedFor:
        return False
    return True


def partner(life: Life) -> Actor:
    return Actor(life.worker, Role.WORKER, row(life.net, Seat, "bua-1").organization_id)


def test_nothing_taken_back_everything_is_as_it_was(life: Life) -> None:
    actor = partner(life)
    life.backup()
    net, done = life.restored()
    assert opens(net, actor, Record("referral", life.referral))
    assert net.referral(life.referral).stage is Stage.ACCEPTED
    assert done == Restored(0, 0, 0, 0, 0, 0, 0)
    net.store.close()


def test_a_withdrawn_yes_stays_withdrawn(life: Life) -> None:
    actor, record = partner(life), Record("referral", life.referral)
    life.backup()
    life.net.store.run(closing.withdraw, life.family, life.referral)
    net, done = life.restored()
    assert not opens(net, actor, record)
    assert opens(net, Actor(life.family, Role.FAMILY), record), "the person's own copy stays"
    assert net.referral(life.referral).stage is Stage.WITHDRAWN
    given = net.store.run(lambda tx: tx.find(Consent, referral_id=life.referral))
    assert all(one.withdrawn_at is not None for one in given)
    made = net.store.run(lambda tx: tx.find(Offer, referral_id=life.referral))
    assert {offer.stage for offer in made} == {OfferStage.RECALLED}
    with pytest.raises(NotFound):
        net.store.run(working.contacted, life.worker, life.matter)
    with pytest.raises(NotFound):
        net.store.run(threads.write, life.worker, life.matter, "x")
    assert done.withdrawn == len(given)
    # No timer brings it back to life either.
    net.passes(timedelta(days=40))
    assert net.referral(life.referral).stage is Stage.WITHDRAWN
    assert not opens(net, actor, record)
    net.store.close()


def test_an_own_no_goes_on_to_hold(life: Life) -> None:
    for_them = {"behalf": "very_ill", "agreed": "doctor", "span": "days_30"}
    relative = life.net.person(402)
    matter = asked_for(life.net, relative, **for_them)
    life.backup()
    life.net.store.run(behalf.own_no, relative, matter)
    net, _ = life.restored()
    assert net.referral(matter).stage is Stage.WITHDRAWN
    with pytest.raises(behalf.OwnNo):
        asked_for(net, relative, **for_them)
    net.store.close()


def test_without_the_ledger_it_would_come_back(life: Life) -> None:
    """So the tests above are about the ledger, and not about something else."""
    actor = partner(life)
    life.backup()
    life.net.store.run(closing.withdraw, life.family, life.referral)
    net, _ = life.restored(ledger=[])
    assert opens(net, actor, Record("referral", life.referral))
    net.store.close()


def test_a_matter_that_was_given_back_waits_for_the_desk(life: Life) -> None:
    actor = partner(life)
    life.backup()
    life.net.store.run(working.give_back, life.worker, life.matter)
    net, done = life.restored()
    assert not opens(net, actor, Record("referral", life.referral))
    referral = net.referral(life.referral)
    assert (referral.stage, referral.escalated, referral.organization_id) == (Stage.UNMATCHED, True, None)
    assert done.to_desk == 1
    desk = row(net, Seat, "desk-1").person_id
    assert [text for person, text in net.said() if person == desk] == ["desk.unmatched"]
    net.store.close()


def test_what_was_destroyed_is_not_even_on_the_new_disk(life: Life) -> None:
    record = Record("referral", life.referral)
    doomed = life.net.store.run(_bytes_of, record)
    life.backup()
    by_hand(life.net, _erase, life.referral)
    net, done = life.restored()
    assert done.destroyed >= 1
    assert not opens(net, Actor(life.family, Role.FAMILY), record)
    assert not net.store.run(lambda tx: tx.sealed_exists(record, DataClass.STORY))
    assert net.referral(life.referral).author_id == ""
    assert net.referral(life.referral).stage in ENDED
    net.passes(timedelta(days=60))  # its timers do no harm
    assert net.store.run(_bytes_of, record) == []
    net.store.close()
    assert doomed
    content = b"".join(path.read_bytes() for path in _files_of(life.other))
    assert not [one for one in doomed if one in content]
    assert b"wrap" in content or not life.other.startswith("sqlite")
    assert content


def _files_of(url: str) -> list[Path]:
    """The database's files; of PostgreSQL those of the tables that hold keys and ciphertexts."""
    if url.startswith("sqlite"):
        return list(Path(url.removeprefix("sqlite:///")).parent.glob("other.db*"))
    asked = "SELECT current_setting('data_directory') || '/' || pg_relation_filepath(%s)"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        rows = [connection.execute(asked, [table]).fetchone() for table in ("wrap", "sealed")]
    return [Path(row[0]) for row in rows if row]


def _bytes_of(tx: Tx, record: Record) -> list[bytes]:
    assert isinstance(tx, StoreTx)
    asked = {"t": record.table, "r": record.row}
    where = "WHERE record_table = :t AND record_row = :r"
    wraps = tx.connection.rows(Sql(f"SELECT wrapped FROM wrap {where}"), asked)
    texts = tx.connection.rows(Sql(f"SELECT ciphertext FROM sealed {where}"), asked)
    return [bytes(row[0]) for row in (*wraps, *texts)]


def _erase(tx: Tx, referral_id: str) -> None:
    """As retention and /delete do."""
    tx.destroy(Record("referral", referral_id))


def test_an_account_that_was_unbound_is_not_found_again(life: Life) -> None:
    life.backup()
    by_hand(life.net, _leave, life.family)
    net, _ = life.restored()
    assert net.store.run(lambda tx: tx.person_of_account(401)) is None
    assert net.store.run(_bytes_of, Record("person", life.family)) == []
    net.store.close()


def _leave(tx: Tx, person_id: str) -> None:
    tx.unbind_account(person_id)
    tx.destroy(Record("person", person_id))


def test_a_row_that_was_removed_is_removed_with_all_that_hangs_on_it(life: Life) -> None:
    stranger = life.net.person(777)
    by_hand(life.net, _give_device, stranger, "d" * 32)
    by_hand(life.net, _give_key, stranger)
    life.backup()
    by_hand(life.net, lambda tx: tx.remove(tx.get(Device, "d" * 32)))
    by_hand(life.net, _leave, stranger)
    by_hand(life.net, lambda tx: tx.remove(tx.get(Person, stranger)))
    net, _ = life.restored()
    assert net.store.run(lambda tx: tx.get(Person, stranger)) is None
    assert net.store.run(lambda tx: tx.find(Device, person_id=stranger)) == []
    assert net.store.run(lambda tx: tx.person_of_account(777)) is None
    states = [k.state for k in asyncio.run(net.store.key_statuses()) if k.holder == person_holder(stranger)]
    assert states == ["retiring"]  # and so destroyed by the next sweeps
    net.store.close()


def _give_key(tx: Tx, person_id: str) -> None:
    tx.seal(Record("person", person_id), DataClass.STORY, "word", "a word", [person_holder(person_id)])


def _give_device(tx: Tx, person_id: str, device_id: str) -> None:
    values: dict[str, Any] = {"state": DeviceState.ACTIVE, "since": tx.now, "last_seen_at": tx.now}
    tx.add(Device(device_id, person_id, "key", proved_until=tx.now + timedelta(minutes=30), **values))
    tx.add(Recovery(person_id, "finger", tx.now))


def test_a_lost_phone_stays_lost_and_nobody_has_proved_their_pin(life: Life) -> None:
    for person, device in ((life.family, "a" * 32), (life.worker, "b" * 32)):
        by_hand(life.net, _give_device, person, device)
    life.backup()
    by_hand(life.net, _lose, life.family, "a" * 32)
    net, done = life.restored()
    lost, kept = row(net, Device, "a" * 32), row(net, Device, "b" * 32)
    assert lost.state is DeviceState.ENDED
    assert (kept.state, kept.proved_until) == (DeviceState.ACTIVE, None)
    assert row(net, Person, life.family).presence is Presence.LOST
    assert net.store.run(lambda tx: tx.get(Recovery, life.family)) is None
    assert net.store.run(lambda tx: tx.get(Recovery, life.worker)) is not None
    assert (done.silenced, done.devices_ended) == (1, 1)
    net.store.close()


def _lose(tx: Tx, person_id: str, device_id: str) -> None:
    device, person = tx.get(Device, device_id), tx.get(Person, person_id)
    assert device is not None
    assert person is not None
    tx.save(replace(device, state=DeviceState.ENDED))
    tx.save(replace(person, presence=Presence.LOST))
    recovery = tx.get(Recovery, person_id)
    assert recovery is not None
    tx.save(replace(recovery, fingerprint="another"))


def test_who_left_a_post_does_not_get_it_back(life: Life) -> None:
    actor = partner(life)
    life.backup()
    by_hand(life.net, lambda tx: tx.save(replace(tx.get(Seat, "bua-1"), person_id=None)))
    by_hand(life.net, lambda tx: tx.save(replace(tx.get(Seat, "desk-1"), on_duty=False)))
    net, _ = life.restored()
    assert row(net, Seat, "bua-1").person_id is None
    assert row(net, Seat, "desk-1").person_id is not None
    with pytest.raises(NotFound):
        net.store.run(lambda tx: doors.as_seat(tx, life.worker, Role.WORKER, actor.organization_id))
    net.store.close()


@pytest.mark.parametrize("what", ["agreement", "organization"])
def test_a_partner_that_was_suspended_stays_so(life: Life, what: str) -> None:
    actor = partner(life)
    life.backup()
    by_hand(life.net, _suspend, actor.organization_id, what)
    net, done = life.restored()
    assert not opens(net, actor, Record("referral", life.referral))
    assert done.directory_changes >= 1
    with pytest.raises(PulangError):
        net.store.run(threads.write, life.worker, life.matter, "still here")
    net.store.close()


def _suspend(tx: Tx, organization_id: str, what: str) -> None:
    if what == "organization":
        organization = tx.get(Organization, organization_id)
        assert organization is not None
        tx.save(replace(organization, suspended=True))
        return
    for agreement in tx.find(Agreement, organization_id=organization_id):
        tx.save(replace(agreement, ends_on=tx.now.date() - timedelta(days=1)))


def test_what_was_taken_back_before_the_backup_is_not_taken_back_twice(life: Life) -> None:
    """Given, taken and given again: only what came after the backup counts."""
    record, holder = Record("referral", life.referral), organization_holder("open-door")
    by_hand(life.net, lambda tx: tx.share(record, DataClass.STORY, holder))
    by_hand(life.net, lambda tx: tx.unshare(record, holder))
    by_hand(life.net, lambda tx: tx.share(record, DataClass.STORY, holder))
    life.backup()
    net, _ = life.restored()
    assert holder in net.store.run(lambda tx: tx.holders(record, DataClass.STORY))
    net.store.close()


def test_a_second_restore_from_an_older_backup_still_knows(life: Life, tmp_path: Path) -> None:
    """What was left out by the first restore is in the ledger for the next one too."""
    first = life.backup()
    life.net.store.run(closing.withdraw, life.family, life.referral)
    net, _ = life.restored()
    scrap = net.store.run(people.keep_scrap_moment, life.family, "words")
    net.store.run(people.drop_scrap, scrap.id)
    again = Life(
        life.place,
        net,
        life.other,
        f"sqlite:///{tmp_path / 'third.db'}",
        life.family,
        life.worker,
        life.referral,
        life.matter,
    )
    again.made = first
    third, _ = again.restored()
    assert third.referral(life.referral).stage is Stage.WITHDRAWN
    third.store.close()


def test_what_is_stale_is_not_said_again(life: Life) -> None:
    by_hand(life.net, _queue, life.family)
    life.backup()
    net, _ = life.restored()
    states = dict(net.store.run(_states))
    assert states == {"reply": "superseded", "alert": "waiting", "": "waiting", "later": "waiting"}
    net.store.close()


def _queue(tx: Tx, person_id: str) -> None:
    from referrals.said import Notice, Priority

    tx.recall_notices(person_id)
    assert isinstance(tx, StoreTx)
    tx.connection.change(Sql("DELETE FROM outbox"))
    tx.say(Notice(person_id, "reply"))
    tx.say(Notice(person_id, "alert", priority=Priority.ALERT))
    tx.say(Notice(person_id, "", message_id=7))
    tx.say(Notice(person_id, "later", not_before=tx.now + timedelta(days=1)))
    tx.connection.change(Sql("UPDATE outbox SET claimed = true WHERE text = 'alert'"))


def _states(tx: Tx) -> list[tuple[str, str]]:
    assert isinstance(tx, StoreTx)
    assert not tx.connection.rows(Sql("SELECT 1 FROM outbox WHERE claimed"))
    return [(row[0], row[1]) for row in tx.connection.rows(Sql("SELECT text, state FROM outbox"))]


async def test_the_ledger_is_written_by_the_running_product(life: Life) -> None:
    """The running product's own task, on its own beat."""
    ledger = life.place.ledger(life.net.store)
    store: Store = life.net.store
    keeper = Keeper(store, ledger, life.place.keys.folder, _Clock(life.place.clock))  # type: ignore[arg-type]
    keeper.check()
    await keeper.flush()
    before = len(ledger.read().erasures)
    running = asyncio.create_task(keeper.run())
    await store.turn(closing.withdraw, life.family, life.referral)
    async with asyncio.timeout(60):  # its beat is a second; how busy this machine is does not matter here
        while len(ledger.read().erasures) == before:
            await asyncio.sleep(0.02)
    while await store.unwritten_erasures(10):
        await asyncio.sleep(0.02)
    running.cancel()
    assert await store.unwritten_erasures(10) == []


def test_a_referral_that_lost_its_yes_but_not_itself_goes_to_the_desk(life: Life) -> None:
    """A new yes was given after the backup: the old one is withdrawn, the new one is not known any more."""
    actor = partner(life)
    life.backup()
    by_hand(life.net, _renew, life.referral)
    net, _ = life.restored()
    assert net.referral(life.referral).stage is Stage.UNMATCHED
    assert not opens(net, actor, Record("referral", life.referral))
    net.store.close()


def _renew(tx: Tx, referral_id: str) -> None:
    (given,) = tx.find(Consent, referral_id=referral_id)
    tx.save(replace(given, withdrawn_at=tx.now))
    tx.add(replace(given, id="newer", given_at=tx.now, version=1))


def test_a_matter_that_moved_to_another_phone_is_not_given_back_to_the_old_one(life: Life) -> None:
    record = Record("referral", life.referral)
    life.backup()
    by_hand(life.net, lambda tx: tx.unshare(record, person_holder(life.family)))
    net, _ = life.restored()
    assert not opens(net, Actor(life.family, Role.FAMILY), record)
    referral: Referral = net.referral(life.referral)
    assert (referral.author_id, referral.stage) == ("", Stage.UNMATCHED)
    net.store.close()


def test_a_phone_that_was_hidden_and_then_lost_stays_lost(life: Life) -> None:
    """Hidden would be undone by /start, in the hands of whoever found the phone."""
    life.net.store.run(people.hide, life.family)
    life.backup()
    by_hand(life.net, _now_lost, life.family)
    net, done = life.restored()
    assert row(net, Person, life.family).presence is Presence.LOST
    assert done.silenced == 1
    net.store.close()


def _now_lost(tx: Tx, person_id: str) -> None:
    person = tx.get(Person, person_id)
    assert person is not None
    tx.save(replace(person, presence=Presence.LOST))


def test_an_erased_matter_keeps_no_word_that_leads_back_to_anybody(life: Life) -> None:
    """Its code stands on somebody's paper; offers name who looked at it."""
    code = life.net.referral(life.referral).code
    life.backup()
    life.net.store.run(closing.withdraw, life.family, life.referral)
    by_hand(life.net, _retire, life.referral)
    net, _ = life.restored()
    referral = net.referral(life.referral)
    assert referral.code != code
    assert referral.author_id == ""
    made = net.store.run(lambda tx: tx.find(Offer, referral_id=life.referral))
    assert made
    assert [(o.seen_by, o.decided_by, o.told, o.code) for o in made] == [(None, None, (), "")] * len(made)
    assert net.store.run(lambda tx: tx.find(Consent, referral_id=life.referral)) == []
    net.store.close()


def _retire(tx: Tx, referral_id: str) -> None:
    referral = tx.get(Referral, referral_id)
    assert referral is not None
    tx.save(replace(referral, retain_until=tx.now))
    retention.retire(tx, referral_id)


def test_leaving_that_had_begun_is_finished(life: Life) -> None:
    """Backed up, then 'delete everything', and the machine was lost before the next timer."""
    life.backup()
    life.net.store.run(leaving.delete, life.family)
    net, _ = life.restored()
    net.passes(timedelta(hours=1))
    assert net.referral(life.referral).author_id == ""
    assert net.referral(life.referral).stage in ENDED
    assert net.store.run(lambda tx: tx.get(Person, life.family)) is None
    assert net.store.run(_bytes_of, Record("referral", life.referral)) == []
    net.store.close()


def test_a_second_restore_beside_a_running_one_is_refused_and_takes_no_mark_away(life: Life) -> None:
    """The mark keeps a product from starting upon half a database, should the first one be killed."""
    made = life.backup()
    said: list[str] = []

    def meanwhile(_: Tx) -> None:
        with pytest.raises(ConfigurationError) as caught:
            life.place.restore(made, life.other)
        said.append(str(caught.value))
        conn = connect(parse_url(life.other), read_only=True)
        try:
            assert conn.rows(Sql("SELECT 1 FROM meta WHERE key = 'restoring'"))
        finally:
            conn.close()

    life.place.restore(made, life.other, after=meanwhile)
    assert len(said) == 1
    store = open_store(life.other, life.place.clock, CATALOGUE)
    assert asyncio.run(store.verify_audit()) == []
    store.close()


def test_a_member_who_was_given_away_does_not_come_back_to_the_former_mentor(life: Life) -> None:
    """Nor does a phone that was untied, nor is anybody asked about somebody who left."""
    by_hand(life.net, _set_enrolment, "K7-29", {"person_id": "a-phone"})
    life.backup()
    by_hand(
        life.net, _set_enrolment, "K7-29", {"mentor_seat": "mentor-2", "backup_seat": None, "person_id": None}
    )
    by_hand(life.net, _set_enrolment, "M3-04", {"state": EnrolmentState.LEFT})
    by_hand(life.net, _set_enrolment, "R5-11", {"phase": "settled"})  # taken away from nobody
    net, _ = life.restored()
    member = _member(net, "K7-29")
    assert (member.mentor_seat, member.backup_seat, member.person_id) == (None, "mentor-2", None)
    assert _member(net, "M3-04").state is EnrolmentState.LEFT
    other = _member(net, "R5-11")
    assert (other.mentor_seat, other.backup_seat) == ("mentor-2", "mentor-1")
    net.store.close()


def _member(net: Any, code: str) -> Enrolment:
    (found,) = net.store.run(lambda tx: tx.find(Enrolment, code=code))
    assert isinstance(found, Enrolment)
    return found


def _set_enrolment(tx: Tx, code: str, changed: dict[str, Any]) -> None:
    (found,) = tx.find(Enrolment, code=code)
    tx.save(replace(found, **changed))


def test_an_alarm_that_was_ended_wakes_nobody_again_and_what_was_shared_for_it_stays_shut(life: Life) -> None:
    coordinator, steward = life.net.person(601, "desk-1"), life.net.person(701, "steward-1")
    share, alarm = by_hand(life.net, _shared_for_safety, coordinator, steward)
    life.backup()
    life.net.store.run(safety_sharing.stop, coordinator, share)
    life.net.store.run(crisis.handled, coordinator, alarm)
    net, _ = life.restored()
    assert net.store.run(lambda tx: [c.ended_as for c in tx.find(Crisis)]) == ["handled"]
    (shut,) = net.store.run(lambda tx: tx.find(SafetyShare))
    assert shut.ended_at is not None
    assert not {h for h in net.store.run(lambda tx: tx.holders(shut.record, DataClass.SAFETY)) if "org" in h}
    net.store.close()


def test_a_member_who_was_asked_back_is_given_to_nobody_by_an_old_button(life: Life) -> None:
    """Somebody was asked to take them on, and then somebody else was: a backup knows only the first."""
    ann, bea = life.net.person(801, "mentor-1"), life.net.person(802, "mentor-2")
    by_hand(life.net, _set_enrolment, "K7-29", {"mentor_seat": "mentor-1", "backup_seat": None})
    asked = by_hand(life.net, _asked_to_take, ann, "K7-29")
    life.backup()
    by_hand(life.net, handing_members.no, bea, asked)
    net, _ = life.restored()
    with pytest.raises(StaleButton):
        net.store.run(handing_members.yes, bea, asked)
    assert _member(net, "K7-29").mentor_seat == "mentor-1"
    net.store.close()


def _asked_to_take(tx: Tx, mentor: str, code: str) -> str:
    (member,) = tx.find(Enrolment, code=code)
    actor, enrolment = enrolments.active(tx, mentor, member.id)
    return handing_members.hand_over(tx, actor, enrolment, "mentor-2").id


def _shared_for_safety(tx: Tx, coordinator: str, steward: str) -> tuple[str, str]:
    (member,) = tx.find(Enrolment, code="K7-29")
    raised = crisis.raise_alarm(tx, Actor("a-mentor", Role.MENTOR), member, None, Danger.YES)
    crisis.hold(tx, coordinator, raised.id)
    wish = safety_sharing.Wish("bua-house", "life", "Canary", with_plan=False)
    asked = safety_sharing.ask(tx, coordinator, member.id, wish)
    safety_sharing.agree(tx, steward, asked.id)
    return asked.id, raised.id
