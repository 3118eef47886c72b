"""A confirmation of attendance: the member sends it, or says yes to a body's question; else one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from referrals.access import Action
from referrals.casework import Confirmation, ConfirmationState
from referrals.errors import NotAllowed, NotFound, TooOften, WrongStage
from referrals.limits import LIMITS, Doing
from referrals.members import Attendance, Enrolment, Meeting
from referrals.model import NETWORK as PROCESS
from referrals.model import SYSTEM, Actor, AuditEntry, DataClass, Record, Role, person_holder
from referrals.persons import Seat
from referrals.ports import Taken, Tx
from referrals.service import leaving, restoring, retention
from referrals.service.attendance import attendance, body_questions
from referrals.service.lasting import ending
from referrals.service.members import enrolments
from referrals.service.pages import PAGES
from referrals.service.stewards import network
from referrals.views import SectionsView
from storage.erasures import took
from storage.sql import Sql
from tests.support.network import CATALOGUE, NETWORK, STEWARD, Small

BODY, PERIOD = "border-probation", "quarter"
DAYS = timedelta(days=1)
NOTHING, SAYS = "part.attendance.nothing", "part.attendance.says"


class Probation(Small):
    """The demo's network with a member on their own phone, a worker of a body, and the desk."""

    def settle_in(self) -> None:
        self.mentor = self.person(31, "mentor-1")
        self.desk, self.worker = self.person(51, "desk-1"), self.person(71, "border-probation-1")
        self.member, self.stranger = self.person(81), self.person(91)
        self.code = self.store.run(tie, "K7-29", self.member)

    def page(self, person: str, subject: str = "", *, locked: bool = False) -> SectionsView:
        def look(tx: Tx) -> Any:
            if locked:
                tx.lock_reading()
            return PAGES["attendance"].view(tx, person, subject, {})

        view = self.store.run(look)
        assert isinstance(view, SectionsView)
        return view

    def does(self, person: str, step: str, **body: str) -> SectionsView:
        view = self.store.run(PAGES["attendance"].steps[step], person, "", body)
        assert isinstance(view, SectionsView)
        return view

    def asks(self, code: str) -> SectionsView:
        return self.does(self.worker, "body_ask", code=code, reason=PERIOD)

    def came(self, code: str, *days_ago: int) -> None:
        today = self.clock.now.date()
        self.store.run(came_to, code, self.mentor, [today - ago * DAYS for ago in days_ago])

    def waiting(self) -> list[Confirmation]:
        return self.store.run(lambda tx: tx.find(Confirmation, state=ConfirmationState.WAITING))


def opened(url: str) -> Iterator[Probation]:
    with Probation.opened(url) as probation:
        probation.settle_in()
        yield probation


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Probation]:
    yield from opened(sqlite_url)


@pytest.fixture
def on_both(database_url: str) -> Iterator[Probation]:
    yield from opened(database_url)


def tie(tx: Tx, code: str, person_id: str) -> str:
    (found,) = tx.find(Enrolment, code=code)
    tx.save(replace(found, person_id=person_id))
    return code


def came_to(tx: Tx, code: str, mentor: str, days: list[date]) -> None:
    (member,) = tx.find(Enrolment, code=code)
    for day in days:
        meeting = Meeting(tx.new_id(), member.programme, "club", day, mentor, tx.now)
        there = Attendance(tx.new_id(), meeting.id, member.id)
        tx.add(meeting, there)
        holders = [person_holder(mentor), PROCESS]
        tx.seal(there.record, DataClass.WELLBEING, "came", "yes", holders)
        tx.audit(AuditEntry(SYSTEM, Action.MEETING_KEEP, f"attendance:{there.id}", "saved"))


def said(view: SectionsView) -> list[str]:
    return [line.key for section in view.sections for line in section.lines]


