"""A plan for hard days, and what is shared from it: by two people, under an agreement, and not for long.

Whatever a page would show or hide, the keys decide: each test asks the one door too. Possession on PostgreSQL
is tried over HTTP (tests/security/test_safety_over_http.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from referrals.directory import Agreement
from referrals.errors import BadAnswer, NoConsent, NotAllowed, NotFound, PinNeeded, PulangError, WrongStage
from referrals.members import Crisis, Danger, Enrolment, SafetyShare
from referrals.model import Actor, DataClass, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.alarm import crisis, safety_lists, safety_plans, safety_sharing
from referrals.service.alarm.safety_sharing import Wish
from referrals.service.lasting import ending
from referrals.service.members import enrolments
from referrals.service.pages import PAGES
from tests.support.network import CATALOGUE, Small

DAYS, HOURS = timedelta(days=1), timedelta(hours=1)
SECRET = "call my sister first"
WISH = Wish("bua-house", "life", "please look after the children tonight", with_plan=False)


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        yield net


class Cast:
    """Everybody who may come near a plan, and some who may not."""

    def __init__(self, net: Small) -> None:
        self.net = net
        self.mentor, self.backup = net.person(21, "mentor-1"), net.person(22, "mentor-2")
        self.dao, self.other = net.person(14, "desk-1"), net.person(15, "desk-2")
        self.steward, self.worker = net.person(31, "steward-1"), net.person(41, "bua-1")
        self.foreign, self.member = net.person(42, "two-rivers-1"), net.person(51)
        self.about = net.store.run(_of_mentor)
        self.net.said()

    def does(self, verb: Any, *args: Any) -> Any:
        return self.net.store.run(verb, *args)

    def page(self, name: str, person: str, subject: str) -> Any:
        return self.does(PAGES[name].view, person, subject, {})

    def step(self, name: str, step: str, person: str, subject: str, **body: object) -> Any:
        return self.does(PAGES[name].steps[step], person, subject, body)

    def written(self) -> None:
        self.does(safety_plans.write, self.mentor, self.about, {"helps": SECRET, "signs": "no sleep"})

    def alarm(self) -> Crisis:
        enrolment = self.does(lambda tx: tx.get(Enrolment, self.about))
        actor = Actor(self.mentor, Role.MENTOR)
        raised = self.does(crisis.raise_alarm, actor, enrolment, None, Danger.YES)
        held: Crisis = self.does(crisis.hold, self.dao, raised.id)
        self.net.said()
        return held

    def shared(self, wish: Wish = WISH) -> SafetyShare:
        asked = self.does(safety_sharing.ask, self.dao, self.about, wish)
        agreed: SafetyShare = self.does(safety_sharing.agree, self.steward, asked.id)
        return agreed

    def opens_plan(self, person: str) -> bool:
        return bool(self.does(_opens, person, safety_plans.record(self.about)))

    def told(self) -> set[tuple[str, str]]:
        return set(self.net.said())


@pytest.fixture
def cast(net: Small) -> Cast:
    return Cast(net)


def _of_mentor(tx: Tx) -> str:
    return next(e.id for e in tx.find(Enrolment) if e.mentor_seat == "mentor-1")


def _opens(tx: Tx, person: str, record: Any) -> bool:
    """Through the one door, as anybody they are."""
    actors = [Actor(person, Role.MEMBER)]
    actors += [Actor(person, s.role, s.organization_id) for s in tx.find(Seat, person_id=person)]
    for actor in actors:
        try:
            tx.open_sealed(actor, record, DataClass.SAFETY)
        except NotFound:
            continue
        return True
    return False


def _stand_in(tx: Tx, enrolment_id: str) -> str:
    enrolment = tx.get(Enrolment, enrolment_id)
    assert enrolment is not None
    later = tx.now + timedelta(days=7)
    tx.save(replace(enrolment, stand_in_seat="mentor-9", stand_in_until=later))
    return "mentor-9"


def _tied(tx: Tx, enrolment_id: str, person: str) -> None:
    enrolment = tx.get(Enrolment, enrolment_id)
    assert enrolment is not None
    tx.save(replace(enrolment, person_id=person))


# -- the plan ----------------------------------------------------------------------------------------


def test_whoever_holds_an_alarm_sees_whom_to_call_and_nobody_else_does(cast: Cast) -> None:
    assert cast.page("safety", cast.mentor, cast.about).mentors == ()
    cast.alarm()
    assert cast.page("safety", cast.dao, cast.about).mentors == ("mentor-1", "mentor-2")
    away = cast.does(_stand_in, cast.about)
    assert cast.page("safety", cast.dao, cast.about).mentors[0] == away
    assert cast.page("safety", cast.mentor, cast.about).mentors == ()


def test_a_plan_is_read_by_whom_it_is_for_and_nobody_else(cast: Cast) -> None:
    cast.written()
    cast.does(_tied, cast.about, cast.member)
    for person in (cast.mentor, cast.backup, cast.member):
        shown = cast.page("safety", person, cast.about)
        assert SECRET in [section.text for section in shown.sections]
        assert shown.may_write is (person != cast.member)
        assert cast.opens_plan(person)
    for person in (cast.dao, cast.other, cast.steward, cast.worker, cast.foreign):
        with pytest.raises((NotFound, NotAllowed)):
            cast.page("safety", person, cast.about)
        assert not cast.opens_plan(person)


def test_the_holder_of_an_open_alarm_reads_it_and_the_mentors_hear_of_it(cast: Cast) -> None:
    cast.written()
    held = cast.alarm()
    assert SECRET in [s.text for s in cast.page("safety", cast.dao, cast.about).sections]
    assert cast.told() == {(cast.mentor, "mentor.plan_opened"), (cast.backup, "mentor.plan_opened")}
    cast.page("safety", cast.dao, cast.about)
    assert not cast.told(), "once for an alarm"
    assert not cast.opens_plan(cast.other)
    cast.does(_handed_on, cast.about)
    assert cast.opens_plan(cast.dao), "a change of mentor takes nothing from whoever has the alarm"
    cast.does(crisis.handled, cast.dao, held.id)
    assert not cast.opens_plan(cast.dao)
    with pytest.raises(NotFound):
        cast.page("safety", cast.dao, cast.about)


def _handed_on(tx: Tx, enrolment_id: str) -> None:
    enrolment = tx.get(Enrolment, enrolment_id)
    assert enrolment is not None
    enrolments.settle(tx, enrolment)


def test_without_the_pin_it_says_nothing_and_is_not_written_over(cast: Cast) -> None:
    cast.written()

    def locked(tx: Tx, step: str) -> Any:
        tx.lock_reading()
        if step == "look":
            return PAGES["safety"].view(tx, cast.mentor, cast.about, {})
        return PAGES["safety"].steps["save"](tx, cast.mentor, cast.about, {"helps": "nothing"})

    shown = cast.does(locked, "look")
    assert shown.locked
    assert {section.text for section in shown.sections} == {None}
    assert not shown.may_write
    with pytest.raises(PinNeeded):
        cast.does(locked, "save")


def test_a_section_that_is_not_named_stays_and_no_section_is_too_long(cast: Cast) -> None:
    cast.written()
    shown = cast.step("safety", "save", cast.backup, cast.about, signs="", nonsense="x")
    texts = {section.id: section.text for section in shown.sections}
    assert (texts["signs"], texts["helps"], "nonsense" in texts) == ("", SECRET, False)
    with pytest.raises(BadAnswer):
        cast.step("safety", "save", cast.mentor, cast.about, signs="x" * 2001)


def test_every_90_days_the_mentor_is_asked_to_look_again(cast: Cast) -> None:
    cast.written()
    review = (cast.mentor, "mentor.plan_review")
    cast.net.passes(89 * DAYS)
    assert review not in cast.told()
    cast.net.passes(DAYS)
    assert review in cast.told()
    cast.net.passes(14 * DAYS)
    assert review in cast.told(), "and again, while nobody has"
    cast.step("safety", "same", cast.mentor, cast.about)
    cast.net.passes(89 * DAYS)
    assert review not in cast.told()


# -- sharing -----------------------------------------------------------------------------------------


def test_two_people_share_it_and_one_organisation_reads_it_for_72_hours(cast: Cast) -> None:
    cast.written()
    cast.alarm()
    asked = cast.does(safety_sharing.ask, cast.dao, cast.about, replace(WISH, with_plan=True))
    assert cast.told() == {(cast.steward, "steward.safety_asked")}
    assert not cast.does(_opens, cast.worker, asked.record)
    seen = cast.page("share", cast.steward, asked.id)
    assert (seen.told, [line.organization for line in seen.lines]) == (None, ["Bua House"])
    cast.step("share", "agree", cast.steward, asked.id, share=asked.id)
    assert {(cast.worker, "worker.safety"), (cast.dao, "desk.safety_agreed")} <= cast.told()
    read = cast.page("share", cast.worker, asked.id)
    assert (read.told, SECRET in [s.text for s in read.sections]) == (WISH.text, True)
    for person in (cast.foreign, cast.member, cast.other):
        with pytest.raises((NotFound, NotAllowed)):
            cast.page("share", person, asked.id)
        assert not cast.does(_opens, person, asked.record)
    assert not cast.does(_opens, cast.steward, asked.record), "a steward reads no word of it"
    cast.net.passes(72 * HOURS)
    _reads_nothing(cast, asked)


def _reads_nothing(cast: Cast, share: SafetyShare) -> None:
    with pytest.raises(NotFound):
        cast.page("share", cast.worker, share.id)
    assert not cast.does(_opens, cast.worker, share.record)
    assert not cast.opens_plan(cast.worker)


@pytest.mark.parametrize("how", ["the desk", "the steward", "false alarm", "suspended", "agreement"])
def test_it_ends_sooner_and_with_it_the_keys(cast: Cast, how: str) -> None:
    cast.written()
    held = cast.alarm()
    share = cast.shared(replace(WISH, with_plan=True))
    assert cast.opens_plan(cast.worker)
    if how == "the desk":
        cast.step("safety", "stop", cast.dao, cast.about, share=share.id)
    elif how == "the steward":
        cast.step("share", "stop", cast.steward, share.id, share=share.id)
    elif how == "false alarm":
        cast.does(crisis.was_false, cast.mentor, held.id)
    else:
        cast.does(_withdrawn, how)
    _reads_nothing(cast, share)


def _withdrawn(tx: Tx, how: str) -> None:
    if how == "suspended":
        organization = tx.directory.organizations["bua-house"]
        tx.save(replace(organization, suspended=True))
    else:
        for agreement in tx.find(Agreement, organization_id="bua-house"):
            tx.save(replace(agreement, ends_on=date(2026, 11, 1)))
    ending.review(tx, "bua-house")


def test_what_is_handled_ends_a_request_that_waits_and_not_what_is_read(cast: Cast) -> None:
    held = cast.alarm()
    open_one = cast.shared()
    waiting = cast.does(safety_sharing.ask, cast.dao, cast.about, WISH)
    cast.does(crisis.handled, cast.dao, held.id)
    with pytest.raises(WrongStage):
        cast.does(safety_sharing.agree, cast.steward, waiting.id)
    assert cast.page("share", cast.worker, open_one.id).told == WISH.text


def test_never_the_same_person_twice(cast: Cast) -> None:
    cast.net.person(14, "steward-1")  # the coordinator holds the steward's post as well
    cast.alarm()
    asked = cast.does(safety_sharing.ask, cast.dao, cast.about, WISH)
    with pytest.raises(NotAllowed):
        cast.does(safety_sharing.agree, cast.dao, asked.id)
    assert [step.id for step in cast.page("share", cast.dao, asked.id).lines[0].steps] == ["stop"]


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (replace(WISH, organization_id="two-rivers"), NoConsent),  # its agreement names no safety
        (replace(WISH, organization_id="nobody"), NoConsent),
        (replace(WISH, reason="because"), BadAnswer),
        (replace(WISH, silence="because"), BadAnswer),
        (replace(WISH, text=" "), BadAnswer),
        (replace(WISH, with_plan=True), BadAnswer),  # there is none
        (replace(WISH, text="x" * 2001), BadAnswer),
    ],
)
def test_what_cannot_be_asked_for(cast: Cast, wish: Wish, error: type[PulangError]) -> None:
    cast.alarm()
    with pytest.raises(error):
        cast.does(safety_sharing.ask, cast.dao, cast.about, wish)
    assert not cast.does(lambda tx: tx.count(SafetyShare))


def test_only_whoever_has_the_alarm_asks(cast: Cast) -> None:
    for person in (cast.dao, cast.other, cast.steward):
        with pytest.raises(NotFound):
            cast.does(safety_sharing.ask, person, cast.about, WISH)
    cast.alarm()
    with pytest.raises(NotFound):
        cast.does(safety_sharing.ask, cast.other, cast.about, WISH)
    with pytest.raises(PulangError):
        cast.does(safety_sharing.ask, cast.mentor, cast.about, WISH)


def test_the_person_is_told_by_phone_and_by_word(cast: Cast) -> None:
    cast.does(_tied, cast.about, cast.member)
    cast.alarm()
    cast.shared()
    assert {(cast.member, "home.safety_shared"), (cast.mentor, "mentor.safety_shared")} <= cast.told()
    for person in (cast.member, cast.mentor):
        assert [line.organization for line in cast.page("safety", person, cast.about).shared] == ["Bua House"]


def test_what_is_withheld_is_said_to_nobody_and_listed_to_the_stewards(cast: Cast) -> None:
    cast.does(_tied, cast.about, cast.member)
    cast.does(safety_lists.begin)
    cast.alarm()
    cast.shared(replace(WISH, silence="endangers_other"))
    told = cast.told()
    assert not {(cast.member, "home.safety_shared"), (cast.mentor, "mentor.safety_shared")} & told
    for person in (cast.member, cast.mentor):
        assert cast.page("safety", person, cast.about).shared == ()
    cast.net.passes(30 * DAYS)
    assert (cast.steward, "steward.safety_month") in cast.told()
    listed = cast.page("share", cast.steward, "").lines
    assert [line.silent_key for line in listed] == ["page.share.silent.endangers_other"]


def test_a_no_shares_nothing(cast: Cast) -> None:
    cast.alarm()
    asked = cast.does(safety_sharing.ask, cast.dao, cast.about, WISH)
    cast.told()
    cast.step("share", "refuse", cast.steward, asked.id, share=asked.id)
    assert (cast.dao, "desk.safety_refused") in cast.told()
    _reads_nothing(cast, asked)
    with pytest.raises(WrongStage):
        cast.does(safety_sharing.agree, cast.steward, asked.id)


def test_the_person_takes_home_what_they_may_know(cast: Cast) -> None:
    cast.written()
    cast.does(_tied, cast.about, cast.member)
    cast.alarm()
    cast.shared()
    cast.shared(replace(WISH, silence="endangers_other"))
    enrolment = cast.does(lambda tx: tx.get(Enrolment, cast.about))
    home = cast.does(safety_lists.taken_home, cast.member, enrolment, "en")
    assert f"What helps me: {SECRET}" in home["hard_days"]
    assert [line["organization"] for line in home["told"]] == ["Bua House"], "once: the other is withheld"


def test_every_section_has_a_heading_in_each_language() -> None:
    for question in CATALOGUE.forms[safety_plans.FORM].questions:
        for language in CATALOGUE.languages:
            key = f"page.safety.of.{question.id}"
            assert CATALOGUE.texts[language].get(key), key
