"""What binds an organisation, by the minute: agreements that end or change, suspensions, split areas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from referrals.directory import Area
from referrals.errors import ConfigurationError, NoConsent, NotFound, PulangError
from referrals.model import DataClass, Offer, Record, Stage
from referrals.network_file import NetworkFile
from referrals.ports import Tx
from referrals.service.common.doors import referral_by_id
from referrals.service.help import working
from referrals.service.matter import sharing
from referrals.service.pages import PAGES
from referrals.service.stewards import network, network_effects
from referrals.service.turns import closing, offers
from tests.support.network import CATALOGUE, NETWORK, STEWARD, Small
from tests.support.store import SettableClock, open_store

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FAR = date(2028, 1, 1)


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    yield from _network(sqlite_url)


def _network(url: str, now: datetime | None = None) -> Iterator[Small]:
    clock = SettableClock(now) if now else SettableClock()
    store = open_store(url, clock, CATALOGUE)
    yield Small(store, clock)
    store.close()


# -- by the minute, in the organisation's own zone -----------------------------------------------------


@pytest.mark.parametrize("zone", ["Asia/Bangkok", "America/Los_Angeles"])
def test_an_agreement_that_ends_between_offer_and_acceptance_ends_at_its_own_midnight(
    database_url: str, zone: str
) -> None:
    """At 23:59 of the last day it binds, at 0:00 nothing is accepted and nothing was shared."""
    last = date(2026, 12, 1)
    midnight = datetime(2026, 12, 2, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for net in _network(database_url, midnight - timedelta(hours=3)):
        family, worker = net.person(1), net.person(11, "bua-1")
        _apply(net, _bua(timezone=zone, agreement={"ends_on": last}))
        matter = net.filed(family, without=frozenset({"two-rivers", "open-door"}))
        net.passes(MINUTE)
        offer = net.at_partner(matter)
        net.store.run(offers.see, worker, offer)
        net.clock.now = midnight - MINUTE
        assert net.store.run(_may_decide, offer), "the last minute still binds"
        net.clock.now = midnight
        assert not net.store.run(_may_decide, offer), "before any timer has fired"
        with pytest.raises((NoConsent, NotFound)):
            net.store.run(offers.accept, worker, offer)
        assert _story_holders(net, matter) == {f"person:{family}"}
        net.passes(MINUTE)
        assert net.referral(matter).stage in (Stage.MATCHING, Stage.UNMATCHED), "the next one's turn"


@pytest.mark.parametrize("zone", ["Asia/Bangkok", "America/Los_Angeles"])
def test_what_an_agreement_opened_closes_at_its_own_midnight(database_url: str, zone: str) -> None:
    last = date(2026, 12, 1)
    midnight = datetime(2026, 12, 2, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for net in _network(database_url, midnight - timedelta(hours=3)):
        family, worker = net.person(1), net.person(11, "bua-1")
        _apply(net, _bua(timezone=zone, agreement={"ends_on": last}))
        matter = net.filed(family, without=frozenset({"two-rivers", "open-door"}))
        offer = _accepted(net, matter, worker)
        net.clock.now = midnight - MINUTE
        assert net.store.run(PAGES["matter"].view, worker, offer, {}).story == "a story"
        net.clock.now = midnight
        assert net.store.run(PAGES["matter"].view, worker, offer, {}).story is None, "before its timer"
        net.passes(MINUTE)
        assert _story_holders(net, matter) == {f"person:{family}"}, "and the key goes with it"


# -- purposes ------------------------------------------------------------------------------------------


def test_an_agreement_shares_for_its_purposes_only(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = net.filed(family, without=frozenset({"two-rivers", "open-door"}))
    offer = _accepted(net, matter, worker)
    _apply(net, _bua(agreement={"purposes": ("work",)}))
    assert _story_holders(net, matter) == {f"person:{family}"}, "family support is not what it is for"
    assert (family, "matter.partner_stopped") in net.said()
    _apply(net, NETWORK)
    assert net.store.run(PAGES["matter"].view, worker, offer, {}).story == "a story"
    assert {(family, "matter.partner_back"), (worker, "worker.goes_on")} <= set(net.said())


# -- suspended, and taken up again ---------------------------------------------------------------------


def test_a_suspended_partner_s_cases_come_to_the_desk_in_that_turn_and_may_come_back(net: Small) -> None:
    family, worker, coordinator = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    held = [net.filed(family, without=frozenset({"two-rivers", "open-door"})) for _ in range(2)]
    for matter in held:
        _accepted(net, matter, worker)
    net.store.run(working.contacted, worker, net.at_partner(held[0]))
    net.said()
    _apply(net, _bua(suspended=True))
    assert all(net.referral(matter).escalated for matter in held), "the desk gets them all"
    assert all(_story_holders(net, matter) == {f"person:{family}"} for matter in held)
    told = net.said()
    assert told.count((coordinator, "desk.cut_off")) == 2
    assert told.count((family, "matter.partner_stopped")) == 2
    _apply(net, NETWORK)
    assert not any(net.referral(matter).escalated for matter in held)
    assert all("org:bua-house" in _story_holders(net, matter) for matter in held)
    net.said()
    net.passes(3 * DAY)
    assert (coordinator, "desk.cut_off") not in net.said(), "nobody is asked about what is settled"


# -- reminders -----------------------------------------------------------------------------------------


def test_stewards_are_reminded_once_each_and_workers_thirty_days_before_the_end(net: Small) -> None:
    steward, worker = net.person(20, "steward-1"), net.person(11, "bua-1")
    today = net.clock.now.date()
    _apply(net, _bua(agreement={"review_on": today + 40 * DAY, "ends_on": today + 70 * DAY}))
    heard: dict[int, list[tuple[str, str]]] = {}
    for day in range(1, 75):
        net.passes(DAY)
        said = [line for line in net.said() if "agreement" in line[1]]
        if said:
            heard[day] = said
    mine = {day: [text for who, text in said if who == steward] for day, said in heard.items()}
    assert [d for d, texts in mine.items() if "steward.agreement_review" in texts] == [10, 33]
    assert [d for d, texts in mine.items() if "steward.agreement_end" in texts] == [10, 40, 63]
    assert [d for d, said in heard.items() if (worker, "worker.agreement_end") in said] == [40]
    assert all(len(texts) == len(set(texts)) for texts in mine.values()), "once each"


def test_an_agreement_that_was_prolonged_reminds_by_its_new_day(net: Small) -> None:
    steward = net.person(20, "steward-1")
    today = net.clock.now.date()
    _apply(net, _bua(agreement={"review_on": today + 8 * DAY, "ends_on": today + 8 * DAY}))
    _apply(net, _bua(agreement={"review_on": today + 300 * DAY, "ends_on": today + 300 * DAY}))
    net.said()
    net.passes(10 * DAY)
    assert not [line for line in net.said() if line[0] == steward and "agreement" in line[1]]


def test_stewards_see_what_every_organisation_agreed_to_and_nobody_else_does(net: Small) -> None:
    steward, worker = net.person(20, "steward-1"), net.person(11, "bua-1")
    shown = net.store.run(PAGES["agreements"].view, steward, "", {})
    assert len(shown.sections) == len(NETWORK.agreements)
    with pytest.raises(PulangError):
        net.store.run(PAGES["agreements"].view, worker, "", {})


# -- what vanishes or is split -------------------------------------------------------------------------


def test_a_service_that_disappears_while_offered_goes_to_the_next_and_while_held_to_the_desk(
    net: Small,
) -> None:
    family, worker, coordinator = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    net.person(13, "two-rivers-1"), net.person(16, "open-door-1")
    held = net.filed(family, without=frozenset({"two-rivers", "open-door"}))
    offer = _accepted(net, held, worker)
    asked = net.filed(family)
    net.passes(MINUTE)
    live = net.live_offer(asked)
    assert live is not None
    net.said()
    gone = {live.service_id, net.referral(held).plan[0]}
    _apply(net, replace(NETWORK, services=tuple(s for s in NETWORK.services if s.id not in gone)))
    net.passes(MINUTE)
    told = net.said()
    after = net.live_offer(asked)
    assert after is not None
    assert after.organization_id != live.organization_id, "the next one's turn"
    assert (coordinator, "desk.service_gone") in told
    ended = net.store.run(lambda tx: tx.get(Offer, live.id))
    assert ended is not None
    assert ended.reason == "service_gone"
    assert net.store.run(PAGES["matter"].view, worker, offer, {}).story == "a story", "who helps goes on"
    net.store.run(working.contacted, worker, offer)
    net.store.run(working.report, worker, offer, "met")
    net.store.run(closing.helped, family, held, True)


def test_an_area_that_is_split_is_understood_and_nothing_waits_in_vain(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = net.filed(family, without=frozenset({"two-rivers", "open-door"}))
    _apply(net, SPLIT)
    net.passes(MINUTE)
    offer = net.live_offer(matter)
    assert offer is not None, "the service still names the old id, and so does the matter"
    shown = net.store.run(PAGES["offer"].view, worker, offer.id, {})
    assert shown.area
    net.store.run(offers.accept, worker, offer.id)
    page = net.store.run(PAGES["matter"].view, worker, offer.id, {})
    assert page.area == "Pattani north / Pattani south"
    again = net.filed(net.person(2), area="pattani-north", without=frozenset({"two-rivers", "open-door"}))
    assert net.referral(again).plan, "and whoever asks from a new area finds the same services"


def test_the_dry_run_says_whom_it_touches_and_no_area_goes_from_under_anybody(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = net.filed(family, without=frozenset({"two-rivers", "open-door"}))
    _accepted(net, matter, worker)
    changes = net.store.run(network.preview, SPLIT)
    said = net.store.run(lambda tx: list(network_effects.lines(tx, changes, SPLIT)))
    where = "it is understood as pattani-north, pattani-south"
    assert f"area pattani-mueang: 1 open matter; {where}" in said
    assert any("still named by" in line and "bua-visits" in line for line in said)
    service = net.referral(matter).plan[0]
    without = replace(NETWORK, services=tuple(s for s in NETWORK.services if s.id != service))
    changes = net.store.run(network.preview, without)
    said = net.store.run(lambda tx: list(network_effects.lines(tx, changes, without)))
    assert said == [f"service {service} is asked for or helps: 1 open matter; the desk is told"]
    gone = replace(SPLIT, areas=tuple(replace(a, formerly=()) for a in SPLIT.areas))
    with pytest.raises(ConfigurationError, match="formerly"):
        _apply(net, gone)


OLD = next(area for area in NETWORK.areas if area.id == "pattani-mueang")
SPLIT = replace(
    NETWORK,
    areas=(
        *(area for area in NETWORK.areas if area.id != OLD.id),
        Area("pattani-north", OLD.parent, {"en": "Pattani north"}, formerly=(OLD.id,)),
        Area("pattani-south", OLD.parent, {"en": "Pattani south"}, formerly=(OLD.id,)),
    ),
)


# -- the tests' own hands ------------------------------------------------------------------------------


def _bua(agreement: dict[str, Any] | None = None, **changed: Any) -> NetworkFile:
    """The network with bua-house changed."""
    return replace(
        NETWORK,
        organizations=tuple(
            replace(o, **changed) if o.id == "bua-house" else o for o in NETWORK.organizations
        ),
        agreements=tuple(
            replace(a, **(agreement or {}))
            if a.organization_id == "bua-house"
            else replace(a, review_on=FAR, ends_on=max(a.ends_on, FAR))
            for a in NETWORK.agreements
            if a.organization_id == "bua-house" or a.id != "old-bridge-2026"
        ),
    )


def _apply(net: Small, file: NetworkFile) -> None:
    changes = net.store.run(network.preview, file)
    net.store.run(network.apply, STEWARD, file, network.digest(changes))


def _accepted(net: Small, matter: str, worker: str) -> str:
    net.passes(MINUTE)
    offer = net.at_partner(matter)
    net.store.run(offers.accept, worker, offer)
    return offer


def _story_holders(net: Small, matter: str) -> set[str]:
    return set(net.store.run(lambda tx: tx.holders(Record("referral", matter), DataClass.STORY)))


def _may_decide(tx: Tx, offer_id: str) -> bool:
    offer = tx.get(Offer, offer_id)
    assert offer is not None
    referral = referral_by_id(tx, offer.referral_id)
    try:
        return bool(sharing.granted(tx, referral, offer, Stage.OFFERED))
    except NoConsent:
        return False
