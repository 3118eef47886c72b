"""Reminders: once, in their reader's hours, never about what is done; later, not this week, none at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from referrals import schedule
from referrals.errors import AlreadyHandled, BadAnswer, NotFound
from referrals.members import LET_GO, CheckIn, CheckInKind, Enrolment, EnrolmentState, Source
from referrals.model import DataClass, person_holder
from referrals.persons import Person
from referrals.ports import Tx
from referrals.said import Notice
from referrals.service import timers
from referrals.service.contact import checkins, reminding, wellbeing, wishes
from referrals.service.contact.reminding import Asking
from referrals.service.matter import member_keys
from referrals.service.members import asking, enrolments, reminders, tries
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

# The others differ in rules, not in rows.
pytestmark = pytest.mark.on_both(
    "test_three_tries_in_vain_are_passed_on_to_the_backup_and_then_to_the_desk",
    "test_whoever_answers_ends_it_for_all",
    "test_after_an_outage_there_is_one_reminder_and_the_ladder_goes_on_rung_by_rung",
)

BANGKOK = ZoneInfo("Asia/Bangkok")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TRIED = {"means": "not_reached"}
MET = {"means": "call", "state": "well"}


class Club(Small):
    """Two mentors, each the other's backup, the desk, and one member with a weekly contact at 18:00."""

    def people(self) -> Club:
        self.ann, self.bea = self.person(41, "mentor-1"), self.person(42, "mentor-2")
        self.dao = self.person(43, "desk-1")
        self.store.run(_alone)
        self.member = self.enrolled("K7-29")
        return self

    def enrolled(self, code: str, **more: object) -> Enrolment:
        found = self.store.run(lambda tx: tx.find(Enrolment, code=code))
        if found:
            return found[0]
        made = Enrolment(
            f"member-{code}", code, "return-home-club",
            CATALOGUE.programmes["return-home-club"].version, "first-90-days", self.clock.now, "mentor-1",
            "mentor-2", "Asia/Bangkok",
        )  # fmt: skip
        made = replace(made, **more)  # type: ignore[arg-type]
        self.store.run(_enrol, made)
        return made

    def due(self) -> CheckIn:
        """Time passes until the member's contact is due; the check-in that is asked for."""
        for _ in range(15 * 24):
            self.passes(HOUR)
            for check_in in self.open():
                return check_in
        raise AssertionError("nothing came due in fifteen days")

    def open(self) -> list[CheckIn]:
        return self.store.run(reminders.open_of, self.member)

    def changed(self, person_id: str, **wish: object) -> None:
        self.store.run(lambda tx: tx.save(replace(_get(tx, person_id), **wish)))  # type: ignore[arg-type]

    def told(self, person_id: str) -> list[str]:
        return [text for who, text in self.said() if who == person_id]

    def wait(self, days: float) -> list[tuple[str, str, datetime]]:
        """Hour by hour: who was told what, and when."""
        heard = []
        for _ in range(int(days * 24)):
            self.passes(HOUR)
            heard += [(who, text, self.clock.now) for who, text in self.said()]
        return heard


def _get(tx: Tx, person_id: str) -> Person:
    person = tx.get(Person, person_id)
    assert person is not None
    return person


def _alone(tx: Tx) -> None:
    """The demo's own members step aside."""
    for enrolment in tx.find(Enrolment):
        tx.save(replace(enrolment, state=EnrolmentState.LEFT, code=f"x{enrolment.code}"))
        tx.clear_timers(enrolment.id)


def _enrol(tx: Tx, enrolment: Enrolment) -> None:
    tx.add(enrolment)
    reminders.schedule_next(tx, enrolment)


@pytest.fixture
def club(database_url: str) -> Iterator[Club]:
    with Club.opened(database_url) as net:
        yield net.people()


@pytest.fixture
def quick(sqlite_url: str) -> Iterator[Club]:
    """The same on SQLite alone, for what no database can make different."""
    with Club.opened(sqlite_url) as net:
        yield net.people()


