"""Complaints: those they are about see nothing, hear nothing and decide nothing, whoever they are."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from referrals import consent
from referrals.errors import BadAnswer, NotFound, PulangError
from referrals.lifecycle import ENDED
from referrals.model import Actor, DataClass, Outcome, Referral, Role, Stage, Urgency
from referrals.persons import Seat
from referrals.ports import Dead, Tx, Undelivered
from referrals.routing import Line
from referrals.service.common import complaints, doors
from referrals.service.desk import desk, desk_queues, undelivered
from referrals.service.help import appointment_answers, appointments, attempts, threads, working
from referrals.service.joint import transfers
from referrals.service.lasting import ending
from referrals.service.matter import asked, moving, tracking
from referrals.service.pages import PAGES
from referrals.service.people import joining, people
from referrals.service.request import desk_first
from referrals.service.turns import closing, offers, questions
from tests.support.network import CATALOGUE
from tests.support.private import PLACE, Private
from tests.support.store import SettableClock

SECONDS, DAY = timedelta(seconds=10), timedelta(days=1)
MINUTES = timedelta(minutes=6)
WORDS = "He asked for something in return"
FOCAL = {"plain-ear", "open-ledger"}
ABUSE: dict[str, Any] = {"category": "complaint.abuse", "story": WORDS}
CONDUCT: dict[str, Any] = {"category": "complaint.conduct", "urgency": "urgent", "story": WORDS}


def _settled(url: str) -> Iterator[Private]:
    with Private.opened(url) as net:
        net.settle_in()
        yield net


@pytest.fixture
def net(database_url: str) -> Iterator[Private]:
    yield from _settled(database_url)


@pytest.fixture
def here(sqlite_url: str) -> Iterator[Private]:
    yield from _settled(sqlite_url)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Private]:
    """Where nothing is filed: for plans that are only looked at."""
    yield from _settled(f"sqlite:///{tmp_path_factory.mktemp('complaints') / 'pulang.db'}")


def test_somebody_nameless_complains_and_gets_an_answer(net: Private) -> None:
    net.said()
    matter = net.asks(net.mali, "complaint", about=["worker"], about_organizations=["two-rivers"], **ABUSE)
    assert net.referral(matter).urgency is Urgency.URGENT  # abuse is urgent at least, whatever was ticked
    assert {person for person, _ in net.said()} == {net.mali}  # no desk, not even that there is one
    net.passes(SECONDS)
    organization = net.asked(matter)
    assert organization in FOCAL
    focal, offer = net.works[organization], net.at_partner(matter)
    net.does(offers.accept, focal, offer)
    net.does(working.contacted, focal, offer)
    net.does(threads.write, focal, offer, "We have read it, and we have asked them.")
    net.does(threads.write, net.mali, matter, "Thank you. I do not give my name.")
    net.does(working.report, focal, offer, "met")
    net.does(closing.helped, net.mali, matter, True)
    ended = net.referral(matter)
    assert (ended.stage, ended.outcome, ended.confirmed) == (Stage.CLOSED, Outcome.MET, True)
    assert CATALOGUE.pathways["complaint"].closing  # and is asked whether they were taken seriously


def test_abuse_waits_for_no_office_hours(here: Private) -> None:
    here.clock.advance(days=6, hours=14)  # a Sunday, late
    matter = here.asks(here.mali, "complaint", **ABUSE)
    here.passes(SECONDS)
    offer = here.live_offer(matter)
    assert offer is not None
    assert offer.decide_by - offer.sent_at == timedelta(hours=24)
    assert offer.acknowledge_by - offer.sent_at == timedelta(hours=4)


@pytest.mark.parametrize(
    ("about", "organizations", "left"),
    [
        (("unnamed",), (), FOCAL),
        (("partner",), ("plain-ear",), {"open-ledger"}),
        (("worker",), ("open-ledger",), {"plain-ear"}),
        (("mentor", "desk"), (), FOCAL),
        (("partner",), ("plain-ear", "open-ledger"), set()),
    ],
)
def test_the_plan_leaves_out_whomever_it_is_about(
    asking: Private, about: tuple[str, ...], organizations: tuple[str, ...], left: set[str]
) -> None:
    draft = asking.draft_of(asking.mali, "complaint")
    shown = asking.plan(asking.mali, draft, about=[*about], about_organizations=[*organizations], **CONDUCT)
    services = {line.service_id.removesuffix("-focal") for line in shown.plan}
    assert services == left
    assert shown.nobody is not bool(left)


def test_a_focal_point_where_somebody_concerned_works_is_left_out(here: Private) -> None:
    here.person(950, "desk-1")  # the post changes hands
    both = here.at["plain-ear-1"]
    here.does(_also, both, "desk-2")
    draft = here.draft_of(here.mali, "complaint")
    shown = here.plan(here.mali, draft, about=["desk"], **CONDUCT)
    assert [line.service_id for line in shown.plan] == ["open-ledger-focal"]


def test_nonsense_about_whom_is_refused(asking: Private) -> None:
    draft = asking.draft_of(asking.mali, "complaint")
    for body in ({"about": ["me"]}, {"about_organizations": ["nowhere"]}):
        with pytest.raises(BadAnswer):
            asking.plan(asking.mali, draft, **CONDUCT, **body)


# -- every person, every door ------------------------------------------------------------------------


def test_no_door_lets_in_those_whom_it_is_about_nor_anybody_but_its_focal_point(here: Private) -> None:
    matter = here.asks(
        here.mali,
        "complaint",
        about=["desk", "partner", "mentor"],
        about_organizations=["plain-ear"],
        **ABUSE,
    )
    here.passes(SECONDS)
    offer, code = here.at_partner(matter), here.referral(matter).code
    others = set(here.at.values()) - {here.works["open-ledger"]} | {here.aree}
    seen = {
        (who, page, subject)
        for who in sorted(others)
        for page in PAGES
        for subject in (matter, offer, code)
        if _sees(here, who, page, subject, code)
    }
    assert not seen
    for seat in ("desk-1", "desk-2"):
        with pytest.raises(NotFound):
            here.does(desk.by_code, here.at[seat], code)
        for action in (step for step in PAGES["matter"].steps.values()):
            with pytest.raises(PulangError):
                here.does(action, here.at[seat], matter, {"reason": "other", "text": "x"})
    assert _sees(here, here.works["open-ledger"], "offer", offer, "")
    assert _sees(here, here.mali, "matter", matter, code)


def test_a_worker_who_comes_to_the_focal_point_later_finds_nothing_about_themselves(here: Private) -> None:
    worker = here.at["two-rivers-1"]
    matter = here.asks(here.mali, "complaint", about=["worker"], about_organizations=["two-rivers"], **ABUSE)
    here.passes(SECONDS)
    organization, offer = here.asked(matter), here.at_partner(matter)
    here.does(_also, worker, {"plain-ear": "plain-ear-2", "open-ledger": "open-ledger-1"}[organization])
    for verb in (offers.see, offers.accept):
        with pytest.raises(NotFound):
            here.does(verb, worker, offer)
    assert not _sees(here, worker, "me", "", offer)


def test_nobody_whom_it_is_about_hears_a_word_of_a_turn_at_the_focal_point(here: Private) -> None:
    """A question is answered while whoever asked it is away, and a colleague is whom it is about."""
    worker, at_home = here.at["two-rivers-1"], here.at["plain-ear-1"]
    about = {"about": ["worker"], "about_organizations": ["two-rivers"]}
    matter = here.asks(here.mali, "complaint", exclude_organizations=["open-ledger"], **about, **ABUSE)
    here.passes(SECONDS)
    offer = here.at_partner(matter)
    here.does(questions.ask, at_home, offer, "way")
    here.does(_also, worker, "plain-ear-2")
    here.does(joining.set_duty, at_home, False)
    here.said()
    here.does(questions.answer, here.mali, matter, here.does(asked.mark, offer), "by_call")
    here.passes(SECONDS)
    assert worker not in {person for person, _ in here.said()}


def test_a_mentor_whom_nobody_can_name_is_not_asked_to_take_a_complaint_over(here: Private) -> None:
    mentor = here.at["mentor-1"]
    matter = here.asks(here.mali, "complaint", about=["mentor"], **ABUSE)
    here.passes(SECONDS)
    offer = here.at_partner(matter)
    first = here.asked(matter)
    other = (FOCAL - {first}).pop()
    for seat in [seat for seat in here.at if seat.startswith(other)]:
        here.does(_also, mentor, seat)
    here.does(offers.accept, here.works[first], offer)
    (service,) = [line.service_id for line in here.does(_could_take_over, matter)]
    here.does(transfers.propose, here.works[first], offer, service)
    words = here.does(_transfer_words, matter, service)
    here.does(transfers.agree, here.mali, matter, consent.digest(words))
    here.said()
    here.passes(MINUTES)
    heard = here.said()
    assert mentor not in {person for person, _ in heard}
    assert (here.mali, "matter.stays") in heard


def _could_take_over(tx: Tx, matter: str) -> tuple[Line, ...]:
    return transfers.offered(tx, doors.referral_by_id(tx, matter))


def _transfer_words(tx: Tx, matter: str, service: str) -> str:
    return transfers.words(tx, doors.referral_by_id(tx, matter), service, "en")


def test_the_desk_counts_none_even_when_nobody_is_left(here: Private) -> None:
    both = ["plain-ear", "open-ledger"]
    here.does(desk_first.throw, here.at["desk-1"], True)
    here.said()
    matter = here.asks(here.mali, "complaint", about=["partner"], about_organizations=both, **ABUSE)
    here.passes(DAY)
    assert here.referral(matter).stage is Stage.UNMATCHED
    assert here.does(desk_first.held) == 0
    assert matter not in [w.referral.id for w in here.does(desk_queues.waiting, here.at["desk-1"])]
    told = here.said()
    assert {person for person, _ in told} == {here.mali, here.at["steward-1"]}
    assert (here.mali, "matter.focal_none") in told
    assert (here.at["steward-1"], "steward.focal_waits") in told
    here.passes(3 * DAY)  # and it does not fall silent
    assert (here.at["steward-1"], "steward.focal_waits") in here.said()


def test_what_telegram_refused_about_one_is_not_the_desks_either(here: Private) -> None:
    matter = here.asks(here.mali, "complaint", **ABUSE)
    other = here.asks(here.aree, "stigma-and-media", category="stigma.press", urgency="urgent")
    refused = [_refused(number, here.referral(found).code) for number, found in enumerate((matter, other))]
    assert [here.does(undelivered.of_a_complaint, notice) for notice in refused] == [True, False]


def test_nor_does_the_desk_give_it_up_by_guessing_its_number(here: Private) -> None:
    """Numbers of what was refused are counted up: whoever the complaint is about could silence it."""
    here.asks(here.mali, "complaint", **ABUSE)
    here.passes(SECONDS)

    async def refuse() -> None:
        found = await here.store.outbox.claim(here.clock.now, 100)
        await here.store.outbox.settle([Dead(d.id, "bad_request") for d in found], here.clock.now)

    asyncio.run(refuse())
    coordinator, steward = (Actor("somebody", role) for role in (Role.COORDINATOR, Role.STEWARD))
    waiting = {one.notice.id for one in here.does(undelivered.listed, steward, "en")}
    shown = {one.notice.id for one in here.does(undelivered.listed, coordinator, "en")}
    assert waiting - shown
    for number in sorted(waiting - shown):
        for verb in (undelivered.drop, undelivered.send_again):
            with pytest.raises(NotFound):
                here.does(verb, coordinator, number)
        here.does(undelivered.drop, steward, number)


# -- who decides instead of the desk -----------------------------------------------------------------


def test_a_focal_point_that_is_late_twice_loses_it_to_the_other(here: Private) -> None:
    matter = here.asks(here.mali, "complaint", **ABUSE)
    here.passes(SECONDS)
    first = here.asked(matter)
    here.does(offers.accept, here.works[first], here.at_partner(matter))
    here.said()
    here.passes(DAY + SECONDS)  # first contact was due within a day
    (second,) = FOCAL - {first}
    assert (here.works[second], "worker.focal_waits") in here.said()
    here.passes(DAY + MINUTES)
    assert here.asked(matter) == second


def test_what_only_the_desk_could_do_anything_about_moves_no_complaint_and_rings_nowhere(
    here: Private,
) -> None:
    """Its author falls silent, or somebody asks for another phone: no focal point loses it for that."""
    matter = here.asks(here.mali, "complaint", **ABUSE)
    tracked = here.does(tracking.follow, here.mali, matter)
    here.passes(SECONDS)
    first = here.asked(matter)
    here.does(offers.accept, here.works[first], here.at_partner(matter))
    here.passes(DAY + SECONDS)  # it is late once, and was reminded
    here.said()
    here.does(people.blocked, here.mali)
    here.does(moving.ask_the_desk, here.aree, tracked)
    here.passes(SECONDS)
    assert here.asked(matter) == first
    assert "worker.focal_waits" not in [text for _, text in here.said()]


def test_a_focal_point_that_may_read_no_more_keeps_nothing_back(here: Private) -> None:
    """Nobody has it then: of abuse it waits for no second day."""
    matter = here.asks(here.mali, "complaint", **ABUSE)
    here.passes(SECONDS)
    first = here.asked(matter)
    here.does(offers.accept, here.works[first], here.at_partner(matter))
    here.does(_suspended, first)
    here.passes(MINUTES)
    (second,) = FOCAL - {first}
    assert here.asked(matter) == second


def test_an_answer_that_the_person_does_not_accept_goes_to_the_other(here: Private) -> None:
    matter = here.asks(here.mali, "complaint", **ABUSE)
    here.passes(SECONDS)
    first, offer = here.asked(matter), here.at_partner(matter)
    for step in (offers.accept, working.contacted):
        here.does(step, here.works[first], offer)
    here.does(working.report, here.works[first], offer, "met")
    here.does(closing.helped, here.mali, matter, False)
    here.passes(MINUTES)
    (second,) = FOCAL - {first}
    assert here.asked(matter) == second
    with pytest.raises(PulangError):
        here.looks(here.works[first], "matter", offer)
    here.passes(4 * DAY)  # the other sleeps: nobody is left, and it is the person's again, in no silence
    assert here.referral(matter).stage not in ENDED


def test_somebody_whom_no_focal_point_reaches_hears_that_it_is_closed(
    here: Private,
) -> None:
    matter = here.asks(here.mali, "complaint", **ABUSE)
    here.passes(SECONDS)
    first = here.asked(matter)
    here.does(offers.accept, here.works[first], here.at_partner(matter))
    here.does(lambda tx: tx.save(replace(tx.get(Referral, matter), stage=Stage.UNREACHABLE)))
    for _ in range(2):
        assert here.referral(matter).stage is Stage.UNREACHABLE
        here.does(attempts.still, matter)
        here.passes(SECONDS)
    ended = here.referral(matter)
    assert (ended.stage, ended.outcome, ended.outcome_reason) == (Stage.CLOSED, Outcome.UNMET, "no_contact")
    assert (here.mali, "matter.unmet") in here.said()


def test_whoever_complains_is_never_told_that_the_desk_looks_at_it(here: Private) -> None:
    """It may be about the desk: what the person hears and reads on the way says nothing of it."""
    heard: list[str] = []

    def hears() -> None:
        heard.extend(text for person, text in here.said() if person == here.mali)
        shown = here.looks(here.mali, "matter", matter)
        keys = [shown.stage_key, *(s.title_key for s in shown.sections)]
        keys += [line.key for section in shown.sections for line in section.lines]
        you = f"{shown.next_key}.you"
        heard.extend([*keys, you if you in CATALOGUE.texts["en"] else shown.next_key])
        heard.extend(line.stage_key for line in here.looks(here.mali, "me", "").mine)

    matter = here.asks(here.mali, "complaint", **ABUSE)
    hears()
    here.passes(SECONDS)
    first, offer = here.asked(matter), here.at_partner(matter)
    here.does(offers.accept, here.works[first], offer)
    here.passes(DAY + SECONDS)  # it is late
    hears()
    here.does(working.contacted, here.works[first], offer)
    here.does(working.report, here.works[first], offer, "met")
    here.does(closing.helped, here.mali, matter, False)
    hears()
    here.passes(4 * DAY)  # and the other sleeps
    hears()
    here.does(closing.withdraw, here.mali, matter)
    matter = here.asks(here.mali, "complaint", about=["partner"], about_organizations=[first], **ABUSE)
    here.passes(SECONDS)
    second = here.asked(matter)
    here.does(offers.accept, here.works[second], here.at_partner(matter))
    here.does(_suspended, second)
    hears()
    for language, words in (
        ("en", ("desk", "coordinator")),
        ("th", ("ทีมประสานงาน", "ผู้ประสานงาน", "เจ้าหน้าที่")),
    ):
        texts = {key: CATALOGUE.words(key, language).lower() for key in heard if key != "matter.focal_none"}
        assert not {key: text for key, text in texts.items() for word in words if word in text}
    draft = here.draft_of(here.aree, "complaint")
    both = {"about": ["partner"], "about_organizations": ["plain-ear", "open-ledger"]}
    assert "may look for one" not in here.plan(here.aree, draft, **CONDUCT, **both).consent_text


def test_nor_is_the_focal_point_told_so(here: Private) -> None:
    heard: list[str] = []
    matter = here.asks(here.mali, "complaint", **ABUSE)
    here.passes(SECONDS)
    first, offer = here.asked(matter), here.at_partner(matter)
    worker = here.works[first]
    here.does(offers.accept, worker, offer)
    met = here.does(appointments.make, worker, offer, here.clock.now + DAY)
    here.clock.advance(days=2)
    here.does(appointments.happened, worker, offer, here.store.run(asked.partner_mark, met.id), False)
    here.does(appointment_answers.answer, here.mali, matter, here.store.run(asked.mark, met.id), "there")
    heard.extend(text for person, text in here.said() if person == worker)
    assert any(text.startswith("worker.says_there") for text in heard)
    here.does(lambda tx: tx.save(replace(tx.get(Referral, matter), stage=Stage.UNREACHABLE)))
    here.does(attempts.still, matter)
    heard.extend(text for person, text in here.said() if person == worker)
    assert any(text.startswith("worker.still_unreachable") for text in heard)
    here.does(lambda tx: tx.save(replace(tx.get(Referral, matter), stage=Stage.ACCEPTED)))
    (other,) = FOCAL - {first}
    here.does(_suspended, other)
    given_back = here.steps(worker, "matter", offer, "return")
    here.passes(SECONDS)
    heard += ["worker.how_tried", given_back.stage_key]
    for language, words in (("en", ("desk", "coordinator")), ("th", ("ทีมประสานงาน", "ผู้ประสานงาน"))):
        texts = {key: CATALOGUE.words(key, language).lower() for key in heard}
        assert not {key: text for key, text in texts.items() for word in words if word in text}


# -- what is kept ------------------------------------------------------------------------------------


def test_nothing_in_plain_says_whom_it_is_about(here: Private, sqlite_url: str) -> None:
    known = (here.at["desk-1"], here.at["two-rivers-1"], here.at["mentor-1"], "two-rivers")
    draft = here.draft_of(here.mali, "complaint")
    before = _found(sqlite_url, known)
    about = {"about": ["worker", "desk", "mentor"], "about_organizations": ["two-rivers"]}
    shown = here.plan(here.mali, draft, **about, **ABUSE)
    here.steps(
        here.mali, "plan", draft, "file", area=PLACE, consent_digest=shown.consent_digest, **about, **ABUSE
    )
    here.passes(SECONDS)
    assert _found(sqlite_url, known) == before
    assert here.does(_concerned, draft) >= {here.at["desk-1"], here.at["two-rivers-1"], here.at["mentor-1"]}
    here.does(closing.withdraw, here.mali, draft)
    here.clock.advance(days=366)
    here.does(closing.retire, draft)
    sealed = complaints.record(draft)
    assert not here.does(lambda tx: tx.sealed_exists(sealed, DataClass.SAFETY))


def _sees(net: Private, who: str, page: str, subject: str, code: str) -> bool:
    """Whether a page of this person shows anything of the matter."""
    try:
        shown = repr(net.looks(who, page, subject))
    except (PulangError, KeyError, ValueError):
        return False
    return code in shown if page not in ("offer", "plan") or code else bool(shown)


def _found(url: str, words: tuple[str, ...]) -> dict[str, int]:
    """How often each of these stands in any row of any table."""
    path = Path(url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as database:
        rows = "\n".join(line for line in database.iterdump() if not line.startswith('INSERT INTO "audit"'))
    return {word: rows.count(f"'{word}'") + rows.count(f'"{word}"') for word in words}


def _refused(number: int, code: str) -> Undelivered:
    at = SettableClock().now
    return Undelivered(number, "p", "matter.asked", {"code": code}, "blocked", 1, at, at)


def _also(tx: Tx, person_id: str, seat_id: str) -> None:
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    tx.save(replace(seat, person_id=person_id))


def _suspended(tx: Tx, organization_id: str) -> None:
    tx.save(replace(tx.directory.organizations[organization_id], suspended=True))
    ending.review(tx, organization_id)


def _concerned(tx: Tx, matter: str) -> frozenset[str]:
    return complaints.concerned(tx, doors.referral_by_id(tx, matter))