def answers(net: Probation) -> list[Any]:
    """The body's questions as it reads them, without what it typed itself."""
    shown = [asdict(s) for s in net.page(net.worker, "body").sections if "question" in s.title_key]
    for each in shown:
        each["lines"] = [line for line in each["lines"] if line["key"] != "part.attendance.about"]
    return shown


def test_a_member_sends_it_and_nothing_else_travels(on_both: Probation) -> None:
    net = on_both
    net.came(net.code, 3, 10, 17, 200)
    begun = net.does(net.member, "send_begin", organization=BODY, reason=PERIOD)
    (waits,) = net.waiting()
    assert net.does(net.member, "send_begin", organization=BODY, reason=PERIOD) == begun  # pressed twice
    assert said(net.page(net.worker, "body")) == ["part.attendance.same_for_all"], "nothing before the yes"
    words = [line for section in begun.sections for line in section.lines]
    assert {"count": "3"} in [line.params for line in words]  # what was 200 days ago is not of this time
    net.does(net.member, "send_refer", confirmation=waits.id, code="CASE 12/69")
    net.does(net.member, "send_agree", confirmation=waits.id)
    (_, came_in) = net.page(net.worker, "body").sections
    assert came_in.title_key == "part.attendance.came_in"
    lines = {line.key: dict(line.params) for line in came_in.lines}
    assert lines["part.attendance.about"] == {"reference": "CASE 12/69"}
    assert lines[SAYS] == {"count": "3", "day": "24 November 2026"}
    assert set(lines) == {"part.attendance.for_days", "part.attendance.about", SAYS}
    assert net.code not in str(came_in)
    net.does(net.member, "send_stop", confirmation=waits.id)
    assert said(net.page(net.worker, "body")) == ["part.attendance.same_for_all"]


def test_whoever_works_there_does_not_read_the_reason_at_the_desk(net: Probation) -> None:
    """Somebody in both posts would be told by the desk's page what the body's page never says."""
    net.asks(net.code)
    net.passes(timedelta(minutes=2))
    assert len(net.page(net.desk, "desk").sections) == 1
    net.store.run(also_on, net.worker, "desk-2")
    assert net.page(net.worker, "desk").sections == ()
    heard = {person for person, text in net.said() if text.startswith("desk.attendance")}
    assert net.worker not in heard


def also_on(tx: Tx, person_id: str, seat_id: str) -> None:
    (seat,) = tx.find(Seat, id=seat_id)
    tx.save(replace(seat, person_id=person_id))


def test_a_body_that_asks_gets_the_same_for_everybody(on_both: Probation) -> None:
    """Unknown, nonsense, not agreed, absent: at once the same view, later the same answer, to the byte."""
    net = on_both
    net.came("M3-04", 3, 10)  # who was there, and does not say yes
    net.store.run(tie, "T2-86", net.stranger)  # who says yes, and was never there
    at_once = [net.asks(code) for code in ("K7-99", "what do you know", "M3-04", "T2-86", "")]
    assert all(view == at_once[0] for view in at_once)
    assert [line.key for line in at_once[0].lines] == ["part.attendance.have"]
    net.passes(timedelta(minutes=2))
    (asked,) = net.store.run(lambda tx: attendance.of_member(tx, net.stranger))
    net.does(net.stranger, "send_agree", confirmation=asked.id)
    promised = at_once[0].lines[0].at
    assert promised is not None
    net.passes(promised - net.clock.now - timedelta(minutes=1))
    assert all("comes" in str(each) and NOTHING not in str(each) for each in answers(net))
    net.passes(timedelta(minutes=1))
    shown = answers(net)
    assert len(shown) == 5
    assert all(each == shown[0] for each in shown)
    assert NOTHING in str(shown[0])
    heard = [text for person, text in net.said() if person == net.worker]
    assert set(heard) == {"worker.attendance_answer"}


