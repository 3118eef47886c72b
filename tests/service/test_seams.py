"""Where two verbs meet: what one of them ends, and the other takes back, corrects or passes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta

import pytest

from referrals.access import Action
from referrals.catalogue import Catalogue
from referrals.catalogue_parsing import parse_catalogue
from referrals.errors import ConfigurationError, NotFound
from referrals.members import CheckIn, Crisis, Danger, Enrolment, Part
from referrals.ports import Tx
from referrals.service.alarm import crisis
from referrals.service.common import tell
from referrals.service.contact import checkins, own_checkins, wishes
from referrals.service.members import enrolments, handing_members, linking, reminders, standing_in
from referrals.service.programme import evenings, meetings, phases, versions
from referrals.service.request import needs
from tests.rules.test_catalogue_parsing import files
from tests.service.test_reminders import BANGKOK, DAY, HOUR, MET, TRIED, Club
from tests.support.network import CATALOGUE, STEWARD
from tests.support.store import SettableClock, open_store

MINUTE = timedelta(minutes=1)


@pytest.fixture
def club(sqlite_url: str) -> Iterator[Club]:
    with Club.opened(sqlite_url) as net:
        yield net.people()


def row(club: Club, check_in: CheckIn) -> CheckIn:
    found = club.store.run(lambda tx: tx.get(CheckIn, check_in.id))
    assert found is not None
    return found


def answered(club: Club, *answers: dict[str, str]) -> str:
    """One contact after the other as it comes due; the id of the last."""
    last = ""
    for given in answers:
        last = club.due().id
        club.store.run(checkins.save, club.ann, last, given)
    return last


def asked_again(club: Club, days: float) -> list[str]:
    return [
        text for who, text, _ in club.wait(days) if text.startswith(("mentor.check_in", "mentor.several"))
    ]


# -- late, and taken back ------------------------------------------------------------------------------


def test_a_contact_of_long_before_the_reminder_does_not_answer_it(club: Club) -> None:
    due = club.due()
    club.said()
    today = club.clock.now.astimezone(BANGKOK).date()
    club.store.run(checkins.late, club.ann, club.member.id, today - 5 * DAY, MET)
    assert [c.id for c in club.open()] == [due.id], "it is still asked for"
    assert "mentor.check_in_still_due" in asked_again(club, 2)


def test_a_correction_that_somebody_was_reached_ends_the_count_of_tries(club: Club) -> None:
    last = answered(club, TRIED, TRIED, TRIED)
    club.store.run(checkins.correct, club.ann, last, MET)
    heard = [text for _, text, _ in club.wait(2)]
    assert "mentor.not_reached" not in heard
    assert "desk.not_reached" not in heard


def test_a_correction_that_nobody_was_reached_counts(club: Club) -> None:
    last = answered(club, TRIED, TRIED, MET)
    club.store.run(checkins.correct, club.ann, last, TRIED)
    assert (club.bea, "mentor.not_reached") in [(who, text) for who, text, _ in club.wait(0.5)]


@pytest.mark.parametrize("slip", [MET, TRIED])
def test_a_slip_that_was_taken_back_leaves_the_count_of_tries_as_it_was(
    club: Club, slip: dict[str, str]
) -> None:
    last = answered(club, TRIED, TRIED, slip)
    club.store.run(checkins.undo, club.ann, last)
    club.passes(2 * MINUTE)
    club.store.run(checkins.save, club.ann, last, TRIED)
    assert (club.bea, "mentor.not_reached") in [(who, text) for who, text, _ in club.wait(0.5)]


def test_a_correction_to_danger_now_wakes_the_desk_anew(club: Club) -> None:
    check_in = club.due()
    hard = {"means": "call", "state": "crisis", "danger": "no"}
    club.store.run(checkins.save, club.ann, check_in.id, hard)
    (alarm,) = club.store.run(lambda tx: tx.find(Crisis))
    club.store.run(crisis.hold, club.dao, alarm.id)
    club.store.run(crisis.handled, club.dao, alarm.id)
    club.said()
    club.store.run(checkins.correct, club.ann, check_in.id, {**hard, "danger": "yes"})
    assert (club.dao, "desk.crisis_now") in club.said()
    assert [c.danger for c in club.store.run(lambda tx: tx.find(Crisis, ended_at=None))] == [Danger.YES]


def test_a_club_evening_that_was_taken_back_leaves_the_reminder_that_it_ended(club: Club) -> None:
    key = ""
    while not key:  # until an evening of the club comes while the contact is due
        club.passes(6 * HOUR)
        day = max((c.due_at.astimezone(BANGKOK).date() for c in club.open()), default=None)
        keys = club.store.run(evenings.latest, club.ann)
        key = next((k for k in keys if day and meetings.day_of(k) >= day), "")
    found = club.store.run(meetings.group, club.ann, key)
    before = [c.id for c in club.open()]
    club.store.run(meetings.save, club.ann, key, found.digest, "1", "good")
    assert club.open() == [], "whoever was there was met"
    club.store.run(meetings.undo, club.ann, key)
    assert [c.id for c in club.open()] == before
    assert "mentor.check_in_still_due" in asked_again(club, 1.5)


# -- a member's own phone ------------------------------------------------------------------------------


def tied(club: Club, person_id: str) -> Enrolment:
    asks = next(p for p in CATALOGUE.programmes["return-home-club"].phases if p.own_form)

    def tie(tx: Tx) -> Enrolment:
        member = tx.get(Enrolment, club.member.id)
        assert member is not None
        saved = tx.save(replace(member, person_id=person_id, phase=asks.id))
        reminders.schedule_next(tx, saved)
        return saved

    club.member = club.store.run(tie)
    return club.member


def test_an_own_answer_that_was_taken_back_does_not_swallow_the_mentors_reminder(club: Club) -> None:
    own = club.person(501)
    member = tied(club, own)
    due_at = next(t.due_at for t in club.timers() if (t.kind, t.subject) == ("check_in", member.id))
    club.passes(due_at - club.clock.now - 2 * HOUR)
    asked = club.store.run(own_checkins.ask, member)
    assert asked is not None
    club.store.run(checkins.save, own, asked.id, {"state": "well"})
    club.store.run(checkins.undo, own, asked.id)
    club.said()
    assert "mentor.check_in_due" in [text for who, text, _ in club.wait(0.5) if who == club.ann]


def test_a_member_is_asked_within_their_own_hours_and_days(club: Club) -> None:
    own = club.person(501)
    tied(club, own)
    club.store.run(wishes.set_quiet, own, time(17), time(9))
    club.said()
    heard = [
        at.astimezone(BANGKOK).time() for who, text, at in club.wait(15) if who == own and "form." in text
    ]
    assert heard
    assert all(time(9) <= at < time(17) for at in heard), heard


# -- alarms ------------------------------------------------------------------------------------------------


def test_an_alarm_goes_on_to_whoever_has_the_member_now(club: Club) -> None:
    club.store.run(crisis.raise_from_home, club.ann, club.member.id)
    club.said()
    club.store.run(_given_to_bea, club)
    club.passes(16 * MINUTE)
    heard = [d for d in club.deliveries() if d.text == "mentor.nobody_yet_call"]
    assert {d.person_id for d in heard} == {club.ann, club.bea}
    assert all(d.buttons == () for d in heard), "neither could press it"


def test_who_raised_it_about_somebody_who_left_can_still_say_that_it_was_none(club: Club) -> None:
    alarm = club.store.run(crisis.raise_from_home, club.ann, club.member.id)
    club.store.run(enrolments.leave, *club.store.run(enrolments.mine, club.ann, club.member.id))
    assert club.store.run(crisis.was_false, club.ann, alarm.id).ended_at is not None
    with pytest.raises(NotFound):
        club.store.run(crisis.raise_from_home, club.ann, club.member.id)


def test_nobody_is_asked_to_take_on_somebody_who_left(club: Club) -> None:
    actor, member = club.store.run(enrolments.mine, club.ann, club.member.id)
    club.store.run(handing_members.hand_over, actor, member, "mentor-2", Part.MENTOR)
    club.store.run(enrolments.leave, *club.store.run(enrolments.mine, club.ann, club.member.id))
    assert [text for _, text, _ in club.wait(5) if text.startswith("member.")] == []


# -- standing in -----------------------------------------------------------------------------------------


def test_whoever_stands_in_is_reminded_of_a_need_that_waits_for_a_yes(club: Club) -> None:
    def tick(tx: Tx) -> None:
        actor, member = enrolments.mine(tx, club.ann, club.member.id)
        needs.from_check_in(tx, actor, member, needs.categories(tx)[:1])
        standing_in.stand_in(tx, actor, member, "mentor-2", tx.now + 7 * DAY)

    club.store.run(tick)
    club.said()
    assert [who for who, text, _ in club.wait(1.2) if text == "needs.still_waiting"] == [club.bea]


@pytest.mark.parametrize("about", ["needs", "own", "unreached", "moved", "phase"])
def test_nothing_about_a_member_waits_for_whoever_gave_them_away(club: Club, about: str) -> None:
    slot = f"{about}:{club.member.id}"
    club.store.run(lambda tx: tell.tell(tx, club.ann, "mentor.own_word", {"code": "K7-29"}, slot=slot))
    club.store.run(_given_to_bea, club)
    assert "mentor.own_word" not in club.told(club.ann)


def _given_to_bea(tx: Tx, club: Club) -> None:
    actor, member = enrolments.mine(tx, club.ann, club.member.id)
    after = replace(member, mentor_seat="mentor-2", backup_seat=None)
    enrolments.change(tx, actor, after, Action.MEMBER_HAND_OVER, "given")


def test_a_form_half_answered_is_of_no_use_to_whoever_gave_the_member_away(club: Club) -> None:
    check_in = club.due()
    club.said()
    club.store.run(_given_to_bea, club)
    with pytest.raises(NotFound):
        club.store.run(checkins.save, club.ann, check_in.id, MET)
    assert row(club, check_in).asked_of == club.bea
    heard = [(who, text) for who, text, _ in club.wait(0.2)]
    assert [who for who, text in heard if text.startswith("mentor.check_in")] == [club.bea]


# -- wishes, and what waits ------------------------------------------------------------------------------


def test_stop_reaches_what_waits_for_the_morning(club: Club) -> None:
    club.store.run(wishes.set_quiet, club.ann, time(17), time(9))
    club.due()
    club.store.run(wishes.stop, club.ann)
    assert [text for who, text, _ in club.wait(2) if who == club.ann and "check_in" in text] == []


def test_the_backup_hears_of_three_tries_in_their_own_hours(club: Club) -> None:
    answered(club, TRIED, TRIED, TRIED)
    club.store.run(wishes.set_quiet, club.bea, time(17), time(9))
    heard = [at.astimezone(BANGKOK).time() for _, text, at in club.wait(2) if text == "mentor.not_reached"]
    assert [time(9) <= at <= time(10) for at in heard] == [True]


def test_once_somebody_was_reached_nobody_is_asked_to_try_any_more(club: Club) -> None:
    club.store.run(wishes.set_quiet, club.bea, time(17), time(9))
    answered(club, TRIED, TRIED, TRIED)
    club.passes(2 * MINUTE)
    club.store.run(checkins.save, club.ann, club.member.id, MET)
    assert {"mentor.not_reached", "desk.not_reached"}.isdisjoint({text for _, text, _ in club.wait(3)})


def test_the_desk_hears_that_what_was_missed_has_been_made_up_for(club: Club) -> None:
    club.due()
    club.wait(3.5)
    assert club.open() == []
    club.store.run(checkins.save, club.ann, club.member.id, MET)
    assert (club.dao, "desk.handled") in club.said()


def evening(club: Club) -> None:
    """The evening of a club has come; nothing of it was sent yet."""
    club.store.run(phases.follow, club.member.id)
    (timer,) = [
        timer for timer in club.timers() if timer.kind == "meeting" and "/club-evening/" in timer.subject
    ]
    club.passes(timer.due_at - club.clock.now - MINUTE)
    club.said()
    club.passes(2 * MINUTE)


def test_a_club_evening_is_asked_about_in_a_mentors_own_hours(club: Club) -> None:
    club.store.run(wishes.set_quiet, club.ann, time(17), time(9))
    evening(club)
    assert "group.ask" not in club.told(club.ann)
    club.passes(15 * HOUR)
    assert "group.ask" in club.told(club.ann)


def test_a_club_evening_that_an_outage_held_into_the_night_is_not_asked_about(club: Club) -> None:
    club.store.run(wishes.set_quiet, club.ann, time(22), time(9))
    evening(club)
    club.clock.now += 8 * HOUR  # nothing could be sent meanwhile
    assert "group.ask" not in club.told(club.ann)


def test_whoever_said_stop_is_not_asked_about_a_club_evening(club: Club) -> None:
    club.store.run(wishes.stop, club.ann)
    evening(club)
    assert "group.ask" not in club.told(club.ann)


@pytest.mark.parametrize("how", ["untied", "left"])
def test_ones_own_words_stay_ones_own(club: Club, how: str) -> None:
    own = club.person(501)
    member = tied(club, own)
    asked = club.store.run(own_checkins.ask, member)
    assert asked is not None
    club.store.run(checkins.save, own, asked.id, {"state": "well"})
    if how == "untied":
        club.store.run(linking.untie, club.ann, member.id)
    else:
        club.store.run(enrolments.leave, *club.store.run(enrolments.mine, club.ann, member.id))
    assert [said["how"] for said in club.store.run(own_checkins.said_by, own)] == ["well"]


# -- a programme's forms ---------------------------------------------------------------------------------


def other_form(*, gone: bool) -> Catalogue:
    """Version 2, in which every phase names another form; `gone`: the old form's file is taken away."""
    texts = files()
    texts["forms/other.toml"] = texts["forms/check-in.toml"].replace('id = "check-in"', 'id = "other"')
    for name in ("programmes/return-home-club.toml", "programmes/first-90-days.toml"):
        asked = texts[name].replace("\nversion = 1\n", "\nversion = 2\n")
        texts[name] = asked.replace("[[phase]]\n", '[[phase]]\nform = "other"\n')
    if gone:
        del texts["forms/check-in.toml"]
    return replace(parse_catalogue(texts), texts=CATALOGUE.texts)