def test_nobody_answers_mentor_mentor_again_backup_desk_a_day_apart_in_their_hours(club: Club) -> None:
    club.changed(club.bea, quiet_from=time(17), quiet_to=time(9, 30))
    check_in = club.due()
    heard = [(who, text) for who, text in club.said() if who == club.ann]
    assert heard == [(club.ann, "mentor.check_in_due")]
    asked_at = check_in.due_at
    assert asked_at.astimezone(BANGKOK).time() == time(18)
    later = {text: (who, at) for who, text, at in club.wait(4)}
    assert later["mentor.check_in_still_due"][0] == club.ann
    backup, when = later["mentor.check_in_backup"]
    assert backup == club.bea
    assert time(9, 30) <= when.astimezone(BANGKOK).time() <= time(10, 30)
    assert later["desk.check_in_missed"][0] == club.dao
    assert later["desk.check_in_missed"][1] - when >= DAY - HOUR
    assert club.open() == []


def test_after_an_outage_there_is_one_reminder_and_the_ladder_goes_on_rung_by_rung(club: Club) -> None:
    club.due()
    club.said()
    club.clock.now += 20 * DAY  # nobody was there for nearly three weeks
    club.passes(timedelta(0))
    assert club.told(club.ann) == ["mentor.check_in_still_due"]
    assert [text for who, text, _ in club.wait(1.1) if who == club.bea] == ["mentor.check_in_backup"]


def test_a_reminder_that_missed_its_time_is_sent_once_for_the_last_slot(club: Club) -> None:
    club.clock.now += 23 * DAY
    club.passes(timedelta(0))
    assert club.told(club.ann) == ["mentor.check_in_due"]
    (check_in,) = club.open()
    assert club.clock.now - check_in.due_at < 7 * DAY


def test_a_clock_that_jumps_back_asks_for_nothing_twice(club: Club) -> None:
    check_in = club.due()
    club.store.run(checkins.save, club.ann, check_in.id, MET)
    club.said()
    club.clock.now = check_in.due_at - 2 * HOUR
    club.store.run(reminders.follow, club.member.id)  # as after any change: the slot lies ahead once more
    club.wait(0.5)
    assert [c.id for c in club.store.run(lambda tx: tx.find(CheckIn, enrolment_id=club.member.id))] == [
        check_in.id
    ]


def test_a_clock_that_was_a_month_ahead_silences_nobody_once_it_is_set_right(quick: Club) -> None:
    quick.clock.now += 30 * DAY
    quick.store.run(timers.begin)
    quick.passes(DAY)
    quick.clock.now -= 30 * DAY
    quick.store.run(timers.begin)
    quick.passes(timedelta(0))
    (waits,) = [t for t in quick.timers() if t.kind == reminders.DUE and t.subject == quick.member.id]
    assert quick.clock.now < waits.due_at <= quick.clock.now + 7 * DAY


def test_whoever_answers_ends_it_for_all(club: Club) -> None:
    check_in = club.due()
    club.wait(2.1)
    club.store.run(checkins.save, club.bea, check_in.id, MET)
    heard = club.said()
    assert (club.ann, "mentor.check_in_still_due") not in heard
    assert [text for _, text, _ in club.wait(3) if "check_in" in text] == []


@pytest.mark.parametrize("gone", ["left", "paused"])
def test_nobody_is_reminded_of_somebody_who_left_or_paused(club: Club, gone: str) -> None:
    club.due()
    club.said()
    actor, enrolment = club.store.run(enrolments.mine, club.ann, club.member.id)
    if gone == "left":
        club.store.run(enrolments.leave, actor, enrolment)
    else:
        club.store.run(enrolments.pause, actor, enrolment, None)
    assert [text for _, text, _ in club.wait(12) if text.startswith(("mentor.check", "desk.check"))] == []
    assert club.open() == []


def test_three_tries_in_vain_are_passed_on_to_the_backup_and_then_to_the_desk(club: Club) -> None:
    for _ in range(3):
        check_in = club.due()
        club.store.run(checkins.save, club.ann, check_in.id, TRIED)
        club.said()
    heard = [(who, text) for who, text, _ in club.wait(1.5)]
    assert heard.count((club.bea, "mentor.not_reached")) == 1
    assert (club.dao, "desk.not_reached") in heard


