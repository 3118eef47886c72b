"""'This person also needs …': it waits for their own yes, carries no word along, never goes in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referrals import onward as rules
from referrals import routing
from referrals.errors import BadAnswer, NotFound, OnwardLoop, TooOften
from referrals.model import DataClass, Referral, Stage, Urgency
from referrals.onward import Link
from referrals.ports import Tx
from referrals.service.help import working
from referrals.service.pages import PAGES
from referrals.service.request import filing, plans
from referrals.service.request.behalf import Behalf
from referrals.service.turns import offers, onward
from referrals.views import FiledView, PlanView, SectionsView
from tests.support.network import Small

DAY = timedelta(days=1)
AREA = "pattani-mueang"
FOR_THEM = Behalf("very_ill", "doctor", "days_30")


class Chain:
    """A family whom Bua House helps with visits."""

    def __init__(self, net: Small) -> None:
        self.net = net
        self.family, self.worker = net.person(1), net.person(11, "bua-1")
        self.other, self.desk = net.person(13, "two-rivers-1"), net.person(14, "desk-1")
        self.matter = net.filed(self.family)
        net.passes(timedelta(seconds=5))
        self.offer = net.at_partner(self.matter)
        net.store.run(offers.accept, self.worker, self.offer)
        net.store.run(working.contacted, self.worker, self.offer)
        net.said()

    def proposes(self, category: str) -> Referral | None:
        """By the page, as the worker does; a minute later the person is asked, if anybody is."""
        before = {r.id for r in self.all()}
        self.net.store.run(PAGES["matter"].steps["onward"], self.worker, self.offer, {"reason": category})
        assert {r.id for r in self.all()} == before, "whoever waits for the page learns nothing by waiting"
        self.net.passes(timedelta(minutes=1))
        return next((r for r in self.all() if r.id not in before), None)

    def all(self) -> list[Referral]:
        return self.net.store.run(lambda tx: tx.find(Referral))

    def agrees(self, referral_id: str, story: str = "") -> Referral:
        wishes = plans.Wishes(AREA, Urgency.URGENT, routing.Exclusions())
        view = self.net.store.run(plans.plan_view, self.family, referral_id, wishes)
        yes = filing.Filing(wishes, view.consent_digest, story)
        self.net.store.run(filing.file_request, self.family, referral_id, yes)
        return self.net.referral(referral_id)


@pytest.fixture
def chain(sqlite_url: str) -> Iterator[Chain]:
    yield from _chain(sqlite_url)


@pytest.fixture
def on_either(database_url: str) -> Iterator[Chain]:
    yield from _chain(database_url)


def _chain(url: str) -> Iterator[Chain]:
    with Small.opened(url) as net:
        yield Chain(net)


def test_a_further_need_waits_for_the_persons_own_yes_and_carries_no_word_along(on_either: Chain) -> None:
    chain = on_either
    found = chain.proposes("family.income")
    assert found is not None
    assert (found.stage, found.author_id, found.onward_from) == (
        Stage.AWAITING_CONSENT,
        chain.family,
        chain.matter,
    )
    assert chain.net.said() == [(chain.family, "onward.waits")]
    sealed = chain.net.store.run(lambda tx: [c for c in DataClass if tx.sealed_exists(found.record, c)])
    assert sealed == [], "nothing of the story went with it"
    for who in (chain.worker, chain.desk, chain.other):
        with pytest.raises(NotFound):
            chain.net.store.run(PAGES["matter"].view, who, found.id, {})
        with pytest.raises(NotFound):
            chain.net.store.run(PAGES["plan"].view, who, found.id, {})
    view = chain.net.store.run(PAGES["plan"].view, chain.family, found.id, {})
    assert isinstance(view, PlanView)
    filed = chain.agrees(found.id)
    assert filed.stage is Stage.MATCHING
    assert "bua-house" not in {chain.net.store.run(_organization, s) for s in filed.plan}, "never back to it"


@pytest.mark.parametrize("answer", ["yes", "no", "silence", "stands"])
@pytest.mark.parametrize("again", [False, True])
def test_whoever_proposed_it_hears_the_same_at_the_same_hours_whatever_came_of_it(
    chain: Chain, answer: str, again: bool
) -> None:
    """A week after each proposal: not sooner after a yes or a no, not never where it stood already."""
    if answer == "stands":
        chain.agrees(chain.net.draft(chain.family, "family.income"))
    began = chain.net.clock.now
    found = chain.proposes("family.income")
    assert (found is None) is (answer == "stands")
    chain.net.passes(DAY - timedelta(hours=4))
    if again:
        assert chain.proposes("family.income") is None
    if answer == "yes" and found is not None:
        chain.agrees(found.id)
    elif answer == "no" and found is not None:
        view = chain.net.store.run(PAGES["plan"].steps["no"], chain.family, found.id, {})
        assert isinstance(view, FiledView)
    heard, texts = [], set()
    while chain.net.clock.now < began + 9 * DAY:
        said = chain.net.said()
        texts |= {text for _, text in said}
        heard += [chain.net.clock.now - began for who, text in said if "onward_moved" in text]
        chain.net.passes(timedelta(hours=6))
    assert [round(at / DAY) for at in heard] == ([7, 8] if again else [7])
    assert ("onward.still_waits" in texts) is (answer == "silence")
    if found is not None:
        ended = {"no": Stage.WITHDRAWN, "silence": Stage.EXPIRED}.get(answer)
        assert ended is None or chain.net.referral(found.id).stage is ended
    if found is not None and answer in ("no", "silence"):
        with pytest.raises(NotFound):
            chain.net.store.run(PAGES["matter"].view, chain.desk, found.id, {})


def test_whose_own_need_it_was_not_may_still_be_asked_for_somebody(chain: Chain) -> None:
    """A relative says no to what was proposed to them: that is no word of whom they speak for later."""
    found = chain.proposes("family.talk")
    assert found is not None
    chain.net.store.run(PAGES["plan"].steps["no"], chain.family, found.id, {})
    draft = chain.net.draft(chain.family, "family.talk")
    wishes = plans.Wishes(AREA, Urgency.URGENT, routing.Exclusions(), behalf=FOR_THEM)
    view = chain.net.store.run(plans.plan_view, chain.family, draft, wishes)
    yes = filing.Filing(wishes, view.consent_digest)
    chain.net.store.run(filing.file_request, chain.family, draft, yes)
    assert chain.net.referral(draft).behalf == FOR_THEM.reason


def test_who_takes_it_over_does_not_hear_what_somebody_else_proposed(chain: Chain) -> None:
    assert chain.proposes("family.income") is not None
    chain.net.store.run(working.give_back, chain.worker, chain.offer)
    chain.net.passes(timedelta(minutes=6))
    live = chain.net.live_offer(chain.matter)
    assert live is not None
    taken_by = chain.net.workers_of(live.organization_id)[0]
    chain.net.store.run(offers.accept, taken_by, live.id)
    chain.net.passes(8 * DAY)
    assert not [text for _, text in chain.net.said() if text == "worker.onward_moved"]


def test_nobody_is_asked_from_a_matter_that_has_moved_on_meanwhile(chain: Chain) -> None:
    chain.net.store.run(onward.propose, chain.worker, chain.offer, "family.income")
    chain.net.store.run(working.give_back, chain.worker, chain.offer)
    chain.net.passes(timedelta(minutes=1))
    assert len(chain.all()) == 1


def test_a_need_that_is_open_already_bothers_nobody_and_is_not_given_away(chain: Chain) -> None:
    first = chain.proposes("family.income")
    assert first is not None
    chain.net.said()
    assert chain.proposes("family.income") is None
    assert chain.net.said() == []


def test_what_a_partner_has_proposed_and_the_person_asks_for_themselves_is_one_need(chain: Chain) -> None:
    found = chain.proposes("family.income")
    assert found is not None
    draft = chain.net.draft(chain.family, "family.income")
    first = chain.net.store.run(PAGES["plan"].view, chain.family, draft, {})
    assert isinstance(first, SectionsView)
    assert first.sections[0].lines[0].key == "part.same.waits"
    assert [step.id for step in first.sections[0].steps] == ["anew"]
    chain.net.store.run(PAGES["plan"].steps["anew"], chain.family, draft, {})
    chain.agrees(draft)
    chain.net.said()
    chain.net.passes(2 * DAY)
    assert "onward.still_waits" not in {text for _, text in chain.net.said()}, "they have asked for it"


def test_a_partner_finds_out_nothing_about_what_stands_by_proposing(chain: Chain) -> None:
    """What stands is counted like what does not, and 'it has moved on' comes for both."""
    standing = chain.net.draft(chain.family, "family.income")
    chain.agrees(standing)
    chain.net.passes(timedelta(hours=1))
    chain.net.said()
    assert chain.proposes("family.income") is None
    chain.net.passes(8 * DAY)
    heard = [text for who, text in chain.net.said() if who == chain.worker and "onward" in text]
    assert heard == ["worker.onward_moved"], "whoever never heard it would know that it stands"
    assert chain.proposes("family.income") is None
    assert chain.proposes("family.letters") is not None
    assert chain.proposes("family.children") is not None
    for category in ("family.income", "family.talk"):  # the one that stands, and one that does not
        with pytest.raises(TooOften):
            chain.proposes(category)
    assert chain.net.referral(standing).code


def test_the_same_need_again_is_refused_and_so_is_what_nobody_may_file(chain: Chain) -> None:
    with pytest.raises(OnwardLoop):
        chain.proposes("family.visits")
    for category in ("member.housing", "complaint.partner", "nonsense"):
        with pytest.raises(BadAnswer):
            chain.proposes(category)
    offered = chain.net.store.run(
        lambda tx: onward.choices(tx, tx.get(Referral, chain.matter) or replace(chain.all()[0]))
    )
    assert "family.visits" not in offered
    assert "family.income" in offered


def test_a_partner_proposes_three_at_most_before_there_is_an_answer(chain: Chain) -> None:
    for category in ("family.income", "family.letters", "family.children"):
        assert chain.proposes(category) is not None
    with pytest.raises(TooOften):
        chain.proposes("family.talk")


def test_nobody_else_proposes(chain: Chain) -> None:
    for who in (chain.other, chain.desk, chain.family):
        with pytest.raises(NotFound):
            chain.net.store.run(onward.propose, who, chain.offer, "family.income")


CATEGORIES = [f"need-{n}" for n in range(8)]
ORGANIZATIONS = [f"partner-{n}" for n in range(6)]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_chain_always_ends_in_whatever_network(data: st.DataObject) -> None:
    """Whoever may go on does, to anybody who may be asked: within five links there is nothing left."""
    chain: list[Link] = []
    category = data.draw(st.sampled_from(CATEGORIES))
    for _ in range(50):
        free = [o for o in ORGANIZATIONS if o not in rules.not_again(chain)]
        chain.append(Link(category, data.draw(st.sampled_from([*free, ""]))))
        further = [c for c in CATEGORIES if rules.may_go_on(chain, c)]
        if not further:
            break
        category = data.draw(st.sampled_from(further))
    assert len(chain) <= rules.DEEPEST
    assert len({link.category for link in chain}) == len(chain), "no need twice"
    asked = [link.organization_id for link in chain if link.organization_id]
    assert len(set(asked)) == len(asked), "no organisation twice"
    assert not rules.may_go_on(chain, "something else entirely")


def _organization(tx: Tx, service_id: str) -> str:
    return tx.directory.services[service_id].organization_id
