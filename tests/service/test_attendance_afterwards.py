"""Once a confirmation was sent: whether it was their own choice. One tap, never owed, and nobody's word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import pytest

from referrals.casework import ClosingAnswer, Confirmation, ConfirmationState
from referrals.errors import BadAnswer, NotAllowed, NotFound, WrongStage
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service import leaving, retention
from referrals.service.attendance import attendance, attendance_ends
from referrals.service.turns import after_help
from referrals.views import Section
from storage.sql import Sql
from tests.service.test_attendance_story import BODY, DAYS, PERIOD, Probation, answers, opened

ASKED = "ask.own_choice"


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Probation]:
    yield from opened(sqlite_url)


@pytest.fixture
def on_both(database_url: str) -> Iterator[Probation]:
    yield from opened(database_url)


def begun(net: Probation) -> str:
    net.came(net.code, 3)
    net.does(net.member, "send_begin", organization=BODY, reason=PERIOD)
    (waits,) = net.waiting()
    return waits.id


def sent(net: Probation) -> str:
    confirmation = begun(net)
    net.does(net.member, "send_agree", confirmation=confirmation)
    return confirmation


def sent_to_a_question(net: Probation) -> str:
    """A body asked, the member said yes, and the answer has left."""
    net.came(net.code, 3)
    net.asks(net.code)
    net.passes(timedelta(minutes=2))
    (asked,) = net.store.run(lambda tx: attendance.of_member(tx, net.member))
    net.does(net.member, "send_agree", confirmation=asked.id)
    net.passes(8 * DAYS)
    return asked.id


def says(net: Probation, confirmation: str, choice: str) -> None:
    net.does(net.member, "afterwards", confirmation=confirmation, question="own_choice", reason=choice)


def questions(net: Probation) -> list[Section]:
    return [s for s in net.page(net.member, locked=True).sections if s.title_key == ASKED]


def facts(net: Probation) -> list[ClosingAnswer]:
    return net.store.run(lambda tx: tx.find(ClosingAnswer))


def waiting(net: Probation) -> list[Timer]:
    return net.store.run(lambda tx: [t for t in tx.find(Timer) if t.kind == after_help.TIMER])


def test_it_is_asked_once_it_was_sent_and_counted_when_the_month_is_over(on_both: Probation) -> None:
    net = on_both
    confirmation = begun(net)
    assert questions(net) == []
    net.does(net.member, "send_agree", confirmation=confirmation)
    (asked,) = questions(net)
    assert [line.key for line in asked.lines] == ["part.attendance.to", "part.attendance.how_it_was"]
    assert asked.lines[1].at == datetime(2026, 12, 4, 3, tzinfo=UTC)
    before = asdict(net.page(net.worker, "body"))
    says(net, confirmation, "yes")
    (unsure,) = questions(net)
    says(net, confirmation, "no")  # a change of mind
    (sure,) = questions(net)
    assert sure == unsure, "whoever stands beside them does not see what was answered"
    assert sure.lines[1].key == "part.attendance.answered"
    assert asdict(net.page(net.worker, "body")) == before
    assert [timer.due_at for timer in waiting(net)] == [datetime(2026, 12, 4, 3, tzinfo=UTC)]
    assert facts(net) == []
    net.passes(40 * DAYS)
    (fact,) = facts(net)
    assert (fact.pathway, fact.category) == ("attendance-confirmation", "attendance.confirmation")
    assert (fact.organization_id, fact.question, fact.answer) == (BODY, "own_choice", "no")
    assert fact.month == date(2026, 11, 1), "a month, and no day"
    assert fact.id not in (confirmation, net.member)
    assert questions(net) == [], "and not asked for ever"
    with pytest.raises(WrongStage):
        says(net, confirmation, "yes")


def test_a_yes_to_a_bodys_question_is_asked_about_too(on_both: Probation) -> None:
    net = on_both
    confirmation = sent_to_a_question(net)
    assert len(questions(net)) == 1
    before = answers(net)
    net.said()
    says(net, confirmation, "partly")
    assert answers(net) == before
    assert net.said() == [], "nobody hears it"
    net.passes(40 * DAYS)
    assert [(fact.organization_id, fact.answer, fact.month) for fact in facts(net)] == [
        (BODY, "partly", date(2026, 12, 1))
    ]


@pytest.mark.parametrize("way", [sent, sent_to_a_question])
def test_of_what_was_taken_back_nothing_is_counted(net: Probation, way: Callable[[Probation], str]) -> None:
    confirmation = way(net)
    says(net, confirmation, "no")
    net.does(net.member, "send_stop", confirmation=confirmation)
    assert (questions(net), waiting(net)) == ([], [])
    net.passes(40 * DAYS)
    assert facts(net) == []


def test_where_nothing_was_sent_nothing_is_asked(net: Probation) -> None:
    net.asks(net.code)
    net.passes(10 * DAYS)
    (found,) = net.store.run(lambda tx: attendance.of_member(tx, net.member))
    assert found.state is ConfirmationState.NONE
    assert questions(net) == []
    with pytest.raises(WrongStage):
        says(net, found.id, "yes")


def test_nobody_else_says_it_and_nothing_but_a_choice(net: Probation) -> None:
    confirmation = sent(net)
    for person in (net.worker, net.mentor, net.desk, net.stranger):
        with pytest.raises((NotFound, NotAllowed)):
            net.store.run(attendance.afterwards, person, confirmation, "own_choice", "yes")
    for question, choice in (("own_choice", "a word of my own"), ("in_time", "yes"), ("", "")):
        with pytest.raises(BadAnswer):
            net.store.run(attendance.afterwards, net.member, confirmation, question, choice)
    assert waiting(net) == []
    says(net, confirmation, "yes")
    noted = Sql("SELECT subject FROM audit WHERE detail = 'afterwards'")
    (last,) = net.store.run(lambda tx: tx.connection.rows(noted))  # type: ignore[attr-defined]
    assert last[0] == f"confirmation:{confirmation}", "that they said something, and not what"


def test_whoever_leaves_is_not_counted_any_more(net: Probation) -> None:
    for confirmation in (sent_to_a_question(net), sent(net)):
        says(net, confirmation, "no")
    assert [home["answers"] for home in net.store.run(taken_home, net.member)] == [{"own_choice": "no"}] * 2
    net.store.run(leaving.erase, net.member)
    assert waiting(net) == []
    net.passes(40 * DAYS)
    assert facts(net) == []


def test_the_fact_outlives_the_confirmation_and_leads_nowhere(net: Probation) -> None:
    net.store.run(retention.begin)
    says(net, sent(net), "yes")
    net.passes(92 * DAYS)
    assert net.store.run(lambda tx: tx.count(Confirmation)) == 0
    assert waiting(net) == []
    assert [fact.answer for fact in facts(net)] == ["yes"]


def taken_home(tx: Tx, person_id: str) -> list[dict[str, object]]:
    _, enrolment = attendance.own(tx, person_id)
    return attendance_ends.taken_home(tx, person_id, enrolment)