def test_a_form_that_people_in_an_older_version_are_asked_by_is_missed_at_the_start(sqlite_url: str) -> None:
    clock = SettableClock()
    store = open_store(sqlite_url, clock, CATALOGUE)
    Club(store, clock).people().store.run(versions.begin)
    store.close()
    with pytest.raises(ConfigurationError) as refused:
        open_store(sqlite_url, clock, other_form(gone=True))
    assert "forms/check-in.toml" in str(refused.value)
    assert "put it back" in str(refused.value)


def test_what_was_asked_by_a_form_that_is_gone_is_asked_by_todays(sqlite_url: str) -> None:
    clock = SettableClock()
    store = open_store(sqlite_url, clock, CATALOGUE)
    club = Club(store, clock).people()
    store.run(versions.begin)
    asked = club.due()
    club.said()
    store.close()
    store = open_store(sqlite_url, clock, other_form(gone=False))
    store.run(versions.begin)
    for programme in CATALOGUE.programmes:
        for group in store.run(versions.preview, programme, {}).groups:
            store.run(versions.apply_some, STEWARD, group, programme, {})
    store.run(versions.daily, "")
    store.close()
    club.store = open_store(sqlite_url, clock, other_form(gone=True))
    assert "mentor.check_in_still_due" in asked_again(club, 1.5)
    (again,) = club.open()
    assert (again.form, again.due_at, again.id == asked.id) == ("other", asked.due_at, False)
    club.store.run(checkins.save, club.ann, again.id, MET)
    assert asked_again(club, 3) == []
    club.store.close()