def test_one_contact_among_the_tries_begins_the_count_anew_and_undo_does_not_count(club: Club) -> None:
    for answers in (TRIED, TRIED, MET, TRIED, TRIED):
        club.store.run(checkins.save, club.ann, club.due().id, answers)
    check_in = club.due()
    club.store.run(checkins.save, club.ann, check_in.id, TRIED)
    club.store.run(checkins.undo, club.ann, check_in.id)
    assert "mentor.not_reached" not in {text for _, text, _ in club.wait(0.5)}
    assert len(club.store.run(tries.of, club.member.id)) == 2


def test_in_touch_by_themselves_the_day_before_nobody_is_asked(club: Club) -> None:
    first = club.due()
    club.store.run(checkins.save, club.ann, first.id, MET)
    club.wait(6)  # the evening before the next one
    club.store.run(checkins.save, club.ann, club.member.id, MET)
    assert "mentor.check_in_due" not in {text for _, text, _ in club.wait(3)}


# -- wishes --------------------------------------------------------------------------------------------


def test_later_asks_the_same_person_again_at_that_time_and_nobody_else(club: Club) -> None:
    check_in = club.due()
    club.said()
    at = club.store.run(wishes.snooze, club.ann, check_in.id, "tomorrow")
    assert at.astimezone(BANGKOK).time() == wishes.MORNING
    heard = club.wait(1)
    assert [(who, text) for who, text, _ in heard] == [(club.ann, "mentor.check_in_due")]
    assert at <= heard[0][2] < at + HOUR
    with pytest.raises(BadAnswer):
        club.store.run(wishes.snooze, club.ann, check_in.id, "never")
    with pytest.raises(NotFound):
        club.store.run(wishes.snooze, club.dao, check_in.id, "hour")
    club.store.run(checkins.save, club.ann, check_in.id, MET)
    with pytest.raises(AlreadyHandled):
        club.store.run(wishes.snooze, club.ann, check_in.id, "hour")


def test_not_this_week_is_no_miss_and_the_next_one_is_in_the_week_after(club: Club) -> None:
    check_in = club.due()
    club.said()
    again = club.store.run(wishes.not_this_week, club.ann, check_in.id)
    asked, due = (at.astimezone(BANGKOK).isocalendar() for at in (check_in.due_at, again))
    assert due.week - asked.week == 1
    assert [text for _, text, at in club.wait(8) if "check_in" in text and at < again] == []
    assert [c.due_at for c in club.open()] == [again]
    let_go = club.store.run(lambda tx: tx.get(CheckIn, check_in.id))
    assert let_go is not None
    assert (let_go.step, let_go.missed) == (LET_GO, False)


def test_stop_asks_the_backup_instead_the_desk_knows_and_start_brings_them_back(club: Club) -> None:
    club.due()
    club.said()
    club.store.run(wishes.stop, club.ann)
    club.passes(timedelta(0))
    heard = club.said()
    assert (club.dao, "desk.reminders_off") in heard
    assert (club.bea, "mentor.check_in_backup") in heard
    assert club.ann not in {who for who, text, _ in club.wait(13) if text.startswith("mentor.check_in")}
    club.store.run(wishes.start, club.ann)
    assert (club.dao, "desk.reminders_on") in club.said()
    assert (club.ann, "mentor.check_in_due") in {(who, text) for who, text, _ in club.wait(7)}


def test_with_both_mentors_silent_the_desk_hears_at_once_and_only_once(club: Club) -> None:
    club.store.run(wishes.stop, club.ann)
    club.store.run(wishes.stop, club.bea)
    club.said()
    heard = [text for who, text, _ in club.wait(8) if who == club.dao]
    assert heard.count("desk.check_in_nobody") == 1
    assert "desk.check_in_missed" not in heard


def test_own_hours_days_and_zone_bind_every_reminder(quick: Club) -> None:
    quick.store.run(wishes.set_quiet, quick.ann, time(17), time(8, 30))
    quick.store.run(wishes.set_days, quick.ann, (3, 4))
    quick.store.run(wishes.set_zone, quick.ann, "Europe/Berlin")
    heard = [at for who, text, at in quick.wait(14) if text == "mentor.check_in_due"]
    assert heard
    for at in heard:
        shown = at.astimezone(ZoneInfo("Europe/Berlin"))
        assert shown.weekday() in (3, 4)
        assert time(8, 30) <= shown.time() < time(17)


