"""64 strangers at once, from their first word to a filed request: no error, nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from referrals import routing
from referrals.model import AgeGroup, Consent, Referral, Stage, Urgency
from referrals.persons import Person, Tally
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service.common import doors
from referrals.service.people import people
from referrals.service.request import drafts, filing, plans
from storage.store import Store
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

STRANGERS = 64
WISHES = plans.Wishes("pattani-mueang", Urgency.URGENT, routing.Exclusions())


async def test_sixty_four_strangers_file_at_once(database_url: str, long_run: bool) -> None:
    clock = SettableClock()
    store = open_store(database_url, clock, CATALOGUE, seed=None)
    try:
        Small(store, clock)
        for crowd in range(20 if long_run else 1):
            first = 1 + crowd * STRANGERS
            filed = await asyncio.gather(*(_comes_and_files(store, first + n) for n in range(STRANGERS)))
            assert len({code for codes in filed for code in codes}) == STRANGERS
            clock.advance(hours=1)
        everybody = (crowd + 1) * STRANGERS
        store.run(_nothing_twice, everybody)
    finally:
        store.close()


async def _comes_and_files(store: Store, account: int) -> set[str]:
    """Everything twice at once, as on a bad line: the codes that the two receipts show."""
    met = await asyncio.gather(*(store.turn(people.meet, account) for _ in range(2)))
    person = met[0].id
    assert met[1].id == person
    await store.turn(people.choose_language, person, "en")
    actor = doors.as_author(person)
    draft = await store.turn(
        drafts.start_draft, actor, "family-support", "family.visits", AgeGroup.ADULT, "en"
    )
    view = await store.turn(plans.plan_view, person, draft.id, WISHES)
    yes = filing.Filing(WISHES, view.consent_digest, "a story", "a contact")
    presses = (store.turn(filing.file_request, person, draft.id, yes) for _ in range(2))
    receipts: list[Any] = await asyncio.gather(*presses)
    return {receipt.code for receipt in receipts}


def _nothing_twice(tx: Tx, everybody: int) -> None:
    filed = tx.find(Referral)
    assert len(filed) == len({r.code for r in filed}) == everybody
    assert {r.stage for r in filed} == {Stage.MATCHING}
    assert tx.count(Person) == everybody
    assert Counter(c.referral_id for c in tx.find(Consent)) == Counter(r.id for r in filed)
    assert Counter(t.subject for t in tx.find(Timer) if t.kind == "match") == Counter(r.id for r in filed)
    floods = [t.count for t in tx.find(Tally) if t.id.startswith("flood:")]
    assert sum(floods) == everybody  # each was counted once, whoever came at the same moment
    assert all(count == STRANGERS for count in floods)
