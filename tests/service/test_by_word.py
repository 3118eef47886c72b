"""A need of a member, from the tick to the help: by word, on their own phone, and taken back with a code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from referrals import routing
from referrals.access import Action
from referrals.catalogue import ON_PAGE
from referrals.directory import SUPERVISING, OrganizationKind
from referrals.errors import BadAnswer, NotFound, TooOften, WrongStage
from referrals.members import Enrolment, WordReceipt
from referrals.model import AgeGroup, Consent, DataClass, Offer, Referral, Role, Stage, Urgency
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service import awaited
from referrals.service.by_word import word_consent
from referrals.service.common import doors
from referrals.service.help import working
from referrals.service.members import enrolments
from referrals.service.pages import PAGES
from referrals.service.people import people
from referrals.service.request import filing, needs, plans, word_checks
from referrals.service.request.filing import PlanChanged
from referrals.service.stewards import network
from referrals.service.turns import closing, offers
from tests.support.network import CATALOGUE, NETWORK, STEWARD, Small
from tests.support.store import SettableClock, open_store

SECONDS = timedelta(seconds=1)
HOUSING, HEALTH = "member.housing", "member.health"


class Club(Small):
    """The demo's network with a mentor, a backup, a worker and the desk at their posts."""

    def settle_in(self) -> None:
        self.mentor, self.backup = self.person(31, "mentor-1"), self.person(32, "mentor-2")
        self.worker, self.desk = self.person(41, "bua-1"), self.person(51, "desk-1")
        self.steward = self.person(61, "steward-1")
        self.member = self.store.run(lambda tx: tx.find(Enrolment, mentor_seat="mentor-1")[0])

    def ticks(self, *categories: str, by: str = "") -> tuple[Referral, ...]:
        return self.store.run(_tick, by or self.mentor, self.member.id, categories)

    def ticked(self, category: str = HOUSING) -> str:
        (found,) = self.ticks(category)
        return found.id

    def view(self, matter: str, **body: Any) -> Any:
        return self.store.run(PAGES["words"].view, self.mentor, matter, body)

    def hears_yes(self, matter: str, by: str = "", **more: Any) -> str:
        """Everything on the page is done as it should be; returns the receipt's code."""
        return self.store.run(_yes, by or self.mentor, matter, {**WISHES, **more}).receipt

    def referral_count(self) -> int:
        return self.store.run(lambda tx: tx.count(Referral))

    def serves(self, matter: str) -> str:
        """The partner is asked, takes it, has met them and says how it ended; returns its offer."""
        self.passes(10 * SECONDS)
        offer = self.at_partner(matter)
        self.store.run(offers.accept, self.worker, offer)
        self.store.run(working.contacted, self.worker, offer)
        self.store.run(working.report, self.worker, offer, "met")
        return offer


WISHES = {
    "area": "pattani-mueang",
    "urgency": "urgent",
    "language": "th",
    "age": "young",
    "exclude_organizations": ["family-office"],
    "read_out": True,
    "said_yes": True,
    "story": "a room near the market",
    "contact": "after six, 08 1234",
}


def _tick(tx: Tx, person_id: str, enrolment_id: str, categories: tuple[str, ...]) -> tuple[Referral, ...]:
    actor, enrolment = enrolments.mine(tx, person_id, enrolment_id)
    return needs.from_check_in(tx, actor, enrolment, categories)


def _yes(tx: Tx, person_id: str, matter: str, body: dict[str, Any]) -> Any:
    shown = PAGES["words"].steps["preview"](tx, person_id, matter, body)
    digest = shown.plan.consent_digest if shown.plan else ""
    return PAGES["words"].steps["yes"](tx, person_id, matter, {"consent_digest": digest, **body})


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def club(request: pytest.FixtureRequest) -> Iterator[Club]:
    clock = SettableClock()
    store = open_store(request.getfixturevalue(request.param), clock, CATALOGUE)
    club = Club(store, clock)
    club.settle_in()
    yield club
    store.close()


