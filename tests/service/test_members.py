"""Members and their mentors: who looks after whom, who can open what, and how that changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from referrals import case_codes
from referrals.errors import (
    CannotTakeOn,
    NoCaseCode,
    NotFound,
    StaleButton,
    StaleLink,
    WrongCaseCode,
    WrongStage,
)
from referrals.members import CheckIn, CheckInKind, Enrolment, EnrolmentState, HandOver, Linking, SafetyPlan
from referrals.model import SYSTEM, AuditEntry, DataClass, Role, person_holder
from referrals.persons import Invitation, MentorProfile, Presence, Seat
from referrals.ports import Tx
from referrals.service import leaving, pages
from referrals.service.common import doors
from referrals.service.contact import caseload
from referrals.service.members import enrolling, enrolments, handing_members, linking, standing_in
from referrals.service.members.enrolling import Opening
from referrals.service.pages import link
from referrals.service.people import joining
from tests.support.chat import Chat
from tests.support.counted import asked_of
from tests.support.network import CATALOGUE, Small

DAYS = timedelta(days=1)
SECOND = timedelta(seconds=1)
WELLBEING = DataClass.WELLBEING
TOKEN = "a-token-of-128-bits-xx"


class Club(Small):
    """The demo's network with three mentors, the desk, and somebody in the programme."""

    def people(self) -> tuple[str, str, str, str]:
        self.store.run(lambda tx: tx.add(Seat("mentor-3", Role.MENTOR, None, None)))
        self.store.run(_not_in_the_file)
        self.ann, self.bea = self.person(41, "mentor-1"), self.person(42, "mentor-2")
        self.cid, self.dao = self.person(43, "mentor-3"), self.person(21, "desk-1")
        return self.ann, self.bea, self.cid, self.dao

    def member(self, mentor: str = "mentor-1", backup: str = "mentor-2", **more: str) -> Enrolment:
        opening = Opening(
            "return-home-club", "settled", "th", "pattani", "Asia/Bangkok", mentor, backup, **more
        )
        return self.store.run(enrolling.enrol, self.dao, opening)

    def now(self, enrolment: Enrolment) -> Enrolment:
        found = self.store.run(lambda tx: tx.get(Enrolment, enrolment.id))
        assert found is not None
        return found

    def written(self, enrolment: Enrolment, by: str) -> CheckIn:
        """A contact that was written down, and a safety plan."""
        return self.store.run(_written, enrolment.id, by)

    def readers(self, enrolment: Enrolment) -> set[str]:
        return self.store.run(_readers, enrolment.id)

    def pick(self, enrolment: Enrolment, by: str) -> Enrolment:
        return self.store.run(lambda tx: enrolments.mine(tx, by, enrolment.id)[1])


@pytest.fixture
def club(database_url: str) -> Iterator[Club]:
    with Club.opened(database_url) as found:
        found.people()
        yield found


@pytest.fixture
def quick(sqlite_url: str) -> Iterator[Club]:
    """On one database, where the rule is what is looked at."""
    with Club.opened(sqlite_url) as found:
        found.people()
        yield found


def test_the_desk_enrols_and_says_a_code_that_checks_itself(club: Club) -> None:
    them = club.member()
    assert case_codes.is_code(them.code)
    assert len(them.code) == 5
    assert them.id != them.code  # an id that tells nothing, for buttons and addresses
    heard = club.said()
    assert (club.ann, "member.new") in heard
    assert (club.bea, "member.new_backup") in heard
    assert any(t.id == f"check_in:{them.id}" for t in club.timers())


def test_a_member_is_known_to_their_mentors_and_to_nobody_else(club: Club) -> None:
    them = club.member()
    assert club.pick(them, club.ann) == club.pick(them, club.bea) == them
    for other in (club.cid, club.dao, club.person(77)):
        with pytest.raises(NotFound):
            club.pick(them, other)
    assert club.store.run(enrolments.mentors_of, them) == (club.ann, club.bea)


