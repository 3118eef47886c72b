"""Whose key opens what, at the moments that a table of situations does not show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from referrals.catalogue import Catalogue
from referrals.errors import NoConsent
from referrals.model import (
    SYSTEM,
    AuditEntry,
    DataClass,
    Offer,
    OfferStage,
    Record,
    Stage,
    organization_holder,
    person_holder,
)
from referrals.network_file import NetworkFile
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.desk import desk
from referrals.service.help import threads, working
from referrals.service.matter import sharing
from referrals.service.pages import PAGES
from referrals.service.people import people
from referrals.service.stewards import network
from referrals.service.turns import closing, offers
from storage.sql import Sql
from tests.support.network import CATALOGUE, NETWORK, STEWARD, Small
from tests.support.store import SettableClock, open_store

STORY, CONTACT = DataClass.STORY, DataClass.CONTACT
DAY = timedelta(days=1)


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    yield from _network(sqlite_url, CATALOGUE)


def _network(url: str, catalogue: Catalogue) -> Iterator[Small]:
    clock = SettableClock()
    store = open_store(url, clock, catalogue)
    yield Small(store, clock)
    store.close()


def test_words_that_come_later_reach_whoever_may_read_and_nobody_else(net: Small) -> None:
    """A request without a story: the first words that are sealed have a key of their own."""
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = net.filed(family)
    net.store.run(_forget_story, matter)
    _accepted(net, matter, worker)
    assert _holders(net, matter, STORY) == set()
    net.store.run(_adds, family, matter, "one more thing")
    assert _holders(net, matter, STORY) == {"org:bua-house", f"person:{family}"}
    assert net.store.run(PAGES["matter"].view, worker, net.at_partner(matter), {}).story == "one more thing"


def test_words_kept_from_the_chat_reach_the_partner_who_accepts_afterwards(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = net.filed(family)
    scrap = net.store.run(people.keep_scrap_moment, family, "please hurry")
    net.store.run(people.keep_scrap, family, scrap.id)
    assert _holders(net, matter, STORY) == {f"person:{family}"}
    _accepted(net, matter, worker)
    story = net.store.run(PAGES["matter"].view, worker, net.at_partner(matter), {}).story
    assert "please hurry" in str(story)


def test_a_next_partner_never_opens_what_was_written_to_an_earlier_one(net: Small) -> None:
    family, first, second = net.person(1), net.person(11, "bua-1"), net.person(13, "two-rivers-1")
    matter = net.filed(family)
    offer = _accepted(net, matter, first)
    net.store.run(threads.write, family, matter, "only for you")
    net.store.run(working.give_back, first, offer)
    net.passes(timedelta(minutes=1))
    _accepted(net, matter, second)
    net.store.run(threads.write, second, net.at_partner(matter), "hello")
    earlier = net.store.run(lambda tx: tx.holders(Record("thread", offer), STORY))
    assert earlier == {f"person:{family}"}


def test_after_closing_a_partner_reads_what_the_pathway_names_until_the_retention_date(
    sqlite_url: str,
) -> None:
    pathway = CATALOGUE.pathways["family-support"]
    kept = replace(pathway, classes={**pathway.classes, Stage.CLOSED: (CONTACT,)})
    for net in _network(sqlite_url, replace(CATALOGUE, pathways={**CATALOGUE.pathways, pathway.id: kept})):
        family, worker = net.person(1), net.person(11, "bua-1")
        matter = net.filed(family)
        offer = _accepted(net, matter, worker)
        net.store.run(working.contacted, worker, offer)
        net.store.run(working.report, worker, offer, "met")
        net.store.run(closing.helped, family, matter, True)
        view = net.store.run(PAGES["matter"].view, worker, offer, {})
        assert (view.story, view.contact) == (None, "a contact")
        assert _holders(net, matter, CONTACT) == {"org:bua-house", f"person:{family}"}
        assert _holders(net, matter, STORY) == {f"person:{family}"}
        net.passes((pathway.retention_days + 1) * DAY)
        assert _holders(net, matter, CONTACT) == set()


def test_an_agreement_that_comes_back_gives_back_what_the_yes_still_allows(net: Small) -> None:
    family, worker, coordinator = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    matter = net.filed(family)
    _accepted(net, matter, worker)
    today = net.clock.now.date()
    _apply(net, _agreement(ends_on=today - DAY))
    assert _holders(net, matter, STORY) == {f"person:{family}"}
    assert (coordinator, "desk.cut_off") in net.said()
    _apply(net, _agreement(starts_on=today + DAY, ends_on=today + 9 * DAY))
    assert _holders(net, matter, STORY) == {f"person:{family}"}, "it does not bind yet"
    net.passes(DAY)
    assert "org:bua-house" in _holders(net, matter, STORY), "from its first day on"
    net.passes(9 * DAY)
    assert _holders(net, matter, STORY) == {f"person:{family}"}, "until its last"


def test_whoever_waits_hears_every_day_until_the_desk_has_moved_it(net: Small) -> None:
    family, worker, coordinator = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    matter = net.filed(family)
    offer = _accepted(net, matter, worker)
    net.store.run(working.contacted, worker, offer)
    net.said()
    _apply(net, _agreement(ends_on=net.clock.now.date() - DAY))
    told = net.said()
    assert {(family, "matter.partner_stopped"), (worker, "worker.cut_off")} <= set(told)
    for _ in range(3):
        net.passes(DAY)
        assert (coordinator, "desk.cut_off") in net.said()
    net.store.run(desk.rematch, coordinator, matter)
    net.passes(2 * DAY)
    assert (coordinator, "desk.cut_off") not in net.said()


def test_a_dispute_is_not_settled_by_going_on_with_whoever_may_not(net: Small) -> None:
    family, worker, coordinator = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    matter = net.filed(family)
    offer = _accepted(net, matter, worker)
    net.store.run(working.contacted, worker, offer)
    net.store.run(working.report, worker, offer, "met")
    net.store.run(closing.helped, family, matter, False)
    _apply(net, _agreement(ends_on=net.clock.now.date() - DAY))
    with pytest.raises(NoConsent):
        net.store.run(desk.resume, coordinator, matter)
    net.store.run(desk.rematch, coordinator, matter)


def test_a_partner_whose_time_ran_out_has_not_said_no(net: Small) -> None:
    """After a new yes the same partner may be asked again: that a yes ended was nobody's refusal."""
    family, worker, coordinator = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    matter = net.filed(family, without=frozenset({"two-rivers", "open-door"}))
    _accepted(net, matter, worker)
    _apply(net, _agreement(ends_on=net.clock.now.date() - DAY))
    net.store.run(desk.rematch, coordinator, matter)
    _apply(net, NETWORK)
    net.passes(timedelta(minutes=1))
    assert net.at_partner(matter) != "nothing", "asked again"