@pytest.mark.parametrize("days", [(), (7,), (0, -1)])
def test_wishes_that_make_no_sense_are_refused(quick: Club, days: Sequence[int]) -> None:
    with pytest.raises(BadAnswer):
        quick.store.run(wishes.set_days, quick.ann, tuple(days))
    with pytest.raises(BadAnswer):
        quick.store.run(wishes.set_quiet, quick.ann, time(8), time(8))
    with pytest.raises(BadAnswer):
        quick.store.run(wishes.set_quiet, quick.ann, time(8), None)
    with pytest.raises(BadAnswer):
        quick.store.run(wishes.set_zone, quick.ann, "Mars/Olympus")


def test_a_zone_that_is_known_no_more_counts_as_the_networks_and_the_desk_hears_once(quick: Club) -> None:
    quick.enrolled("E3-16", timezone="Asia/Nowhere")
    quick.enrolled("M4-83", timezone="Asia/Nowhere")
    heard = [text for who, text, _ in quick.wait(8) if who == quick.dao]
    assert heard.count("desk.unknown_zone") == 1
    due = quick.store.run(lambda tx: [t for t in tx.timers_of("member-E3-16") if t.kind == reminders.DUE])
    assert due[0].due_at.astimezone(ZoneInfo(schedule.NETWORK_ZONE)).time() == time(18)


def test_holidays_and_own_days_of_a_member_move_the_contact(quick: Club) -> None:
    kept = quick.store.run(reminders.rhythm_of, replace(quick.member, days=(6,), at=time(11)))
    assert (kept.days, kept.at) == ((6,), time(11))
    assert date(2027, 1, 1) in kept.holidays


# -- together --------------------------------------------------------------------------------------------


def test_many_at_once_are_asked_exactly_as_one_by_one(tmp_path: Path) -> None:
    """The same network twice: one turn for all, and a turn for each. Rows, timers, notices are equal."""
    seen = [_asked(f"sqlite:///{tmp_path}/{way}.db", way == "together") for way in ("together", "alone")]
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 7
    assert {"mentor.several_due", "desk.check_in_nobody"} <= {text for _, text in seen[0][2]}


def _asked(url: str, together: bool) -> tuple[list[Any], ...]:
    clock = SettableClock()
    store = open_store(url, clock, CATALOGUE)
    club = Club(store, clock).people()
    for number, more in enumerate(_kinds_of_members()):
        club.enrolled(f"A{number}-00", **more)
    club.changed(club.bea, by_text=True, quiet_from=time(20), quiet_to=time(7))
    club.store.run(wishes.stop, club.ann)
    clock.now += 8 * DAY
    due = asyncio.run(store.due_timers(clock.now, 100))
    wanted = [t for t in due if t.kind == reminders.DUE]
    if together:
        store.run(timers.fire_many, wanted)
    else:
        for timer in wanted:
            store.run(timers.fire, timer.id, timer.due_at)
    rows = store.run(lambda tx: tx.find(CheckIn))
    code = {e.id: e.code for e in store.run(lambda tx: tx.find(Enrolment))}
    waiting = club.timers()
    found = (
        sorted((code[c.enrolment_id or ""], c.due_at, c.asked_of, c.step, c.missed) for c in rows),
        sorted((t.kind, code[t.subject], t.due_at) for t in waiting if t.subject in code),
        sorted((who, text) for who, text in club.said()),
    )
    store.close()
    return found


def _kinds_of_members() -> list[dict[str, object]]:
    return [
        {},
        {"mentor_seat": "mentor-2", "backup_seat": None},
        {"mentor_seat": "mentor-1", "backup_seat": None},
        {"stand_in_seat": "mentor-2"},
        {"state": EnrolmentState.PAUSED},
        {"timezone": "Europe/Berlin"},
        {"days": (5,)},
    ]