def test_a_wrong_code_says_which_was_meant_and_never_that_anothers_exists(quick: Club) -> None:
    them = quick.member()
    theirs = quick.member("mentor-3", "mentor-2")
    wrong = them.code[:-1] + next(s for s in case_codes.ALPHABET if s != them.code[-1])
    with pytest.raises(WrongCaseCode) as said:
        quick.store.run(enrolments.by_code, quick.ann, wrong.lower())
    assert said.value.params == {"typed": wrong, "meant": them.code}
    assert quick.store.run(enrolments.by_code, quick.ann, them.code.lower().replace("-", " ")) == them
    refusals = []
    for typed in (theirs.code, "A0-0Y"):
        with pytest.raises((NoCaseCode, WrongCaseCode)) as refused:
            quick.store.run(enrolments.by_code, quick.ann, typed)
        refusals.append(refused.value.code if theirs.code != refused.value.params.get("meant") else "told")
    assert refusals[0] == refusals[1] == "error.no_case_code"


def test_after_a_yes_the_new_mentor_reads_and_the_former_one_does_not(club: Club) -> None:
    them = club.member()
    club.written(them, club.ann)
    assert club.readers(them) == {club.ann, club.bea}
    row = club.store.run(_hand_over, club.ann, them.id, "mentor-3")
    assert club.readers(them) == {club.ann, club.bea}  # asked is not taken
    cid, ann = Chat(club, 43), Chat(club, 41)
    asked = cid.hears_at_last()
    assert asked.text == "member.asked_mentor"
    cid.presses(asked.button("button.yes"))
    assert club.readers(them) == {club.cid, club.bea}
    with pytest.raises(NotFound):
        club.pick(them, club.ann)
    assert cid.hears_at_last().text == "member.yours_now"
    assert ann.hears_at_last().text == "member.taken_mentor"
    cid.presses(asked.button("button.yes"))  # pressed twice it is one yes
    assert club.now(them).mentor_seat == "mentor-3"

    club.passes(4 * DAYS)  # nobody has said that they met: both are reminded
    assert ann.hears_at_last().text == "member.have_you_met"
    cid.presses(f"1:hand.met:{row.id}")
    assert cid.hears_at_last().text == "member.met"
    before = len(club.timers())
    club.passes(4 * DAYS)
    assert [h for h in ann.hears() if h.text == "member.have_you_met"] == []
    assert before


def test_a_no_leaves_everything_as_it_was(quick: Club) -> None:
    them = quick.member()
    quick.store.run(_hand_over, quick.ann, them.id, "mentor-3")
    cid, ann = Chat(quick, 43), Chat(quick, 41)
    asked = cid.hears_at_last()
    cid.presses(asked.button("button.no"))
    assert ann.hears_at_last().text == "member.not_taken"
    assert quick.now(them).mentor_seat == "mentor-1"
    assert cid.presses(asked.button("button.yes")).text == "error.stale_button"


def test_when_the_backup_becomes_mentor_another_backup_is_asked(quick: Club) -> None:
    them = quick.member()
    quick.store.run(_hand_over, quick.ann, them.id, "mentor-2")
    bea, cid = Chat(quick, 42), Chat(quick, 43)
    bea.presses(bea.hears_at_last().button("button.yes"))
    assert (quick.now(them).mentor_seat, quick.now(them).backup_seat) == ("mentor-2", None)
    # The former mentor knows them best, but was not the nearest in the file: whoever fits best is asked.
    waiting = quick.store.run(lambda tx: handing_members.waiting(tx, them))
    assert [row.to_seat for row in waiting] in (["mentor-1"], ["mentor-3"])
    who = Chat(quick, 41) if waiting[0].to_seat == "mentor-1" else cid
    who.presses(who.hears_at_last().button("button.yes"))
    assert quick.now(them).backup_seat == waiting[0].to_seat


@pytest.mark.parametrize("why", ["full", "gone", "off_duty", "conflict", "language", "self"])
def test_nobody_is_given_a_member_whom_they_cannot_take(quick: Club, why: str) -> None:
    them = quick.member()
    quick.store.run(_make_unfit, why, them)
    with pytest.raises(CannotTakeOn):
        quick.store.run(_hand_over, quick.ann, them.id, "mentor-1" if why == "self" else "mentor-3")
    assert quick.store.run(lambda tx: tx.count(HandOver)) == 0