@pytest.fixture
def one(sqlite_url: str) -> Iterator[Club]:
    """The same on one database, where the rule does not touch what databases do differently."""
    with Club.opened(sqlite_url) as club:
        club.settle_in()
        yield club


def test_from_a_tick_to_help_and_a_confirmed_end(club: Club) -> None:
    matter = club.ticked()
    waiting = club.referral(matter)
    assert (waiting.stage, waiting.author_id) == (Stage.AWAITING_CONSENT, club.mentor)
    assert ("needs.waiting") in {text for who, text in club.said() if who == club.mentor}
    club.passes(timedelta(hours=3))
    assert club.live_offer(matter) is None, "nobody is asked before the yes"
    code = club.hears_yes(matter)
    assert len(code.split("-")) == 4
    offer = club.serves(matter)
    seen = club.store.run(PAGES["matter"].view, club.worker, offer, {})
    assert (seen.story, seen.contact) == (WISHES["story"], WISHES["contact"])
    assert seen.code != club.referral(matter).code
    assert seen.member == "", "a partner knows its own code alone"
    own = club.store.run(PAGES["matter"].view, club.mentor, matter, {})
    assert (own.member, own.story) == (club.member.code, WISHES["story"])
    ended = club.store.run(closing.helped, club.mentor, matter, True)
    assert (ended.stage, ended.confirmed) == (Stage.CLOSED, True)


def test_what_was_agreed_to_is_kept_with_its_words(one: Club) -> None:
    matter = one.ticked()
    one.hears_yes(matter)
    (given,) = one.store.run(lambda tx: tx.find(Consent, referral_id=matter))
    assert (given.language, given.witness_id) == ("th", one.mentor)
    assert CATALOGUE.words("consent.by_word", "th") in given.text
    assert one.referral(matter).age_group == "young"
    known = one.store.run(lambda tx: tx.directory.services)
    services = {known[s].organization_id for s in given.plan}
    assert "family-office" not in services, "an exclusion always wins"


@pytest.mark.parametrize("unticked", ["read_out", "said_yes"])
def test_both_are_ticked_or_nothing_is_filed(one: Club, unticked: str) -> None:
    matter = one.ticked()
    lacking: dict[str, Any] = {unticked: False}
    with pytest.raises(BadAnswer):
        one.hears_yes(matter, **lacking)
    assert one.referral(matter).stage is Stage.AWAITING_CONSENT


def test_words_that_were_not_shown_are_not_agreed_to(one: Club) -> None:
    with pytest.raises(PlanChanged):
        one.hears_yes(one.ticked(), consent_digest="of other words")


def test_one_open_need_is_one_matter(club: Club) -> None:
    first = club.ticked()
    again, other = club.ticks(HOUSING, HEALTH)
    assert (again.id, other.category) == (first, HEALTH)
    (still,) = club.ticks(HOUSING)
    assert still.id == first
    assert "needs.already" in {text for _, text in club.said()}
    club.store.run(word_consent.said_no, club.mentor, first)
    assert club.ticked() != first, "what has ended may be asked for again"


def test_a_need_that_no_chat_names_is_chosen_on_the_page(one: Club) -> None:
    assert HEALTH not in one.store.run(needs.in_chat)
    assert one.store.run(needs.in_chat)[-1] == ON_PAGE
    assert one.ticks(ON_PAGE) == ()
    shown = one.view(one.member.id)
    assert HEALTH in {choice.id for choice in shown.to_choose}
    then = one.store.run(PAGES["words"].steps["choose"], one.mentor, one.member.id, {"category": HEALTH})
    assert one.referral(then.go_on.removeprefix("words/")).category == HEALTH
    with pytest.raises(BadAnswer):
        one.store.run(
            PAGES["words"].steps["choose"], one.mentor, one.member.id, {"category": "family.visits"}
        )


