"""How help was, told by the quarter so that nobody's word and no organisation shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from bot.commands import report
from referrals.access import Action
from referrals.casework import ClosingAnswer
from referrals.errors import BadAnswer, ConfigurationError, NotAllowed
from referrals.model import Actor, AuditEntry, Role
from referrals.ports import Tx
from referrals.service.turns import after_help
from referrals.suppression import TOTAL
from tests.support.network import CATALOGUE, STEWARD, Small
from tests.support.store import SettableClock, open_store

NOVEMBER = date(2026, 11, 1)
QUARTER = (date(2026, 10, 1), date(2026, 12, 1))
DESK = Actor("somebody", Role.COORDINATOR)
COUNTS = {
    ("family-support", "in_time", "yes"): 40,
    ("family-support", "in_time", "partly"): 12,
    ("family-support", "in_time", "no"): 3,
    ("member-support", "in_time", "yes"): 25,
    ("member-support", "in_time", "partly"): 30,
    ("member-support", "in_time", "no"): 14,
    ("family-support", "ask_again", "no"): 4,
    ("complaint", "taken_seriously", "no"): 60,
}


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    store = open_store(database_url, clock := SettableClock(), CATALOGUE)
    yield Small(store, clock)
    store.close()


def note(net: Small, counts: dict[tuple[str, str, str], int], month: date = NOVEMBER) -> None:
    """So many answers by pathway, question and answer, about one partner or another."""

    def add(tx: Tx) -> None:
        for (pathway, question, answer), count in counts.items():
            for number in range(count):
                body = f"body-{number % 2}"
                row = ClosingAnswer(tx.new_id(), pathway, "family.visits", body, question, answer, month)
                tx.add(row)
                tx.audit(AuditEntry(STEWARD, Action.WAIT_OVER, f"closing_answer:{row.id}"))

    net.store.run(add)


def test_small_cells_are_not_said_and_neither_is_a_complaint_or_an_organisation(net: Small) -> None:
    net.person(14, "desk-1")
    note(net, COUNTS)
    with pytest.raises(ConfigurationError, match="not written down yet"):
        net.store.run(report.closing, "desk-1", "en", ("2026-10", "2026-12"))
    net.clock.advance(days=45)
    tables = net.store.run(after_help.counted, DESK, *QUARTER)
    assert set(tables) == {"in_time", "ask_again"}
    in_time = tables["in_time"].said
    assert in_time["member-support", "yes"] == 25
    assert ("family-support", "no") not in in_time
    unsaid = {
        (row, col) for row in ("family-support", "member-support", TOTAL) for col in ("yes", "partly", TOTAL)
    }
    assert unsaid - set(in_time), "one more, or the three would follow from the sums"
    assert not tables["ask_again"].said

    shown = net.store.run(report.closing, "desk-1", "en", ("2026-10", "2026-12"))
    assert shown[0] == "How help was, 2026-10 to 2026-12"
    whole = "\n".join(shown)
    assert "25" in whole
    assert "body-" not in whole
    assert "60" not in whole
    assert net.store.run(report.closing, "desk-1", "th", ("2026-10", "2026-12"))[0] != shown[0]


def test_csv_is_in_ids_and_leaves_what_is_not_said_empty(net: Small) -> None:
    net.person(31, "steward-1")
    note(net, COUNTS)
    net.clock.advance(days=45)
    lines = net.store.run(report.closing, "steward-1", "en", ("2026-10", "2026-12"), True)
    assert lines[0] == "quarter,question,pathway,answer,count"
    assert "2026-10,in_time,member-support,yes,25" in lines
    assert "2026-10,in_time,family-support,no," in lines
    assert not any("ask_again" in line for line in lines)


def test_of_a_quarter_in_which_something_waits_to_be_written_nothing_is_told(net: Small) -> None:
    """The bot stood still over the fourth of January: what it writes then would show by subtraction."""

    def waits(tx: Tx) -> None:
        tx.set_timer(after_help.TIMER, "in_time:yes:some-matter", tx.now)
        tx.audit(AuditEntry(STEWARD, Action.WAIT_OVER, "timer:x"))

    net.store.run(waits)
    net.clock.advance(days=45)
    for stretch in [QUARTER, (NOVEMBER, NOVEMBER), (date(2026, 1, 1), date(2026, 6, 1))]:
        with pytest.raises(BadAnswer):
            net.store.run(after_help.counted, DESK, *stretch)
    net.passes(timedelta(minutes=1))
    assert net.store.run(after_help.counted, DESK, *QUARTER) == {}
    net.person(14, "desk-1")
    said = net.store.run(report.closing, "desk-1", "en", ("2026-10", "2026-12"))
    assert said[1:] == ["  Nothing that may be said."]


def test_nobody_else_may_count() -> None:
    with pytest.raises(NotAllowed):
        after_help.counted(None, Actor("x", Role.WORKER, "bua-house"), *QUARTER)  # type: ignore[arg-type]
