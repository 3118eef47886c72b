"""What is held about me: to see, to take home, to have destroyed."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
import pyzipper

from referrals.errors import NotFound, PinNeeded
from referrals.model import DataClass, Referral, Stage, person_holder
from referrals.persons import Device, Download, Person, Session
from referrals.ports import Away, Slow, Tx
from referrals.service import leaving, mydata, timers
from referrals.service.help import threads
from referrals.service.matter import moving, tracking
from referrals.service.pages import PAGES
from referrals.service.people import people
from referrals.service.turns import offers
from referrals.views import GoneView, MyDataView
from storage import archive
from storage.holder_keys import KeyStatus
from tests.support.network import CATALOGUE, Small
from tests.support.private import Private
from tests.support.store import SettableClock, open_store

# The others differ in rules, not in rows.
pytestmark = pytest.mark.on_both(
    "test_an_export_holds_what_is_mine_and_nobody_elses",
    "test_an_export_takes_more_turns_for_more_matters_and_no_longer_ones",
    "test_after_deletion_nothing_of_mine_opens",
    "test_of_whoever_left_no_key_remains_and_nobody_else_loses_one",
    "test_what_was_begun_is_finished_by_the_next_start",
    "test_without_the_pin_it_happens_after_a_day",
)

MOMENT = timedelta(seconds=1)


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


@pytest.fixture
def net(url: str) -> Iterator[Small]:
    with Small.opened(url) as net:
        yield net


def does(net: Small, step: str, person_id: str) -> Any:
    """A step of the page 'mydata', with its turns and what happens between them, as the console runs it."""
    view: Any = net.store.run(PAGES["mydata"].steps[step], person_id, "", {})
    while isinstance(view, Away):
        done = view.work(Slow(net.store.pins, archive.pack))
        view = net.store.run(view.then, done)
    return view


def does_without_pin(net: Small, step: str, person_id: str) -> Any:
    def verb(tx: Tx) -> Any:
        tx.lock_reading()
        return PAGES["mydata"].steps[step](tx, person_id, "", {})

    return net.store.run(verb)


def opened(net: Small, view: MyDataView) -> dict[str, str]:
    """The archive as the person opens it at home."""
    packed = net.store.run(mydata.fetch, view.download.rpartition("/")[2])
    with pyzipper.AESZipFile(io.BytesIO(packed)) as found:
        found.setpassword(view.passphrase.encode())
        return {name: found.read(name).decode() for name in found.namelist()}


@pytest.fixture
def two(net: Small) -> dict[str, str]:
    """Two families at one partner, a worker, a coordinator; each wrote and was written to."""
    ids = {"mali": net.person(1), "somchai": net.person(2)}
    ids |= {"worker": net.person(11, "bua-1"), "dao": net.person(21, "desk-1")}
    for name in ("mali", "somchai"):
        matter = ids[f"{name}.matter"] = net.filed(ids[name])
        net.passes(timedelta(seconds=6))
        offer = net.live_offer(matter)
        assert offer is not None
        net.store.run(offers.accept, ids["worker"], offer.id)
        net.store.run(threads.write, ids[name], matter, f"CANARY-{name}-asks")
        net.store.run(threads.write, ids["worker"], offer.id, f"CANARY-{name}-is-answered")
        net.store.run(PAGES["matter"].view, ids["worker"], offer.id, {})
        ids[f"{name}.offer"] = offer.id
    net.store.run(tracking.follow, ids["mali"], ids["mali.matter"])
    return ids


def test_an_export_holds_what_is_mine_and_nobody_elses(net: Small, two: dict[str, str]) -> None:
    files = opened(net, does(net, "export", two["mali"]))
    assert set(files) == {"my-data.html", "my-data.json"}
    for text in files.values():
        assert "CANARY-mali-asks" in text
        assert "CANARY-mali-is-answered" in text
        assert "a story" in text
        assert "a contact" in text
        assert "CANARY-somchai" not in text
        for other in ("somchai", "worker", "dao", "somchai.matter"):
            assert two[other] not in text
        assert "bua-1" not in text
        assert net.referral(two["somchai.matter"]).code not in text


def test_the_machine_readable_half_says_what_its_format_says(net: Small, two: dict[str, str]) -> None:
    found = json.loads(opened(net, does(net, "export", two["mali"]))["my-data.json"])
    assert found["format"] == "pulang-export-1"
    (matter,) = found["matters"]
    assert matter["words"] == {"contact": "a contact", "story": "a story"}
    assert sorted(m["from"] == "me" for m in matter["messages"]) == [False, True]
    assert "1. " in matter["consents"][0]["text"]
    assert {r["role"] for r in matter["readers"]} == {"worker"}
    assert len(matter["tracking_code_made_at"]) == 1
    assert matter["filed_at"].endswith("+00:00")


def test_the_readable_half_needs_nothing_else(net: Small, two: dict[str, str]) -> None:
    net.store.run(threads.write, two["mali"], two["mali.matter"], "<script>alert(1)</script>")
    page = opened(net, does(net, "export", two["mali"]))["my-data.html"]
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "export." not in page  # every label has words
    for code in ("family-support", "present", ">en<", ">me<", "UTC", "2026-"):
        assert code not in page  # and every value that is a code, every day too
    assert "Ask for help" in page
    for outside in ("http:", "https:", "src=", "url("):
        assert outside not in page


@pytest.mark.parametrize("who", ["worker", "dao"])
def test_an_export_of_a_post_holds_no_matter_of_others(net: Small, two: dict[str, str], who: str) -> None:
    for text in opened(net, does(net, "export", two[who])).values():
        assert "CANARY" not in text
        assert "a story" not in text
        for name in ("mali", "somchai"):
            assert two[name] not in text
            assert net.referral(two[f"{name}.matter"]).code not in text


def test_an_export_needs_the_pin(net: Small, two: dict[str, str]) -> None:
    with pytest.raises(PinNeeded):
        does_without_pin(net, "export", two["mali"])


def test_reading_that_ends_halfway_ends_the_export(net: Small, two: dict[str, str]) -> None:
    away = net.store.run(PAGES["mydata"].steps["export"], two["mali"], "", {})
    assert isinstance(away, Away)

    def locked(tx: Tx) -> Any:
        tx.lock_reading()
        return away.then(tx, None)

    with pytest.raises(PinNeeded):
        net.store.run(locked)


def test_a_preview_does_not_lose_the_archive_and_nobody_has_it_for_long(
    net: Small, two: dict[str, str]
) -> None:
    view = does(net, "export", two["mali"])
    token = view.download.rpartition("/")[2]
    assert net.store.run(mydata.fetch, token) == net.store.run(mydata.fetch, token)
    net.passes(timedelta(minutes=2))
    with pytest.raises(NotFound):
        net.store.run(mydata.fetch, token)
    assert net.store.run(lambda tx: tx.find(Download)) == []
    unfetched = does(net, "export", two["mali"]).download.rpartition("/")[2]
    net.passes(timedelta(minutes=10))
    with pytest.raises(NotFound):
        net.store.run(mydata.fetch, unfetched)


def test_neither_token_nor_passphrase_nor_words_are_stored(net: Small, two: dict[str, str]) -> None:
    view = does(net, "export", two["mali"])
    (row,) = net.store.run(lambda tx: tx.find(Download))
    stored = str(asdict(row))
    for secret in (view.passphrase, view.download.rpartition("/")[2], "CANARY"):
        assert secret not in stored


def test_an_export_takes_more_turns_for_more_matters_and_no_longer_ones(
    net: Small, two: dict[str, str]
) -> None:
    few = _turns_of_export(net, two["mali"])
    for _ in range(4):
        net.filed(two["mali"])
    assert _turns_of_export(net, two["mali"]) >= few + 4


def _turns_of_export(net: Small, person_id: str) -> int:
    turns = 1
    step: Any = net.store.run(PAGES["mydata"].steps["export"], person_id, "", {})
    while isinstance(step, Away):
        step = net.store.run(step.then, step.work(Slow(net.store.pins, archive.pack)))
        turns += 1
    return turns


def test_what_is_held_shows_kinds_and_counts_and_opens_nothing(net: Small, two: dict[str, str]) -> None:
    def locked(tx: Tx) -> Any:
        tx.lock_reading()
        return PAGES["mydata"].view(tx, two["mali"], "", {})

    view = net.store.run(locked)
    counts = {line.what_key: line.count for line in view.held}
    assert counts["page.held.matters"] == 1
    assert counts["page.held.words"] == 2
    assert counts["page.held.codes"] == 1
    assert view.locked


def test_after_deletion_nothing_of_mine_opens(net: Small, two: dict[str, str]) -> None:
    mali, matter = two["mali"], two["mali.matter"]
    record = net.referral(matter).record
    net.said()
    view = does(net, "delete", mali)
    assert isinstance(view, GoneView)
    assert "page.held.stays.read" in view.stays
    net.passes(MOMENT)
    left = net.referral(matter)
    assert left.stage is Stage.WITHDRAWN
    assert (left.author_id, left.accepted_by) == ("", None)
    for data_class in DataClass:
        assert net.store.run(_holders, record, data_class) == frozenset()
    assert net.store.run(lambda tx: tx.person_of_account(1)) is None
    assert net.store.run(lambda tx: tx.find(Device, person_id=mali)) == []
    assert net.store.run(_left_of, mali) == 0
    net.said()
    net.passes(timedelta(hours=1))
    assert net.store.run(lambda tx: tx.get(Person, mali)) is None
    assert net.store.run(_rows_with, mali) == {
        "audit",
        "key_encryption_key",  # that there was a key; its bytes are gone
        "outbox",  # seven days
        "erasure",
        "tally",  # a month at most
    }


def test_of_whoever_left_no_key_remains_and_nobody_else_loses_one(net: Small, two: dict[str, str]) -> None:
    mine = {key.data_class for key in _keys_of(net, two["mali"])}
    assert {"contact", "story"} <= mine
    does(net, "delete", two["mali"])
    net.said()
    net.passes(timedelta(hours=1))
    asyncio.run(net.store.sweep(net.clock.now))
    assert {(key.data_class, key.state) for key in _keys_of(net, two["mali"])} == {
        (name, "destroyed") for name in mine
    }
    assert net.store.run(_bytes_left, two["mali"]) == 0
    assert {key.state for key in _keys_of(net, two["somchai"])} == {"active"}
    view = net.store.run(PAGES["matter"].view, two["somchai"], two["somchai.matter"], {})
    assert "a story" in str(view)


def test_the_partner_hears_that_it_was_taken_back(net: Small, two: dict[str, str]) -> None:
    net.said()
    does(net, "delete", two["mali"])
    net.passes(MOMENT)
    assert (two["worker"], "worker.withdrawn") in net.said()
    with pytest.raises(NotFound):
        net.store.run(PAGES["matter"].view, two["worker"], two["mali.offer"], {})


def test_whoever_writes_again_is_a_stranger(net: Small, two: dict[str, str]) -> None:
    does(net, "delete", two["mali"])
    again = net.store.run(people.meet, 1)
    assert again.id != two["mali"]
    assert net.store.run(lambda tx: tx.find(Referral, author_id=again.id)) == []


def test_without_the_pin_it_waits_a_day_and_can_be_kept(net: Small, two: dict[str, str]) -> None:
    mali = two["mali"]
    view = does_without_pin(net, "delete", mali)
    assert view.delete_at == net.clock.now + timedelta(hours=24)
    assert does_without_pin(net, "delete", mali).delete_at == view.delete_at  # pressed twice
    assert (mali, "leaving.waits") in net.said()
    assert does_without_pin(net, "keep", mali).delete_at is None
    net.passes(timedelta(days=2))
    assert net.referral(two["mali.matter"]).author_id == mali


def test_without_the_pin_it_happens_after_a_day(net: Small, two: dict[str, str]) -> None:
    does_without_pin(net, "delete", two["mali"])
    net.passes(timedelta(hours=23))
    assert net.referral(two["mali.matter"]).author_id == two["mali"]
    net.passes(timedelta(hours=2))
    assert net.referral(two["mali.matter"]).author_id == ""


def test_many_matters_are_destroyed_one_a_turn(net: Small, two: dict[str, str]) -> None:
    mali = two["mali"]
    for _ in range(8):
        net.filed(mali)
        net.clock.advance(days=1)  # nobody may file so much in a day
    net.draft(mali)
    does(net, "delete", mali)
    left = [10]
    while left[-1]:
        (timer,) = [t for t in net.timers() if t.subject == mali]
        assert timer.due_at == net.clock.now
        net.store.run(timers.fire, timer.id, timer.due_at)
        left.append(net.store.run(lambda tx: tx.count(Referral, author_id=mali)))
    assert left == list(range(10, -1, -1))


def test_while_it_goes_on_nobody_acts_as_this_person_and_nothing_is_said_to_them(
    net: Small, two: dict[str, str]
) -> None:
    mali = two["mali"]
    for _ in range(3):
        net.filed(mali)
    net.said()
    does(net, "delete", mali)
    assert net.store.run(lambda tx: tx.person_of_account(1)) is None
    assert net.store.run(lambda tx: tx.find(Session, person_id=mali)) == []
    net.passes(MOMENT)
    heard = net.said()
    assert (two["worker"], "worker.withdrawn") in heard
    assert mali not in {who for who, _ in heard}


def test_what_was_begun_is_finished_by_the_next_start(net: Small, two: dict[str, str], url: str) -> None:
    mali, matter = two["mali"], two["mali.matter"]
    filed = [net.filed(mali) for _ in range(3)]
    does(net, "delete", mali)

    def dies(tx: Tx) -> None:
        leaving.next_matter(tx, mali)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        net.store.run(dies)
    assert net.store.run(lambda tx: tx.count(Referral, author_id=mali)) == 4
    net.store.close()

    again = Small.around(open_store(url, net.clock, CATALOGUE), net.clock)
    again.passes(MOMENT)
    for one in (matter, *filed):
        assert again.referral(one).author_id == ""
        for data_class in DataClass:
            assert again.store.run(_holders, again.referral(one).record, data_class) == frozenset()
    again.passes(timedelta(days=3))
    assert again.store.run(lambda tx: tx.get(Person, mali)) is None
    again.store.close()


@pytest.mark.parametrize("who", ["worker", "dao"])
def test_a_post_is_handed_back_first(net: Small, two: dict[str, str], who: str) -> None:
    with pytest.raises(leaving.HoldsPost):
        does(net, "delete", two[who])
    view = net.store.run(PAGES["mydata"].view, two[who], "", {})
    assert view.posts
    assert "delete" not in {step.id for step in view.steps}


def test_a_move_to_somebody_who_left_does_not_happen(net: Small, two: dict[str, str]) -> None:
    new = net.person(3)
    matter, mali = two["mali.matter"], two["mali"]
    code = net.store.run(tracking.follow, mali, matter)
    net.store.run(moving.ask_the_desk, new, code)
    net.store.run(moving.allow, two["dao"], matter)
    does(net, "delete", new)
    net.passes(timedelta(days=2))
    assert net.referral(matter).author_id == mali


def _holders(tx: Tx, record: Any, data_class: DataClass) -> frozenset[str]:
    return tx.holders(record, data_class)


def _keys_of(net: Small, person_id: str) -> list[KeyStatus]:
    holder = person_holder(person_id)
    return [key for key in asyncio.run(net.store.key_statuses()) if key.holder == holder]


def _bytes_left(tx: Any, person_id: str) -> int:
    """Keys of somebody whose bytes still stand there."""
    from storage.sql import Sql

    asked = Sql("SELECT count(*) FROM key_encryption_key WHERE holder = :holder AND wrapped IS NOT NULL")
    return int(tx.connection.rows(asked, {"holder": person_holder(person_id)})[0][0])


def _left_of(tx: Any, person_id: str) -> int:
    """Wraps that somebody's own key still opens."""
    from storage.sql import Sql

    asked = Sql("SELECT count(*) FROM wrap WHERE holder = :holder")
    return int(tx.connection.rows(asked, {"holder": person_holder(person_id)})[0][0])