def test_undo_takes_back_what_was_ticked_and_nothing_else(one: Club) -> None:
    earlier = one.ticked()
    one.clock.now += timedelta(minutes=1)
    saved_at = one.clock.now
    one.ticks(HEALTH, "work.job")
    one.store.run(_undo, one.mentor, one.member.id, saved_at)
    assert [r.id for r in one.store.run(lambda tx: tx.find(Referral))] == [earlier]
    assert not [t for t in one.timers() if t.kind == "consent_wait" and t.subject != earlier]


def _undo(tx: Tx, person_id: str, enrolment_id: str, saved_at: Any) -> None:
    actor, enrolment = enrolments.mine(tx, person_id, enrolment_id)
    needs.undone(tx, actor, enrolment, saved_at)


def test_a_day_later_one_nudge_and_after_a_week_it_is_over(club: Club) -> None:
    matter = club.ticked()
    club.said()
    club.passes(timedelta(hours=25))
    assert [text for _, text in club.said() if text.startswith("needs.")] == ["needs.still_waiting"]
    club.passes(timedelta(days=5))
    assert not [text for _, text in club.said() if text.startswith("needs.")]
    club.passes(timedelta(days=1))
    assert club.referral(matter).stage is Stage.EXPIRED
    assert "matter.expired" in {text for _, text in club.said()}
    with pytest.raises(NotFound):
        club.store.run(doors.desk_referral, club.desk, matter, Action.REFERRAL_READ)


def test_the_backup_may_hear_the_yes_and_then_it_is_theirs(one: Club) -> None:
    matter = one.ticked()
    assert one.hears_yes(matter, by=one.backup)
    assert one.referral(matter).author_id == one.backup
    with pytest.raises(NotFound):
        one.store.run(PAGES["matter"].view, one.mentor, matter, {})


@pytest.mark.parametrize("who", ["worker", "desk", "steward"])
def test_nobody_else_hears_a_yes(one: Club, who: str) -> None:
    matter = one.ticked()
    with pytest.raises(NotFound):
        one.store.run(word_consent.to_hear, getattr(one, who), matter)
    with pytest.raises(NotFound):
        one.store.run(doors.to_plan, one.mentor, matter)


def test_nobody_hears_a_yes_for_where_they_work(one: Club) -> None:
    one.store.run(_sits, "bua-2", one.mentor)
    matter = one.ticked()
    shown = one.view(matter, **WISHES)
    assert shown.left_out == ("Bua House",)
    assert "Bua House" not in {line.organization for line in shown.plan.plan}
    alone: dict[str, Any] = {"exclude_organizations": ["family-office", "two-rivers", "open-door"]}
    assert one.view(matter, **{**WISHES, **alone}).refused_key == "error.no_neutral_partner"
    with pytest.raises(word_consent.NoNeutralPartner):
        one.hears_yes(matter, **alone)


def _sits(tx: Tx, seat_id: str, person_id: str) -> None:
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    tx.save(replace(seat, person_id=person_id or None))


@pytest.mark.parametrize("kind", sorted(SUPERVISING))
def test_nobody_who_holds_or_supervises_hears_a_yes(one: Club, kind: OrganizationKind) -> None:
    there = [replace(o, kind=kind) if o.id == "old-bridge" else o for o in NETWORK.organizations]
    post = Seat("old-bridge-1", Role.WORKER, "old-bridge", None)
    file = replace(NETWORK, organizations=tuple(there), seats=(*NETWORK.seats, post))
    one.store.run(network.apply, STEWARD, file, network.digest(one.store.run(network.preview, file)))
    one.store.run(_sits, "old-bridge-1", one.mentor)
    matter = one.ticked()
    assert one.view(matter, **WISHES).refused_key == "error.may_not_witness"
    with pytest.raises(word_consent.MayNotWitness):
        one.hears_yes(matter)