def test_who_is_asked_in_a_batch_is_who_a_door_would_name(quick: Club) -> None:
    members = [quick.enrolled(f"A{n}-00", **more) for n, more in enumerate(_kinds_of_members())]
    answers = set()
    for wants_none in ((), (quick.ann,), (quick.ann, quick.bea)):
        for person_id in wants_none:
            quick.store.run(wishes.stop, person_id)
        wanted = [quick.store.run(_by_doors, member) for member in members]
        assert quick.store.run(_in_a_batch, members) == wanted
        answers |= {found and (found.step, found.person_id) for found in wanted}
    assert answers == {(1, quick.ann), (1, quick.bea), (3, quick.bea), None}


def _by_doors(tx: Tx, member: Enrolment) -> Asking | None:
    def hours(person_id: str) -> reminding.Hours | None:
        return reminding.hours_of(tx.get(Person, person_id), tx.now)

    return reminding.climb(0, member_keys.mentors_of(tx, member), hours)


def _in_a_batch(tx: Tx, members: list[Enrolment]) -> list[Asking | None]:
    seen = reminding._look(tx, members, {member.id: tx.now for member in members})
    return [seen.first[member.id] for member in members]


def test_buttons_that_thousands_share_name_the_one_check_in_by_buttons_and_by_text(quick: Club) -> None:
    member = quick.enrolled("A9-00")
    due = quick.clock.now
    check_in = quick.store.run(
        lambda tx: asking.begin(tx, member, asked_of=quick.ann, source=Source.REMINDER, due_at=due)
    )
    shared = quick.store.run(asking.reminder, check_in)
    told = Notice(quick.ann, "t", buttons=shared, slot="s", about=check_in.id)
    plain = (*quick.store.run(asking.buttons, check_in), asking.later(check_in.id))
    assert told.named().buttons == plain
    quick.deliveries()
    quick.store.run(lambda tx: tx.say_many([told]))
    assert [d.buttons for d in quick.deliveries()] == [plain]


def test_several_that_are_due_at_once_become_one_message(quick: Club) -> None:
    for number in range(3):
        quick.enrolled(f"A{number}-00", timezone="Asia/Bangkok")
    quick.store.run(wishes.set_quiet, quick.ann, time(12), time(9))
    quick.clock.now += 7 * DAY
    quick.passes(DAY)
    texts = [text for who, text in quick.said() if who == quick.ann]
    assert texts == ["mentor.several_due"]


# -- the mentor's own ------------------------------------------------------------------------------------


def test_once_a_month_a_mentor_is_asked_how_they_are_and_only_they_can_read_it(club: Club) -> None:
    club.store.run(timers.begin)
    heard = [(who, text) for who, text, _ in club.wait(32)]
    assert heard.count((club.ann, "form.wellbeing.state")) in (1, 2)
    asked = club.store.run(lambda tx: tx.find(CheckIn, seat_id="mentor-1", saved_at=None))
    assert [c.kind for c in asked] == [CheckInKind.WELLBEING]
    found = club.store.run(checkins.save, club.ann, asked[-1].id, {"state": "struggling"})
    assert found.said == "wellbeing.much"
    holders = club.store.run(lambda tx: tx.holders(asked[-1].record, DataClass.WELLBEING))
    assert holders == {person_holder(club.ann)}
    assert club.dao not in {who for who, _ in club.said()}  # nobody hears unless they press it
    with pytest.raises(NotFound):
        club.store.run(wellbeing.talk_with_desk, club.bea, asked[-1].id)
    club.store.run(wellbeing.talk_with_desk, club.ann, asked[-1].id)
    assert (club.dao, "desk.mentor_would_talk") in club.said()


def test_the_load_counts_members_and_those_stood_in_for(quick: Club) -> None:
    assert quick.store.run(wellbeing.load, quick.ann) == 1
    quick.enrolled("A1-00", stand_in_seat="mentor-2")
    assert (quick.store.run(wellbeing.load, quick.ann), quick.store.run(wellbeing.load, quick.bea)) == (1, 1)


def test_a_mentor_may_want_none_and_is_not_asked(quick: Club) -> None:
    quick.store.run(wishes.stop, quick.ann)
    quick.store.run(wellbeing.ask, "mentor-1")
    assert quick.store.run(lambda tx: tx.count(CheckIn, seat_id="mentor-1")) == 0
