"""Set times: remembered in one's own hours, kept or missed, and nobody is scolded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from referrals.casework import Appointment, AppointmentState
from referrals.errors import BadAnswer, NotFound, TurnOver, WrongStage
from referrals.model import Stage
from referrals.persons import WritingWindow
from referrals.service.common import tell
from referrals.service.contact import wishes
from referrals.service.help import appointment_answers, appointments, threads, working
from referrals.service.matter import asked
from referrals.service.pages import PAGES
from referrals.service.people import people
from referrals.service.turns import closing
from tests.service.test_questions import DAY, HOUR
from tests.service.test_reaching import Calls

KEPT, MISSED, OFF = AppointmentState.KEPT, AppointmentState.MISSED, AppointmentState.CALLED_OFF


class Dates(Calls):
    """A matter with set times."""

    def date(self, away: timedelta = 3 * DAY) -> Appointment:
        made = self.store.run(appointments.make, self.worker, self.turn, self.clock.now + away)
        self.latest = made
        return made

    def says(self, word: str) -> None:
        self.store.run(appointment_answers.answer, self.family, self.matter, self.mark(self.latest.id), word)

    def happened(self, kept: bool) -> None:
        turn = self.store.run(asked.partner_mark, self.latest.id)
        self.store.run(appointments.happened, self.worker, self.turn, turn, kept)

    def missed(self, away: timedelta = HOUR) -> None:
        """One that the person did not come to."""
        self.date(away)
        self.passes(away + HOUR)
        self.said()
        self.happened(False)

    @property
    def row(self) -> Appointment:
        found = self.store.run(lambda tx: tx.get(Appointment, self.latest.id))
        assert found is not None
        return found


def opened(url: str) -> Iterator[Dates]:
    with Dates.opened(url) as found:
        found.people()
        found.taken()
        yield found


@pytest.fixture
def net(database_url: str) -> Iterator[Dates]:
    yield from opened(database_url)


@pytest.fixture
def one(sqlite_url: str) -> Iterator[Dates]:
    """The same on one database."""
    yield from opened(sqlite_url)


def test_set_remembered_twice_and_kept(net: Dates) -> None:
    made = net.date()
    heard = {d.text: d for d in net.deliveries() if d.person_id == net.family}
    assert heard["matter.appointment"].params["at"] == tell.iso(made.at)
    net.says("coming")
    net.said()
    net.passes(2 * DAY)
    assert net.told(net.family) == ["matter.appointment_soon"]
    net.passes(22 * HOUR)
    assert net.told(net.family) == ["matter.appointment_soon"]
    net.passes(3 * HOUR)
    asks = [d for d in net.deliveries() if d.text == "worker.did_they_come"]
    assert [d.person_id for d in asks] == [net.worker]
    assert set(asks[0].params) == {"code"}  # the partner's phone does not carry the moment
    net.happened(True)
    assert net.row.state is KEPT
    assert net.referral(net.matter).stage is Stage.IN_SERVICE  # whoever met has been in touch
    assert not [t for t in net.timers() if t.subject == made.id]
    net.happened(True)


def test_two_phones_share_no_word_about_a_date(one: Dates) -> None:
    one.date(HOUR)
    one.passes(2 * HOUR)
    heard = one.deliveries()

    def data(person: str) -> set[str]:
        buttons = [b for d in heard if d.person_id == person for row in d.buttons for b in row]
        return {word for b in buttons for word in (b.action or b.page).replace("/", ":").split(":")}

    known = {"1", "matter", "offer", "meet.say", "meet.how"}
    assert data(one.family) & data(one.worker) <= known


def test_missed_with_a_reason_and_a_new_time(net: Dates) -> None:
    net.missed()
    assert "matter.missed" in net.told(net.family)
    net.says("absent")
    assert "matter.in_the_way" in net.told(net.family)
    net.says("way_money")
    told = net.said()
    assert (net.worker, "thread.waiting") in told
    thread = net.store.run(PAGES["matter"].view, net.worker, net.turn, {}).thread
    assert "no money for the way" in thread[-1].text
    net.says("way_money")  # pressed twice
    assert len(net.store.run(PAGES["matter"].view, net.worker, net.turn, {}).thread) == len(thread)
    net.said()
    net.passes(7 * DAY)
    assert "worker.new_time_owed" in net.told(net.worker)
    net.date()
    net.said()
    net.passes(DAY)
    assert "worker.new_time_owed" not in net.told(net.worker)
    assert net.desk not in {who for who, text in net.said() if text == "desk.no_shows"}


def test_a_new_time_ends_the_wait_for_one_and_the_second_miss_is_the_desks(one: Dates) -> None:
    one.missed()
    one.missed()
    told = one.said()
    assert (one.desk, "desk.no_shows") in told
    assert (one.family, "matter.missed") in told
    assert one.referral(one.matter).escalated
    assert len([t for t in one.timers() if t.kind == appointments.NEXT]) == 1


def test_i_was_there_is_believed_and_looked_at(one: Dates) -> None:
    one.missed()
    one.said()
    one.says("there")
    told = one.said()
    assert {(one.worker, "worker.says_there"), (one.desk, "desk.was_there")} <= set(told)
    one.missed()
    assert (one.desk, "desk.no_shows") not in one.said()  # the row has ended
    one.happened(True)  # a slip, put right
    assert one.row.state is KEPT
    with pytest.raises(TurnOver):
        one.says("absent")


def test_who_cannot_come_says_so_and_the_partner_proposes_another_time(one: Dates) -> None:
    one.date()
    one.said()
    one.says("cannot")
    told = one.said()
    assert {(one.worker, "worker.cannot_come"), (one.family, "matter.cannot_noted")} <= set(told)
    assert one.row.state is OFF
    one.says("cannot")
    assert one.told(one.worker) == []
    with pytest.raises(TurnOver):
        one.says("coming")
    one.passes(7 * DAY)
    told_then = one.said()
    assert (one.worker, "worker.new_time_owed") in told_then
    assert (one.family, "matter.appointment_soon") not in told_then


def test_the_partner_calls_off_and_the_person_need_not_go(one: Dates) -> None:
    one.date()
    one.said()
    turn = one.store.run(asked.partner_mark, one.latest.id)
    one.store.run(appointments.call_off, one.worker, one.turn, turn)
    assert "matter.called_off" in one.told(one.family)
    one.store.run(appointments.call_off, one.worker, one.turn, turn)
    assert one.said() == []


@pytest.mark.parametrize("how", ["given back", "withdrawn", "voided"])
def test_when_the_partner_goes_no_longer_on_nobody_sets_out_for_nothing(one: Dates, how: str) -> None:
    one.date()
    one.said()
    if how == "given back":
        one.store.run(working.give_back, one.worker, one.turn)
    elif how == "withdrawn":
        one.store.run(closing.withdraw, one.family, one.matter)
    else:
        one.store.run(closing.void, one.desk, one.matter)
    assert one.row.state is OFF
    assert ("matter.called_off" in one.told(one.family)) is True
    one.passes(4 * DAY)
    assert "matter.appointment_soon" not in one.told(one.family)


def test_reminders_keep_to_ones_own_hours_and_stop(one: Dates) -> None:
    one.store.run(people.choose_window, one.family, WritingWindow.DAYTIME)
    one.date(2 * DAY + 14 * HOUR)  # Friday, 00:06
    one.said()
    one.passes(DAY + 22 * HOUR - timedelta(minutes=10))  # Thursday, a little before eight
    assert one.told(one.family) == []
    one.passes(HOUR)
    assert one.told(one.family) == ["matter.appointment_soon"]
    one.store.run(wishes.stop, one.family)
    one.date(3 * DAY)
    one.said()
    one.passes(3 * DAY)
    assert "matter.appointment_soon" not in one.told(one.family)


def test_a_worker_who_forgets_is_asked_once_more_and_then_left_alone(one: Dates) -> None:
    one.store.run(working.contacted, one.worker, one.turn)
    one.date(HOUR)
    one.passes(3 * HOUR)
    assert "worker.did_they_come" in one.told(one.worker)
    one.passes(2 * DAY)
    assert "worker.did_they_come" in one.told(one.worker)
    one.passes(10 * DAY)
    assert "worker.did_they_come" not in one.told(one.worker)


def test_several_at_a_time_each_by_itself_and_no_more_than_ten(one: Dates) -> None:
    made = [one.date(n * DAY) for n in range(1, appointments.MOST + 1)]
    assert one.date(DAY).id == made[0].id  # the same moment is the same appointment
    with pytest.raises(BadAnswer):
        one.date(40 * DAY)
    one.latest = made[1]
    one.says("cannot")
    states = {a.id: a.state for a in one.store.run(appointments.of, one.turn)}
    assert [a.id for a in made if states[a.id] is OFF] == [made[1].id]


def test_moments_that_make_no_sense_and_people_who_may_not(one: Dates) -> None:
    for text in ("", "tomorrow", "2026-11-30T14:30+07:00", "2026-02-30T10:00"):
        with pytest.raises(BadAnswer):
            one.store.run(appointments.moment_of, one.worker, text)
    moment = one.store.run(appointments.moment_of, one.worker, "2026-11-30T14:30")
    assert moment.isoformat() == "2026-11-30T07:30:00+00:00"
    for away in (-DAY, timedelta(), 400 * DAY):
        with pytest.raises(BadAnswer):
            one.date(away)
    one.date()
    for other in (one.family, one.desk, one.next):
        with pytest.raises(NotFound):
            one.store.run(appointments.make, other, one.turn, one.clock.now + DAY)
    turn = one.mark(one.latest.id)
    for other in (one.worker, one.desk, one.person(77)):
        with pytest.raises(NotFound):
            one.store.run(appointment_answers.answer, other, one.matter, turn, "coming")
    with pytest.raises(BadAnswer):
        one.says("perhaps")
    one.store.run(working.contacted, one.worker, one.turn)
    one.store.run(working.report, one.worker, one.turn, "met")
    with pytest.raises(WrongStage):
        one.date(9 * DAY)


def test_a_kept_date_is_news_for_the_heartbeat(one: Dates) -> None:
    one.store.run(working.contacted, one.worker, one.turn)
    one.date(20 * DAY)
    one.passes(20 * DAY + HOUR)
    one.happened(True)
    one.said()
    one.passes(11 * DAY)
    assert "worker.heartbeat" not in one.told(one.worker)
    one.passes(20 * DAY)
    assert "worker.heartbeat" in one.told(one.worker)
    one.store.run(threads.write, one.family, one.matter, "thank you")