def test_one_press_gives_everybody_a_stand_in_and_one_takes_them_back(club: Club) -> None:
    one, two = club.member(), club.member(backup="mentor-3")
    club.written(one, club.ann)
    ann = Chat(club, 41)
    ann.says("/members")
    listed = ann.hears_at_last()
    assert listed.text == "members.list"
    assert one.code in listed.params["lines"]
    ann.presses(listed.button("button.away"))
    ann.presses(ann.hears_at_last().button("button.weeks_2"))
    done = ann.hears_at_last()
    assert (done.text, done.params["count"]) == ("members.away_done", "2")
    assert club.store.run(enrolments.mentors_of, club.now(one)) == (club.bea,)
    assert club.store.run(enrolments.mentors_of, club.now(two)) == (club.cid,)
    assert club.readers(one) == {club.ann, club.bea}
    ann.presses(done.button("button.i_am_back"))
    assert club.store.run(enrolments.mentors_of, club.now(two)) == (club.ann, club.cid)
    assert club.now(one).stand_in_seat is None


def test_a_stand_in_reads_until_the_date_and_not_a_moment_longer(club: Club) -> None:
    them = club.member()
    club.written(them, club.ann)
    club.store.run(_stand_in, club.ann, them.id, "mentor-3", 7)
    assert club.readers(them) == {club.ann, club.bea, club.cid}
    assert club.store.run(enrolments.mentors_of, club.now(them)) == (club.cid, club.bea)
    club.clock.now += 7 * DAYS  # the timer has not fired yet: the door is shut all the same
    with pytest.raises(NotFound):
        club.pick(them, club.cid)
    club.passes(SECOND)
    assert club.readers(them) == {club.ann, club.bea}
    assert (club.cid, "member.stand_in_over") in club.said()


def test_a_post_that_becomes_empty_gives_its_members_to_the_backup(club: Club) -> None:
    them = club.member()
    club.written(them, club.ann)
    steward = club.person(31, "steward-1")
    club.said()
    club.store.run(pages.PAGES["posts"].steps["remove"], steward, "", {"seat": "mentor-1"})
    assert club.now(them).mentor_seat == "mentor-2"
    assert club.readers(them) == {club.bea}
    assert (club.bea, "member.with_you_now") in club.said()


def test_without_anybody_nobody_can_open_it_until_a_successor_comes(club: Club) -> None:
    them = club.member(backup="")
    club.written(them, club.ann)
    steward = club.person(31, "steward-1")
    club.said()
    club.store.run(pages.PAGES["posts"].steps["remove"], steward, "", {"seat": "mentor-1"})
    assert club.readers(them) == {enrolments.nobody(them)}
    assert (club.dao, "desk.nobody_looks_after") in club.said()
    newcomer = club.person(99)
    club.store.run(joining.invite, SYSTEM, "mentor-1", TOKEN)
    club.store.run(joining.ask, newcomer, TOKEN)
    short = club.store.run(lambda tx: joining.short(tx.find(Invitation, seat_id="mentor-1")[0]))
    club.store.run(joining.confirm, club.dao, short)
    assert club.readers(them) == {newcomer}


def test_a_pause_is_quiet_and_ends_by_itself(quick: Club) -> None:
    them = quick.member()
    until = quick.clock.now + 40 * DAYS
    quick.store.run(_pause, quick.ann, them.id, until)
    quick.said()
    quick.passes(37 * DAYS)
    assert [text for _, text in quick.said() if text.startswith("mentor.check")] == []
    quick.passes(2 * DAYS)
    assert (quick.ann, "member.pause_ends") in quick.said()
    quick.passes(2 * DAYS)
    assert quick.now(them).active
    assert any(t.id == f"check_in:{them.id}" for t in quick.timers())


def test_whoever_leaves_is_not_asked_about_and_comes_back_as_they_were(club: Club) -> None:
    them = club.member()
    club.written(them, club.ann)
    club.store.run(_leave, club.ann, them.id)
    club.passes(SECOND)
    club.said()
    club.passes(60 * DAYS)
    assert [text for _, text in club.said() if text.startswith("mentor.check")] == []
    with pytest.raises(WrongStage):
        club.store.run(enrolments.active, club.ann, them.id)
    club.store.run(_come_back, club.ann, them.id)
    back = club.now(them)
    assert (back.code, back.phase, back.state) == (them.code, them.phase, EnrolmentState.ACTIVE)
    assert club.readers(them) == {club.ann, club.bea}