def test_whoever_brings_the_code_takes_it_back_at_once(club: Club) -> None:
    matter = club.ticked()
    code = club.hears_yes(matter)
    club.passes(10 * SECONDS)
    offer = club.at_partner(matter)
    club.store.run(offers.accept, club.worker, offer)
    stranger = club.person(99)
    assert club.store.run(word_consent.withdraw_by_code, stranger, code.replace("-", " ").upper())
    assert club.referral(matter).stage is Stage.WITHDRAWN
    with pytest.raises(NotFound):
        club.store.run(PAGES["matter"].view, club.worker, offer, {})
    record = club.referral(matter).record
    held = club.store.run(lambda tx: tx.holders(record, DataClass.STORY))
    assert held == {f"person:{club.mentor}"}
    assert "matter.taken_back" in {text for who, text in club.said() if who == club.mentor}
    assert club.store.run(word_consent.withdraw_by_code, stranger, code), "brought twice it is still true"


@pytest.mark.parametrize("typed", ["lusab-babad-gutih-tugad", "", "x" * 300, "lusab", "🙂" * 80])
def test_a_code_that_leads_nowhere_gets_the_same_words(one: Club, typed: str) -> None:
    one.hears_yes(one.ticked())
    shown = one.store.run(PAGES["word"].steps["take_back"], one.person(99), "", {"code": typed})
    assert shown.said_key == "page.word.unknown"


def test_codes_are_not_guessed(one: Club) -> None:
    stranger = one.person(99)
    for _ in range(10):
        one.store.run(word_consent.withdraw_by_code, stranger, "lusab-babad-gutih-tugad")
    with pytest.raises(TooOften):
        one.store.run(word_consent.withdraw_by_code, stranger, "lusab-babad-gutih-tugad")


def test_a_code_that_was_not_written_down_has_others_beside_it(one: Club) -> None:
    matter = one.ticked()
    first = one.hears_yes(matter)
    more = {one.store.run(word_consent.another_code, one.mentor, matter) for _ in range(2)}
    assert len(more | {first}) == 3
    with pytest.raises(WrongStage):
        one.store.run(word_consent.another_code, one.mentor, matter)
    assert one.store.run(word_consent.withdraw_by_code, one.mentor, first)


def test_a_code_ends_a_closed_matters_yes_too(one: Club) -> None:
    matter = one.ticked()
    code = one.hears_yes(matter)
    one.serves(matter)
    one.store.run(closing.helped, one.mentor, matter, True)
    assert one.store.run(word_consent.withdraw_by_code, one.person(99), code)
    assert one.referral(matter).stage is Stage.CLOSED
    one.store.run(closing.reopen, one.mentor, matter)
    one.passes(timedelta(minutes=10))
    assert one.live_offer(matter) is None, "without a yes nobody is asked again"


def test_the_desk_asks_the_first_of_each_mentor_and_a_share_of_the_others(one: Club) -> None:
    asked = [one.store.run(_sampled_yes, one.mentor, one.member.id) for _ in range(60)]
    assert asked[0]
    assert 3 <= sum(asked[1:]) <= 30  # one in five


def _sampled_yes(tx: Tx, mentor: str, enrolment_id: str) -> bool:
    actor, enrolment = enrolments.mine(tx, mentor, enrolment_id)
    matter, _ = needs.file(tx, actor, enrolment, HOUSING)
    _yes(tx, mentor, matter.id, WISHES)
    (receipt,) = tx.find(WordReceipt, referral_id=matter.id)
    word_consent.said_no(tx, mentor, matter.id)
    return receipt.sampled


def test_a_yes_that_is_not_true_ends_at_once_and_a_steward_hears(club: Club) -> None:
    matter = club.ticked()
    club.hears_yes(matter)
    assert matter in {r.id for r in club.store.run(word_checks.open_ones)}
    shown = club.store.run(PAGES["matter"].view, club.desk, matter, {})
    assert (shown.contact, shown.story) == (WISHES["contact"], None)
    assert shown.steps[0].id == "check"
    club.passes(10 * SECONDS)
    after = club.store.run(word_checks.answer, club.desk, matter, "no")
    assert after.stage is Stage.WITHDRAWN
    assert (club.steward, "steward.yes_not_true") in club.said()
    record = word_checks.contact_record(matter)
    assert not club.store.run(lambda tx: tx.sealed_exists(record, DataClass.CONTACT))