def test_an_offer_whose_agreement_ends_goes_on_to_the_next_at_once_and_counts_as_no_broken_promise(
    net: Small,
) -> None:
    family = net.person(1)
    net.person(11, "bua-1")
    other = net.person(13, "two-rivers-1")
    matter = net.filed(family)
    net.passes(timedelta(minutes=1))
    net.said()
    first = net.at_partner(matter)
    _apply(net, _agreement(ends_on=net.clock.now.date() - DAY))
    net.passes(timedelta(seconds=6))
    assert (other, "worker.new_offer") in net.said()
    ended = net.store.run(lambda tx: tx.get(Offer, first))
    assert ended is not None
    assert (ended.stage, ended.reason) == (OfferStage.RECALLED, "agreement_over")


def test_every_key_that_is_given_or_cut_leaves_a_row_in_the_audit(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = net.filed(family)
    offer = _accepted(net, matter, worker)
    net.store.run(working.give_back, worker, offer)
    found = net.store.run(_audited, f"referral:{matter}")
    given = [d for action, d in found if action == "access:give"]
    cut = [d for action, d in found if action == "access:cut"]
    assert sorted(given) == sorted(cut) == ["contact:org:bua-house", "story:org:bua-house"]


def test_settling_twice_changes_nothing(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = net.filed(family)
    _accepted(net, matter, worker)
    before = net.store.run(_audited, f"referral:{matter}")
    net.store.run(lambda tx: sharing.settle(tx, doors.referral_by_id(tx, matter)))
    assert net.store.run(_audited, f"referral:{matter}") == before


def test_the_desk_and_other_holders_are_left_alone(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = net.filed(family)

    def shares_with_the_desk(tx: Tx) -> None:
        """As the person's own yes will do, once threads can take the desk in."""
        referral = doors.referral_by_id(tx, matter)
        tx.share(referral.record, STORY, "desk")
        tx.share(referral.record, STORY, organization_holder("two-rivers"))  # nobody's right
        sharing.settle(tx, referral)

    net.store.run(shares_with_the_desk)
    _accepted(net, matter, worker)
    assert _holders(net, matter, STORY) == {"desk", "org:bua-house", f"person:{family}"}


def _accepted(net: Small, matter: str, worker: str) -> str:
    net.passes(timedelta(minutes=1))
    offer = net.at_partner(matter)
    net.store.run(offers.accept, worker, offer)
    return offer


def _holders(net: Small, matter: str, data_class: DataClass) -> set[str]:
    return set(net.store.run(lambda tx: tx.holders(Record("referral", matter), data_class)))


def _agreement(**changed: object) -> NetworkFile:
    agreements = [
        replace(a, **changed) if a.organization_id == "bua-house" else a  # type: ignore[arg-type]
        for a in NETWORK.agreements
    ]
    return replace(NETWORK, agreements=tuple(agreements))


def _apply(net: Small, file: NetworkFile) -> None:
    changes = net.store.run(network.preview, file)
    net.store.run(network.apply, STEWARD, file, network.digest(changes))


def _forget_story(tx: Tx, matter: str) -> None:
    """The test's own hand: a request that was filed without a story, but with a number to call."""
    referral = doors.referral_by_id(tx, matter)
    contact = tx.open_sealed(doors.as_author(referral.author_id), referral.record, CONTACT)["contact"]
    tx.destroy(referral.record)
    tx.seal(referral.record, CONTACT, "contact", contact, [person_holder(referral.author_id)])
    tx.audit(AuditEntry(SYSTEM, "test", f"referral:{matter}"))


def _adds(tx: Tx, person_id: str, matter: str, text: str) -> None:
    referral = doors.referral_by_id(tx, matter)
    tx.seal(referral.record, STORY, "added.x", text, [person_holder(person_id)])
    sharing.settle(tx, referral)


def _audited(tx: Any, subject: str) -> list[tuple[str, str]]:
    found = Sql("SELECT action, detail FROM audit WHERE subject = :subject ORDER BY sequence")
    return [tuple(row) for row in tx.connection.rows(found, {"subject": subject})]
