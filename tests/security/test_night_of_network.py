"""An attacker's night in the network for persons: a button of one kind pressed with an id of another kind.

Each test is something that somebody real tried, and that no door had refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from referrals.errors import BadAnswer, NotFound, WrongStage
from referrals.model import AgeGroup, Referral, Stage
from referrals.ports import Tx
from referrals.service import closing, doors, drafts, offers, plan_days
from referrals.service.pages import PAGES
from tests.support.chat import Chat
from tests.support.parts import Parts

MINUTE = timedelta(minutes=1)
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
    with pytest.raises(BadAnswer):
        shown = net.store.run(plan["preview"], net.family, draft, body)
        net.store.run(plan["file"], net.family, draft, {**body, "consent_digest": shown.consent_digest})
    assert net.referral(draft).stage is Stage.DRAFT