def test_a_yes_that_is_true_goes_on_and_the_contact_goes(one: Club) -> None:
    matter = one.ticked()
    one.hears_yes(matter)
    one.store.run(word_checks.answer, one.desk, matter, "not_reached")
    one.said()
    one.passes(timedelta(days=3, minutes=1))
    assert "desk.ask_whether_true" in {text for _, text in one.said()}
    one.store.run(word_checks.answer, one.desk, matter, "yes")
    assert one.referral(matter).stage in (Stage.OFFERED, Stage.MATCHING, Stage.UNMATCHED)
    with pytest.raises(WrongStage):
        one.store.run(word_checks.answer, one.desk, matter, "no")
    assert one.store.run(PAGES["matter"].view, one.desk, matter, {}).contact is None


def test_whoever_heard_it_does_not_check_it(one: Club) -> None:
    one.store.run(_sits, "desk-2", one.mentor)
    matter = one.ticked()
    one.hears_yes(matter)
    with pytest.raises(NotFound):
        one.store.run(word_checks.answer, one.mentor, matter, "yes")


def test_on_their_own_phone_the_matter_becomes_theirs(club: Club) -> None:
    phone = club.person(77)
    club.store.run(_link, club.member.id, phone)
    matter = club.ticked()
    said = club.said()
    assert (phone, "member.page_waits") in said
    assert [ask.text for ask in club.store.run(awaited.of_person, phone)] == ["member.page_still_waits"]
    assert (club.mentor, "needs.phone") in said
    body = {k: WISHES[k] for k in ("area", "urgency", "story", "contact")}
    shown = club.store.run(PAGES["plan"].view, phone, matter, body)
    assert shown.no
    club.store.run(
        PAGES["plan"].steps["file"], phone, matter, {**body, "consent_digest": shown.consent_digest}
    )
    filed = club.referral(matter)
    assert (filed.author_id, filed.referrer_id) == (phone, club.mentor)
    club.serves(matter)
    heard = {text for who, text in club.said() if who == club.mentor}
    assert "mentor.moved_on" in heard
    assert not {text for text in heard if text.startswith("matter.")}, "never what"
    with pytest.raises(NotFound):
        club.store.run(PAGES["matter"].view, club.mentor, matter, {})
    with pytest.raises(NotFound):
        club.store.run(closing.helped, club.mentor, matter, True)
    assert club.store.run(closing.helped, phone, matter, True).confirmed


def _link(tx: Tx, enrolment_id: str, person_id: str) -> None:
    enrolment = tx.get(Enrolment, enrolment_id)
    assert enrolment is not None
    tx.save(replace(enrolment, person_id=person_id))


def test_an_age_that_their_phone_has_said_counts_for_what_a_mentor_proposes(club: Club) -> None:
    phone = club.person(77)
    club.store.run(_link, club.member.id, phone)
    club.store.run(people.choose_age_group, phone, "child")
    assert club.referral(club.ticked()).age_group is AgeGroup.CHILD, "only services vetted for children"


def test_on_their_own_phone_a_no_is_a_no(one: Club) -> None:
    phone = one.person(77)
    one.store.run(_link, one.member.id, phone)
    matter = one.ticked()
    with pytest.raises(NotFound):
        one.store.run(PAGES["plan"].view, one.person(78), matter, {})
    one.store.run(PAGES["plan"].steps["no"], phone, matter, {})
    assert one.referral(matter).stage is Stage.WITHDRAWN
    assert (one.mentor, "needs.said_no") in one.said()


