"""The same need asked for twice: proposed as one, and never made one in silence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from referrals import routing
from referrals.errors import BadAnswer, NotFound, TooLong, WrongStage
from referrals.model import DataClass, Referral, Stage, Urgency
from referrals.service.pages import PAGES
from referrals.service.request import plans, same_need
from referrals.service.turns import closing, offers
from referrals.views import FiledView, MatterView, PlanView, SectionsView
from tests.support.network import Small

BODY = {"area": "pattani-mueang", "urgency": "urgent"}


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    yield from _network(sqlite_url)


@pytest.fixture
def either(database_url: str) -> Iterator[Small]:
    yield from _network(database_url)


def _network(url: str) -> Iterator[Small]:
    with Small.opened(url) as net:
        yield net


def test_it_is_asked_first_and_what_is_added_reaches_whoever_helps(either: Small) -> None:
    net = either
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = net.filed(family)
    net.passes(timedelta(seconds=5))
    offer = net.at_partner(matter)
    net.store.run(offers.accept, worker, offer)
    net.said()
    again = net.draft(family)
    asked = net.store.run(PAGES["plan"].view, family, again, {})
    assert isinstance(asked, SectionsView)
    assert [step.id for step in asked.sections[0].steps] == ["add_there", "anew"]
    assert asked.sections[0].lines[0].at == net.referral(matter).created_at
    done = net.store.run(PAGES["plan"].steps["add_there"], family, again, {"text": "there are two of us"})
    assert isinstance(done, FiledView)
    assert done.code == net.referral(matter).code
    assert net.store.run(lambda tx: tx.get(Referral, again)) is None, "one request, not two"
    assert net.said() == [(worker, "worker.added")]
    page = net.store.run(PAGES["matter"].view, worker, offer, {})
    assert isinstance(page, MatterView)
    assert page.story == "a story\n\nthere are two of us"
    record = net.referral(matter).record
    holders = net.store.run(lambda tx: tx.holders(record, DataClass.STORY))
    assert holders == {f"person:{family}", "org:bua-house"}


def test_what_was_added_leaves_the_partners_chat_with_the_matter(net: Small) -> None:
    """Its button would lead to a page that is not there any more."""
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = net.filed(family)
    net.passes(timedelta(seconds=5))
    net.store.run(offers.accept, worker, net.at_partner(matter))
    net.store.run(same_need.add, family, matter, "there are two of us")
    (added,) = [d for d in net.deliveries() if d.text == "worker.added"]
    net.store.run(closing.withdraw, family, matter)
    gone = {d.slot for d in net.deliveries() if d.person_id == worker and not d.text}
    assert added.slot in gone


def test_whoever_asks_anew_is_not_asked_a_second_time(net: Small) -> None:
    family = net.person(1)
    net.filed(family)
    again = net.draft(family)
    shown = net.store.run(PAGES["plan"].steps["anew"], family, again, {})
    assert isinstance(shown, PlanView)
    assert isinstance(net.store.run(PAGES["plan"].view, family, again, {}), PlanView)
    body = dict(BODY)
    preview = net.store.run(PAGES["plan"].steps["preview"], family, again, body)
    assert isinstance(preview, PlanView)
    filed = net.store.run(
        PAGES["plan"].steps["file"], family, again, {**body, "consent_digest": preview.consent_digest}
    )
    assert isinstance(filed, FiledView)
    assert net.referral(again).stage is Stage.MATCHING
    assert net.store.run(lambda tx: tx.count(Referral, author_id=family)) == 2


def test_another_need_another_person_and_what_is_over_are_not_the_same(net: Small) -> None:
    family, neighbour = net.person(1), net.person(2)
    matter = net.filed(family)
    for who, category in ((family, "family.letters"), (neighbour, "family.visits")):
        draft = net.draft(who, category)
        assert isinstance(net.store.run(PAGES["plan"].view, who, draft, {}), PlanView)
    net.store.run(closing.withdraw, family, matter)
    assert isinstance(net.store.run(PAGES["plan"].view, family, net.draft(family), {}), PlanView)


def test_where_the_need_is_chosen_on_the_page_it_is_said_beside_the_plan(net: Small) -> None:
    family = net.person(1)
    matter = net.filed(family)
    draft = net.draft(family, "family.letters")
    wishes = plans.Wishes("pattani-mueang", Urgency.NORMAL, routing.Exclusions(), category="family.visits")
    assert net.store.run(plans.plan_view, family, draft, wishes) is not None
    shown = net.store.run(
        PAGES["plan"].steps["preview"], family, draft, {**BODY, "category": "family.visits"}
    )
    assert isinstance(shown, PlanView)
    assert shown.same_since == net.referral(matter).created_at


def test_only_the_person_adds_and_only_while_it_is_open(net: Small) -> None:
    family, desk = net.person(1), net.person(14, "desk-1")
    matter = net.filed(family)
    for who in (desk, net.person(99)):
        with pytest.raises(NotFound):
            net.store.run(same_need.add, who, matter, "a word")
    with pytest.raises(BadAnswer):
        net.store.run(same_need.add, family, matter, "  ")
    with pytest.raises(TooLong):
        net.store.run(same_need.add, family, matter, "x" * 5000)
    net.store.run(closing.withdraw, family, matter)
    with pytest.raises(WrongStage):
        net.store.run(same_need.add, family, matter, "too late")


def test_two_pages_open_at_once_file_it_once(net: Small) -> None:
    """Neither page could tell of the other when it was opened; the second is asked before it is filed."""
    family = net.person(1)
    one, other = net.draft(family), net.draft(family)
    shown = {
        draft: net.store.run(PAGES["plan"].steps["preview"], family, draft, BODY) for draft in (one, other)
    }
    file = PAGES["plan"].steps["file"]

    def files(draft: str) -> object:
        return net.store.run(file, family, draft, {**BODY, "consent_digest": shown[draft].consent_digest})

    assert isinstance(files(one), FiledView)
    asked = files(other)
    assert isinstance(asked, SectionsView)
    assert [step.id for step in asked.sections[0].steps] == ["add_there", "anew"]
    assert net.referral(other).stage is Stage.DRAFT
    net.store.run(PAGES["plan"].steps["anew"], family, other, {})
    assert isinstance(files(other), FiledView)
    assert net.referral(other).stage is Stage.MATCHING
