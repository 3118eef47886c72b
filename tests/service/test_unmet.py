"""What nobody could help with: kept by the month without a way back, and reported so that nobody shows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing as closed
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.commands import report
from referrals.access import Action
from referrals.casework import UnmetNeed
from referrals.errors import BadAnswer, ConfigurationError, NotAllowed
from referrals.model import Actor, AgeGroup, AuditEntry, Outcome, Referral, Role, Stage
from referrals.ports import Tx
from referrals.quarters import quarters
from referrals.service.matter import offering, unmet
from referrals.service.turns import closing
from referrals.suppression import TOTAL
from tests.support.network import CATALOGUE, STEWARD, Small
from tests.support.store import SettableClock, open_store

NOVEMBER = date(2026, 11, 1)
QUARTER = (date(2026, 10, 1), date(2026, 12, 1))
DESK = Actor("somebody", Role.COORDINATOR)


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    store = open_store(database_url, clock := SettableClock(), CATALOGUE)
    yield Small(store, clock)
    store.close()


@pytest.fixture
def quick(sqlite_url: str) -> Iterator[Small]:
    store = open_store(sqlite_url, clock := SettableClock(), CATALOGUE)
    yield Small(store, clock)
    store.close()


def given_up(net: Small, account: int, desk: str, reason: str = "no_place") -> str:
    """A request that nobody could meet: nobody works there, and the desk closes it."""
    referral_id = net.filed(net.person(account))
    net.passes(timedelta(seconds=6))
    assert net.referral(referral_id).stage is Stage.UNMATCHED
    net.store.run(closing.give_up, desk, referral_id, reason)
    return referral_id


def kept(net: Small) -> list[UnmetNeed]:
    return net.store.run(lambda tx: tx.find(UnmetNeed))


def test_it_is_written_down_in_the_next_month_and_leads_to_nobody(net: Small) -> None:
    desk = net.person(14, "desk-1")
    first, second = given_up(net, 1, desk), given_up(net, 2, desk, "other")
    assert not kept(net), "at the closing nothing is written that its time could tie to it"
    net.passes(timedelta(days=8))  # the second of December
    assert not kept(net)
    net.passes(timedelta(days=3))
    rows = kept(net)
    assert sorted((row.category, row.reason, row.month) for row in rows) == [
        ("family.visits", "no_place", NOVEMBER),
        ("family.visits", "other", NOVEMBER),
    ]
    for row in rows:
        whole = " ".join(str(getattr(row, each.name)) for each in fields(row))
        for referral_id in (first, second):
            found = net.referral(referral_id)
            assert not any(known in whole for known in (found.id, found.code, found.author_id))
    net.passes(timedelta(days=40))
    assert len(kept(net)) == 2, "each once"


def test_the_rows_of_a_month_stand_in_no_order_that_means_anything(quick: Small, sqlite_url: str) -> None:
    """They are made in one turn, by random ids: as they stand on the disk they are sorted by those alone."""
    desk = quick.person(14, "desk-1")
    for account in range(1, 7):
        given_up(quick, account, desk)
    quick.passes(timedelta(days=11))
    with closed(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as database:
        on_disk = [row[0] for row in database.execute("SELECT id FROM unmet_need ORDER BY rowid")]
    assert len(on_disk) == 6
    assert on_disk == sorted(on_disk)


def test_what_was_opened_again_meanwhile_is_not_among_them(net: Small) -> None:
    desk = net.person(14, "desk-1")
    family = net.person(1)
    referral_id = given_up(net, 1, desk)
    net.store.run(closing.reopen, family, referral_id)
    net.passes(timedelta(days=11))
    assert not kept(net)


def test_met_and_taken_back_leave_nothing(quick: Small) -> None:
    net = quick
    family = net.person(1)
    referral_id = net.filed(family)
    net.store.run(closing.withdraw, family, referral_id)
    net.passes(timedelta(days=11))
    assert not kept(net)


def test_an_area_is_kept_only_as_wide_as_many_have_asked_from(quick: Small) -> None:
    net = quick
    desk = net.person(14, "desk-1")
    given_up(net, 1, desk)
    net.passes(timedelta(days=11))
    wide = net.store.run(lambda tx: tx.directory.ancestors["pattani-mueang"][-1])
    assert [row.area for row in kept(net)] == [wide], "one alone is told by the whole network"

    pretend_many(net, "pattani-mueang")
    given_up(net, 2, desk)
    net.passes(timedelta(days=31))
    assert sorted(row.area for row in kept(net)) == sorted([wide, "pattani-mueang"])


def pretend_many(net: Small, area: str) -> None:
    """Nine more have asked from there."""

    def add(tx: Tx) -> None:
        one = tx.find(Referral, limit=1)[0]
        for number in range(9):
            tx.add(replace(one, id=f"more-{number}", code=f"M{number}", area=area, version=1))
            tx.audit(AuditEntry(STEWARD, Action.REFERRAL_STEP, f"referral:more-{number}"))

    net.store.run(add)


# -- the report --------------------------------------------------------------------------------------


def note(net: Small, counts: dict[tuple[str, str, str], int], month: date = NOVEMBER) -> None:
    """So many unmet needs by category, area and reason."""

    def add(tx: Tx) -> None:
        for (category, area, reason), count in counts.items():
            for _ in range(count):
                row = UnmetNeed(tx.new_id(), category, area, reason, month, AgeGroup.ADULT)
                tx.add(row)
                tx.audit(AuditEntry(STEWARD, Action.WAIT_OVER, f"unmet_need:{row.id}"))

    net.store.run(add)


COUNTS = {
    ("family.visits", "pattani", "no_place"): 24,
    ("family.visits", "pattani", "too_far"): 13,
    ("family.visits", "yala", "no_place"): 15,
    ("family.visits", "yala", "too_far"): 3,
    ("work.job", "yala", "no_place"): 40,
    ("work.job", "yala", "too_far"): 31,
}


def test_small_cells_and_what_would_give_them_away_are_not_said(quick: Small) -> None:
    note(quick, COUNTS)
    quick.clock.advance(days=45)
    table = quick.store.run(unmet.counted, DESK, *QUARTER)
    assert ("family.visits yala", "too_far") not in table.said
    assert ("family.visits yala", "no_place") not in table.said, "its row's total would give it away"
    assert table.said["work.job yala", "no_place"] == 40
    assert table.said[TOTAL, TOTAL] == sum(COUNTS.values())


def test_the_command_prints_it_for_a_named_actor_and_leaves_a_trace(net: Small) -> None:
    net.person(14, "desk-1")
    net.person(15, "steward-1")
    net.person(11, "bua-1")
    note(net, COUNTS)
    note(net, COUNTS, date(2025, 12, 1))  # before the four quarters
    net.clock.advance(days=45)
    shown = net.store.run(report.unmet, "desk-1", "en", (None, None))
    titles = [line for line in shown if line.startswith("What nobody could help with")]
    assert titles[0] == "What nobody could help with, 2026-01 to 2026-03"
    assert titles[-1] == "What nobody could help with, 2026-10 to 2026-12"
    assert len(titles) == 4
    assert any("126" in line for line in shown), "all together"
    assert not any(line.split()[:1] == ["3"] for line in shown)
    assert net.store.run(report.unmet, "steward-1", "th", ("2026-01", "2026-03"))[0] != shown[0]
    for seat in ("bua-1", "nobody", "desk-2"):
        with pytest.raises(ConfigurationError, match=f"--by {seat}"):
            net.store.run(report.unmet, seat, "en", (None, None))


def test_csv_leaves_what_is_not_said_empty(quick: Small) -> None:
    quick.person(14, "desk-1")
    note(quick, COUNTS)
    quick.clock.advance(days=45)
    lines = quick.store.run(report.unmet, "desk-1", "en", ("2026-10", "2026-12"), True)
    assert lines[0] == "quarter,category,area,reason,count"
    assert "2026-10,work.job,yala,no_place,40" in lines
    assert "2026-10,family.visits,yala,too_far," in lines
    assert "2026-10,,,,126" in lines


def test_of_very_few_nothing_is_said(quick: Small) -> None:
    quick.person(14, "desk-1")
    note(quick, {("family.visits", "pattani", "no_place"): 4})
    quick.clock.advance(days=45)
    shown = quick.store.run(report.unmet, "desk-1", "en", ("2026-10", "2026-12"))
    assert shown[1:] == ["  Nothing that may be said."]


@pytest.mark.parametrize(
    "asked",
    [
        ("2026-13", None),
        ("November", None),
        (None, "2026"),
        ("2027-01", "2026-01"),
        ("2026-02", "2026-06"),
        ("2026-01", "2026-05"),
        ("2026-10", "2026-10"),
    ],
)
def test_what_is_no_quarter_is_refused(asked: tuple[str | None, str | None]) -> None:
    with pytest.raises(ConfigurationError):
        report.period(asked, datetime(2026, 11, 24, tzinfo=UTC))


def test_the_last_four_quarters_that_are_settled() -> None:
    found = report.period((None, None), datetime(2026, 11, 24, tzinfo=UTC))
    assert found[0] == (date(2025, 10, 1), date(2025, 12, 1))
    assert found[-1] == (date(2026, 7, 1), date(2026, 9, 1))
    assert len(found) == 4
    early = report.period((None, None), datetime(2026, 10, 2, tzinfo=UTC))
    assert early[-1] == (date(2026, 4, 1), date(2026, 6, 1)), "the last one is still being written"


def test_nobody_subtracts_one_report_from_another(quick: Small) -> None:
    """Twelve in October and three in November: neither a month alone, nor more or less, nor too early."""
    one = ("family.visits", "pattani", "no_place")
    note(quick, {one: 12}, date(2026, 10, 1))
    note(quick, {one: 3}, NOVEMBER)
    quick.person(14, "desk-1")
    months = [date(2026, month, 1) for month in range(1, 13)]
    tries = [(a, b) for a in months for b in months if (a, b) not in quarters(months[0], months[-1])]
    for first, last in [*tries, QUARTER]:  # the quarter is not over
        with pytest.raises(BadAnswer):
            quick.store.run(unmet.counted, DESK, first, last)
    with pytest.raises(ConfigurationError, match="not written down yet"):
        quick.store.run(report.unmet, "desk-1", "en", ("2026-10", "2026-12"))
    quick.clock.advance(days=45)
    table = quick.store.run(unmet.counted, DESK, *QUARTER)
    assert table.said["family.visits pattani", "no_place"] == 15


def test_nothing_is_added_to_a_month_that_was_told(quick: Small) -> None:
    """A matter of December of which somebody says in January how it ended is counted in January."""
    net = quick
    desk = net.person(14, "desk-1")
    net.passes(timedelta(days=30))
    referral_id = given_up(net, 1, desk)
    net.passes(timedelta(days=15))
    assert [row.month for row in kept(net)] == [date(2026, 12, 1)]

    def late(tx: Tx) -> None:
        found = tx.get(Referral, referral_id)
        assert found is not None
        unmet.keep(tx, found, "too_far")

    net.store.run(late)
    with pytest.raises(BadAnswer):
        net.store.run(unmet.counted, DESK, date(2027, 1, 1), date(2027, 3, 1))
    net.passes(timedelta(days=30))
    assert sorted(row.month for row in kept(net)) == [date(2026, 12, 1), date(2027, 1, 1)]


def test_nobody_else_may_count() -> None:
    with pytest.raises(NotAllowed):
        unmet.counted(None, Actor("x", Role.WORKER, "bua-house"), NOVEMBER, NOVEMBER)  # type: ignore[arg-type]


def test_the_command_lists_what_nobody_has_confirmed(quick: Small) -> None:
    quick.person(14, "desk-1")
    assert quick.store.run(report.stale, "desk-1", "en") == ["Not confirmed for a month: 0"]
    quick.passes(timedelta(days=40))
    lines = quick.store.run(report.stale, "desk-1", "en")
    assert len(lines) > 10
    assert any("bua-visits (bua-house): There is room" in line for line in lines)
    with pytest.raises(ConfigurationError):
        quick.store.run(report.stale, "bua-1", "en")


def test_a_partly_met_need_is_kept_too(quick: Small) -> None:
    net = quick
    referral_id = net.filed(net.person(1))

    def ends(tx: Tx) -> None:
        found = tx.get(Referral, referral_id)
        assert found is not None
        ended = tx.save(replace(found, stage=Stage.REPORTED, outcome=Outcome.PARTLY_MET))
        offering.clear_ladder(tx, ended.id)
        tx.audit(AuditEntry(STEWARD, Action.REFERRAL_STEP, f"referral:{ended.id}"))

    net.store.run(ends)
    net.store.run(closing.close_unconfirmed, referral_id)
    net.passes(timedelta(days=11))
    assert [row.reason for row in kept(net)] == ["partly_met"]