def test_an_unmatched_matter_is_read_out_anew(one: Club) -> None:
    matter = one.ticked()
    one.hears_yes(matter, exclude_organizations=["family-office", "open-door", "two-rivers"])
    one.passes(10 * SECONDS)
    offer = one.at_partner(matter)
    one.store.run(offers.decline, one.worker, offer, "full")
    one.passes(10 * SECONDS)
    assert one.referral(matter).stage is Stage.UNMATCHED
    assert one.hears_yes(matter, exclude_organizations=[])
    assert one.referral(matter).stage is Stage.MATCHING


def test_past_its_date_no_code_does_anything(one: Club) -> None:
    matter = one.ticked()
    code = one.hears_yes(matter)
    one.store.run(closing.withdraw, one.mentor, matter)
    one.passes(timedelta(days=200))
    assert not one.store.run(lambda tx: tx.count(WordReceipt))
    assert not one.store.run(word_consent.withdraw_by_code, one.mentor, code)


def test_a_mentors_export_holds_nothing_of_a_member(one: Club) -> None:
    from referrals.service import mydata

    one.hears_yes(one.ticked())
    assert "matters" not in {line.what for line in one.store.run(mydata.held, one.mentor)}
    me = one.store.run(PAGES["me"].view, one.mentor, "", {})
    assert me.mine == ()
    assert [line.member for line in me.queue] == [one.member.code]


def test_a_blind_offer_in_a_chat_does_not_name_what_is_private(one: Club) -> None:
    assert CATALOGUE.in_chat(HEALTH) == "category.on_page"
    assert CATALOGUE.in_chat("work.job") == "category.work.job"


def test_nothing_leads_from_a_draft_of_a_mentor_to_an_offer(one: Club) -> None:
    """Whatever a mentor does without the member's yes, nobody is asked."""
    matter = one.ticked()
    wishes = plans.Wishes("pattani-mueang", Urgency.URGENT, routing.Exclusions())
    for attempt in (
        lambda tx: plans.plan_view(tx, one.mentor, matter, wishes),
        lambda tx: filing.file_request(tx, one.mentor, matter, filing.Filing(wishes, "")),
        lambda tx: closing.reopen(tx, one.mentor, matter),
        lambda tx: closing.helped(tx, one.mentor, matter, True),
    ):
        with pytest.raises((NotFound, WrongStage)):
            one.store.run(attempt)
    one.passes(timedelta(days=2))
    assert not one.store.run(lambda tx: tx.count(Offer))


def test_a_course_begins_from_work_that_is_under_way(one: Club) -> None:
    from referrals.members import Undertaking

    matter = one.ticked("work.tools")
    one.hears_yes(matter, exclude_organizations=["two-rivers"])
    one.passes(10 * SECONDS)
    offer = one.at_partner(matter)
    one.store.run(offers.accept, one.worker, offer)
    course = PAGES["matter"].steps["course"]
    assert "course" not in {s.id for s in one.store.run(PAGES["matter"].view, one.mentor, matter, {}).steps}
    with pytest.raises(WrongStage):
        one.store.run(course, one.mentor, matter, {"reason": "tailoring"})
    one.store.run(working.contacted, one.worker, offer)
    shown = one.store.run(PAGES["matter"].view, one.mentor, matter, {})
    (step,) = [s for s in shown.steps if s.id == "course"]
    one.store.run(course, one.mentor, matter, {"reason": step.choices[0].id})
    (begun,) = one.store.run(lambda tx: tx.find(Undertaking, enrolment_id=one.member.id))
    assert begun.referral_id == matter


def test_whoever_leaves_takes_no_members_matter_along(one: Club) -> None:
    from referrals.service import leaving

    matter = one.ticked()
    one.hears_yes(matter)
    one.store.run(_sits, "mentor-1", "")
    one.store.run(leaving.erase, one.mentor)
    one.passes(timedelta(minutes=30))
    left = one.referral(matter)
    assert left.stage not in (Stage.WITHDRAWN, Stage.CLOSED)
    assert left.author_id == one.backup
    with pytest.raises(NotFound):
        one.store.run(closing.withdraw, one.mentor, matter)
