"""An attacker's night in the network for persons: a button of one kind pressed with an id of another kind.

Each test is something that somebody real tried, and that no door had refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from referrals.access import Action
from referrals.casework import DeskShare, TaskState
from referrals.directory import Agreement
from referrals.errors import BadAnswer, NotFound, TooOften, WrongStage
from referrals.limits import LIMITS, Doing
from referrals.model import SYSTEM, AgeGroup, AuditEntry, Referral, Stage
from referrals.ports import Tx
from referrals.service.common import doors, limits
from referrals.service.help import attempts, thread_share, threads
from referrals.service.joint import plan_days
from referrals.service.lasting import ending
from referrals.service.pages import PAGES
from referrals.service.request import drafts, young
from referrals.service.turns import closing, offers, onward
from tests.support.chat import Chat
from tests.support.network import STEWARD
from tests.support.parts import Parts

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
PARTNERS = ("papers", "letting_go", "taking_over")


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Parts]:
    with Parts.opened(sqlite_url) as found:
        found.settle_in()
        yield found


def planned(net: Parts) -> str:
    """A release with a day, three parts of it taken."""
    plan = net.plan("release-plan", without=frozenset({"bua-house"}))
    net.store.run(plan_days.move_day, net.family, plan, date(2027, 3, 15))
    net.passes(MINUTE)
    net.taken(plan, *PARTNERS)
    return plan


def chat_of(net: Parts, seat: str) -> Chat:
    """The chat of whoever sits there (see `Parts.settle_in`)."""
    account = 100 + list(net.workers).index(seat)
    chat = Chat(net, account)
    assert chat.person == net.workers[seat]
    return chat


# -- one button, an id of another kind --------------------------------------------------------------


def test_no_partner_says_for_the_person_that_a_release_went_well(net: Parts) -> None:
    """A side of the handover may set the day by its offer's id: 'it went as planned' is not its to say."""
    plan = planned(net)
    worker, offer = net.holds(plan, "letting_go")
    for went in (True, False):
        with pytest.raises(NotFound):
            net.store.run(plan_days.went, worker, offer, went)
    chat = chat_of(net, "border-corrections-1")
    chat.hears()
    chat.presses(f"1:plan.went:{offer}:yes")
    assert net.referral(plan).code not in str(chat.hears()), "nor does it learn the person's own code"
    assert not net.referral(plan).escalated


def test_a_foreign_offer_s_code_shows_below_no_button(net: Parts) -> None:
    """'We could not reach them' asked how, before any door, about whatever offer it was pressed with."""
    plan = planned(net)
    _, offer = net.holds(plan, "letting_go")
    code = net.store.run(lambda tx: offers.code_of(tx, offer))
    stranger = chat_of(net, "weaving-hands-1")
    stranger.hears()
    for of in (offer, "no-such-offer"):
        assert stranger.presses(f"1:try:{of}").text == NotFound.code
    assert code not in str(stranger.hears())
    own = chat_of(net, "border-corrections-1")
    own.hears()
    own.presses(f"1:try:{offer}")
    assert own.hears_at_last().text == "worker.how_tried"


@pytest.mark.parametrize("ends", ["withdrawn", "closed"])
def test_a_plan_that_is_over_begins_no_part_again(net: Parts, ends: str) -> None:
    """A partner whose closed part was still asked about could start it anew, past a plan that had been taken
    back: its person heard of it from the desk."""
    plan = planned(net)
    net.does(plan, "papers")
    worker, offer = net.holds(plan, "papers")
    papers = net.tasks(plan)["papers"].id
    net.store.run(plan_days.move_day, net.family, plan, date(2027, 4, 15))
    net.passes(MINUTE)
    assert net.tasks(plan)["papers"].still_asked
    if ends == "withdrawn":
        net.store.run(closing.withdraw, net.family, plan)
    else:
        net.store.run(_over, plan)
    parts = net.store.run(lambda tx: tx.count(Referral, parent_id=plan))
    for yes in (False, True):
        with pytest.raises(WrongStage):
            net.store.run(plan_days.stands, worker, offer, papers, yes)
    shown = net.store.run(PAGES["matter"].view, worker, offer, {})
    assert "task_again" not in str(shown.sections)
    assert net.store.run(lambda tx: tx.count(Referral, parent_id=plan)) == parts


def _over(tx: Tx, plan: str) -> None:
    """As after a year in which everything was done and confirmed."""
    found = doors.referral_by_id(tx, plan)
    tx.save(replace(found, stage=Stage.CLOSED))


# -- a body that no page sends ------------------------------------------------------------------------