def test_the_member_says_yes_and_the_answer_still_takes_its_time(net: Probation) -> None:
    net.came(net.code, 3, 10)
    at = net.asks(net.code.lower().replace("-", " ")).lines[0].at
    assert at is not None
    net.passes(timedelta(minutes=2))
    heard = net.said()
    assert (net.member, "own.attendance_asked") in heard
    assert (net.desk, "desk.attendance_asked") in heard
    assert net.mentor not in {person for person, _ in heard}, "the person and the desk, and nobody else"
    (asked,) = net.store.run(lambda tx: attendance.of_member(tx, net.member))
    net.does(net.member, "send_agree", confirmation=asked.id)
    net.passes(at - net.clock.now - timedelta(minutes=5))  # ready for an hour, and not there yet
    assert "comes" in str(answers(net))
    assert SAYS not in str(answers(net))
    net.passes(timedelta(minutes=5))
    assert SAYS in str(answers(net))
    net.does(net.member, "send_stop", confirmation=asked.id)
    assert NOTHING in str(answers(net))
    assert SAYS not in str(answers(net))


def test_the_person_and_the_desk_read_why_and_nobody_else(net: Probation) -> None:
    net.asks(net.code)
    net.asks("K7-99")
    net.passes(10 * DAYS)
    assert "part.attendance.why.no_yes" in said(net.page(net.member))
    at_desk = said(net.page(net.desk, "desk"))
    assert {"part.attendance.desk_why.no_yes", "part.attendance.desk_why.unknown"} <= set(at_desk)
    assert not [key for key in said(net.page(net.worker, "body")) if ".why." in key or "desk_why" in key]
    for person in (net.worker, net.member, net.mentor, net.stranger):
        with pytest.raises(NotFound):
            net.page(person, "desk")
    for person in (net.member, net.mentor, net.desk, net.stranger):
        with pytest.raises(NotAllowed):
            net.page(person, "body")


def test_only_ones_own_can_be_said_yes_to(net: Probation) -> None:
    net.store.run(tie, "T2-86", net.stranger)
    net.asks(net.code)
    net.passes(timedelta(minutes=2))
    (asked,) = net.store.run(lambda tx: attendance.of_member(tx, net.member))
    for step in ("send_agree", "send_refer", "send_stop"):
        for person in (net.stranger, net.mentor):
            with pytest.raises((NotFound, NotAllowed)):
                net.does(person, step, confirmation=asked.id, code="x")
    net.passes(10 * DAYS)
    with pytest.raises(WrongStage):
        net.does(net.member, "send_agree", confirmation=asked.id)


def test_without_an_agreement_nothing_is_sent(net: Probation) -> None:
    net.came(net.code, 3)
    net.asks(net.code)
    net.passes(timedelta(minutes=2))
    (asked,) = net.store.run(lambda tx: attendance.of_member(tx, net.member))
    net.does(net.member, "send_agree", confirmation=asked.id)
    yesterday = net.clock.now.date() - DAYS
    agreements = tuple(
        replace(a, ends_on=yesterday) if a.organization_id == BODY else a for a in NETWORK.agreements
    )
    file = replace(NETWORK, agreements=agreements)
    net.store.run(lambda tx: network.apply(tx, STEWARD, file, network.digest(network.preview(tx, file))))
    net.passes(10 * DAYS)
    assert NOTHING in str(answers(net))
    assert "part.attendance.why.no_agreement" in said(net.page(net.member))
    with pytest.raises(NotFound):
        net.does(net.member, "send_begin", organization=BODY, reason=PERIOD)


def test_a_body_cannot_ask_without_end(net: Probation) -> None:
    for number in range(LIMITS[Doing.ATTENDANCE].most):
        net.asks(f"K7-{number}")
    for code in (net.code, "nonsense"):
        with pytest.raises(TooOften):
            net.asks(code)
    net.clock.advance(days=1)
    net.asks(net.code)