def test_a_year_after_somebody_left_nothing_of_them_is_kept(quick: Club) -> None:
    them = quick.member()
    quick.written(them, quick.ann)
    quick.store.run(_leave, quick.ann, them.id)
    quick.store.run(lambda tx: tx.set_timer("sweep", "daily", tx.now))
    quick.passes(430 * DAYS)
    assert quick.store.run(lambda tx: tx.get(Enrolment, them.id)) is None
    assert quick.store.run(lambda tx: tx.get(SafetyPlan, them.id)) is None


def test_a_members_own_phone_is_tied_by_two_yeses(club: Club) -> None:
    them = club.member()
    club.store.run(linking.make, club.ann, them.id, TOKEN)
    mali, ann = Chat(club, 55), Chat(club, 41)
    mali.says(f"/start m-{TOKEN}")
    invited = mali.hears_at_last()
    assert invited.text == "link.invited"
    assert club.now(them).person_id is None  # looking uses nothing up
    mali.presses(invited.button("button.tie"))
    waiting, asked = mali.hears_at_last(), ann.hears_at_last()
    assert (waiting.text, asked.text) == ("link.waiting", "link.is_it_them")
    assert waiting.params["check"] == asked.params["check"]
    with pytest.raises(StaleLink):
        club.store.run(linking.take, club.person(56), TOKEN)  # a stranger who saw the link
    ann.presses(asked.button("button.it_is_them"))
    assert club.now(them).person_id == mali.person
    assert Role.MEMBER in club.store.run(doors.roles_of, mali.person)
    tied = mali.hears_at_last()
    mali.presses(tied.button("button.untie"))
    assert club.now(them).person_id is None
    assert Role.MEMBER not in club.store.run(doors.roles_of, mali.person)
    assert ann.hears_at_last().text == "link.was_untied"


def test_a_yes_on_the_page_leaves_no_question_in_the_chat(quick: Club) -> None:
    them = quick.member()
    quick.store.run(linking.make, quick.ann, them.id, TOKEN)
    quick.store.run(linking.take, quick.person(55), TOKEN)
    assert Chat(quick, 41).hears_at_last().text == "link.is_it_them"
    quick.store.run(link.confirm, quick.ann, them.id, {})
    assert quick.now(them).person_id == quick.person(55)
    assert "link.is_it_them" not in [heard.text for heard in Chat(quick, 41).hears()]


def test_a_link_that_nobody_confirms_ends_after_a_day(quick: Club) -> None:
    them = quick.member()
    quick.store.run(linking.make, quick.ann, them.id, TOKEN)
    quick.store.run(linking.take, quick.person(55), TOKEN)
    quick.passes(timedelta(hours=25))
    assert quick.store.run(lambda tx: tx.count(Linking)) == 0
    with pytest.raises(StaleButton):
        quick.store.run(linking.confirm, quick.ann, "0" * 16)


def test_a_mentor_cannot_be_the_member_whom_they_accompany(quick: Club) -> None:
    them = quick.member()
    quick.store.run(linking.make, quick.ann, them.id, TOKEN)
    with pytest.raises(StaleLink):
        quick.store.run(linking.take, quick.bea, TOKEN)


def test_whoever_deletes_themselves_leaves_the_member_with_the_mentor(quick: Club) -> None:
    them = quick.member()
    mali = quick.person(55)
    quick.store.run(lambda tx: tx.save(replace(_locked(tx, them.id), person_id=mali)))
    quick.store.run(leaving.erase, mali)
    assert (quick.now(them).person_id, quick.now(them).active) == (None, True)


def test_a_full_caseload_stays_within_a_kilobyte(quick: Club) -> None:
    quick.store.run(lambda tx: tx.add(MentorProfile("mentor-1", (), (), most=50)))
    for _ in range(40):
        quick.member(backup="")
    ann = Chat(quick, 41)
    for language in ("en", "th"):
        quick.store.run(_speaks, quick.ann, language)
        ann.says("/members")
        heard = ann.hears_at_last()
        words = CATALOGUE.words(heard.text, language, **heard.params)
        assert len(words.encode()) <= 1024
        begin = [b for row in heard.buttons for b in row if b.text == "button.member"]
        assert len(begin) == 8


def _not_in_the_file(tx: Tx) -> None:
    """The demo's own members and profiles make way, so that a test sees only its own."""
    for enrolment in tx.find(Enrolment):
        tx.clear_timers(enrolment.id)
        tx.remove(enrolment)
    for profile in tx.find(MentorProfile):
        tx.remove(profile)


