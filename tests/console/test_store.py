"""The same application over real databases and the real registry: one matter from asking to withdrawing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from referrals.persons import Session
from referrals.service.people import people
from tests.console.place import Place, a_place
from tests.support.device import Device, DeviceSession

FAMILY, STRANGER = 5001, 7001
SEATS = ("bua-1", "two-rivers-1", "open-door-1", "an-noor-1", "family-office-1")


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    async with a_place(database_url) as found:
        yield found


async def test_a_family_files_and_the_partner_who_accepts_reads(place: Place) -> None:
    net = place.net
    accounts = {net.person(6001 + n, seat): 6001 + n for n, seat in enumerate(SEATS)}
    draft = net.draft(net.person(FAMILY))
    page = await place.opens(FAMILY, f"plan/{draft}")
    _, empty = await page.view()
    assert empty["view"] == "plan"
    assert empty["plan"] == []
    assert empty["consent_text"] == ""
    wishes = {"area": "pattani-mueang", "urgency": "urgent"}
    _, plan = await page.does("preview", **wishes)
    assert plan["plan"]
    assert plan["consent_text"]
    filing = {
        **wishes,
        "consent_digest": plan["consent_digest"],
        "story": "canary story",
        "contact": "canary 080",
    }
    status, stale = await page.does("file", **{**filing, "consent_digest": "x"})
    assert (status, stale["error"]) == (409, "error.plan_changed")
    _, receipt = await page.does("file", **filing)
    assert receipt["view"] == "filed"
    assert receipt["filed"]

    net.passes(timedelta(minutes=6))
    offer = net.live_offer(draft)
    assert offer is not None
    (worker,) = net.workers_of(offer.organization_id)
    account = accounts[worker]
    page = await place.opens(account, f"offer/{offer.id}")
    _, blind = await page.view()
    assert blind["may_decide"]
    assert "canary" not in json.dumps(blind)
    reading = await place.reads(account, f"matter/{offer.id}")
    assert (await reading.view())[0] == 404
    _, accepted = await page.does("accept")
    assert (accepted["view"], accepted["id"]) == ("matter", offer.id)
    status, onward = await page.onward(f"matter/{offer.id}")
    assert (status, (await onward.view())[0]) == (200, 200)
    _, matter = await reading.view()
    assert matter["story"] == "canary story"
    assert matter["contact"] == "canary 080"
    await reading.does("write", text="canary answer")

    page = await place.reads(FAMILY, f"matter/{draft}")
    _, own = await page.view()
    assert [line["text"] for line in own["thread"]] == ["canary answer"]
    assert own["readers"]
    _, gone = await page.does("withdraw", yes=True)
    assert gone["stage_key"] == "stage.withdrawn"
    status, refused = await reading.view()
    assert status == 404 or (refused["story"], refused["contact"]) == (None, None)


async def test_launches_and_sessions_in_the_database(place: Place) -> None:
    family = place.net.person(FAMILY)
    device, launch = Device(), place.proof(FAMILY)
    status, page = await DeviceSession.open(place.http, place.origin, device, "me", launch)
    assert status == 200
    again, _ = await DeviceSession.open(place.http, place.origin, device, "me", launch)
    assert again == 401  # used
    assert (await place.opens(STRANGER, "me")).token == ""  # never wrote to the bot
    (row,) = place.net.store.run(lambda tx: tx.find(Session, person_id=family))
    assert row.id != page.token
    assert row.expires_at == place.clock.now + timedelta(minutes=30)
    assert (await page.view())[1]["view"] == "me"
    place.net.store.run(people.hide, family)
    assert (await page.view())[0] == 401
    assert (await place.opens(FAMILY, "me")).token == ""  # hidden: only /start in the chat brings it back


async def test_another_persons_matter_is_not_found(place: Place) -> None:
    draft = place.net.draft(place.net.person(FAMILY))
    place.net.person(STRANGER)
    page = await place.opens(STRANGER, f"plan/{draft}")
    status, answer = await page.view()
    absent = await place.opens(STRANGER, "plan/absent")
    assert (status, answer) == await absent.view()
    assert (status, answer["error"]) == (404, "error.not_found")