def test_what_needs_no_pin_and_what_does(net: Probation) -> None:
    net.came(net.code, 3)
    net.does(net.member, "send_begin", organization=BODY, reason=PERIOD)
    locked = net.page(net.member, locked=True)
    assert locked.locked
    assert "part.attendance.would_say" not in said(locked)
    assert "part.attendance.would_say" in said(net.page(net.member))
    net.asks("nonsense")
    net.passes(10 * DAYS)
    assert NOTHING not in said(net.page(net.worker, "body", locked=True))


def test_its_end_leaves_nothing(net: Probation) -> None:
    net.store.run(retention.begin)
    net.came(net.code, 3)
    net.asks(net.code)
    net.does(net.member, "send_begin", organization=BODY, reason=PERIOD)
    net.passes(8 * DAYS)
    assert [c.by_body for c in net.store.run(lambda tx: tx.find(Confirmation))] == [True]  # no yes: dropped
    net.passes(91 * DAYS)
    assert net.store.run(lambda tx: tx.count(Confirmation)) == 0
    sealed = Sql("SELECT record_table FROM sealed")
    left = {row[0] for row in net.store.run(lambda tx: tx.connection.rows(sealed))}  # type: ignore[attr-defined]
    assert "confirmation" not in left


def test_whoever_leaves_takes_their_yes_along(net: Probation) -> None:
    net.came(net.code, 3)
    net.asks(net.code)
    net.passes(timedelta(minutes=2))
    (asked,) = net.store.run(lambda tx: attendance.of_member(tx, net.member))
    net.does(net.member, "send_agree", confirmation=asked.id)
    net.store.run(leaving.erase, net.member)
    net.passes(10 * DAYS)
    assert NOTHING in str(answers(net))


def test_whoever_has_left_the_programme_still_takes_back_what_they_sent(net: Probation) -> None:
    """Consent ends when the person says so, member or not; what waits for a yes is a member's alone."""
    net.came(net.code, 3)
    sent = sends(net, by_body=False)
    net.does(net.member, "send_begin", organization=BODY, reason="month")
    (begun,) = net.waiting()
    net.store.run(_leaves, net.code)
    shown = net.page(net.member)
    assert shown.sections[0].body["confirmation"] == sent
    assert begun.id not in str(shown)
    with pytest.raises(NotFound):
        net.does(net.stranger, "send_stop", confirmation=sent)
    for step in ("send_agree", "send_begin"):
        with pytest.raises((NotFound, NotAllowed)):
            net.does(net.member, step, confirmation=begun.id, organization=BODY, reason=PERIOD)
    assert net.store.run(attendance.still_reads, net.member)
    assert net.does(net.member, "send_stop", confirmation=sent).sections == ()
    assert not net.store.run(attendance.still_reads, net.member)
    assert SAYS not in said(net.page(net.worker, "body"))


def test_a_phone_that_two_members_share_answers_for_both(net: Probation) -> None:
    net.store.run(tie, "T2-86", net.member)
    net.asks(net.code)
    net.asks("T2-86")
    net.passes(timedelta(minutes=2))
    asked = net.store.run(attendance.of_member, net.member)
    assert len(asked) == 2
    for each in asked:
        net.does(net.member, "send_agree", confirmation=each.id)
    assert all(c.agreed_at for c in net.store.run(attendance.of_member, net.member))


def _leaves(tx: Tx, code: str) -> None:
    (found,) = tx.find(Enrolment, code=code)
    enrolment = tx.get(Enrolment, found.id, lock=True)
    assert enrolment is not None
    enrolments.leave(tx, SYSTEM, enrolment)


def test_a_worker_of_another_organisation_asks_nothing(net: Probation) -> None:
    other = net.person(11, "bua-1")
    with pytest.raises(NotAllowed):
        net.store.run(body_questions.ask, other, net.code, PERIOD)


def test_what_was_sent_is_read_as_long_as_an_agreement_stands(net: Probation) -> None:
    net.came(net.code, 3)
    net.does(net.member, "send_begin", organization=BODY, reason=PERIOD)
    (waits,) = net.waiting()
    net.does(net.member, "send_agree", confirmation=waits.id)
    assert SAYS in said(net.page(net.worker, "body"))
    net.clock.advance(days=CATALOGUE.pathways["attendance-confirmation"].consent_days)
    assert SAYS not in said(net.page(net.worker, "body"))


