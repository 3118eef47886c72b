"""What was allowed is not any more: the very next request is refused, whatever was open on the screen.

Over HTTP, with the session, device and PIN of somebody who had just read. Each end is in force in the turn
that brings it: nothing waits for a timer, and where there is one, the keys are gone when it has fired.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from referrals.model import SYSTEM, Consent, DataClass, organization_holder
from referrals.network_file import NetworkFile
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.help import working
from referrals.service.pages import PAGES
from referrals.service.people import people
from referrals.service.stewards import network
from referrals.service.turns import closing, offers
from tests.console.place import Place, a_place
from tests.support.device import DeviceSession
from tests.support.network import NETWORK, STEWARD, Small

FAMILY, WORKER, DESK, STEWARD_ACCOUNT = 5001, 6001, 6002, 6003


@dataclass
class Read:
    """A matter that a worker has open and has just read."""

    place: Place
    page: DeviceSession
    family: str
    worker: str
    desk: str
    steward: str
    matter: str
    offer: str

    @property
    def net(self) -> Small:
        return self.place.net


@pytest.fixture
async def read(database_url: str) -> AsyncIterator[Read]:
    async with a_place(database_url) as place:
        net = place.net
        family, worker = net.person(FAMILY), net.person(WORKER, "bua-1")
        desk = net.person(DESK, "desk-1")
        steward = net.person(STEWARD_ACCOUNT, "steward-1")
        matter = net.filed(family)
        net.passes(timedelta(minutes=1))
        offer = net.at_partner(matter)
        net.store.run(offers.accept, worker, offer)
        page = await place.reads(WORKER, f"matter/{offer}")
        status, view = await page.view()
        assert (status, view["story"], view["contact"]) == (200, "a story", "a contact")
        yield Read(place, page, family, worker, desk, steward, matter, offer)


def _withdraws(it: Read) -> None:
    it.net.store.run(closing.withdraw, it.family, it.matter)


def _desk_voids(it: Read) -> None:
    it.net.store.run(closing.void, it.desk, it.matter)


def _gives_back(it: Read) -> None:
    it.net.store.run(working.give_back, it.worker, it.offer)


def _suspended(it: Read) -> None:
    changed = [replace(o, suspended=o.id == "bua-house") for o in NETWORK.organizations]
    _apply(it.net, replace(NETWORK, organizations=tuple(changed)))


def _agreement_amended(it: Read) -> None:
    yesterday = it.net.clock.now.date() - timedelta(days=1)
    changed = [
        replace(a, ends_on=yesterday) if a.organization_id == "bua-house" else a for a in NETWORK.agreements
    ]
    _apply(it.net, replace(NETWORK, agreements=tuple(changed)))


def _story_dropped_from_the_agreement(it: Read) -> None:
    named = (DataClass.ROUTING, DataClass.CONTACT)
    changed = [
        replace(a, classes=named) if a.organization_id == "bua-house" else a for a in NETWORK.agreements
    ]
    _apply(it.net, replace(NETWORK, agreements=tuple(changed)))


def _last_day_over(it: Read) -> None:
    """The agreement gets its last day, half a minute before midnight where the organisation is."""
    evening = it.net.clock.now.replace(hour=16, minute=59, second=30)  # 23:59:30 in Bangkok
    assert evening > it.net.clock.now
    it.net.clock.now = evening
    changed = [
        replace(a, ends_on=evening.date()) if a.organization_id == "bua-house" else a
        for a in NETWORK.agreements
    ]
    _apply(it.net, replace(NETWORK, agreements=tuple(changed)))


def _removed_from_the_post(it: Read) -> None:
    seat = it.net.store.run(lambda tx: tx.find(Seat, person_id=it.worker)[0].id)
    it.net.store.run(PAGES["posts"].steps["remove"], it.steward, "", {"seat": seat})


def _phone_lost(it: Read) -> None:
    it.net.store.run(people.lost_phone, SYSTEM, it.worker)


def _hides(it: Read) -> None:
    it.net.store.run(people.hide, it.worker)


NO_PAGE = (404, 401, 403)  # the whole matter is gone, or the session
# What ends it, and what the next request gets: no page at all, or the page without what was withdrawn.
ENDS: dict[str, tuple[Callable[[Read], None], bool]] = {
    "the person withdraws": (_withdraws, True),
    "the desk voids it": (_desk_voids, True),
    "the partner gives it back": (_gives_back, True),
    "the organisation is suspended": (_suspended, False),
    "the agreement is ended": (_agreement_amended, False),
    "the agreement drops the story": (_story_dropped_from_the_agreement, False),
    "the worker leaves the post": (_removed_from_the_post, True),
    "the phone is lost": (_phone_lost, True),
    "the worker hides": (_hides, True),
}


@pytest.mark.parametrize("end", ENDS)
async def test_the_next_request_is_refused(read: Read, end: str) -> None:
    does, whole_page = ENDS[end]
    does(read)
    status, view = await read.page.view()
    if whole_page:
        assert status in NO_PAGE, view
    else:
        assert (status, view["story"], view["thread"]) == (200, None, [])
    refused, _ = await read.page.does("write", text="may I still?")
    assert refused in (401, 403, 404, 409)
    if end not in ("the phone is lost", "the worker hides", "the worker leaves the post"):
        assert not _holds(read, DataClass.STORY), "the key itself is gone"


async def test_a_yes_runs_out_while_the_page_is_open(read: Read) -> None:
    until = read.place.clock.now + timedelta(minutes=1)
    read.net.store.run(_shorten, read.matter, until)
    assert (await read.page.view())[1]["story"] == "a story"
    read.place.clock.advance(seconds=61)
    assert (await read.page.view())[1]["story"] is None, "no timer has fired yet, and still"
    read.net.passes(timedelta(seconds=1))
    assert not _holds(read, DataClass.STORY)
    assert not _holds(read, DataClass.CONTACT)
    told = await asyncio.to_thread(read.net.said)
    assert (read.family, "matter.consent_over_again") in told
    assert (read.worker, "worker.cut_off") in told
    assert (read.desk, "desk.cut_off") in told


async def test_an_agreements_last_day_ends_at_midnight_where_the_organisation_is(read: Read) -> None:
    _last_day_over(read)
    page = await read.place.reads(WORKER, f"matter/{read.offer}")
    assert (await page.view())[1]["story"] == "a story", "the last day belongs to it"
    read.place.clock.advance(seconds=31)
    assert (await page.view())[1]["story"] is None
    read.net.passes(timedelta(seconds=1))
    assert not _holds(read, DataClass.STORY)
    assert (read.family, "matter.partner_stopped") in await asyncio.to_thread(read.net.said)


def _apply(net: Small, file: NetworkFile) -> None:
    changes = net.store.run(network.preview, file)
    net.store.run(network.apply, STEWARD, file, network.digest(changes))


def _shorten(tx: Tx, matter: str, until: Any) -> None:
    """The test's own hand: a yes that was given for a minute."""
    for given in tx.find(Consent, referral_id=matter):
        tx.save(replace(given, until=until))
        tx.set_timer("consent_end", given.id, until)


def _holds(read: Read, data_class: DataClass) -> bool:
    def look(tx: Tx) -> bool:
        record = doors.referral_by_id(tx, read.matter).record
        return organization_holder("bua-house") in tx.holders(record, data_class)

    return read.net.store.run(look)
