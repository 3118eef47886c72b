"""What a partner sees before its yes depends on the need alone: whatever else was chosen, it reads the same.

Two people who need the same; one of them has said much more: whom not to ask, what they do not have, that it
is for somebody who cannot decide, when it is safe to call. Until somebody accepts, page and chat are the same
to the byte, but for codes and times.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest

from referrals.ports import Tx
from referrals.service.desk import desk
from referrals.service.matter import asked
from referrals.service.pages import PAGES
from referrals.service.turns import offers, questions, waiting
from tests.support.asking import asked_for
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

MINUTE = timedelta(minutes=1)
SAID: dict[str, dict[str, Any]] = {
    "whom not to ask": {"exclude_organizations": ["an-noor"], "exclude_kinds": ["government"]},
    "what they do not have": {"must": ["papers", "fee"]},
    "somebody who cannot decide": {"behalf": "very_ill", "agreed": "doctor", "span": "days_30"},
    "when it is safe": {"call_days": ["weekdays"], "call_parts": ["evening"], "call_how": ["say_shop"]},
    "a long story": {"story": "much more " * 100, "contact": "08 1234 5678, after six"},
}


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    store = open_store(sqlite_url, clock := SettableClock(), CATALOGUE)
    yield Small(store, clock)
    store.close()


@pytest.mark.parametrize("said", SAID)
def test_before_its_yes_a_partner_sees_the_need_and_nothing_else(net: Small, said: str) -> None:
    worker, coordinator = net.person(11, "bua-1"), net.person(14, "desk-1")
    for number, seat in enumerate(("two-rivers-1", "open-door-1")):
        net.person(100 + number, seat)
    others = {"exclude_organizations": ["two-rivers", "open-door"]}
    plain = _sees(net, worker, coordinator, net.person(1), others)
    more = {**SAID[said]}
    more["exclude_organizations"] = [*others["exclude_organizations"], *more.get("exclude_organizations", [])]
    told = _sees(net, worker, coordinator, net.person(2), more)
    assert told == plain
    assert "family.visits" in plain


def _sees(net: Small, worker: str, coordinator: str, family: str, body: dict[str, Any]) -> str:
    """All that this worker gets to see of a matter until it says no, codes and times left out."""
    net.deliveries()
    matter = asked_for(net, family, **body)
    if body.get("behalf"):
        net.store.run(desk.rematch, coordinator, matter)
    net.passes(MINUTE)
    offer = net.live_offer(matter)
    assert offer is not None
    assert offer.organization_id == "bua-house"
    seen = [_page(net, worker, offer.id)]
    net.store.run(questions.ask, worker, offer.id, "travel")
    seen.append(_page(net, worker, offer.id))
    net.store.run(questions.answer, family, matter, net.store.run(asked.mark, offer.id), "with_help")
    seen.append(_page(net, worker, offer.id))
    net.store.run(waiting.propose, worker, offer.id, net.clock.now.date() + timedelta(days=9))
    seen.append(_page(net, worker, offer.id))
    heard = [asdict(d) for d in net.deliveries() if d.person_id == worker and d.text]
    seen.append(json.dumps([(d["text"], d["params"], d["buttons"]) for d in heard], default=str))
    net.store.run(offers.decline, worker, offer.id, "full")
    seen.append(_page(net, worker, offer.id))
    return _without_codes("\n".join(seen), net, offer.id, offer.code)


def _page(net: Small, worker: str, offer_id: str) -> str:
    def look(tx: Tx) -> Any:
        return PAGES["offer"].view(tx, worker, offer_id, {})

    return json.dumps(asdict(net.store.run(look)), default=str, sort_keys=True)


def _without_codes(text: str, net: Small, offer_id: str, code: str) -> str:
    text = text.replace(offer_id, "ID").replace(code, "CODE")
    return re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?(\+00:00)?", "WHEN", text)