def _rows_with(tx: Any, person_id: str) -> set[str]:
    """Every table that still names the person anywhere."""
    from sqlalchemy import String, Text

    from storage.sql import Sql
    from storage.tables import metadata

    found = set()
    for table in metadata.tables.values():
        for column in table.c:
            if isinstance(column.type, Text | String):
                asked = Sql(f'SELECT count(*) FROM "{table.name}" WHERE "{column.name}" LIKE :like')
                if tx.connection.rows(asked, {"like": f"%{person_id}%"})[0][0]:
                    found.add(table.name)
    return found


def test_a_plan_goes_home_with_its_parts_and_a_complaint_with_whom_it_is_about(sqlite_url: str) -> None:
    clock = SettableClock()
    private = Private(open_store(sqlite_url, clock, CATALOGUE), clock)
    private.settle_in()
    private.asks(private.mali, "release-plan", category="release.plan")
    about = {"about": ["worker", "desk"], "about_organizations": ["bua-house"]}
    private.asks(private.mali, "complaint", category="complaint.conduct", **about)
    files = opened(private, does(private, "export", private.mali))
    plan, complaint = (
        next(m for m in json.loads(files["my-data.json"])["matters"] if m["pathway"] == pathway)
        for pathway in ("release-plan", "complaint")
    )
    assert {"roof", "handover"} <= {part["part"] for part in plan["parts"]}
    assert (plan["about"], complaint["parts"]) == ([], [])
    assert complaint["about"] == [{"whom": "worker"}, {"whom": "desk"}, {"organization": "Bua House"}]
    for words in ("A place to sleep", "The network&#x27;s desk", "Bua House"):
        assert words in files["my-data.html"]
    private.store.close()
