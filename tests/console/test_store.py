"""The same application over real databases and the real registry: one matter from asking to withdrawing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from console.app import PREFIX, build
from referrals.persons import Session
from referrals.service import people
from referrals.service.pages import PAGES
from storage.store import Store
from tests.console.stand import words
from tests.security.test_init_data import KEY, TOKEN, TRUST, query, signed
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

FAMILY, STRANGER = 5001, 7001
SEATS = ("bua-1", "two-rivers-1", "open-door-1", "an-noor-1", "family-office-1")


@dataclass
class Place:
    """A server over a database, and the time that both live in."""

    origin: str
    net: Small
    clock: SettableClock
    http: aiohttp.ClientSession
    launches: int = 0

    def proof(self, account: int) -> str:
        self.launches += 1
        user = json.dumps({"id": account, "first_name": "x", "language_code": "th"})
        date = str(int(self.clock.now.timestamp()))
        return query(signed({"query_id": f"AAE{self.launches}", "user": user, "auth_date": date}, key=KEY))

    async def call(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Pulang {token}"} if token else {}
        url = self.origin + PREFIX + path
        async with self.http.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def opens(self, account: int, page: str) -> str:
        body = {"init_data": self.proof(account), "page": page}
        status, answer = await self.call("POST", "/session", body)
        return answer["session"] if status == 200 else ""


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    clock = SettableClock()
    store: Store = open_store(database_url, clock, CATALOGUE)
    app = build(
        store,
        PAGES,
        bot_token=TOKEN,
        bot_id=TRUST.bot_id,
        telegram_public_key=TRUST.public_key,
        texts=words,
        clock=clock,
    )
    root = web.Application()
    root.add_subapp(PREFIX, app)
    runner = web.AppRunner(root)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as http:
        yield Place(f"http://{host}:{port}", Small(store, clock), clock, http)
    await runner.cleanup()
    store.close()


async def test_a_family_files_and_the_partner_who_accepts_reads(place: Place) -> None:
    net = place.net
    accounts = {net.person(6001 + n, seat): 6001 + n for n, seat in enumerate(SEATS)}
    draft = net.draft(net.person(FAMILY))
    token = await place.opens(FAMILY, f"plan/{draft}")
    _, empty = await place.call("GET", f"/api/plan/{draft}", token=token)
    assert empty["view"] == "plan"
    assert empty["plan"] == []
    assert empty["consent_text"] == ""
    wishes = {"area": "pattani-mueang", "urgency": "urgent"}
    _, plan = await place.call("POST", f"/api/plan/{draft}/preview", wishes, token)
    assert plan["plan"]
    assert plan["consent_text"]
    filing = {
        **wishes,
        "consent_digest": plan["consent_digest"],
        "story": "canary story",
        "contact": "canary 080",
    }
    status, stale = await place.call(
        "POST", f"/api/plan/{draft}/file", {**filing, "consent_digest": "x"}, token
    )
    assert (status, stale["error"]) == (409, "error.plan_changed")
    _, receipt = await place.call("POST", f"/api/plan/{draft}/file", filing, token)
    assert receipt["view"] == "filed"
    assert receipt["filed"]

    net.passes(timedelta(minutes=6))
    offer = net.live_offer(draft)
    assert offer is not None
    (worker,) = net.workers_of(offer.organization_id)
    account = accounts[worker]
    token = await place.opens(account, f"offer/{offer.id}")
    _, blind = await place.call("GET", f"/api/offer/{offer.id}", token=token)
    assert blind["may_decide"]
    assert "canary" not in json.dumps(blind)
    reading = await place.opens(account, f"matter/{draft}")
    assert (await place.call("GET", f"/api/matter/{draft}", token=reading))[0] == 404
    _, accepted = await place.call("POST", f"/api/offer/{offer.id}/accept", {}, token)
    assert (accepted["view"], accepted["id"]) == ("matter", draft)
    _, onward = await place.call("POST", "/session", {"page": f"matter/{draft}"}, token)
    assert (await place.call("GET", f"/api/matter/{draft}", token=onward["session"]))[0] == 200
    _, matter = await place.call("GET", f"/api/matter/{draft}", token=reading)
    assert matter["story"] == "canary story"
    assert matter["contact"] == "canary 080"
    await place.call("POST", f"/api/matter/{draft}/write", {"text": "canary answer"}, reading)

    token = await place.opens(FAMILY, f"matter/{draft}")
    _, own = await place.call("GET", f"/api/matter/{draft}", token=token)
    assert [line["text"] for line in own["thread"]] == ["canary answer"]
    assert own["readers"]
    _, gone = await place.call("POST", f"/api/matter/{draft}/withdraw", {"yes": True}, token)
    assert gone["stage_key"] == "stage.withdrawn"
    status, refused = await place.call("GET", f"/api/matter/{draft}", token=reading)
    assert status == 404 or (refused["story"], refused["contact"]) == (None, None)


async def test_launches_and_sessions_in_the_database(place: Place) -> None:
    family = place.net.person(FAMILY)
    proof = place.proof(FAMILY)
    body = {"init_data": proof, "page": "me"}
    status, first = await place.call("POST", "/session", body)
    assert status == 200
    assert (await place.call("POST", "/session", body))[0] == 401  # used
    assert await place.opens(STRANGER, "me") == ""  # never wrote to the bot
    (row,) = place.net.store.run(lambda tx: tx.find(Session, person_id=family))
    assert row.id != first["session"]
    assert row.expires_at == place.clock.now + timedelta(minutes=30)
    assert (await place.call("GET", "/api/me", token=first["session"]))[1]["view"] == "me"
    place.net.store.run(people.hide, family)
    assert (await place.call("GET", "/api/me", token=first["session"]))[0] == 401
    assert await place.opens(FAMILY, "me") == ""  # hidden: only /start in the chat brings it back


async def test_another_persons_matter_is_not_found(place: Place) -> None:
    draft = place.net.draft(place.net.person(FAMILY))
    place.net.person(STRANGER)
    token = await place.opens(STRANGER, f"plan/{draft}")
    status, answer = await place.call("GET", f"/api/plan/{draft}", token=token)
    absent = await place.opens(STRANGER, "plan/absent")
    assert (status, answer) == await place.call("GET", "/api/plan/absent", token=absent)
    assert (status, answer["error"]) == (404, "error.not_found")
