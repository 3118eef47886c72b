"""What somebody does not have, and who may help: sealed, kept through every plan, and named to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.commands.why import explain
from referrals.access import Action
from referrals.errors import BadAnswer
from referrals.model import AuditEntry, Offer, OfferStage, Referral
from referrals.ports import Tx
from referrals.service.matter import matching
from referrals.service.request import filing, plans
from referrals.service.turns import offers
from tests.support.network import CATALOGUE, STEWARD, Small
from tests.support.store import SettableClock, open_store

HERE = {"area": "pattani-mueang", "urgency": "urgent"}


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    store = open_store(database_url, clock := SettableClock(), CATALOGUE)
    yield Small(store, clock)
    store.close()


def files(net: Small, person: str, *must: str) -> str:
    """A request with private needs, as the page sends them."""
    draft = net.draft(person)

    def both(tx: Tx) -> None:
        wishes = plans.read_wishes(tx, {**HERE, "must": list(must)})
        shown = plans.plan_view(tx, person, draft, wishes)
        assert {choice.id for choice in shown.must if choice.chosen} == set(must)
        yes = filing.Filing(wishes, shown.consent_digest, "a story", "a contact")
        filing.file_request(tx, person, draft, yes)

    net.store.run(both)
    return draft


def test_nobody_is_asked_who_needs_what_the_person_does_not_have(net: Small) -> None:
    family, desk = net.person(1), net.person(14, "desk-1")
    net.person(11, "bua-1")
    free = net.referral(files(net, family))
    asked = net.referral(files(net, net.person(2), "papers", "fee", "address"))
    services = net.store.run(lambda tx: tx.directory.services)
    assert asked.plan, "in the demo's network somebody asks for none of it"
    assert set(asked.plan) < set(free.plan)
    assert all({"papers", "fee", "address"} <= set(services[s].not_needed) for s in asked.plan)
    assert desk

    shown = "\n".join(net.store.run(explain, "desk-1", asked.code, "en"))
    assert "Private wish" in shown
    for word in ("papers", "fee", "address", "pay"):
        assert word not in shown.lower().replace("family-office-papers", "")


def test_a_blind_offer_says_nothing_of_it(net: Small) -> None:
    worker = net.person(11, "bua-1")
    referral = net.referral(files(net, net.person(1), "papers"))
    net.passes(timedelta(seconds=6))
    offer = net.live_offer(referral.id)
    assert offer is not None
    blind = repr(net.store.run(offers.blind_view, worker, offer.id))
    assert "papers" not in blind
    assert "must" not in blind


def test_a_wish_about_who_helps_is_never_guessed_at(net: Small) -> None:
    """Only services that promise who is there are asked; where none does, the desk looks."""
    referral = net.referral(files(net, net.person(1), "woman"))
    services = net.store.run(lambda tx: tx.directory.services)
    assert referral.plan, "in the demo's network somebody promises it"
    assert all("woman" in services[s].helpers for s in referral.plan)
    assert net.store.run(matching.exclusions_of, referral).helper == "woman"


def test_it_holds_where_nobody_has_proved_that_they_may_read_it(net: Small) -> None:
    """A new plan is chosen without the PIN: what was wished before does not show, and is not taken back."""
    family = net.person(1)
    referral_id = files(net, family, "papers", "address", "man")

    def locked(tx: Tx) -> None:
        tx.lock_reading()
        shown = plans.plan_view(tx, family, referral_id)
        assert not any(choice.chosen for choice in shown.must)
        wishes = plans.with_unseen(tx, net_referral(tx, referral_id), plans.read_wishes(tx, HERE))
        assert wishes.exclusions.lacks == {"papers", "address"}
        assert wishes.exclusions.helper == "man"

    net.store.run(locked)


def net_referral(tx: Tx, referral_id: str) -> Referral:
    found = tx.get(Referral, referral_id)
    assert found is not None
    return found


@pytest.mark.parametrize("must", [["gold"], ["papers", ""]])
def test_what_no_page_offers_is_refused(net: Small, must: list[str]) -> None:
    with pytest.raises(BadAnswer):
        net.store.run(plans.read_wishes, {**HERE, "must": must})


def test_either_a_woman_or_a_man_is_no_wish(net: Small) -> None:
    found = net.store.run(plans.read_wishes, {**HERE, "must": ["woman", "man"]})
    assert found.exclusions.helper == ""


def test_whom_it_is_for_is_asked_only_where_somebody_helps_only_the_one(net: Small) -> None:
    family = net.person(1)
    draft = net.draft(family)

    def offered(tx: Tx) -> set[str]:
        return {choice.id for choice in plans.plan_view(tx, family, draft).must}

    def only_women(tx: Tx) -> None:
        tx.save(replace(tx.directory.services["bua-visits"], genders=("woman",)))
        tx.audit(AuditEntry(STEWARD, Action.NETWORK_APPLY, "service:bua-visits"))

    assert "for_woman" not in net.store.run(offered)
    net.store.run(only_women)
    assert "for_woman" in net.store.run(offered)
    unsaid = net.referral(files(net, net.person(2)))
    assert "bua-visits" not in unsaid.plan
    said = net.referral(files(net, net.person(3), "for_woman"))
    assert said.gender == "woman"
    assert "bua-visits" in said.plan


def test_how_a_partner_stands_is_counted_from_its_newest_offers(net: Small) -> None:
    """Those of two years, weighted by their age; recent ones are a burden, and who works there shares it."""
    net.person(11, "bua-1")
    net.person(12, "bua-2")
    referral_id = net.filed(net.person(1))

    def remember(tx: Tx) -> None:
        now = tx.now
        for days, stage in ((3, OfferStage.ACCEPTED), (20, OfferStage.LAPSED), (300, OfferStage.LAPSED)):
            at = now - timedelta(days=days)
            found = (tx.new_id(), referral_id, "bua-visits", "bua-house", stage, at, at, at)
            tx.add(Offer(*found, decided_at=at))
        old = now - timedelta(days=900)
        forgotten = (tx.new_id(), referral_id, "bua-visits", "bua-house", OfferStage.LAPSED, old, old, old)
        tx.add(Offer(*forgotten, decided_at=old))
        standing = matching.Standings(tx)["bua-house"]
        assert (standing.kept, standing.missed) == (1.0, 1.25)
        assert (standing.recent, standing.seats, standing.load) == (1, 2, 0)
        newest = tx.since(Offer, "sent_at", now - timedelta(days=400), 2, organization_id="bua-house")
        assert [(now - offer.sent_at).days for offer in newest] == [3, 20]
        raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        net.store.run(remember)