@pytest.mark.parametrize("pathway", ["dialogue-circle", "faith-dialogue", "custody-programme"])
def test_nothing_is_an_emergency_that_its_pathway_does_not_call_one(net: Parts, pathway: str) -> None:
    """An emergency goes past every limit, the desk's first look and a child's own yes: it was a word in a
    body away, for a circle too."""
    category = net.store.run(lambda tx: tx.catalogue.pathways[pathway].needs[0])
    actor = doors.as_author(net.family)
    draft = net.store.run(drafts.start_draft, actor, pathway, category, AgeGroup.CHILD, "en").id
    plan = PAGES["plan"].steps
    body = {"area": "pattani-mueang", "urgency": "emergency"}
    for step in ("preview", "file"):
        with pytest.raises(BadAnswer):
            net.store.run(plan[step], net.family, draft, body)
    assert net.referral(draft).stage is Stage.DRAFT


# -- what a part of a plan holds -----------------------------------------------------------------------


def test_what_is_added_to_one_part_reaches_its_partner_and_no_other(net: Parts) -> None:
    """Words and a new phone that were written on a part's page were sealed where nobody ever looked."""
    plan = planned(net)
    part = net.part(plan, "taking_over")
    matter = PAGES["matter"]
    net.store.run(matter.steps["add"], net.family, part.id, {"text": "my brother comes too"})
    net.store.run(matter.steps["new_way"], net.family, part.id, {"text": "081 555 0177"})
    for reader, subject in (net.holds(plan, "taking_over"), (net.family, part.id)):
        shown = net.store.run(matter.view, reader, subject, {})
        assert "a story" in shown.story
        assert "my brother comes too" in shown.story
        assert "081 555 0177" in shown.contact
    other = net.store.run(matter.view, *net.holds(plan, "papers"), {})
    assert (other.story, other.contact) == ("a story", "a contact")


def test_a_plan_for_somebody_young_begins_though_home_is_not_safe(net: Parts) -> None:
    """'It is not safe at home' is sealed where the plan's day is, and the process held no key to it: every
    look at the plan failed, and nothing of it ever began."""
    start = (doors.as_author(net.family), "release-plan", "release.plan", AgeGroup.CHILD, "en")
    plan = net.store.run(drafts.start_draft, *start).id
    body = {"area": "pattani-mueang", "urgency": "urgent", "assent": "own", "home": "not_safe"}
    steps = PAGES["plan"].steps
    shown = net.store.run(steps["preview"], net.family, plan, body)
    net.store.run(steps["file"], net.family, plan, {**body, "consent_digest": shown.consent_digest})
    net.passes(MINUTE)
    assert net.tasks(plan)["family_ready"].state is TaskState.OPEN
    net.store.run(plan_days.move_day, net.family, plan, date(2027, 3, 15))
    net.passes(MINUTE)
    page = net.store.run(PAGES["tasks"].view, net.family, plan, {})
    assert "15 March" in str(page.sections)


def test_the_partner_of_a_part_reads_that_home_is_not_safe(net: Parts) -> None:
    plan = net.plan("release-plan")
    net.store.run(plan_days.move_day, net.family, plan, date(2027, 3, 15))
    net.passes(MINUTE)
    net.taken(plan, "taking_over")  # whose agreement names `safety`
    part = net.part(plan, "taking_over")

    def young_now(tx: Tx) -> None:
        tx.save(replace(part, age_group=AgeGroup.CHILD))
        whole = tx.save(replace(doors.referral_by_id(tx, plan), age_group=AgeGroup.CHILD))
        young.seal_home(tx, doors.as_author(net.family), whole, young.NOT_SAFE)
        tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_FILE, f"referral:{plan}"))
        tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_FILE, f"referral:{part.id}"))

    net.store.run(young_now)
    page = net.store.run(PAGES["matter"].view, *net.holds(plan, "taking_over"), {})
    assert "part.young.not_safe" in str(page.sections)


# -- whoever may not work on ---------------------------------------------------------------------------


def test_whose_agreement_is_over_reads_neither_why_nor_who_else_helps(net: Parts) -> None:
    """The area was withheld; why somebody cannot decide, and who takes over, stood there yet."""
    plan = planned(net)
    worker, offer = net.holds(plan, "letting_go")
    part = net.part(plan, "letting_go")

    def for_somebody(tx: Tx) -> None:
        tx.save(replace(part, behalf="very_ill", behalf_agreed="doctor", behalf_until=tx.now + 30 * DAY))
        tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_FILE, f"referral:{part.id}"))

    def ends(tx: Tx) -> None:
        for found in tx.find(Agreement, organization_id="border-corrections"):
            tx.save(replace(found, ends_on=tx.now.date() - 2 * DAY))
            tx.audit(AuditEntry(STEWARD, Action.NETWORK_APPLY, f"agreement:{found.id}"))
        ending.review(tx, "border-corrections")

    net.store.run(for_somebody)
    told = ("part.behalf.title", "part.tasks.handover")
    shown = str(net.store.run(PAGES["matter"].view, worker, offer, {}).sections)
    assert all(key in shown for key in told)
    net.store.run(ends)
    shown = str(net.store.run(PAGES["matter"].view, worker, offer, {}).sections)
    assert not [key for key in told if key in shown]