@pytest.mark.parametrize("by_body", [False, True])
def test_when_its_time_or_the_agreement_is_over_no_key_to_it_is_left(net: Probation, by_body: bool) -> None:
    """Not the page alone hides it: whoever works there could not open it any more."""
    net.came(net.code, 3)
    sent = sends(net, by_body)
    worker = Actor(net.worker, Role.WORKER, BODY)
    assert opens(net, worker, sent).get("came", "").strip() == "1"
    net.passes(timedelta(days=CATALOGUE.pathways["attendance-confirmation"].consent_days, minutes=1))
    assert opens(net, worker, sent).get("came", "") == ""
    assert "part.attendance.why.over" in said(net.page(net.member))
    assert SAYS not in said(net.page(net.worker, "body"))
    again = sends(net, by_body)
    assert opens(net, worker, again).get("came", "").strip() == "1"
    net.said()
    net.store.run(_suspends, BODY, True)
    assert net.said() == [(net.member, "own.attendance_closed")], "sooner than they were told"
    assert opens(net, worker, again).get("came", "") == ""
    net.store.run(_suspends, BODY, False)
    assert SAYS not in said(net.page(net.worker, "body")), "what was closed does not come back by itself"


def sends(net: Probation, by_body: bool) -> str:
    """Sent just now, or said yes to and answered; its id."""
    if by_body:
        net.asks(net.code)
        net.passes(timedelta(minutes=2))
    else:
        net.does(net.member, "send_begin", organization=BODY, reason=PERIOD)
    (waits,) = net.waiting()
    net.does(net.member, "send_agree", confirmation=waits.id)
    net.passes(waits.answer_at - net.clock.now if by_body else timedelta())
    return waits.id


def opens(net: Probation, actor: Actor, confirmation: str) -> dict[str, str]:
    """By the one door to what is sealed, whatever the pages show."""

    def look(tx: Tx) -> dict[str, str]:
        try:
            return dict(tx.open_sealed(actor, Record("confirmation", confirmation), attendance.SEALED))
        except NotFound:
            return {}

    return net.store.run(look)


def _suspends(tx: Tx, organization_id: str, yes: bool) -> None:
    tx.save(replace(tx.directory.organizations[organization_id], suspended=yes))
    ending.review(tx, organization_id)


def test_nothing_typed_or_sent_stands_in_the_files(tmp_path: Path) -> None:
    """Canaries: a number of one's own, and what a body typed, byte by byte through database and WAL."""
    for net in opened(f"sqlite:///{tmp_path / 'pulang.db'}"):
        net.came(net.code, 3)
        net.does(net.member, "send_begin", organization=BODY, reason=PERIOD)
        (waits,) = net.waiting()
        net.does(net.member, "send_refer", confirmation=waits.id, code="CANARY-NUMBER")
        net.does(net.member, "send_agree", confirmation=waits.id)
        net.asks("CANARY-TYPED")
        net.passes(10 * DAYS)
        net.said()
        files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert b"attendance:ask" in files, "what is looked through is what was written"
        assert b"CANARY" not in files


def test_a_restored_backup_sends_nothing_that_was_taken_back(net: Probation) -> None:
    net.came(net.code, 3)
    net.asks(net.code)
    net.passes(timedelta(minutes=2))
    (asked,) = net.store.run(lambda tx: attendance.of_member(tx, net.member))
    net.does(net.member, "send_agree", confirmation=asked.id)  # and then it was taken back, after the backup
    taken = took(net.clock.now, Taken.STATE, asked.record, holder="no yes")
    net.store.run(restoring.after_restore, STEWARD, net.clock.now, [taken])
    net.passes(10 * DAYS)
    assert NOTHING in str(answers(net))