def _written(tx: Tx, enrolment_id: str, by: str) -> CheckIn:
    row = CheckIn(
        tx.new_id(), CheckInKind.MEMBER, enrolment_id, tx.now, by, "check-in", 1,
        saved_at=tx.now, saved_by=by, day=tx.now.date(),
    )  # fmt: skip
    tx.add(row)
    tx.seal(row.record, WELLBEING, "answers", "{}", [person_holder(by)])
    plan = SafetyPlan(enrolment_id, by, tx.now)
    tx.add(plan)
    tx.seal(plan.record, DataClass.SAFETY, "signs", "a sign", [person_holder(by)])
    for written in (f"check_in:{row.id}", f"safety_plan:{plan.id}"):
        tx.audit(AuditEntry(SYSTEM, "check_in:write", written, "by a test"))
    enrolments.settle(tx, _locked(tx, enrolment_id))
    return row


def _readers(tx: Tx, enrolment_id: str) -> set[str]:
    """Who holds the keys of everything that was written: the same people for each record, or it fails."""
    plan = tx.get(SafetyPlan, enrolment_id)
    assert plan is not None
    holders = [
        tx.holders(c.record, WELLBEING) for c in tx.find(CheckIn, enrolment_id=enrolment_id) if c.saved_at
    ]
    assert set(holders) == {tx.holders(plan.record, DataClass.SAFETY)}
    return {holder.removeprefix("person:") for holder in holders[0]}


def _locked(tx: Tx, enrolment_id: str) -> Enrolment:
    found = tx.get(Enrolment, enrolment_id, lock=True)
    assert found is not None
    return found


def _hand_over(tx: Tx, by: str, enrolment_id: str, seat: str) -> HandOver:
    actor, enrolment = enrolments.active(tx, by, enrolment_id)
    return handing_members.hand_over(tx, actor, enrolment, seat)


def _stand_in(tx: Tx, by: str, enrolment_id: str, seat: str, days: int) -> Enrolment:
    actor, enrolment = enrolments.active(tx, by, enrolment_id)
    return standing_in.stand_in(tx, actor, enrolment, seat, tx.now + days * DAYS)


def test_forty_members_cost_no_more_looks_than_four(quick: Club) -> None:
    quick.store.run(lambda tx: tx.add(MentorProfile("mentor-1", (), (), most=50)))
    looks = []
    for more in (4, 36):
        for _ in range(more):
            quick.member()
        quick.passes(timedelta(days=35))  # every one of them is late
        lines = quick.store.run(caseload.of, quick.ann)
        assert all(line.late and line.mine for line in lines)
        looks.append(quick.store.run(asked_of, lambda tx: caseload.of(tx, quick.ann)))
    assert looks[1] == looks[0] < 12


def _pause(tx: Tx, by: str, enrolment_id: str, until: object) -> Enrolment:
    actor, enrolment = enrolments.active(tx, by, enrolment_id)
    return enrolments.pause(tx, actor, enrolment, until)  # type: ignore[arg-type]


def _speaks(tx: Tx, person_id: str, language: str) -> None:
    tx.save(replace(doors.person_by_id(tx, person_id), language=language))


def _leave(tx: Tx, by: str, enrolment_id: str) -> Enrolment:
    return enrolments.leave(tx, *enrolments.mine(tx, by, enrolment_id))


def _come_back(tx: Tx, by: str, enrolment_id: str) -> Enrolment:
    return enrolments.come_back(tx, *enrolments.mine(tx, by, enrolment_id))


def _make_unfit(tx: Tx, why: str, them: Enrolment) -> None:
    seat = tx.get(Seat, "mentor-3")
    assert seat is not None
    assert seat.person_id is not None
    if why == "off_duty":
        tx.save(replace(seat, on_duty=False))
    elif why == "gone":
        tx.save(replace(doors.person_by_id(tx, seat.person_id), presence=Presence.BLOCKED))
    elif why == "full":
        tx.add(MentorProfile("mentor-3", (), (), most=1))
        tx.add(replace(them, id="x", code="X", mentor_seat="mentor-3"))
    elif why == "conflict":
        tx.add(MentorProfile("mentor-3", (), (), not_with=(them.code,)))
    elif why == "language":
        tx.add(MentorProfile("mentor-3", ("en",), ()))