# -- a flood from somebody who is let in ------------------------------------------------------------


def test_a_matter_is_no_way_to_ring_and_to_fill_without_end(net: Parts) -> None:
    """Every word rings, and each yes to the desk was a row that every later turn walks over."""
    matter = net.filed(net.family)
    net.passes(MINUTE)
    worker, offer = (net.live_offer(matter) or pytest.fail("nobody is asked")).told[0], net.at_partner(matter)
    net.store.run(offers.accept, worker, offer)
    for _ in range(3):
        net.store.run(thread_share.begin, net.family, matter)
        net.store.run(thread_share.end, net.family, matter)
    assert net.store.run(lambda tx: tx.count(DeskShare)) == 0, "nothing was written that anybody could read"
    net.store.run(thread_share.begin, net.family, matter)
    net.store.run(threads.write, net.family, matter, "the desk may read this")
    net.store.run(thread_share.end, net.family, matter)
    assert net.store.run(lambda tx: tx.count(DeskShare)) == 1

    def much(tx: Tx) -> None:
        for _ in range(LIMITS[Doing.WRITING].most):
            limits.note(tx, Doing.WRITING, net.family)

    net.store.run(much)
    with pytest.raises(TooOften):
        net.store.run(threads.write, net.family, matter, "are you there?")
    with pytest.raises(TooOften):
        net.store.run(attempts.new_way, net.family, matter, "another phone")
    with pytest.raises(TooOften):
        net.store.run(thread_share.begin, net.family, matter)
    net.store.run(thread_share.end, net.family, matter)  # to take back is never too often
    net.store.run(threads.write, worker, offer, "work is not counted")


def test_a_step_about_something_else_shows_nobody_s_offer(net: Parts) -> None:
    """The family's own task, said from the page of a foreign offer: done, and with it came that offer's code
    and how far its matter is, as if they had just given it back."""
    plan = planned(net)
    _, offer = net.holds(plan, "letting_go")
    task = {"task": net.tasks(plan)["family_ready"].id}
    with pytest.raises(NotFound):
        net.store.run(PAGES["matter"].steps["task_done"], net.family, offer, task)
    worker, own = net.holds(plan, "papers")
    back = net.store.run(PAGES["matter"].steps["return"], worker, own, {})
    assert back.code == net.store.run(lambda tx: offers.code_of(tx, own)), "whoever gives it back is told so"


# -- what a partner finds out by asking ---------------------------------------------------------------


def test_no_partner_reads_an_earlier_need_from_what_it_may_propose(net: Parts) -> None:
    """A further need at another partner: the need that it came from was missing in that partner's list, and
    refused by its name. It is refused as before, and nobody hears of it."""
    first = net.filed(net.family)
    net.passes(MINUTE)
    worker = (net.live_offer(first) or pytest.fail("nobody is asked")).told[0]
    net.store.run(offers.accept, worker, net.at_partner(first))
    net.store.run(onward.propose, worker, net.at_partner(first), "family.income")
    net.passes(MINUTE)
    (further,) = net.store.run(lambda tx: tx.find(Referral, onward_from=first))
    body = {"area": "pattani-mueang", "urgency": "urgent"}
    plan = PAGES["plan"].steps
    shown = net.store.run(plan["preview"], net.family, further.id, body)
    net.store.run(plan["file"], net.family, further.id, {**body, "consent_digest": shown.consent_digest})
    net.passes(MINUTE)
    second = (net.live_offer(further.id) or pytest.fail("nobody is asked")).told[0]
    offer = net.at_partner(further.id)
    net.store.run(offers.accept, second, offer)
    offered = net.store.run(lambda tx: onward.choices(tx, doors.referral_by_id(tx, further.id)))
    assert "family.visits" in offered
    assert "family.income" not in offered, "what it helps with itself it knows"
    net.said()
    net.store.run(onward.propose, second, offer, "family.visits")
    net.passes(MINUTE)
    assert net.store.run(lambda tx: tx.find(Referral, onward_from=further.id)) == []
    assert net.said() == []
